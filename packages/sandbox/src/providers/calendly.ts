import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer =>
  tokens(issue, {
    created_at: Math.floor(issue.now.getTime() / 1000),
    owner: issue.account.person.id,
    organization: issue.account.id,
  })

const api = 'https://api.calendly.com'

export default expectation({
  provider: 'calendly',
  documents: [
    'https://developer.calendly.com/how-to-access-calendly-data-on-behalf-of-authenticated-users',
    'https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/post-oauth-refresh-token',
    'https://developer.calendly.com/api-docs/calendly-o-auth/o-auth/post-oauth-revoke',
  ],
  authorize: {
    url: 'https://auth.calendly.com/oauth/authorize',
    scopes: { params: ['scope'], separators: [' '] },
    pkce: 'supported',
  },
  code: { url: 'https://auth.calendly.com/oauth/token', client: 'basic', body: 'form', answer },
  refresh: { url: 'https://auth.calendly.com/oauth/token', client: 'basic', body: 'form', rotates: true, answer },
  offline: 'always',
  // "Access Tokens expire after 2 hours."
  lifetime: 7200,
  revoke: {
    url: 'https://auth.calendly.com/oauth/revoke',
    method: 'POST',
    client: 'body',
    body: 'form',
    param: 'token',
    accepts: ['access', 'refresh'],
    answer: { status: 200, body: {} },
  },
  api: [
    {
      method: 'GET',
      url: 'https://api.calendly.com/users/me',
      answer: ({ account }) => ({
        status: 200,
        body: {
          resource: {
            uri: account.person.id,
            name: account.person.name,
            slug: account.person.name.toLowerCase().replace(' ', '-'),
            email: account.person.email,
            scheduling_url: 'https://calendly.com/acmesales',
            timezone: 'America/New_York',
            avatar_url: null,
            created_at: '2019-01-02T03:04:05.678123Z',
            updated_at: '2019-08-07T06:05:04.321123Z',
            current_organization: account.id,
          },
        },
      }),
    },
  ],
  unauthorized: { status: 401, body: { title: 'Unauthenticated', message: 'The access token is invalid' } },
  accounts: people(
    { account: `${api}/organizations/AAAAAAAAAAAAAAAA`, person: `${api}/users/AAAAAAAAAAAAAAAA` },
    { account: `${api}/organizations/BBBBBBBBBBBBBBBB`, person: `${api}/users/BBBBBBBBBBBBBBBB` },
  ),
})
