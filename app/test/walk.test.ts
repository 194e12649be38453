/** What a new user meets: a hub that needs a key, a wrong id, a port that is taken, webhooks of other types. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { AlloyError, alloyHttp } from '../src/alloy-http.ts'
import { closedPort, run, start, startServer, Tab, tempFolder } from './process.ts'
import { startRecorder } from './recorder.ts'
import { startVendor } from './vendor.ts'

const keyless = 'This hub needs a key. Make one: npx mortise key create. Then put it into .env: ALLOY_API_KEY=<the key>'

const page = async (url: string): Promise<string> => (await new Tab().open(url)).text()
const json = async (url: string): Promise<Record<string, unknown>> =>
  (await fetch(url)).json() as Promise<Record<string, unknown>>

test('no key where one is needed: every command, the pages and the diagnostics say how to make one', async t => {
  const vendor = await startVendor(t)
  const settings = { ALLOY_BASE_URL: vendor.origin, CONNECTION_ID: 'conn_1', PORT: '0' }
  for (const name of ['list-connections', 'get-jwt-token', 'connect-notion', 'notion-example', 'test-oauth']) {
    const ended = await run(t, name, settings)
    assert.equal(ended.code, 1, name)
    assert.equal(ended.stderr, `❌ ${keyless}\n`, name)
  }
  const { origin } = await startServer(t, settings)
  const shown = keyless.replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  for (const path of ['/', '/connect/notion', '/api/diagnose', '/api/connections'])
    assert.ok((await page(origin + path)).includes(shown), path)
  const checks = (await json(`${origin}/api/diagnose`))['checks'] as { ok: boolean; message: string }[]
  assert.deepEqual(
    checks.filter(each => !each.ok).map(each => each.message),
    [keyless],
  )
})

test('a key that is refused: the server’s words, and where the key stands', async t => {
  const vendor = await startVendor(t)
  const file = join(tempFolder(t), '.env')
  const settings = { ALLOY_BASE_URL: vendor.origin, ALLOY_USER_ID: vendor.userId, ALLOY_ENV_FILE: file }
  writeFileSync(file, 'ALLOY_API_KEY=wrong_key_wrong_key\n')
  const ended = await run(t, 'list-connections', settings)
  assert.equal(ended.stderr, '❌ Invalid Authorization. The key is that of ALLOY_API_KEY in .env.\n')
  const outside = await run(t, 'list-connections', { ...settings, ALLOY_API_KEY: 'other_key_other_key' })
  assert.equal(
    outside.stderr,
    '❌ Invalid Authorization. The key is that of ALLOY_API_KEY in the environment, which wins over .env.\n',
  )
})

test('without a key at a server that is not on this machine', async t => {
  t.mock.method(globalThis, 'fetch', async () => new Response('{"message":"Unauthorized"}', { status: 401 }))
  const http = alloyHttp({ baseUrl: 'https://connect.invalid', apiKey: '' })
  await assert.rejects(http.get('/users'), (error: unknown) => {
    assert.ok(error instanceof AlloyError)
    assert.match(error.message, /^ALLOY_API_KEY is not set, and https:\/\/connect\.invalid needs a key\. .*\.env/)
    return true
  })
})

test('.env.example names the webhook secret as the hub does, as a comment', () => {
  const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8')
  assert.match(text, /^# ALLOY_WEBHOOK_SECRET=$/m)
})

/** Runs connect-notion to the page that its sign-in ends at. */
const signedIn = async (t: TestContext, file: string) => {
  const recorder = await startRecorder(t)
  const command = start(t, 'connect-notion', { ALLOY_BASE_URL: recorder.origin, ALLOY_ENV_FILE: file, PORT: '0' })
  const [, callback = ''] = await command.seen(/Waiting at (\S+)/)
  const text = await page(`${callback}?code=abc&state=${recorder.begun[0]?.['state']}`)
  return { text, code: await command.ended, ...command.output }
}

test('connect-notion: the line is in .env before the page says so; where it cannot be, the page says that', async t => {
  const file = join(tempFolder(t), '.env')
  const done = await signedIn(t, file)
  assert.match(done.text, /It is in \.env already: <code>CONNECTION_ID=conn_1<\/code>/)
  assert.match(done.text, /<code>npm run notion-example<\/code> in the terminal/)
  assert.doesNotMatch(done.text, /<a |Add this to/)
  assert.equal(done.code, 0, done.stderr)
  assert.equal(readFileSync(file, 'utf8'), 'CONNECTION_ID=conn_1\n')
  const folder = join(tempFolder(t), 'a-folder')
  mkdirSync(folder)
  const failed = await signedIn(t, join(folder, 'none', '.env'))
  assert.equal(failed.code, 1)
  assert.match(failed.text, /conn_1 is connected, but .* could not be written[\s\S]*CONNECTION_ID=conn_1/)
  assert.doesNotMatch(failed.text, /<a |already/)
  assert.match(failed.stderr, /conn_1 is connected, but .* could not be written/)
})

