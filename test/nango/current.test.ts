/** GET /connections/:id as of 2026: its shape, its strict query, what it keeps to itself, driven by that year's client too. */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { type KeyKind, Secret } from '../../src/core/credential.ts'
import { sealCredential } from '../../src/core/sealed.ts'
import { knowEndUser } from '../../src/core/users.ts'
import { type CurrentConnectionShape, currentConnectionShape } from '../../src/http/nango/shapes.ts'
import { connect, getJson, movableClock, startTestHub, type TestHub } from '../harness.ts'
import { newKey, open } from '../page.ts'

type OAuth2 = Extract<CurrentConnectionShape['credentials'], { type: 'OAUTH2' }>
interface Failed {
  readonly error: { readonly code: string; readonly message: string }
}

const at = (hub: TestHub, key: string, id: string, query = '') =>
  `${hub.origin}/connections/${id}?provider_config_key=${key}${query}`

const read = async (hub: TestHub, key: string, id: string, query = '', secret?: string) => {
  const headers: Record<string, string> = secret === undefined ? {} : { authorization: `Bearer ${secret}` }
  const { status, body } = await getJson<CurrentConnectionShape>(at(hub, key, id, query), headers)
  assert.equal(status, 200, JSON.stringify(body))
  return { ...body, credentials: body.credentials as OAuth2 }
}
const refreshes = (hub: TestHub) => hub.sandbox.calls.filter(call => call.kind === 'refresh').length

test("the vendor's newest client reads a connection, its token, its answer and its metadata", async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: 'a b' })
  const { key } = await newKey(hub)
  const { Nango } = await import('nango-node-latest')
  const nango = new Nango({ host: hub.origin, secretKey: key })
  const connection = await nango.getConnection('github', 'a b')
  currentConnectionShape.parse(connection)
  assert.equal(connection.connection_id, 'a b')
  const credentials = connection.credentials as OAuth2
  assert.equal(await nango.getToken('github', 'a b'), credentials.access_token)
  assert.deepEqual(await nango.getRawTokenResponse('github', 'a b'), credentials.raw)
  assert.deepEqual(await nango.getMetadata('github', 'a b'), connection.metadata)
  assert.equal('refresh_token' in credentials, false)
  const whole = (await nango.getConnection('github', 'a b', false, true)).credentials as OAuth2
  assert.ok(whole.refresh_token)
  assert.equal(whole.raw['refresh_token'], whole.refresh_token)
  assert.equal(refreshes(hub), 0)
  assert.notEqual(await nango.getToken('github', 'a b', true), credentials.access_token)
  assert.equal(refreshes(hub), 1)
  await assert.rejects(nango.getConnection('github', 'nobody'), /404/)
  await assert.rejects(new Nango({ host: hub.origin, secretKey: 'wrong' }).getToken('github', 'a b'), /401/)
})

test('the whole object has the keys and types of 2026, and no others', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'hubspot', { connection_id: '1' })
  const body = await read(hub, 'hubspot', '1')
  currentConnectionShape.parse(body)
  assert.deepEqual(Object.keys(body), [
    'id',
    'connection_id',
    'provider_config_key',
    'provider',
    'errors',
    'end_user',
    'tags',
    'metadata',
    'connection_config',
    'webhook_url_override',
    'created_at',
    'updated_at',
    'last_fetched_at',
    'credentials',
  ])
  assert.deepEqual([body.provider, body.provider_config_key, body.end_user], ['hubspot', 'hubspot', null])
  assert.deepEqual(Object.keys(body.credentials), ['type', 'access_token', 'expires_at', 'raw'])
  const old = await getJson<{ id: number; created_at: string }>(
    `${hub.origin}/connection/1?provider_config_key=hubspot`,
  )
  assert.equal(old.body.id, body.id)
  assert.equal(old.body.created_at, body.created_at.replace('+00:00', 'Z'))
})

test('the refresh token is shown, there and in the answer, only for who asks; otherwise it is not even opened', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'google-drive', { connection_id: '1' })
  const whole = await read(hub, 'google-drive', '1', '&refresh_token=true')
  const token = whole.credentials.refresh_token ?? ''
  assert.ok(token)
  assert.equal(whole.credentials.raw['refresh_token'], token)
  for (const query of ['', '&refresh_token=false']) {
    const answer = await (await fetch(at(hub, 'google-drive', '1', query))).text()
    assert.ok(!answer.includes(token) && !answer.includes('"refresh_token"'), answer)
  }
  const db = new DatabaseSync(`${hub.dataDir}/mortise.db`)
  db.exec("UPDATE connections SET renewal_part = x'0102'")
  db.close()
  assert.equal((await read(hub, 'google-drive', '1')).credentials.access_token, whole.credentials.access_token)
  assert.equal((await getJson(at(hub, 'google-drive', '1', '&refresh_token=true'))).status, 500)
})

