/** Trello's OAuth 1.0a: temporary credentials, approval by a member, signed calls. Its other way puts the token in a fragment. */
import { type Account, expectation1 } from '../expectation.ts'

const accounts: readonly Account[] = [
  {
    id: '5f1c0a9d2b3e4f5061728394',
    name: 'Ada Lovelace',
    person: { id: '5f1c0a9d2b3e4f5061728394', name: 'adalovelace', email: 'ada@acme.example' },
  },
  {
    id: '60a7b8c9d0e1f20314253647',
    name: 'Grace Hopper',
    person: { id: '60a7b8c9d0e1f20314253647', name: 'gracehopper', email: 'grace@globex.example' },
  },
]

export default expectation1({
  provider: 'trello',
  documents: [
    'https://developer.atlassian.com/cloud/trello/guides/rest-api/authorization/#using-basic-oauth',
    'https://developer.atlassian.com/cloud/trello/rest/api-group-members/#api-members-id-get',
    'https://www.rfc-editor.org/rfc/rfc5849',
  ],
  // The page names neither the method nor another way to sign; its example sends POST and signs by HMAC-SHA1.
  methods: ['POST'],
  signatures: ['HMAC-SHA1'],
  temporary: { url: 'https://trello.com/1/OAuthGetRequestToken' },
  authorize: {
    url: 'https://trello.com/1/OAuthAuthorizeToken',
    query: {
      name: 'optional',
      expiration: { oneOf: ['1hour', '1day', '30days', 'never'], optional: true },
    },
    scopes: { params: ['scope'], separators: [','], known: ['read', 'write', 'account'] },
  },
  // The page does not say how a refusal comes back: this is the code of OAuth's own extension for it.
  declined: token => ({ oauth_token: token, oauth_problem: 'user_refused' }),
  token: { url: 'https://trello.com/1/OAuthGetAccessToken' },
  api: [
    {
      method: 'GET',
      url: 'https://api.trello.com/1/members/me',
      answer: ({ account }) => ({
        status: 200,
        body: {
          id: account.id,
          username: account.person.name,
          fullName: account.name,
          url: `https://trello.com/u/${account.person.name}`,
          memberType: 'normal',
        },
      }),
    },
    {
      method: 'GET',
      url: 'https://api.trello.com/1/members/me/boards',
      answer: ({ query }) => ({
        status: 200,
        body: [{ id: '65a1b2c3d4e5f60718293a4b', name: 'Roadmap', closed: query.get('filter') === 'closed' }],
      }),
    },
  ],
  unauthorized: { status: 401, body: 'invalid token' },
  accounts,
})
