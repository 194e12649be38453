import { people } from '../answers.ts'
import { expectation } from '../expectation.ts'

export default expectation({
  provider: 'eventbrite',
  documents: [
    'https://www.eventbrite.com/platform/api#/introduction/authentication',
    'https://www.eventbrite.com/platform/api#/reference/user/retrieve-your-user',
  ],
  authorize: { url: 'https://www.eventbrite.com/oauth/authorize', pkce: 'ignored' },
  code: {
    url: 'https://www.eventbrite.com/oauth/token',
    client: 'body',
    body: 'form',
    redirectUri: 'optional',
    answer: issue => ({ status: 200, body: { access_token: issue.accessToken, token_type: 'bearer' } }),
  },
  offline: 'never',
  lifetime: undefined,
  api: [
    {
      method: 'GET',
      url: 'https://www.eventbriteapi.com/v3/users/me/',
      answer: ({ account }) => {
        const [first_name, last_name] = account.person.name.split(' ')
        return {
          status: 200,
          body: {
            id: account.person.id,
            name: account.person.name,
            first_name,
            last_name,
            emails: [{ email: account.person.email, verified: true, primary: true }],
            is_public: false,
            image_id: null,
          },
        }
      },
    },
  ],
  unauthorized: {
    status: 401,
    body: { status_code: 401, error: 'INVALID_AUTH', error_description: 'The OAuth token you provided was invalid.' },
  },
  accounts: people({ account: '12345678901' }, { account: '23456789012' }),
})
