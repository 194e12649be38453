/**
 * HubSpot's OAuth of version 2026-03. The answer's keys are those of the schema AccessTokenResponse on the token page;
 * id_token is left out, which comes only with OpenID Connect.
 */
import { randomUUID } from 'node:crypto'
import { type Answer, expectation, type Issue } from '../expectation.ts'

/** https://developers.hubspot.com/changelog/new-oauth-v3-api-endpoints-and-standardized-error-responses */
const refusal = (error: string, status: string, message: string): Answer => ({
  status: error === 'invalid_client' ? 401 : 400,
  body: { error, error_description: message, status, message },
})

const tokens = (issue: Issue): Answer => ({
  status: 200,
  body: {
    token_use: 'access_token',
    token_type: 'bearer',
    refresh_token: issue.refreshToken,
    access_token: issue.accessToken,
    expires_in: issue.expiresIn,
    hub_id: Number(issue.account.id),
    scopes: [...issue.scopes],
    user_id: Number(issue.account.person.id),
  },
})

export default expectation({
  provider: 'hubspot',
  name: 'HubSpot',
  documents: [
    'https://developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens',
    'https://developers.hubspot.com/docs/api-reference/2026-03/authentication/oauth-tokens/refresh-oauth-token',
    'https://developers.hubspot.com/docs/api-reference/latest/authentication/oauth-tokens/revoke-token',
    'https://developers.hubspot.com/changelog/new-oauth-v3-api-endpoints-and-standardized-error-responses',
  ],
  authorize: {
    url: 'https://app.hubspot.com/oauth/authorize',
    // The guide's install URL has client_id, scope and redirect_uri, and perhaps optional_scope and state.
    query: { optional_scope: 'optional' },
    responseType: false,
    scopes: { params: ['scope'], separators: [' '], required: true },
    pkce: 'supported',
  },
  code: {
    url: 'https://api.hubapi.com/oauth/2026-03/token',
    client: 'body',
    body: 'form',
    params: { scope: 'optional' },
    answer: tokens,
  },
  refresh: {
    url: 'https://api.hubapi.com/oauth/2026-03/token',
    client: 'body',
    body: 'form',
    params: { scope: 'optional', redirect_uri: 'optional' },
    rotates: false,
    answer: tokens,
  },
  offline: 'always',
  lifetime: 1800,
  errors: {
    invalid_client: refusal('invalid_client', 'BAD_CLIENT_SECRET', 'missing or invalid client secret'),
    invalid_request: refusal('invalid_request', 'BAD_REQUEST', 'missing or invalid parameter'),
    invalid_code: refusal('invalid_grant', 'BAD_AUTH_CODE', 'missing or unknown auth code'),
    redirect_mismatch: refusal(
      'invalid_grant',
      'MISMATCH_REDIRECT_URI_AUTH_CODE',
      'redirect uri does not match initial auth code URI',
    ),
    bad_verifier: refusal('invalid_grant', 'BAD_CODE_VERIFIER', 'code verifier does not match the code challenge'),
    invalid_refresh_token: refusal(
      'invalid_grant',
      'BAD_REFRESH_TOKEN',
      'refresh token is invalid, expired or revoked',
    ),
    unsupported_grant_type: refusal('unsupported_grant_type', 'BAD_GRANT_TYPE', 'missing or unknown grant type'),
  },
  prefix: { access: 'CN', refresh: 'na1-' },
  revoke: {
    url: 'https://api.hubapi.com/oauth/2026-03/token/revoke',
    method: 'POST',
    client: 'body',
    body: 'form',
    param: 'token',
    accepts: ['refresh'],
    // The page prints no answer of success; RFC 7009 §2.2 has 200.
    answer: { status: 200, body: undefined },
  },
  api: [
    {
      method: 'GET',
      // https://developers.hubspot.com/docs/api-reference/account-account-info-v3/details/get-account-info-v3-details
      url: 'https://api.hubapi.com/account-info/v3/details',
      answer: ({ account }) => ({
        status: 200,
        body: {
          portalId: Number(account.id),
          accountType: 'STANDARD',
          timeZone: 'US/Eastern',
          companyCurrency: 'USD',
          additionalCurrencies: [],
          utcOffset: '-05:00',
          utcOffsetMilliseconds: -18000000,
          uiDomain: 'app.hubspot.com',
          dataHostingLocation: 'na1',
        },
      }),
    },
  ],
  unplayed: 'https://api.hubapi.com',
  unauthorized: {
    status: 401,
    body: {
      status: 'error',
      message: 'Authentication credentials not found. This API supports OAuth 2.0 authentication.',
      correlationId: randomUUID(),
      category: 'INVALID_AUTHENTICATION',
    },
  },
  accounts: [
    { id: '62515', name: 'Acme', person: { id: '123456', name: 'Ada Lovelace', email: 'ada@acme.example' } },
    { id: '71320', name: 'Globex', person: { id: '234567', name: 'Grace Hopper', email: 'grace@globex.example' } },
  ],
})
