/** An operator uses the pages in a real browser; a page of another origin gets nothing of them. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { connected } from '../alloy/hub.ts'
import { startTestHub } from '../harness.ts'
import { newKey } from '../page.ts'
import { startReceiver, verified } from '../receiver.ts'
import { openBrowser, skip } from './chromium.ts'

/** Fails on anything that a page complains of: a blocked form, a missing file. `key`: what the person types when asked. */
const watched = async (browser: Browser, key?: string): Promise<Page> => {
  const context = await browser.newContext({
    permissions: ['clipboard-read', 'clipboard-write'],
    ...(key === undefined ? {} : { httpCredentials: { username: key, password: '' } }),
  })
  const page = await context.newPage()
  page.on('pageerror', error => assert.fail(error))
  page.on('console', message => {
    if (message.type() === 'error') assert.fail(message.text())
  })
  return page
}

const copy = async (page: Page, label: string): Promise<string> => {
  await page
    .getByRole('button', { name: `Copy ${label}` })
    .first()
    .click()
  // Said to whoever does not see the button, and gone again, so that the next one is said too.
  await page.getByRole('status').getByText('Copied', { exact: true }).waitFor()
  return String(await page.evaluate('navigator.clipboard.readText()'))
}

test('from the start page: connect Notion, find it marked as latest, copy its id, delete it', { skip }, async t => {
  const hub = await startTestHub(t)
  const page = await watched(await openBrowser(t))
  await page.goto(hub.origin)
  await page.getByRole('link', { name: 'Connections' }).click()
  await page.getByText('Nobody has connected an account').waitFor()
  await page.getByRole('link', { name: 'start page' }).click()
  await page.getByRole('button', { name: 'Connect Notion' }).click()
  await page.getByRole('radio').first().check()
  await page.getByRole('button', { name: 'Approve' }).click()
  await page.getByRole('heading', { name: 'Notion is connected' }).waitFor()
  await page.goto(`${hub.origin}/connections`)
  const line = page.getByRole('row', { name: "Ada Lovelace's Notion" })
  assert.match(String(await line.textContent()), /⭐ Latest.*connected.*notion/s)
  await page.getByLabel('Integration').selectOption('notion')
  await page.getByRole('button', { name: 'Show' }).click()
  await page.waitForURL('**/connections?integration=notion&search=')
  await page.getByRole('link', { name: "Ada Lovelace's Notion" }).click()
  await page.getByRole('heading', { name: "Ada Lovelace's Notion ⭐ Latest" }).waitFor()
  const [row] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
  const id = await copy(page, 'Connection ID')
  assert.equal(id.replace('conn_', ''), row?.id)
  assert.equal(await copy(page, 'Credential ID'), id)
  assert.equal(await copy(page, 'For your .env file'), `CONNECTION_ID=${id}`)
  assert.equal(await page.getByRole('button', { name: 'Delete' }).isVisible(), false)
  await page.getByText('Delete this connection…').click()
  await page.getByRole('button', { name: 'Delete' }).click()
  await page.getByText('Nobody has connected an account').waitFor()
})

test('a connection is tried, and another is merged into it; a key is rotated, and the pages go on with the new one', {
  skip,
}, async t => {
  const hub = await startTestHub(t)
  const kept = await connected(hub)
  const other = await connected(hub, { allowDuplicate: true })
  const { id: old, key } = await newKey(hub)
  const browser = await openBrowser(t)
  const page = await watched(browser, key)
  await page.goto(`${hub.origin}/connections/${kept.id}`)
  await page.getByRole('button', { name: 'Test it' }).click()
  await page.getByRole('status').getByText('Works: checked just now').waitFor()
  await page.getByText('Merge into this one…').click()
  await page.getByRole('button', { name: `Merge ${other.id} into this one` }).click()
  await page.waitForURL(`**/connections/${kept.id}`)
  await page.getByText('Last found to work').waitFor()
  assert.equal(await page.getByText('Other connections of this end user').count(), 0)
  await page.goto(`${hub.origin}/connections/${other.id}`)
  assert.equal(await copy(page, 'Connection ID'), kept.id)

  await page.goto(`${hub.origin}/settings/api-keys`)
  await page.getByText('Rotate…').click()
  await page.getByRole('button', { name: 'Rotate the key' }).click()
  await page.getByText('give the new one as the user name').waitFor()
  const next = await watched(browser, await copy(page, 'Secret key'))
  await next.goto(`${hub.origin}/settings/api-keys`)
  await next.getByRole('cell', { name: '(yours)' }).waitFor()
  const [first] = (await hub.rooms.storage.keys()).filter(each => each.id === old)
  assert.ok(first?.revokedAt)
})

