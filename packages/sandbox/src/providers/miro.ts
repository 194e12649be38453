import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer =>
  tokens(issue, {
    token_type: 'bearer',
    scope: 'boards:write boards:read identity:read',
    user_id: issue.account.person.id,
    team_id: issue.account.id,
  })

export default expectation({
  provider: 'miro',
  documents: [
    'https://developers.miro.com/docs/getting-started-with-oauth',
    'https://developers.miro.com/reference/ne-exchange-authorization-code-with-access-token',
    'https://developers.miro.com/reference/get-new-access-token-using-refresh-token',
    'https://developers.miro.com/reference/get-access-token-context',
    'https://developers.miro.com/reference/oauth-20-authorization-v2',
  ],
  authorize: { url: 'https://miro.com/oauth/authorize', query: { team_id: 'optional' }, pkce: 'ignored' },
  code: { url: 'https://api.miro.com/v1/oauth/token', client: 'body', body: 'form', answer },
  refresh: {
    url: 'https://api.miro.com/v1/oauth/token',
    client: 'body',
    body: 'form',
    rotates: true,
    // "the old access token and refresh token are no longer valid"
    accessTokens: 1,
    // "a refresh token expires in 60 days"
    idleSeconds: 5184000,
    answer,
  },
  offline: 'always',
  lifetime: 3599,
  api: [
    {
      method: 'GET',
      url: 'https://api.miro.com/v1/oauth-token',
      answer: ({ account }) => ({
        status: 200,
        body: {
          type: 'oAuthToken',
          organization: { type: 'organization', id: `3${account.id}`, name: account.name },
          team: { type: 'team', id: account.id, name: account.name },
          user: { type: 'user', id: account.person.id, name: account.person.name },
          scopes: ['boards:write', 'boards:read', 'identity:read'],
          createdBy: { type: 'user', id: account.person.id, name: account.person.name },
        },
      }),
    },
  ],
  unauthorized: {
    status: 401,
    body: { type: 'error', code: 'tokenNotProvided', message: 'Unauthorized', status: 401 },
  },
  accounts: people(
    { account: '3074457358607431473', person: '3074457345618265001' },
    { account: '3074457358607439911', person: '3074457345618265777' },
  ),
})
