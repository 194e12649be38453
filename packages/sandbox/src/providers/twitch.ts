import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

/** Scopes come as a list. */
const answer = (issue: Issue): Answer => tokens(issue, { token_type: 'bearer', scope: issue.scopes })

const refusal = (status: number, error: string, message: string): Answer => ({
  status,
  body: { error, status, message },
})

export default expectation({
  provider: 'twitch',
  documents: [
    'https://dev.twitch.tv/docs/authentication/getting-tokens-oauth/#authorization-code-grant-flow',
    'https://dev.twitch.tv/docs/authentication/refresh-tokens/',
    'https://dev.twitch.tv/docs/authentication/revoke-tokens/',
    'https://dev.twitch.tv/docs/authentication/getting-tokens-oidc/',
  ],
  authorize: {
    url: 'https://id.twitch.tv/oauth2/authorize',
    query: { force_verify: 'optional', nonce: 'optional', claims: 'optional' },
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'ignored',
  },
  code: { url: 'https://id.twitch.tv/oauth2/token', client: 'body', body: 'form', answer },
  refresh: { url: 'https://id.twitch.tv/oauth2/token', client: 'body', body: 'form', rotates: false, answer },
  offline: 'always',
  // "expires_in": 14124
  lifetime: 14124,
  errors: {
    invalid_client: refusal(403, 'Forbidden', 'invalid client secret'),
    invalid_code: refusal(400, 'Bad Request', 'Invalid authorization code'),
    invalid_refresh_token: refusal(400, 'Bad Request', 'Invalid refresh token'),
  },
  revoke: {
    url: 'https://id.twitch.tv/oauth2/revoke',
    method: 'POST',
    client: 'id',
    body: 'form',
    param: 'token',
    accepts: ['access'],
    answer: { status: 200, body: undefined },
  },
  api: [
    {
      method: 'GET',
      url: 'https://id.twitch.tv/oauth2/userinfo',
      answer: ({ account, clientId, now }) => {
        const seconds = Math.floor(now.getTime() / 1000)
        return {
          status: 200,
          body: {
            aud: clientId,
            exp: seconds + 900,
            iat: seconds,
            iss: 'https://id.twitch.tv/oauth2',
            sub: account.person.id,
            preferred_username: account.person.email.split('@')[0],
          },
        }
      },
    },
  ],
  unauthorized: refusal(401, 'Unauthorized', 'Invalid OAuth token'),
  accounts: people({ account: '713936733' }, { account: '824047844' }),
})