test('connect-notion: none of its pages has a link to a page that is not there', async t => {
  const recorder = await startRecorder(t)
  recorder.redemption = { status: 400, body: { message: 'The attempt is under way.' } }
  const settings = { ALLOY_BASE_URL: recorder.origin, ALLOY_ENV_FILE: join(tempFolder(t), '.env'), PORT: '0' }
  const command = start(t, 'connect-notion', settings)
  const [, callback = ''] = await command.seen(/Waiting at (\S+)/)
  const nothing = await page(callback)
  recorder.rows = [{ id: 'conn_0', integrationId: 'notion', status: 'connected' }]
  const pages = [nothing, await page(`${callback}?code=a&state=b`), await page(`${callback}?error=no`)]
  pages.push(await page(new URL('/', callback).href))
  for (const text of pages) assert.doesNotMatch(text, /<a /, text)
})

test('connect-notion: a taken port is no failure', async t => {
  const recorder = await startRecorder(t)
  const { origin } = await startServer(t, {})
  const { port } = new URL(origin)
  const command = start(t, 'connect-notion', { ALLOY_BASE_URL: recorder.origin, PORT: port })
  const [, callback = ''] = await command.seen(/Waiting at (\S+)/)
  const next = new URL(callback).port
  assert.ok(command.output.stdout.includes(`Port ${port} is already in use, so this waits at port ${next}.\n`))
  assert.doesNotMatch(command.output.stdout, /❌/)
})

test('a webhook is one line of the log, without its body; the diagnostics know of other types', async t => {
  const { origin, command } = await startServer(t, {})
  const deliver = (id: string, event: unknown) =>
    fetch(`${origin}/webhook/alloy`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'webhook-id': id },
      body: JSON.stringify(event),
    })
  const told = async () => {
    const checks = (await json(`${origin}/api/diagnose`))['checks'] as { name: string; message: string }[]
    return checks.find(each => each.name === 'webhook')?.message
  }
  assert.match(String(await told()), /None has come yet/)
  await deliver('msg_1', { type: 'webhook.test', data: { private: 'body' } })
  assert.match(String(await told()), /no connection\.created yet.*1 webhook.*webhook\.test/)
  await deliver('msg_2\t', { type: 'x\u001b[31m\n'.padEnd(300, 'y'), data: {} })
  const data = { connectionId: 'conn_9', userId: 'u1', integrationId: 'notion' }
  await deliver('msg_3', { type: 'connection.created', data })
  assert.match(String(await told()), /1 connection was announced, the last one conn_9/)
  await command.seen(/msg_3/)
  const lines = command.output.stdout.split('\n').filter(each => each.startsWith('Webhook'))
  assert.equal(lines.length, 3)
  assert.deepEqual(
    [lines[0], lines[2]],
    ['Webhook received: webhook.test (msg_1)', 'Webhook received: connection.created (msg_3)'],
  )
  assert.match(lines[1] ?? '', /^Webhook received: x {1}\[31m y{20,100}… \(msg_2\)$/)
  assert.doesNotMatch(command.output.stdout, /private|u1/)
})

test('the three links of the start page: pages for a browser, JSON for others', async t => {
  const recorder = await startRecorder(t)
  recorder.rows = [
    { id: 'conn_1', integrationId: 'notion', name: '<b>', status: 'connected', createdAt: '2025-11-09T02:55:25Z' },
    { id: 'conn_2', integrationId: 'notion', name: 'B', status: 'connected', createdAt: '2025-11-10T02:55:25Z' },
  ]
  const { origin } = await startServer(t, { ALLOY_BASE_URL: recorder.origin })
  for (const path of ['/api/connections', '/api/diagnose', '/api/config/check']) {
    for (const accept of ['*/*', 'application/json'])
      assert.match((await fetch(origin + path, { headers: { accept } })).headers.get('content-type') ?? '', /json/)
    const answer = await new Tab().open(origin + path)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/html/, path)
    assert.match(await answer.text(), /<h1>[\s\S]*href="\/"/)
  }
  const list = await page(`${origin}/api/connections`)
  assert.match(list, /<tr>(?:(?!<\/tr>)[\s\S])*⭐ Latest(?:(?!<\/tr>)[\s\S])*conn_2/)
  assert.equal(list.match(/⭐/g)?.length, 1)
  assert.ok(list.includes('&lt;b&gt;') && list.includes('conn_1'))
})

