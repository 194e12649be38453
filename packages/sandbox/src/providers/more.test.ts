/**
 * The keys that each documentation prints, typed here once more from the page named, so that a slip in an expectation
 * fails. What an answer leaves out (no openid, no offline access) is checked as well.
 */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Answer, ApiRequest, Expectation, Issue } from '../expectation.ts'
import gitlab from './gitlab.ts'
import google from './google.ts'
import microsoft from './microsoft.ts'
import shopify from './shopify.ts'
import xero from './xero.ts'
import zendesk from './zendesk.ts'

const now = new Date('2026-03-04T05:06:07Z')

const first = (e: Expectation) => {
  const account = e.accounts[0]
  assert.ok(account)
  return account
}

const issue = (e: Expectation, kind: Issue['kind'], scopes: readonly string[], refreshToken?: string): Issue => ({
  accessToken: 'access-1',
  ...(refreshToken === undefined ? {} : { refreshToken }),
  scopes,
  scopesIn: ['scope'],
  expiresIn: e.lifetime,
  account: first(e),
  host: 'acme.example.com',
  clientId: 'client-1',
  now,
  kind,
})

const request = (e: Expectation, scopes: readonly string[], host = 'acme.example.com'): ApiRequest => ({
  host,
  path: {},
  query: new URLSearchParams(),
  headers: {},
  body: undefined,
  account: first(e),
  scopes,
  clientId: 'client-1',
  now,
})

const record = (value: unknown): Record<string, unknown> => {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), 'a JSON object')
  return { ...value }
}

const keys = (answer: Answer | undefined, expected: readonly string[]) => {
  assert.ok(answer)
  assert.deepEqual(Object.keys(record(answer.body)).sort(), [...expected].sort())
}

/** The token answer carries the issued values under the names of RFC 6749, which all six use. */
const carries = (answer: Answer | undefined, values: Record<string, unknown>) => {
  assert.ok(answer)
  const body = record(answer.body)
  for (const [key, value] of Object.entries(values)) assert.equal(body[key], value, key)
}

const me = (e: Expectation, scopes: readonly string[], host?: string): unknown => {
  const call = e.api[0]
  assert.ok(call)
  return call.answer(request(e, scopes, host)).body
}

for (const e of [google, microsoft, gitlab, zendesk, shopify, xero]) {
  test(`${e.provider}: at least two people in two workspaces`, () => {
    assert.ok(new Set(e.accounts.map(account => account.id)).size >= 2)
    assert.ok(new Set(e.accounts.map(account => account.person.id)).size >= 2)
    assert.ok(e.documents.length > 0)
  })
}

describe('google', () => {
  // web-server page, "Exchange authorization code for refresh and access tokens"; id_token: OpenID Connect page.
  const scopes = ['openid', 'email', 'profile']
  const printed = ['access_token', 'expires_in', 'token_type', 'scope', 'refresh_token']

  test('code', () => {
    keys(google.code.answer(issue(google, 'code', ['calendar.readonly'], 'refresh-1')), printed)
    keys(google.code.answer(issue(google, 'code', scopes, 'refresh-1')), [...printed, 'id_token'])
    keys(
      google.code.answer(issue(google, 'code', ['calendar.readonly'])),
      printed.filter(key => key !== 'refresh_token'),
    )
    carries(google.code.answer(issue(google, 'code', scopes, 'refresh-1')), {
      access_token: 'access-1',
      refresh_token: 'refresh-1',
      expires_in: 3920,
      token_type: 'Bearer',
      scope: 'openid email profile',
    })
  })

  // web-server page, "Refreshing an access token (offline access)"
  test('refresh answers no refresh token and spends none', () => {
    keys(google.refresh?.answer(issue(google, 'refresh', scopes, 'refresh-1')), [
      'access_token',
      'expires_in',
      'scope',
      'token_type',
    ])
    assert.equal(google.refresh?.rotates, false)
  })

  test('a refresh token only for offline access with consent', () => {
    assert.ok(typeof google.offline === 'function')
    assert.equal(google.offline(new URLSearchParams('access_type=offline&prompt=consent'), scopes), true)
    assert.equal(google.offline(new URLSearchParams('access_type=offline&prompt=select_account+consent'), scopes), true)
    assert.equal(google.offline(new URLSearchParams('access_type=offline'), scopes), false)
    assert.equal(google.offline(new URLSearchParams('access_type=online&prompt=consent'), scopes), false)
    assert.equal(google.offline(new URLSearchParams('prompt=consent'), scopes), false)
  })

  test('userinfo', () => {
    assert.deepEqual(
      Object.keys(record(me(google, scopes))).sort(),
      ['sub', 'name', 'given_name', 'family_name', 'picture', 'email', 'email_verified', 'hd'].sort(),
    )
    assert.equal(record(me(google, scopes))['sub'], first(google).id)
  })
})

