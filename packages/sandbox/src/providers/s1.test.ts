/**
 * The keys of the answers of six providers against lists typed from their documentation, so that a typo in an
 * expectation does not go unseen; and the small Notion API.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Account, Answer, ApiRequest, Expectation, Issue, Refusal } from '../expectation.ts'
import github from './github.ts'
import googleDrive from './google-drive.ts'
import hubspot from './hubspot.ts'
import notion from './notion.ts'
import salesforce from './salesforce.ts'
import slack from './slack.ts'

const now = new Date('2026-11-21T10:20:30Z')

const issue = (
  expected: Expectation,
  kind: Issue['kind'],
  scopes: string[],
  refreshToken = true,
  scopesIn = ['scope'],
): Issue => {
  const account = expected.accounts[0]
  assert.ok(account)
  return {
    accessToken: 'the-access-token',
    ...(refreshToken ? { refreshToken: 'the-refresh-token' } : {}),
    scopes,
    scopesIn,
    expiresIn: expected.lifetime,
    account,
    host: 'host.example',
    clientId: 'client-1',
    now,
    kind,
  }
}

const bodyOf = (answer: Answer | undefined): Record<string, unknown> => {
  assert.equal(answer?.status, 200)
  assert.ok(typeof answer.body === 'object' && answer.body !== null)
  return { ...answer.body }
}

/** Keys of the answer as it goes over the wire, those of nested objects dotted. */
const keys = (value: object, prefix = ''): string[] =>
  Object.entries(JSON.parse(JSON.stringify(value)) as Record<string, unknown>)
    .flatMap(([key, inner]) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? keys(inner, `${prefix}${key}.`)
        : [prefix + key],
    )
    .sort()

const code = (expected: Expectation, scopes: string[], refreshToken = true, scopesIn = ['scope']) =>
  bodyOf(expected.code.answer(issue(expected, 'code', scopes, refreshToken, scopesIn)))
const refresh = (expected: Expectation, scopes: string[], scopesIn = ['scope']) =>
  bodyOf(expected.refresh?.answer(issue(expected, 'refresh', scopes, true, scopesIn)))

const sameKeys = (body: object, documented: string[]) => assert.deepEqual(keys(body), documented.sort())

test('Notion prints these keys', () => {
  // https://developers.notion.com/reference/create-a-token and …/refresh-a-token
  const documented = () => [
    'access_token',
    'token_type',
    'refresh_token',
    'bot_id',
    'workspace_icon',
    'workspace_name',
    'workspace_id',
    'owner.type',
    'owner.user.type',
    'owner.user.person.email',
    'owner.user.name',
    'owner.user.avatar_url',
    'owner.user.id',
    'owner.user.object',
    'duplicated_template_id',
    'request_id',
  ]
  sameKeys(code(notion, []), documented())
  sameKeys(refresh(notion, []), documented())
  assert.equal(code(notion, [])['bot_id'], refresh(notion, [])['bot_id'])
})

test('HubSpot prints these keys', () => {
  // https://developers.hubspot.com/docs/api-reference/2026-03/authentication/oauth-tokens/refresh-oauth-token
  const documented = () => [
    'token_use',
    'token_type',
    'refresh_token',
    'access_token',
    'expires_in',
    'hub_id',
    'scopes',
    'user_id',
  ]
  sameKeys(code(hubspot, ['oauth']), documented())
  sameKeys(refresh(hubspot, ['oauth']), documented())
  assert.deepEqual(code(hubspot, ['oauth', 'crm.objects.contacts.read'])['scopes'], [
    'oauth',
    'crm.objects.contacts.read',
  ])
  assert.equal(typeof code(hubspot, ['oauth'])['hub_id'], 'number')
})

test('Salesforce prints these keys, no expires_in among them', () => {
  // https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm
  const documented = ['access_token', 'signature', 'scope', 'instance_url', 'id', 'token_type', 'issued_at']
  sameKeys(code(salesforce, ['api', 'refresh_token']), ['refresh_token', ...documented])
  sameKeys(code(salesforce, ['api'], false), [...documented])
  // https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_refresh_token_flow.htm
  sameKeys(refresh(salesforce, ['api', 'refresh_token']), [...documented])
  assert.equal(code(salesforce, ['api'])['scope'], 'api')
  assert.ok(typeof salesforce.offline === 'function')
  assert.equal(salesforce.offline(new URLSearchParams(), ['api']), false)
  assert.equal(salesforce.offline(new URLSearchParams(), ['api', 'refresh_token']), true)
})

