import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer => tokens(issue, { token_type: 'bearer' })
const headers = { 'user-agent': 'required' } as const

export default expectation({
  provider: 'reddit',
  documents: [
    'https://github.com/reddit-archive/reddit/wiki/OAuth2',
    'https://github.com/reddit-archive/reddit/wiki/API',
    'https://www.reddit.com/dev/api#GET_api_v1_me',
  ],
  authorize: {
    url: 'https://www.reddit.com/api/v1/authorize',
    query: { duration: { oneOf: ['temporary', 'permanent'], optional: true } },
    scopes: { params: ['scope'], separators: [' ', ','], required: true },
    pkce: 'ignored',
  },
  code: { url: 'https://www.reddit.com/api/v1/access_token', client: 'basic', body: 'form', headers, answer },
  refresh: {
    url: 'https://www.reddit.com/api/v1/access_token',
    client: 'basic',
    body: 'form',
    headers,
    rotates: false,
    answer,
  },
  offline: query => query.get('duration') === 'permanent',
  // The wiki says one hour, as "expires_in" has it.
  lifetime: 3600,
  errors: {
    invalid_client: { status: 401, body: { message: 'Unauthorized', error: 401 } },
    // "invalid_grant: The code has expired or already been used", with status 200.
    invalid_code: { status: 200, body: { error: 'invalid_grant' } },
  },
  revoke: {
    url: 'https://www.reddit.com/api/v1/revoke_token',
    method: 'POST',
    client: 'basic',
    body: 'form',
    params: { token_type_hint: { oneOf: ['access_token', 'refresh_token'], optional: true } },
    param: 'token',
    accepts: ['access', 'refresh'],
    // "204 No Content. The API will return this whether or not the token submitted was valid."
    answer: { status: 204, body: undefined },
  },
  api: [
    {
      method: 'GET',
      url: 'https://oauth.reddit.com/api/v1/me',
      headers,
      answer: ({ account }) => ({
        status: 200,
        body: {
          id: account.person.id,
          name: account.person.email.split('@')[0],
          created_utc: 1389649907,
          has_verified_email: true,
          is_employee: false,
          is_gold: false,
          is_mod: false,
          link_karma: 1,
          comment_karma: 2,
          over_18: true,
          verified: true,
        },
      }),
    },
  ],
  unauthorized: { status: 401, body: { message: 'Unauthorized', error: 401 } },
  accounts: people({ account: 'eebyrdt' }, { account: 'kk3qxw1' }),
})