describe('microsoft', () => {
  // v2-oauth2-auth-code-flow, "Redeem a code for an access token" and "Refresh the access token": the same keys.
  const printed = ['access_token', 'token_type', 'expires_in', 'scope', 'refresh_token', 'id_token']
  const scopes = ['openid', 'offline_access', 'User.Read']

  test('code', () => {
    keys(microsoft.code.answer(issue(microsoft, 'code', scopes, 'refresh-1')), printed)
    keys(microsoft.code.answer(issue(microsoft, 'code', ['User.Read'])), printed.slice(0, 4))
    carries(microsoft.code.answer(issue(microsoft, 'code', scopes, 'refresh-1')), {
      access_token: 'access-1',
      refresh_token: 'refresh-1',
      expires_in: 3599,
      token_type: 'Bearer',
      scope: 'openid User.Read',
    })
  })

  test('refresh answers a new refresh token, yet spends none', () => {
    keys(microsoft.refresh?.answer(issue(microsoft, 'refresh', scopes, 'refresh-2')), printed)
    carries(microsoft.refresh?.answer(issue(microsoft, 'refresh', scopes, 'refresh-2')), { refresh_token: 'refresh-2' })
    assert.equal(microsoft.refresh?.rotates, true)
    assert.equal(microsoft.refresh?.graceSeconds, Number.POSITIVE_INFINITY)
  })

  test('a refresh token only with offline_access', () => {
    assert.ok(typeof microsoft.offline === 'function')
    assert.equal(microsoft.offline(new URLSearchParams(), scopes), true)
    assert.equal(microsoft.offline(new URLSearchParams(), ['openid', 'User.Read']), false)
  })

  // "Error response" of the same page
  test('errors', () => {
    for (const answer of Object.values(microsoft.errors ?? {})) {
      keys(answer, ['error', 'error_description', 'error_codes', 'timestamp', 'trace_id', 'correlation_id'])
    }
  })

  // graph/api/user-get, "Get the signed-in user"
  test('me', () => {
    assert.deepEqual(
      Object.keys(record(me(microsoft, scopes))).sort(),
      [
        '@odata.context',
        'businessPhones',
        'displayName',
        'givenName',
        'id',
        'jobTitle',
        'mail',
        'mobilePhone',
        'officeLocation',
        'preferredLanguage',
        'surname',
        'userPrincipalName',
      ].sort(),
    )
  })
})

