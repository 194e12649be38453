import { type Answer, type Expect, expectation, type Issue } from '../expectation.ts'

// The help article prints 201, not 200, for both grants. 30 days: the default of a refresh token.
const answer = (issue: Issue): Answer => ({
  status: 201,
  body: {
    access_token: issue.accessToken,
    refresh_token: issue.refreshToken,
    token_type: 'bearer',
    scope: issue.scopes.join(' '),
    expires_in: issue.expiresIn,
    refresh_token_expires_in: 2592000,
  },
})

// The help article asks for `scope` again; in the API reference it is not mandatory, and the code already has the scopes.
const params: Record<string, Expect> = {
  scope: 'optional',
  expires_in: 'optional',
  refresh_token_expires_in: 'optional',
}

export default expectation({
  provider: 'zendesk',
  documents: [
    'https://support.zendesk.com/hc/en-us/articles/4408845965210-Using-OAuth-authentication-with-your-application',
    'https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/',
    'https://developer.zendesk.com/documentation/ticketing/working-with-oauth/oauth-pkce/',
    'https://support.zendesk.com/hc/en-us/articles/9182123625370',
    'https://support.zendesk.com/hc/en-us/articles/10212201463962-Announcing-the-required-expiration-of-global-OAuth-access-and-refresh-tokens',
    'https://developer.zendesk.com/documentation/api-basics/authentication/revoking-oauth-token',
    'https://developer.zendesk.com/api-reference/ticketing/users/users/#show-self',
  ],
  authorize: {
    url: 'https://{subdomain}.zendesk.com/oauth/authorizations/new',
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'supported',
  },
  code: {
    url: 'https://{subdomain}.zendesk.com/oauth/tokens',
    client: 'body',
    body: 'json',
    params,
    answer,
  },
  refresh: {
    url: 'https://{subdomain}.zendesk.com/oauth/tokens',
    client: 'body',
    body: 'json',
    params,
    redirectUri: 'ignored',
    rotates: true,
    // https://support.zendesk.com/hc/en-us/articles/9182123625370: it deletes "the previous access and refresh tokens"
    accessTokens: 1,
    // https://support.zendesk.com/hc/en-us/articles/10212201463962: 30 days by default
    idleSeconds: 2592000,
    answer,
  },
  offline: 'always',
  lifetime: 1800,
  revoke: {
    url: 'https://{subdomain}.zendesk.com/api/v2/oauth/tokens/current.json',
    method: 'DELETE',
    client: 'bearer',
    body: 'either',
    accepts: ['access'],
    answer: { status: 204, body: undefined },
  },
  api: [
    {
      method: 'GET',
      url: 'https://{subdomain}.zendesk.com/api/v2/users/me.json',
      answer: ({ account, host, now }) => {
        const { person } = account
        return {
          status: 200,
          body: {
            user: {
              id: Number(person.id),
              url: `https://${host}/api/v2/users/${person.id}.json`,
              name: person.name,
              email: person.email,
              created_at: '2009-07-20T22:55:29Z',
              updated_at: '2011-05-05T10:38:52Z',
              time_zone: 'Copenhagen',
              iana_time_zone: 'Europe/Copenhagen',
              phone: null,
              shared_phone_number: null,
              photo: null,
              locale_id: 1,
              locale: 'en-US',
              organization_id: 57542,
              role: 'admin',
              verified: true,
              external_id: null,
              tags: [],
              alias: '',
              active: true,
              shared: false,
              shared_agent: false,
              last_login_at: now.toISOString(),
              two_factor_auth_enabled: null,
              signature: '',
              details: '',
              notes: '',
              role_type: null,
              custom_role_id: null,
              moderator: true,
              ticket_restriction: null,
              only_private_comments: false,
              restricted_agent: false,
              suspended: false,
              default_group_id: 98738,
              report_csv: true,
              user_fields: {},
            },
          },
        }
      },
    },
  ],
  unauthorized: {
    status: 401,
    body: {
      error: 'invalid_token',
      error_description: 'The access token provided is expired, revoked, malformed or invalid for other reasons.',
    },
  },
  // The account has no id of its own here; what tells it apart is the subdomain.
  accounts: [
    { id: 'acme', name: 'Acme', person: { id: '35436', name: 'Ada Byron', email: 'ada@acme.example' } },
    { id: 'globex', name: 'Globex', person: { id: '35437', name: 'Grace Murray', email: 'grace@globex.example' } },
  ],
})
