/** The socket of the vendor's browser client: who may open it, what it is told, and by which process. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readConfig } from '../../src/config.ts'
import { startHub } from '../../src/main.ts'
import {
  Browser,
  connectUrl,
  freePorts,
  later,
  startTestHub,
  type TestHub,
  tempFolder,
  untilCallback,
} from '../harness.ts'
import { skip, startPostgres } from '../postgres.ts'
import { openSocket } from './waiting.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

test('a page is told its name, then how its flow ended; the last page of the flow closes itself by then', async t => {
  const hub = await startTestHub(t)
  hub.sandbox.set('github', { autoApprove: true })
  const page = await openSocket(t, hub.origin)
  assert.match(page.name, uuid)
  const browser = new Browser()
  const { response } = await browser.follow(connectUrl(hub, 'github', { connection_id: 'a', ws_client_id: page.name }))
  assert.deepEqual(await page.next(), {
    message_type: 'success',
    provider_config_key: 'github',
    connection_id: 'a',
    is_pending: false,
  })
  assert.equal(response.status, 200)
  const text = await response.text()
  assert.match(text, /GitHub is connected/)
  assert.match(text, /tell\.js" data-type="nango_oauth_callback_success"/)
  assert.match(text, /close\.js/)
  assert.ok(!text.includes('curl'), 'an end user is shown no commands')
  // The name went nowhere, but into the row as its digest.
  assert.ok(browser.hops.slice(1).every(hop => !hop.url.includes(page.name)))
})

test('a refusal of the end user is told as an error, and the page of the flow stays and says so', async t => {
  const hub = await startTestHub(t)
  hub.sandbox.set('github', { deny: true })
  const page = await openSocket(t, hub.origin)
  const link = connectUrl(hub, 'github', { connection_id: 'a', ws_client_id: page.name })
  const { response } = await new Browser().follow(link)
  const { error_desc, ...said } = (await page.next()) as Record<string, string>
  assert.deepEqual(said, {
    message_type: 'error',
    provider_config_key: 'github',
    connection_id: 'a',
    error_type: 'callback_err',
  })
  assert.match(error_desc ?? '', /declined at the provider\. Start again/)
  assert.equal(response.status, 400)
  const text = await response.text()
  assert.match(text, /data-type="nango_oauth_callback_error"[^>]* data-error-type="callback_err"/)
  assert.ok(!text.includes('close.js'))
})

test('a flow that cannot begin is told too, whatever is wrong with it, and its page posts the same', async t => {
  const hub = await startTestHub(t)
  const cases: [integration: string, query: Record<string, string>, status: number, type: string, says: RegExp][] = [
    ['nope', {}, 400, 'unknown_config_key', /no integration "nope".*integrations add nope/],
    ['github', { public_key: 'mortise_pk_wrong' }, 401, 'invalid_public_key', /public key is not known.*env show/],
    ['github', { connect_session_token: 'x' }, 401, 'invalid_connect_session_token_format', /64 hex digits/],
    ['github', { hmac: 'abc' }, 401, 'invalid_hmac', /has no HMAC key.*env hmac on/],
    ['github', { scopes: 'admin:org' }, 400, 'url_param_err', /may only narrow/],
    ['github', { conection_id: 'a' }, 400, 'url_param_err', /did you mean.*connection_id/i],
    ['github', { 'authorization_params[state]': 'x' }, 400, 'url_param_err', /authorization_params\[state\] cannot/],
    ['github', { user_scope: 'chat:write' }, 400, 'url_param_err', /public key alone may not ask for user scopes/],
    ['github', { 'credentials[oauth_client_id_override]': 'x' }, 400, 'url_param_err', /needs both/],
  ]
  for (const [integration, query, status, type, says] of cases) {
    const page = await openSocket(t, hub.origin)
    const asked = { connection_id: 'a', ws_client_id: page.name, ...query }
    const response = await fetch(connectUrl(hub, integration, asked), { redirect: 'manual' })
    assert.equal(response.status, status, integration + JSON.stringify(query))
    const { error_desc, ...said } = (await page.next()) as Record<string, string>
    assert.deepEqual(said, {
      message_type: 'error',
      provider_config_key: integration,
      connection_id: 'a',
      error_type: type,
    })
    assert.match(error_desc ?? '', says)
    assert.match(await response.text(), new RegExp(`data-error-type="${type}"`))
  }
})

test('a name is one page’s own: another page hears nothing of it, and a made-up name is told to nobody', async t => {
  const hub = await startTestHub(t)
  hub.sandbox.set('github', { autoApprove: true })
  const [one, two] = [await openSocket(t, hub.origin), await openSocket(t, hub.origin)]
  assert.notEqual(one.name, two.name)
  const began = performance.now()
  const made = await new Browser().follow(connectUrl(hub, 'github', { ws_client_id: 'made-up' }))
  assert.ok(performance.now() - began > 2000, 'the last page waits to be told, for a while')
  const text = await made.response.text()
  assert.equal(made.response.status, 200)
  assert.ok(!text.includes('close.js'), 'nobody heard, so the window stays and tells')
  await new Browser().follow(connectUrl(hub, 'github', { connection_id: 'b', ws_client_id: two.name }))
  assert.equal(((await two.next()) as { connection_id: string }).connection_id, 'b')
  const silent = await Promise.race([one.next(), later(600).then(() => 'nothing')])
  assert.equal(silent, 'nothing')
})

test('pages of other origins, other paths and rebinding names are refused; listed origins and programs are not', async t => {
  const hub = await startTestHub(t)
  const { host, port } = new URL(hub.origin)
  const refused: [headers: Record<string, string>, path: string, says: RegExp][] = [
    [{ origin: 'https://evil.example' }, '/', /refused 403 .*env allow-origin/],
    [{ origin: 'null' }, '/', /refused 403/],
    [{}, '/other', /refused 404 .*it is at \//],
    [{ host: `evil.example:${port}` }, '/', /refused 403/],
    [{ 'x-forwarded-for': '1.2.3.4' }, '/', /refused 403/],
  ]
  for (const [headers, path, says] of refused)
    await assert.rejects(openSocket(t, hub.origin, headers, path), says, JSON.stringify(headers) + path)
  await hub.rooms.storage.allow(hub.rooms.firstEnvironment.id, 'origin', 'https://app.example.com')
  const allowed: Record<string, string>[] = [
    {},
    { origin: hub.origin },
    { origin: 'http://localhost:5173' },
    { origin: 'https://app.example.com' },
    { host },
  ]
  for (const headers of allowed) assert.match((await openSocket(t, hub.origin, headers)).name, uuid)
})

test('nothing is expected of a page but that it waits; a hub that stops lets it go', async t => {
  const hub = await startTestHub(t)
  const talks = await openSocket(t, hub.origin)
  talks.socket.send('hello')
  assert.equal(await talks.next(), 'closed 1008')
  const waits = await openSocket(t, hub.origin)
  await hub.stop()
  assert.equal(await waits.next(), 'closed 1012')
})

test('the storage is asked while a page waits, once for all of them, and never otherwise', async t => {
  const hub = await startTestHub(t)
  const asked = t.mock.method(hub.rooms.storage, 'untold')
  await later(600)
  assert.equal(asked.mock.callCount(), 0)
  const pages = await Promise.all(Array.from({ length: 5 }, () => openSocket(t, hub.origin)))
  await later(900)
  const during = asked.mock.calls
  assert.ok(during.length >= 2 && during.length <= 5, `asked ${during.length} times`)
  assert.equal(during.at(-1)?.arguments[0].length, 5)
  for (const page of pages) page.socket.close()
  await later(400)
  const after = asked.mock.callCount()
  await later(600)
  assert.equal(asked.mock.callCount(), after)
})

/** Another hub on the data of the first one. */
const startOther = async (t: TestContext, env: Record<string, string>, dev: TestHub): Promise<string> => {
  const port = await freePorts()
  const settings = {
    ...env,
    MORTISE_PORT: String(port),
    MORTISE_DATA_DIR: tempFolder(t),
    MORTISE_PUBLIC_URL: dev.origin,
  }
  const other = await startHub(readConfig(settings, 'dev'), dev.sandbox.origin, { lookForDue: 0 })
  t.after(() => other.stop())
  return `http://localhost:${port}`
}

