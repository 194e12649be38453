import { people } from '../answers.ts'
import { expectation } from '../expectation.ts'

export default expectation({
  provider: 'clickup',
  name: 'ClickUp',
  documents: [
    'https://developer.clickup.com/docs/authentication',
    'https://developer.clickup.com/reference/getaccesstoken',
    'https://developer.clickup.com/reference/getauthorizeduser',
  ],
  authorize: { url: 'https://app.clickup.com/api', responseType: false, pkce: 'ignored' },
  code: {
    url: 'https://api.clickup.com/api/v2/oauth/token',
    client: 'body',
    body: 'json',
    grantType: 'optional',
    redirectUri: 'ignored',
    answer: issue => ({ status: 200, body: { access_token: issue.accessToken } }),
  },
  offline: 'never',
  lifetime: undefined,
  api: [
    {
      method: 'GET',
      url: 'https://api.clickup.com/api/v2/user',
      answer: ({ account }) => ({
        status: 200,
        body: {
          user: {
            id: Number(account.person.id),
            username: account.person.name,
            email: account.person.email,
            color: '#7b68ee',
            profilePicture: null,
            initials: account.person.name.replace(/[^A-Z]/g, ''),
          },
        },
      }),
    },
  ],
  unauthorized: { status: 401, body: { err: 'Token invalid', ECODE: 'OAUTH_025' } },
  accounts: people({ account: '183' }, { account: '812' }),
})
