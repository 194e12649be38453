import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AUTHORIZE, bodyOf, codeOf, orchard, REDIRECT, refused, stage, TOKEN, VERIFIER } from './play.ts'

const basic = (id: string, secret: string): string => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

describe('the strict server', () => {
  test('code with PKCE, either way of client authentication', async () => {
    const s = await stage()
    const answer = await s.exchange(await s.plainCode())
    assert.equal(answer.status, 200)
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    const body = await bodyOf(answer)
    assert.deepEqual(Object.keys(body), ['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope'])
    assert.equal(body['token_type'], 'Bearer')
    assert.equal(body['expires_in'], 3600)
    assert.equal(body['scope'], 'read write')
    const code = await s.plainCode()
    const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: VERIFIER }
    assert.equal((await s.plain(form, { authorization: basic('plain-app', 'hush') })).status, 200)
  })

  test('wrong secret, unknown client, two methods at once, another scheme', async () => {
    const s = await stage()
    const form = {
      grant_type: 'authorization_code',
      code: await s.plainCode(),
      redirect_uri: REDIRECT,
      code_verifier: VERIFIER,
    }
    const wrong = await s.plain(form, { authorization: basic('plain-app', 'wrong') })
    assert.match(wrong.headers.get('www-authenticate') ?? '', /^Basic /)
    await refused(wrong, 401, 'invalid_client')
    const inBody = await s.plain({ ...form, client_secret: 'wrong' })
    assert.equal(inBody.headers.get('www-authenticate'), null)
    await refused(inBody, 401, 'invalid_client')
    await refused(await s.plain({ ...form, client_id: 'nobody' }), 401, 'invalid_client')
    await refused(await s.plain(form, { authorization: 'Basic %%%' }), 401, 'invalid_client')
    const named = { ...form, client_id: 'plain-app', client_secret: 'hush' }
    await refused(await s.plain(named, { authorization: 'Bearer x' }), 401, 'invalid_client')
    const both = await s.plain({ ...form, client_secret: 'hush' }, { authorization: basic('plain-app', 'hush') })
    await refused(both, 400, 'invalid_request')
    assert.equal((await s.plain(form)).status, 200)
  })

  test('redirect_uri and verifier must be those of the authorize request', async () => {
    const s = await stage()
    const code = await s.plainCode()
    await refused(await s.exchange(code, { redirect_uri: 'http://localhost:3003/other' }), 400, 'invalid_grant')
    await refused(await s.exchange(code, { redirect_uri: '' }), 400, 'invalid_request')
    await refused(await s.exchange(code, { code_verifier: `${VERIFIER}x` }), 400, 'invalid_grant')
    await refused(await s.exchange(code, { code_verifier: '' }), 400, 'invalid_grant')
    assert.equal((await s.exchange(code)).status, 200)
    assert.deepEqual(
      s.sandbox.calls.map(call => call.outcome),
      ['redirect_mismatch', 'invalid_request', 'bad_verifier', 'bad_verifier', 'ok'],
    )
    const bare = await s.authorize(AUTHORIZE, s.plainRequest({ code_challenge: '', code_challenge_method: '' }))
    await refused(await s.exchange(codeOf(bare)), 400, 'invalid_grant')
  })

  test('a code lives for a minute, and using it again revokes what it brought', async () => {
    const s = await stage()
    const late = await s.plainCode()
    s.clock += 60_000
    await refused(await s.exchange(late), 400, 'invalid_grant')
    const code = await s.plainCode()
    const { refresh_token } = await bodyOf(await s.exchange(code))
    await refused(await s.exchange(code), 400, 'invalid_grant')
    await refused(await s.renew(String(refresh_token)), 400, 'invalid_grant')
    await refused(await s.exchange('never-issued'), 400, 'invalid_grant')
  })

  test('a code and a refresh token belong to one client', async () => {
    const s = await stage()
    const endpoints = { authorizeUrl: AUTHORIZE, tokenUrl: TOKEN }
    s.sandbox.register({ provider: 'plain', clientId: 'other', clientSecret: 'o', redirectUris: [REDIRECT], endpoints })
    const other = { client_id: 'other', client_secret: 'o' }
    const code = await s.plainCode()
    await refused(await s.exchange(code, other), 400, 'invalid_grant')
    const { refresh_token } = await bodyOf(await s.exchange(code))
    const form = { grant_type: 'refresh_token', refresh_token: String(refresh_token) }
    await refused(await s.plain({ ...form, ...other }), 400, 'invalid_grant')
    assert.equal((await s.plain(form)).status, 200)
  })

  test('rotation: a spent refresh token revokes the family; scopes are kept and can only shrink', async () => {
    const s = await stage()
    const first = await bodyOf(await s.exchange(await s.plainCode()))
    const form = { grant_type: 'refresh_token', refresh_token: String(first['refresh_token']) }
    await refused(await s.plain({ ...form, scope: 'read admin' }), 400, 'invalid_request')
    const second = await bodyOf(await s.plain({ ...form, scope: 'read' }))
    assert.equal(second['scope'], 'read')
    const third = await bodyOf(await s.renew(String(second['refresh_token'])))
    assert.equal(third['scope'], 'read write')
    await refused(await s.renew(String(first['refresh_token'])), 400, 'invalid_grant')
    await refused(await s.renew(String(third['refresh_token'])), 400, 'invalid_grant')
    assert.ok(!s.sandbox.revoke(String(third['access_token'])))
  })

  test('malformed calls', async () => {
    const s = await stage()
    const post = (body: string, type: string, url = TOKEN): Promise<Response> =>
      fetch(s.sandbox.url(url), { method: 'POST', body, headers: { 'content-type': type } })
    const form = 'application/x-www-form-urlencoded'
    const client = 'client_id=plain-app&client_secret=hush'
    await refused(await post('{"grant_type":"refresh_token"}', 'application/json'), 400, 'invalid_request')
    await refused(await post(`${client}&grant_type=refresh_token`, 'text/plain'), 400, 'invalid_request')
    await refused(await post(`${client}&grant_type=a&grant_type=b`, form), 400, 'invalid_request')
    await refused(await post(client, form), 400, 'invalid_request')
    await refused(await post(`${client}&grant_type=password`, form), 400, 'unsupported_grant_type')
    await refused(await post(`${client}&grant_type=refresh_token`, form), 400, 'invalid_request')
    const { refresh_token } = await bodyOf(await s.exchange(await s.plainCode()))
    const good = `${client}&grant_type=refresh_token&refresh_token=${refresh_token}`
    await refused(await post(good, form, `${TOKEN}?client_secret=hush`), 400, 'invalid_request')
    assert.equal((await post(good, form)).status, 200)
    await refused(await post(`a=${'x'.repeat(1024 * 1024)}`, form), 413, 'invalid_request')
    const get = await fetch(s.sandbox.url(TOKEN))
    assert.equal(get.status, 405)
    assert.equal(get.headers.get('allow'), 'POST')
  })
})

