/** The three guides: every command, program and script that they print is run against a real hub. */
import assert from 'node:assert/strict'
import { existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Page } from 'playwright-core'
import { startApp } from '../packages/web/test/servers.ts'
import { endpointOf } from '../src/core/notify.ts'
import { openBrowser, skip } from './browser/chromium.ts'
import { at, blocks, flow, ids, languages, onPort, program, read, sdk, step, textOf, used } from './documents/guides.ts'
import {
  approve,
  authorized,
  compile,
  connectNotion,
  type KeyedHub,
  python,
  root,
  shell,
  start,
  startKeyedHub,
  typescript,
} from './documents/run.ts'
import { Browser, freePorts, getJson, tempFolder } from './harness.ts'

const connectionIn = (text: string): string => /conn_[0-9a-f]{24}/.exec(text)?.[0] ?? assert.fail(text)

for (const language of languages)
  test(`the OAuth flow guide, step by step, in ${language}`, async t => {
    const hub = await startKeyedHub(t)
    const begin = async () => {
      const said = await step(t, hub, [flow, 'initiate'], language)
      return /http:[^"\s]+\/authorize\?[^"\s]+/.exec(said)?.[0] ?? assert.fail(said)
    }
    const OAUTH_URL = await begin()
    const settings = { ...hub.settings, OAUTH_URL }
    const leads =
      language === 'sh'
        ? (await shell(t, textOf(flow, 'redirect', 'sh'), settings)).stdout
        : await step(t, hub, [flow, 'redirect'], language, settings)
    assert.ok(leads.startsWith(`${hub.sandbox.origin}/api.notion.com/v1/oauth/authorize?`), leads)

    const back = await approve(hub, await begin(), next => next.startsWith('http://localhost:3000/oauth/callback?'))
    const [CODE = '', STATE = ''] = ['code', 'state'].map(name => back.searchParams.get(name) ?? '')
    if (language !== 'sh') {
      assert.equal(await step(t, hub, [flow, 'callback'], language, { RETURNED: back.href, STATE }), `${CODE}\n`)
      const run = { ts: typescript, python }[language]
      const text = program(flow, 'callback', language)
      const stranger = await run(t, text, { RETURNED: back.href, STATE: 'another' })
      assert.deepEqual([stranger.code, stranger.stdout], [1, ''])
      assert.match(stranger.stderr, /This browser did not begin the flow\./)
      const denied = 'http://localhost:3000/oauth/callback?error=access_denied&error_description=No.'
      assert.match((await run(t, text, { RETURNED: denied, STATE })).stderr, /Not connected: No\./)
    }
    const ended = await step(t, hub, [flow, 'exchange'], language, { CODE, STATE })
    const id = connectionIn(ended)
    if (language !== 'sh') assert.equal(ended, `${id} connected\n`)
    const found = await step(t, hub, [flow, 'use'], language, { CONNECTION_ID: id })
    assert.match(found, /[0-9a-f]{8}-[0-9a-f]{4}/)
    const connectors = await step(t, hub, [flow, 'connectors'], language)
    assert.match(connectors, language === 'sh' ? /"id":"google-drive"/ : /^google-drive Google Drive$/m)
  })

test('the answer that the OAuth flow guide prints has the keys and types of the real one', async t => {
  const hub = await startKeyedHub(t)
  const types = (text: string) => Object.entries(JSON.parse(text)).map(([key, value]) => [key, typeof value])
  const real = await step(t, hub, [flow, 'initiate'], 'sh')
  assert.deepEqual(types(textOf(flow, 'initiate', 'json')), types(real))
})

