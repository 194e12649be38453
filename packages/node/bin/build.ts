/**
 * Makes dist/, which is what is published: the code once, in CommonJS, and a module that exports the same of it, so that a
 * program which uses both has one `MortiseError`; and the types for either.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const home = fileURLToPath(new URL('../', import.meta.url))
const dist = join(home, 'dist')
rmSync(dist, { recursive: true, force: true })

await build({
  absWorkingDir: home,
  entryPoints: ['src/index.ts'],
  outfile: 'dist/index.cjs',
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.3',
  logLevel: 'warning',
})
const names = Object.keys(await import('../src/index.ts')).sort()
writeFileSync(join(dist, 'index.js'), `export { ${names.join(', ')} } from './index.cjs'\n`)

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
const options = ['--noEmit', 'false', '--declaration', '--emitDeclarationOnly', '--rootDir', 'src', '--outDir', 'dist']
execFileSync(process.execPath, [tsc, '-p', home, ...options], { cwd: home, stdio: 'inherit' })
for (const file of readdirSync(dist).filter(name => name.endsWith('.d.ts'))) {
  const text = readFileSync(join(dist, file), 'utf8')
  const importing = (extension: string) => text.replaceAll(/(from ')(\.\/\w+)\.ts'/g, `$1$2.${extension}'`)
  writeFileSync(join(dist, file), importing('js'))
  writeFileSync(join(dist, file.replace(/\.d\.ts$/, '.d.cts')), importing('cjs'))
}
cpSync(join(home, '../../LICENSE'), join(dist, 'LICENSE'))
