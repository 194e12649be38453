import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer => ({
  status: 200,
  body: {
    access_token: issue.accessToken,
    token_type: 'Bearer',
    expires_in: issue.expiresIn,
    // "The scopes that the access_token is valid for": offline_access is asked for, but never among them.
    scope: issue.scopes.filter(scope => scope !== 'offline_access').join(' '),
    // "Only provided if offline_access scope was requested."
    ...(issue.refreshToken === undefined ? {} : { refresh_token: issue.refreshToken }),
    // "Only provided if openid scope was requested."
    ...(issue.scopes.includes('openid') ? { id_token: 'eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0.e30.' } : {}),
  },
})

const error = (status: number, code: string, number: number, text: string): Answer => ({
  status,
  body: {
    error: code,
    error_description: `AADSTS${number}: ${text}\r\nTrace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333\r\nCorrelation ID: aaaa0000-bb11-2222-33cc-444444dddddd\r\nTimestamp: 2026-01-09 02:02:12Z`,
    error_codes: [number],
    timestamp: '2026-01-09 02:02:12Z',
    trace_id: '0000aaaa-11bb-cccc-dd22-eeeeee333333',
    correlation_id: 'aaaa0000-bb11-2222-33cc-444444dddddd',
  },
})

export default expectation({
  provider: 'microsoft',
  documents: [
    'https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow',
    'https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens',
    'https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes',
    'https://learn.microsoft.com/en-us/graph/api/user-get',
  ],
  authorize: {
    url: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize',
    query: {
      response_mode: { oneOf: ['query'], optional: true },
      prompt: { oneOf: ['login', 'none', 'consent', 'select_account'], optional: true },
      login_hint: 'optional',
      domain_hint: 'optional',
      nonce: 'optional',
    },
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'supported',
  },
  code: {
    url: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token',
    client: 'either',
    body: 'form',
    params: { scope: 'optional' },
    answer,
  },
  refresh: {
    url: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token',
    client: 'either',
    body: 'form',
    params: { scope: 'optional' },
    redirectUri: 'ignored',
    // "Refresh tokens aren't revoked when used to acquire new access tokens", yet each answer carries a new one:
    // a rotation whose grace never ends.
    rotates: true,
    graceSeconds: Number.POSITIVE_INFINITY,
    // https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens#token-lifetime: 90 days
    idleSeconds: 7776000,
    answer,
  },
  offline: (_query, scopes) => scopes.includes('offline_access'),
  lifetime: 3599,
  errors: {
    invalid_client: error(401, 'invalid_client', 7000215, 'Invalid client secret is provided.'),
    invalid_code: error(400, 'invalid_grant', 54005, 'OAuth2 Authorization code was already redeemed.'),
    bad_verifier: error(
      400,
      'invalid_grant',
      501481,
      'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
    ),
    invalid_refresh_token: error(400, 'invalid_grant', 700082, 'The refresh token has expired due to inactivity.'),
    unsupported_grant_type: error(400, 'unsupported_grant_type', 70003, 'The app returned an unsupported grant type.'),
  },
  prefix: { access: 'eyJ0eXAiOiJKV1QiLCJub25jZSI6', refresh: '0.A', code: '0.A' },
  api: [
    {
      method: 'GET',
      url: 'https://graph.microsoft.com/v1.0/me',
      answer: ({ account }) => {
        const [given = '', ...family] = account.person.name.split(' ')
        return {
          status: 200,
          body: {
            '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#users/$entity',
            businessPhones: ['+1 425 555 0109'],
            displayName: account.person.name,
            givenName: given,
            jobTitle: 'Product Marketing Manager',
            mail: account.person.email,
            mobilePhone: null,
            officeLocation: '18/2111',
            preferredLanguage: 'en-US',
            surname: family.join(' '),
            userPrincipalName: account.person.email,
            id: account.person.id,
          },
        }
      },
    },
  ],
  unauthorized: {
    status: 401,
    body: {
      error: {
        code: 'InvalidAuthenticationToken',
        message: 'Access token has expired or is not yet valid.',
        innerError: {
          date: '2026-01-09T02:02:12',
          'request-id': '0000aaaa-11bb-cccc-dd22-eeeeee333333',
          'client-request-id': 'aaaa0000-bb11-2222-33cc-444444dddddd',
        },
      },
    },
  },
  // /me tells no tenant, only the user, so both ids are the user's.
  accounts: [
    {
      id: '48d31887-5fad-4d73-a9f5-3c356e68a038',
      name: 'ada@acme.onmicrosoft.com',
      person: { id: '48d31887-5fad-4d73-a9f5-3c356e68a038', name: 'Ada Byron', email: 'ada@acme.onmicrosoft.com' },
    },
    {
      id: '87d349ed-44d7-43e1-9a83-5f2406dee5bd',
      name: 'grace@globex.onmicrosoft.com',
      person: {
        id: '87d349ed-44d7-43e1-9a83-5f2406dee5bd',
        name: 'Grace Murray',
        email: 'grace@globex.onmicrosoft.com',
      },
    },
  ],
})
