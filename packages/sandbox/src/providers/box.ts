import { people, refusal, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer =>
  tokens(issue, {
    token_type: 'bearer',
    scope: undefined,
    restricted_to: [],
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  })

export default expectation({
  provider: 'box',
  documents: [
    'https://developer.box.com/reference/get-authorize/',
    'https://developer.box.com/reference/post-oauth2-token/',
    'https://developer.box.com/guides/authentication/tokens/refresh/',
    'https://developer.box.com/reference/post-oauth2-revoke/',
    'https://developer.box.com/reference/get-users-me/',
  ],
  authorize: {
    url: 'https://account.box.com/api/oauth2/authorize',
    scopes: { params: ['scope'], separators: [' '] },
    pkce: 'ignored',
  },
  code: { url: 'https://api.box.com/oauth2/token', client: 'body', body: 'form', redirectUri: 'optional', answer },
  refresh: {
    url: 'https://api.box.com/oauth2/token',
    client: 'body',
    body: 'form',
    rotates: true,
    // "not refreshed within 60 days, the user will need to be re-authorized"
    idleSeconds: 5184000,
    answer,
  },
  offline: 'always',
  lifetime: 3600,
  errors: { invalid_refresh_token: refusal('invalid_grant', 'Refresh token has expired') },
  revoke: {
    url: 'https://api.box.com/oauth2/revoke',
    method: 'POST',
    client: 'body',
    body: 'form',
    param: 'token',
    accepts: ['access', 'refresh'],
    answer: { status: 200, body: undefined },
  },
  api: [
    {
      method: 'GET',
      url: 'https://api.box.com/2.0/users/me',
      answer: ({ account }) => ({
        status: 200,
        body: {
          type: 'user',
          id: account.person.id,
          name: account.person.name,
          login: account.person.email,
          created_at: '2012-12-12T10:53:43-08:00',
          modified_at: '2012-12-12T10:53:43-08:00',
          language: 'en',
          timezone: 'Europe/London',
          space_amount: 11345156112,
          space_used: 1237009912,
          max_upload_size: 2147483648,
          status: 'active',
          job_title: 'CEO',
          phone: '6509241374',
          address: '900 Jefferson Ave, Redwood City, CA 94063',
          avatar_url: `https://www.box.com/api/avatar/large/${account.person.id}`,
        },
      }),
    },
  ],
  unauthorized: {
    status: 401,
    body: undefined,
    headers: { 'www-authenticate': 'Bearer realm="Service", error="invalid_token"' },
  },
  accounts: people({ account: '11446498' }, { account: '33224412' }),
})
