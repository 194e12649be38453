/** GET /connection…: what the Connections API document prints of reading (requirements 90–94, 99, 100, 103–105, 111). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../src/core/credential.ts'
import { addIntegration } from '../../src/core/setup.ts'
import {
  type ConnectionShape,
  type ConnectionsShape,
  connectionShape,
  connectionsShape,
} from '../../src/http/nango/shapes.ts'
import { connect, getJson, movableClock, startTestHub, type TestHub } from '../harness.ts'

type OAuth2 = Extract<ConnectionShape['credentials'], { type: 'OAUTH2' }>

const read = async (hub: TestHub, key: string, id: string) => {
  const { status, body } = await getJson<ConnectionShape>(`${hub.origin}/connection/${id}?provider_config_key=${key}`)
  assert.equal(status, 200)
  return { ...body, credentials: body.credentials as OAuth2 }
}

const refreshes = (hub: TestHub, outcome = 'ok') =>
  hub.sandbox.calls.filter(call => call.kind === 'refresh' && call.outcome === outcome).length

test('a connection is read at /connection/<CONNECTION-ID>?provider_config_key=<KEY>', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'notion', { connection_id: 'user-1' })
  const body = await read(hub, 'notion', 'user-1')
  assert.equal(body.connection_id, 'user-1')
  assert.equal(body.provider_config_key, 'notion')
  const without = await getJson(`${hub.origin}/connection/user-1`)
  assert.equal(without.status, 400)
  assert.match(JSON.stringify(without.body), /provider_config_key is missing/)
  const elsewhere = await getJson(`${hub.origin}/connection/user-1?provider_config_key=github`)
  assert.equal(elsewhere.status, 404)
  assert.match(JSON.stringify(elsewhere.body), /there is one through notion/)
  const unknown = await getJson<{ error: { code: string } }>(`${hub.origin}/connection/user-1?provider_config_key=nope`)
  assert.deepEqual([unknown.status, unknown.body.error.code], [400, 'unknown_provider_config'])
})

test('the current access token is at credentials.access_token and opens the provider', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'notion', { connection_id: 'user-1' })
  const { credentials } = await read(hub, 'notion', 'user-1')
  const search = (token: string) =>
    fetch(hub.sandbox.url('https://api.notion.com/v1/search'), {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'notion-version': '2022-06-28', 'content-type': 'application/json' },
      body: '{}',
    })
  const found = await search(credentials.access_token)
  assert.equal(found.status, 200)
  assert.equal(((await found.json()) as { object: string }).object, 'list')
  assert.equal((await search('not-the-token')).status, 401)
})

test('the whole object has the keys and types that the document prints, and no others', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'hubspot', { connection_id: '1' })
  const body = await read(hub, 'hubspot', '1')
  connectionShape.parse(body)
  assert.deepEqual(Object.keys(body), [
    'id',
    'created_at',
    'updated_at',
    'provider_config_key',
    'connection_id',
    'credentials',
    'connection_config',
    'account_id',
    'metadata',
  ])
  assert.equal(typeof body.id, 'number')
  assert.equal(body.account_id, 0)
  assert.equal(body.credentials.type, 'OAUTH2')
  assert.ok(body.credentials.refresh_token)
  assert.match(body.credentials.expires_at ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.equal(body.credentials.raw['access_token'], body.credentials.access_token)
})

test('without a refresh token there is neither refresh_token nor expires_at', async t => {
  const hub = await startTestHub(t)
  const { context } = hub.rooms.hub
  await addIntegration(context, hub.rooms.firstEnvironment, {
    key: 'microsoft',
    provider: 'microsoft',
    clientId: 'sandbox-microsoft',
    clientSecret: new Secret('s'.repeat(32)),
    scopes: ['https://graph.microsoft.com/User.Read'],
    sandbox: true,
  })
  hub.sandbox.register({
    provider: 'microsoft',
    clientId: 'sandbox-microsoft',
    clientSecret: 's'.repeat(32),
    redirectUris: [`${hub.origin}/oauth/callback`],
  })
  await connect(hub, 'microsoft', { connection_id: '1' })
  const { credentials } = await read(hub, 'microsoft', '1')
  assert.deepEqual(Object.keys(credentials), ['type', 'access_token', 'raw'])
})

test('metadata holds what the flow obtained; what the customer sets stands beside it, and neither wipes the other', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'notion', { connection_id: 'user-1' })
  const facts = { bot_id: (await read(hub, 'notion', 'user-1')).metadata['bot_id'], workspace_name: 'Acme' }
  assert.ok(facts.bot_id)
  // The customer's half has no route yet: it is written where it will be, straight into the row.
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(`${hub.dataDir}/mortise.db`)
  db.prepare('UPDATE connections SET metadata_json = ?').run(JSON.stringify({ plan: 'pro' }))
  db.close()
  const before = (await read(hub, 'notion', 'user-1')).metadata
  assert.equal(before['plan'], 'pro')
  assert.equal(before['workspace_name'], 'Acme')
  await connect(hub, 'notion', { connection_id: 'user-1' })
  const after = (await read(hub, 'notion', 'user-1')).metadata
  assert.equal(after['plan'], 'pro')
  assert.equal(after['workspace_name'], 'Acme')
})

test('reading refreshes a token that is about to expire, once for many readers; updated_at moves', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  await connect(hub, 'hubspot', { connection_id: '1' })
  const first = await read(hub, 'hubspot', '1')
  clock.forward(60)
  const fresh = await read(hub, 'hubspot', '1')
  assert.equal(fresh.credentials.access_token, first.credentials.access_token)
  assert.equal(fresh.updated_at, first.updated_at)
  assert.equal(refreshes(hub), 0)
  clock.forward(1800 - 60 - 100)
  const many = await Promise.all(Array.from({ length: 30 }, () => read(hub, 'hubspot', '1')))
  assert.equal(refreshes(hub), 1)
  assert.equal(new Set(many.map(each => each.credentials.access_token)).size, 1)
  assert.notEqual(many[0]?.credentials.access_token, first.credentials.access_token)
  assert.equal(many[0]?.updated_at, clock.now().toISOString())
  assert.equal(many[0]?.created_at, first.created_at)
})

test('credentials.raw is the latest token answer', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  await connect(hub, 'google-drive', { connection_id: '1' })
  const first = await read(hub, 'google-drive', '1')
  assert.ok(first.credentials.raw['refresh_token'])
  clock.forward(3590)
  const second = await read(hub, 'google-drive', '1')
  assert.equal(second.credentials.raw['access_token'], second.credentials.access_token)
  assert.notEqual(second.credentials.raw['access_token'], first.credentials.raw['access_token'])
  // Google sends no new refresh token: the old one is kept, and the raw answer shows what was answered.
  assert.equal(second.credentials.refresh_token, first.credentials.refresh_token)
  assert.equal('refresh_token' in second.credentials.raw, false)
})

test('a rotated refresh token replaces the old one, and the next refresh spends the new one', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  await connect(hub, 'github', { connection_id: '1' })
  const tokens = [(await read(hub, 'github', '1')).credentials.refresh_token]
  for (let round = 0; round < 3; round++) {
    clock.forward(28_800)
    tokens.push((await read(hub, 'github', '1')).credentials.refresh_token)
  }
  assert.equal(new Set(tokens).size, 4)
  assert.equal(refreshes(hub), 3)
  assert.equal(refreshes(hub, 'invalid_refresh_token'), 0)
})

test('the list has what the document prints, newest first, without credentials and without a refresh', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  assert.deepEqual((await getJson(`${hub.origin}/connection`)).body, { connections: [] })
  await connect(hub, 'notion', { connection_id: 'a' })
  clock.forward(5)
  await connect(hub, 'hubspot', { connection_id: 'b' })
  clock.forward(3600)
  const { body } = await getJson<ConnectionsShape>(`${hub.origin}/connection`)
  connectionsShape.parse(body)
  assert.deepEqual(
    body.connections.map(({ connection_id, provider, created }) => ({ connection_id, provider, created })),
    [
      { connection_id: 'b', provider: 'hubspot', created: '2026-11-21T10:00:05.000Z' },
      { connection_id: 'a', provider: 'notion', created: '2026-11-21T10:00:00.000Z' },
    ],
  )
  assert.ok(!JSON.stringify(body).includes('token'))
  assert.equal(refreshes(hub), 0)
})

test('the list of one connection id holds its connections through every integration', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'notion', { connection_id: 'a' })
  await connect(hub, 'github', { connection_id: 'a' })
  await connect(hub, 'github', { connection_id: 'b' })
  for (const name of ['connectionId', 'connection_id']) {
    const { body } = await getJson<ConnectionsShape>(`${hub.origin}/connection?${name}=a`)
    assert.deepEqual(body.connections.map(each => [each.connection_id, each.provider]).sort(), [
      ['a', 'github'],
      ['a', 'notion'],
    ])
  }
  assert.deepEqual((await getJson(`${hub.origin}/connection?connectionId=nobody`)).body, { connections: [] })
})

test("the list's provider is the provider config key, even where the provider is called otherwise", async t => {
  const hub = await startTestHub(t)
  const secret = (await hub.rooms.hub.context.clientSecretOf(await mustFind(hub, 'notion'))).reveal()
  await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, {
    key: 'wiki-eu',
    provider: 'notion',
    clientId: 'sandbox-notion',
    clientSecret: new Secret(secret),
    sandbox: true,
  })
  hub.sandbox.set('notion', { autoApprove: true })
  await connect(hub, 'wiki-eu', { connection_id: 'a' }, { provider: 'notion' })
  const { body } = await getJson<ConnectionsShape>(`${hub.origin}/connection`)
  assert.equal(body.connections[0]?.provider, 'wiki-eu')
})

const mustFind = async (hub: TestHub, key: string) => {
  const found = await hub.rooms.storage.integration(hub.rooms.firstEnvironment.id, key)
  assert.ok(found)
  return found
}

test('an expired token without a refresh token is an error that says so, never a 200', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  // Google gives a refresh token only to an offline request, so a grant can end up without one.
  const { DatabaseSync } = await import('node:sqlite')
  await connect(hub, 'hubspot', { connection_id: '1' })
  const db = new DatabaseSync(`${hub.dataDir}/mortise.db`)
  db.exec('UPDATE connections SET renewal_part = NULL')
  db.close()
  clock.forward(1799)
  assert.equal((await getJson(`${hub.origin}/connection/1?provider_config_key=hubspot`)).status, 200)
  clock.forward(2)
  const { status, body } = await getJson<{ error: { code: string; message: string } }>(
    `${hub.origin}/connection/1?provider_config_key=hubspot`,
  )
  assert.equal(status, 400)
  assert.equal(body.error.code, 'invalid_credentials')
  assert.match(body.error.message, /expired.*no refresh token.*connect the account again/)
})

test('an outage is not a revocation: the living token is served, then an error that says to wait, then it recovers', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  await connect(hub, 'hubspot', { connection_id: '1' })
  const first = await read(hub, 'hubspot', '1')
  clock.forward(1800 - 60)
  hub.sandbox.set('hubspot', { fail: { status: 503 } })
  assert.equal((await read(hub, 'hubspot', '1')).credentials.access_token, first.credentials.access_token)
  clock.forward(61)
  const down = await getJson<{ error: { message: string } }>(`${hub.origin}/connection/1?provider_config_key=hubspot`)
  assert.equal(down.status, 424)
  assert.match(down.body.error.message, /503; trying again later/)
  hub.sandbox.reset('hubspot')
  // Not at once: it says when.
  const url = `${hub.origin}/connection/1?provider_config_key=hubspot`
  const early = await getJson(url)
  assert.deepEqual([early.status, early.headers.get('retry-after')], [424, '10'])
  clock.forward(10)
  assert.notEqual((await read(hub, 'hubspot', '1')).credentials.access_token, first.credentials.access_token)
})

test('a revoked grant is an error that says who must act, and the provider is not asked again', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  await connect(hub, 'hubspot', { connection_id: '1' })
  const { credentials } = await read(hub, 'hubspot', '1')
  assert.equal(hub.sandbox.revoke(credentials.refresh_token ?? ''), true)
  clock.forward(1801)
  for (let round = 0; round < 3; round++) {
    const { status, body } = await getJson<{ error: { code: string; message: string } }>(
      `${hub.origin}/connection/1?provider_config_key=hubspot`,
    )
    assert.deepEqual([status, body.error.code], [400, 'invalid_credentials'])
    assert.match(body.error.message, /the end user must connect the account again/)
  }
  assert.equal(refreshes(hub, 'invalid_refresh_token'), 1)
  await connect(hub, 'hubspot', { connection_id: '1' })
  assert.notEqual((await read(hub, 'hubspot', '1')).credentials.access_token, credentials.access_token)
})
