/** Attacks on flows that an app or a page begins: codes, links, JWTs, pages of other origins. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { Secret } from '../../src/core/credential.ts'
import { jwtKeyOf } from '../../src/core/jwt-key.ts'
import { addEnvironment, addIntegration, addKey } from '../../src/core/setup.ts'
import type { UserShape } from '../../src/http/alloy/shapes.ts'
import { app, authorize, call, initiate, refused } from '../alloy/hub.ts'
import { Browser, movableClock, raw, startServing, startTestHub, type TestHub, untilCallback } from '../harness.ts'

const callback = '/connectors/notion/credentials/callback'
const page = 'http://localhost:3000'

const keyOf = async (hub: TestHub, name: string): Promise<Record<string, string>> => {
  const { secret } = await addKey(hub.rooms.hub.context, hub.rooms.firstEnvironment, name, [
    'connect:write',
    'connections:read',
    'integrations:read',
  ])
  return { authorization: `Bearer ${secret.reveal()}` }
}

const tokenOf = async (hub: { origin: string }, user = 'me', headers: Record<string, string> = {}): Promise<string> =>
  (await call<{ token: string }>(hub, 'GET', `/users/${user}/token`, undefined, headers)).body.token

/** As a page of that origin sends it. */
const begin = (
  hub: { origin: string },
  jwt: string | undefined,
  body: object = { connectorId: 'notion' },
  origin = page,
) =>
  call<{ session: string; url: string; code: string; message: string }>(hub, 'POST', '/sdk/start', body, {
    origin,
    ...(jwt === undefined ? {} : { 'x-alloy-user-token': jwt }),
  })

