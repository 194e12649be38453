/** Attacks on a flow: the state, the browser, the return address, the provider's host, the issuer. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../src/core/credential.ts'
import { sha256 } from '../../src/core/ids.ts'
import { addEnvironment, addIntegration } from '../../src/core/setup.ts'
import {
  Browser,
  connect,
  connectUrl,
  getJson,
  movableClock,
  startTestHub,
  type TestHub,
  untilCallback,
} from '../harness.ts'

const exchanges = (hub: TestHub) => hub.sandbox.calls.filter(call => call.kind === 'code').length
const connections = async (hub: TestHub) =>
  (await getJson<{ connections: unknown[] }>(`${hub.origin}/connection`)).body.connections.length

/** A flow as far as the provider's answer, which the browser has not delivered yet. */
const begun = async (hub: TestHub, query: Record<string, string> = {}, integration = 'github') => {
  hub.sandbox.set(integration, { autoApprove: true })
  const browser = new Browser()
  return { browser, callback: await untilCallback(hub, browser, connectUrl(hub, integration, query)) }
}

test('a replayed state: another browser is refused, and the code is not spent again', async t => {
  const hub = await startTestHub(t)
  const { browser, callback } = await begun(hub)
  assert.equal((await browser.get(callback)).status, 200)
  const thief = await new Browser().get(callback)
  assert.equal(thief.status, 400)
  const page = await thief.text()
  assert.match(page, /begun in another browser/)
  assert.doesNotMatch(page, /CONNECTION_ID/)
  const again = new URL(callback)
  again.searchParams.set('code', 'another-code')
  assert.equal((await browser.get(again.href)).status, 200)
  assert.equal(exchanges(hub), 1)
})

test('an omitted state finishes nothing', async t => {
  const hub = await startTestHub(t)
  const { browser, callback } = await begun(hub)
  for (const change of [
    (url: URL) => url.searchParams.delete('state'),
    (url: URL) => url.searchParams.append('state', 'x'),
  ]) {
    const url = new URL(callback)
    change(url)
    const answer = await browser.get(url.href)
    assert.equal(answer.status, 400)
    assert.match(await answer.text(), /sent no state/)
  }
  assert.equal(exchanges(hub), 0)
})

test('a foreign state finishes nothing: unknown, malformed, or moved to another environment', async t => {
  const hub = await startTestHub(t)
  const other = await addEnvironment(hub.rooms.hub.context, 'other')
  const { browser, callback } = await begun(hub)
  const state = new URL(callback).searchParams.get('state') ?? ''
  const moved = `${other.id.toString(36)}.${state.split('.')[1]}`
  for (const foreign of [
    `${state.slice(0, -1)}${state.endsWith('A') ? 'B' : 'A'}`,
    moved,
    'x',
    '',
    `${state}x`,
    '../..',
    '%00',
  ]) {
    const url = new URL(callback)
    url.searchParams.set('state', foreign)
    assert.equal((await browser.get(url.href)).status, 400, foreign)
  }
  assert.equal(exchanges(hub), 0)
  assert.equal(await connections(hub), 0)
})

test("a foreign state with the nonce of another attempt finishes neither: a state is the attempt's own", async t => {
  const hub = await startTestHub(t)
  const { browser, callback } = await begun(hub)
  const right = new URL(callback)
  const state = right.searchParams.get('state') ?? ''
  const start = await browser.get(connectUrl(hub, 'github'))
  const nonce = /=([\w-]{43});/.exec(start.headers.get('set-cookie') ?? '')?.[1] ?? ''
  // Whoever knows one nonce of this browser, and makes up a state, takes neither that attempt nor another.
  const made = `${state.split('.')[0]}.${'A'.repeat(43)}`
  for (const foreign of [made, state]) {
    const url = new URL(callback)
    url.searchParams.set('state', foreign)
    const forged = await new Browser().get(url.href, { cookie: `mortise_${sha256(foreign).slice(0, 16)}=${nonce}` })
    assert.equal(forged.status, 400)
  }
  assert.equal(exchanges(hub), 0)
  assert.equal((await browser.get(callback)).status, 200)
})

test('an expired state finishes nothing', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  const [early, late] = [await begun(hub), await begun(hub)]
  clock.forward(599)
  // In time, so the hub asks the provider, whose own code has expired by now.
  assert.match(await (await early.browser.get(early.callback)).text(), /refused the token request/)
  assert.equal(exchanges(hub), 1)
  clock.forward(1)
  const answer = await late.browser.get(late.callback)
  assert.equal(answer.status, 400)
  assert.match(await answer.text(), /longer than ten minutes/)
  assert.equal(exchanges(hub), 1)
})

