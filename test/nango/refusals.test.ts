/** Every refusal of these routes but of bodies: its status, its code, and a sentence that says who must do what. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, startTestHub } from '../harness.ts'
import { newKey } from '../page.ts'
import { checkRefused, type Refused, type Told } from './refused.ts'

const refusals: readonly Refused[] = [
  // The strict query.
  [
    { path: '/connections?conectionId=1' },
    400,
    'invalid_query_params',
    /conectionId is not a parameter here \(did you mean connectionId\?\)/,
    ['conectionId'],
  ],
  [
    { path: '/connections?limit=0' },
    400,
    'invalid_query_params',
    /limit must be a whole number from 1 to 2000/,
    ['limit'],
  ],
  [{ path: '/connections?limit=2001' }, 400, 'invalid_query_params', /from 1 to 2000/, ['limit']],
  [{ path: '/connections?limit=ten' }, 400, 'invalid_query_params', /from 1 to 2000/, ['limit']],
  [{ path: '/connections?page=-1' }, 400, 'invalid_query_params', /page must be a whole number/, ['page']],
  [{ path: '/connections?page=1&page=2' }, 400, 'invalid_query_params', /page is given more than once/, ['page']],
  [{ path: '/connections?tags[x%20y]=1' }, 400, 'invalid_query_params', /tags has the name "x y": a name is/, ['tags']],
  [
    { path: '/connections?tags[a]=1&tags[A]=2' },
    400,
    'invalid_query_params',
    /names differ in more than their case/,
    ['tags'],
  ],
  [
    { path: `/connections?search=${'x'.repeat(256)}` },
    400,
    'invalid_query_params',
    /search must be at most 255/,
    ['search'],
  ],
  [{ path: '/providers?find=x' }, 400, 'invalid_query_params', /find is not a parameter here/, ['find']],
  [
    { path: '/integrations/github?include=secrets' },
    400,
    'invalid_query_params',
    /include must be webhook or credentials/,
    ['include'],
  ],
  [
    { method: 'DELETE', path: '/connections/1' },
    400,
    'invalid_query_params',
    /provider_config_key is missing: add/,
    ['provider_config_key'],
  ],
  [
    { method: 'DELETE', path: '/connections/1?provider_config_key=github&force=1' },
    400,
    'invalid_query_params',
    /force is not a parameter here/,
    ['force'],
  ],
  [
    { method: 'PATCH', path: '/connections/1', body: { tags: {} } },
    400,
    'invalid_query_params',
    /provider_config_key is missing/,
    ['provider_config_key'],
  ],
  // What is not there.
  [
    { path: '/connections/none?provider_config_key=github' },
    404,
    'not_found',
    /There is no connection "none" through the integration "github"/,
  ],
  [
    { path: '/connections/1?provider_config_key=none' },
    400,
    'unknown_provider_config',
    /There is no integration "none"/,
  ],
  [
    { method: 'DELETE', path: '/connections/none?provider_config_key=github' },
    400,
    'unknown_connection',
    /There is no connection "none"/,
  ],
  [
    { method: 'DELETE', path: '/connections/1?provider_config_key=hubspot' },
    400,
    'unknown_connection',
    /there is one through github/,
  ],
  [
    { method: 'PATCH', path: '/connections/none?provider_config_key=github', body: { tags: {} } },
    404,
    'not_found',
    /There is no connection "none"/,
  ],
  [
    {
      method: 'PATCH',
      path: '/connections/metadata',
      body: { connection_id: ['1', 'none'], provider_config_key: 'github', metadata: { lost: 1 } },
    },
    404,
    'unknown_connection',
    /There is no connection "none"/,
  ],
  [
    {
      method: 'PATCH',
      path: '/connections/metadata',
      body: { connection_id: '1', provider_config_key: 'none', metadata: {} },
    },
    400,
    'unknown_provider_config',
    /There is no integration "none"/,
  ],
  [{ path: '/integrations/none' }, 404, 'not_found', /There is no integration "none"/],
  [{ method: 'DELETE', path: '/integrations/none' }, 404, 'not_found', /There is no integration "none"/],
  [{ method: 'PATCH', path: '/integrations/none', body: {} }, 404, 'not_found', /There is no integration "none"/],
  [{ path: '/providers/none' }, 404, 'not_found', /Unknown provider none/],
]

test('each mistake is answered by its status, its code, and what to do', t => checkRefused(t, refusals))

test('a missing provider_config_key is told alike wherever a connection is named', async t => {
  const hub = await startTestHub(t)
  const told: unknown[] = []
  for (const [method, path] of [
    ['GET', '/connection/1'],
    ['GET', '/connections/1?provider_config_key='],
    ['PATCH', '/connections/1'],
    ['DELETE', '/connections/1'],
  ] as const) {
    const response = await fetch(hub.origin + path, { method })
    told.push([response.status, await response.json()])
  }
  const message = 'provider_config_key is missing: add ?provider_config_key=<the integration>, for example github.'
  const missing = { code: 'invalid_type', message: 'provider_config_key is missing.', path: ['provider_config_key'] }
  assert.deepEqual(told, Array(4).fill([400, { error: { code: 'invalid_query_params', message, errors: [missing] } }]))
})

test('without a key, with a wrong one, and with one that lacks the scope', async t => {
  const hub = await startTestHub(t)
  await newKey(hub)
  const reader = (await newKey(hub, { scopes: ['connections:read', 'integrations:read'] })).key
  const routes = [
    ['GET', '/connections', 'connections:read'],
    ['GET', '/connection', 'connections:read'],
    ['POST', '/connections', 'connections:write'],
    ['POST', '/connection', 'connections:write'],
    ['PATCH', '/connections/1', 'connections:write'],
    ['DELETE', '/connections/1', 'connections:write'],
    ['DELETE', '/connection/1', 'connections:write'],
    ['POST', '/connections/metadata', 'connections:write'],
    ['PATCH', '/connections/metadata', 'connections:write'],
    ['POST', '/connection/metadata', 'connections:write'],
    ['PATCH', '/connection/1/metadata', 'connections:write'],
    ['GET', '/integrations', 'integrations:read'],
    ['GET', '/integrations/github', 'integrations:read'],
    ['POST', '/integrations', 'integrations:write'],
    ['PATCH', '/integrations/github', 'integrations:write'],
    ['DELETE', '/integrations/github', 'integrations:write'],
    ['GET', '/config', 'integrations:read'],
    ['GET', '/config/github', 'integrations:read'],
    ['POST', '/config', 'integrations:write'],
    ['PUT', '/config', 'integrations:write'],
    ['DELETE', '/config/github', 'integrations:write'],
    ['GET', '/providers', 'integrations:read'],
    ['GET', '/providers/github', 'integrations:read'],
  ] as const
  const ask = async (method: string, path: string, key?: string) => {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const response = await fetch(hub.origin + path, { method, headers })
    return { status: response.status, told: (await response.json()) as Told }
  }
  for (const [method, path, scope] of routes) {
    const shown = `${method} ${path}`
    const none = await ask(method, path)
    assert.deepEqual(
      [none.status, none.told.error.code, none.told.error.payload],
      [401, 'missing_auth_header', {}],
      shown,
    )
    assert.match(none.told.error.message, /Send: Authorization: Bearer <secret key>/)
    const wrong = await ask(method, path, 'wrong')
    assert.deepEqual([wrong.status, wrong.told.error.code], [401, 'unknown_account'], shown)
    const other = scope.endsWith(':write') ? reader : (await newKey(hub, { scopes: ['proxy'] })).key
    const lacking = await ask(method, path, other)
    assert.deepEqual([lacking.status, lacking.told.error.code], [403, 'forbidden'], shown)
    assert.match(lacking.told.error.message, new RegExp(`lacks the scope ${scope}`), shown)
  }
  // The client secret is a credential.
  const secret = await ask('GET', '/integrations/github?include=credentials', reader)
  assert.deepEqual([secret.status, secret.told.error.code], [403, 'forbidden'])
})

test('a connection that no longer works is told beside the error, without its credential', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'hubspot', { connection_id: '1' })
  const read = () => fetch(`${hub.origin}/connections/1?provider_config_key=hubspot&force_refresh=true`)
  const { credentials, ...connection } = (await (await read()).json()) as { credentials: { access_token: string } }
  assert.ok(hub.sandbox.revoke(credentials.access_token))
  const response = await read()
  const { error } = (await response.json()) as Told
  assert.deepEqual([response.status, error.code], [400, 'invalid_credentials'])
  const told = (error.payload as { connection: Record<string, unknown> }).connection
  assert.deepEqual({ ...told, updated_at: '' }, { ...connection, updated_at: '', credentials: {} })
  const list = (await (await fetch(`${hub.origin}/connections`)).json()) as { connections: { errors: unknown[] }[] }
  const row = await hub.rooms.storage.connection(hub.rooms.firstEnvironment.id, 'hubspot', '1')
  assert.deepEqual(list.connections[0]?.errors, [{ type: 'auth', log_id: row?.id }])
})

test('a browser that opens /connections gets the page; a program with a key never does, under whatever name', async t => {
  const hub = await startTestHub(t)
  const { key } = await newKey(hub)
  const html = { accept: 'text/html,*/*;q=0.8' }
  const page = await fetch(`${hub.origin}/connections`, {
    headers: { ...html, authorization: `Basic ${Buffer.from(`${key}:`).toString('base64')}` },
  })
  assert.match(page.headers.get('content-type') ?? '', /text\/html/)
  for (const origin of [hub.origin, hub.origin.replace('localhost', '127.0.0.1')])
    for (const accept of [html.accept, 'application/json']) {
      const headers = { accept, authorization: `Bearer ${key}` }
      const answer = await fetch(`${origin}/connections`, { headers, redirect: 'manual' })
      assert.deepEqual([answer.status, await answer.json()], [200, { connections: [] }])
    }
})
