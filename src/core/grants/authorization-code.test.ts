import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { loadCatalogue } from '../../catalogue/catalogue.ts'
import { Secret } from '../credential.ts'
import { challenge } from '../ids.ts'
import type { OAuth2Provider } from '../provider.ts'
import { authorizeUrl, type Client, codeRequest } from './authorization-code.ts'
import { refreshRequest } from './refresh-token.ts'

const catalogue = loadCatalogue()

const clientOf = (
  id: string,
  over: Partial<Client> & { clientId?: string; of?: Partial<OAuth2Provider> } = {},
): Client<OAuth2Provider> => {
  const provider = catalogue.get(id)
  assert.ok(provider?.auth === 'oauth2', id)
  return {
    provider: { ...provider, ...over.of },
    integration: { clientId: over.clientId ?? 'client-1', settings: {}, sandbox: false },
    secret: over.secret ?? new Secret('secret-1'),
    config: over.config ?? {},
  }
}
const given = { code: 'code/1+2', redirectUri: 'https://hub.example/oauth/callback', verifier: 'verifier-1' }
const form = (body: string | undefined) => Object.fromEntries(new URLSearchParams(body))

suite('the authorize URL', () => {
  const ask = {
    state: 'dev.state',
    redirectUri: 'https://hub.example/oauth/callback',
    scopes: ['read:user', 'repo'],
    verifier: 'verifier-1',
  }

  test('carries the parameters of RFC 6749 §4.1.1 and RFC 7636 §4.3', () => {
    const url = authorizeUrl(clientOf('github'), ask)
    assert.equal(url.origin + url.pathname, 'https://github.com/login/oauth/authorize')
    assert.deepEqual(Object.fromEntries(url.searchParams), {
      response_type: 'code',
      client_id: 'client-1',
      redirect_uri: 'https://hub.example/oauth/callback',
      state: 'dev.state',
      scope: 'read:user repo',
      code_challenge: challenge('verifier-1'),
      code_challenge_method: 'S256',
    })
    assert.ok(!url.href.includes('verifier-1'))
  })

  test('joins and names the scopes as the definition says', () => {
    assert.equal(authorizeUrl(clientOf('slack'), ask).searchParams.get('scope'), 'read:user,repo')
    const slack = clientOf('slack').provider.authorize
    assert.ok(slack?.scopes)
    const asUser = { authorize: { ...slack, scopes: { ...slack.scopes, param: 'user_scope' } } }
    const url = authorizeUrl(clientOf('slack', { of: asUser }), ask)
    assert.equal(url.searchParams.get('user_scope'), 'read:user,repo')
    assert.equal(url.searchParams.has('scope'), false)
  })

  test('names no scope where there is none to ask for, or the provider has none', () => {
    assert.equal(authorizeUrl(clientOf('github'), { ...ask, scopes: [] }).searchParams.has('scope'), false)
    assert.equal(authorizeUrl(clientOf('notion'), ask).searchParams.has('scope'), false)
  })

  test('carries no challenge without a verifier', () => {
    const url = authorizeUrl(clientOf('slack'), { ...ask, verifier: undefined })
    assert.deepEqual([...url.searchParams.keys()].sort(), [
      'client_id',
      'redirect_uri',
      'response_type',
      'scope',
      'state',
    ])
  })

  test('carries the fixed parameters of the definition, which replace none of the protocol', () => {
    const google = authorizeUrl(clientOf('google'), ask).searchParams
    assert.equal(google.get('access_type'), 'offline')
    assert.equal(google.get('prompt'), 'consent')
    const authorize = clientOf('google').provider.authorize
    assert.ok(authorize)
    const rude = { authorize: { ...authorize, params: { state: 'fixed', client_id: 'other', response_type: 'token' } } }
    const url = authorizeUrl(clientOf('google', { of: rude }), ask)
    assert.deepEqual(url.searchParams.getAll('state'), ['dev.state'])
    assert.deepEqual(url.searchParams.getAll('client_id'), ['client-1'])
    assert.deepEqual(url.searchParams.getAll('response_type'), ['code'])
  })

  test('cannot be extended through a value', () => {
    const url = authorizeUrl(clientOf('github', { clientId: 'a&scope=admin#x' }), { ...ask, scopes: ['a&state=x'] })
    assert.equal(url.searchParams.get('client_id'), 'a&scope=admin#x')
    assert.deepEqual(url.searchParams.getAll('scope'), ['a&state=x'])
    assert.deepEqual(url.searchParams.getAll('state'), ['dev.state'])
    assert.equal(url.hash, '')
  })
})

