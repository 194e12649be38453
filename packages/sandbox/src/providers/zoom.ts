import { people, refusal, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer =>
  tokens(issue, { token_type: 'bearer', scope: 'user:read:user', api_url: 'https://api.zoom.us' })

export default expectation({
  provider: 'zoom',
  documents: [
    'https://developers.zoom.us/docs/integrations/oauth/',
    'https://developers.zoom.us/docs/api/users/#tag/users/GET/users/{userId}',
  ],
  authorize: { url: 'https://zoom.us/oauth/authorize', pkce: 'supported' },
  code: { url: 'https://zoom.us/oauth/token', client: 'basic', body: 'form', answer },
  refresh: {
    url: 'https://zoom.us/oauth/token',
    client: 'basic',
    body: 'form',
    rotates: true,
    idleSeconds: 7776000,
    answer,
  },
  offline: 'always',
  // One hour: "expires_in": 3599
  lifetime: 3599,
  errors: { invalid_refresh_token: refusal('invalid_grant', undefined, 401) },
  revoke: {
    url: 'https://zoom.us/oauth/revoke',
    method: 'POST',
    client: 'basic',
    body: 'form',
    param: 'token',
    accepts: ['access'],
    answer: { status: 200, body: { status: 'success' } },
  },
  api: [
    {
      method: 'GET',
      url: 'https://api.zoom.us/v2/users/me',
      answer: ({ account }) => {
        const [first_name, last_name] = account.person.name.split(' ')
        return {
          status: 200,
          body: {
            id: account.person.id,
            first_name,
            last_name,
            display_name: account.person.name,
            email: account.person.email,
            type: 2,
            account_id: account.id,
            company: account.name,
            status: 'active',
            timezone: 'Europe/London',
            verified: 1,
          },
        }
      },
    },
  ],
  unauthorized: { status: 401, body: { code: 124, message: 'Invalid access token.' } },
  accounts: people(
    { account: 'q6gBJVO5TzexKYTb_I2rpg', person: 'KDcuGIm1QgePTO8WbOqwIQ' },
    { account: 'r7hCKWP6UzfyLZUc_J3sqh', person: 'LEdvHJn2RhfQUP9XcPrxJR' },
  ),
})