const acrossProcesses = async (t: TestContext, database: string) => {
  const env = {
    MORTISE_DATABASE_URL: database,
    MORTISE_ROOT_KEY: randomBytes(32).toString('base64'),
    MORTISE_LOG_LEVEL: 'silent',
  }
  const dev = await startTestHub(t, { env })
  const other = await startOther(t, env, dev)
  dev.sandbox.set('github', { autoApprove: true })
  // The socket is held by the one hub, the flow is begun and finished by the other.
  const page = await openSocket(t, other)
  const browser = new Browser()
  const callback = await untilCallback(
    dev,
    browser,
    connectUrl(dev, 'github', { connection_id: 'a', ws_client_id: page.name }),
  )
  const [answer, said] = await Promise.all([browser.get(callback), page.next()])
  assert.deepEqual(said, {
    message_type: 'success',
    provider_config_key: 'github',
    connection_id: 'a',
    is_pending: false,
  })
  assert.match(await answer.text(), /close\.js/)
  // So is a flow that cannot begin.
  const second = await openSocket(t, other)
  await fetch(connectUrl(dev, 'nope', { ws_client_id: second.name }))
  assert.equal(((await second.next()) as { error_type: string }).error_type, 'unknown_config_key')
}

test('the socket in one process, the callback in another, on one file', t =>
  acrossProcesses(t, join(tempFolder(t), 'mortise.db')))

test('the socket in one process, the callback in another, on one Postgres', { skip }, async t => {
  const server = await startPostgres()
  t.after(() => server.close())
  await acrossProcesses(t, (await server.newDatabase()).url)
})
