/** The web application's guards: each request that must not do anything, and what it would have done. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { startServer, Tab, tempFolder } from './process.ts'
import { startRecorder } from './recorder.ts'

const up = async (t: TestContext, settings: Readonly<Record<string, string>> = {}) => {
  const recorder = await startRecorder(t)
  const { origin, command } = await startServer(t, { ALLOY_BASE_URL: recorder.origin, ...settings })
  return { recorder, origin, command, callback: `${origin}/oauth/callback` }
}

/** Begins a sign-in in this tab, and gives its state. */
const begin = async (tab: Tab, app: { origin: string; recorder: { begun: Record<string, unknown>[] } }) => {
  const answer = await tab.open(`${app.origin}/connect/notion`)
  assert.equal(answer.status, 302)
  return String(app.recorder.begun.at(-1)?.['state'])
}

test('a sign-in is finished by the browser that began it, once', async t => {
  const app = await up(t)
  const [mine, stranger] = [new Tab(), new Tab()]
  const answer = await mine.open(`${app.origin}/connect/notion`)
  assert.equal(answer.headers.get('location'), `${app.recorder.origin}/authorize`)
  assert.match(answer.headers.get('set-cookie') ?? '', /^app_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/)
  const state = String(app.recorder.begun[0]?.['state'])
  assert.match(state, /^[\w-]{43}$/)
  // The stranger has a session of their own, and a code and state of theirs.
  const theirs = await begin(stranger, app)
  assert.notEqual(theirs, state)
  const another = await begin(mine, app)
  for (const [tab, query] of [
    [stranger, `code=c&state=${another}`],
    [new Tab(), `code=c&state=${another}`],
    // Its own browser comes too late.
    [mine, `code=c&state=${another}`],
    [mine, `code=c&state=${theirs}`],
    [mine, 'code=c'],
    [mine, `code=c&state=${state}&state=${theirs}`],
  ] as const) {
    const refused = await tab.open(`${app.callback}?${query}`)
    assert.equal(refused.status, 403, query)
    assert.match(await refused.text(), /This sign-in was not begun in this browser/)
    const json = await tab.open(`${app.callback}?${query}`, { headers: { accept: 'application/json' } })
    assert.equal(json.status, 403)
    assert.match(await json.text(), /"success":false,"error":"This sign-in was not begun in this browser/)
  }
  assert.deepEqual(app.recorder.redeemed, [])
  // A server that does not delete it is one line of the log.
  assert.deepEqual([...new Set(app.recorder.deleted)], ['/credentials/conn_1'])
  assert.match(app.command.output.stdout, /^A sign-in came back in another .* could not be deleted: not today$/m)
  app.recorder.deleted.length = 0
  const done = await mine.open(`${app.callback}?code=c&state=${state}`)
  assert.equal(done.status, 200)
  const text = await done.text()
  assert.match(text, /<h1>Connection Successful!<\/h1>\n<p>Connection ID: <code>conn_1<\/code>/)
  assert.match(text, /Add this to your \.env file: <code>CONNECTION_ID=conn_1/)
  assert.match(app.command.output.stdout, /Connection established: conn_1/)
  // Reloaded, it is shown again and not redeemed again; another browser sees nothing, and undoes nothing.
  const again = await mine.open(`${app.callback}?code=c&state=${state}`)
  assert.equal(again.status, 200)
  assert.equal(await again.text(), text)
  assert.equal((await stranger.open(`${app.callback}?code=c&state=${state}`)).status, 403)
  assert.deepEqual(app.recorder.deleted, [])
  assert.deepEqual(app.recorder.redeemed, [{ code: 'c', state }])
})

test('two tabs of one browser have a sign-in each', async t => {
  const app = await up(t)
  const tab = new Tab()
  const states = [await begin(tab, app), await begin(tab, app)]
  assert.equal(tab.cookies.size, 1)
  for (const state of states) assert.equal((await tab.open(`${app.callback}?code=c&state=${state}`)).status, 200)
})

test('S1 in JSON: by Accept, by POST, and when it fails', async t => {
  const app = await up(t)
  const tab = new Tab()
  const json = { accept: 'application/json', 'content-type': 'application/json' }
  const get = await tab.open(`${app.callback}?code=c&state=${await begin(tab, app)}`, { headers: json })
  assert.deepEqual(await get.json(), { success: true, connectionId: 'conn_1' })
  for (const path of ['/oauth/callback', '/api/oauth/callback']) {
    const body = JSON.stringify({ code: 'c', state: await begin(tab, app) })
    const post = await tab.open(app.origin + path, { method: 'POST', headers: json, body })
    assert.deepEqual(await post.json(), { success: true, connectionId: 'conn_1' })
    const again = await tab.open(app.origin + path, { method: 'POST', headers: json, body })
    assert.deepEqual(await again.json(), { success: true, connectionId: 'conn_1' })
  }
  assert.equal(app.recorder.redeemed.length, 3)
  app.recorder.redemption = { status: 400, body: { message: 'Invalid authorization code <b>' } }
  const failed = await tab.open(`${app.callback}?code=c&state=${await begin(tab, app)}`, { headers: json })
  assert.equal(failed.status, 500)
  const failure = (await failed.json()) as Record<string, unknown>
  assert.equal(failure['success'], false)
  assert.equal(failure['error'], 'Invalid authorization code <b>')
  const page = await tab.open(`${app.callback}?code=c&state=${await begin(tab, app)}`)
  assert.equal(page.status, 500)
  assert.match(await page.text(), /Failed to complete OAuth: Invalid authorization code &lt;b&gt;/)
  const denied = await tab.open(`${app.callback}?error=access_denied`, { headers: json })
  assert.equal(denied.status, 400)
  assert.match(await denied.text(), /"error":"OAuth error: access_denied"/)
})

test('/api/oauth/initiate begins one for the page that asks', async t => {
  const app = await up(t)
  const tab = new Tab()
  const post = (body: unknown) =>
    tab.open(`${app.origin}/api/oauth/initiate`, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const started = (await (await post({ connectorId: 'hubspot' })).json()) as Record<string, unknown>
  const state = String(started['state'])
  assert.deepEqual(started, {
    success: true,
    oauthUrl: `${app.recorder.origin}/authorize`,
    credentialId: 'conn_1',
    redirectUri: app.callback,
    state,
  })
  assert.equal((await tab.open(`${app.callback}?code=c&state=${state}`)).status, 200)
  const refused = await post({})
  assert.equal(refused.status, 400)
  assert.match(await refused.text(), /connectorId is missing/)
})

test('no page lets a value become markup or script', async t => {
  const app = await up(t)
  const script = '<script>alert(1)</script>'
  const tab = new Tab()
  app.recorder.rows = [{ credentialId: `"'${script}`, name: script, type: 'notion-oauth2', createdAt: script }]
  app.recorder.redemption = { status: 200, body: { connectionId: script } }
  const urls = [
    `${app.callback}?error=${encodeURIComponent(script)}`,
    `${app.callback}?error=x&error_description=${encodeURIComponent(script)}&state=${await begin(tab, app)}`,
    app.callback,
    `${app.callback}?code=c&state=${await begin(tab, app)}`,
    `${app.origin}/${encodeURIComponent(script)}`,
    `${app.origin}/`,
  ]
  for (const url of urls) {
    const page = await tab.open(url)
    const text = await page.text()
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
    assert.equal(text.match(/<script/g)?.length, 1, url)
    assert.ok(text.includes('<script src="/copy.js" defer></script>'))
    const policy = page.headers.get('content-security-policy') ?? ''
    assert.match(policy, /default-src 'none'/)
    assert.match(policy, /frame-ancestors 'none'/)
    assert.match(policy, /script-src 'self';/)
    assert.match(policy, /img-src data:/)
    assert.doesNotMatch(policy, /unsafe|default-src '(?!none)/)
    assert.equal(page.headers.get('referrer-policy'), 'same-origin')
    assert.equal(page.headers.get('cache-control'), 'no-store')
  }
  const shown = await (await tab.open(app.callback)).text()
  assert.ok(shown.includes('CONNECTION_ID=&quot;&#39;&lt;script&gt;'))
})

test('a page of another site changes nothing', async t => {
  const app = await up(t)
  const paths = ['/api/oauth/initiate', '/api/alloy/token', '/oauth/callback', '/api/oauth/callback', '/webhook/alloy']
  const body = JSON.stringify({ connectorId: 'notion', type: 'connection.created' })
  for (const path of paths)
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'http://localhost:1' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]) {
      const answer = await send(app.origin + path, { ...headers, 'content-type': 'application/json' }, 'POST', body)
      assert.equal(answer.status, 403, `${path} ${JSON.stringify(headers)}`)
      assert.match(answer.text, /A page of another site sent this request/)
    }
  assert.deepEqual(app.recorder.begun, [])
  const own = { origin: app.origin, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' }
  // A browser that withholds the origin still says that it is the same.
  for (const headers of [own, { ...own, origin: 'null' }])
    assert.equal((await send(`${app.origin}/api/oauth/initiate`, headers, 'POST', body)).status, 200)
  const opaque = { ...own, origin: 'null', 'sec-fetch-site': 'none' }
  assert.equal((await send(`${app.origin}/api/oauth/initiate`, opaque, 'POST', body)).status, 403)
  // A sign-in does not begin behind another page either; a link to it is a link.
  const behind = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }
  assert.equal((await send(`${app.origin}/connect/notion`, behind)).status, 403)
  const frame = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }
  assert.equal((await send(`${app.origin}/connect/notion`, frame)).status, 403)
  // Nor under another spelling of its address.
  const before = app.recorder.begun.length
  for (const path of ['/Connect/Notion', '/connect/notion/', '/CONNECT/notion', '/connect/Notion/'])
    for (const headers of [behind, frame]) assert.equal((await send(app.origin + path, headers)).status, 404, path)
  assert.equal((await send(`${app.origin}/api/Connections`, {})).status, 404)
  assert.equal((await send(`${app.origin}/api/connections/`, {})).status, 404)
  assert.equal(app.recorder.begun.length, before)
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  assert.equal((await send(`${app.origin}/connect/notion`, link)).status, 302)
})

