import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadCatalogue } from '../../catalogue/catalogue.ts'
import { MortiseError } from '../errors.ts'
import { authorizeUrl } from './authorization-code.ts'
import { type AuthorizationParams, checkAuthorizationParams } from './authorization-params.ts'

const catalogue = loadCatalogue()
const providerOf = (id: string) => {
  const provider = catalogue.get(id)
  assert.ok(provider?.auth === 'oauth2')
  return provider
}
const urlOf = (id: string, params: AuthorizationParams) =>
  authorizeUrl(
    {
      provider: providerOf(id),
      integration: { clientId: 'client-1', settings: {}, sandbox: false },
      config: {},
    },
    { state: 's', redirectUri: 'https://hub.example/oauth/callback', scopes: ['a'], verifier: 'v', params },
  ).searchParams

const refused = (id: string, params: AuthorizationParams): string => {
  try {
    checkAuthorizationParams(providerOf(id), params, name => `authorization_params[${name}]`)
    return ''
  } catch (error) {
    assert.ok(error instanceof MortiseError)
    assert.equal(error.code, 'invalid_request')
    return `${error.details.parameter}: ${error.message}`
  }
}

test('a parameter is added, one of the definition replaced, and one taken away', () => {
  const google = providerOf('google').authorize.params
  assert.ok(google?.['access_type'])
  const url = urlOf('google', { access_type: null, prompt: 'login', login_hint: 'a b&c=d' })
  assert.equal(url.has('access_type'), false)
  assert.equal(url.get('prompt'), 'login')
  assert.equal(url.get('login_hint'), 'a b&c=d')
})

test('no parameter that the hub sets can be named, in whatever case, nor one that could stand for it', () => {
  for (const name of [
    'client_id',
    'Redirect_URI',
    'state',
    'response_type',
    'response_mode',
    'code_challenge',
    'code_challenge_method',
    'request',
    'request_uri',
    'client_secret',
    'code',
  ]) {
    const said = refused('google', { [name]: 'x' })
    assert.ok(said.startsWith(`authorization_params[${name}]: `), said)
    assert.match(said, /is what the hub itself sets\. Leave it out/)
    assert.match(refused('google', { [name]: null }), /is what the hub itself sets/)
  }
  for (const name of ['scope', 'user_scope', 'optional_scopes'])
    assert.match(refused('google', { [name]: 'x' }), /scopes have parameters of their own/)
})

test('a name or a value that is none, and too many of them, are refused', () => {
  assert.match(refused('google', { 'a b': 'x' }), /is no name of a parameter/)
  assert.match(refused('google', { prompt: 'a\r\nb' }), /without control characters/)
  assert.match(refused('google', { prompt: 'x'.repeat(1001) }), /at most 1000 characters/)
  assert.equal(refused('google', { prompt: 'x'.repeat(1000), hd: '' }), '')
  const many = Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`p${n}`, 'x']))
  assert.match(refused('google', many), /more than 20/)
})

test('what the hub sets is set after them, so that none of them could stand even if one got through', () => {
  const url = urlOf('google', { state: 'theirs', redirect_uri: 'https://evil.example', client_id: 'evil' })
  assert.deepEqual(
    [url.get('state'), url.get('redirect_uri'), url.get('client_id')],
    ['s', 'https://hub.example/oauth/callback', 'client-1'],
  )
})
