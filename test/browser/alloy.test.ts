/**
 * The vendor's published browser client (alloy-frontend), both versions, unmodified, in a real browser: its hosts are mapped to
 * the hub, behind TLS with a certificate that this browser alone takes.
 */
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { build } from 'esbuild'
import type { Browser, BrowserContext, FrameLocator, Page } from 'playwright-core'
import { startApp } from '../../packages/web/test/servers.ts'
import { addEndUser } from '../../src/core/users.ts'
import { issueJwt } from '../../src/http/jwt.ts'
import { later, startTestHub, type TestHub } from '../harness.ts'
import { startFront } from '../tls.ts'
import { openBrowser, skip } from './chromium.ts'

const host = 'https://app.runalloy.com'
const ends: (() => unknown)[] = []
const t = { after: (end: () => unknown) => void ends.push(end) }
const key = 'a-secret-key-of-the-test-32-characters'
let hub: TestHub
let browser: Browser
let user: Awaited<ReturnType<typeof addEndUser>>

before(async () => {
  if (skip) return
  const also = [host, 'https://embedded.runalloy.com']
  hub = await startTestHub(t, { env: { MORTISE_SECRET_KEY: key, MORTISE_ALSO_KNOWN_AS: also.join(',') } })
  const { context } = hub.rooms.hub
  user = await addEndUser(context, hub.rooms.firstEnvironment.id, { username: 'ada' })
  const names = also.map(each => new URL(each).host)
  const front = await startFront(t, Number(new URL(hub.origin).port), names)
  const mapped = names.map(name => `MAP ${name}:443 127.0.0.1:${front.port}`)
  browser = await openBrowser(t as { after(end: () => Promise<void>): void }, {
    args: [
      `--host-resolver-rules=${[...mapped, 'MAP *.example 127.0.0.1'].join(', ')}`,
      `--ignore-certificate-errors-spki-list=${front.pin}`,
    ],
  })
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

const bundled = new Map<string, Promise<string>>()
const client = (name: string): Promise<string> => {
  const made =
    bundled.get(name) ??
    build({
      stdin: { contents: `export { default } from '${name}'`, resolveDir: '.' },
      bundle: true,
      format: 'iife',
      globalName: 'vendor',
      write: false,
    }).then(({ outputFiles }) => outputFiles[0]?.text ?? '')
  bundled.set(name, made)
  return made
}

interface World {
  readonly page: Page
  readonly context: BrowserContext
  readonly jwt: string
  /** Every address asked for, with the Referer sent. */
  readonly asked: { url: string; referer: string | undefined }[]
  /** What the page's callback was given. */
  called(): Promise<unknown>
  /** What came to the page by postMessage. */
  heard(): Promise<unknown>
  frame: FrameLocator
}

const jwtOf = async (seconds = 3600, purpose: 'page' | 'link' = 'page'): Promise<string> => {
  const { context } = hub.rooms.hub
  const clock = { now: () => new Date(Date.now() - 3_600_000 + seconds * 1000) }
  return (await issueJwt({ ...context, clock }, hub.rooms.firstEnvironment, user, purpose)).token
}

/** The app's page, whose script has run `act` with the client as `alloy` and a callback. */
const visit = async (
  end: TestContext,
  act: string,
  { version = 'alloy-frontend', jwt, site }: { version?: string; jwt?: string; site?: string } = {},
): Promise<World> => {
  const token = jwt ?? (await jwtOf())
  const app = await startApp(end)
  const context = await browser.newContext()
  context.setDefaultTimeout(20_000)
  end.after(() => context.close())
  const page = await context.newPage()
  const asked: World['asked'] = []
  context.on('request', request => asked.push({ url: request.url(), referer: request.headers()['referer'] }))
  const html = `<meta charset="utf-8"><body>
<script>${(await client(version)).replaceAll('</script', '<\\/script')}</script>
<script>
const called = [], heard = []
addEventListener('message', event => heard.push([event.origin, event.data]))
const callback = response => { called.push(response) /* & # ? */ }
const alloy = vendor.default()
alloy.setToken('${token}')
${act}
</script>`
  const address = app.page('/', html)
  await page.goto(site === undefined ? address : address.replace('127.0.0.1', site))
  return {
    page,
    context,
    jwt: token,
    asked,
    called: () => page.evaluate('called'),
    heard: () => page.evaluate('heard'),
    frame: page.frameLocator('iframe'),
  }
}
const connect = async ({ page, frame }: World, name = 'Notion'): Promise<Page> => {
  const button = frame.getByRole('button', { name: `Connect: ${name}` })
  const [popup] = await Promise.all([page.waitForEvent('popup'), button.click()])
  return popup
}
const gone = (page: Page) => page.waitForFunction("document.querySelector('iframe') === null")
const rows = () => hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, { endUserId: user.id })

for (const version of ['alloy-frontend', 'alloy-frontend-v1']) {
  test(`authenticate: a frame, a popup, one message, and the ids (${version})`, { skip }, async end => {
    const world = await visit(end, "alloy.authenticate({ app: 'notion', callback })", { version })
    const { page, context, jwt, asked } = world
    const popup = await connect(world)
    await popup.waitForURL(/authorize/)
    // The JWT was in the address of the frame that the client made, and is in none since.
    const [frame] = page.frames().filter(each => each !== page.mainFrame())
    assert.equal(frame?.url(), `${host}/authenticate-app`)
    const shown = asked.filter(each => each.url.includes(jwt))
    assert.deepEqual(
      shown.map(each => new URL(each.url).pathname),
      ['/authenticate-app'],
    )
    assert.ok(asked.every(each => each.referer === undefined || !each.referer.includes('token=')))
    assert.ok(!(await frame?.evaluate('document.documentElement.outerHTML + location.href'))?.toString().includes(jwt))
    // The attempt's cookies are the popup's own, at the hub's address; the frame has none.
    const cookies = (await context.cookies()).filter(each => each.name.includes('mortise_'))
    assert.deepEqual([...new Set(cookies.map(each => each.domain))], ['localhost'])
    assert.ok(cookies.length > 0 && cookies.every(each => !('partitionKey' in each)))
    const closed = popup.waitForEvent('close')
    await popup.getByRole('button', { name: 'Approve' }).click()
    await gone(page)
    const [row] = await rows()
    const id = row?.connectionId
    assert.deepEqual(await world.called(), [{ success: true, connectionId: id, credentialId: id }])
    assert.deepEqual(await world.heard(), [[host, { connectionStatus: 'success', connectionId: id, credentialId: id }]])
    await closed
  })

  test(`authenticate: a refusal at the provider, and a person who closes it (${version})`, { skip }, async end => {
    const world = await visit(end, "alloy.authenticate({ app: 'notion', callback })", { version })
    await (await connect(world)).getByRole('button', { name: 'Deny' }).click()
    await gone(world.page)
    await world.page.evaluate("alloy.authenticate({ category: 'CRM', callback })")
    await world.frame.getByRole('button', { name: 'Connect: Salesforce' }).waitFor()
    assert.equal(await world.frame.getByRole('button', { name: /^Connect: / }).count(), 2)
    await world.frame.getByRole('button', { name: 'Close' }).click()
    await gone(world.page)
    assert.deepEqual(await world.called(), [{ success: false }, { success: false }])
    const failed = { closeModal: true, connectionStatus: 'failed' }
    assert.deepEqual(await world.heard(), [
      [host, failed],
      [host, failed],
    ])
  })

  test(`install: the same page, shown where the app hides it, and the success that it waits for (${version})`, {
    skip,
  }, async end => {
    const world = await visit(end, "alloy.install({ integrationId: 'notion', hide: true, callback })", { version })
    await (await connect(world)).getByRole('button', { name: 'Approve' }).click()
    await gone(world.page)
    assert.deepEqual(await world.called(), [{ success: true }])
    assert.deepEqual(await world.heard(), [
      [host, { showModal: true }],
      [host, { workflowCreated: true }],
    ])
    await world.page.evaluate("alloy.install({ workflowIds: ['1', '2'], callback })")
    await world.frame.getByText('This hub runs no workflows').waitFor()
    await world.frame.getByRole('button', { name: 'Close' }).click()
    await gone(world.page)
    assert.deepEqual(await world.called(), [{ success: true }, { success: false }])
  })

  test(`the fetchers: what there is, what there is none of, and what cannot be done (${version})`, {
    skip,
  }, async end => {
    const { page } = await visit(end, '', { version })
    assert.deepEqual(await page.evaluate('alloy.getWorkflows()'), { data: [] })
    const { data } = (await page.evaluate('alloy.getIntegrations()')) as { data: { id: string; installed: boolean }[] }
    assert.deepEqual(
      data.filter(each => each.installed).map(each => each.id),
      ['notion'],
    )
    for (const method of ['deactivate', 'reactivate']) {
      const said = (await page.evaluate(`alloy.${method}({ workflowId: '1' })`)) as { message: string }
      assert.match(said.message, /^This hub connects accounts and runs no workflows/)
    }
    await page.evaluate("alloy.setToken('no-jwt')")
    const refused = (await page.evaluate('alloy.getIntegrations()')) as { message: string }
    assert.match(refused.message, /^That is no JWT/)
  })
}

test('what stops the page before it begins is said in it, and told when it is closed', { skip }, async end => {
  const world = await visit(end, "alloy.authenticate({ app: 'notion', callback })", { jwt: await jwtOf(-10) })
  await world.frame.getByText('The JWT has expired').waitFor()
  assert.deepEqual(await world.heard(), [])
  await world.frame.getByRole('button', { name: 'Close' }).click()
  await gone(world.page)
  assert.deepEqual(await world.called(), [{ success: false }])
  const jwt = await jwtOf()
  await world.page.evaluate(`alloy.setToken('${jwt}'); alloy.authenticate({ app: 'notoin', callback })`)
  await world.frame.getByText('did you mean notion').waitFor()
})

test('a page around the frame that lets it stand is told once, whatever is clicked after', { skip }, async end => {
  const jwt = await jwtOf()
  const act = `document.body.append(Object.assign(document.createElement('iframe'), {
    src: '${host}/authenticate-app?token=${jwt}&app=notion', width: 400, height: 600 }))`
  const world = await visit(end, act, { jwt })
  await (await connect(world)).getByRole('button', { name: 'Deny' }).click()
  await world.frame.getByText('declined at the provider').waitFor()
  await world.frame.getByRole('button', { name: 'Close' }).click()
  await (await connect(world)).getByRole('button', { name: 'Approve' }).click()
  // It said that you can close it now.
  await world.frame.getByRole('heading', { name: 'Notion is connected' }).waitFor()
  assert.deepEqual(await world.heard(), [[host, { closeModal: true, connectionStatus: 'failed' }]])
})

test('only pages that the environment lists may have the page in a frame, or call by fetch', { skip }, async end => {
  const act = "alloy.authenticate({ app: 'notion', callback })"
  const { page } = await visit(end, act, { site: 'evil.example' })
  const refused = 'chrome-error://chromewebdata/'
  const framed = () =>
    page
      .frames()
      .find(each => each !== page.mainFrame())
      ?.url()
  for (const end = performance.now() + 20_000; framed() !== refused && performance.now() < end; ) await later(20)
  assert.equal(framed(), refused)
  await assert.rejects(page.evaluate('alloy.getIntegrations()'), /Failed to fetch/)
  const origin = new URL(page.url()).origin.replace('evil', 'shop')
  await hub.rooms.storage.allow(hub.rooms.firstEnvironment.id, 'origin', origin)
  const asked = await fetch(`${hub.origin}/authenticate-app?token=${await jwtOf()}`)
  assert.match(
    asked.headers.get('content-security-policy') ?? '',
    new RegExp(`; frame-ancestors 'self' http://localhost:\\* http://127\\.0\\.0\\.1:\\* ${origin};`),
  )
  assert.equal(asked.headers.get('referrer-policy'), 'no-referrer')
  await page.goto(page.url().replace('evil', 'shop'))
  await page.frameLocator('iframe').getByRole('button', { name: 'Connect: Notion' }).waitFor()
})

test('the link of install-url: in a window of its own, its token gone from the address, and kept for a reload', {
  skip,
}, async end => {
  const context = await browser.newContext()
  end.after(() => context.close())
  const page = await context.newPage()
  const asked = await fetch(`${hub.origin}/2023-01/users/ada/integrations/notion/install-url`, {
    headers: { authorization: `Bearer ${key}` },
  })
  const { url } = (await asked.json()) as { url: string }
  await page.goto(url)
  await page.getByText('Pick the account').waitFor()
  assert.equal(page.url(), `${hub.origin}/embedded-install`)
  await page.reload()
  await page.getByText('Pick the account').waitFor()
  const [popup] = await Promise.all([
    page.waitForEvent('popup'),
    page.getByRole('button', { name: 'Connect: Notion' }).click(),
  ])
  await popup.getByRole('button', { name: 'Approve' }).click()
  await page.getByRole('heading', { name: 'Notion is connected' }).waitFor()
  // Neither JWT does the other's work, and a page for frames is none for links.
  await page.goto(`${hub.origin}/embedded-install?integrationId=notion&token=${await jwtOf()}`)
  await page.getByText("not one of this hub's").waitFor()
  await page.goto(`${host}/authenticate-app?app=notion&token=${await jwtOf()}`)
  await page.getByText('opened in a frame').waitFor()
  const linked = await fetch(`${hub.origin}/authenticate-app?token=${await jwtOf(3600, 'link')}`)
  assert.equal(linked.status, 401)
})