test('another name of this machine reads nothing, and a session has one name', async t => {
  const app = await up(t)
  const { port } = new URL(app.origin)
  for (const host of [`evil.example:${port}`, 'evil.example', `localhost.evil.example:${port}`, `a@localhost:${port}`])
    for (const path of ['/', '/api/connections', '/oauth/callback', '/style.css'])
      assert.equal((await send(app.origin + path, { host })).status, 403, `${host} ${path}`)
  for (const path of ['/', '/connect/notion']) {
    const moved = await send(app.origin + path, { host: `127.0.0.1:${port}` })
    assert.equal(moved.status, 302)
    assert.equal(moved.headers['location'], app.origin + path)
  }
  assert.deepEqual(app.recorder.begun, [])
})

test("the provider's answer to the hub goes on to the hub, with all that it carries", async t => {
  const app = await up(t)
  const query = `?code=a%20b&state=1z.${'A'.repeat(43)}&iss=https%3A%2F%2Fx.example`
  const answer = await new Tab().open(app.callback + query)
  assert.equal(answer.status, 302)
  assert.equal(answer.headers.get('location'), `${app.recorder.origin}/oauth/callback${query}`)
  assert.deepEqual(app.recorder.redeemed, [])
})

const event = JSON.stringify({
  type: 'connection.created',
  timestamp: '2026-11-21T10:00:00.000Z',
  data: { connectionId: 'conn_9', userId: 'u1', integrationId: 'notion' },
})

