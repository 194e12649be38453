/** Notion's OAuth for public connections. The small API behind it is in `notion-api.ts`. */
import { randomUUID } from 'node:crypto'
import { type Answer, expectation, type Issue } from '../expectation.ts'
import { accounts, inWorkspace } from './notion-accounts.ts'
import { notionApi } from './notion-api.ts'
import { botId, person } from './notion-store.ts'

/** The error body that the reference prints for the OAuth endpoints: the RFC's code stands in `code`. */
const refusal = (status: number, code: string, message: string): Answer => ({
  status,
  body: { object: 'error', status, code, message, additional_data: {} },
})

const tokens = (issue: Issue): Answer => {
  const account = inWorkspace(issue.account)
  return {
    status: 200,
    body: {
      access_token: issue.accessToken,
      token_type: 'bearer',
      refresh_token: issue.refreshToken,
      bot_id: botId(issue.clientId, account),
      workspace_icon: `https://www.notion.so/images/${account.name.toLowerCase()}.png`,
      workspace_name: account.name,
      workspace_id: account.id,
      owner: { type: 'user', user: person(account) },
      duplicated_template_id: null,
      request_id: randomUUID(),
    },
  }
}

export default expectation({
  provider: 'notion',
  documents: [
    'https://developers.notion.com/guides/get-started/authorization',
    'https://developers.notion.com/reference/create-a-token',
    'https://developers.notion.com/reference/refresh-a-token',
    'https://developers.notion.com/reference/revoke-token',
    'https://developers.notion.com/reference/status-codes',
  ],
  authorize: {
    url: 'https://api.notion.com/v1/oauth/authorize',
    query: { owner: { is: 'user' } },
    pkce: 'ignored',
  },
  code: {
    url: 'https://api.notion.com/v1/oauth/token',
    client: 'basic',
    body: 'json',
    headers: { 'notion-version': 'optional' },
    params: { external_account: 'optional' },
    answer: tokens,
  },
  refresh: {
    url: 'https://api.notion.com/v1/oauth/token',
    client: 'basic',
    body: 'json',
    headers: { 'notion-version': 'optional' },
    rotates: true,
    answer: tokens,
  },
  offline: 'always',
  // The answer has no expires_in and the pages name no lifetime.
  lifetime: undefined,
  errors: {
    invalid_client: refusal(401, 'invalid_client', 'Client authentication failed.'),
    invalid_request: refusal(400, 'invalid_request', 'The request is missing a parameter or is malformed.'),
    invalid_code: refusal(400, 'invalid_grant', 'Invalid code.'),
    redirect_mismatch: refusal(400, 'invalid_grant', 'The redirect_uri does not match the authorization URL.'),
    invalid_refresh_token: refusal(400, 'invalid_grant', 'Invalid refresh token.'),
    unsupported_grant_type: refusal(400, 'unsupported_grant_type', 'The grant type is not supported.'),
  },
  prefix: { access: 'ntn_', refresh: 'nrt_', code: '03' },
  revoke: {
    url: 'https://api.notion.com/v1/oauth/revoke',
    method: 'POST',
    client: 'basic',
    body: 'json',
    param: 'token',
    accepts: ['access', 'refresh'],
    answer: { status: 200, body: { request_id: randomUUID() } },
  },
  api: notionApi.map(call => ({
    ...call,
    answer: request => call.answer({ ...request, account: inWorkspace(request.account) }),
  })),
  unauthorized: {
    status: 401,
    body: { object: 'error', status: 401, code: 'unauthorized', message: 'API token is invalid.' },
  },
  accounts,
})