for (const language of ['ts', 'python'] as const)
  test(`the whole server of the OAuth flow guide, in ${language}`, async t => {
    const hub = await startKeyedHub(t)
    const port = await freePorts()
    const text = onPort(port, program(flow, 'servers', language))
    const [run, ...args] = starts[language]
    const server = start(t, [run, ...args, text], hub.settings, tempFolder(t))
    await listening(port)
    const origin = `http://localhost:${port}`
    hub.sandbox.set('notion', { autoApprove: true })
    const browser = new Browser()
    const { url } = await browser.follow(`${origin}/connect/notion`, next =>
      next.startsWith(`${origin}/oauth/callback?`),
    )
    const stranger = await new Browser().get(url)
    assert.equal(stranger.status, 403)
    assert.equal(server.output.stdout, '')
    const answer = await browser.get(url)
    assert.deepEqual([answer.status, await answer.text()], [200, 'Notion is connected.'])
    await server.seen(/^connected conn_[0-9a-f]{24}\n$/)
    assert.equal((await browser.get(url)).status, 403)
    hub.sandbox.set('notion', { deny: true })
    const denied = await browser.follow(`${origin}/connect/notion`)
    assert.equal(denied.response.status, 400)
    assert.match(await denied.response.text(), /^Not connected: .*declined/)
    await hub.stop()
    assert.equal((await browser.get(`${origin}/connect/notion`)).status, 502)
  })

const starts = {
  ts: [process.execPath, '--input-type=module-typescript', '--eval'],
  python: ['python3', '-c'],
} as const

/** Until something answers there. */
const listening = async (port: number): Promise<void> => {
  while (!(await fetch(`http://localhost:${port}/`).catch(() => undefined)))
    await new Promise(again => setTimeout(again, 25))
}

for (const language of languages)
  test(`the ways to a connection id, in ${language}`, async t => {
    const hub = await startKeyedHub(t)
    const { connectionId } = await connectNotion(hub)
    for (const section of ['list', 'latest', 'status'])
      assert.equal(connectionIn(await step(t, hub, [ids, section], language)), connectionId, section)
    const tested = await step(t, hub, [ids, 'use'], language, { CONNECTION_ID: connectionId })
    assert.match(tested, language === 'sh' ? /"ok":true/ : /^connected\n$/)
    const imported = await step(t, hub, [ids, 'import'], language)
    assert.match(imported, language === 'sh' ? /"id":"69110206d6d6670fb17451f8"/ : /^69110206d6d6670fb17451f8\n$/)
    const users = await step(t, hub, [ids, 'user-ids'], language)
    const [userId = ''] = /[0-9a-f]{24}/.exec(users) ?? []
    const made = await getJson(`${hub.origin}/users/${userId}`, authorized(hub))
    assert.equal(made.body['username'], 'customer-17')
    const listed = await getJson<{ name: string; createdAt: string }[]>(
      `${hub.origin}/users/me/connections`,
      authorized(hub),
    )
    const { name, createdAt } = listed.body[1] ?? {}
    assert.deepEqual([name, createdAt], ['Our workspace', '2025-11-09T21:05:10.000Z'])
  })

test('the commands of the guides set up the running hub', async t => {
  const hub = await startKeyedHub(t)
  const settings = { MORTISE_DATA_DIR: hub.dataDir, MORTISE_PUBLIC_URL: hub.origin }
  const { storage, firstEnvironment, hub: core } = hub.rooms
  const webhook = await shell(t, textOf(ids, 'webhook', 'sh'), settings)
  assert.equal(webhook.code, 0, webhook.stderr)
  assert.match(webhook.stdout, /^whsec_/)
  const endpoint = await endpointOf(core.context, firstEnvironment)
  assert.deepEqual([endpoint?.url, endpoint?.events], ['http://localhost:3000/webhooks', ['connection.created']])
  const origin = await shell(t, textOf(sdk, 'set-up', 'sh'), settings)
  assert.equal(origin.code, 0, origin.stderr)
  assert.deepEqual(await storage.allowed(firstEnvironment.id, 'origin'), ['https://app.example.com'])
})

for (const language of languages)
  test(`the back end of the frontend SDK guide, in ${language}`, async t => {
    const hub = await startKeyedHub(t)
    const jwt = await step(t, hub, [sdk, 'jwt'], language)
    assert.match(jwt, /[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}/)
    const session = await step(t, hub, [sdk, 'session'], language)
    assert.match(session, /\b[0-9a-f]{64}\b/)
    const { connectionId } = await connectNotion(hub)
    const mine = await step(t, hub, [sdk, 'back-end'], language, { CONNECTION_ID: connectionId })
    assert.equal(connectionIn(mine), connectionId)
  })

