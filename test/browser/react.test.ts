/** The React hook with the real React, strict, in a real browser, against the hub itself. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import type { HubUnderTest } from '../../packages/web/test/hub.ts'
import { type App, startApp } from '../../packages/web/test/servers.ts'
import { openBrowser, skip } from './chromium.ts'
import { startRealHub } from './real-hub.ts'

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.toReversed()) await end()
})
const t = { after: (end?: unknown) => void ends.push(end as () => unknown) }

let browser: Browser
let hub: HubUnderTest
let app: App
let script = ''

const bundle = async (what: BuildOptions): Promise<string> => {
  const { outputFiles } = await build({
    ...what,
    bundle: true,
    write: false,
    format: 'iife',
    jsx: 'automatic',
    logLevel: 'error',
    // A bundle knows no address of its own: the app says where the hub is. Strict mode mounts twice in development only.
    define: { 'process.env.NODE_ENV': '"development"', 'import.meta.url': '""' },
  })
  return outputFiles?.[0]?.text ?? ''
}

before(async () => {
  if (skip) return
  const bundled = bundle({
    entryPoints: [fileURLToPath(new URL('../../packages/web/test/react-app.tsx', import.meta.url))],
  })
  app = await startApp(t)
  ;[hub, browser] = await Promise.all([startRealHub(t, { appOrigin: app.origin }), openBrowser(t)])
  script = await bundled
})

interface Opened {
  readonly page: Page
  /** Everything that went wrong without being caught. */
  readonly uncaught: string[]
  shown(): Promise<string[]>
  told(): Promise<string[]>
  /** Waits for what the component shows. */
  shows(text: RegExp): Promise<string>
  click(name: string): Promise<void>
  /** Clicks Connect, and gives the popup once it is at the provider. */
  popup(): Promise<Page>
}

const open = async (given: object, path = '/app', run = script): Promise<Opened> => {
  const context = await browser.newContext()
  t.after(() => context.close())
  context.setDefaultTimeout(15_000)
  const page = await context.newPage()
  const uncaught: string[] = []
  page.on('pageerror', error => uncaught.push(error.message))
  page.on('console', message => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load')) uncaught.push(message.text())
  })
  const text = run.replaceAll('</script', '<\\/script')
  const body = `<body><script>window.given = ${JSON.stringify({ hub: hub.origin, ...given })}</script><script>${text}</script>`
  await page.goto(app.page(path, body))
  const click = (name: string) => page.getByRole('button', { name }).click()
  return {
    page,
    uncaught,
    shown: () => page.evaluate('window.shown') as Promise<string[]>,
    told: () => page.evaluate('window.told') as Promise<string[]>,
    async shows(wanted) {
      const output = page.locator('output').filter({ hasText: wanted })
      await output.waitFor()
      return output.innerText()
    },
    click,
    async popup() {
      const [popup] = await Promise.all([page.waitForEvent('popup'), click('Connect')])
      // Chrome loses a close while a popup is just changing pages.
      await popup.getByRole('button', { name: 'Approve' }).waitFor()
      return popup
    },
  }
}

test('a flow by JWT: idle, opening, waiting, connected; the functions stay the same', { skip }, async () => {
  const { page, popup, shows, shown, told, uncaught } = await open({ jwt: await hub.token() })
  await hub.approve(await popup())
  const connected = await shows(/^connected conn_[0-9a-f]{24}$/)
  // Strict mode shows the first state twice.
  assert.deepEqual(await shown(), ['idle', 'idle', 'opening', 'waiting', connected])
  assert.deepEqual(await told(), ['waiting', 'success', 'close'])
  assert.equal(await page.evaluate('window.functions.size'), 2)
  assert.deepEqual(uncaught, [])
})

test('what was declined has failed, and may be tried again with a session', { skip }, async () => {
  const { popup, shows, told, uncaught } = await open({ session: await hub.session() })
  await hub.deny(await popup())
  assert.equal(await shows(/^failed/), 'failed authorization_denied')
  assert.deepEqual(await told(), ['waiting', 'error ConnectError', 'close'])
  assert.deepEqual(uncaught, [])
})

test('what the SDK refuses by itself has failed too', { skip }, async () => {
  const { click, shows, told } = await open({})
  await click('Connect')
  assert.equal(await shows(/^failed/), 'failed no_token')
  assert.deepEqual(await told(), ['error ConnectError', 'close'])
})

test('cancel ends it; a second connect ends the first; the popups close', { skip }, async () => {
  const { popup, click, shows, shown, told, uncaught } = await open({ jwt: await hub.token() })
  const first = await popup()
  await shows(/^waiting$/)
  const closed = first.waitForEvent('close')
  await click('Cancel')
  await shows(/^idle$/)
  await closed
  const second = await popup()
  await shows(/^waiting$/)
  const replaced = second.waitForEvent('close')
  const third = await popup()
  await replaced
  await hub.approve(third)
  const connected = await shows(/^connected/)
  const states = ['opening', 'waiting', 'idle', 'opening', 'waiting', 'opening', 'waiting', connected]
  assert.deepEqual(await shown(), ['idle', 'idle', ...states])
  assert.deepEqual(await told(), ['waiting', 'close', 'waiting', 'close', 'waiting', 'success', 'close'])
  assert.deepEqual(uncaught, [])
})

test('a component that leaves cancels, and says nothing more', { skip }, async () => {
  const { page, popup, click, shows, shown, told, uncaught } = await open({ jwt: await hub.token() })
  const opened = await popup()
  await shows(/^waiting$/)
  const closed = opened.waitForEvent('close')
  await click('Leave')
  await closed
  await page.waitForFunction("window.told.includes('close')")
  assert.deepEqual(await told(), ['waiting', 'close'])
  assert.equal((await shown()).at(-1), 'waiting')
  assert.deepEqual(uncaught, [])
})

test('mode page comes back, and resume finishes it', { skip }, async () => {
  const { page, click, shows, shown, uncaught } = await open(
    { jwt: await hub.token(), mode: 'page', resume: true },
    '/whole',
  )
  await shows(/^idle$/)
  await click('Connect')
  await hub.approve(page)
  const connected = await shows(/^connected conn_/)
  const states = await shown()
  assert.deepEqual([...new Set(states)], ['idle', 'waiting', connected])
  assert.equal(new URL(page.url()).search, '')
  assert.deepEqual(uncaught, [])
})

test('the component that the guide prints', { skip }, async () => {
  const guide = readFileSync(new URL('../../docs/react.md', import.meta.url), 'utf8')
  const component = /^```tsx\n([\s\S]*?)^```$/m.exec(guide)?.[1] ?? ''
  assert.equal(component.split('http://localhost:3003').length, 2)
  const contents = `${component.replace('http://localhost:3003', hub.origin)}
    import { createRoot } from 'react-dom/client'
    const root = document.body.appendChild(document.createElement('div'))
    createRoot(root).render(<ConnectNotion jwt={window.given.jwt} />)`
  const run = await bundle({
    stdin: { contents, loader: 'tsx', resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
  })
  const { page, popup, click, uncaught } = await open({ jwt: await hub.token() }, '/guide', run)
  const first = await popup()
  await click('Cancel')
  await hub.approve(await popup())
  await page.getByText(/^Connected: conn_[0-9a-f]{24}$/).waitFor()
  assert.equal(first.isClosed(), true)
  assert.deepEqual(uncaught, [])
})