test('an id may hold slashes, blanks and what else there is, encoded or not', async t => {
  const hub = await startTestHub(t)
  for (const id of ['a b/c', 'ü%/?#"\\', 'ends/', 'delete', '..%2f']) {
    await connect(hub, 'github', { connection_id: id })
    assert.equal((await read(hub, 'github', encodeURIComponent(id))).connection_id, id)
  }
  assert.equal((await read(hub, 'github', 'a%20b/c')).connection_id, 'a b/c')
  const empty = await getJson<Failed>(at(hub, 'github', ''))
  assert.deepEqual([empty.status, empty.body.error.code], [400, 'invalid_uri_params'])
})

test('the query is strict: what it does not know is named, and so is a value that is neither true nor false', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: '1' })
  const refused = async (query: string, named: RegExp) => {
    const { status, body } = await getJson<Failed>(`${hub.origin}/connections/1?${query}`)
    assert.deepEqual([status, body.error.code], [400, 'invalid_query_params'], query)
    assert.match(body.error.message, named)
  }
  await refused('', /provider_config_key is missing/)
  await refused('provider_config_key=', /provider_config_key is missing/)
  const key = 'provider_config_key=github'
  await refused(`${key}&${key}`, /provider_config_key is given more than once/)
  await refused(`${key}&refreshtoken=true`, /refreshtoken is not a parameter here.*did you mean refresh_token/)
  await refused(`${key}&connectionId=1`, /connectionId is not a parameter here/)
  for (const name of ['force_refresh', 'refresh_token', 'refresh_github_app_jwt_token'])
    for (const value of ['', '1', 'TRUE', 'yes'])
      await refused(`${key}&${name}=${value}`, new RegExp(`^${name} must be`))
  const all = '&force_refresh=false&refresh_token=false&refresh_github_app_jwt_token=true'
  await read(hub, 'github', '1', all)
  // The old path stays as lenient as it was, but for what it knows.
  const old = `${hub.origin}/connection/1?${key}`
  assert.equal((await getJson(`${old}&anything=1&refresh_token=maybe`)).status, 200)
  assert.equal((await getJson(`${old}&force_refresh=maybe`)).status, 400)
})

test('force_refresh renews a token that would live, under both paths; nothing else does', async t => {
  const hub = await startTestHub(t, { clock: movableClock() })
  await connect(hub, 'github', { connection_id: '1' })
  const first = await read(hub, 'github', '1')
  assert.equal(
    (await read(hub, 'github', '1', '&force_refresh=false')).credentials.access_token,
    first.credentials.access_token,
  )
  assert.equal(refreshes(hub), 0)
  const forced = await read(hub, 'github', '1', '&force_refresh=true')
  assert.notEqual(forced.credentials.access_token, first.credentials.access_token)
  assert.equal(refreshes(hub), 1)
  const again = await getJson<{ credentials: OAuth2 }>(
    `${hub.origin}/connection/1?provider_config_key=github&force_refresh=true`,
  )
  assert.notEqual(again.body.credentials.access_token, forced.credentials.access_token)
  assert.equal(refreshes(hub), 2)
  assert.equal((await read(hub, 'github', '1')).credentials.access_token, again.body.credentials.access_token)
  // There is nothing to renew it with.
  const db = new DatabaseSync(`${hub.dataDir}/mortise.db`)
  db.exec('UPDATE connections SET renewal_part = NULL')
  db.close()
  const kept = await read(hub, 'github', '1', '&force_refresh=true')
  assert.equal(kept.credentials.access_token, again.body.credentials.access_token)
  assert.equal(refreshes(hub), 2)
})

