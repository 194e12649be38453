/** End users and their JWTs (requirements 11, 69, 70, 79, 81, 83, 85). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addKey } from '../../src/core/setup.ts'
import type { UserShape } from '../../src/http/alloy/shapes.ts'
import { tokenShape, userShape } from '../../src/http/alloy/shapes.ts'
import { movableClock } from '../harness.ts'
import { call, connected, refused, start } from './hub.ts'

const payloadOf = (token: string): { user: { _id: string }; iat: number; exp: number } =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

test('users are made, listed, shown, renamed and deleted, on every path that clients use', async t => {
  const hub = await start(t)
  const made = await call<UserShape>(hub, 'POST', '/users', { username: 'ada@acme.example', fullName: 'Ada Lovelace' })
  assert.equal(made.status, 200)
  const user = userShape.parse(made.body)
  assert.match(user.userId, /^[0-9a-f]{24}$/)
  assert.equal((await call(hub, 'POST', '/2024-03/one/users/', { username: 'grace' })).status, 200)
  const { body: list } = await call<{ data: UserShape[] }>(hub, 'GET', '/users')
  assert.deepEqual(
    list.data.map(each => each.username),
    ['me', 'ada@acme.example', 'grace'],
  )
  for (const name of [user.userId, `user_${user.userId}`, 'ada@acme.example'])
    assert.deepEqual((await call<UserShape>(hub, 'GET', `/users/${encodeURIComponent(name)}`)).body, user)
  const renamed = await call<UserShape>(hub, 'PUT', `/users/${user.userId}`, { fullName: 'Countess Lovelace' })
  assert.deepEqual(renamed.body, { ...user, fullName: 'Countess Lovelace' })
  await connected(hub, { userId: 'grace' })
  assert.deepEqual((await call(hub, 'DELETE', '/users/grace')).body, { success: true })
  assert.equal((await refused(hub, 'GET', '/users/grace')).status, 400)
  assert.deepEqual((await call(hub, 'GET', '/users/me/connections')).body, [])
  const batch = await call<{ message: string; invalidUsers: { fullName: string }[] }>(hub, 'POST', '/users/batch', {
    users: [{ username: 'one' }, { username: 'one', fullName: 'Twice' }, { fullName: 'Nameless' }],
  })
  assert.equal(batch.body.message, 'success')
  assert.deepEqual(
    batch.body.invalidUsers.map(each => each.fullName),
    ['Twice', 'Nameless'],
  )
})

test("what can't name a user is refused, and a name that is taken says whose it is", async t => {
  const hub = await start(t)
  const { body: ada } = await call<UserShape>(hub, 'POST', '/users', { username: 'ada' })
  const taken = await refused(hub, 'POST', '/users', { username: 'ada' })
  assert.equal(taken.status, 409)
  assert.match(taken.body.message, new RegExp(ada.userId))
  for (const username of ['', 'me', 'a/b', 'a'.repeat(24), `user_${'b'.repeat(24)}`, 'x\u0000', 7])
    assert.equal((await refused(hub, 'POST', '/users', { username })).status, 400, String(username))
  assert.equal((await refused(hub, 'DELETE', '/users/me')).status, 403)
  assert.equal((await refused(hub, 'PUT', '/users/ada', {})).status, 400)
})

test('a JWT comes from every method, version and path that the documents print, and the canonical form is named', async t => {
  const hub = await start(t)
  const { body: ada } = await call<UserShape>(hub, 'POST', '/users', { username: 'ada' })
  const ways: [method: string, path: string, version: string | undefined][] = [
    ['GET', `/users/${ada.userId}/token`, '2025-09'],
    ['GET', `/users/${ada.userId}/token`, '2024-02'],
    ['GET', `/users/${ada.userId}/token`, '2023-12'],
    ['GET', `/users/${ada.userId}/token`, undefined],
    ['GET', `/users/${ada.userId}/token?userId=${ada.userId}`, '2025-09'],
    ['GET', '/users/ada/token', '2025-09'],
    ['GET', `/2025-09/users/${ada.userId}/token`, undefined],
    ['GET', `/2024-02/users/${ada.userId}/token`, undefined],
    ['GET', `/2023-12/users/${ada.userId}/token`, undefined],
    ['POST', `/2023-12/users/${ada.userId}/token`, undefined],
    ['POST', `/users/${ada.userId}/token`, '2025-09'],
    ['POST', `/users/${ada.userId}/token`, '2024-02'],
    ['POST', `/users/${ada.userId}/token`, '2023-12'],
  ]
  for (const [method, path, version] of ways) {
    const headers: Record<string, string> = { authorization: 'bearer YOUR_API_KEY', accept: 'application/json' }
    if (version) headers['x-api-version'] = version
    const { status, body, headers: answered } = await call<{ token: string }>(hub, method, path, undefined, headers)
    assert.equal(status, 200, `${method} ${path}`)
    const { token } = tokenShape.parse(body)
    assert.ok(token.length > 50)
    const { user, iat, exp } = payloadOf(token)
    assert.deepEqual([user._id, exp - iat], [ada.userId, 3600])
    assert.match(answered.get('link') ?? '', /^<http:\/\/localhost:\d+\/users\/[^/]+\/token>; rel="canonical"$/)
    const canonical = method === 'GET' && /^\/users\/[^/?]+\/token/.test(path)
    assert.equal(answered.get('warning') === null, canonical, `${method} ${path}`)
    assert.equal(answered.get('x-api-version'), version ?? /^\/(20..-..)/.exec(path)?.[1] ?? '2025-09')
  }
  // An empty body with a content type is what some clients send.
  const typed = { 'content-type': 'application/json' }
  assert.equal((await call(hub, 'POST', '/users/ada/token', undefined, typed)).status, 200)
})

test('an unknown version is served the current one, and told', async t => {
  const hub = await start(t)
  const { status, headers } = await call(hub, 'GET', '/2031-01/users/me/token')
  assert.deepEqual([status, headers.get('x-api-version')], [200, '2025-09'])
  assert.match(headers.get('warning') ?? '', /299/)
})

test('"userId must be a valid ID" quotes the value, says where it stood, names the nearest and what makes one', async t => {
  const hub = await start(t)
  await call(hub, 'POST', '/users', { username: 'customer-17' })
  const cases: [method: string, path: string, body: unknown, headers: Record<string, string>, source: string][] = [
    ['GET', '/users/customer-71/token', undefined, {}, 'in the path'],
    [
      'POST',
      '/connectors/notion/credentials',
      { authenticationType: 'oauth2', userId: 'customer-71' },
      {},
      'userId in the body',
    ],
    [
      'GET',
      '/connectors/notion/credentials',
      undefined,
      { 'x-alloy-userid': 'customer-71' },
      'the header x-alloy-userid',
    ],
    ['GET', '/connectors/notion/credentials?userId=customer-71', undefined, {}, 'userId in the query'],
  ]
  for (const [method, path, body, headers, source] of cases) {
    const answer = await refused(hub, method, path, body, headers)
    assert.equal(answer.status, 400)
    assert.deepEqual(answer.body.error.details, [
      { properties: 'userId', message: 'userId must be a valid ID', received: 'customer-71' },
    ])
    assert.ok(answer.body.message.startsWith('userId must be a valid ID: "customer-71" '), answer.body.message)
    assert.ok(answer.body.message.includes(`(${source})`))
    assert.match(answer.body.message, /the nearest is "customer-17"/)
    assert.match(answer.body.message, /POST \/users \{"username": "customer-71"\}/)
  }
  // The form that one document prints, of a user who is not there.
  assert.equal((await refused(hub, 'GET', '/users/user_abc123/token')).status, 400)
})

test('userId is optional: without it, and as "me", it is the user of the key', async t => {
  const hub = await start(t)
  const { body: me } = await call<UserShape>(hub, 'GET', '/users/me')
  assert.match(me.userId, /^[0-9a-f]{24}$/)
  const { userId } = await connected(hub)
  assert.equal(userId, me.userId)
  for (const name of ['me', me.userId])
    assert.equal((await call<unknown[]>(hub, 'GET', `/users/${name}/connections`)).body.length, 1)
})

test('a key without the scope connect:write makes no JWT and begins no flow', async t => {
  const hub = await start(t)
  const { context } = hub.rooms.hub
  const { secret } = await addKey(context, hub.rooms.firstEnvironment, 'reader', ['connections:read'])
  const headers = { authorization: `Bearer ${secret.reveal()}` }
  for (const [method, path, body] of [
    ['GET', '/users/me/token', undefined],
    ['POST', '/users', { username: 'x' }],
    ['POST', '/connectors/notion/credentials', { authenticationType: 'oauth2' }],
    ['POST', '/connectors/notion/credentials/callback', { code: 'x' }],
    ['DELETE', '/credentials/x', undefined],
    ['POST', '/connectors/notion/actions/post-search/execute', {}],
  ] as const) {
    const { status, body: answer } = await refused(hub, method, path, body, headers)
    assert.deepEqual([status, answer.code], [403, 'FORBIDDEN'], path)
  }
  assert.equal((await call(hub, 'GET', '/users/me/connections', undefined, headers)).status, 200)
})

test('a wrong key and no key are told apart, in both error shapes', async t => {
  const hub = await start(t)
  await addKey(hub.rooms.hub.context, hub.rooms.firstEnvironment, 'k', ['connections:read'])
  const none = await refused(hub, 'GET', '/users/me/connections')
  assert.deepEqual([none.status, none.body.code], [401, 'UNAUTHORIZED'])
  assert.match(none.body.message, /^Invalid or missing authentication/)
  const wrong = await refused(hub, 'GET', '/users/me/connections', undefined, {
    authorization: 'Bearer nope-nope-nope',
  })
  assert.equal(wrong.status, 401)
  assert.match(wrong.body.message, /^Unauthorized, Wrong API Key/)
  for (const { body } of [none, wrong]) {
    assert.equal(body.error.message, body.message)
    assert.equal(body.error.code, body.code)
    assert.match(body.error.requestId, /./)
  }
})

test('a JWT is short-lived: after an hour it opens nothing', async t => {
  const clock = movableClock()
  const hub = await start(t, { clock })
  const { body } = await call<{ token: string; expiresAt: string }>(hub, 'GET', '/users/me/token')
  assert.equal(new Date(body.expiresAt).getTime() - clock.now().getTime(), 3_600_000)
  const begin = () => call(hub, 'POST', '/sdk/start', { connectorId: 'notion' }, { 'x-alloy-user-token': body.token })
  assert.equal((await begin()).status, 200)
  clock.forward(3601)
  const late = await begin()
  assert.equal(late.status, 401)
  assert.match(String(late.body['message']), /expired/)
})
