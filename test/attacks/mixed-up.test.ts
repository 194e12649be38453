/** Attacks on who is who: end users of one app, their flows and ids, and what anybody with the public key may make. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../src/core/credential.ts'
import { renewJwtKey } from '../../src/core/jwt-key.ts'
import { addIntegration, addKey } from '../../src/core/setup.ts'
import type { ConnectionShape } from '../../src/http/alloy/shapes.ts'
import { app, authorize, call, connected, initiate, refused } from '../alloy/hub.ts'
import { Browser, connectUrl, startServing, startTestHub, type TestHub } from '../harness.ts'

const callback = '/connectors/notion/credentials/callback'
const page = 'http://localhost:3000'

const users = async (hub: TestHub) => {
  for (const username of ['ann', 'bob']) await call(hub, 'POST', '/users', { username })
}
const jwtOf = async (hub: { origin: string }, user = 'me', headers: Record<string, string> = {}) =>
  (await call<{ token: string }>(hub, 'GET', `/users/${user}/token`, undefined, headers)).body.token
const begin = (hub: { origin: string }, jwt: string, body: object, origin = page) =>
  call<{ session: string; message: string }>(hub, 'POST', '/sdk/start', body, { origin, 'x-alloy-user-token': jwt })

test('a code of one user is not redeemed for another, by whatever it is named', async t => {
  const hub = await startTestHub(t)
  await users(hub)
  const bobs = await initiate(hub, { userId: 'bob', state: 'same' })
  const { returned } = await authorize(hub, bobs.oauthUrl)
  const code = returned.searchParams.get('code')
  for (const given of [{ code }, { credentialId: bobs.credentialId }, { state: 'same' }]) {
    const answer = await refused(hub, 'POST', callback, { ...given, userId: 'ann' })
    assert.deepEqual([answer.status, answer.body.code], [400, 'INVALID_CODE'], JSON.stringify(given))
    assert.match(answer.body.message, /for another end user than the one named/)
    const byHeader = await refused(hub, 'POST', callback, given, { 'x-alloy-userid': 'ann' })
    assert.equal(byHeader.status, 400)
    assert.equal((await call(hub, 'POST', callback, { ...given, userId: 'bob' })).status, 200)
  }
})

test('a state that several flows have names none of them', async t => {
  const hub = await startTestHub(t)
  await users(hub)
  const anns = await initiate(hub, { userId: 'ann', state: 'optional_state_parameter' })
  const bobs = await initiate(hub, { userId: 'bob', state: 'optional_state_parameter' })
  for (const { oauthUrl } of [anns, bobs]) await authorize(hub, oauthUrl)
  const answer = await refused(hub, 'POST', callback, { state: 'optional_state_parameter' })
  assert.equal(answer.status, 400)
  assert.match(answer.body.message, /Several flows were begun with this state/)
})

test('a wrong state spoils the credential id, too', async t => {
  const hub = await startTestHub(t)
  const { oauthUrl, credentialId } = await initiate(hub, { state: 'of-the-session' })
  await authorize(hub, oauthUrl)
  const answer = await refused(hub, 'POST', callback, { credentialId, state: 'of-another' })
  assert.deepEqual([answer.status, answer.body.code], [400, 'STATE_MISMATCH'])
  const silent = await call<{ warnings: string[] }>(hub, 'POST', callback, { credentialId })
  assert.match(silent.body.warnings[0] ?? '', /begun with a state of yours, and none was sent/)
})

test('a path without its user stands for nobody', async t => {
  const hub = await startTestHub(t)
  await connected(hub)
  for (const path of ['/users//token', '/users/%20/token', '/users//connections', '/users//credentials']) {
    const { status, body } = await refused(hub, 'GET', path)
    assert.equal(status, 400, path)
    assert.match(body.message, /^userId must be a valid ID/)
  }
})

test('a user and a connector that a request names hold for what it reads and deletes', async t => {
  const hub = await startTestHub(t)
  await users(hub)
  const { id } = await connected(hub, { userId: 'bob' })
  for (const method of ['GET', 'DELETE'])
    for (const path of [
      `/credentials/${id}?userId=ann`,
      `/users/ann/credentials/${id}`,
      `/connectors/slack/credentials/${id}`,
      `/connectors/slack/credentials/${id}?userId=bob`,
    ])
      assert.equal((await refused(hub, method, path)).status, 400, `${method} ${path}`)
  assert.equal((await refused(hub, 'DELETE', `/credentials/${id}`, undefined, { 'x-alloy-userid': 'ann' })).status, 400)
  assert.equal((await call(hub, 'GET', `/connectors/notion/credentials/${id}?userId=bob`)).status, 200)
})

test('in production nothing that a bare public key made is ever picked by itself', async t => {
  const hub = await startServing(t)
  const { context } = hub.rooms.hub
  const { storage, firstEnvironment } = hub.rooms
  await addIntegration(context, firstEnvironment, {
    key: 'notion',
    provider: 'notion',
    clientId: 'x',
    clientSecret: new Secret('x'),
  })
  const headers = { authorization: `Bearer ${hub.secretKey}` }
  const give = (credentialId: string) =>
    call<ConnectionShape>(
      hub,
      'POST',
      '/connectors/notion/credentials',
      { authenticationType: 'oauth2', credentialId, data: { access_token: 'x' }, createdAt: '2026-01-01T00:00:00Z' },
      headers,
    )
  assert.equal((await give('a'.repeat(24))).status, 200)
  assert.equal((await give('b'.repeat(24))).status, 200)
  // The second one, as if a stranger had made it with the public key, later.
  const row = await storage.connectionById(firstEnvironment.id, 'b'.repeat(24))
  assert.ok(row)
  await storage.authorize({
    environmentId: row.environmentId,
    integrationKey: 'notion',
    find: { id: row.id },
    decide: () => ({
      connection: { ...row, trust: 'public', createdAt: new Date('2026-02-01') },
      accountKey: undefined,
    }),
  })
  const list = await call<ConnectionShape[]>(hub, 'GET', '/users/me/connections', undefined, headers)
  assert.deepEqual(
    list.body.map(each => [each.id[0], each.latest]),
    [
      ['b', false],
      ['a', true],
    ],
  )
  const latest = await call<ConnectionShape>(hub, 'GET', '/users/me/connections/latest', undefined, headers)
  assert.equal(latest.body.id, 'a'.repeat(24))
  const status = await call(hub, 'GET', '/users/me/integrations/notion/connection', undefined, headers)
  assert.equal(status.body['connectionId'], 'a'.repeat(24))
})

test('a public key cannot take the id that the hub gave to another, deleted or not', async t => {
  const hub = await startTestHub(t)
  const { id } = await connected(hub)
  await call(hub, 'DELETE', `/credentials/${id}`)
  hub.sandbox.set('notion', { autoApprove: true })
  for (const name of [id, id.slice(5), id.replace('conn_', 'cred_')]) {
    const { response } = await new Browser().follow(connectUrl(hub, 'notion', { connection_id: name }))
    assert.equal(response.status, 400, name)
  }
  assert.match((await refused(hub, 'GET', `/credentials/${id}`)).body.message, /^Connection not found/)
})

test('with a user that is deleted, and a key that is revoked, their flows end', async t => {
  const hub = await startTestHub(t)
  const { context } = hub.rooms.hub
  await users(hub)
  const unopened = await initiate(hub, { userId: 'ann' })
  const opened = await initiate(hub, { userId: 'ann' })
  hub.sandbox.set('notion', { autoApprove: true })
  const browser = new Browser()
  const provider = (await browser.get(opened.oauthUrl)).headers.get('location') ?? ''
  await call(hub, 'DELETE', '/users/ann')
  assert.equal((await new Browser().get(unopened.oauthUrl)).status, 400)
  const { url } = await browser.follow(provider, next => next.startsWith(app))
  assert.equal(new URL(url).searchParams.get('code'), null)
  const made = await addKey(context, hub.rooms.firstEnvironment, 'k', ['connect:write'])
  const headers = { authorization: `Bearer ${made.secret.reveal()}` }
  const begun = await initiate(hub, {}, 'notion', headers)
  await hub.rooms.storage.revokeKey(made.key.environmentId, made.key.id, new Date())
  assert.equal((await new Browser().get(begun.oauthUrl)).status, 400)
  assert.deepEqual(await hub.rooms.storage.connections(made.key.environmentId, {}), [])
})

test('a new JWT key ends every JWT', async t => {
  const hub = await startTestHub(t)
  const jwt = await jwtOf(hub)
  assert.equal((await begin(hub, jwt, { connectorId: 'notion' })).status, 200)
  await renewJwtKey(hub.rooms.hub.context, hub.rooms.firstEnvironment)
  assert.equal((await begin(hub, jwt, { connectorId: 'notion' })).status, 401)
  assert.equal((await begin(hub, await jwtOf(hub), { connectorId: 'notion' })).status, 200)
})

test('a page is told of no other user', async t => {
  const hub = await startTestHub(t)
  await users(hub)
  const jwt = await jwtOf(hub, 'ann')
  for (const userId of ['bob', 'bbo', 'nobody']) {
    const answer = await begin(hub, jwt, { connectorId: 'notion', userId })
    assert.equal(answer.status, 403)
    assert.equal(answer.body.message, (await begin(hub, jwt, { connectorId: 'notion', userId: 'x' })).body.message)
  }
  assert.equal((await begin(hub, jwt, { connectorId: 'notion', userId: 'ann' })).status, 200)
})

test('a page returns to listed URLs only, with a JWT and with a session', async t => {
  const hub = await startServing(t)
  const { context } = hub.rooms.hub
  const { storage, firstEnvironment } = hub.rooms
  await addIntegration(context, firstEnvironment, {
    key: 'notion',
    provider: 'notion',
    clientId: 'x',
    clientSecret: new Secret('x'),
  })
  const origin = 'https://app.example'
  await storage.allow(firstEnvironment.id, 'origin', origin)
  await storage.allow(firstEnvironment.id, 'redirect', `${origin}/done`)
  const headers = { authorization: `Bearer ${hub.secretKey}` }
  const jwt = await jwtOf(hub, 'me', headers)
  const make = (body: object) => call<{ token: string }>(hub, 'POST', '/api/v1/connect-sessions', body, headers)
  for (const [returnTo, status] of [
    [`${origin}/done?a=1`, 200],
    [`${origin}/other`, 400],
    ['https://evil.example/done', 400],
  ] as const) {
    assert.equal((await begin(hub, jwt, { connectorId: 'notion', returnTo }, origin)).status, status, returnTo)
    assert.equal((await make({ integration: 'notion', returnTo })).status, status === 200 ? 201 : status, returnTo)
    const { token } = (await make({ integration: 'notion' })).body
    const answer = await call(hub, 'POST', '/sdk/start', { session: token, returnTo }, { origin })
    assert.equal(answer.status, status, returnTo)
  }
})

test("the back end's route for sessions wants a key with the scope, of its environment, and no form", async t => {
  const hub = await startServing(t)
  const { secret } = await addKey(hub.rooms.hub.context, hub.rooms.firstEnvironment, 'reader', ['connections:read'])
  const path = '/api/v1/connect-sessions'
  const body = { integration: 'notion' }
  const jwt = await jwtOf(hub, 'me', { authorization: `Bearer ${hub.secretKey}` })
  for (const [authorization, status] of [
    [undefined, 401],
    [`Bearer ${secret.reveal()}`, 403],
    [`Bearer ${jwt}`, 401],
  ] as const)
    assert.equal((await call(hub, 'POST', path, body, authorization ? { authorization } : {})).status, status)
  // A browser that is signed in sends Basic by itself, to whoever makes it ask.
  const basic = `Basic ${Buffer.from(`${hub.secretKey}:`).toString('base64')}`
  const foreign = { authorization: basic, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  assert.equal((await call(hub, 'POST', path, body, foreign)).status, 403)
  assert.equal((await call(hub, 'GET', '/users/me/connections', undefined, foreign)).status, 403)
  const form = await fetch(hub.origin + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${hub.secretKey}` },
    body: new URLSearchParams(body),
  })
  assert.equal(form.status, 400)
})

test('what a caller puts beside the fields of a connector is not kept, and its values are never repeated', async t => {
  const hub = await startTestHub(t)
  const canary = 'CANARY-of-a-client-secret'
  const { status, body } = await call<{ warnings: string[] }>(hub, 'POST', '/connectors/notion/credentials', {
    authenticationType: 'oauth2',
    redirectUri: app,
    data: { clientId: 'x', clientSecret: canary },
  })
  assert.equal(status, 200)
  assert.match(body.warnings.join(), /"clientSecret" is not a field here/)
  const kept = await hub.rooms.storage.latestSession(hub.rooms.firstEnvironment.id, 'keyless', 'notion')
  assert.deepEqual(kept?.params, {})
  const many = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`p${index}`, 'x']))
  for (const params of [{ clientSecret: canary }, many])
    assert.equal((await begin(hub, await jwtOf(hub), { connectorId: 'notion', params })).status, 400)
  const unknown = await call<{ warnings: string[] }>(hub, 'POST', '/connectors/notion/credentials', {
    authenticationType: 'oauth2',
    ...many,
  })
  assert.deepEqual([unknown.status, unknown.body.warnings.length], [200, 11])
  assert.doesNotMatch(JSON.stringify(body), /CANARY/)
})

test('few may wait for one outcome, and none for what an app began', async t => {
  const hub = await startTestHub(t)
  const { session } = (await begin(hub, await jwtOf(hub), { connectorId: 'notion' })).body
  const stop = new AbortController()
  const ask = (token: string, signal?: AbortSignal) =>
    fetch(`${hub.origin}/sdk/outcome`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: page },
      body: JSON.stringify({ session: token }),
      ...(signal ? { signal } : {}),
    })
  const waiting = Array.from({ length: 3 }, () => ask(session, stop.signal).catch(() => undefined))
  const statuses: (number | undefined)[] = []
  while (!statuses.includes(429) && statuses.length < 20)
    statuses.push((await ask(session, AbortSignal.timeout(300)).catch(() => undefined))?.status)
  assert.ok(statuses.includes(429))
  stop.abort()
  await Promise.all(waiting)
  const { oauthUrl } = await initiate(hub)
  const token = new URL(oauthUrl).searchParams.get('token') ?? ''
  assert.equal((await ask(token, AbortSignal.timeout(2000)).catch(() => undefined))?.status, 400)
})

test('a link is followed ten times, not more; no other route has a second address', async t => {
  const hub = await startTestHub(t)
  const { oauthUrl } = await initiate(hub)
  const browser = new Browser()
  for (let visit = 0; visit < 10; visit++) assert.equal((await browser.get(oauthUrl)).status, 302)
  assert.equal((await browser.get(oauthUrl)).status, 400)
  for (const path of ['/2025-09/connection', '/2025-09/settings/api-keys', '/2025-09/connections', '/2025-09/health'])
    assert.equal((await fetch(hub.origin + path)).status, 404, path)
  const none = await refused(hub, 'GET', '/2024-03/nothing')
  assert.equal(none.status, 404)
  assert.match(none.body.message, /Workflows and unified models are not served/)
})