const open = (hub: { origin: string }, browser: Browser, session: string, origin: string | null = page) =>
  browser.send(`${hub.origin}/sdk/open`, {
    method: 'POST',
    body: new URLSearchParams({ session }),
    headers: origin === null ? {} : { origin },
  })

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const partsOf = (token: string): [header: object, payload: Record<string, unknown>] => {
  const [header = '', payload = ''] = token.split('.')
  return [
    JSON.parse(Buffer.from(header, 'base64url').toString()),
    JSON.parse(Buffer.from(payload, 'base64url').toString()),
  ]
}
const signed = (header: object, payload: object, key: string): string => {
  const text = `${base64url(header)}.${base64url(payload)}`
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`
}

test('a code used by another key, of the same environment or another, is refused; its own key is told as before', async t => {
  const hub = await startTestHub(t)
  const [own, other] = [await keyOf(hub, 'own'), await keyOf(hub, 'other')]
  const elsewhere = await addEnvironment(hub.rooms.hub.context, 'elsewhere')
  await addIntegration(hub.rooms.hub.context, elsewhere, {
    key: 'notion',
    provider: 'notion',
    clientId: 'x',
    clientSecret: new Secret('x'),
  })
  const { secret } = await addKey(hub.rooms.hub.context, elsewhere, 'third', ['connect:write'])
  const third = { authorization: `Bearer ${secret.reveal()}` }
  const { oauthUrl, credentialId, state } = await initiate(hub, {}, 'notion', own)
  const { returned } = await authorize(hub, oauthUrl)
  const code = returned.searchParams.get('code')
  for (const body of [{ code }, { credentialId }, { state }])
    for (const headers of [other, third]) {
      const answer = await refused(hub, 'POST', callback, body, headers)
      assert.deepEqual([answer.status, answer.body.code], [400, 'INVALID_CODE'], JSON.stringify(body))
      assert.doesNotMatch(JSON.stringify(answer.body), /conn_/)
    }
  const first = await call(hub, 'POST', callback, { code }, own)
  const again = await call(hub, 'POST', callback, { code }, own)
  assert.deepEqual([first.status, again.status], [200, 200])
  assert.deepEqual(again.body, first.body)
  assert.equal(hub.sandbox.calls.filter(each => each.kind === 'code').length, 1)
  // An attempt that names none is the caller's own latest.
  assert.match((await refused(hub, 'POST', callback, {}, other)).body.message, /this key has begun no flow/)
})

test('a code after ten minutes is refused, to its own caller too', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  const { oauthUrl, credentialId, state } = await initiate(hub)
  const { returned } = await authorize(hub, oauthUrl)
  const code = returned.searchParams.get('code')
  clock.forward(600)
  assert.equal((await call(hub, 'POST', callback, { code })).status, 200)
  clock.forward(1)
  for (const body of [{ code }, { credentialId }, { state }]) {
    const answer = await refused(hub, 'POST', callback, body)
    assert.deepEqual([answer.status, answer.body.code], [400, 'INVALID_CODE'])
    assert.match(answer.body.message, /ten minutes/)
  }
})

test("a made-up code, the provider's own, and a code for another connector are refused", async t => {
  const hub = await startTestHub(t)
  const { oauthUrl } = await initiate(hub)
  hub.sandbox.set('notion', { autoApprove: true })
  const browser = new Browser()
  const at = await untilCallback(hub, browser, oauthUrl)
  const { url } = await browser.follow(at, next => next.startsWith(app))
  const providers = new URL(at).searchParams.get('code')
  for (const code of ['authorization_code_from_callback', providers, 'x'.repeat(43)]) {
    const answer = await refused(hub, 'POST', callback, { code })
    assert.equal(answer.status, 400)
    assert.match(answer.body.message, /^Invalid authorization code: The hub gave no such code/)
  }
  const code = new URL(url).searchParams.get('code')
  assert.equal((await refused(hub, 'POST', '/connectors/github/credentials/callback', { code })).status, 400)
})

test('a state that is not the one the app gave spoils the exchange', async t => {
  const hub = await startTestHub(t)
  const { oauthUrl } = await initiate(hub, { state: 'of-the-session' })
  const { returned } = await authorize(hub, oauthUrl)
  const code = returned.searchParams.get('code')
  const answer = await refused(hub, 'POST', callback, { code, state: 'of-another-session' })
  assert.deepEqual([answer.status, answer.body.code], [400, 'STATE_MISMATCH'])
  assert.equal((await call(hub, 'POST', callback, { code, state: 'of-the-session' })).status, 200)
})

test("a stranger's link that was opened once is dead in a victim's browser", async t => {
  const hub = await startTestHub(t)
  hub.sandbox.set('notion', { autoApprove: true })
  const { oauthUrl } = await initiate(hub)
  const stranger = new Browser()
  const atProvider = (await stranger.get(oauthUrl)).headers.get('location') ?? ''
  const victim = new Browser()
  const answer = await victim.get(oauthUrl)
  assert.equal(answer.status, 400)
  assert.match(await answer.text(), /opened in another browser/)
  // Sent on to the provider instead, the victim's approval comes back to a browser that began nothing.
  const { response } = await victim.follow(atProvider)
  assert.equal(response.status, 400)
  assert.match(await response.text(), /begun in another browser/)
  assert.deepEqual((await call(hub, 'GET', '/users/me/connections')).body, [])
  // The stranger's own browser goes on.
  assert.equal((await stranger.get(oauthUrl)).status, 302)
})

test("a page's session is opened by no link, and by no page of a foreign origin", async t => {
  const hub = await startTestHub(t)
  const { body } = await begin(hub, await tokenOf(hub))
  assert.equal(body.url, `${hub.origin}/sdk/open`)
  const victim = new Browser()
  // As a link: by the SDK's way, and by the app's.
  assert.equal((await victim.get(`${hub.origin}/sdk/open?session=${body.session}`)).status, 404)
  const link = await victim.get(`${hub.origin}/api/strategy/connector/notion/authorize?token=${body.session}`)
  assert.equal(link.status, 400)
  for (const origin of [null, 'null', 'https://evil.example', `${page}.evil.example`]) {
    const answer = await open(hub, victim, body.session, origin)
    assert.equal(answer.status, 403, String(origin))
  }
  assert.deepEqual(victim.cookieNames('localhost'), [])
  assert.match((await open(hub, new Browser(), body.session)).headers.get('refresh') ?? '', /^0;url=http/)
  // Once a browser has it, no other gets it.
  assert.equal((await open(hub, victim, body.session)).status, 400)
  // And an app's session is not for pages.
  const token = new URL((await initiate(hub)).oauthUrl).searchParams.get('token')
  assert.equal((await begin(hub, undefined, { session: token })).status, 400)
  assert.equal((await open(hub, victim, token ?? '')).status, 403)
})

test('a JWT is worth nothing but for its own user', async t => {
  const hub = await startTestHub(t)
  const { body: ada } = await call<UserShape>(hub, 'POST', '/users', { username: 'ada' })
  await call(hub, 'POST', '/users', { username: 'grace' })
  const jwt = await tokenOf(hub, 'ada')
  for (const userId of ['grace', 'me']) {
    const answer = await begin(hub, jwt, { connectorId: 'notion', userId })
    assert.equal(answer.status, 403, userId)
  }
  const { body } = await begin(hub, jwt, { connectorId: 'notion', userId: 'ada' })
  hub.sandbox.set('notion', { autoApprove: true })
  const browser = new Browser()
  const onward = (await open(hub, browser, body.session)).headers.get('refresh')?.replace('0;url=', '')
  await browser.follow(onward ?? '')
  const list = await call<{ userId: string }[]>(hub, 'GET', '/users/ada/connections')
  assert.deepEqual(
    list.body.map(each => each.userId),
    [ada.userId],
  )
  assert.deepEqual((await call(hub, 'GET', '/users/grace/connections')).body, [])
  // It opens no route of the API, and dies with its user.
  const asKey = await refused(hub, 'GET', '/users/ada/connections', undefined, { authorization: `Bearer ${jwt}` })
  assert.equal(asKey.status, 401)
  await call(hub, 'DELETE', '/users/ada')
  assert.equal((await begin(hub, jwt)).status, 401)
})

test('a JWT that is expired, unsigned, signed by another key, or of another environment is refused', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  const jwt = await tokenOf(hub)
  const [header, payload] = partsOf(jwt)
  const other = await addEnvironment(hub.rooms.hub.context, 'other')
  const [text = '', body = '', signature = ''] = jwt.split('.')
  const rightKey = (await jwtKeyOf(hub.rooms.hub.context, hub.rooms.firstEnvironment.id)).reveal()
  const forged: Record<string, string> = {
    'alg none': `${base64url({ ...header, alg: 'none' })}.${base64url(payload)}.`,
    'alg none, old signature': `${base64url({ ...header, alg: 'none' })}.${body}.${signature}`,
    'no signature': `${text}.${body}.`,
    'another key': signed(header, payload, 'another key'),
    'an empty key': signed(header, payload, ''),
    'the public key': signed(header, payload, hub.publicKey),
    'another user': `${text}.${base64url({ ...payload, user: { _id: 'a'.repeat(24) } })}.${signature}`,
    'another environment': signed({ ...header, kid: other.id.toString(36) }, payload, rightKey),
    'no kid': signed({ alg: 'HS256' }, payload, rightKey),
    'no end': signed(header, { ...payload, exp: undefined }, rightKey),
    'for something else': signed(header, { ...payload, aud: 'another use' }, rightKey),
    'no user': signed(header, { ...payload, user: undefined }, rightKey),
    'a user that is no text': signed(header, { ...payload, user: { _id: { $ne: 1 } } }, rightKey),
    nonsense: 'a.b.c',
  }
  for (const [what, token] of Object.entries(forged)) {
    const answer = await begin(hub, token)
    assert.equal(answer.status, 401, what)
  }
  assert.equal((await begin(hub, jwt)).status, 200)
  clock.forward(3601)
  assert.match((await begin(hub, jwt)).body.message, /expired/)
})

test('an API key where a JWT belongs is refused, and said to be one', async t => {
  const hub = await startTestHub(t)
  const key = (await keyOf(hub, 'k'))['authorization']?.replace('Bearer ', '') ?? ''
  for (const token of [key, 'YOUR_API_KEY', hub.publicKey, undefined]) {
    const answer = await begin(hub, token)
    assert.equal(answer.status, 401)
    if (token) assert.match(answer.body.message, /looks like an API key, which must never be in a page/)
    assert.equal(JSON.stringify(answer.body).includes(key), false)
  }
  const headers = { authorization: `Bearer ${key}`, 'x-alloy-user-token': key }
  assert.equal((await refused(hub, 'GET', '/users/me/connections', undefined, headers)).status, 401)
})

test('pages of an origin that is not listed hear nothing, and no origin is let in with cookies', async t => {
  const hub = await startServing(t)
  const { context } = hub.rooms.hub
  const environment = hub.rooms.firstEnvironment
  await addIntegration(context, environment, {
    key: 'notion',
    provider: 'notion',
    clientId: 'x',
    clientSecret: new Secret('x'),
  })
  const other = await addEnvironment(context, 'other')
  await hub.rooms.storage.allow(environment.id, 'origin', 'https://app.example')
  await hub.rooms.storage.allow(other.id, 'origin', 'https://theirs.example')
  const jwt = await tokenOf(hub, 'me', { authorization: `Bearer ${hub.secretKey}` })
  const ask = (origin: string, token = jwt) => begin(hub, token, { connectorId: 'notion' }, origin)
  const fine = await ask('https://app.example')
  assert.equal(fine.status, 200)
  assert.equal(fine.headers.get('access-control-allow-origin'), 'https://app.example')
  assert.equal(fine.headers.get('access-control-allow-credentials'), null)
  for (const origin of ['https://evil.example', 'https://app.example.evil.example', 'http://localhost:3000', 'null']) {
    const answer = await ask(origin)
    assert.equal(answer.status, 403, origin)
    assert.equal(answer.headers.get('access-control-allow-origin'), null)
    const asked = { origin, 'access-control-request-method': 'POST' }
    const preflight = await raw(`${hub.origin}/sdk/start`, asked, 'OPTIONS')
    assert.equal(preflight.headers['access-control-allow-origin'], undefined)
  }
  // An origin of another environment may ask, and is refused what is this one's.
  assert.equal((await ask('https://theirs.example')).status, 403)
  const outcome = { session: fine.body.session }
  const theirs = await call(hub, 'POST', '/sdk/outcome', outcome, { origin: 'https://theirs.example' })
  assert.equal(theirs.status, 403)
})

test('a foreign frame does not carry a flow', async t => {
  const hub = await startTestHub(t)
  const { oauthUrl } = await initiate(hub)
  for (const dest of ['iframe', 'frame', 'embed', 'object', 'image']) {
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': dest }
    const answer = await raw(oauthUrl, headers)
    assert.equal(answer.status, 403, dest)
    assert.equal(answer.headers['set-cookie'], undefined)
    assert.equal(answer.headers['x-frame-options'], 'DENY')
    assert.match(String(answer.headers['content-security-policy']), /frame-ancestors 'none'/)
  }
  const top = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  assert.equal((await raw(oauthUrl, top)).status, 302)
})

test("one session makes one connection, and of its maker's user only", async t => {
  const hub = await startTestHub(t)
  await call(hub, 'POST', '/users', { username: 'ada' })
  const { oauthUrl } = await initiate(hub, { userId: 'ada' })
  // What the link says is for people: who it is for stands in the hub.
  const changed = new URL(oauthUrl)
  changed.searchParams.set('userId', 'me')
  changed.searchParams.set('redirectUri', 'https://evil.example/')
  const { returned, browser } = await authorize(hub, changed.href)
  assert.equal(returned.origin + returned.pathname, app)
  assert.equal((await call<unknown[]>(hub, 'GET', '/users/ada/connections')).body.length, 1)
  assert.deepEqual((await call(hub, 'GET', '/users/me/connections')).body, [])
  // The link has done its work.
  const again = await browser.get(oauthUrl)
  assert.equal(again.status, 400)
  assert.match(await again.text(), /has done its work/)
})
