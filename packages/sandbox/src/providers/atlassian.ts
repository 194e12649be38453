import { people, refusal, tokens } from '../answers.ts'
import { expectation } from '../expectation.ts'

export default expectation({
  provider: 'atlassian',
  documents: [
    'https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/',
    'https://community.developer.atlassian.com/t/updated-31-january-2022-action-required-deprecating-persistent-refresh-tokens/54172',
  ],
  authorize: {
    url: 'https://auth.atlassian.com/authorize',
    query: { audience: { is: 'api.atlassian.com' }, prompt: { is: 'consent' } },
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'ignored',
  },
  code: { url: 'https://auth.atlassian.com/oauth/token', client: 'body', body: 'json', answer: tokens },
  refresh: {
    url: 'https://auth.atlassian.com/oauth/token',
    client: 'body',
    body: 'json',
    rotates: true,
    // "The leeway interval is 10 minutes", beyond which reuse "invalidates all refresh tokens".
    graceSeconds: 600,
    reuseRevokes: true,
    idleSeconds: 7776000,
    answer: tokens,
  },
  offline: (_query, scopes) => scopes.includes('offline_access'),
  lifetime: 3600,
  errors: {
    invalid_client: refusal('access_denied', 'Unauthorized', 401),
    invalid_refresh_token: refusal('invalid_grant', 'Unknown or invalid refresh token.', 403),
  },
  api: [
    {
      method: 'GET',
      url: 'https://api.atlassian.com/me',
      answer: ({ account, scopes }) =>
        scopes.includes('read:me')
          ? {
              status: 200,
              body: {
                account_type: 'atlassian',
                account_id: account.person.id,
                email: account.person.email,
                name: account.person.name,
                picture: 'https://avatar-management.example/initials.png',
                account_status: 'active',
                nickname: account.person.name,
                zoneinfo: 'Australia/Sydney',
                locale: 'en-US',
              },
            }
          : { status: 403, body: { code: 403, message: 'Forbidden' } },
    },
    {
      method: 'GET',
      url: 'https://api.atlassian.com/oauth/token/accessible-resources',
      answer: ({ account, scopes }) => ({
        status: 200,
        body: [
          {
            id: '1324a887-45db-1bf4-1e99-ef0ff456d421',
            name: account.name,
            url: `https://${account.name.toLowerCase()}.atlassian.net`,
            scopes,
            avatarUrl: 'https://site-admin-avatar-cdn.example/240/site.png',
          },
        ],
      }),
    },
  ],
  unauthorized: { status: 401, body: { code: 401, message: 'Unauthorized' } },
  accounts: people({ account: '112233aa-bb11-cc22-33dd-445566abcabc' }, { account: '5b10ac8d82e05b22cc7d4ef5' }),
})