describe('gitlab', () => {
  // api/oauth2, "Authorization code with Proof Key for Code Exchange (PKCE)": steps 2 and 3, the same keys.
  const printed = ['access_token', 'token_type', 'expires_in', 'refresh_token', 'created_at']

  test('code', () => {
    const answer = gitlab.code.answer(issue(gitlab, 'code', ['read_user'], 'refresh-1'))
    keys(answer, printed)
    carries(answer, {
      access_token: 'access-1',
      refresh_token: 'refresh-1',
      expires_in: 7200,
      token_type: 'bearer',
      created_at: now.getTime() / 1000,
    })
  })

  test('refresh rotates', () => {
    keys(gitlab.refresh?.answer(issue(gitlab, 'refresh', ['read_user'], 'refresh-2')), printed)
    carries(gitlab.refresh?.answer(issue(gitlab, 'refresh', ['read_user'], 'refresh-2')), {
      refresh_token: 'refresh-2',
    })
    assert.equal(gitlab.refresh?.rotates, true)
  })

  test('user', () => {
    const user = record(me(gitlab, ['read_user']))
    for (const key of ['id', 'username', 'email', 'name', 'state', 'avatar_url', 'web_url']) assert.ok(key in user, key)
    assert.equal(user['id'], Number(first(gitlab).id))
  })
})

describe('zendesk', () => {
  // help article, "Step 3 - Get an access token from Zendesk" and "Refreshing an access token": the same keys.
  const printed = ['access_token', 'refresh_token', 'token_type', 'scope', 'expires_in', 'refresh_token_expires_in']

  test('code', () => {
    const answer = zendesk.code.answer(issue(zendesk, 'code', ['read', 'write'], 'refresh-1'))
    keys(answer, printed)
    carries(answer, {
      access_token: 'access-1',
      refresh_token: 'refresh-1',
      expires_in: 1800,
      token_type: 'bearer',
      scope: 'read write',
      refresh_token_expires_in: 30 * 24 * 60 * 60,
    })
    assert.equal(zendesk.code.body, 'json')
  })

  test('refresh rotates', () => {
    keys(zendesk.refresh?.answer(issue(zendesk, 'refresh', ['read'], 'refresh-2')), printed)
    carries(zendesk.refresh?.answer(issue(zendesk, 'refresh', ['read'], 'refresh-2')), { refresh_token: 'refresh-2' })
    assert.equal(zendesk.refresh?.rotates, true)
  })

  test('me', () => {
    const user = record(record(me(zendesk, ['read'], 'acme.zendesk.com'))['user'])
    for (const key of ['id', 'url', 'name', 'email', 'role', 'organization_id', 'time_zone', 'locale', 'verified']) {
      assert.ok(key in user, key)
    }
    assert.equal(user['url'], `https://acme.zendesk.com/api/v2/users/${first(zendesk).person.id}.json`)
  })
})

