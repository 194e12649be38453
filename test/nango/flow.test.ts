/** GET /oauth/connect/:key: the whole flow in one tab, no SDK (requirements 95–98, 102, 106, 107). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../src/core/credential.ts'
import { addIntegration } from '../../src/core/setup.ts'
import type { ConnectionShape, ConnectionsShape } from '../../src/http/nango/shapes.ts'
import { Browser, connect, connectUrl, getJson, startTestHub, type TestHub, untilCallback } from '../harness.ts'

const addZendesk = async (hub: TestHub) => {
  const clientSecret = 'z'.repeat(32)
  await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, {
    key: 'zendesk',
    provider: 'zendesk',
    clientId: 'sandbox-zendesk',
    clientSecret: new Secret(clientSecret),
    scopes: ['read', 'write'],
    sandbox: true,
  })
  hub.sandbox.register({
    provider: 'zendesk',
    clientId: 'sandbox-zendesk',
    clientSecret,
    redirectUris: [`${hub.origin}/oauth/callback`],
  })
}

const read = async (hub: TestHub, key: string, id: string) =>
  (await getJson<ConnectionShape>(`${hub.origin}/connection/${id}?provider_config_key=${key}`)).body

test('a link with every parameter of the document runs the whole flow in one tab', async t => {
  const hub = await startTestHub(t)
  await addZendesk(hub)
  const { returned, browser } = await connect(hub, 'zendesk', {
    connection_id: 'customer-7',
    'params[subdomain]': 'acme',
    scopes: 'read',
  })
  assert.equal(returned.searchParams.get('connection_id'), 'customer-7')
  const authorize = new URL(browser.hops[0]?.location ?? '')
  assert.equal(authorize.pathname, '/acme.zendesk.com/oauth/authorizations/new')
  assert.equal(authorize.searchParams.get('scope'), 'read')
  assert.equal(authorize.searchParams.get('redirect_uri'), `${hub.origin}/oauth/callback`)
  assert.equal(authorize.searchParams.get('code_challenge_method'), 'S256')
  // What was asked for arrived: the narrowed scope, the connection under its id, with its configuration.
  const { credentials, connection_config, connection_id } = await read(hub, 'zendesk', 'customer-7')
  assert.ok('access_token' in credentials)
  assert.equal(credentials.raw['scope'], 'read')
  assert.deepEqual([connection_id, connection_config], ['customer-7', { subdomain: 'acme' }])
  const [row] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
  assert.deepEqual(row?.scopes, ['read'])
})

test('success returns to api_redirect_url with connection_id and provider_config_key, and no message_type', async t => {
  const hub = await startTestHub(t)
  const { returned } = await connect(hub, 'github', { connection_id: 'customer 7/ä' })
  assert.deepEqual(Object.fromEntries(returned.searchParams), {
    connection_id: 'customer 7/ä',
    provider_config_key: 'github',
  })
  assert.equal((await read(hub, 'github', 'customer%207/%C3%A4')).connection_id, 'customer 7/ä')
})

test('a refusal returns with message_type, error_type and error_desc', async t => {
  const hub = await startTestHub(t)
  hub.sandbox.set('github', { deny: true })
  const { returned } = await connect(hub, 'github', { connection_id: 'a' })
  assert.deepEqual(Object.keys(Object.fromEntries(returned.searchParams)), ['message_type', 'error_type', 'error_desc'])
  assert.equal(returned.searchParams.get('message_type'), 'error')
  assert.equal(returned.searchParams.get('error_type'), 'callback_err')
  assert.match(returned.searchParams.get('error_desc') ?? '', /declined/)
  assert.deepEqual((await getJson(`${hub.origin}/connection`)).body, { connections: [] })
})

test('a token endpoint that fails returns with token_err', async t => {
  const hub = await startTestHub(t)
  hub.sandbox.set('notion', { fail: { status: 500 } })
  const { returned } = await connect(hub, 'notion')
  assert.equal(returned.searchParams.get('error_type'), 'token_err')
})

test('whether it is true is verified by reading: a forged return names a connection that is not there', async t => {
  const hub = await startTestHub(t)
  const forged = new URL('http://localhost:9/done?connection_id=victim&provider_config_key=github')
  const id = forged.searchParams.get('connection_id')
  const answer = await getJson<{ error: { code: string } }>(`${hub.origin}/connection/${id}?provider_config_key=github`)
  assert.deepEqual([answer.status, answer.body.error.code], [404, 'not_found'])
  const { returned } = await connect(hub, 'github', { connection_id: 'real' })
  const real = await read(hub, 'github', returned.searchParams.get('connection_id') ?? '')
  assert.ok('access_token' in real.credentials)
})

test('params[x] of the link arrives as connection_config.x', async t => {
  const hub = await startTestHub(t)
  await addZendesk(hub)
  await connect(hub, 'zendesk', { connection_id: 'a', 'params[subdomain]': 'acme', 'params[region]': 'eu' })
  assert.deepEqual((await read(hub, 'zendesk', 'a')).connection_config, { subdomain: 'acme', region: 'eu' })
  const { returned } = await connect(hub, 'zendesk', { connection_id: 'b' })
  assert.equal(returned.searchParams.get('error_type'), 'url_param_err')
  assert.match(returned.searchParams.get('error_desc') ?? '', /params\[subdomain\] is missing/)
})

test('api_redirect_url keeps its own query as it is', async t => {
  const hub = await startTestHub(t)
  const own = 'http://localhost:9/done?user=5&note=a%20b+c&empty='
  const { returned } = await connect(hub, 'github', { connection_id: 'a', api_redirect_url: own })
  assert.equal(returned.href, `${own}&connection_id=a&provider_config_key=github`)
})

test("failures before the provider's page return to api_redirect_url too, with the three parameters", async t => {
  const hub = await startTestHub(t)
  const cases: [integration: string, query: Record<string, string>, type: string][] = [
    ['nope', {}, 'unknown_config_key'],
    ['github', { scopes: 'admin:org' }, 'url_param_err'],
    ['github', { conection_id: 'misspelt' }, 'url_param_err'],
    ['github', { connection_id: '\u0000' }, 'url_param_err'],
    ['github', { allow_duplicate: 'yes' }, 'url_param_err'],
    ['github', { hmac: 'abc' }, 'invalid_hmac'],
  ]
  for (const [integration, query, type] of cases) {
    const browser = new Browser()
    const app = 'http://localhost:9/done?a=1'
    const response = await browser.get(connectUrl(hub, integration, { api_redirect_url: app, ...query }))
    assert.equal(response.status, 302, JSON.stringify(query))
    const returned = new URL(response.headers.get('location') ?? '')
    assert.equal(returned.searchParams.get('a'), '1')
    assert.equal(returned.searchParams.get('message_type'), 'error')
    assert.equal(returned.searchParams.get('error_type'), type)
    assert.ok(returned.searchParams.get('error_desc'))
  }
})

test('without api_redirect_url a page says what happened, with the status', async t => {
  const hub = await startTestHub(t)
  const browser = new Browser()
  const bad = await browser.get(connectUrl(hub, 'nope'))
  assert.equal(bad.status, 400)
  assert.match(await bad.text(), /There is no integration .{0,10}nope/)
  hub.sandbox.set('github', { autoApprove: true })
  const { response } = await browser.follow(connectUrl(hub, 'github', { connection_id: 'a' }))
  const page = await response.text()
  assert.equal(response.status, 200)
  assert.match(page, /GitHub is connected/)
  assert.ok(page.includes('CONNECTION_ID=a'))
  assert.ok(page.includes(`curl &quot;${hub.origin}/connection/a?provider_config_key=github&quot;`))
})

test('the literal colon of the document is accepted: /oauth/connect/:github', async t => {
  const hub = await startTestHub(t)
  hub.sandbox.set('github', { autoApprove: true })
  const url = connectUrl(hub, 'github', { connection_id: 'a' }).replace('/github?', '/:github?')
  const { response } = await new Browser().follow(url)
  assert.equal(response.status, 200)
  assert.equal((await read(hub, 'github', 'a')).provider_config_key, 'github')
})

test('scopes may be narrowed by a link and are what the provider is asked for', async t => {
  const hub = await startTestHub(t)
  await addZendesk(hub)
  const ask = async (scopes?: string) => {
    const link = connectUrl(hub, 'zendesk', {
      'params[subdomain]': 'acme',
      ...(scopes === undefined ? {} : { scopes }),
    })
    const response = await new Browser().get(link)
    return new URL(response.headers.get('location') ?? 'http://refused').searchParams.get('scope')
  }
  assert.equal(await ask(), 'read write')
  assert.equal(await ask('write'), 'write')
  assert.equal(await ask('write,read'), 'write read')
  assert.equal(await ask('read impersonate'), null)
})

test('the same account again repairs its connection; another person, a named id, or a wish for a duplicate does not', async t => {
  const hub = await startTestHub(t)
  const ids = async () =>
    (await getJson<ConnectionsShape>(`${hub.origin}/connection`)).body.connections.map(each => each.connection_id)
  const accounts = (await import('../../packages/sandbox/src/providers/notion.ts')).default.accounts
  const [ada, other] = accounts
  assert.ok(ada && other)
  const first = (await connect(hub, 'notion', {}, { account: ada.id })).returned.searchParams.get('connection_id')
  assert.match(first ?? '', /^conn_[0-9a-f]{24}$/)
  for (let round = 0; round < 10; round++) {
    const again = await connect(hub, 'notion', {}, { account: ada.id })
    assert.equal(again.returned.searchParams.get('connection_id'), first)
  }
  assert.equal((await ids()).length, 1)
  await connect(hub, 'notion', {}, { account: other.id })
  assert.equal((await ids()).length, 2)
  await connect(hub, 'notion', { connection_id: 'named' }, { account: ada.id })
  assert.equal((await ids()).length, 3)
  await connect(hub, 'notion', { allow_duplicate: 'true' }, { account: ada.id })
  assert.equal((await ids()).length, 4)
  const last = await connect(hub, 'notion', {}, { account: ada.id })
  assert.equal(last.returned.searchParams.get('connection_id'), first)
  assert.equal((await ids()).length, 4)
})

test('two tabs at once both finish, each with its own cookie', async t => {
  const hub = await startTestHub(t)
  for (const provider of ['github', 'notion']) hub.sandbox.set(provider, { autoApprove: true })
  const browser = new Browser()
  const one = await untilCallback(hub, browser, connectUrl(hub, 'github', { connection_id: 'one' }))
  const two = await untilCallback(hub, browser, connectUrl(hub, 'notion', { connection_id: 'two' }))
  assert.equal(browser.cookieNames('localhost').length, 2)
  assert.equal((await browser.get(two)).status, 200)
  assert.equal((await browser.get(one)).status, 200)
})

test('a browser under another loopback name is first sent to the public URL, and the flow finishes', async t => {
  const hub = await startTestHub(t)
  hub.sandbox.set('github', { autoApprove: true })
  for (const name of ['127.0.0.1', '[::1]']) {
    const browser = new Browser()
    const link = connectUrl(hub, 'github', { connection_id: name }).replace('localhost', name)
    const { response } = await browser.follow(link)
    assert.equal(browser.hops[0]?.status, 307)
    assert.equal(new URL(browser.hops[0]?.location ?? '').hostname, 'localhost')
    assert.equal(response.status, 200)
  }
})

test('reloading a finished callback in the same browser shows the outcome, good or bad', async t => {
  const hub = await startTestHub(t)
  hub.sandbox.set('github', { autoApprove: true })
  const browser = new Browser()
  const callback = await untilCallback(hub, browser, connectUrl(hub, 'github', { connection_id: 'a' }))
  const first = await (await browser.get(callback)).text()
  assert.equal(await (await browser.get(callback)).text(), first)
  assert.equal(hub.sandbox.calls.filter(call => call.kind === 'code').length, 1)
  hub.sandbox.set('notion', { deny: true })
  const { response, url } = await browser.follow(connectUrl(hub, 'notion'))
  assert.equal(response.status, 400)
  assert.match(await (await browser.get(url)).text(), /declined/)
})
