import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

/** The claims that Intuit documents. Signed by nobody here. */
const idToken = (issue: Issue): string => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const seconds = Math.floor(issue.now.getTime() / 1000)
  const claims = {
    sub: issue.account.person.id,
    aud: [issue.clientId],
    realmid: issue.account.id,
    auth_time: seconds,
    iss: 'https://oauth.platform.intuit.com/op/v1',
    exp: seconds + 3600,
    iat: seconds,
  }
  return `${part({ kid: 'sandbox', alg: 'RS256' })}.${part(claims)}.c2FtcGxl`
}

const answer = (issue: Issue): Answer =>
  tokens(issue, {
    token_type: 'bearer',
    scope: undefined,
    // 101 days
    x_refresh_token_expires_in: 8726400,
    id_token: issue.kind === 'code' && issue.scopes.includes('openid') ? idToken(issue) : undefined,
  })

export default expectation({
  provider: 'quickbooks',
  name: 'QuickBooks Online',
  documents: [
    'https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/oauth-2.0',
    'https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/openid-connect',
    'https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/faq',
  ],
  authorize: {
    url: 'https://appcenter.intuit.com/connect/oauth2',
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'ignored',
    back: ({ account }) => ({ realmId: account.id }),
  },
  code: { url: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer', client: 'basic', body: 'form', answer },
  refresh: {
    url: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
    client: 'basic',
    body: 'form',
    rotates: true,
    idleSeconds: 8640000,
    answer,
  },
  offline: 'always',
  // "expires_in": 3600
  lifetime: 3600,
  revoke: {
    url: 'https://developer.api.intuit.com/v2/oauth2/tokens/revoke',
    method: 'POST',
    client: 'basic',
    body: 'either',
    param: 'token',
    accepts: ['access', 'refresh'],
    answer: { status: 200, body: undefined },
  },
  api: [
    {
      method: 'GET',
      url: 'https://accounts.platform.intuit.com/v1/openid_connect/userinfo',
      answer: ({ account, scopes }) => {
        const [givenName, familyName] = account.person.name.split(' ')
        return {
          status: 200,
          body: {
            sub: account.person.id,
            ...(scopes.includes('profile') ? { givenName, familyName } : {}),
            ...(scopes.includes('email') ? { email: account.person.email, emailVerified: true } : {}),
          },
        }
      },
    },
  ],
  unauthorized: { status: 401, body: { status: 'ERROR', errorCode: 'invalid_token' } },
  accounts: people(
    { account: '1108033471', person: 'b053d994-07d5-468d-b7ee-22e349d2e739' },
    { account: '1219144582', person: 'c164ea05-18e6-479e-c8ff-33f45ae3f84a' },
  ),
})
