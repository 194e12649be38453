/** POST /api-auth/api-key/:key and /api-auth/basic/:key: what a page sends without a redirect, and each refusal. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../src/core/credential.ts'
import { setEndpoint } from '../../src/core/notify.ts'
import { addIntegration, setHmac } from '../../src/core/setup.ts'
import { connect, getJson, type TestHub } from '../harness.ts'
import { environmentOf, type Refused, rows, setUp } from './session-hub.ts'

const send = async (
  hub: TestHub,
  path: string,
  query: Record<string, string>,
  body: unknown,
  headers: Record<string, string> = {},
) => {
  const response = await fetch(`${hub.origin}${path}?${new URLSearchParams(query)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as Refused & { connectionId: string; providerConfigKey: string }
  return { status: response.status, body: answer, headers: response.headers }
}

/** A token that the sandbox takes: that of a flow. */
const livingToken = async (hub: TestHub, integration: string, key: string) => {
  await connect(hub, integration, { connection_id: 'source' })
  const { body } = await getJson<{ credentials: { access_token: string } }>(
    `${hub.origin}/connections/source?provider_config_key=${integration}`,
    { authorization: `Bearer ${key}` },
  )
  const [row] = await rows(hub)
  await hub.rooms.storage.deleteConnection(environmentOf(hub), row?.id ?? '', new Date())
  return body.credentials.access_token
}

test('a key that works makes a connection of the session: tagged, with its params, and told by a webhook', async t => {
  const { hub, key, nango } = await setUp(t)
  const apiKey = await livingToken(hub, 'github', key)
  await setEndpoint(hub.rooms.hub.context, hub.rooms.firstEnvironment, { url: 'http://localhost:9/hooks' })
  const { token } = (
    await nango.createConnectSession({
      end_user: { id: 'user-1' },
      tags: { plan: 'pro' },
      integrations_config_defaults: { github: { connection_config: { region: 'eu' } } },
    })
  ).data
  const query = { connect_session_token: token, 'params[region]': 'us', 'params[color]': 'red' }
  const made = await send(hub, '/api-auth/api-key/github', query, { apiKey })
  const [row, ...more] = await rows(hub)
  assert.ok(row)
  assert.deepEqual(more, [])
  assert.deepEqual([made.status, made.body], [200, { connectionId: row.connectionId, providerConfigKey: 'github' }])
  assert.deepEqual([row.kind, row.trust, row.config], ['apiKey', 'proven', { region: 'eu', color: 'red' }])
  assert.deepEqual(row.tags, { end_user_id: 'user-1', plan: 'pro' })
  const read = await getJson<{ credentials: unknown }>(
    `${hub.origin}/connections/${row.connectionId}?provider_config_key=github`,
    { authorization: `Bearer ${key}` },
  )
  assert.deepEqual(read.body.credentials, { type: 'API_KEY', apiKey })
  const told = await hub.rooms.storage.deliveries(environmentOf(hub), 10)
  assert.deepEqual(
    told.map(each => JSON.parse(each.body)),
    [
      {
        type: 'connection.created',
        data: { connectionId: row.connectionId, userId: row.endUserId, integrationId: 'github' },
      },
    ],
  )
  // The same account again, and a session that says which: the same connection. The token may come in the header, too.
  const again = await send(hub, '/api-auth/api-key/github', {}, { apiKey }, { authorization: `Bearer ${token}` })
  assert.equal(again.body.connectionId, row.connectionId)
  const repair = (
    await nango.createReconnectSession({ connection_id: row.connectionId, integration_id: 'github', tags: { x: 'y' } })
  ).data
  const third = await send(hub, '/api-auth/api-key/github', { connect_session_token: repair.token }, { apiKey })
  assert.equal(third.body.connectionId, row.connectionId)
  const [last] = await rows(hub)
  assert.deepEqual([last?.id, last?.credentialRevision], [row.id, 3])
  assert.deepEqual(last?.tags, { end_user_id: 'user-1', plan: 'pro', x: 'y' })
})

test('with a public key a connection may be named, and only its own account replaces it', async t => {
  const { hub, key } = await setUp(t)
  const apiKey = await livingToken(hub, 'github', key)
  const query = { public_key: hub.publicKey, connection_id: 'mine' }
  const made = await send(hub, '/api-auth/api-key/github', query, { apiKey })
  assert.deepEqual([made.status, made.body], [200, { connectionId: 'mine', providerConfigKey: 'github' }])
  assert.equal((await rows(hub))[0]?.trust, 'public')
  const other = (await import('../../packages/sandbox/src/providers/github.ts')).default.accounts[1]
  assert.ok(other)
  await connect(hub, 'github', { connection_id: 'theirs' }, { account: other.id })
  const taken = await send(hub, '/api-auth/api-key/github', { ...query, connection_id: 'theirs' }, { apiKey })
  assert.deepEqual([taken.status, taken.body.error?.code], [400, 'connection_validation_failed'])
  assert.match(taken.body.error.message, /taken by another account.*must add an HMAC/)
  await setHmac(hub.rooms.hub.context, hub.rooms.firstEnvironment, true)
  const bare = await send(hub, '/api-auth/api-key/github', query, { apiKey })
  assert.equal(bare.status, 401)
  assert.match(bare.body.error.message, /demands an HMAC/)
  const environment = await hub.rooms.hub.context.environmentOf(environmentOf(hub))
  const hmac = (await hub.rooms.hub.hmac(environment, 'github', 'theirs')) ?? ''
  const proven = await send(hub, '/api-auth/api-key/github', { ...query, connection_id: 'theirs', hmac }, { apiKey })
  assert.deepEqual([proven.status, proven.body.connectionId], [200, 'theirs'])
})