test('without CONNECTION_ID the diagnostics give a hint and no failure', async t => {
  const vendor = await startVendor(t)
  const settings = { ALLOY_BASE_URL: vendor.origin, ALLOY_API_KEY: vendor.apiKey, ALLOY_USER_ID: vendor.userId }
  vendor.credentials.push({
    credentialId: '69110206d6d6670fb17451f8',
    type: 'notion-oauth2',
    name: 'N',
    createdAt: '2025-11-09T21:05:10Z',
    updatedAt: '2025-11-09T21:05:10Z',
  })
  const { origin } = await startServer(t, settings)
  const diagnosis = await json(`${origin}/api/diagnose`)
  assert.equal(diagnosis['success'], true)
  const checks = diagnosis['checks'] as Record<string, unknown>[]
  const message = 'CONNECTION_ID is not set. Add to .env: CONNECTION_ID=69110206d6d6670fb17451f8'
  assert.deepEqual(
    checks.find(each => each['name'] === 'connection'),
    { name: 'connection', ok: true, hint: true, message },
  )
  assert.ok((await page(`${origin}/api/diagnose`)).includes(`💡 ${message}`))
})

test('no hub at an address that somebody chose: it may be the address', async t => {
  const base = `http://localhost:${await closedPort()}`
  const ended = await run(t, 'list-connections', { ALLOY_BASE_URL: base })
  assert.equal(
    ended.stderr,
    `❌ No hub answers at ${base}. Start it in another terminal: npm start, or correct ALLOY_BASE_URL in .env.\n`,
  )
  t.mock.method(globalThis, 'fetch', async () => {
    throw new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) })
  })
  await assert.rejects(alloyHttp({ baseUrl: 'http://localhost:3003', apiKey: '' }).get('/users'), {
    message: 'No hub answers at http://localhost:3003. Start it in another terminal: npm start',
  })
})

test('the start page says where it talks to, and that the hub does not answer', async t => {
  const recorder = await startRecorder(t)
  const { origin } = await startServer(t, { ALLOY_BASE_URL: recorder.origin })
  const text = await page(origin)
  assert.ok(text.includes(`talks to the hub at <code>${recorder.origin}</code>, which speaks Alloy's API`), text)
  assert.doesNotMatch(text, /No hub answers/)
  const down = await startServer(t, { ALLOY_BASE_URL: `http://localhost:${await closedPort()}` })
  assert.match(await page(down.origin), /No hub answers at/)
})

test('the link of a page is printed for a server that has no sandbox', async t => {
  const vendor = await startVendor(t)
  const settings = { ALLOY_BASE_URL: vendor.origin, ALLOY_API_KEY: vendor.apiKey, ALLOY_USER_ID: vendor.userId }
  const command = start(t, 'test-oauth', settings)
  const [, url = ''] = await command.seen(/1\. Copy this OAuth URL:\n\n(\S+)/)
  await fetch(url, { redirect: 'manual' })
  const ended = await run(t, 'notion-example', settings, { args: [vendor.credentials[0]?.credentialId ?? ''] })
  assert.equal(ended.code, 0, ended.stderr)
  assert.match(ended.stdout, /Updated it: .*\n {3}https:\/\/www\.notion\.so\/\S+\n$/)
})

test('a list that has one name for the latest, and none that is picked where the server picks none', async t => {
  const recorder = await startRecorder(t)
  const row = { integrationId: 'notion', status: 'connected', name: 'N' }
  recorder.rows = [
    { ...row, id: 'conn_1', createdAt: '2025-11-09T02:55:25Z', latest: true },
    { ...row, id: 'conn_2', createdAt: '2025-11-10T02:55:25Z', latest: false },
  ]
  const settings = { ALLOY_BASE_URL: recorder.origin }
  const { origin } = await startServer(t, settings)
  const list = await json(`${origin}/api/connections`)
  const rows = list['connections'] as Record<string, unknown>[]
  assert.deepEqual(
    rows.map(each => [each['id'], each['isLatest'], 'latest' in each]),
    [
      ['conn_1', true, false],
      ['conn_2', false, false],
    ],
  )
  assert.equal((list['latest'] as Record<string, unknown>)['id'], 'conn_1')
  recorder.rows = [{ ...row, id: 'conn_2', latest: false }]
  assert.equal((await json(`${origin}/api/connections`))['latest'], null)
  const printed = await run(t, 'list-connections', settings)
  assert.equal(printed.code, 0, printed.stderr)
  assert.match(printed.stdout, /ID: conn_2\n[\s\S]*None of them is picked by itself/)
  assert.doesNotMatch(printed.stdout, /⭐|No connections found/)
  assert.match(await page(`${origin}/oauth/callback`), /public key[\s\S]*list-connections/)
  assert.match(JSON.stringify(await json(`${origin}/api/diagnose`)), /public key/)
})
