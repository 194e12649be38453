import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer => tokens(issue, issue.kind === 'refresh' ? { refresh_token: undefined } : {})

export default expectation({
  provider: 'spotify',
  documents: [
    'https://developer.spotify.com/documentation/web-api/tutorials/code-flow',
    'https://developer.spotify.com/documentation/web-api/tutorials/code-pkce-flow',
    'https://developer.spotify.com/documentation/web-api/tutorials/refreshing-tokens',
    'https://developer.spotify.com/blog/2026-06-18-refresh-token-expiration',
    'https://developer.spotify.com/documentation/web-api/reference/get-current-users-profile',
  ],
  authorize: {
    url: 'https://accounts.spotify.com/authorize',
    query: { show_dialog: { oneOf: ['true', 'false'], optional: true } },
    scopes: { params: ['scope'], separators: [' '] },
    pkce: 'supported',
  },
  code: { url: 'https://accounts.spotify.com/api/token', client: 'basic', body: 'form', answer },
  refresh: { url: 'https://accounts.spotify.com/api/token', client: 'basic', body: 'form', rotates: false, answer },
  offline: 'always',
  // "expires_in": 3600
  lifetime: 3600,
  api: [
    {
      method: 'GET',
      url: 'https://api.spotify.com/v1/me',
      answer: ({ account, scopes }) => ({
        status: 200,
        body: {
          display_name: account.person.name,
          external_urls: { spotify: `https://open.spotify.com/user/${account.person.id}` },
          followers: { href: null, total: 0 },
          href: `https://api.spotify.com/v1/users/${account.person.id}`,
          id: account.person.id,
          images: [],
          type: 'user',
          uri: `spotify:user:${account.person.id}`,
          ...(scopes.includes('user-read-email') ? { email: account.person.email } : {}),
        },
      }),
    },
  ],
  unauthorized: { status: 401, body: { error: { status: 401, message: 'The access token expired' } } },
  accounts: people({ account: 'smedjan' }, { account: 'wizzler' }),
})
