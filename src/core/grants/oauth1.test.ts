import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { readProvider } from '../../catalogue/catalogue.ts'
import { signAws } from '../../net/aws.ts'
import { sign1 } from '../../net/oauth1.ts'
import { Secret } from '../credential.ts'
import { MortiseError } from '../errors.ts'
import type { CallRequest, CallResponse, Signable, Signer } from '../ports.ts'
import type { OAuth1Provider } from '../provider.ts'
import type { Client } from './authorization-code.ts'
import {
  ownerUrl,
  readReturn,
  readTemporary,
  readToken,
  signedRequest,
  temporaryRequest,
  tokenRequest,
} from './oauth1.ts'

const now = new Date(1_800_000_000_999)

/** The server of RFC 5849 §1.2. */
const photos = (signature = 'HMAC-SHA1'): OAuth1Provider => {
  const read = readProvider(
    'photos.yaml',
    `name: Photos
docs: [https://www.rfc-editor.org/rfc/rfc5849]
auth: oauth1
signature: ${signature}
api: { base: 'https://photos.example.net' }
settings: { lang: { title: Language, kind: segment, default: en } }
temporary: { url: 'https://photos.example.net/initiate' }
authorize:
  url: 'https://photos.example.net/authorize?lang=\${settings.lang}'
  params: { oauth_token: fixed, theme: dark }
  scopes: { separator: ',' }
token: { url: 'https://photos.example.net/token', method: GET }
`,
  )
  assert.ok('provider' in read && read.provider.auth === 'oauth1')
  return read.provider
}

const client: Client<OAuth1Provider> = {
  provider: photos(),
  integration: { clientId: 'dpf43f3p2l4k3l03', settings: { lang: 'de' }, sandbox: false },
  secret: new Secret('kd94hf93k423kf44'),
  config: {},
}

/** Signs as the hub does, and notes what it was given. */
const watched = () => {
  const seen: [request: Signable, client: string, token: string | undefined][] = []
  const signer: Signer = {
    clock: { now: () => now },
    signAws,
    sign1: (request, secret, tokenSecret) => {
      seen.push([request, secret.reveal(), tokenSecret?.reveal()])
      return sign1(request, secret, tokenSecret)
    },
  }
  return { seen, signer }
}

const temporary = { token: 'hh5s93j4hdidpola', secret: 'hdhd0244k9j7ao03' }

suite('requests of OAuth 1.0a', () => {
  test('for temporary credentials: signed by the client alone, the callback in the header (§2.1)', () => {
    const { seen, signer } = watched()
    const request = temporaryRequest(signer, client, 'https://hub.example/oauth/callback?state=a.b')
    assert.deepEqual([request.method, request.url], ['POST', 'https://photos.example.net/initiate'])
    assert.equal(request.body, undefined)
    assert.deepEqual(Object.keys(request.headers), ['authorization'])
    const { oauth_nonce, ...oauth } = seen[0]?.[0].oauth ?? assert.fail()
    assert.match(oauth_nonce, /^[\w-]{43}$/)
    assert.deepEqual(oauth, {
      oauth_consumer_key: 'dpf43f3p2l4k3l03',
      oauth_signature_method: 'HMAC-SHA1',
      oauth_timestamp: 1_800_000_000,
      oauth_version: '1.0',
      oauth_callback: 'https://hub.example/oauth/callback?state=a.b',
    })
    assert.deepEqual(seen[0]?.slice(1), ['kd94hf93k423kf44', undefined])
    assert.match(request.headers['authorization'] ?? '', /oauth_callback="https%3A%2F%2Fhub.example%2F.*state%3Da.b"/)
  })

  test('for the token: signed by both, with the verifier, by the method of the definition (§2.3)', () => {
    const { seen, signer } = watched()
    const request = tokenRequest(signer, client, temporary, 'hfdp7dh39dks9884')
    assert.deepEqual([request.method, request.url], ['GET', 'https://photos.example.net/token'])
    const { oauth_token, oauth_verifier, oauth_callback } = seen[0]?.[0].oauth ?? assert.fail()
    assert.deepEqual([oauth_token, oauth_verifier, oauth_callback], [temporary.token, 'hfdp7dh39dks9884', undefined])
    assert.deepEqual(seen[0]?.slice(1), ['kd94hf93k423kf44', temporary.secret])
    assert.ok(!JSON.stringify(request).includes(temporary.secret))
  })

  test('no two have the same nonce', () => {
    const { seen, signer } = watched()
    for (let round = 0; round < 100; round++) tokenRequest(signer, client, temporary, 'v')
    assert.equal(new Set(seen.map(([{ oauth }]) => oauth.oauth_nonce)).size, 100)
  })

  test('of a call, its query and a form are covered, and any other body is not (§3.4.1.3.1)', () => {
    const { seen, signer } = watched()
    const call = (headers: Record<string, string>): CallRequest =>
      signedRequest(
        signer,
        client,
        { method: 'POST', url: 'https://photos.example.net/photos?size=big', headers, body: 'a=1', sandbox: false },
        temporary,
      )
    const form = call({ 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-8' })
    call({ 'content-type': 'application/json' })
    assert.deepEqual(
      seen.map(([request]) => [request.url, request.form]),
      [
        ['https://photos.example.net/photos?size=big', 'a=1'],
        ['https://photos.example.net/photos?size=big', undefined],
      ],
    )
    assert.equal(form.body, 'a=1')
  })

  test('the browser goes with the temporary token, whatever the definition says, and the scopes (§2.2)', () => {
    const url = ownerUrl(client, temporary, {
      scopes: ['read', 'write'],
      params: { theme: null, size: 'b', oauth_token: 'x' },
    })
    assert.equal(
      url.href,
      'https://photos.example.net/authorize?lang=de&oauth_token=hh5s93j4hdidpola&size=b&scope=read%2Cwrite',
    )
    assert.ok(!ownerUrl(client, temporary, { scopes: [], params: {} }).searchParams.has('scope'))
  })
})

const answer = (body: string, status = 200, headers = {}): CallResponse => ({ status, headers, body })

const thrown = (work: () => unknown): MortiseError => {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof MortiseError, String(error))
    return error
  }
  return assert.fail('it threw nothing')
}

