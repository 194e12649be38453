/** What is refused of connect sessions: in a body, of a caller, of a page; each says what to do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, getJson } from '../harness.ts'
import { newKey } from '../page.ts'
import { environmentOf, post, type Refused, setUp } from './session-hub.ts'

test('each mistake in the body of a session is named, by its path, with what to do', async t => {
  const { hub, key } = await setUp(t)
  const end_user = { id: 'u' }
  const cases: [body: unknown, path: (string | number)[], says: RegExp][] = [
    [{}, ['end_user'], /end_user is missing.*with tags/],
    [{ end_user: {} }, ['end_user', 'id'], /expected string/],
    [{ end_user: { id: '' } }, ['end_user', 'id'], /Too small/],
    [{ end_user: { id: 'me' } }, ['end_user'], /not "me"/],
    [{ end_user: { id: 'u', email: 'x' } }, ['end_user', 'email'], /email/],
    [{ end_user: { id: 'u', name: 'x' } }, ['end_user', 'name'], /end_user.name is not known here/],
    [{ end_user, allowed_integration: [] }, ['allowed_integration'], /did you mean allowed_integrations\?/],
    [
      { end_user, allowed_integrations: ['github', 'nope'] },
      ['allowed_integrations', 1],
      /no integration "nope"; there are/,
    ],
    [{ end_user, allowed_integrations: 'github' }, ['allowed_integrations'], /expected array/],
    [
      { end_user, integrations_config_defaults: { nope: {} } },
      ['integrations_config_defaults', 'nope'],
      /no integration "nope"/,
    ],
    [
      { end_user, integrations_config_defaults: { github: { authorization_params: { state: 'x' } } } },
      ['integrations_config_defaults', 'github'],
      /what the hub itself sets/,
    ],
    [{ end_user, overrides: { nope: { docs_connect: 'https://x.example' } } }, ['overrides', 'nope'], /no integration/],
    [
      { end_user, overrides: { github: { docs_connect: 'javascript:alert(1)' } } },
      ['overrides', 'github', 'docs_connect'],
      /URL/,
    ],
    [{ end_user, tags: { '1': 'x' } }, ['tags'], /begins with a letter/],
    [{ end_user, webhook_url_override: 'ftp://x' }, ['webhook_url_override'], /URL/],
    [[], [], /expected object/],
  ]
  for (const [body, path, says] of cases) {
    const refused = await post(hub, key, '/connect/sessions', body)
    assert.equal(refused.status, 400, JSON.stringify(body))
    assert.equal(refused.body.error.code, 'invalid_body')
    assert.deepEqual(refused.body.error.errors?.[0]?.path, path, JSON.stringify(refused.body))
    assert.match(refused.body.error.errors?.[0]?.message ?? '', says)
    assert.ok(refused.body.error.message.includes(refused.body.error.errors?.[0]?.message ?? '?'))
  }
  assert.deepEqual((await post(hub, key, '/connect/sessions', { tags: { a: 'b' } })).status, 201)
  const again: [body: Record<string, unknown>, path: string, says: RegExp][] = [
    [{ integration_id: 'github' }, 'connection_id', /expected string/],
    [{ connection_id: 'x', integration_id: 'nope' }, 'integration_id', /no integration "nope"/],
    [
      { connection_id: 'x', integration_id: 'github' },
      'connection_id',
      /no connection "x" through.*POST \/connect\/sessions/,
    ],
    [
      { connection_id: 'x', integration_id: 'github', allowed_integrations: [] },
      'allowed_integrations',
      /not known here/,
    ],
  ]
  for (const [body, path, says] of again) {
    const refused = await post(hub, key, '/connect/sessions/reconnect', body)
    assert.deepEqual([refused.status, refused.body.error.code], [400, 'invalid_body'])
    assert.equal(refused.body.error.errors?.[0]?.path[0], path)
    assert.match(refused.body.error.errors?.[0]?.message ?? '', says)
  }
  await connect(hub, 'github', { connection_id: 'a' })
  const foreign = await post(hub, key, '/connect/sessions/reconnect', {
    connection_id: 'a',
    integration_id: 'github',
    end_user: { id: 'somebody' },
  })
  assert.equal(foreign.status, 400)
  assert.match(foreign.body.error.message, /not that of the end user somebody/)
})

test('who may make a session, and what a token opens', async t => {
  const { hub, key } = await setUp(t)
  const { key: reader } = await newKey(hub, { scopes: ['connections:read'] })
  const of = async (secret: string) => (await post(hub, secret, '/connect/sessions', { end_user: { id: 'u' } })).status
  assert.equal(await of(reader), 403)
  assert.equal(await of('nonsense'), 401)
  const { token } = (await post(hub, key, '/connect/sessions', { end_user: { id: 'u' } })).body.data
  assert.equal(await of(token), 401)
  assert.equal((await getJson(`${hub.origin}/connection`, { authorization: `Bearer ${token}` })).status, 401)
  const session = async (authorization: string | undefined) => {
    const { status, body } = await getJson<Refused>(
      `${hub.origin}/connect/session`,
      authorization === undefined ? {} : { authorization },
    )
    assert.match(body.error.message, /nango_connect_session_|POST \/connect\/sessions/)
    return [status, body.error.code]
  }
  assert.deepEqual(await session(undefined), [401, 'missing_auth_header'])
  assert.deepEqual(await session('Bearer nango_connect_session_x'), [401, 'invalid_connect_session_token_format'])
  assert.deepEqual(await session(`Bearer nango_connect_session_${'a'.repeat(64)}`), [
    401,
    'unknown_connect_session_token',
  ])
  // A session of the SDK is no such session, whatever is put before its token.
  const page = await post(hub, key, '/api/v1/connect-sessions', { integration: 'github' })
  const { token: other } = page.body as unknown as { token: string }
  assert.deepEqual(await session(`Bearer nango_connect_session_${other}`), [401, 'unknown_connect_session_token'])
  const telemetry = await fetch(`${hub.origin}/connect/telemetry`, { method: 'POST', body: JSON.stringify({ token }) })
  assert.equal(telemetry.status, 204)
})

test('a page of a listed origin may read its session, one of another may not', async t => {
  const { hub, key } = await setUp(t)
  const { token } = (await post(hub, key, '/connect/sessions', { end_user: { id: 'u' } })).body.data
  await hub.rooms.storage.allow(environmentOf(hub), 'origin', 'https://app.example.com')
  const allowed = async (origin: string, method = 'GET') =>
    (
      await fetch(`${hub.origin}/connect/session`, { method, headers: { origin, authorization: `Bearer ${token}` } })
    ).headers.get('access-control-allow-origin')
  assert.equal(await allowed('https://app.example.com'), 'https://app.example.com')
  assert.equal(await allowed('https://app.example.com', 'OPTIONS'), 'https://app.example.com')
  assert.equal(await allowed('https://evil.example'), null)
  assert.equal(await allowed('https://evil.example', 'OPTIONS'), null)
})

test('the page of a session may be framed by listed origins, and says what it allows to no other', async t => {
  const { hub, key } = await setUp(t)
  const { token } = (await post(hub, key, '/connect/sessions', { end_user: { id: 'u' } })).body.data
  const choices = (origin: string, authorization = `Bearer ${token}`) =>
    getJson<Refused & { choices: { key: string }[] }>(
      `${hub.origin}/connect/choices?${new URLSearchParams({ origin })}`,
      authorization === '' ? {} : { authorization },
    )
  const evil = await choices('https://evil.example')
  assert.equal(evil.status, 403)
  assert.match(evil.body.error.message, /env allow-origin https:\/\/evil\.example/)
  assert.equal((await choices('null')).status, 403)
  await hub.rooms.storage.allow(environmentOf(hub), 'origin', 'https://app.example.com')
  const shown = await choices('https://app.example.com')
  assert.equal(shown.status, 200)
  assert.ok(shown.body.choices.some(each => each.key === 'github'))
  assert.doesNotMatch(JSON.stringify(shown.body), /client|secret/i)
  assert.deepEqual((await choices('https://app.example.com', '')).body.error.code, 'missing_auth_header')
  // The form that begins a flow: without a session, or for nothing, it is a page that says so.
  const start = async (form: Record<string, string>) => {
    const answer = await fetch(`${hub.origin}/connect/start`, { method: 'POST', body: new URLSearchParams(form) })
    return [answer.status, /For support: <code>(\w+)/.exec(await answer.text())?.[1]]
  }
  assert.deepEqual(await start({}), [401, 'invalid_connect_session_token_format'])
  assert.deepEqual(await start({ session_token: token }), [400, 'url_param_err'])
  assert.deepEqual(await start({ session_token: token, integration: 'nope' }), [400, 'unknown_config_key'])
})
