/** The commands that docs/ tells of do what the pages say. */
import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadCatalogue } from '../src/catalogue/catalogue.ts'
import { openStorage } from '../src/storage/open.ts'
import { connect, freePorts, getJson, startTestHub, tempFolder } from './harness.ts'
import { mortise, startProcess } from './process.ts'

const fresh = (t: TestContext) => ({
  MORTISE_DATA_DIR: join(tempFolder(t), 'data'),
  MORTISE_ROOT_KEY: randomBytes(32).toString('base64'),
})

test('key create, list and revoke work on a running hub at once', async t => {
  const hub = await startTestHub(t)
  const settings = { MORTISE_DATA_DIR: hub.dataDir }
  const list = `${hub.origin}/connection`
  assert.equal((await getJson(list)).status, 200)
  const made = await mortise(['key', 'create', '--name', 'back end'], settings)
  assert.equal(made.code, 0)
  const key = made.stdout.trim()
  assert.match(key, /^mortise_sk_[0-9A-Za-z]{49}$/)
  assert.match(made.stderr, /shown this once/)
  assert.match(made.stderr, /From now on every call of the API needs a key/)
  assert.equal((await getJson(list)).status, 401)
  assert.equal((await getJson(list, { authorization: `Bearer ${key}` })).status, 200)
  const listed = await mortise(['key', 'list'], settings)
  assert.match(listed.stdout, /back end/)
  assert.ok(!listed.stdout.includes(key))
  const id = /^([0-9a-f]{24})/m.exec(listed.stdout)?.[1] ?? ''
  const narrow = await mortise(['key', 'create', '--scope', 'connections:read', '--scope', 'proxy'], settings)
  assert.match((await mortise(['key', 'list'], settings)).stdout, /connections:read,proxy/)
  assert.equal((await getJson(list, { authorization: `Bearer ${narrow.stdout.trim()}` })).status, 200)
  assert.equal((await mortise(['key', 'revoke', id], settings)).code, 0)
  assert.equal((await getJson(list, { authorization: `Bearer ${key}` })).status, 401)
  const twice = await mortise(['key', 'revoke', id], settings)
  assert.equal(twice.code, 3)
  assert.match(twice.stderr, /no living key/)
  const misspelt = await mortise(['key', 'create', '--scope', 'conections:read'], settings)
  assert.equal(misspelt.code, 1)
  assert.match(
    misspelt.stderr,
    /no scope "conections:read" \(did you mean connections:read\?\); the scopes are connections:read/,
  )
})

test('env show prints the public key and the lists; allow-redirect and allow-origin fill them', async t => {
  const settings = fresh(t)
  const shown = await mortise(['env', 'show'], settings)
  assert.equal(shown.code, 0, shown.stderr)
  assert.match(shown.stdout, /Public key +mortise_pk_/)
  assert.match(shown.stdout, /Redirect URI +http:\/\/localhost:3003\/oauth\/callback/)
  assert.match(
    shown.stdout,
    /nothing yet \(in dev: any loopback URL, and any that a call with a key names\): npx mortise env allow-redirect/,
  )
  const url = 'https://app.example.com/connected'
  assert.equal((await mortise(['env', 'allow-redirect', url], settings)).code, 0)
  assert.equal((await mortise(['env', 'allow-origin', 'https://app.example.com'], settings)).code, 0)
  const after = await mortise(['env', 'show'], settings)
  assert.match(after.stdout, new RegExp(`May return to +${url}`))
  assert.match(after.stdout, /Pages of +https:\/\/app\.example\.com/)
  for (const bad of [
    'http://app.example.com/x',
    'app.example.com',
    'https://app.example.com/x?y=1',
    'https://u:p@app.example.com/',
  ]) {
    const refused = await mortise(['env', 'allow-redirect', bad], settings)
    assert.equal(refused.code, 1, bad)
  }
  assert.equal((await mortise(['env', 'allow-redirect', url, '--remove'], settings)).code, 0)
  assert.equal((await mortise(['env', 'allow-redirect', url, '--remove'], settings)).code, 3)
  assert.match((await mortise(['env', 'show'], settings)).stdout, /nothing yet/)
})