test('Slack prints these keys, of a bot token and of a user token', () => {
  // https://docs.slack.dev/reference/methods/oauth.v2.access and https://docs.slack.dev/authentication/using-token-rotation
  const token = ['access_token', 'expires_in', 'refresh_token', 'token_type', 'scope']
  const place = ['ok', 'app_id', 'team.name', 'team.id', 'enterprise', 'is_enterprise_install']
  sameKeys(code(slack, ['chat:write']), [...token, ...place, 'bot_user_id', 'authed_user.id'])
  sameKeys(code(slack, ['search:read'], true, ['user_scope']), [
    ...place,
    'authed_user.id',
    ...token.map(key => `authed_user.${key}`),
  ])
  sameKeys(refresh(slack, ['chat:write']), [...token, ...place, 'bot_user_id'])
  sameKeys(refresh(slack, ['search:read'], ['user_scope']), [...token, ...place])
  // Without token rotation there is neither expiry nor a refresh token.
  sameKeys(code(slack, ['chat:write'], false), [
    'access_token',
    'token_type',
    'scope',
    ...place,
    'bot_user_id',
    'authed_user.id',
  ])
  assert.equal(code(slack, ['chat:write', 'team:read'])['scope'], 'chat:write,team:read')
  // What the authorize request asked for decides, where it is known.
  const asked = issue(slack, 'code', ['chat:write'], true, ['user_scope'])
  sameKeys(bodyOf(slack.code.answer(asked)), [...place, 'authed_user.id', ...token.map(key => `authed_user.${key}`)])
})

test('Google prints these keys, a refresh token only for an offline request', () => {
  // https://developers.google.com/identity/protocols/oauth2/web-server#exchange-authorization-code and #offline
  const documented = ['access_token', 'expires_in', 'token_type', 'scope']
  const scope = 'https://www.googleapis.com/auth/drive.file'
  sameKeys(code(googleDrive, [scope]), [...documented, 'refresh_token'])
  sameKeys(code(googleDrive, [scope], false), [...documented])
  sameKeys(refresh(googleDrive, [scope]), [...documented])
  assert.ok(typeof googleDrive.offline === 'function')
  assert.equal(googleDrive.offline(new URLSearchParams(), [scope]), false)
  assert.equal(googleDrive.offline(new URLSearchParams({ access_type: 'offline' }), [scope]), true)
})

test('GitHub prints these keys', () => {
  // https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens
  const documented = () => [
    'access_token',
    'expires_in',
    'refresh_token',
    'refresh_token_expires_in',
    'scope',
    'token_type',
  ]
  sameKeys(code(github, []), documented())
  sameKeys(refresh(github, []), documented())
  assert.equal(code(github, [])['scope'], '')
  assert.equal(code(github, ['repo', 'gist'])['scope'], 'repo,gist')
})

test('every answer carries the issued tokens and lifetime', () => {
  for (const expected of [notion, hubspot, salesforce, googleDrive, github, slack]) {
    for (const body of [code(expected, ['chat:write']), refresh(expected, ['chat:write'])]) {
      assert.equal(body['access_token'], 'the-access-token', expected.provider)
      if ('refresh_token' in body) assert.equal(body['refresh_token'], 'the-refresh-token', expected.provider)
      if ('expires_in' in body) assert.equal(body['expires_in'], expected.lifetime, expected.provider)
    }
  }
})

