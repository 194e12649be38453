import { people, tokens } from '../answers.ts'
import { type Account, type Answer, expectation, type Issue } from '../expectation.ts'

const user = ({ person }: Account) => ({
  id: Number(person.id),
  gid: person.id,
  name: person.name,
  email: person.email,
})

const answer = (issue: Issue): Answer =>
  tokens(issue, {
    token_type: 'bearer',
    scope: undefined,
    refresh_token: issue.kind === 'code' ? issue.refreshToken : undefined,
    data: user(issue.account),
  })

export default expectation({
  provider: 'asana',
  documents: ['https://developers.asana.com/docs/oauth', 'https://developers.asana.com/reference/getuser'],
  authorize: {
    url: 'https://app.asana.com/-/oauth_authorize',
    scopes: { params: ['scope'], separators: [' '] },
    pkce: 'supported',
  },
  code: { url: 'https://app.asana.com/-/oauth_token', client: 'body', body: 'form', answer },
  refresh: {
    url: 'https://app.asana.com/-/oauth_token',
    client: 'body',
    body: 'form',
    redirectUri: 'optional',
    rotates: false,
    answer,
  },
  offline: 'always',
  lifetime: 3600,
  revoke: {
    url: 'https://app.asana.com/-/oauth_revoke',
    method: 'POST',
    client: 'body',
    body: 'form',
    param: 'token',
    // "The refresh token that should be deauthorized. Bearer tokens will be rejected."
    accepts: ['refresh'],
    answer: { status: 200, body: {} },
  },
  api: [
    {
      method: 'GET',
      url: 'https://app.asana.com/api/1.0/users/me',
      answer: ({ account }) => ({
        status: 200,
        body: {
          data: {
            gid: account.person.id,
            resource_type: 'user',
            name: account.person.name,
            email: account.person.email,
            photo: null,
            workspaces: [{ gid: `9${account.id}`, resource_type: 'workspace', name: account.name }],
          },
        },
      }),
    },
  ],
  unauthorized: { status: 401, body: { errors: [{ message: 'Not Authorized' }] } },
  accounts: people({ account: '4673218951' }, { account: '7392140586' }),
})