test('what is set up by commands is what serve runs: a key, an integration, a redirect, an HMAC', async t => {
  const port = await freePorts()
  const settings = { ...fresh(t), MORTISE_PORT: String(port) }
  const run = async (args: string[], input = '') => {
    const ended = await mortise(args, settings, input)
    assert.equal(ended.code, 0, ended.stderr)
    return ended.stdout
  }
  const key = (await run(['key', 'create'])).trim()
  const added = await run(
    ['integrations', 'add', 'github', '--client-id', 'my-app', '--scope', 'repo', '--scope', 'user'],
    'the-secret\n',
  )
  assert.match(added, /Register this redirect URI at the provider: http:\/\/localhost:\d+\/oauth\/callback/)
  await run(['env', 'allow-redirect', 'https://app.example.com/done'])
  const hmacKey = (await run(['env', 'hmac', 'on'])).trim()
  const publicKey = /Public key +(\S+)/.exec(await run(['env', 'show']))?.[1] ?? ''
  assert.match(await run(['integrations', 'list']), /github +github +my-app +repo,user/)
  const hub = await startProcess(t, 'serve', settings)
  const origin = `http://localhost:${port}`
  assert.equal((await getJson(`${origin}/connection`)).status, 401)
  assert.equal((await getJson(`${origin}/connection`, { authorization: `Bearer ${key}` })).status, 200)
  const basic = Buffer.from(`${key}:`).toString('base64')
  assert.equal((await getJson(`${origin}/connection`, { authorization: `Basic ${basic}` })).status, 200)
  const start = async (query: Record<string, string>) => {
    const parameters = new URLSearchParams({ public_key: publicKey, connection_id: 'c', ...query })
    const answer = await fetch(`${origin}/oauth/connect/github?${parameters}`, { redirect: 'manual' })
    return { status: answer.status, location: answer.headers.get('location') ?? '' }
  }
  const returning = { api_redirect_url: 'https://app.example.com/done' }
  assert.match(
    (await start(returning)).location,
    /^https:\/\/app\.example\.com\/done\?message_type=error&error_type=missing_hmac/,
  )
  const hmac = createHmac('sha256', hmacKey).update('github:c').digest('hex')
  const authorize = new URL((await start({ ...returning, hmac })).location)
  assert.equal(authorize.origin + authorize.pathname, 'https://github.com/login/oauth/authorize')
  assert.equal(authorize.searchParams.get('client_id'), 'my-app')
  assert.equal(authorize.searchParams.get('scope'), 'repo user')
  assert.equal(
    (await start({ api_redirect_url: 'http://localhost:9/done', hmac })).status,
    400,
    'loopback is free in dev only',
  )
  hub.child.kill('SIGTERM')
  assert.equal(await hub.ended, 0)
  assert.ok(!(hub.output.stderr + hub.output.stdout).includes(key))
})

test('a command makes no root key: not on a new folder, not beside a database that has none', async t => {
  const folder = tempFolder(t)
  const settings = { MORTISE_DATA_DIR: folder }
  assert.equal((await mortise(['key', 'create'], settings)).code, 1)
  assert.deepEqual(readdirSync(folder), [])
  await (await openStorage(join(folder, 'mortise.db'))).close()
  const refused = await mortise(['key', 'create'], settings)
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /no root key to seal credentials with/)
  assert.equal(existsSync(join(folder, 'root.key')), false)
})

