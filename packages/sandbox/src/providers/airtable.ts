import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

// 60 minutes and 60 days.
const answer = (issue: Issue): Answer => tokens(issue, { token_type: 'Bearer', refresh_expires_in: 5184000 })

export default expectation({
  provider: 'airtable',
  documents: [
    'https://airtable.com/developers/web/api/oauth-reference',
    'https://airtable.com/developers/web/api/get-user-id-scopes',
  ],
  authorize: {
    url: 'https://airtable.com/oauth2/v1/authorize',
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'required',
  },
  code: { url: 'https://airtable.com/oauth2/v1/token', client: 'basic', body: 'form', answer },
  refresh: {
    url: 'https://airtable.com/oauth2/v1/token',
    client: 'basic',
    body: 'form',
    rotates: true,
    accessTokens: 1,
    idleSeconds: 5184000,
    answer,
  },
  offline: 'always',
  lifetime: 3600,
  prefix: { access: 'oaa', refresh: 'oar' },
  api: [
    {
      method: 'GET',
      url: 'https://api.airtable.com/v0/meta/whoami',
      answer: ({ account, scopes }) => ({
        status: 200,
        body: {
          id: account.person.id,
          scopes,
          ...(scopes.includes('user.email:read') ? { email: account.person.email } : {}),
        },
      }),
    },
  ],
  unauthorized: {
    status: 401,
    body: { error: { type: 'AUTHENTICATION_REQUIRED', message: 'Authentication required' } },
  },
  accounts: people({ account: 'usrAdaL0velace001' }, { account: 'usrGraceH0pper002' }),
})
