/** What is published of packages/: packed, installed into an empty project without a network, and used there. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { setEndpoint } from '../src/core/notify.ts'
import { freePorts, tempFolder } from './harness.ts'
import { type SdkHub, startSdkHub } from './node/hub.ts'
import { until } from './receiver.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.toReversed()) await end()
})
const folder = tempFolder({ after: end => void ends.push(end as () => unknown) })
const hub: SdkHub = await startSdkHub()
let env: NodeJS.ProcessEnv = {}

const run = async (program: string, args: readonly string[], cwd = folder): Promise<string> => {
  const { stdout } = await promisify(execFile)(program, args, { cwd, env, timeout: 60_000 })
  return stdout
}
const node = (...args: readonly string[]) => run(process.execPath, args)

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}
let packed: readonly Packed[] = []
const tarball = (name: string) => join(folder, `mortise-${name}-0.1.0.tgz`)

before(async () => {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(MORTISE_|npm_|NODE_TEST|NODE_OPTIONS)/i.test(name),
  )
  env = {
    ...Object.fromEntries(inherited),
    PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH']}`,
    MORTISE_URL: hub.origin,
    MORTISE_API_KEY: hub.key,
    CONNECTION_ID: await hub.connected('someone'),
  }
  const which = ['node', 'web'].flatMap(name => ['--workspace', `@mortise/${name}`])
  packed = JSON.parse(await run('npm', ['pack', ...which, '--json', '--pack-destination', folder], root))
  writeFileSync(join(folder, 'package.json'), '{"name":"an-app","private":true}')
  const quiet = ['--offline', '--no-audit', '--no-fund', '--no-update-notifier']
  await run('npm', ['install', ...quiet, tarball('node'), tarball('web')])
  // What such an app has besides.
  for (const name of ['react', '@types/react', 'csstype', 'express', '@types/express', '@types/node', 'undici-types']) {
    const at = join(folder, 'node_modules', name)
    mkdirSync(dirname(at), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), at)
  }
})

test('a package holds what it exports, its types, its README and a licence, and no source that it does not need', () => {
  const [sdk = [], web] = packed.map(each => each.files.map(file => file.path).sort())
  assert.ok(sdk.includes('README.md') && sdk.includes('dist/LICENSE'), String(sdk))
  assert.ok(
    sdk.every(path => /^(package\.json|README\.md|dist\/(LICENSE|\w+\.(c?js|d\.c?ts)))$/.test(path)),
    String(sdk),
  )
  const expected = ['README.md', 'index.d.ts', 'package.json', 'react.d.ts', 'src/mortise.js', 'src/react.js']
  assert.deepEqual(web, expected)
})

for (const name of ['node', 'web'])
  test(`publint and "are the types wrong" find nothing in @mortise/${name}`, async () => {
    const { messages } = await publint({
      pkgDir: join(folder, 'node_modules/@mortise', name),
      strict: true,
      pack: false,
    })
    assert.deepEqual(messages, [])
    const result = await checkPackage(createPackageFromTarballData(readFileSync(tarball(name))))
    assert.ok(result.types)
    // A page has modules only, as the profile "esm-only" says.
    const left: readonly string[] = name === 'web' ? ['node10', 'node16-cjs'] : []
    const problems = result.problems.filter(each => !('resolutionKind' in each && left.includes(each.resolutionKind)))
    assert.deepEqual(problems, [])
  })

test('an ES module and a CommonJS one use it against a hub, and have one MortiseError', async () => {
  const body = `
    const mortise = new Mortise()
    const { id, status } = await mortise.connection(process.env.CONNECTION_ID).get()
    const error = await mortise.connections.get('nobody').catch(each => each)
    console.log(id === process.env.CONNECTION_ID, status, isMortiseError(error, 'not_found'), typeof verifyWebhook)`
  writeFileSync(
    join(folder, 'app.mjs'),
    `import { createRequire } from 'node:module'
    import { isMortiseError, Mortise, MortiseError, verifyWebhook } from '@mortise/node'
    import { alloy, connect } from '@mortise/web'
    import { useConnect } from '@mortise/web/react'
    ${body}
    console.log(createRequire(import.meta.url)('@mortise/node').MortiseError === MortiseError)
    console.log(typeof alloy.connect, typeof connect, typeof useConnect)`,
  )
  writeFileSync(
    join(folder, 'app.cjs'),
    `const { isMortiseError, Mortise, verifyWebhook } = require('@mortise/node')
    const main = async () => {${body}
    }
    main()
    console.log(typeof require('@mortise/web').alloy.connect, typeof require('@mortise/web/react').useConnect)`,
  )
  const [module, common] = await Promise.all([node('app.mjs'), node('app.cjs')])
  assert.equal(module, 'true connected true function\ntrue\nfunction function function\n')
  assert.equal(common, 'function function\ntrue connected true function\n')
})

const typed = `
const mortise = new Mortise({ url: 'http://localhost:3003', retries: 1 })
export const use = async (id: string): Promise<string> => {
  for await (const each of mortise.connections.list({ tag: ['a:b'], limit: 5 })) {
    const status: 'connected' | 'reauthorization_required' = each.status
    console.log(status, each.account?.name ?? '')
  }
  const response: Response = await mortise.connection(id).proxy.post('/v1/search', { json: {}, signal: AbortSignal.timeout(1) })
  const { end } = mortise.connection(id).actions.walk<{ name: string }>('list-users', { max: 3 })
  const delivery = verifyWebhook({ body: '', headers: response.headers, secret: [''] })
  if (delivery.type === 'connection.created') return delivery.data.connectionId + end?.next
  // @ts-expect-error: there is no such parameter
  await mortise.connections.list({ integrations: [] }).all()
  // @ts-expect-error: there is no such field
  await mortise.connectSessions.add({ integration: 'notion', open: 'link' })
  try {
    return await mortise.connections.token(id, { force: true })
  } catch (error) {
    if (isMortiseError(error, 'reauthorization_required', 'not_found')) {
      const code: 'reauthorization_required' | 'not_found' = error.code
      return code
    }
    throw error
  }
}
`
const page = `
import { alloy, type Connection, type ConnectError } from '@mortise/web'
import { useConnect } from '@mortise/web/react'
export const useNotion = (): string => {
  const state = useConnect({ resume: true })
  if (state.status === 'connected') { const made: Connection = state.connection; return made.connectionId }
  if (state.status === 'failed') { const error: ConnectError = state.error; return error.code }
  // @ts-expect-error: there is none in this state
  void state.connection
  void alloy.connect('notion').catch(() => {})
  return state.status
}
`

/** What tsc says of these files, as a project of their own. */
const compiled = async (name: string, files: Readonly<Record<string, string>>, options: object): Promise<string> => {
  const project = join(folder, name)
  mkdirSync(project, { recursive: true })
  for (const [file, text] of Object.entries(files)) writeFileSync(join(project, file), text)
  const strict = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true }
  const compilerOptions = { ...strict, target: 'es2023', noEmit: true, skipLibCheck: false, types: [], ...options }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }))
  return node(join(root, 'node_modules/typescript/bin/tsc'), '-p', project).catch(
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  )
}

