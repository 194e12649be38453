import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer => tokens(issue, { token_type: 'bearer' })

export default expectation({
  provider: 'typeform',
  documents: [
    'https://www.typeform.com/developers/get-started/applications/',
    'https://www.typeform.com/developers/get-started/scopes/',
    'https://www.typeform.com/developers/create/reference/retrieve-your-own-account/',
  ],
  authorize: {
    url: 'https://api.typeform.com/oauth/authorize',
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'ignored',
  },
  code: { url: 'https://api.typeform.com/oauth/token', client: 'body', body: 'form', answer },
  refresh: {
    url: 'https://api.typeform.com/oauth/token',
    client: 'body',
    body: 'form',
    params: { scope: 'optional' },
    rotates: true,
    answer,
  },
  offline: (_query, scopes) => scopes.includes('offline'),
  // One week.
  lifetime: 604800,
  prefix: { access: 'tfa_', refresh: 'tfr_' },
  api: [
    {
      method: 'GET',
      url: 'https://api.typeform.com/me',
      answer: ({ account, scopes }) =>
        scopes.includes('accounts:read')
          ? {
              status: 200,
              body: {
                alias: account.person.name,
                email: account.person.email,
                language: 'en',
                user_id: account.person.id,
              },
            }
          : { status: 403, body: { code: 'FORBIDDEN', description: 'Not allowed to access this resource' } },
    },
  ],
  unauthorized: {
    status: 401,
    body: { code: 'AUTHENTICATION_FAILED', description: 'Authentication credentials not found' },
  },
  accounts: people({ account: '01HB3ADA0000000000000001' }, { account: '01HB3GRACE00000000000002' }),
})
