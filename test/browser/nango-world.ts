/** An app on one site, whose page uses the vendor's published browser client, and a hub on another. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import { startApp } from '../../packages/web/test/servers.ts'
import { startTestHub, type TestHub } from '../harness.ts'
import { newKey } from '../page.ts'
import { openBrowser } from './chromium.ts'

let bundled: Promise<string> | undefined
/** The published client, unmodified, as one script that makes the global `vendor`. */
const client = (): Promise<string> => {
  bundled ??= build({
    stdin: {
      contents: `export * from '@nangohq/frontend'\nexport { default } from '@nangohq/frontend'`,
      resolveDir: '.',
    },
    bundle: true,
    format: 'iife',
    globalName: 'vendor',
    write: false,
  }).then(({ outputFiles }) => outputFiles[0]?.text ?? '')
  return bundled
}

export interface NangoWorld {
  readonly hub: TestHub
  readonly page: Page
  /** Where the app is. */
  readonly origin: string
  /** Every address that the browser asked for. */
  readonly addresses: string[]
  /** A new session's token; of the end user `user-1`. */
  session(more?: Record<string, unknown>): Promise<string>
  /** The app's page, whose button runs `act` in an async function; what it gives, or throws, is `outcome`. */
  visit(act: string, headers?: Record<string, string>): Promise<void>
  /** Clicks the button, and gives the window that opens. */
  popup(): Promise<Page>
  outcome(): Promise<unknown>
}

export const startNangoWorld = async (t: TestContext, options: { hub?: TestHub } = {}): Promise<NangoWorld> => {
  const hub = options.hub ?? (await startTestHub(t))
  const { key } = await newKey(hub)
  const { Nango } = await import('nango-node-latest')
  const nango = new Nango({ host: hub.origin, secretKey: key })
  const app = await startApp(t)
  const context = await (await openBrowser(t)).newContext()
  t.after(() => context.close())
  const page = await context.newPage()
  const addresses: string[] = []
  context.on('request', request => addresses.push(request.url()))
  page.on('pageerror', error => assert.fail(error))
  const script = await client()
  return {
    hub,
    page,
    origin: app.origin,
    addresses,
    session: async more => (await nango.createConnectSession({ end_user: { id: 'user-1' }, ...more })).data.token,
    async visit(act, headers = {}) {
      const html = `<meta charset="utf-8"><button id="go">Connect</button>
<script>${script.replaceAll('</script', '<\\/script')}</script>
<script>
const Nango = vendor.default
const host = ${JSON.stringify(hub.origin)}
const events = []
document.querySelector('#go').onclick = async () => {
  try { window.outcome = await (async () => { ${act} })() }
  catch (error) { window.outcome = { thrown: error.name, type: error.type, message: error.message } }
}
</script>`
      await page.goto(app.page('/', html, headers))
    },
    async popup() {
      const [opened] = await Promise.all([page.waitForEvent('popup'), page.click('#go')])
      return opened
    },
    outcome: async () => (await page.waitForFunction('window.outcome')).jsonValue(),
  }
}