describe('a provider with an expectation', () => {
  test('only the documented client authentication, body and headers', async () => {
    const s = await stage()
    const { refresh } = await s.orchardTokens()
    const body = {
      grant_type: 'refresh_token',
      refresh_token: refresh,
      client_id: 'or:chard',
      client_secret: 's e+c%ret',
    }
    const url = s.sandbox.url('https://hill.orchard.example/tokens')
    const inBody = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    assert.equal(inBody.status, 401)
    assert.deepEqual(await bodyOf(inBody), { ok: false, reason: 'who_are_you' })
    const form = await fetch(url, { method: 'POST', body: new URLSearchParams(body) })
    await refused(form, 400, 'invalid_request')
    await refused(await s.orchard('/tokens', [1]), 400, 'invalid_request')
    const code = { grant_type: 'authorization_code', code: 'x', redirect_uri: REDIRECT, code_verifier: VERIFIER }
    await refused(await s.orchard('/tokens', code, { 'orchard-version': '1' }), 400, 'invalid_request')
    const broken = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"a":' })
    await refused(broken, 400, 'invalid_request')
    assert.equal((await s.renewOrchard(refresh)).status, 200)
  })

  test('its own errors, and a grace window after which reuse revokes', async () => {
    const s = await stage()
    const { access, refresh } = await s.orchardTokens()
    assert.equal((await bodyOf(await s.renewOrchard(refresh)))['ok'], true)
    s.clock += 30_000
    const within = await bodyOf(await s.renewOrchard(refresh))
    assert.equal(within['ok'], true)
    assert.equal((await s.tree(access)).status, 200)
    s.clock += 1
    const past = await s.renewOrchard(refresh)
    assert.equal(past.status, 200)
    assert.deepEqual(await bodyOf(past), { ok: false, reason: 'stale' })
    assert.equal((await s.tree(access)).status, 403)
    assert.equal((await bodyOf(await s.renewOrchard(String(within['refresh']))))['ok'], false)
  })

  test('without the offline scope there is no refresh token', async () => {
    const s = await stage()
    s.sandbox.set('orchard', { autoApprove: 'farm-2' })
    const url = 'https://hill.orchard.example/connect'
    const code = codeOf(await s.authorize(url, s.orchardRequest({ scopes: 'pick' })))
    const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: VERIFIER }
    const body = await bodyOf(await s.orchard('/tokens', form))
    assert.deepEqual(Object.keys(body), ['ok', 'access'])
    assert.equal((await bodyOf(await s.tree(String(body['access']))))['who'], 'farm-2')
  })

  test('API: a live token of this provider and this workspace, in the documented header', async () => {
    // Everything is the same but the provider.
    const [api] = orchard.api
    assert.ok(api)
    const elsewhere = { ...api, url: api.url.replace('orchard', 'meadow') }
    const s = await stage({ expectations: [orchard, { ...orchard, provider: 'meadow', api: [elsewhere] }] })
    const { access, refresh } = await s.orchardTokens()
    assert.equal((await s.tree(access)).status, 200)
    assert.deepEqual(await bodyOf(await s.tree(access, 'dale')), { ok: false, reason: 'no_ladder' })
    assert.equal((await s.tree(refresh)).status, 403)
    const headers = { authorization: `Bearer ${access}` }
    const neighbour = await fetch(s.sandbox.url('https://hill.meadow.example/trees/1'), { headers })
    assert.deepEqual(await bodyOf(neighbour), { ok: false, reason: 'no_ladder' })
    const url = `${s.sandbox.url('https://hill.orchard.example/trees/1')}?access_token=${access}`
    assert.equal((await fetch(url)).status, 403)
    s.clock += 600_000
    assert.equal((await s.tree(access)).status, 403)
  })

  test('revocation', async () => {
    const s = await stage()
    const { access, refresh } = await s.orchardTokens()
    const wrong = await s.orchard('/revoke', { token: refresh }, { authorization: basic('or%3Achard', 'no') })
    assert.equal(wrong.status, 401)
    await refused(await s.orchard('/revoke', {}), 400, 'invalid_request')
    assert.equal((await s.orchard('/revoke', { token: 'unknown' })).status, 200)
    assert.equal((await s.tree(access)).status, 200)
    assert.equal((await s.orchard('/revoke', { token: refresh })).status, 200)
    assert.equal((await s.tree(access)).status, 403)
    assert.equal((await bodyOf(await s.renewOrchard(refresh)))['ok'], false)
  })
})
