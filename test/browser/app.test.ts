/** The reference application in a real browser: what a person clicks, and what the browser itself refuses. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { closedPort, start, startServer } from '../../app/test/process.ts'
import { startTestHub, tempFolder } from '../harness.ts'
import { newKey } from '../page.ts'
import { openBrowser, skip } from './chromium.ts'

/** Fails on anything that a page complains of. */
const watched = async (t: TestContext): Promise<Page> => {
  const context = await (await openBrowser(t)).newContext({ permissions: ['clipboard-read', 'clipboard-write'] })
  const page = await context.newPage()
  page.on('pageerror', error => assert.fail(error))
  page.on('console', message => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) assert.fail(message.text())
  })
  return page
}

const settingsFor = (t: TestContext, origin: string) => ({
  ALLOY_BASE_URL: origin,
  ALLOY_ENV_FILE: `${tempFolder(t)}/.env`,
})

const copied = async (page: Page, index: number): Promise<string> => {
  const button = page.locator('button.copy').nth(index)
  await button.click()
  await button.filter({ hasText: 'Copied' }).waitFor()
  return String(await page.evaluate('navigator.clipboard.readText()'))
}

test('Connect Notion, approve, copy the id; then a JWT, and the three links, without a complaint', {
  skip,
}, async t => {
  const hub = await startTestHub(t)
  const { origin } = await startServer(t, settingsFor(t, hub.origin))
  const page = await watched(t)
  await page.goto(origin)
  await page.getByRole('link', { name: 'Connect Notion' }).click()
  await page.getByRole('radio').first().check()
  await page.getByRole('button', { name: 'Approve' }).click()
  await page.getByRole('heading', { name: 'Connection Successful!' }).waitFor()
  await page.reload()
  await page.getByRole('heading', { name: 'Connection Successful!' }).waitFor()
  const [row] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
  const id = `conn_${row?.id}`
  assert.equal(await page.locator('code').first().textContent(), id)
  assert.equal(await copied(page, 0), id)
  assert.equal(await copied(page, 1), `CONNECTION_ID=${id}`)
  // One click selects all of it.
  await page.locator('code').nth(1).click()
  assert.equal(await page.evaluate('getSelection().toString()'), `CONNECTION_ID=${id}`)
  await page.getByText('npm run notion-example').waitFor()
  // An address and no link: a hub without a key answers no page of another port, and a link is sent by one.
  await page.goto(await copied(page, 2))
  await page.getByRole('row', { name: "Ada Lovelace's Notion" }).waitFor()

  await page.goto(origin)
  await page.getByRole('button', { name: 'Get JWT Token' }).click()
  await page.getByRole('heading', { name: 'JWT Token retrieved successfully!' }).waitFor()
  assert.match(String(await page.locator('code').last().textContent()), /^[\w-]+\.[\w-]+\.[\w-]+$/)
  await page.getByRole('link', { name: 'Back to the start page' }).click()

  await page.getByRole('link', { name: 'Your connections' }).click()
  assert.match(String(await page.getByRole('row', { name: id }).textContent()), /⭐ Latest/)
  await page.goBack()
  await page.getByRole('link', { name: 'Full diagnostics' }).click()
  await page.getByText(`CONNECTION_ID is not set. Add to .env: CONNECTION_ID=${id}`).waitFor()
  await page.goBack()
  await page.getByRole('link', { name: 'Configuration check' }).click()
  await page.getByRole('row', { name: 'ALLOY_WEBHOOK_SECRET missing' }).waitFor()
})

test('a hub that needs a key: the start page and the failure of Get JWT Token say how to make one', {
  skip,
}, async t => {
  const hub = await startTestHub(t)
  await newKey(hub)
  const { origin } = await startServer(t, settingsFor(t, hub.origin))
  const page = await watched(t)
  const said = 'This hub needs a key. Make one: npx mortise key create. Then put it into .env: ALLOY_API_KEY=<the key>'
  await page.goto(origin)
  await page.getByText(said).waitFor()
  await page.getByRole('button', { name: 'Get JWT Token' }).click()
  await page.getByRole('heading', { name: 'Failed to get a JWT token' }).waitFor()
  await page.getByText(said).waitFor()
})

test('npm run connect-notion: the page says that the id is in .env, and leads nowhere', { skip }, async t => {
  const hub = await startTestHub(t)
  const settings = { ...settingsFor(t, hub.origin), PORT: String(await closedPort()) }
  const command = start(t, 'connect-notion', settings)
  const [, url = ''] = await command.seen(/Open this URL:\n\n(\S+)/)
  const page = await watched(t)
  await page.goto(url)
  await page.getByRole('radio').first().check()
  await page.getByRole('button', { name: 'Approve' }).click()
  await page.getByRole('heading', { name: 'Connection Successful!' }).waitFor()
  await page.getByText('is in .env already').waitFor()
  await page.getByText('npm run notion-example').waitFor()
  assert.equal(await page.getByRole('link').count(), 0)
  assert.equal(await command.ended, 0, command.output.stderr)
})