test('another environment has its own of everything', async t => {
  const settings = fresh(t)
  assert.equal((await mortise(['env', 'create', 'staging'], settings)).code, 0)
  assert.equal((await mortise(['env', 'create', 'staging'], settings)).code, 1)
  assert.equal((await mortise(['env', 'create', 'Not A Name'], settings)).code, 1)
  assert.equal((await mortise(['key', 'create', '--env', 'staging'], settings)).code, 0)
  assert.match((await mortise(['key', 'list'], settings)).stdout, /has no secret key/)
  assert.match((await mortise(['key', 'list', '--env', 'staging'], settings)).stdout, /default/)
  const unknown = await mortise(['key', 'list', '--env', 'prod'], settings)
  assert.equal(unknown.code, 3)
  assert.match(unknown.stderr, /no environment "prod"; there are: dev, staging/)
})

test('what is misspelt is named, with what to do: each with its exit code, no stack', async t => {
  const settings = fresh(t)
  const cases: [args: string[], code: number, says: RegExp][] = [
    [['kye', 'create'], 2, /no command "kye create"/],
    [['key'], 2, /There are: npx mortise key create, npx mortise key list, npx mortise key revoke/],
    [['key', 'create', '--nmae', 'x'], 2, /--nmae[\s\S]*Usage: npx mortise key create/],
    [['key', 'revoke'], 2, /Give the id of the key/],
    [['serve', 'now'], 2, /mortise serve takes no "now"/],
    [['integrations', 'add', 'github'], 2, /Give --client-id/],
    [
      ['integrations', 'add', 'githib'],
      3,
      /no provider "githib" \(did you mean github\?\)\. See: npx mortise provider list$/m,
    ],
    [
      ['integrations', 'add', 'x', '--provider', 'githib', '--client-id', 'y'],
      1,
      /no provider "githib" \(did you mean github\?\); there are: airtable, asana, /,
    ],
    [
      ['integrations', 'add', 'gitlab', '--client-id', 'y', '--setting', 'hots=x'],
      1,
      /no setting "hots"; it has: host/,
    ],
    [['integrations', 'add', 'gitlab', '--client-id', 'y', '--setting', 'host=a/b'], 1, /must be a host name/],
    [['integrations', 'remove', 'x'], 3, /no integration "x"/],
    [['env', 'hmac', 'maybe'], 2, /Give on or off/],
  ]
  for (const [args, code, says] of cases) {
    const ended = await mortise(args, settings, 'secret')
    assert.equal(ended.code, code, `${args.join(' ')}: ${ended.stderr}`)
    assert.match(ended.stderr, says)
    assert.ok(!ended.stderr.includes('    at '))
  }
  const noKey = await mortise(['key', 'create'], { MORTISE_DATA_DIR: join(tempFolder(t), 'x') })
  assert.equal(noKey.code, 1)
  assert.match(noKey.stderr, /no root key/)
})