test('errors look as documented', () => {
  const error = (expected: Expectation, refusal: Refusal) => {
    const answer = expected.errors?.[refusal]
    assert.ok(answer && typeof answer.body === 'object' && answer.body !== null)
    return [answer.status, { ...answer.body } as Record<string, unknown>] as const
  }
  const cases: [Expectation, Refusal, number, string, string, string[]][] = [
    [
      notion,
      'invalid_refresh_token',
      400,
      'code',
      'invalid_grant',
      ['object', 'status', 'code', 'message', 'additional_data'],
    ],
    [
      hubspot,
      'invalid_refresh_token',
      400,
      'status',
      'BAD_REFRESH_TOKEN',
      ['error', 'error_description', 'status', 'message'],
    ],
    [salesforce, 'invalid_refresh_token', 400, 'error', 'invalid_grant', ['error', 'error_description']],
    [slack, 'invalid_refresh_token', 200, 'error', 'invalid_refresh_token', ['ok', 'error']],
    [slack, 'invalid_code', 200, 'error', 'invalid_code', ['ok', 'error']],
    [googleDrive, 'invalid_refresh_token', 400, 'error', 'invalid_grant', ['error', 'error_description']],
    [github, 'invalid_code', 200, 'error', 'bad_verification_code', ['error', 'error_description', 'error_uri']],
    [
      github,
      'invalid_client',
      200,
      'error',
      'incorrect_client_credentials',
      ['error', 'error_description', 'error_uri'],
    ],
    [github, 'redirect_mismatch', 200, 'error', 'redirect_uri_mismatch', ['error', 'error_description', 'error_uri']],
    [github, 'invalid_refresh_token', 200, 'error', 'bad_refresh_token', ['error', 'error_description', 'error_uri']],
  ]
  for (const [expected, refusal, status, key, value, documented] of cases) {
    const [found, body] = error(expected, refusal)
    assert.equal(found, status)
    assert.equal(body[key], value)
    assert.deepEqual(Object.keys(body).sort(), documented.sort())
  }
})

test('every expectation has two people in two workspaces', () => {
  for (const { accounts, provider } of [notion, hubspot, salesforce, slack, googleDrive, github]) {
    assert.ok(new Set(accounts.map(account => account.id)).size >= 2, provider)
    assert.ok(new Set(accounts.map(account => account.person.id)).size >= 2, provider)
  }
})

test('two people of one Notion workspace share it, its bot and its pages, and nothing else', () => {
  const [ada, , charles] = notion.accounts
  assert.ok(ada && charles)
  const told = (account: Account) => bodyOf(notion.code.answer({ ...issue(notion, 'code', []), account }))
  const [first, second] = [told(ada), told(charles)]
  for (const key of ['workspace_id', 'workspace_name', 'bot_id']) assert.equal(first[key], second[key], key)
  assert.notDeepEqual(first['owner'], second['owner'])
  const pages = (account: number) => call(notion, 'POST', '/v1/search', { account, body: {} }).body['results']
  assert.deepEqual(pages(0), pages(2))
})

const call = (
  expected: Expectation,
  method: string,
  url: string,
  options: { account?: number; path?: Record<string, string>; body?: unknown; version?: string; query?: string } = {},
): { status: number; body: Record<string, unknown> } => {
  const found = expected.api.find(api => api.method === method && api.url.endsWith(url))
  const account = expected.accounts[options.account ?? 0]
  assert.ok(found && account, `${method} ${url}`)
  const request: ApiRequest = {
    host: 'api.example',
    path: options.path ?? {},
    query: new URLSearchParams(options.query),
    headers: options.version === '' ? {} : { 'notion-version': options.version ?? '2022-06-28' },
    body: options.body,
    account,
    scopes: [],
    clientId: 'client-1',
    now,
  }
  const { status, body } = found.answer(request)
  return { status, body: { ...(body as object) } }
}

test('identity calls tell the accounts apart', () => {
  const about = call(googleDrive, 'GET', '/drive/v3/about', { query: 'fields=user' })
  sameKeys(about.body, [
    'user.kind',
    'user.displayName',
    'user.photoLink',
    'user.me',
    'user.permissionId',
    'user.emailAddress',
  ])
  assert.equal(call(googleDrive, 'GET', '/drive/v3/about').status, 400)
  for (const [expected, url, key] of [
    [salesforce, '/services/oauth2/userinfo', 'organization_id'],
    [github, '/user', 'id'],
    [hubspot, '/account-info/v3/details', 'portalId'],
    [notion, '/v1/users/me', 'id'],
  ] as const) {
    const [first, second] = [0, 1].map(account => call(expected, 'GET', url, { account }).body[key])
    assert.ok(first !== undefined)
    assert.notEqual(first, second, expected.provider)
  }
})

