/** The vendor's published browser client, unmodified, in a real browser: popup, socket, sessions, keys, and its Connect UI. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FrameLocator, Page } from 'playwright-core'
import { startApp } from '../../packages/web/test/servers.ts'
import { connect, getJson, startServing } from '../harness.ts'
import { newKey } from '../page.ts'
import { openBrowser, skip } from './chromium.ts'
import { type NangoWorld, startNangoWorld } from './nango-world.ts'

const rows = ({ hub }: NangoWorld) => hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
const approve = async (popup: Page) => {
  const closed = popup.waitForEvent('close')
  await popup.getByRole('button', { name: 'Approve' }).click()
  await closed
}

test('auth with a public key: a popup, a socket, and the connection under the name that the app gave it', {
  skip,
}, async t => {
  const world = await startNangoWorld(t)
  await world.visit(`return new Nango({ host, publicKey: '${world.hub.publicKey}' }).auth('github', 'customer-7')`)
  await approve(await world.popup())
  assert.deepEqual(await world.outcome(), {
    providerConfigKey: 'github',
    connectionId: 'customer-7',
    isPending: false,
  })
  assert.equal((await rows(world))[0]?.connectionId, 'customer-7')
})

test('auth with a session: the end user’s connection; scopes, params and parameters of the URL arrive', {
  skip,
}, async t => {
  const world = await startNangoWorld(t)
  const token = await world.session()
  await world.visit(`return new Nango({ host, connectSessionToken: '${token}' }).auth('slack', {
    params: { color: 'red & blue' },
    user_scope: ['chat:write', 'users:read'],
    authorization_params: { team: 'T1', nonsense: undefined },
    detectClosedAuthWindow: true,
  })`)
  const popup = await world.popup()
  await popup.waitForURL(/authorize/)
  const asked = new URL(popup.url()).searchParams
  assert.deepEqual([asked.get('user_scope'), asked.get('team')], ['chat:write,users:read', 'T1'])
  await approve(popup)
  const { connectionId, ...rest } = (await world.outcome()) as { connectionId: string }
  assert.deepEqual(rest, { providerConfigKey: 'slack', isPending: false })
  const [row] = await rows(world)
  assert.deepEqual([row?.connectionId, row?.trust, row?.config], [connectionId, 'proven', { color: 'red & blue' }])
  assert.deepEqual(row?.tags, { end_user_id: 'user-1' })
})

test('a page that is cut off from its popup (COOP) hears of the end, and the popup closes itself', {
  skip,
}, async t => {
  const world = await startNangoWorld(t)
  const token = await world.session()
  const cutOff = { 'cross-origin-opener-policy': 'same-origin' }
  await world.visit(`return new Nango({ host, connectSessionToken: '${token}' }).auth('github')`, cutOff)
  const popup = await world.popup()
  await popup.waitForURL(/authorize/)
  assert.equal(await popup.evaluate('window.opener === null'), true)
  await approve(popup)
  assert.equal(((await world.outcome()) as { providerConfigKey: string }).providerConfigKey, 'github')
})

test('a refusal at the provider, and a flow that cannot begin, reject with type and sentence', { skip }, async t => {
  const world = await startNangoWorld(t)
  const token = await world.session({ allowed_integrations: ['github'] })
  await world.visit(`return new Nango({ host, connectSessionToken: '${token}' }).auth('github')`)
  await (await world.popup()).getByRole('button', { name: 'Deny' }).click()
  const denied = (await world.outcome()) as Record<string, string>
  assert.deepEqual([denied['thrown'], denied['type']], ['Error', 'callback_err'])
  assert.match(denied['message'] ?? '', /declined at the provider/)
  await world.visit(`return new Nango({ host, connectSessionToken: '${token}' }).auth('notion')`)
  await world.popup()
  const refused = (await world.outcome()) as Record<string, string>
  assert.equal(refused['type'], 'integration_not_allowed')
  assert.match(refused['message'] ?? '', /it allows github/)
})

test('a client of one’s own goes through the popup, and only the hub and the provider see of it what they must', {
  skip,
}, async t => {
  const world = await startNangoWorld(t)
  const { hub } = world
  const redirectUris = [`${hub.origin}/oauth/callback`]
  hub.sandbox.register({ provider: 'github', clientId: 'own-client', clientSecret: 'own/secret+1', redirectUris })
  const token = await world.session()
  await world.visit(`return new Nango({ host, connectSessionToken: '${token}' }).auth('github', {
    credentials: { oauth_client_id_override: 'own-client', oauth_client_secret_override: 'own/secret+1' },
  })`)
  const popup = await world.popup()
  await popup.waitForURL(/authorize/)
  assert.equal(new URL(popup.url()).searchParams.get('client_id'), 'own-client')
  assert.doesNotMatch(await popup.evaluate('document.referrer'), /secret/)
  await approve(popup)
  assert.ok((await rows(world))[0]?.client)
  // The vendor's client puts it into the one address that begins the flow; it is in no other.
  const told = world.addresses.filter(address => decodeURIComponent(address).includes('own/secret+1'))
  assert.deepEqual(
    told.map(address => new URL(address).pathname),
    ['/oauth/connect/github'],
  )
})

test('credentials of a form go by POST: an API key that works, and one that does not', { skip }, async t => {
  const world = await startNangoWorld(t)
  const { hub } = world
  await connect(hub, 'github', { connection_id: 'source' })
  const { key } = await newKey(hub)
  const { body } = await getJson<{ credentials: { access_token: string } }>(
    `${hub.origin}/connections/source?provider_config_key=github`,
    { authorization: `Bearer ${key}` },
  )
  const token = await world.session()
  const nango = `new Nango({ host, connectSessionToken: '${token}' })`
  await world.visit(`return ${nango}.auth('github', { credentials: { apiKey: '${body.credentials.access_token}' } })`)
  await world.page.click('#go')
  const made = (await world.outcome()) as { connectionId: string; providerConfigKey: string }
  assert.equal(made.providerConfigKey, 'github')
  const row = (await rows(world)).find(each => each.connectionId === made.connectionId)
  assert.equal(row?.kind, 'apiKey')
  await world.visit(`return ${nango}.auth('github', { credentials: { apiKey: 'wrong' } })`)
  await world.page.click('#go')
  const refused = (await world.outcome()) as Record<string, string>
  assert.equal(refused['type'], 'connection_test_failed')
  assert.match(refused['message'] ?? '', /refused this credential/)
})

/** Opens the Connect UI; the page keeps every event that it is told. */
const openUi = async (world: NangoWorld, token: string, more = ''): Promise<FrameLocator> => {
  await world.visit(`window.ui = new Nango({ host, connectSessionToken: '${token}' }).openConnectUI({
    baseURL: host, apiURL: host, onEvent: event => { events.push(event) }, ${more}
  }); return true`)
  await world.page.click('#go')
  return world.page.frameLocator('#connect-ui')
}
const events = (world: NangoWorld) => world.page.evaluate('events') as Promise<{ type: string; payload?: unknown }[]>