test('integrations add --sandbox adds a provider that mortise dev plays from its next start on', async t => {
  const dataDir = tempFolder(t)
  const first = await startTestHub(t, { dataDir })
  await first.stop()
  const args = ['integrations', 'add', 'desk', '--provider', 'zendesk', '--sandbox']
  const added = await mortise(args, { MORTISE_DATA_DIR: dataDir })
  assert.equal(added.code, 0, added.stderr)
  assert.match(added.stdout, /Added the integration "desk" \(zendesk; scopes: .*next start of mortise dev/s)
  const hub = await startTestHub(t, { dataDir })
  const { returned } = await connect(
    hub,
    'desk',
    { connection_id: 'a', 'params[subdomain]': 'acme' },
    { provider: 'zendesk' },
  )
  assert.equal(returned.searchParams.get('error_desc'), null)
  const { status, body } = await getJson<{ provider_config_key: string }>(
    `${hub.origin}/connection/a?provider_config_key=desk`,
  )
  assert.deepEqual([status, body.provider_config_key], [200, 'desk'])
  // A sandboxed integration in production would give its users made-up accounts.
  await hub.stop()
  const served = await mortise(['serve'], {
    MORTISE_DATA_DIR: dataDir,
    MORTISE_ROOT_KEY_FILE: join(dataDir, 'root.key'),
    MORTISE_PORT: String(await freePorts()),
  })
  assert.equal(served.code, 1)
  assert.match(served.stderr, /The integration desk .* is a sandbox one/)
})

test('--help lists every command and setting; each command has its own', async () => {
  const all = await mortise(['--help'], {})
  assert.equal(all.code, 0)
  for (const each of [
    'mortise dev',
    'mortise serve',
    'mortise key create',
    'mortise env show',
    'MORTISE_ROOT_KEY_FILE',
  ])
    assert.ok(all.stdout.includes(each), each)
  assert.match((await mortise(['key', 'create', '--help'], {})).stdout, /--scope SCOPE/)
  assert.match((await mortise(['--version'], {})).stdout, /^\d+\.\d+\.\d+\n$/)
})

test('provider check names file, line and key, and exits with 1', async t => {
  const folder = join(tempFolder(t), 'providers')
  mkdirSync(folder)
  writeFileSync(
    join(folder, 'acme.yaml'),
    'name: Acme\ndocs: [https://acme.example]\nauth: oauth2\napi:\n  base: https://api.acme.example\nauthorize:\n  url: https://acme.example/a\n  pkse: S256\ntoken:\n  url: http://acme.example/t\n  client: basic\n',
  )
  const checked = await mortise(['provider', 'check', folder], {})
  assert.equal(checked.code, 1)
  assert.match(checked.stderr, /acme\.yaml:8: authorize\.pkse: is not a key of the schema/)
  assert.match(checked.stderr, /acme\.yaml:10: token\.url: an absolute https: URL/)
  const own = await mortise(['provider', 'check'], {})
  assert.equal(own.code, 0)
  assert.match(own.stdout, new RegExp(`${loadCatalogue().list().length} provider files, no mistake`))
})

test('doctor looks at each part, says who must do what, and ends with 1 where something is in the way', async t => {
  const hub = await startTestHub(t)
  const { port } = new URL(hub.origin)
  const settings = { MORTISE_DATA_DIR: hub.dataDir, MORTISE_PORT: port }
  const fine = await mortise(
    ['doctor', '--connector', 'notion', '--redirect-uri', 'http://localhost:3000/oauth/callback'],
    settings,
  )
  // A command runs as in production: what `dev` allows by itself must be listed.
  assert.equal(fine.code, 1, fine.stdout)
  assert.match(fine.stdout, /^ok {4}The database opens/m)
  assert.match(fine.stdout, /^ok {4}A hub answers at /m)
  assert.match(fine.stdout, /^ok {4}Notion is ready as "notion"/m)
  assert.match(fine.stdout, /^FAIL {2}The URL to return to.*npx mortise env allow-redirect.*mortise dev allows it/m)
  const good = await mortise(['doctor', '--connector', 'notion'], settings)
  assert.equal(good.code, 0, good.stdout)
  const bad = await mortise(['doctor', '--user', 'nobody', '--connector', 'notoin'], {
    ...settings,
    MORTISE_PORT: String(await freePorts()),
  })
  assert.equal(bad.code, 1)
  assert.match(bad.stdout, /^FAIL {2}No hub answers at .*npm start/m)
  assert.match(bad.stdout, /^FAIL {2}"nobody" .* is no user/m)
  assert.match(bad.stdout, /^FAIL {2}There is no connector "notoin" \(did you mean notion\?\)/m)
})

test('env renew-jwt-key ends every JWT at once, on a running hub', async t => {
  const hub = await startTestHub(t)
  const { body } = await getJson<{ token: string }>(`${hub.origin}/users/me/token`)
  const begin = () =>
    fetch(`${hub.origin}/sdk/start`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-alloy-user-token': body.token },
      body: JSON.stringify({ connectorId: 'notion' }),
    })
  assert.equal((await begin()).status, 200)
  const renewed = await mortise(['env', 'renew-jwt-key'], { MORTISE_DATA_DIR: hub.dataDir })
  assert.equal(renewed.code, 0, renewed.stderr)
  assert.equal((await begin()).status, 401)
})
