/** Attacks through a connect link: what it returns to, what it asks for, what it names, and what comes back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '../../src/core/ids.ts'
import type { ConnectionShape } from '../../src/http/nango/shapes.ts'
import { Browser, connect, connectUrl, getJson, movableClock, startTestHub, untilCallback } from '../harness.ts'

const app = 'http://localhost:9/done'

test('an empty scopes is refused: asked for nothing, a provider may grant more than the integration asks for', async t => {
  const hub = await startTestHub(t)
  for (const scopes of ['', ' ', ',', ' , ']) {
    const answer = await new Browser().get(connectUrl(hub, 'hubspot', { scopes, api_redirect_url: app }))
    const returned = new URL(answer.headers.get('location') ?? '')
    assert.equal(returned.origin, 'http://localhost:9', JSON.stringify(scopes))
    assert.equal(returned.searchParams.get('error_type'), 'url_param_err')
  }
  // Notion has no scopes: there, none is all of them.
  const { returned } = await connect(hub, 'notion', { connection_id: 'a', scopes: '' })
  assert.equal(returned.searchParams.get('connection_id'), 'a')
})

test('an api_redirect_url that no header could carry is sent encoded, or refused; it never breaks the flow', async t => {
  const hub = await startTestHub(t)
  const sent: [given: string, arrives: string][] = [
    ['http://localhost:9/fertig/ä?name=Zoë', 'http://localhost:9/fertig/%C3%A4?name=Zo%C3%AB'],
    ['http://localhost:9/完了', 'http://localhost:9/%E5%AE%8C%E4%BA%86'],
    ['http://localhost:9/do\r\nset-cookie: a=b', 'http://localhost:9/doset-cookie:%20a=b'],
    ['http://localhost:9/done?a=1\n2', 'http://localhost:9/done?a=12'],
    ['HTTP://LOCALHOST:9/done', 'http://localhost:9/done'],
    ['http:\\\\localhost:9/done', ''],
    ['http:localhost:9/done', ''],
    ['http:/localhost:9/done', ''],
    ['\nhttp://localhost:9/done', ''],
    ['http://löcalhost:9/done', ''],
  ]
  for (const [given, arrives] of sent)
    for (const deny of [false, true]) {
      hub.sandbox.reset('github')
      hub.sandbox.set('github', deny ? { deny: true } : { autoApprove: true })
      const browser = new Browser()
      const link = connectUrl(hub, 'github', { connection_id: 'a', api_redirect_url: given })
      const { response, url } = await browser.follow(link, next => next.startsWith('http://localhost:9/'))
      const [first] = browser.hops
      assert.ok(!browser.hops.some(hop => hop.status >= 500), given)
      if (arrives === '') {
        assert.deepEqual([first?.status, first?.location], [400, undefined], given)
        continue
      }
      assert.equal(response.status, 302, given)
      const location = response.headers.get('location') ?? ''
      assert.match(location, /^[\x21-\x7e]+$/)
      assert.ok(location.startsWith(arrives), `${given} → ${location}`)
      assert.equal(new URL(url).searchParams.get(deny ? 'error_type' : 'connection_id'), deny ? 'callback_err' : 'a')
      assert.equal(response.headers.get('set-cookie'), null)
    }
  // A failure before the provider's page goes the same way.
  const early = await new Browser().get(connectUrl(hub, 'nope', { api_redirect_url: `${app}/ä` }))
  assert.equal(early.status, 302)
  assert.match(early.headers.get('location') ?? '', /^http:\/\/localhost:9\/done\/%C3%A4\?message_type=error/)
})

test('an id with a slash at its end is another id, and is read as it is', async t => {
  const hub = await startTestHub(t)
  for (const id of ['victim', 'victim/', '/victim', 'a//b/']) {
    const { returned } = await connect(hub, 'github', { connection_id: id })
    assert.equal(returned.searchParams.get('connection_id'), id)
  }
  const read = async (path: string) => {
    const { status, body } = await getJson<ConnectionShape>(`${hub.origin}${path}?provider_config_key=github`)
    assert.equal(status, 200, path)
    assert.ok('access_token' in body.credentials)
    return [body.connection_id, body.credentials.access_token] as const
  }
  const [plain, slashed] = [await read('/connection/victim'), await read('/connection/victim/')]
  assert.deepEqual([plain[0], slashed[0]], ['victim', 'victim/'])
  assert.notEqual(plain[1], slashed[1])
  assert.deepEqual(await read('/connection/victim%2F'), slashed)
  assert.equal((await read('/connection//victim'))[0], '/victim')
  assert.equal((await read('/connection/%2Fvictim'))[0], '/victim')
  assert.equal((await read('/connection/a//b/'))[0], 'a//b/')
  const list = await getJson<{ connections: object[] }>(`${hub.origin}/connection`)
  assert.equal(list.body.connections.length, 4)
  const none = await getJson(`${hub.origin}/connection/?provider_config_key=github`)
  assert.equal(none.status, 400)
  assert.match(JSON.stringify(none.body), /connection_id is missing/)
})

test('an iss is compared as text, letter for letter', async t => {
  const hub = await startTestHub(t)
  const finish = async (integration: string, iss: string) => {
    hub.sandbox.set(integration, { autoApprove: true })
    const browser = new Browser()
    const callback = new URL(await untilCallback(hub, browser, connectUrl(hub, integration, { connection_id: 'a' })))
    callback.searchParams.set('iss', iss)
    return (await browser.get(callback.href)).status
  }
  // Google's definition names its issuer. As URLs, most of these would be the same.
  for (const iss of [
    'https://accounts.google.com/x',
    'https://accounts.google.com:443',
    'HTTPS://accounts.google.com',
    'https://ACCOUNTS.google.com',
    'https://accounts.google.com ',
    'https:accounts.google.com',
    'https://accounts.google.com?',
    'https://accounts.google.com#',
    'https://user@accounts.google.com',
    'accounts.google.com',
    'javascript:alert(1)',
    '',
  ])
    assert.equal(await finish('google-drive', iss), 400, iss)
  assert.equal(await finish('google-drive', 'https://accounts.google.com'), 200)
  // GitHub's names none: it is the origin that was asked, and some print that with a slash.
  for (const iss of [
    'https://github.com.evil.example',
    'https://github.com/login',
    'http://github.com',
    'github.com',
    '',
  ])
    assert.equal(await finish('github', iss), 400, iss)
  assert.equal(await finish('github', 'https://github.com'), 200)
  assert.equal(await finish('github', 'https://github.com/'), 200)
})

test("a definition's issuer that is no origin is compared as text, too", async t => {
  const { mkdirSync, readFileSync, writeFileSync } = await import('node:fs')
  const { join } = await import('node:path')
  const { tempFolder } = await import('../harness.ts')
  const folder = join(tempFolder(t), 'providers')
  mkdirSync(folder)
  const own = readFileSync(new URL('../../providers/github.yaml', import.meta.url), 'utf8')
  const issuer = 'https://github.com/login/oauth/v2.0?tenant=A%2Fb'
  writeFileSync(join(folder, 'github.yaml'), own.replace('\nauthorize:\n', `\nauthorize:\n  issuer: ${issuer}\n`))
  const hub = await startTestHub(t, { env: { MORTISE_PROVIDERS_DIR: folder } })
  const finish = async (iss: string) => {
    hub.sandbox.set('github', { autoApprove: true })
    const browser = new Browser()
    const callback = new URL(await untilCallback(hub, browser, connectUrl(hub, 'github', { connection_id: 'a' })))
    callback.searchParams.set('iss', iss)
    return (await browser.get(callback.href)).status
  }
  for (const iss of ['https://github.com', 'https://github.com/login/oauth/v2.0?tenant=A/b', `${issuer}&x=1`])
    assert.equal(await finish(iss), 400, iss)
  assert.equal(await finish(issuer), 200)
})

test('an attempt that was interrupted while it was finished says so, once that cannot be under way any more', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  hub.sandbox.set('github', { autoApprove: true })
  const browser = new Browser()
  let nonce = ''
  const start = await browser.get(connectUrl(hub, 'github'))
  nonce = /mortise_\w+=([^;]+)/.exec(start.headers.get('set-cookie') ?? '')?.[1] ?? ''
  const callback = await untilCallback(hub, browser, start.headers.get('location') ?? '')
  const stateHash = sha256(new URL(callback).searchParams.get('state') ?? '')
  // As a process does that is then killed.
  const { storage, firstEnvironment } = hub.rooms
  assert.ok(await storage.takeAttempt(firstEnvironment.id, stateHash, sha256(nonce), clock.now()))
  const page = async () => {
    const answer = await browser.get(callback)
    assert.equal(answer.status, 400)
    return answer.text()
  }
  assert.match(await page(), /being finished already\. Reload/)
  clock.forward(120)
  assert.match(await page(), /being finished already\. Reload/)
  clock.forward(1)
  const late = await page()
  assert.match(late, /interrupted/)
  assert.match(late, /Start again/)
  assert.equal(hub.sandbox.calls.length, 0)
})

test('more than twenty params[…] are refused, and so is a name or a value that no provider could want', async t => {
  const hub = await startTestHub(t)
  const params = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`params[p${index}]`, 'x']))
  const ask = async (query: Record<string, string>) => {
    const answer = await new Browser().get(connectUrl(hub, 'github', { ...query, api_redirect_url: app }))
    return new URL(answer.headers.get('location') ?? '').searchParams.get('error_type')
  }
  assert.equal(await ask(params(20)), null)
  assert.equal(await ask(params(21)), 'url_param_err')
  for (const name of ['params[]', 'params[a b]', 'params[1]', `params[a${'b'.repeat(64)}]`, 'params[x][y]', 'params'])
    assert.equal(await ask({ [name]: 'x' }), 'url_param_err', name)
  assert.equal(await ask({ 'params[a]': 'x'.repeat(255) }), null)
  for (const value of ['x'.repeat(256), 'a\nb', '\u0000'])
    assert.equal(await ask({ 'params[a]': value }), 'url_param_err')
  const inherited = await connect(hub, 'github', { connection_id: 'a', 'params[constructor]': 'x' })
  assert.equal(inherited.returned.searchParams.get('connection_id'), 'a')
})
