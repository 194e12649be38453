/** Salesforce's web server flow and refresh token flow, at login.salesforce.com. */
import { createHash } from 'node:crypto'
import { type Account, type Answer, expectation, type Introspected, type Issue } from '../expectation.ts'

const identityUrl = (account: Account): string => `https://login.salesforce.com/id/${account.id}/${account.person.id}`

const instanceUrl = (account: Account): string => `https://${account.name.toLowerCase()}.my.salesforce.com`

/** The real signature is an HMAC of id and issued_at; nobody here checks it. */
const signed = (account: Account, now: Date) => {
  const issuedAt = String(now.getTime())
  return {
    signature: createHash('sha256')
      .update(identityUrl(account) + issuedAt)
      .digest('base64'),
    issued_at: issuedAt,
  }
}

/** Neither answer has an expires_in: the session timeout is the org's own matter. */
const tokens = (issue: Issue): Answer => ({
  status: 200,
  body: {
    access_token: issue.accessToken,
    ...(issue.kind === 'code' && issue.refreshToken !== undefined ? { refresh_token: issue.refreshToken } : {}),
    signature: signed(issue.account, issue.now).signature,
    scope: issue.scopes.join(' '),
    instance_url: instanceUrl(issue.account),
    id: identityUrl(issue.account),
    token_type: 'Bearer',
    issued_at: signed(issue.account, issue.now).issued_at,
  },
})

/**
 * The keys of the example in Salesforce's own collection of requests ("Salesforce Platform APIs"); times in seconds, as
 * RFC 7662 §2.2 has them. A refresh token has no end there.
 */
const introspected = ({ kind, account, clientId, scopes, issuedAt, expiresAt }: Introspected): Answer => {
  const seconds = (date: Date) => Math.floor(date.getTime() / 1000)
  return {
    status: 200,
    body: {
      active: true,
      scope: scopes.join(' '),
      client_id: clientId,
      username: account.person.email,
      sub: identityUrl(account),
      token_type: kind === 'access' ? 'access_token' : 'refresh_token',
      ...(expiresAt ? { exp: seconds(expiresAt) } : {}),
      ...(issuedAt ? { iat: seconds(issuedAt), nbf: seconds(issuedAt) } : {}),
    },
  }
}

const refusal = (error: string, error_description: string): Answer => ({
  status: 400,
  body: { error, error_description },
})

/** https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_userinfo_endpoint.htm&type=5 */
const userinfo = ({ account }: { readonly account: Account }): Answer => {
  const base = instanceUrl(account)
  const [given_name = '', family_name = ''] = account.person.name.split(' ')
  const rest = `${base}/services/data/v{version}/`
  return {
    status: 200,
    body: {
      sub: identityUrl(account),
      user_id: account.person.id,
      organization_id: account.id,
      preferred_username: account.person.email,
      nickname: given_name.toLowerCase(),
      name: account.person.name,
      email: account.person.email,
      email_verified: true,
      given_name,
      family_name,
      zoneinfo: 'America/Los_Angeles',
      photos: { picture: `${base}/profilephoto/005/F`, thumbnail: `${base}/profilephoto/005/T` },
      profile: `${base}/${account.person.id}`,
      picture: `${base}/profilephoto/005/F`,
      address: { country: 'US' },
      urls: {
        enterprise: `${base}/services/Soap/c/{version}/${account.id}`,
        metadata: `${base}/services/Soap/m/{version}/${account.id}`,
        partner: `${base}/services/Soap/u/{version}/${account.id}`,
        rest,
        sobjects: `${rest}sobjects/`,
        search: `${rest}search/`,
        query: `${rest}query/`,
        recent: `${rest}recent/`,
        profile: `${base}/${account.person.id}`,
        feeds: `${rest}chatter/feeds`,
        groups: `${rest}chatter/groups`,
        users: `${rest}chatter/users`,
        feed_items: `${rest}chatter/feed-items`,
      },
      active: true,
      user_type: 'STANDARD',
      language: 'en_US',
      locale: 'en_US',
      utcOffset: -28800000,
      updated_at: '2025-12-02T18:46:42.000+0000',
    },
  }
}