test('webhooks by keyboard alone: set, test, see it delivered, rotate', { skip }, async t => {
  const hub = await startTestHub(t)
  const receiver = await startReceiver(t)
  const page = await watched(await openBrowser(t))
  await page.goto(`${hub.origin}/settings`)
  const focused = () =>
    page.evaluate(
      'document.activeElement === document.body ? "" : document.activeElement.labels?.[0]?.textContent ?? document.activeElement.textContent',
    ) as Promise<string>
  const tabTo = async (text: string) => {
    for (let step = 0; step < 60; step++) {
      await page.keyboard.press('Tab')
      if ((await focused()).includes(text)) return
    }
    assert.fail(`"${text}" cannot be reached by Tab`)
  }
  await tabTo('URL')
  await page.keyboard.type(receiver.url)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Your webhook endpoint is set' }).waitFor()
  const secret = String(await page.locator('.copy', { hasText: 'Signing secret' }).locator('code').textContent())
  await tabTo('Send test')
  await page.keyboard.press('Enter')
  await page.getByRole('cell', { name: 'delivered' }).waitFor()
  assert.deepEqual(verified(secret, await receiver.next()), { type: 'webhook.test', data: {} })
  await tabTo('Rotate the secret…')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  assert.equal(await focused(), 'Rotate the secret')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'There is a new signing secret' }).waitFor()
  assert.notEqual(await page.locator('.copy', { hasText: 'Signing secret' }).locator('code').textContent(), secret)
})

test('the first key ends keyless access; with it the browser goes on, lists an origin and makes a JWT', {
  skip,
}, async t => {
  const hub = await startTestHub(t)
  const browser = await openBrowser(t)
  const page = await watched(browser)
  await page.goto(`${hub.origin}/settings/api-keys`)
  await page.getByLabel('Name').fill('back end')
  await page.getByRole('button', { name: 'Make key' }).click()
  await page.getByRole('heading', { name: 'From now on a key is needed' }).waitFor()
  const key = await copy(page, 'Secret key')
  assert.equal((await fetch(`${hub.origin}/settings/api-keys`)).status, 401)

  const signedIn = await watched(browser, key)
  await signedIn.goto(`${hub.origin}/settings/api-keys`)
  await signedIn.getByRole('cell', { name: 'back end (yours)' }).waitFor()
  await signedIn.getByLabel('Name').fill('reader')
  for (const box of await signedIn.getByRole('checkbox').all()) await box.uncheck()
  await signedIn.getByLabel('connections:read').check()
  await signedIn.getByRole('button', { name: 'Make key' }).click()
  await signedIn.getByRole('heading', { name: 'The key "reader" is made' }).waitFor()
  await signedIn.getByRole('link', { name: 'Embedded' }).click()
  await signedIn.getByLabel('Origin').fill('https://app.example.com')
  await signedIn.getByRole('button', { name: 'Add' }).first().click()
  await signedIn.getByText('https://app.example.com', { exact: true }).waitFor()
  await signedIn.getByRole('button', { name: 'Make a JWT' }).click()
  await signedIn.getByRole('heading', { name: 'A JWT for me' }).waitFor()
  assert.match(await copy(signedIn, 'JWT'), /^[\w-]+\.[\w-]+\.[\w-]+$/)
  assert.deepEqual(await hub.rooms.storage.allowed(hub.rooms.firstEnvironment.id, 'origin'), [
    'https://app.example.com',
  ])
})

/** A page of another origin. */
const evilPage = async (t: TestContext, body: string): Promise<string> => {
  const server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(body))
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  return `http://localhost:${(server.address() as AddressInfo).port}/`
}

test('a page of another origin frames the pages in vain, with a key in the browser or on a hub without one', {
  skip,
}, async t => {
  const browser = await openBrowser(t)
  for (const keyed of [false, true]) {
    const hub = await startTestHub(t)
    const { id } = await connected(hub)
    const key = keyed ? (await newKey(hub)).key : undefined
    const context = await browser.newContext(
      key === undefined ? {} : { httpCredentials: { username: key, password: '' } },
    )
    const own = await context.newPage()
    await own.goto(`${hub.origin}/connections`)
    assert.ok((await own.content()).includes(id))
    const page = await context.newPage()
    await page.goto(await evilPage(t, `<iframe src="${hub.origin}/connections"></iframe>`))
    assert.equal(page.frames().length, 2)
    const [, frame] = page.frames()
    const content = (await frame?.content()) ?? ''
    assert.ok(!content.includes(id), 'the frame shows the page')
    assert.doesNotMatch(content, /Settings|Connections/)
    await context.close()
    await hub.stop()
  }
})

test('a form that a page of another origin sends itself changes nothing, though the browser sends the key', {
  skip,
}, async t => {
  const hub = await startTestHub(t)
  const { key } = await newKey(hub)
  const context = await (await openBrowser(t)).newContext({ httpCredentials: { username: key, password: '' } })
  const page = await context.newPage()
  await page.goto(`${hub.origin}/settings/embedded`)
  await page.goto(
    await evilPage(
      t,
      `<form method="post" action="${hub.origin}/settings/embedded/latest"><input name="on" value="true"><button>Win</button></form>`,
    ),
  )
  await page.getByRole('button', { name: 'Win' }).click()
  await page.getByRole('heading', { name: 'This is not allowed' }).waitFor()
  const { hub: core, firstEnvironment } = hub.rooms
  assert.equal((await core.context.environmentOf(firstEnvironment.id)).tellsLatest, false)
  // The same form on the hub's own page does.
  await page.goto(`${hub.origin}/settings/embedded`)
  await page.getByRole('button', { name: 'Switch on' }).click()
  await page.getByRole('button', { name: 'Switch off' }).waitFor()
  assert.equal((await core.context.environmentOf(firstEnvironment.id)).tellsLatest, true)
})
