import { people } from '../answers.ts'
import { expectation } from '../expectation.ts'

export default expectation({
  provider: 'wordpress-com',
  name: 'WordPress.com',
  documents: [
    'https://developer.wordpress.com/docs/api/oauth2/',
    'https://developer.wordpress.com/docs/api/1.1/get/me/',
  ],
  authorize: {
    url: 'https://public-api.wordpress.com/oauth2/authorize',
    query: { blog: 'optional' },
    scopes: { params: ['scope'], separators: [' '] },
    pkce: 'ignored',
  },
  code: {
    url: 'https://public-api.wordpress.com/oauth2/token',
    client: 'body',
    body: 'form',
    answer: ({ accessToken, account, scopes }) => {
      const global = scopes.includes('global')
      return {
        status: 200,
        body: {
          access_token: accessToken,
          token_type: 'bearer',
          blog_id: global ? '0' : account.id,
          blog_url: global ? '' : `https://${account.name.toLowerCase()}.wordpress.com`,
          scope: scopes.join(' '),
        },
      }
    },
  },
  offline: 'never',
  lifetime: undefined,
  errors: {
    invalid_code: { status: 400, body: { error: 'invalid_grant', error_description: 'Invalid authorization_code.' } },
  },
  api: [
    {
      method: 'GET',
      url: 'https://public-api.wordpress.com/rest/v1.1/me',
      answer: ({ account }) => ({
        status: 200,
        body: {
          ID: Number(account.person.id),
          display_name: account.person.name,
          username: account.person.email.split('@')[0],
          email: account.person.email,
          primary_blog: Number(account.id),
          language: 'en',
          verified: true,
          email_verified: true,
        },
      }),
    },
  ],
  unauthorized: { status: 401, body: { error: 'invalid_token', message: 'The OAuth2 token is invalid.' } },
  accounts: people({ account: '3584907', person: '5' }, { account: '4695018', person: '6' }),
})