test('the Connect UI in a frame: picks, connects in a popup, tells the app, and closes', { skip }, async t => {
  const world = await startNangoWorld(t)
  const token = await world.session({ allowed_integrations: ['github', 'notion'] })
  const frame = await openUi(world, token)
  await frame.getByText('Pick the account').waitFor()
  const names = await frame.getByRole('button', { name: /^Connect: / }).allTextContents()
  assert.equal(names.length, 2)
  const [popup] = await Promise.all([
    world.page.waitForEvent('popup'),
    frame.getByRole('button', { name: 'Connect: Notion' }).click(),
  ])
  await approve(popup)
  await frame.getByRole('heading', { name: 'Notion is connected' }).waitFor()
  const [row] = await rows(world)
  assert.deepEqual(await events(world), [
    { type: 'ready' },
    {
      type: 'connect',
      payload: { providerConfigKey: 'notion', connectionId: row?.connectionId, isPending: false },
    },
  ])
  // The click takes its own frame away, so nobody waits for its end.
  void frame
    .getByRole('button', { name: 'Finish' })
    .click()
    .catch(() => {})
  await world.page.waitForFunction("document.querySelector('#connect-ui') === null")
  assert.equal((await events(world)).at(-1)?.type, 'close')
  // The token was in no address.
  assert.ok(world.addresses.every(address => !address.includes(token)))
})

