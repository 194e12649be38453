import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

// 90 days.
const answer = (issue: Issue): Answer => tokens(issue, { refresh_token_expires_in: 7776000 })

export default expectation({
  provider: 'webex',
  documents: [
    'https://developer.webex.com/docs/integrations',
    'https://developer.webex.com/docs/api/v1/people/get-my-own-details',
  ],
  authorize: {
    url: 'https://webexapis.com/v1/authorize',
    query: { login_hint: 'optional', prompt: 'optional' },
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'supported',
  },
  code: { url: 'https://webexapis.com/v1/access_token', client: 'body', body: 'form', answer },
  refresh: {
    url: 'https://webexapis.com/v1/access_token',
    client: 'body',
    body: 'form',
    rotates: false,
    idleSeconds: 7776000,
    answer,
  },
  offline: 'always',
  // 14 days: "expires_in": 1209600
  lifetime: 1209600,
  api: [
    {
      method: 'GET',
      url: 'https://webexapis.com/v1/people/me',
      answer: ({ account }) => {
        const [firstName, lastName] = account.person.name.split(' ')
        return {
          status: 200,
          body: {
            id: account.person.id,
            emails: [account.person.email],
            phoneNumbers: [],
            displayName: account.person.name,
            nickName: firstName,
            firstName,
            lastName,
            orgId: account.id,
            created: '2015-10-18T14:26:16.000Z',
            lastModified: '2015-10-18T14:26:16.000Z',
            status: 'active',
            type: 'person',
          },
        }
      },
    },
  ],
  unauthorized: {
    status: 401,
    body: {
      message: 'The request requires a valid access token set in the Authorization request header.',
      errors: [{ description: 'The request requires a valid access token set in the Authorization request header.' }],
      trackingId: 'ROUTER_0',
    },
  },
  accounts: people(
    { account: 'Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi8x', person: 'Y2lzY29zcGFyazovL3VzL1BFT1BMRS8x' },
    { account: 'Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi8y', person: 'Y2lzY29zcGFyazovL3VzL1BFT1BMRS8y' },
  ),
})
