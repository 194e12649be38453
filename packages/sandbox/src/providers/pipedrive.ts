import { people, tokens } from '../answers.ts'
import { type Answer, expectation, type Issue } from '../expectation.ts'

const answer = (issue: Issue): Answer =>
  tokens(issue, {
    token_type: 'bearer',
    scope: 'base contacts:read',
    api_domain: `https://${issue.account.name.toLowerCase()}.pipedrive.com`,
  })

export default expectation({
  provider: 'pipedrive',
  documents: [
    'https://pipedrive.readme.io/docs/marketplace-oauth-authorization',
    'https://developers.pipedrive.com/docs/api/v1/Oauth',
    'https://developers.pipedrive.com/docs/api/v1/Users#getCurrentUser',
  ],
  authorize: { url: 'https://oauth.pipedrive.com/oauth/authorize', responseType: false, pkce: 'ignored' },
  code: { url: 'https://oauth.pipedrive.com/oauth/token', client: 'basic', body: 'form', answer },
  refresh: {
    url: 'https://oauth.pipedrive.com/oauth/token',
    client: 'basic',
    body: 'form',
    rotates: false,
    idleSeconds: 5184000,
    answer,
  },
  offline: 'always',
  // "expires_in": 3599
  lifetime: 3599,
  revoke: {
    url: 'https://oauth.pipedrive.com/oauth/revoke',
    method: 'POST',
    client: 'basic',
    body: 'form',
    params: { token_type_hint: { oneOf: ['access_token', 'refresh_token'], optional: true } },
    param: 'token',
    accepts: ['access', 'refresh'],
    answer: { status: 200, body: undefined },
  },
  api: [
    {
      method: 'GET',
      url: 'https://{company}.pipedrive.com/api/v1/users/me',
      answer: ({ account }) => ({
        status: 200,
        body: {
          success: true,
          data: {
            id: Number(account.person.id),
            name: account.person.name,
            default_currency: 'EUR',
            locale: 'en_US',
            lang: 1,
            email: account.person.email,
            phone: null,
            activated: true,
            company_id: Number(account.id),
            company_name: account.name,
            company_domain: account.name.toLowerCase(),
            company_country: 'US',
            company_industry: null,
            language: { language_code: 'en', country_code: 'US' },
          },
        },
      }),
    },
  ],
  unauthorized: { status: 401, body: { success: false, error: 'unauthorized access', errorCode: 401 } },
  accounts: people({ account: '6112', person: '1428374' }, { account: '7223', person: '2539485' }),
})
