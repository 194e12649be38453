import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer =>
  tokens(issue, { scope: undefined, user_id: issue.account.person.id, session_nonce: '2bf3ec81701ec291' })

export default expectation({
  provider: 'heroku',
  documents: [
    'https://devcenter.heroku.com/articles/oauth',
    'https://devcenter.heroku.com/articles/platform-api-reference#account',
  ],
  authorize: {
    url: 'https://id.heroku.com/oauth/authorize',
    scopes: {
      params: ['scope'],
      separators: [' '],
      known: ['global', 'identity', 'read', 'write', 'read-protected', 'write-protected'],
    },
    pkce: 'ignored',
  },
  code: { url: 'https://id.heroku.com/oauth/token', client: 'body', body: 'form', redirectUri: 'optional', answer },
  refresh: { url: 'https://id.heroku.com/oauth/token', client: 'body', body: 'form', rotates: false, answer },
  offline: 'always',
  // Eight hours.
  lifetime: 28800,
  prefix: { access: 'HRKU-', refresh: 'HRKU-' },
  api: [
    {
      method: 'GET',
      url: 'https://api.heroku.com/account',
      headers: { accept: { is: 'application/vnd.heroku+json' } },
      answer: ({ account }) => ({
        status: 200,
        body: {
          allow_tracking: true,
          beta: false,
          created_at: '2012-01-01T12:00:00Z',
          email: account.person.email,
          federated: false,
          id: account.person.id,
          last_login: '2012-01-01T12:00:00Z',
          name: account.person.name,
          sms_number: null,
          suspended_at: null,
          two_factor_authentication: false,
          updated_at: '2012-01-01T12:00:00Z',
          verified: false,
        },
      }),
    },
  ],
  unauthorized: { status: 401, body: { id: 'unauthorized', message: 'Invalid credentials provided.' } },
  accounts: people(
    { account: '01234567-89ab-cdef-0123-456789abcdef' },
    { account: 'fedcba98-7654-3210-fedc-ba9876543210' },
  ),
})
