import { people } from '../answers.ts'
import { expectation } from '../expectation.ts'

export default expectation({
  provider: 'monday',
  name: 'monday.com',
  documents: [
    'https://developer.monday.com/apps/docs/oauth',
    'https://developer.monday.com/api-reference/docs/authentication',
    'https://developer.monday.com/api-reference/reference/me',
  ],
  authorize: {
    url: 'https://auth.monday.com/oauth2/authorize',
    query: { subdomain: 'optional', app_version_id: 'optional', force_install_if_needed: 'optional' },
    responseType: false,
    scopes: { params: ['scope'], separators: [' '] },
    pkce: 'ignored',
  },
  code: {
    url: 'https://auth.monday.com/oauth2/token',
    client: 'body',
    body: 'either',
    grantType: 'optional',
    redirectUri: 'optional',
    answer: issue => ({
      status: 200,
      body: { access_token: issue.accessToken, token_type: 'Bearer', scope: issue.scopes.join(' ') },
    }),
  },
  offline: 'never',
  lifetime: undefined,
  credential: { header: 'authorization', prefix: '' },
  api: [
    {
      method: 'POST',
      url: 'https://api.monday.com/v2',
      answer: ({ account, body, scopes }) => {
        const query = typeof body === 'object' && body !== null && 'query' in body ? String(body.query) : ''
        if (!query.includes('me {') || !scopes.includes('me:read'))
          return { status: 200, body: { errors: [{ message: 'Unauthorized field or type' }] } }
        const { person } = account
        const me = { id: person.id, name: person.name, email: person.email }
        return { status: 200, body: { data: { me: { ...me, account: { id: account.id, name: account.name } } } } }
      },
    },
  ],
  unauthorized: { status: 401, body: { errors: ['Not Authenticated'] } },
  accounts: people({ account: '1888528', person: '4012689' }, { account: '2999631', person: '5123790' }),
})
