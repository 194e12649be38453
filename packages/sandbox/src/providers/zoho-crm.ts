import { people } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer => ({
  status: 200,
  body: {
    access_token: issue.accessToken,
    ...(issue.kind === 'code' ? { refresh_token: issue.refreshToken } : {}),
    scope: issue.scopes.join(' '),
    api_domain: 'https://www.zohoapis.com',
    token_type: 'Bearer',
    expires_in: issue.expiresIn,
  },
})

/** Errors are answered with HTTP 200. */
const refusal = (error: string): Answer => ({ status: 200, body: { error } })

export default expectation({
  provider: 'zoho-crm',
  name: 'Zoho CRM',
  documents: [
    'https://www.zoho.com/crm/developer/docs/api/v8/auth-request.html',
    'https://www.zoho.com/crm/developer/docs/api/v8/access-refresh.html',
    'https://www.zoho.com/crm/developer/docs/api/v8/refresh.html',
    'https://www.zoho.com/crm/developer/docs/api/v8/get-users.html',
  ],
  authorize: {
    url: 'https://accounts.zoho.com/oauth/v2/auth',
    query: {
      access_type: { oneOf: ['offline', 'online'], optional: true },
      prompt: { oneOf: ['consent'], optional: true },
    },
    scopes: { params: ['scope'], separators: [','], required: true },
    pkce: 'ignored',
    back: () => ({ location: 'us', 'accounts-server': 'https://accounts.zoho.com' }),
  },
  code: { url: 'https://accounts.zoho.com/oauth/v2/token', client: 'body', body: 'form', answer },
  refresh: {
    url: 'https://accounts.zoho.com/oauth/v2/token',
    client: 'body',
    body: 'form',
    rotates: false,
    answer,
  },
  offline: query => query.get('access_type') === 'offline',
  // "expires_in": 3600
  lifetime: 3600,
  errors: {
    invalid_client: refusal('invalid_client'),
    invalid_code: refusal('invalid_code'),
    invalid_refresh_token: refusal('invalid_code'),
    redirect_mismatch: refusal('invalid_redirect_uri'),
  },
  prefix: { access: '1000.', refresh: '1000.', code: '1000.' },
  credential: { header: 'authorization', prefix: 'Zoho-oauthtoken ' },
  api: [
    {
      method: 'GET',
      url: 'https://www.zohoapis.com/crm/v8/users',
      answer: ({ account, query }) => {
        if (query.get('type') !== 'CurrentUser') return { status: 400, body: { code: 'INVALID_DATA', status: 'error' } }
        const [first_name, last_name] = account.person.name.split(' ')
        return {
          status: 200,
          body: {
            users: [
              {
                id: account.person.id,
                full_name: account.person.name,
                first_name,
                last_name,
                email: account.person.email,
                country: 'US',
                status: 'active',
                confirm: true,
                role: { name: 'CEO', id: '4150868000000026005' },
                profile: { name: 'Administrator', id: '4150868000000026011' },
                zuid: '694579958',
              },
            ],
            info: { per_page: 200, count: 1, page: 1, more_records: false },
          },
        }
      },
    },
  ],
  unauthorized: {
    status: 401,
    body: { code: 'INVALID_TOKEN', details: {}, message: 'invalid oauth token', status: 'error' },
  },
  accounts: people({ account: '4150868000000225013' }, { account: '5261979000000336124' }),
})
