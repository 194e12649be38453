/**
 * `npm run build`: the hub as one folder, dist/ (or a new one that is named), that needs nothing but Node. See
 * decisions/008-bundle.md.
 *
 * `mortise.js` is the start guard, `cli.js` the program; what only some need (Postgres, the docs pages, end users' JWTs)
 * stands in chunks of its own. The files that the hub reads stand in dist/ where they stand in the clone.
 */
import { cpSync, existsSync, globSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile, type Plugin } from 'esbuild'
import { builtFile, ownFolder, problemText, readFolders } from '../src/catalogue/catalogue.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const [named] = process.argv.slice(2)
if (named !== undefined && existsSync(named)) throw new Error(`${named} is there already: name a new folder.`)
const out = named === undefined ? join(root, 'dist') : resolve(named)

/** What the hub reads while it runs, and its licence. */
const files = [
  'docs',
  'providers',
  'src/http/assets',
  'src/storage/migrations',
  'packages/web/src/mortise.js',
  'LICENSE',
]

/** How a source file names the file that a worker thread starts from; that one becomes an entry of its own. */
const threadFile = /new URL\('([^']+)\.ts', import\.meta\.url\)/g
const sources = globSync('src/**/*.ts', { cwd: root, exclude: ['**/*.test.ts'] })
const threads = sources.flatMap(source =>
  [...readFileSync(join(root, source), 'utf8').matchAll(threadFile)].map(match =>
    join(root, dirname(source), `${match[1]}.ts`),
  ),
)

/** `dev` brings the sandbox, which production must not have: a sentence stands in its place. */
const absent = `
import { SetupError } from './src/core/errors.ts'
export const startDev = () => {
  throw new SetupError(
    'mortise dev is not in this build, because it brings the sandbox. Run it in a clone of Mortise: npm ci && npm start',
  )
}
export const devScreen = startDev
`

/**
 * The text of a source file in which it still finds what stands beside it. Every chunk is in dist/ itself, so each file
 * reckons from where it would be below that; a thread's file has another name.
 */
const placed = (path: string, text: string): string =>
  text
    .split(threadFile)
    .map((part, index) =>
      index % 2 === 1
        ? `new URL('./${basename(part)}.js', import.meta.url)`
        : part
            .replaceAll('import.meta.url', `new URL('./${path}', import.meta.url)`)
            .replace(
              "import.meta.resolve('@mortise/web')",
              "new URL('./packages/web/src/mortise.js', import.meta.url)",
            ),
    )
    .join('')

/**
 * An import of `node:http` as a module asks for each of its exports, and two of those load the runtime's whole `fetch`:
 * 40 ms and 16 MB.
 */
const http = "module.exports = process.getBuiltinModule('node:http')"

const own: Plugin = {
  name: 'own',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/(dev|screen)\.ts$/ }, () => ({ path: 'dev', namespace: 'absent' }))
    onLoad({ filter: /.*/, namespace: 'absent' }, () => ({ contents: absent, resolveDir: root }))
    onResolve({ filter: /^(node:)?http$/ }, () => ({ path: 'http', namespace: 'runtime' }))
    onLoad({ filter: /.*/, namespace: 'runtime' }, () => ({ contents: http }))
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const at = relative(root, path).replaceAll('\\', '/')
      return at.startsWith('src/') ? { contents: placed(at, readFileSync(path, 'utf8')), loader: 'ts' } : undefined
    })
  },
}

/** The packages of which something is in the bundle, with the licence of each: most demand that it goes with every copy. */
const licences = ({ outputs }: Metafile): string => {
  const used = new Set<string>()
  for (const { inputs } of Object.values(outputs))
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]
      if (folder !== undefined && bytesInOutput > 0) used.add(folder)
    }
  const of = (folder: string) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    const texts = readdirSync(join(root, folder))
      .filter(file => /^(licen[cs]e|notice|copying)/i.test(file))
      .map(file => readFileSync(join(root, folder, file), 'utf8').trim())
    if (texts.length === 0) texts.push('The package holds no text of its licence.')
    return `${name} ${version} (${license})\n\n${texts.join('\n\n')}\n`
  }
  const rule = `\n${'-'.repeat(80)}\n\n`
  return `What others made, in this build:\n${rule}${[...used].sort().map(of).join(rule)}`
}

rmSync(out, { recursive: true, force: true })
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/cli.ts', ...threads],
  entryNames: '[name]',
  outdir: out,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // Names stay, so that the stack of a logged error can be read.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'linked',
  // Required by their users only where they are asked for, which nothing here does.
  external: ['pg-native', '@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler'],
  // Packages in CommonJS ask for Node's own modules by this name.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  plugins: [own],
  metafile: true,
  logLevel: 'warning',
})
for (const file of files) cpSync(join(root, file), join(out, file), { recursive: true })
const { providers, problems } = readFolders([ownFolder])
if (problems.length > 0) throw new Error(problems.map(problemText).join('\n'))
writeFileSync(join(out, 'providers', builtFile), JSON.stringify(providers))
const { name, version, description, license, type } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
writeFileSync(join(out, 'package.json'), `${JSON.stringify({ name, version, description, license, type }, null, 2)}\n`)
writeFileSync(join(out, 'THIRD-PARTY-LICENSES.txt'), licences(metafile))

/** The start guard is the same, but for where things are. */
const guard = readFileSync(join(root, 'bin/mortise.js'), 'utf8')
  .replace("'../src/cli.ts'", "'./cli.js'")
  .replace("'../node_modules/.cache/mortise'", "'./.cache'")
if (!guard.includes("'./cli.js'") || !guard.includes("'./.cache'"))
  throw new Error('bin/mortise.js has changed: change what bin/build.ts makes of it.')
writeFileSync(join(out, 'mortise.js'), guard, { mode: 0o755 })

const bytes = Object.values(metafile.outputs).reduce((sum, each) => sum + each.bytes, 0)
console.log(`${basename(out)}/mortise.js, with ${(bytes / 1e6).toFixed(1)} MB of code.`)
