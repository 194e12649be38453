/** A provider of OAuth 1.0a is played strictly: what RFC 5849 does not allow is refused. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Secret } from '../../../src/core/credential.ts'
import type { Signable } from '../../../src/core/ports.ts'
import { sign1 } from '../../../src/net/oauth1.ts'
import { expectation1 } from '../src/index.ts'
import { locationOf, orchard, stage } from './play.ts'

const meadow = expectation1({
  provider: 'meadow',
  documents: [],
  methods: ['POST'],
  signatures: ['HMAC-SHA1', 'HMAC-SHA256', 'PLAINTEXT'],
  temporary: { url: 'https://meadow.example/temporary' },
  authorize: { url: 'https://meadow.example/authorize', query: { lang: 'optional' } },
  declined: token => ({ denied: token }),
  token: { url: 'https://meadow.example/token' },
  more: account => ({ user_id: account.person.id }),
  prefix: { access: 'mea_' },
  api: [
    {
      method: 'POST',
      url: 'https://meadow.example/flowers/{name}',
      answer: ({ path, account }) => ({ status: 200, body: { flower: path['name'], who: account.person.name } }),
    },
  ],
  unauthorized: { status: 401, body: 'invalid token' },
  accounts: [{ id: 'm1', name: 'Low Meadow', person: { id: 'p1', name: 'Iris', email: 'iris@meadow.example' } }],
})

const callback = 'http://localhost:3003/callback'
const secret = 's e+c%ret&'

const open = async () => {
  const s = await stage({ expectations: [orchard, meadow] })
  s.sandbox.register({ provider: 'meadow', clientId: 'mea/dow', clientSecret: secret, redirectUris: [callback] })
  s.sandbox.set('meadow', { autoApprove: true })
  let count = 0
  const send = async (
    path: string,
    oauth: Partial<Record<keyof Signable['oauth'], string | number>> = {},
    tokenSecret?: string,
    more: { form?: string; method?: string; signedAs?: string; by?: string; change?: (header: string) => string } = {},
  ) => {
    const method = more.method ?? 'POST'
    const all = {
      oauth_consumer_key: 'mea/dow',
      oauth_nonce: `nonce-${++count}`,
      oauth_signature_method: 'HMAC-SHA1',
      oauth_timestamp: Math.floor(s.clock / 1000),
      oauth_version: '1.0',
      ...oauth,
    } as Signable['oauth']
    const header = sign1(
      {
        method,
        url: `https://meadow.example${more.signedAs ?? path}`,
        oauth: all,
        ...(more.form === undefined ? {} : { form: more.form }),
      },
      new Secret(more.by ?? secret),
      tokenSecret === undefined ? undefined : new Secret(tokenSecret),
    )
    const answer = await fetch(s.sandbox.url(`https://meadow.example${path}`), {
      method,
      headers: {
        authorization: more.change ? more.change(header) : header,
        ...(more.form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(more.form === undefined ? {} : { body: more.form }),
    })
    return { status: answer.status, body: await answer.text() }
  }
  const pairOf = ({ body }: { body: string }) => {
    const form = new URLSearchParams(body)
    return { token: form.get('oauth_token') ?? '', secret: form.get('oauth_token_secret') ?? '', form }
  }
  const begin = async (to = callback) => pairOf(await send('/temporary', { oauth_callback: to }))
  const approve = async (token: string) =>
    locationOf(await s.authorize('https://meadow.example/authorize', { oauth_token: token })).searchParams
  const token = async () => {
    const temporary = await begin()
    const oauth_verifier = (await approve(temporary.token)).get('oauth_verifier') ?? ''
    return pairOf(await send('/token', { oauth_token: temporary.token, oauth_verifier }, temporary.secret))
  }
  return { s, send, pairOf, begin, approve, token }
}

suite('a provider of OAuth 1.0a', () => {
  test('gives a token that opens its API, signed in each way', async () => {
    const { begin, approve, send, pairOf } = await open()
    for (const oauth_signature_method of ['HMAC-SHA1', 'HMAC-SHA256', 'PLAINTEXT']) {
      const temporary = await begin(`${callback}?state=a%20b`)
      assert.equal(temporary.form.get('oauth_callback_confirmed'), 'true')
      const back = await approve(temporary.token)
      assert.equal(back.get('state'), 'a b')
      assert.equal(back.get('oauth_token'), temporary.token)
      const oauth_verifier = back.get('oauth_verifier') ?? ''
      const given = { oauth_token: temporary.token, oauth_verifier, oauth_signature_method }
      const pair = pairOf(await send('/token', given, temporary.secret))
      assert.match(pair.token, /^mea_/)
      assert.equal(pair.form.get('user_id'), 'p1')
      const path = "/flowers/red%20rose?a=1&b=%3D%253D&a=0&c%40=&d=!*'()"
      const form = 'c2&a=2+q'
      const call = await send(path, { oauth_token: pair.token, oauth_signature_method }, pair.secret, { form })
      assert.deepEqual(call, { status: 200, body: '{"flower":"red rose","who":"Iris"}' })
    }
  })

  test('refuses a signature over anything else', async () => {
    const { token, send } = await open()
    const pair = await token()
    const flower = (more: Parameters<typeof send>[3] = {}, by = pair.secret) =>
      send('/flowers/rose?a=1', { oauth_token: pair.token }, by, more)
    assert.equal((await flower()).status, 200)
    const refused = { status: 401, body: 'invalid token' }
    assert.deepEqual(await flower({ signedAs: '/flowers/rose?a=2' }), refused)
    assert.deepEqual(await flower({ signedAs: '/flowers/rose' }), refused)
    assert.deepEqual(await flower({ signedAs: '/flowers/tulip?a=1' }), refused)
    assert.deepEqual(await flower({ by: 'another' }), refused)
    assert.deepEqual(await flower({}, 'another'), refused)
    assert.deepEqual(await flower({ change: header => header.replace('nonce-', 'other-') }), refused)
    assert.deepEqual(await flower({ change: header => header.replace(/, oauth_version="1.0"/, '') }), refused)
    assert.deepEqual(
      await flower({ change: header => header.replace(/oauth_version="1.0"/, 'oauth_version="1.0') }),
      refused,
    )
    assert.deepEqual(await flower({ change: header => `${header}, oauth_nonce="again"` }), refused)
    assert.deepEqual(await flower({ change: () => `Bearer ${pair.token}` }), refused)
    // A method that is none is refused before anything is compared.
    const other = (header: string) => header.replace('HMAC-SHA1', 'RSA-SHA1')
    assert.deepEqual(await flower({ change: other }), refused)
  })

  test('refuses a nonce that was used, and a time that is far off (§3.3)', async () => {
    const { s, send } = await open()
    const ask = (oauth: Parameters<typeof send>[1]) => send('/temporary', { oauth_callback: callback, ...oauth })
    assert.equal((await ask({ oauth_nonce: 'n' })).status, 200)
    assert.deepEqual(await ask({ oauth_nonce: 'n' }), { status: 401, body: 'the nonce was used before' })
    const second = Math.floor(s.clock / 1000)
    assert.equal((await ask({ oauth_nonce: 'n', oauth_timestamp: second + 1 })).status, 200)
    const far = { status: 401, body: 'the timestamp is too far from now' }
    assert.deepEqual(await ask({ oauth_timestamp: second - 301 }), far)
    assert.deepEqual(await ask({ oauth_timestamp: second + 301 }), far)
    assert.equal((await ask({ oauth_timestamp: second - 300 })).status, 200)
    // Somebody without the secret uses up nobody's nonce.
    const forged = await send('/temporary', { oauth_callback: callback, oauth_nonce: 'm' }, undefined, { by: 'guess' })
    assert.deepEqual(forged, { status: 401, body: 'invalid signature' })
    assert.equal((await ask({ oauth_nonce: 'm' })).status, 200)
  })

  test('refuses a callback that is not registered, and a client that is not', async () => {
    const { send } = await open()
    const other = await send('/temporary', { oauth_callback: 'https://evil.example/callback' })
    assert.deepEqual(other, { status: 401, body: 'the callback is not registered' })
    assert.deepEqual(await send('/temporary'), { status: 400, body: 'oauth_callback is missing' })
    const nobody = await send('/temporary', { oauth_callback: callback, oauth_consumer_key: 'nobody' })
    assert.deepEqual(nobody, { status: 401, body: 'unknown consumer key' })
    assert.equal((await send('/temporary', {}, undefined, { method: 'GET' })).status, 405)
  })

  test('gives no token for what nobody approved, for a wrong verifier, or twice', async () => {
    const { s, begin, approve, send } = await open()
    const temporary = await begin()
    const exchange = (oauth_verifier: string, by = temporary.secret) =>
      send('/token', { oauth_token: temporary.token, oauth_verifier }, by)
    assert.deepEqual(await exchange('x'), { status: 401, body: 'nobody has approved this token' })
    const verifier = (await approve(temporary.token)).get('oauth_verifier') ?? ''
    assert.deepEqual(await exchange('x'), { status: 401, body: 'invalid verifier' })
    assert.deepEqual(await exchange(verifier, 'guess'), { status: 401, body: 'invalid signature' })
    assert.equal((await exchange(verifier)).status, 200)
    assert.deepEqual(await exchange(verifier), { status: 401, body: 'invalid token' })
    const late = await begin()
    s.clock += 10 * 60_000
    assert.equal((await s.authorize('https://meadow.example/authorize', { oauth_token: late.token })).status, 400)
  })

  test('a page asks once, and a refusal ends the temporary token', async () => {
    const { s, begin, send } = await open()
    s.sandbox.reset('meadow')
    const temporary = await begin()
    const ask = () => s.authorize('https://meadow.example/authorize', { oauth_token: temporary.token })
    const page = await ask()
    const back = locationOf(await s.form(page, { decision: 'deny' }))
    assert.equal(back.href, `${callback}?denied=${temporary.token}`)
    assert.equal((await ask()).status, 400)
    const given = { oauth_token: temporary.token, oauth_verifier: 'x' }
    assert.deepEqual(await send('/token', given, temporary.secret), { status: 401, body: 'invalid token' })
  })

  test('a token that was revoked opens nothing', async () => {
    const { s, token, send } = await open()
    const pair = await token()
    const flower = () => send('/flowers/rose', { oauth_token: pair.token }, pair.secret)
    assert.equal((await flower()).status, 200)
    assert.ok(s.sandbox.revoke(pair.token))
    assert.equal((await flower()).status, 401)
    assert.deepEqual(
      s.sandbox.calls.map(call => `${call.kind} ${call.outcome}`),
      ['temporary ok', 'code ok', 'api ok', 'api unauthorized'],
    )
  })
})