test('another browser cannot finish a flow, and does not spoil it for the right one', async t => {
  const hub = await startTestHub(t)
  const { browser, callback } = await begun(hub)
  const victim = await begun(hub)
  // The attacker's answer in the victim's browser, which has a cookie of its own: a login CSRF.
  const answer = await victim.browser.get(callback)
  assert.equal(answer.status, 400)
  assert.match(await answer.text(), /begun in another browser/)
  // A cookie of the right name with a made-up value.
  const name = `mortise_${sha256(new URL(callback).searchParams.get('state') ?? '').slice(0, 16)}`
  const forged = await new Browser().get(callback, { cookie: `${name}=${'A'.repeat(43)}` })
  assert.equal(forged.status, 400)
  assert.match(await forged.text(), /begun in another browser/)
  assert.equal(exchanges(hub), 0)
  assert.equal((await browser.get(callback)).status, 200)
})

test('the same callback twenty times at once spends the code once', async t => {
  const hub = await startTestHub(t)
  hub.sandbox.set('github', { delayMs: 50 })
  const { browser, callback } = await begun(hub)
  const answers = await Promise.all(Array.from({ length: 20 }, () => browser.get(callback)))
  assert.equal(exchanges(hub), 1)
  // Whoever came while the first one ran is told to reload; whoever came after it sees how it ended.
  for (const answer of answers)
    if (answer.status !== 200) assert.match(await answer.text(), /is being finished already/)
  assert.ok(answers.some(each => each.status === 200))
  assert.equal((await browser.get(callback)).status, 200)
  assert.equal(await connections(hub), 1)
})

test('an attempt cannot finish through an integration that was replaced meanwhile', async t => {
  const hub = await startTestHub(t)
  const { browser, callback } = await begun(hub)
  const { storage, firstEnvironment } = hub.rooms
  const { context } = hub.rooms.hub
  await storage.removeIntegration(firstEnvironment.id, 'github')
  await addIntegration(context, firstEnvironment, {
    key: 'github',
    provider: 'github',
    clientId: 'sandbox-github',
    clientSecret: new Secret('another'),
    sandbox: true,
  })
  assert.equal((await browser.get(callback)).status, 400)
  assert.equal(exchanges(hub), 0)
})

test('api_redirect_url off the allow-list is refused before any redirect, however it is dressed', async t => {
  const hub = await startTestHub(t)
  const { storage, firstEnvironment } = hub.rooms
  await storage.allow(firstEnvironment.id, 'redirect', 'https://app.example.com/done')
  const off = [
    'https://evil.example/done',
    'https://app.example.com/done/../evil',
    'https://app.example.com/Done',
    'https://app.example.com/done/',
    'https://app.example.com:444/done',
    'http://app.example.com/done',
    'https://app.example.com.evil.example/done',
    'https://app.example.com@evil.example/done',
    'https://user:pass@app.example.com/done',
    'https://evil.example/#https://app.example.com/done',
    'https://app.example.com/done#fragment',
    'https://app.example.com/done#',
    'http://localhost.evil.example/',
    'http://127.0.0.1.evil.example/',
    'http://localhost@evil.example/',
    'javascript:alert(1)//localhost',
    '//evil.example/done',
    '/done',
    '',
    'https://app.example.com/done?connection_id=forged',
  ]
  for (const url of off) {
    const answer = await new Browser().get(connectUrl(hub, 'github', { api_redirect_url: url }))
    assert.equal(answer.status, 400, url)
    assert.equal(answer.headers.get('location'), null, url)
    assert.equal(answer.headers.get('set-cookie'), null, url)
  }
  for (const url of [
    'https://app.example.com/done',
    'https://app.example.com/done?user=1',
    'http://127.0.0.1:3000/x',
  ]) {
    const answer = await new Browser().get(connectUrl(hub, 'github', { api_redirect_url: url }))
    assert.equal(answer.status, 302, url)
    assert.match(answer.headers.get('location') ?? '', /\/github\.com\/login\/oauth\/authorize/)
  }
})