test('a user name and a password are tried at the provider, and kept', async t => {
  const { hub, key, nango } = await setUp(t)
  await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, {
    key: 'zendesk',
    provider: 'zendesk',
    clientId: 'sandbox-zendesk',
    clientSecret: new Secret('z'.repeat(32)),
    scopes: ['read'],
    sandbox: true,
  })
  const { token } = (await nango.createConnectSession({ end_user: { id: 'u' } })).data
  const query = { connect_session_token: token, 'params[subdomain]': 'acme' }
  const pair = { username: 'ada@example.com/token', password: 'wrong' }
  const refused = await send(hub, '/api-auth/basic/zendesk', query, pair)
  assert.deepEqual([refused.status, refused.body.error.code], [400, 'connection_test_failed'])
  assert.match(refused.body.error.message, /Zendesk refused this credential with status 401.*not revoked/)
  assert.doesNotMatch(JSON.stringify(refused.body), /wrong/)
  const missing = await send(hub, '/api-auth/basic/zendesk', { connect_session_token: token }, pair)
  assert.deepEqual([missing.status, missing.body.error.code], [400, 'connection_validation_failed'])
  assert.match(missing.body.error.message, /params\[subdomain\] is missing/)
  const evil = { ...query, 'params[subdomain]': 'evil.example/x' }
  const steered = await send(hub, '/api-auth/basic/zendesk', evil, pair)
  assert.deepEqual([steered.status, steered.body.error.code], [400, 'connection_validation_failed'])
  assert.deepEqual(await rows(hub), [])
  assert.ok(key)
})

test('each refusal has a status, a code, and says what to do', async t => {
  const { hub, nango } = await setUp(t)
  const { token } = (await nango.createConnectSession({ end_user: { id: 'u' }, allowed_integrations: ['github'] })).data
  const query = { connect_session_token: token }
  const apiKey = 'no such key'
  const at = '/api-auth/api-key'
  const cases: [
    path: string,
    query: Record<string, string>,
    body: unknown,
    status: number,
    code: string,
    says: RegExp,
  ][] = [
    [`${at}/github`, query, { apiKey }, 400, 'connection_test_failed', /refused this credential with status 401/],
    [`${at}/nope`, query, { apiKey }, 404, 'unknown_provider_config', /no integration "nope".*integrations add nope/],
    [`${at}/notion`, query, { apiKey }, 400, 'integration_not_allowed', /allows github.*back end says which/],
    [
      '/api-auth/basic/github',
      query,
      { username: 'a' },
      400,
      'invalid_auth_mode',
      /takes no credential of the type basic here; it takes oauth2, apiKey/,
    ],
    [`${at}/github`, query, {}, 400, 'invalid_body', /apiKey/],
    [`${at}/github`, query, { api_key: 'x' }, 400, 'invalid_body', /api_key/],
    [
      `${at}/github`,
      { ...query, connection_id: 'x' },
      { apiKey },
      400,
      'invalid_query_params',
      /cannot be given with a connect session/,
    ],
    [
      `${at}/github`,
      { ...query, conection_id: 'x' },
      { apiKey },
      400,
      'invalid_query_params',
      /did you mean connection_id/,
    ],
    [
      `${at}/github`,
      { connect_session_token: 'x' },
      { apiKey },
      401,
      'invalid_connect_session_token_format',
      /POST \/connect\/sessions/,
    ],
    [`${at}/github`, { public_key: 'x' }, { apiKey }, 401, 'invalid_public_key', /env show/],
    [`${at}/github`, {}, { apiKey }, 401, 'missing_public_key', /public_key is missing.*connect_session_token/],
    [`${at}/google-drive`, { public_key: hub.publicKey }, { apiKey }, 400, 'invalid_auth_mode', /it takes oauth2/],
  ]
  for (const [path, asked, body, status, code, says] of cases) {
    const refused = await send(hub, path, asked, body)
    assert.deepEqual([refused.status, refused.body.error?.code], [status, code], JSON.stringify(refused.body))
    assert.match(refused.body.error.message, says)
    assert.doesNotMatch(JSON.stringify(refused.body), /no such key/)
  }
  assert.deepEqual(await rows(hub), [])
})

test('a page of another origin may send it by fetch if it is listed, and not otherwise', async t => {
  const { hub, key, nango } = await setUp(t)
  const apiKey = await livingToken(hub, 'github', key)
  const { token } = (await nango.createConnectSession({ end_user: { id: 'u' } })).data
  const query = { connect_session_token: token }
  const origin = 'https://app.example.com'
  const from = { origin, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }
  const refused = await send(hub, '/api-auth/api-key/github', query, { apiKey }, from)
  assert.equal(refused.status, 403)
  assert.match(refused.body.error.message, /env allow-origin https:\/\/app\.example\.com/)
  assert.equal(refused.headers.get('access-control-allow-origin'), null)
  await hub.rooms.storage.allow(environmentOf(hub), 'origin', origin)
  const asked = await fetch(`${hub.origin}/api-auth/api-key/github`, { method: 'OPTIONS', headers: from })
  assert.deepEqual(
    [asked.status, asked.headers.get('access-control-allow-origin'), asked.headers.get('access-control-allow-methods')],
    [204, origin, 'POST'],
  )
  const made = await send(hub, '/api-auth/api-key/github', query, { apiKey }, from)
  assert.deepEqual([made.status, made.headers.get('access-control-allow-origin')], [200, origin])
  // A form, which any page can send, is no body.
  const form = await fetch(`${hub.origin}/api-auth/api-key/github?connect_session_token=${token}`, {
    method: 'POST',
    body: new URLSearchParams({ apiKey }),
  })
  assert.ok(form.status >= 400 && form.status < 500)
})