export default expectation({
  provider: 'salesforce',
  documents: [
    'https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm&type=5',
    'https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_refresh_token_flow.htm&type=5',
    'https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_flow_errors.htm&type=5',
    'https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_userinfo_endpoint.htm&type=5',
    'https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oidc_token_introspection_endpoint.htm&type=5',
    'https://github.com/forcedotcom/postman-salesforce-apis',
    'https://developer.salesforce.com/docs/platform/mobile-sdk/guide/oauth-revoking-tokens.html',
  ],
  authorize: {
    url: 'https://login.salesforce.com/services/oauth2/authorize',
    query: {
      display: { oneOf: ['page', 'popup', 'touch', 'mobile'], optional: true },
      immediate: 'optional',
      login_hint: 'optional',
      nonce: 'optional',
      prompt: 'optional',
    },
    scopes: { params: ['scope'], separators: [' '] },
    pkce: 'supported',
  },
  code: {
    url: 'https://login.salesforce.com/services/oauth2/token',
    client: 'either',
    body: 'form',
    params: { format: { oneOf: ['json'], optional: true } },
    answer: tokens,
  },
  refresh: {
    url: 'https://login.salesforce.com/services/oauth2/token',
    client: 'either',
    body: 'form',
    params: { format: { oneOf: ['json'], optional: true } },
    // Rotation is a setting of the app, off here; with the switch on, a spent refresh token that is used again costs the
    // current one and its access tokens.
    rotates: false,
    reuseRevokes: true,
    answer: tokens,
  },
  // https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_tokens_scopes.htm&type=5
  offline: (_query, scopes) => scopes.includes('refresh_token') || scopes.includes('offline_access'),
  // Sessions end after two hours unless the org says otherwise.
  // https://developer.salesforce.com/docs/platform/api-metadata/guide/meta-error-handling-session-exp.html
  lifetime: 7200,
  errors: {
    invalid_client: refusal('invalid_client', 'invalid client credentials'),
    invalid_request: refusal('invalid_request', 'missing required parameter'),
    invalid_code: refusal('invalid_grant', 'expired authorization code'),
    redirect_mismatch: refusal('redirect_uri_mismatch', 'redirect_uri must match configuration'),
    bad_verifier: refusal('invalid_grant', 'invalid code verifier'),
    invalid_refresh_token: refusal('invalid_grant', 'expired access/refresh token'),
    unsupported_grant_type: refusal('unsupported_grant_type', 'grant type not supported'),
  },
  prefix: { access: '00D5g00000Abc12!', refresh: '5Aep861', code: 'aPrx' },
  revoke: {
    url: 'https://login.salesforce.com/services/oauth2/revoke',
    method: 'POST',
    client: 'none',
    body: 'form',
    param: 'token',
    accepts: ['access', 'refresh'],
    answer: { status: 200, body: undefined },
  },
  introspect: {
    url: 'https://login.salesforce.com/services/oauth2/introspect',
    client: 'either',
    answer: introspected,
  },
  api: [
    { method: 'GET', url: 'https://login.salesforce.com/services/oauth2/userinfo', answer: userinfo },
    { method: 'GET', url: 'https://{domain}.my.salesforce.com/services/oauth2/userinfo', answer: userinfo },
  ],
  unplayed: 'https://{domain}.my.salesforce.com',
  unauthorized: {
    status: 401,
    body: [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }],
  },
  accounts: [
    {
      id: '00D5g00000Abc12EAA',
      name: 'Acme',
      person: { id: '0055g00000Ada01AAA', name: 'Ada Lovelace', email: 'ada@acme.example' },
    },
    {
      id: '00D5g00000Glo34EAC',
      name: 'Globex',
      person: { id: '0055g00000Gra02AAC', name: 'Grace Hopper', email: 'grace@globex.example' },
    },
  ],
})