test('the Connect UI tells of what goes wrong: a key that is refused, a session that is over, a popup that is denied', {
  skip,
}, async t => {
  const world = await startNangoWorld(t)
  const token = await world.session({ allowed_integrations: ['github'] })
  const frame = await openUi(world, token)
  await frame.getByText('Personal access token').first().click()
  await frame.getByLabel('Personal access token').fill('wrong')
  await frame.getByRole('button', { name: 'Connect GitHub with this' }).click()
  await frame.getByText('refused this credential').waitFor()
  const [popup] = await Promise.all([
    world.page.waitForEvent('popup'),
    frame.getByRole('button', { name: 'Connect: GitHub' }).click(),
  ])
  await popup.getByRole('button', { name: 'Deny' }).click()
  await frame.getByText('declined at the provider').waitFor()
  const told = (await events(world)).filter(each => each.type === 'error') as { payload: { errorType: string } }[]
  assert.deepEqual(
    told.map(each => each.payload.errorType),
    ['connection_test_failed', 'callback_err'],
  )
  await openUi(world, `nango_connect_session_${'0'.repeat(64)}`)
  await frame.getByText('not known here, or it is over').waitFor()
})

test('a page of an origin that is not listed cannot frame the page, nor have a session shown in it', {
  skip,
}, async t => {
  const world = await startNangoWorld(t)
  // As in production: nothing is allowed but what is listed.
  const policy = async (path: string) => (await fetch(world.hub.origin + path)).headers
  const framed = await policy('/?apiURL=x')
  assert.match(framed.get('content-security-policy') ?? '', /frame-ancestors 'self' http:\/\/localhost:\*/)
  assert.equal(framed.get('x-frame-options'), null)
  const plain = await policy('/')
  assert.match(plain.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
  assert.equal(plain.get('x-frame-options'), 'DENY')
  const token = await world.session()
  const asked = await getJson<{ error: { message: string } }>(
    `${world.hub.origin}/connect/choices?origin=https://evil.example`,
    { authorization: `Bearer ${token}` },
  )
  assert.equal(asked.status, 403)
  assert.match(asked.body.error.message, /env allow-origin https:\/\/evil\.example/)
})

test('the link of a session: by keyboard alone, its token gone from the address at once, and kept for a reload', {
  skip,
}, async t => {
  const world = await startNangoWorld(t)
  const { page, hub } = world
  const token = await world.session({ allowed_integrations: ['github'] })
  await page.goto(`${hub.origin}/connect/?session_token=${token}`)
  await page.getByText('Pick the account').waitFor()
  assert.equal(page.url(), `${hub.origin}/connect/`)
  await page.reload()
  await page.getByText('Pick the account').waitFor()
  for (let step = 0; step < 10; step++) {
    await page.keyboard.press('Tab')
    if ((await page.evaluate('document.activeElement.ariaLabel')) === 'Connect: GitHub') break
  }
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.keyboard.press('Enter')])
  await approve(popup)
  await page.getByRole('heading', { name: 'GitHub is connected' }).waitFor()
  assert.equal(await page.evaluate('document.activeElement.textContent'), 'GitHub is connected')
  const later = world.addresses.slice(1).filter(address => address.includes(token))
  assert.deepEqual(later, [])
  // So is the address that the vendor's own page would have.
  const root = await page.context().newPage()
  await root.goto(`${hub.origin}/?session_token=${token}`)
  await root.getByText('Pick the account').waitFor()
  assert.equal(root.url(), `${hub.origin}/connect/`)
  // Without a link the page says where it is from; with a session that allows nothing, what to do.
  const fresh = await page.context().newPage()
  await fresh.goto(`${hub.origin}/connect`)
  await fresh.getByText('opened by a link of the app').waitFor()
  const nothing = await world.session({ allowed_integrations: [] })
  await fresh.goto(`${hub.origin}/connect/?session_token=${nothing}`)
  await fresh.getByText('nothing to connect yet').waitFor()
})