suite('the code exchange', () => {
  test('authenticates by Basic with id and secret form-encoded first (RFC 6749 §2.3.1)', () => {
    const request = codeRequest(clientOf('xero', { clientId: 'id:with space', secret: new Secret('s%+&=é:/~') }), given)
    const [scheme, pair = ''] = (request.headers['authorization'] ?? '').split(' ')
    assert.equal(scheme, 'Basic')
    assert.equal(Buffer.from(pair, 'base64').toString(), 'id%3Awith+space:s%25%2B%26%3D%C3%A9%3A%2F%7E')
    const { client_id, client_secret } = form(request.body)
    assert.deepEqual([client_id, client_secret], [undefined, undefined])
  })

  test('authenticates in the body, and then in no header', () => {
    const secret = new Secret('s%+&=é')
    const request = codeRequest(clientOf('github', { secret }), given)
    assert.deepEqual(form(request.body), {
      client_id: 'client-1',
      client_secret: 's%+&=é',
      grant_type: 'authorization_code',
      code: 'code/1+2',
      redirect_uri: given.redirectUri,
      code_verifier: 'verifier-1',
    })
    assert.equal(request.headers['authorization'], undefined)
    assert.equal(request.headers['content-type'], 'application/x-www-form-urlencoded')
  })

  test('is JSON where the definition says so', () => {
    const notion = codeRequest(clientOf('notion'), { ...given, verifier: undefined })
    assert.equal(notion.headers['content-type'], 'application/json')
    assert.deepEqual(JSON.parse(notion.body ?? ''), {
      grant_type: 'authorization_code',
      code: 'code/1+2',
      redirect_uri: given.redirectUri,
    })
    const zendesk = codeRequest(clientOf('zendesk', { config: { subdomain: 'acme' } }), given)
    const body = JSON.parse(zendesk.body ?? '')
    assert.equal(zendesk.url, 'https://acme.zendesk.com/oauth/tokens')
    assert.deepEqual([body.client_id, body.client_secret], ['client-1', 'secret-1'])
  })

  test('is a POST to the definition’s URL with its further parameters and headers, and never in the URL', () => {
    const notion = codeRequest(clientOf('notion'), given)
    assert.equal(notion.method, 'POST')
    assert.equal(notion.url, 'https://api.notion.com/v1/oauth/token')
    assert.equal(notion.headers['Notion-Version'], '2022-06-28')
    assert.equal(notion.headers['accept'], 'application/json')
    const shopify = codeRequest(clientOf('shopify', { config: { shop: 'acme' } }), given)
    assert.equal(shopify.url, 'https://acme.myshopify.com/admin/oauth/access_token')
    assert.equal(form(shopify.body)['expiring'], '1')
  })

  test('says whether the sandbox plays it', () => {
    for (const sandbox of [true, false]) {
      const client = clientOf('github')
      const request = codeRequest({ ...client, integration: { ...client.integration, sandbox } }, given)
      assert.equal(request.sandbox, sandbox)
      assert.equal(request.url, 'https://github.com/login/oauth/access_token')
    }
  })
})

suite('the refresh', () => {
  const token = new Secret('refresh/1+2')

  test('sends the refresh token by the definition of the client, and nothing of the code exchange', () => {
    assert.deepEqual(form(refreshRequest(clientOf('github'), token).body), {
      client_id: 'client-1',
      client_secret: 'secret-1',
      grant_type: 'refresh_token',
      refresh_token: 'refresh/1+2',
    })
    const slack = refreshRequest(clientOf('slack'), token)
    assert.deepEqual(form(slack.body), { grant_type: 'refresh_token', refresh_token: 'refresh/1+2' })
    assert.match(slack.headers['authorization'] ?? '', /^Basic /)
    assert.deepEqual(JSON.parse(refreshRequest(clientOf('notion'), token).body ?? ''), {
      grant_type: 'refresh_token',
      refresh_token: 'refresh/1+2',
    })
    const shopify = refreshRequest(clientOf('shopify', { config: { shop: 'acme' } }), token)
    assert.equal(form(shopify.body)['expiring'], undefined)
  })

  test('goes to its own URL with its own parameters where the definition has them', () => {
    const refresh = {
      url: 'https://token.example.com/refresh',
      params: { audience: 'api' },
      rotates: true,
      ahead: 0.15,
      margin: 300,
      survives: false,
      permanent: [],
      transient: [],
      unspent: [],
    }
    const request = refreshRequest(clientOf('github', { of: { refresh } }), token)
    assert.equal(request.url, 'https://token.example.com/refresh')
    assert.equal(form(request.body)['audience'], 'api')
    assert.equal(refreshRequest(clientOf('github'), token).url, 'https://github.com/login/oauth/access_token')
  })
})
