import { people, tokens } from '../answers.ts'
import { expectation } from '../expectation.ts'

export default expectation({
  provider: 'linear',
  documents: ['https://linear.app/developers/oauth-2-0-authentication', 'https://linear.app/developers/graphql'],
  authorize: {
    url: 'https://linear.app/oauth/authorize',
    query: { prompt: { oneOf: ['consent'], optional: true }, actor: { oneOf: ['user', 'app'], optional: true } },
    scopes: { params: ['scope'], separators: [','], required: true },
    pkce: 'supported',
  },
  code: { url: 'https://api.linear.app/oauth/token', client: 'body', body: 'form', answer: tokens },
  refresh: {
    url: 'https://api.linear.app/oauth/token',
    client: 'either',
    body: 'form',
    rotates: true,
    // "You can replay the original request to retrieve the new refresh token up to 30 minutes after"
    graceSeconds: 1800,
    answer: tokens,
  },
  offline: 'always',
  // "expires_in": 86399
  lifetime: 86399,
  revoke: {
    url: 'https://api.linear.app/oauth/revoke',
    method: 'POST',
    client: 'none',
    body: 'form',
    params: { token_type_hint: { oneOf: ['access_token', 'refresh_token'], optional: true } },
    param: 'token',
    accepts: ['access', 'refresh'],
    answer: { status: 200, body: {} },
  },
  api: [
    {
      method: 'POST',
      url: 'https://api.linear.app/graphql',
      answer: ({ account, body }) => {
        const query = typeof body === 'object' && body !== null && 'query' in body ? String(body.query) : ''
        if (!query.includes('viewer'))
          return { status: 400, body: { errors: [{ message: 'Cannot query this field' }] } }
        const { person } = account
        const organization = { id: account.id, name: account.name }
        return {
          status: 200,
          body: { data: { viewer: { id: person.id, name: person.name, email: person.email, organization } } },
        }
      },
    },
  ],
  unauthorized: {
    status: 401,
    body: {
      errors: [{ message: 'Authentication required, not authenticated', extensions: { code: 'AUTHENTICATION_ERROR' } }],
    },
  },
  accounts: people(
    { account: '5a1c0f0e-6f0b-4a5b-9d0c-8c3c7c0f3a11', person: '8d3e2b1a-7c6d-4e5f-8a9b-0c1d2e3f4a5b' },
    { account: '2f9d8c7b-6a5e-4d3c-8b2a-1f0e9d8c7b6a', person: '1b2c3d4e-5f60-4718-9a8b-7c6d5e4f3a2b' },
  ),
})
