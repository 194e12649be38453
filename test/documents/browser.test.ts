/** The documents' JavaScript in a real browser: a page of an app, with the hub's own SDK. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { startApp } from '../../packages/web/test/servers.ts'
import { call, initiate } from '../alloy/hub.ts'
import { openBrowser, skip } from '../browser/chromium.ts'
import { Browser, freePorts } from '../harness.ts'
import { fence } from './fences.ts'
import { redirects } from './preludes.ts'
import { authorized, type KeyedHub, startKeyedHub, startTypescript } from './run.ts'

interface World {
  readonly hub: KeyedHub
  readonly page: Page
  readonly app: Awaited<ReturnType<typeof startApp>>
  readonly uncaught: string[]
  readonly jwt: string
}

const setUp = async (t: TestContext): Promise<World> => {
  const hub = await startKeyedHub(t)
  hub.sandbox.set('notion', { autoApprove: true })
  const app = await startApp(t)
  const page = await (await openBrowser(t)).newPage()
  page.setDefaultTimeout(15_000)
  const uncaught: string[] = []
  page.on('pageerror', error => uncaught.push(error.message))
  const { body } = await call<{ token: string }>(hub, 'GET', '/users/me/token', undefined, authorized(hub))
  return { hub, app, page, uncaught, jwt: body.token }
}

/** A page with the hub's SDK, and a button whose click runs `act`. */
const connects = ({ hub, jwt }: World, first: string, act: string) => `<button>Connect</button>
<script src="${hub.origin}/sdk/alloy.js"></script>
<script>
const jwtToken = ${JSON.stringify(jwt)}
${first}
document.querySelector('button').onclick = async () => {
${act}
}
</script>`

/** A line that the page writes itself; the browser has lines of its own. */
const nextLine = (page: Page) =>
  page.waitForEvent('console', { predicate: line => !line.text().startsWith('Failed to load resource') })

/** Clicks, lets the popup run by itself, and gives the line that the page logs. */
const logged = async ({ page }: World): Promise<string> => {
  const line = nextLine(page)
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('button')])
  const text = (await line).text()
  if (!popup.isClosed()) await popup.waitForEvent('close')
  return text
}

test('authenticate without await, then connect: the connection id is logged', { skip }, async t => {
  const world = await setUp(t)
  const { page, app, uncaught, hub } = world
  await page.goto(app.page('/', connects(world, fence(t, '000-05'), fence(t, '000-06'))))
  assert.match(await logged(world), /^Connection ID: conn_[0-9a-f]{24}$/)
  assert.deepEqual(uncaught, [])
  // The person who declines is told of by onError.
  hub.sandbox.set('notion', { deny: true })
  const [line] = await Promise.all([nextLine(page), page.click('button')])
  assert.equal(line.type(), 'error')
  assert.match(line.text(), /^Connection failed: .*declined/)
})

test('await authenticate, then connect: the connection id is logged', { skip }, async t => {
  const world = await setUp(t)
  await world.page.goto(world.app.page('/', connects(world, '', fence(t, '001-11'))))
  assert.match(await logged(world), /^Connection ID: conn_[0-9a-f]{24}$/)
  assert.deepEqual(world.uncaught, [])
})

test('an API key in a page is refused before any request', { skip }, async t => {
  const { hub, page, app, uncaught } = await setUp(t)
  const requests: string[] = []
  page.on('request', request => requests.push(new URL(request.url()).pathname))
  const html = `<script src="${hub.origin}/sdk/alloy.js"></script>
<script type="module">
const API_KEY = ${JSON.stringify(hub.key)}
${fence(t, '003-05')}
</script>`
  const thrown = page.waitForEvent('pageerror')
  await page.goto(app.page('/', html))
  assert.match((await thrown).message, /^That is an API key\. It must never be in a page/)
  assert.equal(uncaught.length, 1)
  assert.ok(!uncaught[0]?.includes(hub.key))
  assert.deepEqual(
    requests.filter(path => path !== '/favicon.ico'),
    ['/', '/sdk/alloy.js'],
  )
})

test('the browser is sent to oauthUrl, by the page or by the server', { skip }, async t => {
  const { hub, app, page } = await setUp(t)
  const text = fence(t, '001-03')
  const redirectUri = app.page('/oauth/callback', '<h1>Back</h1>')
  const begin = async () => (await initiate(hub, { redirectUri }, 'notion', authorized(hub))).oauthUrl
  const { before } = redirects.page
  await page.goto(
    app.page('/', `<script>\n${before}const oauthUrl = ${JSON.stringify(await begin())}\n${text}\n</script>`),
  )
  await page.waitForURL(`${redirectUri}?**`)
  assert.ok(new URL(page.url()).searchParams.get('code'))

  const port = String(await freePorts())
  const oauthUrl = await begin()
  const server = startTypescript(t, redirects.server.before + text + redirects.server.after, {
    PORT: port,
    OAUTH_URL: oauthUrl,
  })
  await server.seen(/listening/)
  const browser = new Browser()
  const { url } = await browser.follow(`http://localhost:${port}/`, next => next.startsWith(redirectUri))
  assert.equal(browser.hops[0]?.location, oauthUrl)
  assert.ok(new URL(url).searchParams.get('code'))
})