test('a Notion page is created, read, changed and found, in its own workspace only', () => {
  const ids = (body: Record<string, unknown>) => (body['results'] as { id: string }[]).map(item => item.id)
  const search = (body: object, account = 0) => call(notion, 'POST', '/v1/search', { account, body }).body
  const [databaseId = ''] = ids(search({ filter: { property: 'object', value: 'database' } }))
  const made = call(notion, 'POST', '/v1/pages', {
    body: {
      parent: { database_id: databaseId },
      properties: {
        Name: { title: [{ text: { content: 'Ship Mortise' } }] },
        Status: { select: { name: 'To do' } },
        Points: { number: 3 },
        Due: { date: { start: '2026-12-01' } },
        Urgent: { checkbox: true },
      },
    },
  })
  assert.equal(made.status, 200)
  const path = { page_id: String(made.body['id']) }
  assert.deepEqual(
    call(notion, 'GET', '/v1/pages/{page_id}', { path: { page_id: path.page_id.replaceAll('-', '') } }).body['url'],
    made.body['url'],
  )
  assert.equal(call(notion, 'GET', '/v1/pages/{page_id}', { account: 1, path }).body['code'], 'object_not_found')
  const changed = call(notion, 'PATCH', '/v1/pages/{page_id}', {
    path,
    body: {
      properties: { Name: { title: [{ text: { content: 'Ship it twice' } }] }, Status: { select: { name: 'Done' } } },
    },
  })
  assert.equal(changed.status, 200)
  assert.deepEqual(ids(search({ query: 'ship it' })), [path.page_id])
  assert.deepEqual(ids(search({ query: 'ship it' }, 1)), [])
  const query = (body: object) =>
    call(notion, 'POST', '/v1/databases/{database_id}/query', { path: { database_id: databaseId }, body })
  assert.deepEqual(ids(query({ filter: { property: 'Status', select: { equals: 'Done' } } }).body), [path.page_id])
  const first = query({ page_size: 1 }).body
  assert.equal(first['has_more'], true)
  const rest = query({ page_size: 1, start_cursor: first['next_cursor'] }).body
  assert.equal(new Set([...ids(first), ...ids(rest)]).size, 2)
  const trashed = call(notion, 'PATCH', '/v1/pages/{page_id}', { path, body: { in_trash: true } })
  assert.equal(trashed.body['archived'], true)
  assert.deepEqual(ids(search({ query: 'ship it' })), [])
})

test("Notion's API refuses what it does not know", () => {
  const path = { page_id: '00000000-0000-4000-8000-000000000000' }
  const refused = (answer: { status: number; body: Record<string, unknown> }) => [answer.status, answer.body['code']]
  const get = (options: object) => refused(call(notion, 'GET', '/v1/pages/{page_id}', { path, ...options }))
  assert.deepEqual(get({ version: '' }), [400, 'missing_version'])
  assert.deepEqual(get({ version: '1999-01-01' }), [400, 'validation_error'])
  assert.deepEqual(get({}), [404, 'object_not_found'])
  assert.deepEqual(get({ path: { page_id: 'nonsense' } }), [400, 'validation_error'])
  const post = (body: unknown) => refused(call(notion, 'POST', '/v1/pages', { body }))
  assert.deepEqual(post(undefined), [400, 'invalid_json'])
  assert.deepEqual(post({ properties: {} }), [400, 'validation_error'])
  assert.deepEqual(post({ parent: { page_id: path.page_id }, properties: {} }), [404, 'object_not_found'])
  const [{ id: home = '' } = {}] = call(notion, 'POST', '/v1/search', { body: { query: 'home' } }).body['results'] as {
    id?: string
  }[]
  assert.deepEqual(post({ parent: { page_id: home }, properties: { Colour: { select: null } } }), [
    400,
    'validation_error',
  ])
  assert.deepEqual(
    refused(
      call(notion, 'POST', '/v1/databases/{database_id}/query', {
        path: { database_id: path.page_id },
        version: '2025-09-03',
      }),
    ),
    [400, 'invalid_request_url'],
  )
  const error = call(notion, 'GET', '/v1/pages/{page_id}', { path }).body
  sameKeys(error, ['object', 'status', 'code', 'message', 'request_id'])
})
