/** The deprecated paths, as clients between 2023 and 2026 use them: `/connection…` with the old bodies, and `/config`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importedShape } from '../../src/http/nango/shapes.ts'
import { connect, startTestHub, type TestHub } from '../harness.ts'
import { newKey } from '../page.ts'

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown> & { error?: { code: string; message: string } }
}

const caller = async (hub: TestHub) => {
  const { key } = await newKey(hub)
  return async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(hub.origin + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) }
  }
}

test('a flat import is echoed, and reads back as what it is', async t => {
  const hub = await startTestHub(t)
  const call = await caller(hub)
  const named = { provider_config_key: 'hubspot', connection_id: 'a/b' }
  const flat = {
    ...named,
    access_token: 'at',
    refresh_token: 'rt',
    expires_at: '2099-01-01T00:00:00.000Z',
    metadata: { x: 1 },
    connection_config: { hub: 5 },
    whatever: 'else',
  }
  assert.deepEqual(await call('POST', '/connection', flat), { status: 201, body: flat })
  const { body } = await call('GET', '/connection/a/b?provider_config_key=hubspot')
  assert.deepEqual(body['credentials'], {
    type: 'OAUTH2',
    access_token: 'at',
    refresh_token: 'rt',
    expires_at: '2099-01-01T00:00:00.000Z',
    raw: { access_token: 'at', refresh_token: 'rt' },
  })
  assert.deepEqual([body['metadata'], body['connection_config']], [{ x: 1 }, { hub: '5' }])
  // Again: the same connection gets the new credential, and keeps what is not sent.
  await call('POST', '/connection', { ...named, access_token: 'at2', no_expiration: true })
  const again = (await call('GET', '/connection/a/b?provider_config_key=hubspot')).body
  assert.equal(again['id'], body['id'])
  assert.deepEqual(again['metadata'], { x: 1 })
  assert.deepEqual(again['credentials'], { type: 'OAUTH2', access_token: 'at2', raw: { access_token: 'at2' } })
  const none = await call('POST', '/connection', named)
  assert.deepEqual([none.status, none.body.error?.code], [400, 'invalid_body'])
  assert.match(none.body.error?.message ?? '', /no credential: send access_token/)
})

test('metadata under its connection, its integration in the query or in a header; deleted there too', async t => {
  const hub = await startTestHub(t)
  const call = await caller(hub)
  await connect(hub, 'notion', { connection_id: 'a b/c' })
  const path = '/connection/a%20b/c/metadata'
  const header = { 'provider-config-key': 'notion' }
  assert.deepEqual(await call('POST', path, { x: 1, y: 1 }, header), { status: 201, body: { x: 1, y: 1 } })
  assert.deepEqual(await call('PATCH', `${path}?provider_config_key=notion`, { y: 2 }), { status: 200, body: { y: 2 } })
  const read = async () => (await call('GET', '/connection/a%20b/c?provider_config_key=notion')).body
  const { bot_id: bot, ...rest } = (await read())['metadata'] as Record<string, unknown>
  assert.ok(bot)
  assert.deepEqual([rest['x'], rest['y']], [1, 2])
  const many = { connection_id: ['a b/c'], provider_config_key: 'notion', metadata: { y: 3 } }
  assert.deepEqual(await call('PATCH', '/connection/metadata', many), { status: 200, body: many })
  assert.deepEqual(await call('POST', '/connection/metadata', many), { status: 201, body: many })
  const unnamed = await call('POST', path, { x: 1 })
  assert.deepEqual([unnamed.status, unnamed.body.error?.code], [400, 'invalid_query_params'])
  const nobody = await call('PATCH', '/connection/nobody/metadata', { x: 1 }, header)
  assert.deepEqual([nobody.status, nobody.body.error?.code], [404, 'unknown_connection'])
  assert.deepEqual(await call('DELETE', '/connection/a%20b/c?provider_config_key=notion&else=1'), {
    status: 200,
    body: { success: true },
  })
  const gone = await call('DELETE', '/connection/a%20b/c?provider_config_key=notion')
  assert.deepEqual([gone.status, gone.body.error?.code], [400, 'unknown_connection'])
})

test('configurations are integrations', async t => {
  const hub = await startTestHub(t)
  const call = await caller(hub)
  const body = {
    provider_config_key: 'ours',
    provider: 'github',
    oauth_client_id: 'id',
    oauth_client_secret: 'secret',
    oauth_scopes: 'repo,user',
  }
  const config = { unique_key: 'ours', provider: 'github' }
  assert.deepEqual(await call('POST', '/config', body), { status: 200, body: { config } })
  const bare = { ...config, syncs: [], actions: [] }
  assert.deepEqual(await call('GET', '/config/ours'), { status: 200, body: { config: bare } })
  const all = (await call('GET', '/config')).body['configs'] as { unique_key: string }[]
  assert.deepEqual(
    all.find(each => each.unique_key === 'ours'),
    config,
  )
  const { provider: _, ...change } = { ...body, oauth_client_secret: 'new', oauth_scopes: 'repo' }
  assert.deepEqual(await call('PUT', '/config', change), { status: 200, body: { config } })
  assert.deepEqual((await call('GET', '/config/ours?include_creds=true')).body['config'], {
    ...bare,
    client_id: 'id',
    client_secret: 'new',
    scopes: 'repo',
  })
  assert.deepEqual(await call('DELETE', '/config/ours'), { status: 204, body: {} })
  assert.equal((await call('GET', '/config/ours')).status, 404)
})

test('an import is answered whole, with its refresh token, and works at once', async t => {
  const hub = await startTestHub(t)
  const call = await caller(hub)
  const raw = { access_token: 'at', refresh_token: 'rt', hub_id: 7, user_id: 8 }
  const credentials = { type: 'OAUTH2', access_token: 'at', refresh_token: 'rt', raw }
  const { status, body } = await call('POST', '/connections', { provider_config_key: 'hubspot', credentials })
  assert.equal(status, 201, JSON.stringify(body))
  importedShape.parse(body)
  assert.deepEqual(body['credentials'], credentials)
  assert.match(String(body['connection_id']), /^conn_[0-9a-f]{24}$/)
  // Nobody was asked: the credential is taken as it is.
  assert.equal(hub.sandbox.calls.length, 0)
  const read = await call('GET', `/connections/${body['connection_id']}?provider_config_key=hubspot&refresh_token=true`)
  assert.deepEqual(read.body['credentials'], credentials)
})

test('a key is tried before it is kept', async t => {
  const hub = await startTestHub(t)
  const call = await caller(hub)
  await connect(hub, 'notion', { connection_id: '1' })
  const { credentials } = (await call('GET', '/connections/1?provider_config_key=notion')).body
  const token = (credentials as { access_token: string }).access_token
  const give = (apiKey: string) =>
    call('POST', '/connections', {
      provider_config_key: 'notion',
      connection_id: 'k',
      credentials: { type: 'API_KEY', apiKey },
      metadata: { mine: true },
    })
  const wrong = await give('ntn_wrong')
  assert.deepEqual([wrong.status, wrong.body.error?.code], [400, 'connection_test_failed'])
  assert.match(wrong.body.error?.message ?? '', /Notion refused this credential with status 401, so it was not kept/)
  assert.doesNotMatch(JSON.stringify(wrong.body), /ntn_wrong/)
  assert.equal((await call('GET', '/connections/k?provider_config_key=notion')).status, 404)
  const right = await give(token)
  assert.equal(right.status, 201, JSON.stringify(right.body))
  assert.deepEqual(right.body['credentials'], { type: 'API_KEY', apiKey: token })
  assert.equal((right.body['metadata'] as { mine: boolean }).mine, true)
})

test('a token of OAuth 1.0a is imported under both paths, into an integration of its kind', async t => {
  const hub = await startTestHub(t)
  const call = await caller(hub)
  const pair = { client_id: 'key', client_secret: 'secret' }
  const add = (type: string) =>
    call('POST', '/integrations', { provider: 'trello', unique_key: 'trello-own', credentials: { type, ...pair } })
  const wrong = await add('OAUTH2')
  assert.deepEqual([wrong.status, wrong.body.error?.code], [400, 'invalid_body'])
  assert.match(wrong.body.error?.message ?? '', /Trello takes credentials of the type OAUTH1/)
  assert.equal((await add('OAUTH1')).status, 200)
  const tokens = { oauth_token: 't', oauth_token_secret: 's' }
  const { status, body } = await call('POST', '/connections', {
    provider_config_key: 'trello-own',
    connection_id: 'a',
    credentials: { type: 'OAUTH1', ...tokens },
  })
  assert.equal(status, 201, JSON.stringify(body))
  assert.deepEqual(body['credentials'], { type: 'OAUTH1', ...tokens, raw: tokens })
  const flat = { provider_config_key: 'trello-own', connection_id: 'b', ...tokens }
  assert.deepEqual(await call('POST', '/connection', flat), { status: 201, body: flat })
  for (const id of ['a', 'b']) {
    const read = await call('GET', `/connections/${id}?provider_config_key=trello-own`)
    assert.deepEqual(read.body['credentials'], { type: 'OAUTH1', ...tokens, raw: tokens })
  }
})
