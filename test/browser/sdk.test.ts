/** The browser SDK in a real browser: an app on one site, a hub on another, a provider behind it. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { type StartHub, startSmallHub } from '../../packages/web/test/hub.ts'
import { calls, forms, type Options, startWorld } from '../../packages/web/test/world.ts'
import { openBrowser, skip } from './chromium.ts'
import { startRealHub } from './real-hub.ts'

const setUp = async (t: TestContext, startHub: StartHub, options: Omit<Options, 'browser'> & Partial<Options> = {}) =>
  startWorld(t, startHub, { ...options, browser: options.browser ?? (await openBrowser(t)) })

const authenticated = 'alloy.authenticate(jwtToken)'
const plain = "window.flow = alloy.connect('notion', callbacks)"

/** An outcome in flight: the page waits at the hub's door. */
const waiting = (page: Page) => page.waitForRequest(request => request.url().endsWith('/sdk/outcome'))

const connected = /^success (conn_)?[0-9a-f]{24},close$/

const hubs: readonly (readonly [name: string, start: StartHub])[] = [
  ['the contract', startSmallHub],
  ['the hub', startRealHub],
]

for (const [name, startHub] of hubs) {
  /** A test of the SDK and the hub. */
  const check = (
    title: string,
    run: (t: TestContext) => Promise<void>,
    against: readonly StartHub[] = [startRealHub],
  ) => {
    if (against.includes(startHub)) test(`${title} (${name})`, { skip }, run)
  }
  /** Against the small hub as well, which refuses whatever the contract has not. */
  const checkBoth = (title: string, run: (t: TestContext) => Promise<void>) =>
    check(title, run, [startSmallHub, startRealHub])
  /** What only the small one has: sessions that live as long as a test says, and a provider that cuts the popup off. */
  const checkSmall = (title: string, run: (t: TestContext) => Promise<void>) => check(title, run, [startSmallHub])

  checkBoth('the documents: authenticate without await, connect, and the connection id is logged', async t => {
    const world = await setUp(t, startHub)
    const { app, page, hub, popup, visit, uncaught } = world
    await visit(`
   alloy.authenticate(jwtToken);
   alloy.connect('notion', {
     onSuccess: (connectionId) => {
       console.log('Connection ID:', connectionId);
       // Save this connection ID to your backend/database
     },
     onError: (error) => {
       console.error('Connection failed:', error);
     }
   });`)
    const opened = await popup()
    const logged = page.waitForEvent('console')
    const closed = opened.waitForEvent('close')
    await hub.approve(opened)
    assert.match((await logged).text(), /^Connection ID: (conn_)?[0-9a-f]{24}$/)
    await closed
    assert.deepEqual(uncaught, [])
    // The hub was told whose page it is, by a form; nothing was asked twice, and no secret was in an address.
    assert.deepEqual(calls(world).sort(), ['/sdk/outcome', '/sdk/start'])
    assert.deepEqual(
      forms(world).map(each => each.headers.origin),
      [app.origin],
    )
    assert.ok(world.secrets.length > 1)
    assert.ok(world.asked('POST').every(each => each.headers.cookie === undefined))
  })

  checkBoth('the documents: await authenticate, then connect', async t => {
    const { page, hub, popup, visit, uncaught } = await setUp(t, startHub)
    await visit(`
// Authenticate with JWT token from backend
await alloy.authenticate(jwtToken);

// Connect to integration
alloy.connect('notion', {
  onSuccess: (connectionId) => {
    console.log('Connection ID:', connectionId);
  },
  onError: (error) => {
    console.error('Error:', error);
  },
});`)
    const opened = await popup()
    const logged = page.waitForEvent('console')
    await hub.approve(opened)
    assert.match((await logged).text(), /^Connection ID: (conn_)?[0-9a-f]{24}$/)
    assert.deepEqual(uncaught, [])
  })

  checkBoth('the module connects with a session of the back end; the promise has all the ids', async t => {
    const { page, hub, app, seen, uncaught } = await setUp(t, startHub)
    const html = `<button>Connect</button><script type="module">
import { connect } from '${hub.origin}/sdk/mortise.js'
document.querySelector('button').onclick = async () => {
  window.result = await connect({ session: '${await hub.session()}' })
}</script>`
    await page.goto(app.page('/module', html))
    const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('button')])
    await hub.approve(popup)
    const result = await (await page.waitForFunction('window.result')).jsonValue()
    const { connectionId, credentialId, ...rest } = result as Record<string, string>
    assert.match(String(connectionId), /^(conn_)?[0-9a-f]{24}$/)
    assert.match(String(credentialId), /^((conn|cred)_)?[0-9a-f]{24}$/)
    assert.deepEqual(rest, { connectorId: 'notion', integrationId: 'notion' })
    assert.deepEqual(uncaught, [])
    assert.ok(seen.every(each => each.headers['x-alloy-user-token'] === undefined))
  })

  check('while the hub is asked the popup says so; connecting again gives the same connection', async t => {
    const { page, hub, popup, visit, told } = await setUp(t, startHub)
    const go = Promise.withResolvers<void>()
    await page.route('**/sdk/start', async route => {
      await go.promise
      await route.continue()
    })
    await visit(plain, authenticated)
    const opened = await popup()
    assert.equal(opened.url(), 'about:blank')
    assert.equal(await opened.textContent('body'), 'Connecting...')
    assert.equal(await opened.title(), 'Connecting...')
    go.resolve()
    await hub.approve(opened)
    const [first, ...rest] = await told()
    assert.deepEqual(rest, ['close'])
    await page.evaluate('told.length = 0')
    await hub.approve(await popup())
    assert.deepEqual(await told(), [first, 'close'])
  })

  check('a person who declines: the hub says so, the popup stays with its words, and nothing is unhandled', async t => {
    const { hub, page, popup, visit, told, uncaught } = await setUp(t, startHub)
    await visit(plain, authenticated)
    const opened = await popup()
    await hub.deny(opened)
    const [first, ...rest] = await told()
    assert.match(String(first), /^error authorization_denied: .*declined/)
    assert.deepEqual(rest, ['close'])
    assert.equal(await page.evaluate('flow.catch(error => error.code)'), 'authorization_denied')
    assert.deepEqual(uncaught, [])
    assert.equal(opened.isClosed(), false)
  })

  check('without onError a failure is not lost: the promise rejects', async t => {
    const { hub, page, popup, visit } = await setUp(t, startHub)
    await visit("alloy.connect('notion')", authenticated)
    const lost = page.waitForEvent('pageerror')
    await hub.deny(await popup())
    assert.match((await lost).message, /declined/)
  })

  check('what the hub refuses closes the popup, with its own words', async t => {
    const world = await setUp(t, startHub)
    const { popup, visit, told } = world
    await visit("alloy.connect('notoin', callbacks)", authenticated)
    const opened = await popup()
    if (!opened.isClosed()) await opened.waitForEvent('close')
    assert.match((await told()).join(), /^error \w+: .*notoin.*,close$/)
    assert.deepEqual(calls(world), ['/sdk/start'])
  })

  check('a blocked popup is told with the way out, and nothing is asked', async t => {
    const browser = await openBrowser(t, { without: ['--disable-popup-blocking'] })
    const world = await setUp(t, startHub, { browser })
    const { visit, told, uncaught } = world
    await visit('', `${authenticated}; ${plain}`)
    assert.match((await told()).join(), /^error popup_blocked: .*click handler.*mode: 'page'\.,close$/)
    assert.deepEqual(uncaught, [])
    assert.deepEqual(calls(world), [])
  })

  checkSmall('a provider that cuts the popup off (COOP) is survived', async t => {
    const { page, hub, popup, visit, told } = await setUp(t, startHub)
    await visit(
      `const open = window.open
window.open = (...args) => { window.popup = open(...args); return window.popup }
window.flow = alloy.connect('${hub.coop}', callbacks)`,
      authenticated,
    )
    const opened = await popup()
    await opened.getByRole('button', { name: 'Approve' }).waitFor()
    // The browser tells the app that the window is closed, though the person looks at it.
    await page.waitForFunction('popup.closed')
    assert.deepEqual(await page.evaluate('told'), [])
    await hub.approve(opened)
    assert.match((await told()).join(), connected)
  })

  check(
    'an app under strict headers: no referrer, its own opener policy, scripts, fetches and forms listed',
    async t => {
      const world = await setUp(t, startHub)
      const { app, hub, popup, visit, told } = world
      const policy = `default-src 'none'; script-src 'unsafe-inline' ${hub.origin}; connect-src ${hub.origin}; form-action ${hub.origin}`
      await visit(plain, authenticated, {
        'content-security-policy': policy,
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
      })
      await hub.approve(await popup())
      assert.match((await told()).join(), connected)
      assert.equal(forms(world)[0]?.headers.origin, app.origin)
    },
  )

  checkBoth('on the whole page: there, back, resumed once, and the address is clean again', async t => {
    const { app, hub, page, visit, uncaught } = await setUp(t, startHub)
    const resume = `${authenticated}
window.resumed = alloy.resume(callbacks).then(connection => connection ?? 'nothing')`
    await visit(
      `window.flow = alloy.connect('notion', { ...callbacks, mode: 'page', params: ${name === 'the hub' ? '{}' : "{ workspace: 'a' }"} })`,
      resume,
      { 'referrer-policy': 'no-referrer' },
    )
    const address = `${app.origin}/app?tab=2&name=a%20b`
    await page.goto(`${address}#accounts`)
    assert.equal(await page.evaluate('resumed'), 'nothing')
    assert.deepEqual(await page.evaluate('told'), [])
    await page.click('button')
    await hub.approve(page)
    await page.waitForURL(/mortise=done/)
    const connection = (await page.evaluate('resumed')) as Record<string, string>
    assert.deepEqual(await page.evaluate('told'), [`success ${connection['connectionId']}`, 'close'])
    assert.equal(connection['connectorId'], 'notion')
    assert.equal(page.url().replace('a+b', 'a%20b'), address)
    assert.equal(await page.evaluate('sessionStorage.length'), 0)
    // Reloaded, or opened by somebody else with the mark: there is nothing to finish.
    await page.goto(`${address}&mortise=done`)
    assert.equal(await page.evaluate('resumed'), 'nothing')
    assert.deepEqual(await page.evaluate('told'), [])
    assert.deepEqual(uncaught, [])
  })

  check("back by the browser's own button ends the flow on the whole page", async t => {
    const browser = await openBrowser(t, { without: ['--disable-back-forward-cache'] })
    const world = await setUp(t, startHub, { browser })
    const { page, visit, told } = world
    await visit("window.flow = alloy.connect('notion', { ...callbacks, mode: 'page' })", authenticated)
    await page.click('button')
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    await page.evaluate('setTimeout(() => history.back())')
    await page.waitForURL(/\/app$/, { waitUntil: 'commit' })
    assert.deepEqual(await told(), ['close'])
    assert.deepEqual(calls(world), ['/sdk/start'])
  })

  check('a hub that is restarted while the page waits', async t => {
    const { hub, page, popup, visit, told, uncaught } = await setUp(t, startHub)
    await visit(plain, authenticated)
    const asked = waiting(page)
    const opened = await popup()
    await opened.getByRole('button', { name: 'Approve' }).waitFor()
    await asked
    const cut = page.waitForEvent('requestfailed')
    await hub.stop()
    await cut
    const again = waiting(page)
    await hub.start()
    await again
    await hub.approve(opened)
    assert.match((await told()).join(), connected)
    assert.deepEqual(uncaught, [])
  })

  checkSmall('a hub that never comes back is given up when the session has expired, not before', async t => {
    const { hub, page, popup, visit, told } = await setUp(t, startHub, { sessionLife: 60_000 })
    await page.clock.install()
    await visit(plain, authenticated)
    const asked = waiting(page)
    const opened = await popup()
    await opened.getByRole('button', { name: 'Approve' }).waitFor()
    await asked
    const failures: string[] = []
    page.on('requestfailed', request => failures.push(request.url()))
    const failed = page.waitForEvent('requestfailed')
    await hub.stop()
    await failed
    // Each pause is at most five seconds: twelve of them fill the session's minute.
    while (!(await page.evaluate("told.includes('close')"))) {
      const next = page.waitForEvent('requestfailed', { timeout: 2000 }).catch(() => undefined)
      await page.clock.runFor(5000)
      await next
    }
    assert.match((await told()).join(), /^error hub_unreachable: .*did not answer until.*,close$/)
    assert.ok(failures.length > 10, `it gave up after ${failures.length}`)
  })

  checkSmall('a session that nobody finishes', async t => {
    const { popup, visit, told } = await setUp(t, startHub, { sessionLife: 1500 })
    await visit(plain, authenticated)
    await popup()
    assert.match((await told()).join(), /^error session_expired: .+,close$/)
  })

  check('no hub where the page was told: said with the address and the origin to allow', async t => {
    const { app, page, popup, visit, told } = await setUp(t, startHub)
    await visit(plain, `${authenticated}; alloy.setHub('http://localhost:9/')`)
    const opened = await popup()
    if (!opened.isClosed()) await opened.waitForEvent('close')
    const [first] = await told()
    assert.match(String(first), /^error hub_unreachable: No hub answered at http:\/\/localhost:9\./)
    assert.ok(first?.includes(app.origin))
    assert.equal(page.context().pages().length, 1)
  })

  check('an API key in the page is refused before any request, and said once in the console', async t => {
    const { page, hub, visit, told, uncaught, written, seen } = await setUp(t, startHub)
    await visit('', `alloy.authenticate('mortise_sk_' + 'a1B2'.repeat(12)); ${plain}`)
    assert.match((await told()).join(), /^error api_key_in_page: .*GET \/users\/\{id\}\/token.*,close$/)
    assert.equal(page.context().pages().length, 1)
    assert.deepEqual(uncaught, [])
    assert.equal(written.length, 1)
    assert.match(String(written[0]), /API key/)
    assert.deepEqual(
      seen.filter(each => each.origin === hub.origin).map(each => each.path),
      ['/sdk/alloy.js'],
    )
  })

  check('an expired JWT is refused before any request', async t => {
    const { hub, visit, told, uncaught, seen } = await setUp(t, startHub, { token: -600 })
    await visit('', `${authenticated}; ${plain}`)
    assert.match((await told()).join(), /^error token_expired: This JWT expired at 20.*,close$/)
    assert.deepEqual(uncaught, [])
    assert.deepEqual(
      seen.filter(each => each.origin === hub.origin).map(each => each.path),
      ['/sdk/alloy.js'],
    )
  })

  check('cancel closes the popup, calls onClose alone, and asks no more', async t => {
    const world = await setUp(t, startHub)
    const { page, popup, visit, told, uncaught } = world
    await page.clock.install()
    await visit(plain, authenticated)
    const asked = waiting(page)
    const opened = await popup()
    await opened.getByRole('button', { name: 'Approve' }).waitFor()
    await asked
    const cut = page.waitForEvent('requestfailed')
    const closed = opened.waitForEvent('close')
    await page.evaluate('flow.cancel()')
    await Promise.all([cut, closed])
    await page.evaluate('flow.cancel()')
    assert.equal(await page.evaluate('flow.catch(error => error.code)'), 'cancelled')
    // Time enough to ask again; what the page asks after that comes after it.
    await page.clock.runFor(60_000)
    await page.evaluate("fetch('/app').then(answer => answer.text())")
    assert.deepEqual(await told(), ['close'])
    assert.deepEqual(uncaught, [])
    assert.deepEqual(calls(world), ['/sdk/start', '/sdk/outcome'])
  })

  check('a popup closed by hand before it went anywhere ends the flow', async t => {
    const world = await setUp(t, startHub)
    const { page, popup, visit, told, uncaught } = world
    const go = Promise.withResolvers<void>()
    await page.route('**/sdk/start', async route => {
      await go.promise
      await route.continue()
    })
    await visit(plain, authenticated)
    await (await popup()).close()
    go.resolve()
    assert.deepEqual(await told(), ['close'])
    assert.deepEqual(uncaught, [])
    assert.deepEqual(calls(world), ['/sdk/start'])
  })

  check("an app's callback that throws breaks nothing, and is reported as the app's", async t => {
    const { hub, page, popup, visit, uncaught } = await setUp(t, startHub)
    await visit(
      `window.flow = alloy.connect('notion', {
  onSuccess() { throw new Error('of the app') },
  onClose() { told.push('close'); throw new Error('of the app too') },
})`,
      authenticated,
    )
    await hub.approve(await popup())
    assert.match(String(await page.evaluate('flow.then(each => each.connectionId)')), /^(conn_)?[0-9a-f]{24}$/)
    while (uncaught.length < 2) await page.waitForEvent('pageerror')
    assert.deepEqual(uncaught, ['of the app', 'of the app too'])
    assert.deepEqual(await page.evaluate('told'), ['close'])
  })
}
