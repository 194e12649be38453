/** LinkedIn for a partner that may refresh. */
import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer =>
  tokens(issue, { token_type: undefined, refresh_token_expires_in: 31536000, scope: issue.scopes.join(',') })

export default expectation({
  provider: 'linkedin',
  name: 'LinkedIn',
  documents: [
    'https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow',
    'https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens',
    'https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2',
  ],
  authorize: {
    url: 'https://www.linkedin.com/oauth/v2/authorization',
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'refused',
  },
  code: { url: 'https://www.linkedin.com/oauth/v2/accessToken', client: 'body', body: 'form', answer },
  refresh: {
    url: 'https://www.linkedin.com/oauth/v2/accessToken',
    client: 'body',
    body: 'form',
    rotates: false,
    answer,
  },
  offline: 'always',
  // 60 days
  lifetime: 5184000,
  api: [
    {
      method: 'GET',
      url: 'https://api.linkedin.com/v2/userinfo',
      answer: ({ account }) => {
        const [given_name, family_name] = account.person.name.split(' ')
        return {
          status: 200,
          body: {
            sub: account.person.id,
            name: account.person.name,
            given_name,
            family_name,
            picture: 'https://media.licdn-ei.com/dms/image/example',
            locale: 'en-US',
            email: account.person.email,
            email_verified: true,
          },
        }
      },
    },
  ],
  unauthorized: {
    status: 401,
    body: { status: 401, serviceErrorCode: 65600, code: 'INVALID_ACCESS_TOKEN', message: 'Invalid access token' },
  },
  accounts: people({ account: '782bbtaQ4F' }, { account: '893ccubR5G' }),
})
