import { people, refusal, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer =>
  tokens(issue, {
    token_type: 'Bearer',
    created_at: Math.floor(issue.now.getTime() / 1000),
    direct_buy_tokens: {},
  })

export default expectation({
  provider: 'freshbooks',
  name: 'FreshBooks',
  documents: [
    'https://www.freshbooks.com/api/authentication',
    'https://www.freshbooks.com/api/get-authenticated-on-the-freshbooks-api',
    'https://www.freshbooks.com/api/me_endpoint',
  ],
  authorize: {
    url: 'https://auth.freshbooks.com/oauth/authorize',
    scopes: { params: ['scope'], separators: [' '] },
    pkce: 'ignored',
  },
  code: { url: 'https://api.freshbooks.com/auth/oauth/token', client: 'body', body: 'either', answer },
  refresh: {
    url: 'https://api.freshbooks.com/auth/oauth/token',
    client: 'body',
    body: 'either',
    redirectUri: 'optional',
    rotates: true,
    answer,
  },
  offline: 'always',
  // "a token that lasts for 12 hours"
  lifetime: 43200,
  errors: { invalid_refresh_token: refusal('invalid_grant', 'The provided authorization grant is invalid', 401) },
  revoke: {
    url: 'https://api.freshbooks.com/auth/oauth/revoke',
    method: 'POST',
    client: 'body',
    body: 'either',
    param: 'token',
    accepts: ['access', 'refresh'],
    answer: { status: 200, body: {} },
  },
  api: [
    {
      method: 'GET',
      url: 'https://api.freshbooks.com/auth/api/v1/users/me',
      answer: ({ account }) => {
        const [first_name, last_name] = account.person.name.split(' ')
        return {
          status: 200,
          body: {
            response: {
              id: Number(account.person.id),
              identity_id: Number(account.person.id),
              identity_uuid: '8b2d5f3c-5f0f-4b8f-9f5c-5b5c7cbe1a11',
              first_name,
              last_name,
              email: account.person.email,
              language: 'en',
              confirmed_at: '2020-01-01T00:00:00Z',
              created_at: '2020-01-01T00:00:00Z',
              business_memberships: [
                {
                  id: 168372,
                  role: 'owner',
                  business: { id: 77128, name: account.name, account_id: account.id },
                },
              ],
              roles: [{ id: 682349, role: 'admin', accountid: account.id }],
            },
          },
        }
      },
    },
  ],
  unauthorized: {
    status: 401,
    body: { error: 'unauthenticated', error_description: 'This action requires authentication to continue.' },
  },
  accounts: people({ account: 'zDmNq', person: '712052' }, { account: 'Xr3KbL', person: '834467' }),
})