interface Shown {
  readonly hub: KeyedHub
  readonly page: Page
  readonly lines: string[]
  /** The next line that the page writes. */
  line(): Promise<string>
}

/** A page that has what the guide says its scripts run in. */
const show = async (t: TestContext, script: string, autoApprove = true): Promise<Shown> => {
  const hub = await startKeyedHub(t)
  if (autoApprove) hub.sandbox.set('notion', { autoApprove })
  const app = await startApp(t)
  const page = await (await openBrowser(t)).newPage()
  page.setDefaultTimeout(15_000)
  const lines: string[] = []
  page.on('console', line => {
    if (!line.text().startsWith('Failed to load resource')) lines.push(line.text())
  })
  page.on('pageerror', error => lines.push(`uncaught: ${error.message}`))
  const asked = async (path: string, init: RequestInit) =>
    (await (await fetch(hub.origin + path, init)).json()) as { token: string }
  const headers = { ...authorized(hub), 'content-type': 'application/json' }
  const { token: jwt } = await asked('/users/me/token', { headers })
  const body = JSON.stringify({ integration: 'notion' })
  const { token: session } = await asked('/api/v1/connect-sessions', { method: 'POST', headers, body })
  const html = `<button id="connect">Connect</button>
${textOf(sdk, 'load', 'html')}
<script>const jwt = ${JSON.stringify(jwt)}, session = ${JSON.stringify(session)}</script>
<script type="module">
${script}
</script>`
  let heard = 0
  await page.goto(app.page('/', at(hub, html)))
  return {
    hub,
    page,
    lines,
    async line() {
      while (lines.length <= heard) await page.waitForEvent('console')
      return lines[heard++] ?? ''
    },
  }
}

const connectedLine = /^connected (notion )?conn_[0-9a-f]{24}$/

test('the module that the guide imports is ready', { skip }, async t => {
  const { line } = await show(t, textOf(sdk, 'load', 'js'))
  assert.equal(await line(), 'ready')
})

test('connecting with callbacks, as the guide shows it', { skip }, async t => {
  const { hub, page, line } = await show(t, textOf(sdk, 'connect', 'js'))
  await page.click('#connect')
  assert.match(await line(), connectedLine)
  assert.equal(await line(), 'closed')
  hub.sandbox.set('notion', { deny: true })
  await page.click('#connect')
  assert.match(await line(), /^not connected authorization_denied .*declined/)
  assert.equal(await line(), 'closed')
})

test('connecting with the promise, as the guide shows it', { skip }, async t => {
  const { hub, page, line } = await show(t, textOf(sdk, 'connect', 'js', 1))
  await page.click('#connect')
  assert.match(await line(), connectedLine)
  hub.sandbox.set('notion', { deny: true })
  await page.click('#connect')
  assert.equal(await line(), 'not connected authorization_denied')
})

test('cancelling, as the guide shows it', { skip }, async t => {
  const { page, line, lines } = await show(t, textOf(sdk, 'connect', 'js', 2), false)
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('#connect')])
  await popup.getByRole('button', { name: 'Approve' }).waitFor()
  await page.click('#connect')
  assert.equal(await line(), 'closed')
  assert.deepEqual(lines, ['closed'])
})

for (const [section, what] of [
  ['page-mode', 'without a popup'],
  ['session', 'with a connect session'],
] as const)
  test(`connecting ${what}, as the guide shows it`, { skip }, async t => {
    const { page, line } = await show(t, textOf(sdk, section, 'js'))
    await page.click('#connect')
    assert.match(await line(), connectedLine)
  })

