import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { loadExpectations, startSandbox } from '../src/index.ts'
import { bodyOf, refused, type Stage, stage } from './play.ts'

/** fetch() will not let a test choose Host. */
const raw = (origin: string, path: string, headers: Record<string, string>): Promise<number> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(origin)
    const req = request({ host: '127.0.0.1', port, path, headers }, res => {
      res.resume()
      resolve(res.statusCode ?? 0)
    })
    req.on('error', reject)
    req.end()
  })

const post = (s: Stage, action: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${s.sandbox.origin}/_sandbox/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

describe('switches', () => {
  test('fail answers the next calls without doing the work', async () => {
    const s = await stage()
    const { refresh } = await s.orchardTokens()
    s.sandbox.set('orchard', { fail: { status: 503, body: { busy: true }, headers: { 'retry-after': '7' }, times: 2 } })
    for (let i = 0; i < 2; i++) {
      const answer = await s.renewOrchard(refresh)
      assert.equal(answer.status, 503)
      assert.equal(answer.headers.get('retry-after'), '7')
      assert.deepEqual(await bodyOf(answer), { busy: true })
    }
    assert.equal(s.sandbox.calls.at(-1)?.outcome, 'failed')
    assert.equal((await bodyOf(await s.renewOrchard(refresh)))['ok'], true)
    s.sandbox.set('orchard', { fail: { status: 500 } })
    for (let i = 0; i < 3; i++) assert.equal((await s.renewOrchard(refresh)).status, 500)
    s.sandbox.reset('orchard')
    assert.equal((await s.renewOrchard(refresh)).status, 200)
  })

  test('loseReply does the work and drops the socket', async () => {
    const s = await stage()
    const { refresh } = await s.orchardTokens()
    s.sandbox.set('orchard', { graceSeconds: 0, loseReply: { times: 1 } })
    await assert.rejects(s.renewOrchard(refresh))
    const last = s.sandbox.calls.at(-1)
    assert.equal(last?.outcome, 'ok')
    assert.equal(last?.lost, true)
    assert.equal((await bodyOf(await s.renewOrchard(refresh)))['ok'], false)
  })

  test('delayMs answers later, and close() does not wait for it', async () => {
    const s = await stage()
    const { refresh } = await s.orchardTokens()
    s.sandbox.set('orchard', { delayMs: 50 })
    const before = performance.now()
    assert.equal((await s.renewOrchard(refresh)).status, 200)
    assert.ok(performance.now() - before >= 45)
    s.sandbox.set('orchard', { delayMs: 600_000 })
    const calls = s.sandbox.calls.length
    const waiting = assert.rejects(s.renewOrchard(refresh))
    while (s.sandbox.calls.length === calls) await new Promise(resolve => setImmediate(resolve))
    await s.sandbox.close()
    await waiting
  })

  test('lifetime, rotates, graceSeconds and planted values', async () => {
    const s = await stage()
    s.sandbox.set('plain', {
      code: () => 'planted-code',
      accessToken: () => 'planted-a',
      refreshToken: () => 'planted-r',
    })
    s.sandbox.set('plain', { lifetime: 5 })
    assert.equal(await s.plainCode(), 'planted-code')
    const body = await bodyOf(await s.exchange('planted-code'))
    assert.equal(body['access_token'], 'planted-a')
    assert.equal(body['refresh_token'], 'planted-r')
    assert.equal(body['expires_in'], 5)
    s.sandbox.reset()
    s.sandbox.set('plain', { rotates: false })
    for (let i = 0; i < 2; i++) assert.equal((await bodyOf(await s.renew('planted-r')))['refresh_token'], 'planted-r')
    s.sandbox.set('plain', { rotates: true, graceSeconds: 10 })
    assert.notEqual((await bodyOf(await s.renew('planted-r')))['refresh_token'], 'planted-r')
    s.clock += 10_000
    assert.equal((await s.renew('planted-r')).status, 200)
    s.clock += 1
    assert.equal((await s.renew('planted-r')).status, 400)
    const log = JSON.stringify(s.sandbox.calls)
    assert.doesNotMatch(log, /planted|hush/)
  })

  test('expire ends an access token, revoke a grant', async () => {
    const s = await stage()
    const { access, refresh } = await s.orchardTokens()
    assert.equal(s.sandbox.expire('unknown'), false)
    assert.equal(s.sandbox.expire(access), true)
    assert.equal(s.sandbox.expire(access), false)
    assert.equal((await s.tree(access)).status, 403)
    const next = await bodyOf(await s.renewOrchard(refresh))
    assert.equal((await s.tree(String(next['access']))).status, 200)
    assert.equal(s.sandbox.revoke(String(next['access'])), true)
    assert.equal((await s.tree(String(next['access']))).status, 403)
    assert.equal((await bodyOf(await s.renewOrchard(String(next['refresh']))))['ok'], false)
    assert.equal(s.sandbox.revoke(access), false)
  })

  test('over HTTP: JSON from here only', async () => {
    const s = await stage()
    const { access } = await s.orchardTokens()
    const fail = { status: 418, times: 1 }
    const { origin } = s.sandbox
    assert.equal(
      (await post(s, 'switches', { provider: 'orchard', fail }, { origin: 'https://evil.example' })).status,
      403,
    )
    assert.equal((await post(s, 'switches', { provider: 'orchard', fail }, { origin: 'null' })).status, 403)
    const crossSite = { 'sec-fetch-site': 'cross-site' }
    assert.equal(await raw(origin, '/_sandbox', {}), 200)
    assert.equal((await post(s, 'expire', { token: access }, crossSite)).status, 403)
    assert.equal(
      (await post(s, 'switches', { provider: 'orchard', fail }, { 'content-type': 'text/plain' })).status,
      415,
    )
    for (const body of [{}, { provider: 'orchard', fial: fail }, { provider: 'orchard', delayMs: '1' }, [], 'x']) {
      assert.equal((await post(s, 'switches', body)).status, 400, JSON.stringify(body))
    }
    assert.equal((await post(s, 'switches', { provider: 'nobody', deny: true })).status, 404)
    assert.equal((await s.renewOrchard('x')).status, 200)
    assert.equal((await post(s, 'switches', { provider: 'orchard', fail }, { origin })).status, 200)
    assert.equal((await s.renewOrchard('x')).status, 418)
    assert.equal((await post(s, 'reset', {})).status, 200)
    assert.deepEqual(await bodyOf(await post(s, 'expire', { token: access })), { done: true })
    assert.equal((await post(s, 'revoke', { token: access })).status, 200)
    assert.equal((await post(s, 'revoke', { token: access })).status, 404)
    const page = await (await fetch(`${origin}/_sandbox`)).text()
    assert.match(page, /or:chard/)
    assert.match(page, /plain-app/)
    assert.doesNotMatch(page, /hush|s e\+c%ret/)
  })

  test('over HTTP: null clears one switch and leaves the others', async () => {
    const s = await stage()
    const switches = async (body: object) => {
      const answer = await post(s, 'switches', { provider: 'orchard', ...body })
      assert.equal(answer.status, 200)
      return (await bodyOf(answer))['switches']
    }
    await switches({ fail: { status: 503 }, lifetime: 60, deny: true })
    assert.deepEqual(await switches({ fail: null, lifetime: 30 }), { lifetime: 30, deny: true })
    assert.deepEqual(await switches({ deny: null, delayMs: null }), { lifetime: 30 })
    assert.equal((await s.renewOrchard('x')).status, 200)
    for (const name of ['fial', 'constructor'])
      assert.equal((await post(s, 'switches', { provider: 'orchard', [name]: null })).status, 400, name)
  })

  test('the page has the providers with a client first, and folds the others', async () => {
    const sandbox = await startSandbox({ port: 0 })
    after(() => sandbox.close())
    const redirectUris = ['http://localhost:3003/callback']
    sandbox.register({ provider: 'slack', clientId: 'app-slack', clientSecret: 'x', redirectUris })
    const page = await (await fetch(`${sandbox.origin}/_sandbox`)).text()
    const [before = '', folded = ''] = page.split('<details>')
    assert.match(before, /<h3>Slack<\/h3>[\s\S]*Acme \(Ada Lovelace, ada@acme\.example\)/)
    const others = (await loadExpectations()).length - 1
    assert.match(folded, new RegExp(`<summary>${others} more[\\s\\S]*<h3>Notion</h3>[\\s\\S]*</details>`))
    assert.doesNotMatch(before, /<h3>Notion/)
  })
})

describe('the server', () => {
  test('answers to loopback names only', async () => {
    const s = await stage()
    const { origin } = s.sandbox
    const { port } = new URL(origin)
    for (const host of ['evil.example', `evil.example:${port}`, `localhost.evil.example:${port}`, 'api.notion.com']) {
      for (const path of ['/_sandbox', '/hill.orchard.example/trees/1']) {
        assert.equal(await raw(origin, path, { host }), 403, host)
      }
    }
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]) {
      assert.equal(await raw(origin, '/_sandbox', { host }), 200, host)
    }
  })

  test('says what it plays where it is asked for something else', async () => {
    const s = await stage()
    const elsewhere = await fetch(s.sandbox.url('https://hill.orchard.example/nowhere'))
    assert.equal(elsewhere.status, 404)
    assert.match(await elsewhere.text(), /"provider":"orchard".*https:\/\/\{farm\}\.orchard\.example\/tokens/)
    assert.equal((await fetch(s.sandbox.url('https://unknown.example/'))).status, 404)
    assert.equal((await fetch(s.sandbox.url('https://a.b.orchard.example/tokens'))).status, 404)
    assert.throws(() => s.sandbox.url('http://hill.orchard.example/'))
    assert.throws(() => s.sandbox.set('nobody', {}))
    assert.throws(() => s.sandbox.set('orchard', { autoApprove: 'nobody' }))
  })

  test('a fault inside answers 500 and nothing stops', async t => {
    t.mock.method(console, 'error', () => {})
    const s = await stage()
    const { access } = await s.orchardTokens()
    const broken = await s.orchard('/trees/broken', {}, { authorization: `Bearer ${access}` })
    await refused(broken, 500, 'server_error')
    assert.equal((await s.tree(access)).status, 200)
  })

  test('plays what comes with the package, and a shared token URL by who calls', async () => {
    const sandbox = await startSandbox({ port: 0 })
    after(() => sandbox.close())
    const redirectUris = ['http://localhost:3003/callback']
    const ids = (await loadExpectations()).map(e => e.provider)
    assert.ok(ids.length >= 12)
    for (const provider of ids) {
      sandbox.register({ provider, clientId: `app-${provider}`, clientSecret: 'x', redirectUris })
      assert.match(await (await fetch(`${sandbox.origin}/_sandbox`)).text(), new RegExp(`app-${provider}<`))
    }
    for (const provider of ['google', 'google-drive']) {
      const form = { grant_type: 'refresh_token', refresh_token: 'x', client_id: `app-${provider}`, client_secret: 'x' }
      const url = sandbox.url('https://oauth2.googleapis.com/token')
      await fetch(url, { method: 'POST', body: new URLSearchParams(form) })
      assert.equal(sandbox.calls.at(-1)?.provider, provider)
      assert.equal(sandbox.calls.at(-1)?.outcome, 'invalid_refresh_token')
    }
  })

  test('a client that cannot be is not registered', async () => {
    const s = await stage()
    const client = { provider: 'orchard', clientId: 'a', clientSecret: 'b', redirectUris: ['https://app.example/cb'] }
    for (const wrong of [
      { provider: 'nobody' },
      { clientId: '' },
      { clientSecret: '' },
      { redirectUris: ['/callback'] },
      { redirectUris: ['https://app.example/#x'] },
      { redirectUris: ['https://app.example/\r\nx'] },
    ]) {
      assert.throws(() => s.sandbox.register({ ...client, ...wrong }), JSON.stringify(wrong))
    }
    s.sandbox.register(client)
  })

  test('the log is bounded', async () => {
    const s = await stage()
    for (let i = 0; i < 1010; i++) await s.tree(`t${i}`)
    assert.equal(s.sandbox.calls.length, 1000)
  })
})