test('a webhook is believed when its signature is right', async t => {
  const secret = `whsec_${Buffer.from('0123456789abcdef01234567').toString('base64')}`
  const app = await up(t, { ALLOY_WEBHOOK_SECRET: secret })
  const url = `${app.origin}/webhook/alloy`
  const signed = (key: string, at: Date, body: string) => ({
    'content-type': 'application/json',
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(key).sign('msg_1', at, body),
  })
  const other = `whsec_${Buffer.from('x123456789abcdef01234567').toString('base64')}`
  const now = new Date()
  for (const headers of [
    { 'content-type': 'application/json' },
    signed(other, now, event),
    signed(secret, now, `${event} `),
    signed(secret, new Date(now.getTime() - 3_600_000), event),
  ] as Record<string, string>[]) {
    const refused = await send(url, headers, 'POST', event)
    assert.equal(refused.status, 400)
    assert.match(refused.text, /The signature of this webhook is not valid/)
  }
  const seen = async () => (await send(`${app.origin}/api/diagnose`, {})).text
  assert.match(await seen(), /None has come yet/)
  // Through a tunnel, and twice, as at-least-once delivery may.
  const headers = { ...signed(secret, now, event), host: 'tunnel.example' }
  for (let n = 0; n < 2; n++) {
    const taken = await send(url, headers, 'POST', event)
    assert.equal(taken.status, 200)
    assert.equal(taken.text, '{"received":true}')
  }
  assert.match(await seen(), /1 connection was announced, the last one conn_9/)
  assert.ok(!(await seen()).includes(secret))
})

