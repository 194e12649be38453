/** Todoist for an app with refresh tokens, as new ones have them. */
import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer => tokens(issue, { scope: undefined })

export default expectation({
  provider: 'todoist',
  documents: [
    'https://developer.todoist.com/api/v1/#tag/Authorization',
    'https://doist.github.io/todoist-sdk-typescript/api/functions/refreshAuthToken',
  ],
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
    answer,
  },
  refresh: {
    url: 'https://api.todoist.com/oauth/access_token',
    client: 'body',
    body: 'form',
    // "The server rotates the refresh token"
    rotates: true,
    answer,
  },
  offline: 'always',
  // The pages name no figure; an hour is usual.
  lifetime: 3600,
  errors: { invalid_code: { status: 400, body: { error: 'bad_authorization_code' } } },
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
