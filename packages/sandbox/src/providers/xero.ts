import { type Answer, expectation, type Issue } from '../expectation.ts'

/** The claims that Xero documents: https://developer.xero.com/documentation/guides/oauth2/sign-in. Signed by nobody here. */
const idToken = (issue: Issue): string => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const seconds = Math.floor(issue.now.getTime() / 1000)
  const { id, name, email } = issue.account.person
  const [given = '', family = ''] = name.split(' ')
  const claims = {
    nbf: seconds,
    exp: seconds + 300,
    iss: 'https://identity.xero.com',
    aud: issue.clientId,
    iat: seconds,
    sub: id.replaceAll('-', ''),
    auth_time: seconds,
    xero_userid: id,
    global_session_id: '6b1f0a5c8d4e4f1a9c2b3d4e5f607182',
    ...(issue.scopes.includes('email') ? { preferred_username: email, email } : {}),
    ...(issue.scopes.includes('profile') ? { given_name: given, family_name: family, name } : {}),
  }
  return `${part({ alg: 'RS256', kid: 'sandbox', typ: 'JWT' })}.${part(claims)}.c2FtcGxl`
}

const answer = (issue: Issue): Answer => ({
  status: 200,
  body: {
    ...(issue.scopes.includes('openid') ? { id_token: idToken(issue) } : {}),
    access_token: issue.accessToken,
    expires_in: issue.expiresIn,
    token_type: 'Bearer',
    ...(issue.refreshToken === undefined ? {} : { refresh_token: issue.refreshToken }),
    scope: issue.scopes.join(' '),
  },
})

export default expectation({
  provider: 'xero',
  documents: [
    'https://developer.xero.com/documentation/guides/oauth2/auth-flow',
    'https://developer.xero.com/documentation/guides/oauth2/scopes',
    'https://developer.xero.com/documentation/guides/oauth2/tenants',
    'https://developer.xero.com/faq/oauth2',
    'https://github.com/XeroAPI/Xero-OpenAPI/blob/master/xero-identity.yaml',
  ],
  authorize: {
    url: 'https://login.xero.com/identity/connect/authorize',
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'supported',
  },
  code: {
    url: 'https://identity.xero.com/connect/token',
    client: 'basic',
    body: 'form',
    answer,
  },
  refresh: {
    url: 'https://identity.xero.com/connect/token',
    client: 'basic',
    body: 'form',
    redirectUri: 'ignored',
    rotates: true,
    // "you can retry refreshing your existing refresh token for a grace period of 30 minutes"
    graceSeconds: 1800,
    // "Unused refresh tokens expire after 60 days."
    idleSeconds: 5184000,
    answer,
  },
  offline: (_query, scopes) => scopes.includes('offline_access'),
  lifetime: 1800,
  revoke: {
    url: 'https://identity.xero.com/connect/revocation',
    method: 'POST',
    client: 'basic',
    body: 'form',
    param: 'token',
    accepts: ['refresh'],
    answer: { status: 200, body: undefined },
  },
  api: [
    {
      method: 'GET',
      url: 'https://api.xero.com/connections',
      answer: ({ account }) => ({
        status: 200,
        body: [
          {
            id: '7cb59f93-2964-421d-bb5e-a0f7a4572a44',
            authEventId: 'd99ecdfe-391d-43d2-b834-17636ba90e8d',
            // What follows a slash tells two people of one organisation apart, here only.
            tenantId: account.id.split('/')[0],
            tenantType: 'ORGANISATION',
            tenantName: account.name,
            createdDateUtc: '2019-12-07T18:46:19.5165400',
            updatedDateUtc: '2019-12-07T18:46:19.5187840',
          },
        ],
      }),
    },
  ],
  unauthorized: {
    status: 401,
    body: {
      Type: null,
      Title: 'Unauthorized',
      Status: 401,
      Detail: 'AuthenticationUnsuccessful',
      Instance: '9a2bb5e9-b2a2-4b5f-8b5e-0a1d3b7f6c11',
      Extensions: {},
    },
  },
  accounts: [
    {
      id: 'fe79f7dd-b6d4-4a92-ba7b-538af6289c58',
      name: 'Acme Company (NZ)',
      person: { id: 'd1164823-0ac1-41ad-987b-b4e30fe0b273', name: 'Ada Byron', email: 'ada@acme.example' },
    },
    {
      id: '70784a63-d24b-46a9-a4db-0e70a274b056',
      name: 'Globex Florists Ltd',
      person: { id: '3f6b1c0e-5d84-4b55-9d1f-6a9e2a7c4f10', name: 'Grace Murray', email: 'grace@globex.example' },
    },
    {
      id: 'fe79f7dd-b6d4-4a92-ba7b-538af6289c58/charles',
      name: 'Acme Company (NZ)',
      person: { id: 'a7e2c9d4-6b13-4f58-8c0a-2d9e7f1b3c65', name: 'Charles Brown', email: 'charles@acme.example' },
    },
  ],
})
