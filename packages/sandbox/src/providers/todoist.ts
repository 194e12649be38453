import { people } from '../answers.ts'
import { expectation } from '../expectation.ts'

export default expectation({
  provider: 'todoist',
  documents: ['https://developer.todoist.com/api/v1/#tag/Authorization', 'https://developer.todoist.com/guides/#oauth'],
  authorize: {
    url: 'https://app.todoist.com/oauth/authorize',
    responseType: false,
    scopes: {
      params: ['scope'],
      separators: [','],
      required: true,
      known: ['task:add', 'data:read', 'data:read_write', 'data:delete', 'project:delete', 'backups:read'],
    },
    pkce: 'ignored',
  },
  code: {
    url: 'https://api.todoist.com/oauth/access_token',
    client: 'body',
    body: 'form',
    grantType: 'optional',
    redirectUri: 'optional',
    answer: issue => ({ status: 200, body: { access_token: issue.accessToken, token_type: 'Bearer' } }),
  },
  offline: 'never',
  lifetime: undefined,
  errors: { invalid_code: { status: 400, body: { error: 'bad_authorization_code' } } },
  revoke: {
    url: 'https://api.todoist.com/api/v1/revoke',
    method: 'POST',
    client: 'basic',
    body: 'either',
    params: { token_type_hint: 'optional' },
    param: 'token',
    accepts: ['access'],
    answer: { status: 200, body: {} },
  },
  api: [
    {
      method: 'GET',
      url: 'https://api.todoist.com/api/v1/user',
      answer: ({ account }) => ({
        status: 200,
        body: {
          id: account.person.id,
          email: account.person.email,
          full_name: account.person.name,
          inbox_project_id: '6X7rM8997g3RQmvh',
          is_premium: true,
          joined_at: '2015-07-31T18:32:06.000000Z',
          lang: 'en',
          verification_status: 'verified',
        },
      }),
    },
  ],
  unauthorized: {
    status: 401,
    body: { error: 'Unauthorized', error_code: 401, error_tag: 'UNAUTHORIZED', http_code: 401 },
  },
  accounts: people({ account: '1855589' }, { account: '2671355' }),
})