describe('the state file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-'))
  after(() => rmSync(folder, { recursive: true }))

  test('grants survive a restart, values are not in it, and only the owner reads it', async () => {
    const stateFile = join(folder, 'deep', 'state.json')
    const s = await stage({ stateFile })
    const { access, refresh } = await s.orchardTokens()
    const code = await s.plainCode()
    await s.sandbox.close()
    const content = readFileSync(stateFile, 'utf8')
    for (const value of [access, refresh, code, 'hush', 's e+c%ret']) assert.ok(!content.includes(value))
    assert.equal(statSync(stateFile).mode & 0o777, 0o600)

    const again = await stage({ stateFile })
    assert.equal((await again.tree(access)).status, 200)
    assert.equal((await bodyOf(await again.renewOrchard(refresh)))['ok'], true)
    assert.equal((await again.exchange(code)).status, 200)
  })

  test('is written without close() too', async () => {
    const stateFile = join(folder, 'soon.json')
    const s = await stage({ stateFile })
    await s.orchardTokens()
    const written = async (): Promise<string> => {
      for (let i = 0; ; i++) {
        try {
          return readFileSync(stateFile, 'utf8')
        } catch (error) {
          if (i === 200) throw error
          await new Promise(resolve => setTimeout(resolve, 20))
        }
      }
    }
    assert.equal(Object.keys(JSON.parse(await written()).grants).length, 1)
  })

  test('a broken one is an error that names it, and it stays as it is', async () => {
    const stateFile = join(folder, 'broken.json')
    for (const content of [
      '{"version":1,',
      '{}',
      '{"version":1,"grants":{"a":{}},"access":{},"refresh":{},"codes":{}}',
    ]) {
      writeFileSync(stateFile, content)
      const started = startSandbox({ port: 0, stateFile, expectations: [] })
      after(() => started.then(sandbox => sandbox.close()).catch(() => {}))
      await assert.rejects(started, (error: Error) => error.message.includes(stateFile))
      assert.equal(readFileSync(stateFile, 'utf8'), content)
    }
  })
})
