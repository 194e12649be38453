import { people } from '../answers.ts'
import { expectation } from '../expectation.ts'

export default expectation({
  provider: 'intercom',
  documents: [
    'https://developers.intercom.com/docs/build-an-integration/learn-more/authentication/setting-up-oauth',
    'https://developers.intercom.com/docs/references/rest-api/api.intercom.io/admins/identifyadmin',
  ],
  authorize: { url: 'https://app.intercom.com/oauth', responseType: false, pkce: 'ignored' },
  code: {
    url: 'https://api.intercom.io/auth/eagle/token',
    client: 'body',
    body: 'either',
    grantType: 'optional',
    redirectUri: 'optional',
    answer: issue => ({
      status: 200,
      body: { token_type: 'Bearer', token: issue.accessToken, access_token: issue.accessToken },
    }),
  },
  offline: 'never',
  lifetime: undefined,
  api: [
    {
      method: 'GET',
      url: 'https://api.intercom.io/me',
      answer: ({ account }) => ({
        status: 200,
        body: {
          type: 'admin',
          id: account.person.id,
          email: account.person.email,
          name: account.person.name,
          email_verified: true,
          app: {
            type: 'app',
            id_code: account.id,
            name: account.name,
            created_at: 1719492696,
            secure: false,
            identity_verification: false,
            timezone: 'America/Los_Angeles',
            region: 'US',
          },
          avatar: {
            type: 'avatar',
            image_url: 'https://static.intercomassets.com/assets/default-avatars/admins/128.png',
          },
          has_inbox_seat: true,
        },
      }),
    },
  ],
  unauthorized: {
    status: 401,
    body: {
      type: 'error.list',
      request_id: '2b7e1c9d-1f7f-4a55-9d0e-0f5c6f2c9a10',
      errors: [{ code: 'unauthorized', message: 'Access Token Invalid' }],
    },
  },
  accounts: people(
    { account: 'this_is_an_id1_that', person: '991267459' },
    { account: 'this_is_an_id2_that', person: '991267821' },
  ),
})
