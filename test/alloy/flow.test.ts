/** The OAuth flow guide: initiate, redirect, callback with a code, exchange, use (requirements 24–34, 47–53). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../src/core/credential.ts'
import { addIntegration } from '../../src/core/setup.ts'
import { type ConnectionShape, connectedShape, initiatedShape } from '../../src/http/alloy/shapes.ts'
import { Browser, getJson, movableClock, startServing } from '../harness.ts'
import { app, authorize, call, connected, initiate, refused, start } from './hub.ts'

const callback = '/connectors/notion/credentials/callback'

test("initiating answers oauthUrl and credentialId to the document's own body, headers and redirect URI", async t => {
  const hub = await start(t)
  const { status, body, headers } = await call(
    hub,
    'POST',
    '/connectors/notion/credentials',
    { connectorId: 'notion', credentialType: 'oauth2', redirectUri: 'https://your-app.com/oauth/callback' },
    { authorization: 'Bearer YOUR_API_KEY', 'x-api-version': '2025-09' },
  )
  assert.equal(status, 200)
  const initiated = initiatedShape.parse(body)
  assert.equal(headers.get('x-api-version'), '2025-09')
  assert.equal(headers.get('warning'), null)
  const url = new URL(initiated.oauthUrl)
  assert.equal(url.origin, hub.origin)
  assert.equal(url.pathname, '/api/strategy/connector/notion/authorize')
  assert.equal(url.searchParams.get('userId'), initiated.userId)
  assert.equal(url.searchParams.get('redirectUri'), 'https://your-app.com/oauth/callback')
})

test("the end user comes back with a one-time code and the caller's state, and the code is exchanged for the connection", async t => {
  const hub = await start(t)
  const { oauthUrl } = await initiate(hub, { state: 'xyz 789/ä' })
  const { returned, browser } = await authorize(hub, oauthUrl)
  assert.equal(returned.origin + returned.pathname, app)
  assert.deepEqual([...returned.searchParams.keys()], ['code', 'state', 'connectorId'])
  assert.equal(returned.searchParams.get('state'), 'xyz 789/ä')
  // The provider's page was on the way, with PKCE's parameters and the hub's own redirect URI.
  const provider = browser.hops.find(hop => hop.url.startsWith(hub.sandbox.origin))
  assert.equal(new URL(provider?.url ?? '').searchParams.get('redirect_uri'), `${hub.origin}/oauth/callback`)
  const code = returned.searchParams.get('code')
  const { status, body } = await call(hub, 'POST', callback, { code, state: 'xyz 789/ä' })
  assert.equal(status, 200)
  const redeemed = connectedShape.parse(body)
  assert.match(redeemed.connectionId, /^conn_[0-9a-f]{24}$/)
  assert.equal(redeemed.status, 'connected')
  assert.equal(redeemed.credentialId, redeemed.connectionId)
})

test('the same caller is given the same answer again by code, credential id and state, and the provider is not asked again', async t => {
  const hub = await start(t)
  const { oauthUrl, credentialId, state } = await initiate(hub)
  const { returned } = await authorize(hub, oauthUrl)
  assert.equal(returned.searchParams.get('state'), state)
  const calls = hub.sandbox.calls.length
  const code = returned.searchParams.get('code')
  const answers: ConnectionShape[] = []
  for (const body of [{ code }, { code }, { credentialId }, { connectionId: credentialId }, { state }]) {
    const answer = await call<ConnectionShape>(hub, 'POST', callback, body)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    answers.push(answer.body)
  }
  assert.equal(new Set(answers.map(each => each.connectionId)).size, 1)
  assert.equal(hub.sandbox.calls.length, calls)
  // The name that the flow had before there was a connection is one of its names for good.
  const { body } = await call<ConnectionShape>(hub, 'GET', `/credentials/${credentialId}`)
  assert.equal(body.connectionId, answers[0]?.connectionId)
})

test('a reloaded callback returns with the same code', async t => {
  const hub = await start(t)
  const { oauthUrl } = await initiate(hub)
  const { returned, browser } = await authorize(hub, oauthUrl)
  const hop = browser.hops.find(each => each.url.startsWith(`${hub.origin}/oauth/callback`))
  const again = await browser.get(hop?.url ?? '')
  assert.equal(again.headers.get('location'), returned.href)
})

test("without code, credential id and state the answer names the key's latest attempt and its status only", async t => {
  const hub = await start(t)
  const nothing = await refused(hub, 'POST', callback, {})
  assert.equal(nothing.status, 400)
  assert.match(nothing.body.message, /this key has begun no flow for notion/)
  const { oauthUrl, credentialId } = await initiate(hub)
  const pending = await refused(hub, 'POST', callback, { code: '' })
  assert.match(pending.body.message, new RegExp(`${credentialId}.*its status: pending`))
  await authorize(hub, oauthUrl)
  const done = await refused(hub, 'POST', callback, { code: null })
  assert.match(done.body.message, new RegExp(`${credentialId}.*its status: connected`))
  assert.doesNotMatch(JSON.stringify(done.body), /conn_/)
  // The operator of one user's environment may let it be told.
  await hub.rooms.storage.setTellsLatest(hub.rooms.firstEnvironment.id, true)
  const told = await refused(hub, 'POST', callback, {})
  assert.match(told.body.message, /Its connection is conn_[0-9a-f]{24}\./)
})

test('a refusal at the provider comes back as error, error_description and state, and the exchange says how it ended', async t => {
  const hub = await start(t)
  const { oauthUrl, credentialId } = await initiate(hub, { state: 's-1' })
  hub.sandbox.set('notion', { deny: true })
  const { url } = await new Browser().follow(oauthUrl, next => next.startsWith(app))
  const back = new URL(url).searchParams
  assert.deepEqual([...back.keys()], ['error', 'error_description', 'state', 'connectorId'])
  assert.deepEqual([back.get('error'), back.get('state')], ['access_denied', 's-1'])
  assert.match(back.get('error_description') ?? '', /declined/)
  const { status, body } = await refused(hub, 'POST', callback, { credentialId })
  assert.deepEqual([status, body.code], [400, 'AUTHORIZATION_DENIED'])
  assert.match(body.message, /did not end well: The authorization was declined/)
})

test('a flow that is not finished says so, and so does one that nobody opened', async t => {
  const clock = movableClock()
  const hub = await start(t, { clock })
  const { oauthUrl, credentialId } = await initiate(hub)
  assert.match(
    (await refused(hub, 'POST', callback, { credentialId })).body.message,
    /waiting for the end user to open/,
  )
  await new Browser().get(oauthUrl)
  assert.match((await refused(hub, 'POST', callback, { credentialId })).body.message, /at the provider/)
  clock.forward(31 * 60)
  assert.match((await refused(hub, 'POST', callback, { credentialId })).body.message, /half hour is over/)
  const late = await new Browser().get(oauthUrl)
  assert.equal(late.status, 400)
  assert.match(await late.text(), /good for half an hour/)
})

test('a redirect URI that is not listed is refused before any redirect, with what was received and what is allowed', async t => {
  const hub = await startServing(t)
  const { context } = hub.rooms.hub
  await addIntegration(context, hub.rooms.firstEnvironment, {
    key: 'notion',
    provider: 'notion',
    clientId: 'id',
    clientSecret: new Secret('secret'),
  })
  await hub.rooms.storage.allow(hub.rooms.firstEnvironment.id, 'redirect', 'https://app.example/oauth/callback')
  const headers = { authorization: `Bearer ${hub.secretKey}` }
  const ask = (redirectUri: string) =>
    refused(hub, 'POST', '/connectors/notion/credentials', { credentialType: 'oauth2', redirectUri }, headers)
  for (const redirectUri of [
    'https://app.example/oauth/callback/',
    'http://localhost:3000/oauth/callback',
    'https://app.example.evil.example/oauth/callback',
    'https://app.example:8443/oauth/callback',
  ]) {
    const { status, body } = await ask(redirectUri)
    assert.equal(status, 400)
    assert.match(body.message, /^Invalid redirect_uri: /)
    assert.deepEqual(body.error.details, [
      {
        properties: 'redirectUri',
        message: 'Invalid redirect_uri',
        received: redirectUri,
        allowed: ['https://app.example/oauth/callback'],
      },
    ])
    assert.match(body.error.hint, /npx mortise env allow-redirect/)
  }
  assert.equal((await ask('https://app.example/oauth/callback?tenant=5')).status, 200)
  for (const odd of ['javascript:alert(1)', '/oauth/callback', 'https://app.example/oauth/callback#x'])
    assert.match((await ask(odd)).body.message, /^Invalid redirect_uri/)
  assert.match((await ask('https://app.example/oauth/callback?code=1')).body.message, /carries code already/)
})

test('eleven retries leave one connection, under one id; a second one is made only where it is asked for', async t => {
  const hub = await start(t)
  const ids = new Set<string>()
  for (let retry = 0; retry < 11; retry++) ids.add((await connected(hub)).connectionId)
  assert.equal(ids.size, 1)
  const list = await call<ConnectionShape[]>(hub, 'GET', '/users/me/connections')
  assert.deepEqual(
    list.body.map(each => each.connectionId),
    [...ids],
  )
  const second = await connected(hub, { allowDuplicate: true, label: 'The second' })
  assert.equal(second.name, 'The second')
  assert.equal(list.body[0]?.name, "Ada Lovelace's Notion")
  assert.equal(ids.has(second.connectionId), false)
  const other = await connected(hub, {}, { account: 'c2d9e8f7-3a4b-4c5d-8e6f-7a8b9c0d1e22' })
  assert.equal((await call<ConnectionShape[]>(hub, 'GET', '/users/me/connections')).body.length, 3)
  assert.equal(other.account?.name, 'Globex')
})

test('a link opened twice in one browser makes one connection, whatever account is picked', async t => {
  const hub = await start(t)
  const { oauthUrl, credentialId } = await initiate(hub, { allowDuplicate: true })
  const browser = new Browser()
  const [first, second] = [await browser.get(oauthUrl), await browser.get(oauthUrl)]
  for (const [answer, account] of [
    [first, undefined],
    [second, 'c2d9e8f7-3a4b-4c5d-8e6f-7a8b9c0d1e22'],
  ] as const) {
    hub.sandbox.set('notion', { autoApprove: account ?? true })
    const { url } = await browser.follow(answer.headers.get('location') ?? '', next => next.startsWith(app))
    assert.ok(new URL(url).searchParams.has('code'), url)
  }
  const { body } = await call<ConnectionShape[]>(hub, 'GET', '/users/me/connections')
  assert.deepEqual(
    body.map(each => each.id),
    [credentialId.replace('cred_', 'conn_')],
  )
})

test('the Connections API sees the same connection under the same id', async t => {
  const hub = await start(t)
  const { connectionId } = await connected(hub)
  const { status, body } = await getJson<{ credentials: { access_token: string } }>(
    `${hub.origin}/connection/${connectionId}?provider_config_key=notion`,
  )
  assert.equal(status, 200)
  assert.match(body.credentials.access_token, /^ntn_/)
  // And this one sees those that were made there, by their own id.
  const browser = new Browser()
  hub.sandbox.set('github', { autoApprove: true })
  await browser.follow(`${hub.origin}/oauth/connect/github?public_key=${hub.publicKey}&connection_id=customer-7`)
  const list = await call<ConnectionShape[]>(hub, 'GET', '/users/me/connections?connectorId=github')
  assert.equal(list.body.length, 1)
  for (const id of [list.body[0]?.id, 'customer-7'])
    assert.equal((await call<ConnectionShape>(hub, 'GET', `/credentials/${id}`)).body.id, list.body[0]?.id)
})

test('without a redirect URI the hub shows how it ended, and the credential id is redeemed', async t => {
  const hub = await start(t)
  const { body } = await call<{ oauthUrl: string; credentialId: string }>(
    hub,
    'POST',
    '/connectors/notion/credentials',
    { authenticationType: 'oauth2' },
  )
  hub.sandbox.set('notion', { autoApprove: true })
  const { response } = await new Browser().follow(body.oauthUrl)
  assert.equal(response.status, 200)
  assert.match(await response.text(), /Notion is connected/)
  assert.equal((await call(hub, 'POST', callback, { credentialId: body.credentialId })).status, 200)
})

test("an app that hosts the provider's callback sends the browser on to ours", async t => {
  const hub = await start(t)
  const hosted = 'http://localhost:9/provider/callback'
  const clientSecret = 'c'.repeat(32)
  await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, {
    key: 'notion-app',
    provider: 'notion',
    clientId: 'sandbox-notion-app',
    clientSecret: new Secret(clientSecret),
    redirectUri: hosted,
    sandbox: true,
  })
  hub.sandbox.register({
    provider: 'notion',
    clientId: 'sandbox-notion-app',
    clientSecret,
    redirectUris: [hosted],
  })
  const { oauthUrl } = await initiate(hub, {}, 'notion-app')
  const { returned: at, browser } = await authorize(hub, oauthUrl, { until: hosted })
  const { url } = await browser.follow(`${hub.origin}/oauth/callback${at.search}`, next => next.startsWith(app))
  const code = new URL(url).searchParams.get('code')
  assert.equal((await call(hub, 'POST', '/connectors/notion-app/credentials/callback', { code })).status, 200)
})