test('a token near its end is renewed once for many readers; one that cannot be is an error that says so', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  await connect(hub, 'hubspot', { connection_id: '1' })
  const first = await read(hub, 'hubspot', '1')
  clock.forward(1800 - 100)
  const many = await Promise.all(Array.from({ length: 30 }, () => read(hub, 'hubspot', '1')))
  assert.equal(refreshes(hub), 1)
  assert.equal(new Set(many.map(each => each.credentials.access_token)).size, 1)
  assert.notEqual(many[0]?.credentials.access_token, first.credentials.access_token)
  assert.equal(many[0]?.updated_at, clock.now().toISOString().replace('Z', '+00:00'))
  const { credentials } = await read(hub, 'hubspot', '1', '&refresh_token=true')
  assert.ok(hub.sandbox.revoke(credentials.refresh_token ?? ''))
  clock.forward(1801)
  for (let round = 0; round < 2; round++) {
    const { status, body } = await getJson<Failed>(at(hub, 'hubspot', '1'))
    assert.deepEqual([status, body.error.code], [400, 'invalid_credentials'])
    assert.match(body.error.message, /the end user must connect the account again/)
  }
})

test('what is not there is not found', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'notion', { connection_id: '1' })
  const code = async (key: string, id: string) => {
    const { status, body } = await getJson<Failed>(at(hub, key, id))
    return [status, body.error.code]
  }
  assert.deepEqual(await code('github', '1'), [404, 'not_found'])
  assert.deepEqual(await code('notion', '2'), [404, 'not_found'])
  assert.deepEqual(await code('nope', '1'), [400, 'unknown_provider_config'])
})

test('a key sees what its scopes allow', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: '1' })
  const seen = async (...scopes: string[]) =>
    getJson<CurrentConnectionShape>(at(hub, 'github', '1', '&refresh_token=true'), {
      authorization: `Bearer ${(await newKey(hub, { scopes })).key}`,
    })
  const blind = await seen('connections:read')
  assert.deepEqual([blind.status, blind.body.credentials], [200, {}])
  assert.equal((await seen('credentials:read')).status, 403)
  assert.ok('access_token' in (await seen('connections:read', 'credentials:read')).body.credentials)
  assert.equal((await getJson(at(hub, 'github', '1'))).status, 401)
})

test('a key and a password that were given as they are read back as such, and so does whose they are', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: '1' })
  const environmentId = hub.rooms.firstEnvironment.id
  const row = await hub.rooms.storage.connection(environmentId, 'github', '1')
  assert.ok(row)
  const sealer = await hub.rooms.hub.context.sealerOf(environmentId)
  const db = new DatabaseSync(`${hub.dataDir}/mortise.db`)
  t.after(() => db.close())
  const user = await knowEndUser(hub.rooms.hub.context, environmentId, { username: 'u "1"', email: 'u@x.io' })
  const given = async (kind: KeyKind, secret: string) => {
    const credential = { kind, accessToken: new Secret(secret), raw: new Secret({ [kind]: secret }) }
    const { access } = sealCredential(sealer, row.id, credential, [])
    db.prepare('UPDATE connections SET kind = ?, access_part = ?, renewal_part = NULL, end_user_id = ?').run(
      kind,
      access,
      user.id,
    )
    const body = await read(hub, 'github', '1')
    assert.deepEqual(body.end_user, {
      id: 'u "1"',
      display_name: null,
      email: 'u@x.io',
      tags: null,
      organization: null,
    })
    currentConnectionShape.parse(body)
    return body.credentials as object
  }
  for (const kind of ['apiKey', 'bearer'] as const)
    assert.deepEqual(await given(kind, 'k"ey\\ü'), { type: 'API_KEY', apiKey: 'k"ey\\ü' })
  assert.deepEqual(await given('basic', 'ada:pass:"word"'), { type: 'BASIC', username: 'ada', password: 'pass:"word"' })
})

test('a browser that opens the same path gets the page of a connection; a program with a key never does', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: '1' })
  const { key } = await newKey(hub)
  const path = '/connections/1?provider_config_key=github'
  const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
  const page = await open(hub, path, key, html)
  assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
  assert.ok(!page.text.includes((await read(hub, 'github', '1', '', key)).credentials.access_token))
  for (const headers of [{}, html]) {
    const answer = await getJson<CurrentConnectionShape>(hub.origin + path, {
      ...headers,
      authorization: `Bearer ${key}`,
    })
    assert.equal(answer.body.connection_id, '1')
  }
  // The pages are under the public URL alone; the API answers under every name of this machine.
  const elsewhere = hub.origin.replace('localhost', '127.0.0.1')
  assert.equal((await open({ origin: elsewhere }, path, key, html)).status, 307)
  assert.equal((await getJson(elsewhere + path, { authorization: `Bearer ${key}` })).status, 200)
})
