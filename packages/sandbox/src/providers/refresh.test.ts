/** What these documentations say of refresh tokens, typed here once more from the page named, so that a slip fails. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectations } from '../defaults.ts'
import salesforce from './salesforce.ts'

const days = (count: number) => count * 24 * 60 * 60

/** What is not named is not documented, and must not be played. */
const documented = {
  // https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens
  github: { rotates: true, accessTokens: 1, idleSeconds: days(183) },
  // https://docs.gitlab.com/api/oauth2/#authorization-code-flow
  gitlab: { rotates: true, accessTokens: 1 },
  // https://developers.google.com/identity/protocols/oauth2#expiration
  google: { rotates: false, idleSeconds: days(181) },
  'google-drive': { rotates: false, idleSeconds: days(181) },
  // https://developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens
  hubspot: { rotates: false },
  // https://linear.app/developers/oauth-2-0-authentication#refresh-an-access-token
  linear: { rotates: true, graceSeconds: 30 * 60 },
  // https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens#token-lifetime
  microsoft: { rotates: true, graceSeconds: Number.POSITIVE_INFINITY, idleSeconds: days(90) },
  // https://developers.notion.com/reference/refresh-a-token
  notion: { rotates: true },
  // https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_refresh_token_flow.htm&type=5
  salesforce: { rotates: false, reuseRevokes: true },
  // https://shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens
  shopify: { rotates: true, graceSeconds: days(30), graceUntilUsed: true, idleSeconds: days(90) },
  // https://docs.slack.dev/authentication/using-token-rotation#refresh-a-token
  slack: { rotates: true, accessTokens: 2 },
  // https://developer.xero.com/faq/oauth2
  xero: { rotates: true, graceSeconds: 30 * 60, idleSeconds: days(60) },
  // https://support.zendesk.com/hc/en-us/articles/9182123625370 and …/10212201463962
  zendesk: { rotates: true, accessTokens: 1, idleSeconds: days(30) },
}

const rules = ['rotates', 'reuseRevokes', 'graceSeconds', 'graceUntilUsed', 'idleSeconds', 'accessTokens'] as const

test('each provider treats refresh tokens as its pages say, and no other way', () => {
  const played = Object.keys(documented).map(provider => {
    const refresh = expectations.find(each => each.provider === provider)?.refresh
    assert.ok(refresh, provider)
    return [provider, Object.fromEntries(rules.flatMap(rule => (rule in refresh ? [[rule, refresh[rule]]] : [])))]
  })
  assert.deepEqual(Object.fromEntries(played), documented)
})

test('Salesforce tells the end of an access token, in seconds, and is the only one that does', () => {
  assert.deepEqual(
    expectations.filter(each => each.introspect).map(each => each.provider),
    ['salesforce'],
  )
  const [account] = salesforce.accounts
  const { introspect } = salesforce
  assert.ok(account && introspect)
  // https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oidc_token_introspection_endpoint.htm&type=5
  assert.equal(introspect.client, 'either')
  const shared = { clientId: 'client-1', account, scopes: ['api', 'refresh_token'] }
  const issuedAt = new Date('2026-11-21T10:20:30.600Z')
  const expiresAt = new Date(issuedAt.getTime() + 7_200_000)
  const { status, body } = introspect.answer({ kind: 'access', ...shared, issuedAt, expiresAt })
  assert.equal(status, 200)
  // "Salesforce Platform APIs" of https://github.com/forcedotcom/postman-salesforce-apis
  assert.deepEqual(body, {
    active: true,
    scope: 'api refresh_token',
    client_id: 'client-1',
    username: account.person.email,
    sub: `https://login.salesforce.com/id/${account.id}/${account.person.id}`,
    token_type: 'access_token',
    exp: 1795263630,
    iat: 1795256430,
    nbf: 1795256430,
  })
  const refresh = introspect.answer({ kind: 'refresh', ...shared }).body as Record<string, unknown>
  assert.equal(refresh['token_type'], 'refresh_token')
  assert.equal('exp' in refresh, false)
})
