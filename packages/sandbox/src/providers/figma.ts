import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const first = (issue: Issue): Answer =>
  tokens(issue, { token_type: 'bearer', scope: undefined, user_id_string: issue.account.person.id })

/** A refresh answers these three alone. */
const later = (issue: Issue): Answer => ({
  status: 200,
  body: { access_token: issue.accessToken, token_type: 'bearer', expires_in: issue.expiresIn },
})

export default expectation({
  provider: 'figma',
  documents: [
    'https://developers.figma.com/docs/rest-api/authentication/',
    'https://developers.figma.com/docs/rest-api/users-endpoints/',
  ],
  authorize: {
    url: 'https://www.figma.com/oauth',
    scopes: { params: ['scope'], separators: [' ', ','], required: true },
    pkce: 'supported',
  },
  code: { url: 'https://api.figma.com/v1/oauth/token', client: 'basic', body: 'form', answer: first },
  refresh: {
    url: 'https://api.figma.com/v1/oauth/refresh',
    client: 'basic',
    body: 'form',
    grantType: 'optional',
    rotates: false,
    answer: later,
  },
  offline: 'always',
  // 90 days
  lifetime: 7776000,
  prefix: { access: 'figu_', refresh: 'figur_' },
  api: [
    {
      method: 'GET',
      url: 'https://api.figma.com/v1/me',
      answer: ({ account }) => ({
        status: 200,
        body: {
          id: account.person.id,
          email: account.person.email,
          handle: account.person.name,
          img_url: 'https://www.gravatar.com/avatar/0',
        },
      }),
    },
  ],
  unauthorized: { status: 403, body: { status: 403, err: 'Invalid token' } },
  accounts: people({ account: '1029384756102938475' }, { account: '5647382910564738291' }),
})