test('TypeScript finds the types: as node16 has it in both kinds of file, and as a bundler does', async () => {
  const imports = "import { isMortiseError, Mortise, verifyWebhook } from '@mortise/node'\n"
  const required = imports
    .replace('import {', 'import sdk = require(')
    .replace(/sdk = require\(.*/, "sdk = require('@mortise/node')\n")
  const common = `${required}const { isMortiseError, Mortise, verifyWebhook } = sdk\n${typed}`
  const dom = ['es2023', 'dom', 'dom.iterable']
  const bundler = { module: 'esnext', moduleResolution: 'bundler', lib: dom, jsx: 'react-jsx' }
  const [component = ''] = programs('docs/react.md', 'tsx')
  const said = await Promise.all([
    compiled(
      'node16',
      { 'a.mts': imports + typed, 'b.cts': imports + typed, 'c.cts': common },
      { module: 'node16', moduleResolution: 'node16', lib: ['es2023'], types: ['node'], skipLibCheck: true },
    ),
    compiled('bundler', { 'a.ts': imports + typed, 'b.ts': page, 'c.tsx': component }, bundler),
    compiled('page', { 'b.mts': page }, { module: 'node16', moduleResolution: 'node16', lib: dom }),
  ])
  assert.deepEqual(said, ['', '', ''])
})

/** The programs of a page, in their order. */
const programs = (path: string, language = 'ts'): string[] =>
  readFileSync(join(root, path), 'utf8')
    .split(/^```/m)
    .filter(each => each.startsWith(`${language}\n`))
    .map(each => each.slice(language.length + 1))

test('every program of the guide and of the README is right for TypeScript', async () => {
  const all = ['docs/node-sdk.md', 'packages/node/README.md'].flatMap(path => programs(path))
  assert.equal(all.length, 9)
  const files = Object.fromEntries(all.map((text, index) => [`program-${index}.mts`, text]))
  const options = {
    module: 'nodenext',
    moduleResolution: 'nodenext',
    lib: ['es2023'],
    types: ['node'],
    skipLibCheck: true,
  }
  assert.equal(await compiled('programs', files, options), '')
})

test('the programs that end by themselves, as they are printed', async () => {
  const [list, , token, proxy, actions, errors, tries] = programs('docs/node-sdk.md')
  const [readme] = programs('packages/node/README.md')
  const said = (text: string | undefined) => node('--input-type=module-typescript', '--eval', text ?? '')
  const id = env['CONNECTION_ID']
  const outputs = await Promise.all([list, token, proxy, actions, errors, tries, readme].map(said))
  const users = 'Ada Lovelace\nCharles Babbage\nMortise\n'
  const end = '{ items: 3, pages: 2, next: null, complete: true }\n'
  assert.deepEqual(outputs, [
    `${id} connected someone\n`,
    'true\n',
    '200 bot\napplication/json; charset=utf-8 true\n',
    `get-self\nget-user\nget-users\n200 bot\n${users}${end}`,
    'show the connect button\n',
    '1 null\n',
    `${id} notion connected\n200\n`,
  ])
})

test('the program that connects an account', async () => {
  const [, connects] = programs('docs/node-sdk.md')
  for (const deny of [false, true]) {
    const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', connects ?? ''], {
      cwd: folder,
      env,
    })
    ends.push(() => child.kill('SIGKILL'))
    let printed = ''
    child.stdout.on('data', chunk => {
      printed += chunk
    })
    const ended = new Promise(done => child.on('close', done))
    await until(() => /^open \S+\n/.test(printed))
    await hub.follow(/^open (\S+)\n/.exec(printed)?.[1] ?? '', { deny })
    assert.equal(await ended, 0)
    assert.match(printed, deny ? /\nnot connected: .*declined.*\n$/ : /\nconnected conn_[0-9a-f]{24}\n$/)
  }
})

test('the receiver hears a connection, and refuses what is not signed', async () => {
  const port = await freePorts()
  const url = `http://localhost:${port}/webhooks`
  const { context } = hub.rooms.hub
  const { secret } = await setEndpoint(context, hub.rooms.firstEnvironment, { url })
  const text = programs('docs/node-sdk.md').at(-1) ?? ''
  assert.equal(text.split('3000').length, 2)
  const child = spawn(
    process.execPath,
    ['--input-type=module-typescript', '--eval', text.replace('3000', String(port))],
    { cwd: folder, env: { ...env, MORTISE_WEBHOOK_SECRET: secret?.reveal() ?? '' } },
  )
  ends.push(() => child.kill('SIGKILL'))
  let printed = ''
  child.stdout.on('data', chunk => {
    printed += chunk
  })
  const headers = { 'content-type': 'application/json', 'webhook-id': 'x', 'webhook-timestamp': '1' }
  const forged = () =>
    fetch(url, { method: 'POST', headers: { ...headers, 'webhook-signature': 'v1,AAAA' }, body: '{}' }).catch(
      () => undefined,
    )
  await until(async () => (await forged())?.status === 401)
  const id = await hub.connected('berta')
  await until(() => printed.endsWith('\n'))
  assert.equal(printed, `connected ${id}\n`)
})