describe('shopify', () => {
  // offline-access-tokens, "Acquiring expiring offline tokens" and "Refreshing expiring offline tokens": the same keys.
  const printed = ['access_token', 'scope', 'expires_in', 'refresh_token', 'refresh_token_expires_in']
  const scopes = ['read_products', 'write_orders']

  test('code, offline', () => {
    const answer = shopify.code.answer(issue(shopify, 'code', scopes, 'refresh-1'))
    keys(answer, printed)
    carries(answer, {
      access_token: 'access-1',
      refresh_token: 'refresh-1',
      expires_in: 3600,
      scope: 'read_products,write_orders',
      refresh_token_expires_in: 90 * 24 * 60 * 60,
    })
    assert.deepEqual(shopify.code.params, { expiring: { is: '1' } })
  })

  // authorization-code-grant, "Online access mode"
  test('code, online', () => {
    const answer = shopify.code.answer(issue(shopify, 'code', scopes))
    keys(answer, ['access_token', 'scope', 'expires_in', 'associated_user_scope', 'associated_user'])
    assert.deepEqual(
      Object.keys(record(record(answer.body)['associated_user'])).sort(),
      ['id', 'first_name', 'last_name', 'email', 'email_verified', 'account_owner', 'locale', 'collaborator'].sort(),
    )
    assert.ok(typeof shopify.offline === 'function')
    assert.equal(shopify.offline(new URLSearchParams('grant_options[]=per-user'), scopes), false)
    assert.equal(shopify.offline(new URLSearchParams(), scopes), true)
  })

  test('refresh rotates', () => {
    keys(shopify.refresh?.answer(issue(shopify, 'refresh', scopes, 'refresh-2')), printed)
    carries(shopify.refresh?.answer(issue(shopify, 'refresh', scopes, 'refresh-2')), { refresh_token: 'refresh-2' })
    assert.equal(shopify.refresh?.rotates, true)
  })

  test('the way back is signed', () => {
    const back = shopify.authorize.back?.({
      host: 'acme.myshopify.com',
      account: first(shopify),
      code: '0907a61c0c8d55e99db179b68161bc00',
      state: '0.6784241404160823',
      clientSecret: 'hush',
      now,
    })
    assert.ok(back)
    assert.deepEqual(Object.keys(back).sort(), ['hmac', 'host', 'shop', 'timestamp'])
    assert.equal(back['shop'], 'acme.myshopify.com')
    const { hmac, host, shop, timestamp } = back
    const message = `code=0907a61c0c8d55e99db179b68161bc00&host=${host}&shop=${shop}&state=0.6784241404160823&timestamp=${timestamp}`
    assert.equal(hmac, createHmac('sha256', 'hush').update(message).digest('hex'))
  })

  test('shop', () => {
    const shop = record(record(me(shopify, scopes, 'acme.myshopify.com'))['shop'])
    for (const key of ['id', 'name', 'email', 'domain', 'myshopify_domain', 'shop_owner', 'plan_name', 'currency']) {
      assert.ok(key in shop, key)
    }
    assert.equal(shop['id'], Number(first(shopify).id))
    assert.deepEqual(shopify.credential, { header: 'x-shopify-access-token', prefix: '' })
  })
})

describe('xero', () => {
  // guides/oauth2/auth-flow, "Exchange the code" and "Refreshing access and refresh tokens": the same keys.
  const printed = ['id_token', 'access_token', 'expires_in', 'token_type', 'refresh_token', 'scope']
  const scopes = ['openid', 'profile', 'email', 'offline_access', 'accounting.settings.read']

  test('code', () => {
    keys(xero.code.answer(issue(xero, 'code', scopes, 'refresh-1')), printed)
    keys(xero.code.answer(issue(xero, 'code', ['accounting.settings.read'])), [
      'access_token',
      'expires_in',
      'token_type',
      'scope',
    ])
    carries(xero.code.answer(issue(xero, 'code', scopes, 'refresh-1')), {
      access_token: 'access-1',
      refresh_token: 'refresh-1',
      expires_in: 1800,
      token_type: 'Bearer',
      scope: scopes.join(' '),
    })
  })

  test('refresh rotates, with half an hour of grace', () => {
    keys(xero.refresh?.answer(issue(xero, 'refresh', scopes, 'refresh-2')), printed)
    carries(xero.refresh?.answer(issue(xero, 'refresh', scopes, 'refresh-2')), { refresh_token: 'refresh-2' })
    assert.equal(xero.refresh?.rotates, true)
    assert.equal(xero.refresh?.graceSeconds, 30 * 60)
  })

  test('a refresh token only with offline_access', () => {
    assert.ok(typeof xero.offline === 'function')
    assert.equal(xero.offline(new URLSearchParams(), scopes), true)
    assert.equal(xero.offline(new URLSearchParams(), ['openid']), false)
  })

  // guides/oauth2/tenants, "Get the tenants you've been authorised to access"
  test('connections', () => {
    const connections = me(xero, scopes)
    assert.ok(Array.isArray(connections))
    assert.deepEqual(
      Object.keys(record(connections[0])).sort(),
      ['id', 'authEventId', 'tenantId', 'tenantType', 'tenantName', 'createdDateUtc', 'updatedDateUtc'].sort(),
    )
    assert.equal(record(connections[0])['tenantId'], first(xero).id)
  })
})