test('whoever opened the window is told by a message as well, and the window of a failure says the same', {
  skip,
}, async t => {
  const world = await startNangoWorld(t)
  const { hub, page } = world
  const link = (integration: string) =>
    `${hub.origin}/oauth/connect/${integration}?public_key=${hub.publicKey}&connection_id=a`
  const heard = `const heard = new Promise(done => window.addEventListener('message', event => done([event.origin === host, event.data])))`
  await world.visit(`${heard}; window.open('${link('github')}'); return heard`)
  const popup = await world.popup()
  await popup.getByRole('button', { name: 'Approve' }).click()
  assert.deepEqual(await world.outcome(), [
    true,
    { type: 'nango_oauth_callback_success', payload: { message: 'The account is connected.' } },
  ])
  await world.visit(`${heard}; window.open('${link('nope')}'); return heard`)
  const failed = await world.popup()
  const [, said] = (await world.outcome()) as [
    boolean,
    { type: string; payload: { errorType: string; message: string } },
  ]
  assert.deepEqual([said.type, said.payload.errorType], ['nango_oauth_callback_error', 'unknown_config_key'])
  assert.ok((await failed.textContent('main'))?.includes('There is no integration'))
  // Another page of the hub hears it on the channel.
  await page.goto(`${hub.origin}/docs`)
  await page.evaluate(
    "window.channel = new BroadcastChannel('nango-oauth-callback'); channel.onmessage = event => { window.told = event.data.type }",
  )
  const other = await page.context().newPage()
  await other.goto(link('nope'))
  // A browser that is busy may have opened the channel after the page spoke.
  const told = () => page.waitForFunction('window.told', undefined, { timeout: 5_000 })
  const heardOf = await told().catch(async () => {
    await other.reload()
    return told()
  })
  assert.equal(await heardOf.jsonValue(), 'nango_oauth_callback_error')
})

test('in production a listed origin may frame the page, and a message goes to listed origins only', {
  skip,
}, async t => {
  const hub = await startServing(t)
  const { storage, firstEnvironment } = hub.rooms
  const app = await startApp(t)
  const html = `<iframe src="${hub.origin}/?apiURL=x"></iframe>
<script>window.heard = []; window.addEventListener('message', event => heard.push(event.data.type))</script>`
  const page = await (await openBrowser(t)).newPage()
  t.after(() => page.context().close())
  await page.goto(app.page('/', html))
  await page.waitForTimeout(500)
  assert.deepEqual(await page.evaluate('heard'), [])
  await storage.allow(firstEnvironment.id, 'origin', app.origin)
  await page.reload()
  await page.waitForFunction("heard[0] === 'ready'")
  const policy = (await fetch(`${hub.origin}/connect/`)).headers.get('content-security-policy') ?? ''
  assert.match(policy, new RegExp(`frame-ancestors 'self' ${app.origin};`))
  const failed = await (await fetch(`${hub.origin}/oauth/connect/x?public_key=${firstEnvironment.publicKey}`)).text()
  assert.ok(failed.includes(`data-origins="${hub.origin} ${app.origin}"`))
})