test('a templated subdomain cannot move the flow, or the client secret, to another host', async t => {
  const hub = await startTestHub(t)
  await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, {
    key: 'zendesk',
    provider: 'zendesk',
    clientId: 'sandbox-zendesk',
    clientSecret: new Secret('z'.repeat(32)),
    sandbox: true,
  })
  const escapes = [
    'evil.example/x',
    'evil.example#',
    'evil.example?',
    'evil.example\\x',
    'evil.example%2fx',
    'evil.example:443/',
    'a@evil.example/',
    'evil.example',
    '..',
    '',
    ' ',
    'evil。example/x',
    '-acme',
    'a'.repeat(64),
    '${config.subdomain}',
  ]
  for (const subdomain of escapes) {
    const link = connectUrl(hub, 'zendesk', {
      'params[subdomain]': subdomain,
      api_redirect_url: 'http://localhost:9/done',
    })
    const returned = new URL((await new Browser().get(link)).headers.get('location') ?? '')
    assert.equal(returned.origin, 'http://localhost:9', subdomain)
    assert.equal(returned.searchParams.get('error_type'), 'url_param_err', subdomain)
  }
  const kept = connectUrl(hub, 'salesforce', {
    'params[instance_url]': 'https://evil.example',
    api_redirect_url: 'http://localhost:9/done',
  })
  const returned = new URL((await new Browser().get(kept)).headers.get('location') ?? '')
  assert.equal(returned.searchParams.get('error_type'), 'url_param_err')
})

test('an answer of another issuer is refused, and so is one without the issuer that is always sent (RFC 9207)', async t => {
  const hub = await startTestHub(t)
  const { browser, callback } = await begun(hub, {}, 'google-drive')
  const sent = new URL(callback)
  assert.equal(sent.searchParams.get('iss'), 'https://accounts.google.com')
  sent.searchParams.set('iss', 'https://evil.example')
  const answer = await browser.get(sent.href)
  assert.equal(answer.status, 400)
  assert.match(await answer.text(), /another issuer/)
  assert.equal(exchanges(hub), 0)
  // GitHub has no issuer of its own in its definition: one that is sent must still be of the host that was asked.
  const github = await begun(hub)
  const forged = new URL(github.callback)
  forged.searchParams.set('iss', 'https://gitlab.com')
  assert.equal((await github.browser.get(forged.href)).status, 400)
  assert.equal(exchanges(hub), 0)
})

test("a bare public key cannot take over another account's connection; an HMAC can replace it", async t => {
  const hub = await startTestHub(t)
  const [ada, other] = (await import('../../packages/sandbox/src/providers/notion.ts')).default.accounts
  assert.ok(ada && other)
  await connect(hub, 'notion', { connection_id: 'customer-1' }, { account: ada.id })
  const before = await getJson(`${hub.origin}/connection/customer-1?provider_config_key=notion`)
  const takeover = await connect(hub, 'notion', { connection_id: 'customer-1' }, { account: other.id })
  assert.equal(takeover.returned.searchParams.get('error_type'), 'connection_validation_failed')
  const after = await getJson(`${hub.origin}/connection/customer-1?provider_config_key=notion`)
  assert.deepEqual(after.body, before.body)
  const { setHmac } = await import('../../src/core/setup.ts')
  const key = (await setHmac(hub.rooms.hub.context, hub.rooms.firstEnvironment, true))?.reveal() ?? ''
  const { createHmac } = await import('node:crypto')
  const hmac = createHmac('sha256', key).update('notion:customer-1').digest('hex')
  const bare = await connect(hub, 'notion', { connection_id: 'customer-1' }, { account: ada.id })
  assert.equal(bare.returned.searchParams.get('error_type'), 'missing_hmac')
  const wrong = await connect(hub, 'notion', { connection_id: 'customer-2', hmac }, { account: ada.id })
  assert.equal(wrong.returned.searchParams.get('error_type'), 'invalid_hmac')
  const proven = await connect(hub, 'notion', { connection_id: 'customer-1', hmac }, { account: other.id })
  assert.equal(proven.returned.searchParams.get('connection_id'), 'customer-1')
})

test('a HEAD, as a link checker sends it, starts and finishes nothing', async t => {
  const hub = await startTestHub(t)
  const { browser, callback } = await begun(hub)
  for (const url of [connectUrl(hub, 'github'), callback])
    assert.equal((await fetch(url, { method: 'HEAD', redirect: 'manual' })).status, 404)
  assert.equal(exchanges(hub), 0)
  assert.equal((await browser.get(callback)).status, 200)
})
