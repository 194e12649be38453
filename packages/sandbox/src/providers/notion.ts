/** Notion's OAuth for public connections. The small API behind it is in `notion-api.ts`. */
import { randomUUID } from 'node:crypto'
import { type Account, type Answer, expectation, type Issue } from '../expectation.ts'
import { botId, notionApi, person } from './notion-api.ts'

/** The error body that the reference prints for the OAuth endpoints: the RFC's code stands in `code`. */
const refusal = (status: number, code: string, message: string): Answer => ({
  status,
  body: { object: 'error', status, code, message, additional_data: {} },
})

/** The account as Notion knows it: what follows a slash in its id tells two people of one workspace apart, here only. */
const inWorkspace = (account: Account): Account => ({ ...account, id: account.id.split('/')[0] ?? account.id })

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
  accounts: [
    {
      id: '6f1f2a54-51b6-4f0b-9d1c-8a9b2f1d7e11',
      name: 'Acme',
      person: { id: '0a1b2c3d-9c2e-4b1a-8f57-3d2e1c0b9a88', name: 'Ada Lovelace', email: 'ada@acme.example' },
    },
    {
      id: 'c2d9e8f7-3a4b-4c5d-8e6f-7a8b9c0d1e22',
      name: 'Globex',
      person: { id: '9e8d7c6b-5a4f-4e3d-a2c1-b0a9f8e7d6c5', name: 'Grace Hopper', email: 'grace@globex.example' },
    },
    {
      id: '6f1f2a54-51b6-4f0b-9d1c-8a9b2f1d7e11/charles',
      name: 'Acme',
      person: { id: '5d4c3b2a-1f0e-4d9c-8b7a-6f5e4d3c2b1a', name: 'Charles Babbage', email: 'charles@acme.example' },
    },
  ],
})