for (const language of ['ts', 'python'] as const)
  test(`the whole app of the frontend SDK guide, in ${language}`, { skip }, async t => {
    const hub = await startKeyedHub(t)
    hub.sandbox.set('notion', { autoApprove: true })
    const folder = tempFolder(t)
    writeFileSync(join(folder, 'index.html'), at(hub, textOf(sdk, 'app', 'html')))
    const port = await freePorts()
    const [run, ...args] = starts[language]
    const text = onPort(port, program(sdk, 'app', language))
    const server = start(t, [run, ...args, text], hub.settings, folder)
    await listening(port)
    const page = await (await openBrowser(t)).newPage()
    const ready = page.waitForResponse(/\/jwt$/)
    await page.goto(`http://localhost:${port}/`)
    await (await ready).finished()
    await page.waitForFunction("document.querySelector('#connect').onclick !== null")
    await page.click('#connect')
    await page.getByText('Notion is connected.').waitFor()
    await server.seen(/^connected conn_[0-9a-f]{24}\n$/)
    const post = (body: string, type: string) =>
      fetch(`http://localhost:${port}/connected`, { method: 'POST', headers: { 'content-type': type }, body })
    const madeUp = JSON.stringify({ connectionId: `conn_${'0'.repeat(24)}` })
    assert.equal((await post(madeUp, 'application/json')).status, 502)
    assert.ok((await post(madeUp, 'text/plain')).status >= 400)
  })

test('the TypeScript of the guides compiles as strictly as the project', async t => {
  const folder = tempFolder(t)
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const programs = blocks.filter(each => each.language === 'ts' && each.section !== 'set-up')
  assert.ok(programs.length > 12)
  for (const { guide, section } of programs)
    writeFileSync(join(folder, `${guide}-${section}.ts`), program(guide, section, 'ts'))
  // Not every block calls the hub.
  assert.equal(await compile(folder, { noUnusedLocals: false }), '')
})

test('every command, program and script of the guides was run by a test above', { skip }, () => {
  const programs = blocks.filter(each => !['text', 'json', 'env'].includes(each.language))
  assert.ok(programs.length > 60)
  assert.deepEqual(
    programs.filter(each => !used.has(each)).map(each => `${each.guide}#${each.section} (${each.language})`),
    [],
  )
})

test('each step is there in curl, TypeScript and Python', () => {
  for (const guide of [flow, ids, sdk])
    for (const { section } of blocks.filter(each => each.guide === guide && each.language === 'ts')) {
      const has = (language: string) =>
        blocks.some(each => each.guide === guide && each.section === section && each.language === language)
      assert.ok(has('python'), `${guide}#${section} has no Python`)
      // A browser, not the app, does what these are about; they are programs to read.
      if (!['set-up', 'callback', 'servers', 'app'].includes(section))
        assert.ok(has('sh'), `${guide}#${section} has no curl`)
    }
})

test('every link of the guides leads somewhere, and the problems that the documents name are headings', () => {
  const pages = [flow, ids, sdk, 'how-we-read-the-documents']
  let links = 0
  for (const page of pages)
    for (const [, name = '', , anchor] of read(page).matchAll(/\]\((?:\.\/)?([a-z-]+)?(\.md)?(?:#([\w-]+))?\)/g)) {
      const target = name === '' ? page : name
      assert.ok(existsSync(join(root, 'docs', `${target}.md`)), `${page}: ${target}`)
      const there = anchor === undefined || read(target).includes(`<a id="${anchor}"></a>`)
      assert.ok(there, `${page}: ${target}#${anchor}`)
      links++
    }
  assert.ok(links > 60)
  const headings = pages.slice(0, 3).map(page => read(page).split('<a id="troubleshooting"></a>')[1] ?? '')
  for (const problem of [
    'userId must be a valid ID',
    'Connection ID not found',
    'Invalid connection ID',
    'No connections available',
    'Invalid redirect_uri',
    'Invalid authorization code',
    'Connection not found',
    'The callback was received but no authorization code was found',
  ])
    assert.ok(
      headings.some(text => text.includes(`\n### "${problem}"\n`)),
      problem,
    )
  for (const [, file = ''] of read('how-we-read-the-documents').matchAll(/`([\w.-]+\/[\w./-]+)`/g))
    assert.ok(existsSync(join(root, file)), `there is no ${file}`)
})