test('without a secret webhooks come from this machine only; other events are acknowledged, broken ones refused', async t => {
  const app = await up(t)
  const url = `${app.origin}/webhook/alloy`
  const json = { 'content-type': 'application/json' }
  assert.equal((await send(url, { ...json, host: 'tunnel.example' }, 'POST', event)).status, 403)
  assert.equal((await send(url, json, 'POST', event)).text, '{"received":true}')
  assert.equal((await send(url, json, 'POST', '{"type":"connection.deleted"}')).text, '{"received":true}')
  assert.equal((await send(url, json, 'POST', '{')).status, 400)
  assert.equal((await send(url, json, 'POST', '{"type":"connection.created","data":{"connectionId":"c"}}')).status, 400)
})

test('a changed .env is seen without a restart', async t => {
  const recorder = await startRecorder(t)
  const file = join(tempFolder(t), '.env')
  writeFileSync(file, `ALLOY_BASE_URL=${recorder.origin}\n`)
  const { origin } = await startServer(t, { ALLOY_ENV_FILE: file })
  const check = async () => (await send(`${origin}/api/config/check`, {})).text
  assert.match(await check(), /"CONNECTION_ID":"missing"/)
  writeFileSync(file, `ALLOY_BASE_URL=${recorder.origin}\nCONNECTION_ID=conn_1\n`)
  assert.match(await check(), /"CONNECTION_ID":"set"/)
})

test('the start page, health and what is not there', async t => {
  const app = await up(t)
  const home = await new Tab().open(app.origin)
  const text = await home.text()
  assert.match(text, /🔗 Connect Notion to Alloy Automation/)
  assert.match(text, />Connect Notion<[\s\S]*>Get JWT Token</)
  assert.ok(text.includes(app.recorder.origin))
  assert.equal((await send(`${app.origin}/api/health`, {})).text, '{"success":true,"status":"ok"}')
  assert.match((await send(`${app.origin}/style.css`, {})).text, /main \{/)
  assert.equal((await send(`${app.origin}/nowhere`, { accept: 'application/json' })).status, 404)
  const broken = { accept: 'application/json', 'content-type': 'application/json' }
  const malformed = await send(`${app.origin}/api/oauth/initiate`, broken, 'POST', '{')
  assert.equal(malformed.status, 400)
  const failure = JSON.parse(malformed.text) as Record<string, unknown>
  assert.equal(failure['success'], false)
  assert.equal(failure['error'], 'The body of this request is not JSON.')
  assert.match(String(failure['suggestion']), /Send JSON/)
  const large = await send(`${app.origin}/api/oauth/initiate`, broken, 'POST', `"${'x'.repeat(200_000)}"`)
  assert.equal(large.status, 413)
  assert.match(large.text, /"error":"The body of this request is too large.","suggestion":/)
})

/** A request with exactly these headers: fetch would not send some of them. */
const send = (
  url: string,
  headers: Readonly<Record<string, string>>,
  method = 'GET',
  body = '',
): Promise<{ status: number; text: string; headers: Record<string, unknown> }> =>
  new Promise((done, fail) => {
    const out = request(url, { method, headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) } })
    out.on('response', answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', chunk => {
        text += chunk
      })
      answer.on('end', () => done({ status: answer.statusCode ?? 0, text, headers: answer.headers }))
    })
    out.on('error', fail)
    out.end(body)
  })
