/** The bundle: copied away from everything else, it is a whole hub. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readConfig } from '../src/config.ts'
import { Secret } from '../src/core/credential.ts'
import { sealCredential } from '../src/core/sealed.ts'
import { openRooms } from '../src/rooms.ts'
import { freePorts, getJson, tempFolder } from './harness.ts'
import { skip, startPostgres } from './postgres.ts'
import { mortise, startProcess } from './process.ts'
import { add, connection } from './storage.fixtures.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'mortise-bundle-'))
const away = join(folder, 'away')
const bin = join(away, 'mortise.js')

before(() => {
  const built = join(folder, 'built')
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'bin/build.ts'), built], { encoding: 'utf8' })
  assert.deepEqual([status, stderr], [0, ''])
  // Elsewhere than it was built, with no node_modules in sight.
  cpSync(built, away, { recursive: true })
  rmSync(built, { recursive: true })
})
after(() => rmSync(folder, { recursive: true, force: true }))

/** Sets the bundle up by its own commands, then gives it a connection as the source seals one. */
const setUp = async (settings: Readonly<Record<string, string>>): Promise<string> => {
  const run = async (args: readonly string[], input?: string) => {
    const ended = await mortise(args, settings, input, bin)
    assert.equal(ended.code, 0, ended.stderr)
    return ended.stdout.trim()
  }
  const secretKey = await run([
    'key',
    'create',
    '--scope',
    'connections:read',
    '--scope',
    'credentials:read',
    '--scope',
    'proxy',
  ])
  await run(['integrations', 'add', 'github', '--client-id', 'of-the-app'], 'a secret\n')
  const rooms = await openRooms(readConfig({ ...settings, MORTISE_LOG_LEVEL: 'silent' }, 'command'))
  const { context } = rooms.hub
  const environmentId = rooms.firstEnvironment.id
  const credential = { kind: 'oauth2', accessToken: new Secret('a-token'), raw: new Secret({}) } as const
  const sealed = sealCredential(await context.sealerOf(environmentId), 'r1', credential, 'refresh_token')
  await add(rooms.storage, connection(environmentId, 'r1', { connectionId: 'a', ...sealed }))
  await rooms.storage.close()
  return secretKey
}

const readsAndStops = async (t: Parameters<typeof startProcess>[0], settings: Readonly<Record<string, string>>) => {
  const secretKey = await setUp(settings)
  const hub = await startProcess(t, 'serve', { ...settings, MORTISE_ALLOWED_HOSTS: '127.0.0.1:1' }, bin)
  const origin = `http://localhost:${settings['MORTISE_PORT']}`
  const url = `${origin}/connection/a?provider_config_key=github`
  const { status, body } = await getJson(url, { authorization: `Bearer ${secretKey}` })
  assert.deepEqual([status, body['credentials']], [200, { type: 'OAUTH2', access_token: 'a-token', raw: {} }])
  // What is loaded at the first proxied call is in the bundle, too: nobody listens there.
  const proxied = await fetch(`${origin}/proxy/x`, {
    headers: {
      authorization: `Bearer ${secretKey}`,
      'connection-id': 'a',
      'provider-config-key': 'github',
      'base-url-override': 'http://127.0.0.1:1',
      retries: '0',
    },
  })
  assert.deepEqual(
    [proxied.status, await proxied.json()],
    [502, { error: { code: 'provider_unavailable', message: '127.0.0.1:1 could not be reached.' } }],
  )
  return { hub, origin }
}

const stop = async ({ child, ended, output }: Awaited<ReturnType<typeof startProcess>>) => {
  child.kill('SIGTERM')
  assert.equal(await ended, 0)
  assert.doesNotMatch(output.stderr, /"level":[45]0/)
}

const chunks = () =>
  globSync('**/*.js', { cwd: away }).map(path => ({ path, code: readFileSync(join(away, path), 'utf8') }))

const settingsIn = async (dataDir: string) => ({
  MORTISE_PORT: String(await freePorts()),
  MORTISE_DATA_DIR: dataDir,
  MORTISE_ROOT_KEY: randomBytes(32).toString('base64'),
})

test('it serves from SQLite: connections, pages of the documentation, style, scripts', async t => {
  const { hub, origin } = await readsAndStops(t, await settingsIn(tempFolder(t)))
  t.diagnostic(`/ready answered ${Math.round(hub.readyAfter)} ms after the process was started`)
  const page = async (path: string) => {
    const answer = await fetch(origin + path, { headers: { accept: 'text/html' } })
    assert.equal(answer.status, 200, path)
    return answer.text()
  }
  const docs = readdirSync(join(root, 'docs')).map(name => name.replace(/\.md$/, ''))
  for (const name of docs) assert.match(await page(`/docs/${name}`), /<h1>/)
  for (const name of readdirSync(join(root, 'src/http/assets')))
    assert.equal(await page(`/assets/${name}`), readFileSync(join(root, 'src/http/assets', name), 'utf8'))
  assert.equal(await page('/sdk/mortise.js'), readFileSync(join(root, 'packages/web/src/mortise.js'), 'utf8'))
  assert.match(await page('/sdk/alloy.js'), /globalThis\.alloy/)
  await stop(hub)
})

test('it serves from Postgres', { skip }, async t => {
  const server = await startPostgres()
  t.after(() => server.close())
  const settings = { ...(await settingsIn(tempFolder(t))), MORTISE_DATABASE_URL: (await server.newDatabase()).url }
  await stop((await readsAndStops(t, settings)).hub)
})

test('its commands work; for dev it says where that is', async t => {
  const settings = await settingsIn(tempFolder(t))
  const run = (...args: string[]) => mortise(args, settings, '', bin)
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  assert.equal((await run('--version')).stdout, `${version}\n`)
  assert.match((await run('--help')).stdout, /mortise serve[\s\S]*MORTISE_PORT/)
  assert.match((await run('provider', 'check')).stdout, /^\d+ provider files, no mistake\.\n\d+ actions file/)
  for (const { path, code } of chunks()) assert.ok(!code.includes('_sandbox/'), `${path} has the sandbox in it`)
  const dev = await run('dev')
  assert.equal(dev.code, 1)
  assert.match(dev.stderr, /^mortise: mortise dev is not in this build[^\n]*npm ci && npm start\n$/)
})

test('the definitions that it has read already are those of the files', () => {
  const names = globSync('*.yaml', { cwd: join(root, 'providers'), exclude: ['*.actions.yaml'] })
  const built: { id: string }[] = JSON.parse(readFileSync(join(away, 'providers/built.json'), 'utf8'))
  assert.deepEqual(built.map(each => `${each.id}.yaml`).sort(), names.sort())
})

test('a licence goes with everything that others made', () => {
  const text = readFileSync(join(away, 'THIRD-PARTY-LICENSES.txt'), 'utf8')
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const [name, version] of Object.entries(dependencies))
    if (!name.startsWith('@mortise/')) assert.ok(text.includes(`\n${name} ${version} (`), name)
  assert.match(text, /Permission is hereby granted/)
})

test('no file of the place where it was built is named', () => {
  for (const { path, code } of chunks()) assert.ok(!code.includes(root), path)
})
