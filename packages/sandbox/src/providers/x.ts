import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer => tokens(issue, { token_type: 'bearer' })

export default expectation({
  provider: 'x',
  documents: [
    'https://docs.x.com/resources/fundamentals/authentication/oauth-2-0/authorization-code',
    'https://docs.x.com/resources/fundamentals/authentication/oauth-2-0/user-access-token',
    'https://docs.x.com/x-api/users/user-lookup-me',
  ],
  authorize: {
    url: 'https://x.com/i/oauth2/authorize',
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'required',
  },
  code: { url: 'https://api.x.com/2/oauth2/token', client: 'basic', body: 'form', answer },
  refresh: { url: 'https://api.x.com/2/oauth2/token', client: 'basic', body: 'form', rotates: true, answer },
  offline: (_query, scopes) => scopes.includes('offline.access'),
  // Two hours.
  lifetime: 7200,
  revoke: {
    url: 'https://api.x.com/2/oauth2/revoke',
    method: 'POST',
    client: 'basic',
    body: 'form',
    params: { token_type_hint: 'optional' },
    param: 'token',
    accepts: ['access', 'refresh'],
    answer: { status: 200, body: { revoked: true } },
  },
  api: [
    {
      method: 'GET',
      url: 'https://api.x.com/2/users/me',
      answer: ({ account }) => ({
        status: 200,
        body: {
          data: {
            id: account.person.id,
            name: account.person.name,
            username: account.person.email.split('@')[0],
          },
        },
      }),
    },
  ],
  unauthorized: {
    status: 401,
    body: { title: 'Unauthorized', type: 'about:blank', status: 401, detail: 'Unauthorized' },
  },
  accounts: people({ account: '2244994945' }, { account: '783214001' }),
})
