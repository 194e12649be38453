/** A person connects Notion in a real browser: opens the page, clicks, approves, copies, and the token works. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { ConnectionShape } from '../../src/http/nango/shapes.ts'
import { getJson, startTestHub } from '../harness.ts'
import { openBrowser, skip } from './chromium.ts'

/** Fails on anything that the page complains of: a blocked script, a missing file. */
const watched = async (browser: Browser): Promise<Page> => {
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] })
  const page = await context.newPage()
  page.on('pageerror', error => assert.fail(error))
  page.on('console', message => {
    if (message.type() === 'error' && !message.text().includes('status of 400')) assert.fail(message.text())
  })
  return page
}

test('a person connects sandbox Notion by clicking, and the token read back opens the Notion API', {
  skip,
}, async t => {
  const hub = await startTestHub(t)
  const page = await watched(await openBrowser(t))
  await page.goto(hub.origin)
  await page.getByRole('button', { name: 'Connect Notion' }).click()
  await page.getByRole('radio').first().check()
  await page.getByRole('button', { name: 'Approve' }).click()
  await page.getByRole('heading', { name: 'Notion is connected' }).waitFor()
  const line = (label: string) => page.locator('.copy', { hasText: label })
  const id = (await line('Connection id').locator('code').textContent()) ?? ''
  assert.match(id, /^conn_[0-9a-f]{24}$/)

  // The id can be copied, and the lines are whole.
  await line('Connection id').getByRole('button', { name: 'Copy' }).click()
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), id)
  assert.equal(await line('.env').locator('code').textContent(), `CONNECTION_ID=${id}`)
  const curl = (await line('Read a working token').locator('code').textContent()) ?? ''
  const url = /^curl "(\S+)"$/.exec(curl)?.[1] ?? ''
  const { status, body } = await getJson<ConnectionShape>(url)
  assert.equal(status, 200)
  assert.ok('access_token' in body.credentials)
  const search = await fetch(hub.sandbox.url('https://api.notion.com/v1/search'), {
    method: 'POST',
    headers: {
      authorization: `Bearer ${body.credentials.access_token}`,
      'notion-version': '2022-06-28',
      'content-type': 'application/json',
    },
    body: '{}',
  })
  assert.equal(search.status, 200)
  assert.ok(((await search.json()) as { results: unknown[] }).results.length > 0)

  // Reloading shows the outcome; what to read next is a page of the hub.
  await page.reload()
  await page.getByRole('heading', { name: 'Notion is connected' }).waitFor()
  await page.getByRole('link', { name: 'Core concepts' }).click()
  await page.getByRole('heading', { level: 1 }).waitFor()
  assert.equal(page.url(), `${hub.origin}/docs/core-concepts`)
})

test('the way is walked by keyboard alone, and under another loopback name', { skip }, async t => {
  const hub = await startTestHub(t)
  const page = await watched(await openBrowser(t))
  await page.goto(hub.origin.replace('localhost', '127.0.0.1'))
  assert.equal(new URL(page.url()).hostname, 'localhost')
  const focused = () =>
    page.evaluate(
      'document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent',
    ) as Promise<string>
  const tabTo = async (text: string) => {
    for (let step = 0; step < 30; step++) {
      await page.keyboard.press('Tab')
      if ((await focused()).includes(text)) return
    }
    assert.fail(`"${text}" cannot be reached by Tab`)
  }
  await tabTo('Connect GitHub')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Approve' }).waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Space')
  await tabTo('Approve')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'GitHub is connected' }).waitFor()
  await tabTo('Copy')
})

test('a person who denies is told so, and who must act next', { skip }, async t => {
  const hub = await startTestHub(t)
  const page = await watched(await openBrowser(t))
  await page.goto(hub.origin)
  await page.getByRole('button', { name: 'Connect Slack' }).click()
  await page.getByRole('button', { name: 'Deny' }).click()
  await page.getByRole('heading', { name: 'Slack is not connected' }).waitFor()
  assert.match((await page.textContent('main')) ?? '', /declined at the provider.*Start again/)
})

test('a page of another origin cannot read the keyless hub from a real browser', { skip }, async t => {
  const hub = await startTestHub(t)
  const { createServer } = await import('node:http')
  const evil = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<h1>evil</h1>'),
  )
  await new Promise<void>(done => evil.listen(0, '127.0.0.1', done))
  t.after(() => evil.close())
  const address = evil.address()
  assert.ok(address && typeof address === 'object')
  const page = await (await openBrowser(t)).newPage()
  await page.goto(`http://localhost:${address.port}/`)
  const script = `fetch(${JSON.stringify(`${hub.origin}/connection`)}).then(answer => answer.text(), error => 'refused: ' + error)`
  assert.match(String(await page.evaluate(script)), /^refused/)
  const opaque = `fetch(${JSON.stringify(`${hub.origin}/connection`)}, { mode: 'no-cors' }).then(answer => answer.type, error => 'refused: ' + error)`
  assert.match(String(await page.evaluate(opaque)), /^refused/)
  assert.equal((await getJson(`${hub.origin}/connection`)).status, 200)
})
