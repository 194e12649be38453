import { people, tokens } from '../answers.ts'
import { expectation } from '../expectation.ts'

export default expectation({
  provider: 'docusign',
  name: 'Docusign',
  documents: [
    'https://developers.docusign.com/platform/auth/confidential-authcode-get-token/',
    'https://developers.docusign.com/platform/auth/reference/scopes/',
    'https://developers.docusign.com/platform/auth/reference/user-info/',
  ],
  authorize: {
    url: 'https://account.docusign.com/oauth/auth',
    query: { prompt: 'optional', login_hint: 'optional', ui_locales: 'optional' },
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'supported',
  },
  code: {
    url: 'https://account.docusign.com/oauth/token',
    client: 'basic',
    body: 'form',
    redirectUri: 'optional',
    answer: tokens,
  },
  refresh: {
    url: 'https://account.docusign.com/oauth/token',
    client: 'basic',
    body: 'form',
    rotates: true,
    // 30 days
    idleSeconds: 2592000,
    answer: tokens,
  },
  offline: 'always',
  // "expires_in": 28800
  lifetime: 28800,
  api: [
    {
      method: 'GET',
      url: 'https://account.docusign.com/oauth/userinfo',
      answer: ({ account }) => {
        const [given_name, family_name] = account.person.name.split(' ')
        return {
          status: 200,
          body: {
            sub: account.person.id,
            name: account.person.name,
            given_name,
            family_name,
            created: '2015-08-13T22:03:03.45',
            email: account.person.email,
            accounts: [
              {
                account_id: account.id,
                is_default: true,
                account_name: account.name,
                base_uri: 'https://na1.docusign.net',
              },
            ],
          },
        }
      },
    },
  ],
  unauthorized: {
    status: 401,
    body: { error: 'internal_server_error', error_description: 'internal_server_error', reference_id: '00000000' },
  },
  accounts: people(
    { account: 'fe0b61a3-3b9b-4a5b-8d0e-6f7a8b9c0d1e', person: '564f7988-1a2b-4c3d-8e4f-5a6b7c8d9e0f' },
    { account: '0a1b2c3d-4e5f-4a6b-9c7d-8e9f0a1b2c3d', person: '6750809a-2b3c-4d5e-9f6a-7b8c9d0e1f2a' },
  ),
})
