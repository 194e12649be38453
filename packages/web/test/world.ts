/** An app, a hub and a browser between them, with everything that was asked and said on record. */
import assert from 'node:assert/strict'
import { channel } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import type { TestContext } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { HubUnderTest, StartHub } from './hub.ts'
import { type App, startApp } from './servers.ts'

/** A page's own record of what it was told; `act` is what its button does. */
const pageOf = (hub: HubUnderTest, token: string, act: string, load = '') => `<meta charset="utf-8">
<button>Connect</button>
<script src="${hub.origin}/sdk/alloy.js"></script>
<script>
const told = []
const jwtToken = ${JSON.stringify(token)}
const callbacks = {
  onSuccess: connectionId => { told.push('success ' + connectionId) },
  onError: error => { told.push('error ' + error.code + ': ' + error.message) },
  onClose: () => { told.push('close') },
}
${load}
document.querySelector('button').onclick = async () => {
${act}
}
</script>`

/** One request, as the server that got it saw it. */
export interface Seen {
  readonly origin: string
  readonly method: string
  readonly path: string
  readonly headers: Readonly<IncomingMessage['headers']>
}

export interface World {
  readonly app: App
  readonly hub: HubUnderTest
  readonly page: Page
  /** Every request of the browser that a server of this process got: the app, the hub and its providers. */
  readonly seen: readonly Seen[]
  /** What must be in no address: the JWT, and the sessions that were sent. */
  readonly secrets: readonly string[]
  /** The requests that the hub got. */
  asked(method: string): Seen[]
  /** Uncaught errors and unhandled rejections of the app's page. */
  readonly uncaught: string[]
  /** What the page wrote to the console, but the browser's own lines. */
  readonly written: string[]
  /** Puts the app's page up and goes there. */
  visit(act: string, load?: string, headers?: Readonly<Record<string, string>>): Promise<void>
  /** Clicks the app's button and gives the popup. */
  popup(): Promise<Page>
  /** Waits until the flow is closed, and gives all that the callbacks were told. */
  told(): Promise<string[]>
}

export interface Options {
  readonly browser: Browser
  /** How long a session lives, in milliseconds. */
  readonly sessionLife?: number
  /** How long the JWT lives, in seconds. */
  readonly token?: number
}

export const startWorld = async (t: TestContext, startHub: StartHub, options: Options): Promise<World> => {
  const seen: Seen[] = []
  const requests = channel('http.server.request.start')
  const see = (message: unknown) => {
    const { request } = message as { request: IncomingMessage }
    const { method = '', url = '', headers } = request
    // The browser's alone: on a busy machine others knock at ports that once were theirs.
    if (headers['user-agent']?.includes('Chrome'))
      seen.push({ origin: `http://${headers.host}`, method, path: url, headers })
  }
  requests.subscribe(see)
  t.after(() => requests.unsubscribe(see))

  const app = await startApp(t)
  const { sessionLife } = options
  const hub = await startHub(t, { appOrigin: app.origin, ...(sessionLife === undefined ? {} : { sessionLife }) })
  const context = await options.browser.newContext()
  t.after(() => context.close())
  const page = await context.newPage()
  const token = await hub.token(options.token)
  const secrets = [token]
  const uncaught: string[] = []
  const written: string[] = []
  context.setDefaultTimeout(15_000)
  page.on('pageerror', error => uncaught.push(error.message))
  page.on('console', message => {
    if (!message.text().startsWith('Failed to load resource')) written.push(message.text())
  })
  context.on('request', request => {
    const form = new URLSearchParams(request.method() === 'POST' ? (request.postData() ?? '') : '')
    secrets.push(...form.getAll('session'))
  })
  // After every test: no secret was in any address, which logs keep and which travels on in Referer.
  t.after(() => {
    for (const { path, headers } of seen)
      for (const secret of secrets)
        assert.ok(!path.includes(secret) && !headers.referer?.includes(secret), `a secret was in ${path}`)
  })
  return {
    app,
    hub,
    page,
    seen,
    secrets,
    asked: method => seen.filter(each => each.origin === hub.origin && each.method === method),
    uncaught,
    written,
    async visit(act, load, headers) {
      await page.goto(app.page('/app', pageOf(hub, token, act, load), headers))
    },
    async popup() {
      const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('button')])
      return popup
    },
    async told() {
      // Asked from outside: a strict page lets no text be run in it.
      for (;;) {
        const told = (await page.evaluate('told')) as string[]
        if (told.includes('close')) return told
        await page.waitForTimeout(20)
      }
    },
  }
}

/** The requests that a page sent by a form. */
export const forms = (world: World) =>
  world.asked('POST').filter(each => each.headers['content-type']?.includes('urlencoded'))

/** What the page asked the hub for by itself. */
export const calls = (world: World) =>
  world
    .asked('POST')
    .filter(each => each.headers['content-type'] === 'application/json')
    .map(each => each.path)
