import { expectation } from '../expectation.ts'

export default expectation({
  provider: 'google',
  documents: [
    'https://developers.google.com/identity/protocols/oauth2/web-server',
    'https://developers.google.com/identity/protocols/oauth2',
    'https://developers.google.com/identity/openid-connect/openid-connect',
    'https://developers.google.com/identity/openid-connect/reference',
  ],
  authorize: {
    url: 'https://accounts.google.com/o/oauth2/v2/auth',
    query: {
      access_type: { oneOf: ['online', 'offline'], optional: true },
      prompt: 'optional',
      login_hint: 'optional',
      include_granted_scopes: { oneOf: ['true', 'false'], optional: true },
      enable_granular_consent: { oneOf: ['true', 'false'], optional: true },
      hd: 'optional',
      nonce: 'optional',
    },
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'supported',
    issuer: 'https://accounts.google.com',
  },
  code: {
    url: 'https://oauth2.googleapis.com/token',
    client: 'body',
    body: 'form',
    answer: issue => ({
      status: 200,
      body: {
        access_token: issue.accessToken,
        expires_in: issue.expiresIn,
        token_type: 'Bearer',
        scope: issue.scopes.join(' '),
        ...(issue.refreshToken === undefined ? {} : { refresh_token: issue.refreshToken }),
        // Only where an identity scope was granted (OpenID Connect page, "Exchange code for access token and ID token").
        ...(issue.scopes.includes('openid') ? { id_token: 'eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2FtcGxl' } : {}),
      },
    }),
  },
  refresh: {
    url: 'https://oauth2.googleapis.com/token',
    client: 'body',
    body: 'form',
    redirectUri: 'ignored',
    rotates: false,
    // https://developers.google.com/identity/protocols/oauth2#expiration: six months without use, here the shortest six
    idleSeconds: 15638400,
    answer: issue => ({
      status: 200,
      body: {
        access_token: issue.accessToken,
        expires_in: issue.expiresIn,
        scope: issue.scopes.join(' '),
        token_type: 'Bearer',
      },
    }),
  },
  // The documentation also gives one at the very first consent without prompt=consent. Here every consent counts as a
  // later one, because only then does leaving the parameter out show.
  offline: query =>
    query.get('access_type') === 'offline' && (query.get('prompt') ?? '').split(' ').includes('consent'),
  lifetime: 3920,
  errors: {
    invalid_client: { status: 401, body: { error: 'invalid_client', error_description: 'Unauthorized' } },
    invalid_code: { status: 400, body: { error: 'invalid_grant', error_description: 'Bad Request' } },
    redirect_mismatch: { status: 400, body: { error: 'redirect_uri_mismatch', error_description: 'Bad Request' } },
    invalid_refresh_token: {
      status: 400,
      body: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
    },
  },
  prefix: { access: '1/', refresh: '1//', code: '4/' },
  revoke: {
    url: 'https://oauth2.googleapis.com/revoke',
    method: 'POST',
    client: 'none',
    body: 'form',
    param: 'token',
    accepts: ['access', 'refresh'],
    answer: { status: 200, body: {} },
  },
  api: [
    {
      method: 'GET',
      url: 'https://openidconnect.googleapis.com/v1/userinfo',
      answer: ({ account, scopes }) => {
        const [given = '', ...family] = account.person.name.split(' ')
        const domain = account.person.email.split('@')[1] ?? ''
        return {
          status: 200,
          body: {
            sub: account.person.id,
            ...(scopes.includes('profile')
              ? {
                  name: account.person.name,
                  given_name: given,
                  family_name: family.join(' '),
                  picture: 'https://lh3.googleusercontent.com/a/sample=s96-c',
                }
              : {}),
            ...(scopes.includes('email') ? { email: account.person.email, email_verified: true } : {}),
            // Only for an account of a Workspace domain.
            ...(domain === 'gmail.com' ? {} : { hd: domain }),
          },
        }
      },
    },
  ],
  unauthorized: { status: 401, body: { error: 'invalid_request', error_description: 'Invalid Credentials' } },
  // A Google account is its person's own, so both ids are `sub`.
  accounts: [
    {
      id: '110248495921238986420',
      name: 'ada@acme.example',
      person: { id: '110248495921238986420', name: 'Ada Byron', email: 'ada@acme.example' },
    },
    {
      id: '103547991597142817347',
      name: 'grace@globex.example',
      person: { id: '103547991597142817347', name: 'Grace Murray', email: 'grace@globex.example' },
    },
    {
      id: '117004215336021349901',
      name: 'linus.private@gmail.com',
      person: { id: '117004215336021349901', name: 'Linus Benedict', email: 'linus.private@gmail.com' },
    },
  ],
})
