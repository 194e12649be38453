import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadCatalogue } from '../../catalogue/catalogue.ts'
import { type Credential, Secret } from '../credential.ts'
import { MortiseError } from '../errors.ts'
import type { Provider } from '../provider.ts'
import type { Client } from './authorization-code.ts'
import { readRevocation, revocationRequest } from './revocation.ts'

const catalogue = loadCatalogue()

const clientOf = (id: string, revoke?: Partial<Provider['revoke']>): Client => {
  const provider = catalogue.get(id)
  assert.ok(provider?.revoke, id)
  return {
    provider: { ...provider, revoke: { ...provider.revoke, ...revoke } },
    integration: { clientId: 'client-1', settings: {}, sandbox: false },
    secret: new Secret('secret-1'),
    config: { subdomain: 'acme' },
  }
}
const both: Credential = {
  kind: 'oauth2',
  accessToken: new Secret('access-1'),
  refreshToken: new Secret('refresh-1'),
  raw: new Secret({}),
}
const { refreshToken: _, ...accessOnly } = both
const requestOf = (client: Client, credential: Credential = both) => {
  const request = revocationRequest(client, credential)
  assert.ok(request)
  return request
}
const form = (body: string | undefined) => Object.fromEntries(new URLSearchParams(body))

test('the token that ends the whole grant is named, and the client shown as the definition says (RFC 7009 §2.1)', () => {
  const gitlab = requestOf(clientOf('gitlab'))
  assert.equal(gitlab.method, 'POST')
  assert.equal(gitlab.url, 'https://gitlab.com/oauth/revoke')
  assert.equal(gitlab.headers['content-type'], 'application/x-www-form-urlencoded')
  assert.deepEqual(form(gitlab.body), { client_id: 'client-1', client_secret: 'secret-1', token: 'refresh-1' })
  const notion = requestOf(clientOf('notion'))
  assert.match(notion.headers['authorization'] ?? '', /^Basic /)
  assert.equal(notion.headers['Notion-Version'], '2022-06-28')
  assert.deepEqual(JSON.parse(notion.body ?? ''), { token: 'access-1' })
  const google = requestOf(clientOf('google'))
  assert.deepEqual([form(google.body), google.headers['authorization']], [{ token: 'refresh-1' }, undefined])
  // Without a refresh token there is only the other one.
  assert.deepEqual(form(requestOf(clientOf('google'), accessOnly).body), { token: 'access-1' })
})

test('a call that is made with the token itself names it nowhere else, unless the definition says so', () => {
  const dropbox = requestOf(clientOf('dropbox'))
  assert.deepEqual([dropbox.headers['authorization'], dropbox.body], ['Bearer access-1', undefined])
  const zendesk = requestOf(clientOf('zendesk'))
  assert.deepEqual([zendesk.method, zendesk.body], ['DELETE', undefined])
  assert.equal(zendesk.url, 'https://acme.zendesk.com/api/v2/oauth/tokens/current.json')
  const named = requestOf(clientOf('dropbox', { param: 'access_token', params: { test: '1' } }))
  assert.deepEqual(form(named.body), { access_token: 'access-1', test: '1' })
})

test('a public identifier alone, and a GET, are as the definition says', () => {
  const id = requestOf(clientOf('gitlab', { client: 'id' }))
  assert.deepEqual(form(id.body), { client_id: 'client-1', token: 'refresh-1' })
  const get = requestOf(clientOf('google', { method: 'GET' }))
  assert.deepEqual([get.url, get.body], ['https://oauth2.googleapis.com/revoke?token=refresh-1', undefined])
})

test('there is no request where the definition has no such call', () => {
  const { revoke: _revoke, ...provider } = clientOf('gitlab').provider
  assert.equal(revocationRequest({ ...clientOf('gitlab'), provider }, both), undefined)
})

test('any 2xx is the end of the grant, but an error in it is one, and an outage says so', () => {
  const { provider } = clientOf('google')
  const read = (status: number, body = '') => readRevocation(provider, { status, headers: {}, body })
  const thrown = (run: () => void): MortiseError => {
    try {
      run()
    } catch (error) {
      assert.ok(error instanceof MortiseError)
      return error
    }
    return assert.fail('nothing was thrown')
  }
  read(200)
  read(204)
  read(200, '{"ok":true,"revoked":true}')
  // Of a refresh token that is unknown, nothing is left.
  read(400, '{"error":"invalid_token"}')
  const slack = thrown(() => read(200, '{"ok":false,"error":"invalid_auth"}'))
  assert.deepEqual([slack.code, slack.details.providerCode], ['provider_rejected', 'invalid_auth'])
  const expired = thrown(() =>
    readRevocation(clientOf('notion').provider, { status: 401, headers: {}, body: '{"error":"invalid_token"}' }),
  )
  assert.equal(expired.code, 'provider_rejected')
  for (const status of [429, 500, 503]) assert.equal(thrown(() => read(status)).code, 'provider_unavailable')
  // What might quote a token is not repeated.
  const quoting = thrown(() => read(400, '{"error":"the token refresh-1 is bad"}'))
  assert.doesNotMatch(quoting.message, /refresh-1/)
  assert.match(quoting.message, /status 400/)
})
