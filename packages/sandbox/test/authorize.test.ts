import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { startSandbox } from '../src/index.ts'
import { AUTHORIZE, bodyOf, codeOf, locationOf, REDIRECT, stage, VERIFIER } from './play.ts'

const CONNECT = 'https://hill.orchard.example/connect'

describe('the authorize page', () => {
  test('approve leads back with code, state, issuer and what the provider adds, keeping the own query', async () => {
    const s = await stage()
    const page = await s.authorize(CONNECT, s.orchardRequest())
    assert.equal(page.status, 200)
    const answer = await s.form(page, { account: 'farm-2', decision: 'approve' })
    assert.ok(answer.headers.get('location')?.startsWith(`${REDIRECT}&code=occ_`))
    const back = locationOf(answer).searchParams
    assert.equal(back.get('state'), 'st')
    assert.equal(back.get('iss'), 'https://orchard.example')
    assert.equal(back.get('farm'), 'hill.orchard.example')
    assert.equal(back.get('tenant'), 'a b')
    const form = {
      grant_type: 'authorization_code',
      code: codeOf(answer),
      redirect_uri: REDIRECT,
      code_verifier: VERIFIER,
    }
    const { access } = await bodyOf(await s.orchard('/tokens', form))
    const tree = await bodyOf(await s.tree(String(access)))
    assert.deepEqual(tree, { tree: 'old oak', who: 'farm-2', scopes: ['pick', 'offline'] })
  })

  test("the page names provider and client, and an e-mail that is the account's name once", async () => {
    const s = await stage()
    const orchard = await (await s.authorize(CONNECT, s.orchardRequest())).text()
    assert.match(orchard, /<h1>Orchard \(sandbox\): Mortise asks for access<\/h1>[\s\S]*<code>or:chard<\/code>/)
    const google = await startSandbox({ port: 0 })
    after(() => google.close())
    const redirectUris = ['http://localhost:3003/callback']
    google.register({ provider: 'google-drive', clientId: 'app', clientSecret: 'x', redirectUris })
    const query = new URLSearchParams({
      client_id: 'app',
      redirect_uri: redirectUris[0] ?? '',
      response_type: 'code',
      scope: 'https://www.googleapis.com/auth/drive.file',
    })
    const page = await (await fetch(`${google.url('https://accounts.google.com/o/oauth2/v2/auth')}?${query}`)).text()
    assert.equal(page.split('ada@acme.example').length, 2)
    assert.match(page, /<small>Ada Lovelace<\/small>/)
  })

  test('deny, by button and by switch', async () => {
    const s = await stage()
    const denied = (answer: Response): void => {
      const back = locationOf(answer).searchParams
      assert.equal(back.get('error'), 'access_denied')
      assert.equal(back.get('state'), 'st')
      assert.equal(back.get('code'), null)
    }
    denied(await s.form(await s.authorize(CONNECT, s.orchardRequest()), { decision: 'deny' }))
    s.sandbox.set('orchard', { deny: true })
    const answer = await s.authorize(CONNECT, s.orchardRequest())
    denied(answer)
    assert.equal(locationOf(answer).searchParams.get('iss'), 'https://orchard.example')
  })

  test('a page is answered once, within ten minutes, at its own address', async () => {
    const s = await stage()
    const fields = { account: 'farm-1', decision: 'approve' }
    const page = await s.authorize(CONNECT, s.orchardRequest())
    const again = page.clone()
    codeOf(await s.form(page, fields))
    assert.equal((await s.form(again, fields)).status, 400)
    const late = await s.authorize(CONNECT, s.orchardRequest())
    s.clock += 10 * 60_000
    assert.equal((await s.form(late, fields)).status, 400)
    const unknown = await s.authorize(CONNECT, s.orchardRequest())
    assert.equal((await s.form(unknown, { ...fields, account: 'farm-3' })).status, 400)
    const other = await (await s.authorize(CONNECT, s.orchardRequest())).text()
    const body = new URLSearchParams({
      ...fields,
      transaction: /name="transaction" value="([^"]+)"/.exec(other)?.[1] ?? '',
    })
    const elsewhere = s.sandbox.url('https://dale.orchard.example/connect')
    assert.equal((await fetch(elsewhere, { method: 'POST', body, redirect: 'manual' })).status, 400)
  })

  test('an unknown client or redirect URI gets a page, never a redirect', async () => {
    const s = await stage()
    for (const more of [
      { client_id: 'nobody' },
      { redirect_uri: 'https://evil.example/' },
      { redirect_uri: `${REDIRECT}&more=1` },
      { redirect_uri: '' },
    ]) {
      for (const autoApprove of [undefined, true] as const) {
        s.sandbox.reset()
        if (autoApprove) s.sandbox.set('plain', { autoApprove })
        const answer = await s.authorize(AUTHORIZE, s.plainRequest(more))
        assert.equal(answer.status, 400)
        assert.equal(answer.headers.get('location'), null)
        assert.match(answer.headers.get('content-type') ?? '', /^text\/html/)
      }
    }
    const twice = `${s.sandbox.url(AUTHORIZE)}?${new URLSearchParams(s.plainRequest())}&redirect_uri=https://evil.example/`
    assert.equal((await fetch(twice, { redirect: 'manual' })).status, 400)
  })

  test('what is wrong otherwise goes back to the application', async () => {
    const s = await stage()
    s.sandbox.set('orchard', { autoApprove: true })
    const wrong: [Record<string, string>, string][] = [
      [{ response_type: '' }, 'invalid_request'],
      [{ response_type: 'token' }, 'unsupported_response_type'],
      [{ audience: 'pears' }, 'invalid_request'],
      [{ code_challenge: '' }, 'invalid_request'],
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ code_challenge: 'short' }, 'invalid_request'],
      [{ code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
      [{ scopes: '' }, 'invalid_scope'],
      [{ scopes: 'pick,,prune' }, 'invalid_scope'],
      [{ scopes: 'pick prune' }, 'invalid_scope'],
      [{ scopes: 'pick,steal' }, 'invalid_scope'],
      [{ scope: 'pick' }, 'invalid_scope'],
    ]
    for (const [more, error] of wrong) {
      const back = locationOf(await s.authorize(CONNECT, s.orchardRequest(more))).searchParams
      assert.equal(back.get('error'), error, JSON.stringify(more))
      assert.equal(back.get('state'), 'st')
      assert.equal(back.get('code'), null)
    }
    const twice = `${s.sandbox.url(CONNECT)}?${new URLSearchParams(s.orchardRequest())}&audience=apples`
    const back = locationOf(await fetch(twice, { redirect: 'manual' })).searchParams
    assert.equal(back.get('error'), 'invalid_request')
  })

  test('everything it prints is escaped, and its policy runs no script', async () => {
    const s = await stage()
    const script = `"'><script>alert(1)</script>&`
    const endpoints = { authorizeUrl: AUTHORIZE, tokenUrl: 'https://login.plain.example/token' }
    const redirectUri = `https://app.example/?x=${script}`
    s.sandbox.register({
      provider: 'plain',
      clientId: script,
      clientSecret: 'x',
      redirectUris: [redirectUri],
      endpoints,
    })
    const all = s.plainRequest({
      client_id: script,
      redirect_uri: redirectUri,
      state: script,
      scope: `<script>alert(1)</script>`,
    })
    const pages = [await s.authorize(AUTHORIZE, all), await s.authorize(CONNECT, s.orchardRequest())]
    for (const key of Object.keys(all)) {
      pages.push(await s.authorize(AUTHORIZE, s.plainRequest({ [key]: `${script}${key}` })))
    }
    pages.push(await fetch(`${s.sandbox.origin}/_sandbox`))
    let shown = 0
    for (const page of pages) {
      if (page.status === 302) continue
      const html = await page.text()
      shown += html.includes('&lt;script&gt;') ? 1 : 0
      assert.doesNotMatch(html, /<script|<Hill/i)
      const csp = page.headers.get('content-security-policy') ?? ''
      assert.match(csp, /default-src 'none'/)
      assert.match(csp, /frame-ancestors 'none'/)
      assert.doesNotMatch(csp, /unsafe|script-src|form-action/)
      assert.equal(page.headers.get('referrer-policy'), 'no-referrer')
      assert.equal(page.headers.get('cache-control'), 'no-store')
      assert.equal(page.headers.get('x-content-type-options'), 'nosniff')
    }
    assert.ok(shown >= 4, `escaped on ${shown} pages`)
  })
})