suite('answers of OAuth 1.0a', () => {
  const { provider } = client
  const pair = 'oauth_token=hh5s93j4hdidpola&oauth_token_secret=hdhd0244k9j7ao03'

  test('temporary credentials, confirmed', () => {
    const read = readTemporary(provider, answer(`${pair}&oauth_callback_confirmed=true`), now)
    assert.deepEqual(read, temporary)
  })

  test('not confirmed, refused, out of order, or nothing of the kind', () => {
    const cases: [response: CallResponse, code: string][] = [
      [answer(pair), 'provider_invalid_response'],
      [answer(`${pair}&oauth_callback_confirmed=TRUE`), 'provider_invalid_response'],
      [answer('oauth_token=hh5s93j4hdidpola&oauth_callback_confirmed=true'), 'provider_invalid_response'],
      [answer('{"oauth_token":"a"}'), 'provider_invalid_response'],
      [answer('<html>'), 'provider_invalid_response'],
      [answer(`${pair}&oauth_callback_confirmed=true`, 302), 'provider_invalid_response'],
      [answer('bad key kd94hf93k423kf44', 401), 'integration_misconfigured'],
      [answer('', 400), 'integration_misconfigured'],
      [answer('', 503), 'provider_unavailable'],
    ]
    for (const [response, code] of cases) {
      const error = thrown(() => readTemporary(provider, response, now))
      assert.equal(error.code, code, response.body)
      assert.equal(error.details.providerStatus, response.status)
      assert.doesNotMatch(error.message, /hh5s93|hdhd02|kd94hf/)
    }
    const { details } = thrown(() => readTemporary(provider, answer('', 429, { 'retry-after': '7' }), now))
    assert.equal(details.retryAfter, 7)
  })

  test('a token, with all that came beside it; an empty secret is one (§2.3)', () => {
    const body = 'oauth_token=nnch734d00sl2jdk&oauth_token_secret=pf%2Bk+s&user_id=7&__proto__=x'
    const credential = readToken(provider, answer(body), now)
    assert.equal(credential.kind, 'oauth1')
    assert.deepEqual(
      [credential.accessToken.reveal(), credential.tokenSecret?.reveal()],
      ['nnch734d00sl2jdk', 'pf+k s'],
    )
    assert.deepEqual(Object.entries(credential.raw.reveal()), [
      ['oauth_token', 'nnch734d00sl2jdk'],
      ['oauth_token_secret', 'pf+k s'],
      ['user_id', '7'],
      ['__proto__', 'x'],
    ])
    assert.deepEqual([credential.expiresAt, credential.refreshToken], [undefined, undefined])
    assert.equal(readToken(provider, answer('oauth_token=t&oauth_token_secret='), now).tokenSecret?.reveal(), '')
  })

  test('no token: refused, out of order, without its secret', () => {
    const code = (response: CallResponse) => thrown(() => readToken(provider, response, now)).code
    assert.equal(code(answer('oauth_problem=token_rejected', 401)), 'provider_rejected')
    assert.equal(code(answer('', 500)), 'provider_unavailable')
    assert.equal(code(answer('oauth_token=t')), 'provider_invalid_response')
    assert.equal(code(answer('oauth_token=&oauth_token_secret=s')), 'provider_invalid_response')
  })
})

suite('the way back', () => {
  const back = { oauthToken: temporary.token, oauthVerifier: 'hfdp7dh39dks9884' }

  test('brings the verifier, with the token that was sent off', () => {
    assert.equal(readReturn(temporary, back), 'hfdp7dh39dks9884')
    assert.equal(thrown(() => readReturn(temporary, { ...back, oauthToken: 'another' })).code, 'provider_rejected')
  })

  test('or says that somebody declined, in one of three words, or nothing that can be used', () => {
    const code = (given: Parameters<typeof readReturn>[1]) => thrown(() => readReturn(temporary, given)).code
    assert.equal(code({ denied: temporary.token }), 'authorization_denied')
    assert.equal(code({ ...back, oauthProblem: 'user_refused' }), 'authorization_denied')
    assert.equal(code({ oauthProblem: 'permission_denied' }), 'authorization_denied')
    assert.equal(code({ oauthProblem: 'consumer_key_rejected' }), 'provider_rejected')
    for (const given of [{}, { oauthToken: 'a' }, { oauthVerifier: 'v' }, { ...back, oauthVerifier: '' }])
      assert.equal(code(given), 'provider_invalid_response')
  })
})
