/** Acting through a connection: connectors, actions, their parameters, and what the provider answers (requirements 45, 66, P18, P25). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findConnection } from '../../src/core/find.ts'
import { addKey } from '../../src/core/setup.ts'
import { executedShape } from '../../src/http/alloy/shapes.ts'
import type { TestHub } from '../harness.ts'
import { call, connected, refused, start } from './hub.ts'

interface Executed {
  executionId: string
  status: string
  statusCode: number
  responseData: Record<string, unknown>
  data: Record<string, unknown>
}

const execute = (hub: TestHub, action: string, body: object, headers: Record<string, string> = {}) =>
  call<Executed>(hub, 'POST', `/connectors/notion/actions/${action}/execute`, body, headers)

const titleOf = (page: Record<string, unknown>): unknown =>
  JSON.stringify(page['properties']).match(/"plain_text":"([^"]*)"/)?.[1]

test('a page is read, written and updated with nothing but the connection id', async t => {
  const hub = await start(t)
  const { id } = await connected(hub)
  const found = await execute(hub, 'post-search', {
    credentialId: id,
    requestBody: { filter: { value: 'page', property: 'object' }, page_size: 5 },
    headers: { 'Notion-Version': '2022-06-28' },
  })
  assert.equal(found.status, 200)
  const executed = executedShape.parse(found.body)
  assert.deepEqual([executed.status, executed.statusCode], ['completed', 200])
  // Both names, so that no client reads nothing.
  assert.deepEqual(executed.data, executed.responseData)
  const [parent] = found.body.responseData['results'] as { id: string }[]
  const title = (content: string) => ({ title: { title: [{ text: { content } }] } })
  const made = await execute(hub, 'post-page', {
    credentialId: id,
    requestBody: { parent: { page_id: parent?.id }, properties: title('Written by an action') },
  })
  assert.equal(made.status, 200, JSON.stringify(made.body))
  const pageId = made.body.responseData['id']
  const changed = await execute(hub, 'patch-page', {
    connectionId: id,
    pathParams: { page_id: pageId },
    requestBody: { properties: title('Updated by an action') },
  })
  assert.equal(changed.status, 200, JSON.stringify(changed.body))
  const read = await execute(hub, 'retrieve-a-page', { credentialId: id, pathParams: { page_id: pageId } })
  assert.equal(titleOf(read.body.responseData), 'Updated by an action')
})

test('aliases, the path without /execute, flat parameters and a version in the path do the same', async t => {
  const hub = await start(t)
  const { id } = await connected(hub)
  const search = await execute(hub, 'search', { credentialId: id, requestBody: {} })
  const [page] = search.body.responseData['results'] as { id: string; object: string }[]
  for (const [action, path] of [
    ['get-page', ''],
    ['retrieve-a-page', '/execute'],
  ])
    for (const version of ['', '/2025-09'])
      for (const given of [{ parameters: { page_id: page?.id } }, { pathParams: { page_id: page?.id } }]) {
        const url = `${version}/connectors/notion/actions/${action}${path}`
        const answer = await call<Executed>(hub, 'POST', url, { credentialId: id, ...given })
        assert.equal(answer.status, 200, JSON.stringify(answer.body))
        assert.equal(answer.body.data['id'], page?.id)
      }
  const flat = await call<Executed>(hub, 'POST', '/connectors/notion/actions/search', {
    credentialId: id,
    parameters: { page_size: 1 },
  })
  assert.equal((flat.body.data['results'] as unknown[]).length, 1)
})

test('what is wrong with a parameter is said before the provider is asked, under the name that the caller used', async t => {
  const hub = await start(t)
  const { id } = await connected(hub)
  const before = hub.sandbox.calls.length
  const cases: [action: string, body: object, field: string][] = [
    ['retrieve-a-page', {}, 'pathParams.page_id'],
    ['retrieve-a-page', { pathParams: { page_id: '../users' } }, 'pathParams.page_id'],
    ['retrieve-a-page', { pathParameters: { page: 'x' } }, 'pathParameters.page'],
    ['retrieve-a-page', { parameters: {} }, 'parameters.page_id'],
    ['post-search', { requestBody: { page_size: 'many' } }, 'requestBody.page_size'],
    ['post-page', { requestBody: { properties: {} } }, 'requestBody.parent'],
    ['post-search', { requestBody: [] }, 'requestBody'],
    ['post-search', { additionalHeaders: { authorization: 'Bearer mine' } }, 'additionalHeaders.authorization'],
    ['post-search', { pathParams: 'x' }, 'pathParams'],
  ]
  for (const [action, body, field] of cases) {
    const answer = await refused(hub, 'POST', `/connectors/notion/actions/${action}/execute`, {
      credentialId: id,
      ...body,
    })
    assert.equal(answer.status, 400, `${action} ${JSON.stringify(body)}`)
    assert.equal(answer.body.error.details[0]?.properties, field, answer.body.message)
  }
  assert.equal(hub.sandbox.calls.length, before)
})

test("the provider's error comes back with its status and body, in the wrapper and in both error shapes", async t => {
  const hub = await start(t)
  const { id } = await connected(hub)
  const page_id = '00000000-0000-4000-8000-000000000000'
  const answer = await call<Executed & { message: string; code: string; error: { code: string; provider: object } }>(
    hub,
    'POST',
    '/connectors/notion/actions/retrieve-a-page/execute',
    { credentialId: id, pathParams: { page_id } },
  )
  assert.equal(answer.status, 404)
  assert.deepEqual([answer.body.status, answer.body.statusCode], ['failed', 404])
  assert.equal(answer.body.responseData['code'], 'object_not_found')
  assert.deepEqual(answer.body.error.provider, answer.body.responseData)
  assert.equal(answer.body.error.code, 'PROVIDER_ERROR')
  assert.match(answer.body.message, /^notion answered 404: /)
})

test('an unknown action names the nearest; an unknown connection says which of the causes it was', async t => {
  const hub = await start(t)
  const { id } = await connected(hub)
  const misspelt = await refused(hub, 'POST', '/connectors/notion/actions/post-serch/execute', { credentialId: id })
  assert.equal(misspelt.status, 404)
  assert.match(misspelt.body.message, /^Action not found: .*did you mean post-search\?/)
  const none = await refused(hub, 'POST', '/connectors/notion/actions/post-search/execute', {})
  assert.equal(none.body.error.details[0]?.properties, 'credentialId')
  const unknown = await refused(hub, 'POST', '/connectors/notion/actions/post-search/execute', {
    credentialId: 'a'.repeat(24),
  })
  assert.match(unknown.body.message, /^Connection ID not found/)
  const github = await connected(hub, {}, { connector: 'github' })
  const wrong = await refused(hub, 'POST', '/connectors/notion/actions/post-search/execute', {
    credentialId: github.id,
  })
  assert.match(wrong.body.message, /is one through github, not notion/)
  await call(hub, 'POST', '/users', { username: 'other' })
  const theirs = await refused(
    hub,
    'POST',
    '/connectors/notion/actions/post-search/execute',
    { credentialId: id },
    { 'x-alloy-userid': 'other' },
  )
  assert.match(theirs.body.message, /^Invalid connection ID: .*belongs to another user/)
})

test('connectors, their resources and their actions are listed, and an action tells its parameters', async t => {
  const hub = await start(t)
  type List = { id: string; name: string; category: string[]; icon: string }[]
  const paths = ['/connectors', '/integrations', '/connectors/available', '/api/connectors', '/2025-09/connectors']
  for (const path of paths) {
    const { body } = await call<{ connectors: List; data: List }>(hub, 'GET', path)
    assert.deepEqual(
      body.connectors.map(each => each.id),
      ['github', 'google-drive', 'hubspot', 'notion', 'salesforce', 'slack'],
      path,
    )
    assert.deepEqual(body.data, body.connectors)
    for (const each of body.connectors) assert.ok(each.category.length > 0 && each.icon.startsWith('data:image/svg'))
  }
  const crm = await call<{ connectors: List }>(hub, 'GET', '/connectors?category=crm')
  assert.deepEqual(
    crm.body.connectors.map(each => each.name),
    ['HubSpot', 'Salesforce'],
  )
  assert.match((await refused(hub, 'GET', '/connectors?category=crn')).body.message, /There is no category "crn"/)
  const resources = await call<{ resources: { id: string }[] }>(hub, 'GET', '/connectors/notion/resources')
  assert.ok(resources.body.resources.some(each => each.id === 'pages'))
  const actions = await call<{ actions: { id: string; displayName: string }[] }>(
    hub,
    'GET',
    '/connectors/notion/actions?resource=pages',
  )
  assert.ok(actions.body.actions.some(each => each.id === 'post-page'))
  const one = await call<{ action: { id: string; parameters: { name: string; in: string; required: boolean }[] } }>(
    hub,
    'GET',
    '/connectors/notion/actions/get-page',
  )
  assert.equal(one.body.action.id, 'retrieve-a-page')
  const parameter = one.body.action.parameters.find(each => each.name === 'page_id')
  assert.deepEqual([parameter?.in, parameter?.required], ['path', true])
})

test('diagnose looks at the key, the user, the connector and the redirect URI one by one', async t => {
  const hub = await start(t)
  await connected(hub)
  type Told = { ok: boolean; checks: { check: string; ok: boolean; message: string }[] }
  const fine = await call<Told>(
    hub,
    'GET',
    '/diagnose?connectorId=notion&redirectUri=http%3A%2F%2Flocalhost%3A3000%2Foauth%2Fcallback',
  )
  assert.equal(fine.body.ok, true, JSON.stringify(fine.body))
  assert.deepEqual(
    fine.body.checks.map(each => each.check),
    ['key', 'user', 'connector', 'redirect'],
  )
  assert.match(fine.body.checks[1]?.message ?? '', /with 1 connection\./)
  const bad = await call<Told>(
    hub,
    'GET',
    '/diagnose?userId=nobody&connectorId=nope&redirectUri=nope&time=2020-01-01T00:00:00Z',
  )
  assert.equal(bad.body.ok, false)
  assert.deepEqual(
    bad.body.checks.filter(each => !each.ok).map(each => each.check),
    ['user', 'connector', 'redirect', 'clock'],
  )
  const now = await call<Told>(hub, 'GET', '/diagnose', undefined, { date: new Date().toUTCString() })
  assert.deepEqual([now.body.ok, now.body.checks.at(-1)?.check], [true, 'clock'])
  const { secret } = await addKey(hub.rooms.hub.context, hub.rooms.firstEnvironment, 'k', ['proxy'])
  const poor = await call<Told>(hub, 'GET', '/diagnose', undefined, { authorization: `Bearer ${secret.reveal()}` })
  assert.equal(poor.body.ok, false)
  assert.match(poor.body.checks[0]?.message ?? '', /lacks the scopes connections:read/)
  // What a key may not read, it is not told here either.
  assert.deepEqual(
    poor.body.checks.map(each => each.check),
    ['key'],
  )
})

test("the provider's 422 is no 422 here, and what is not known in a call is named", async t => {
  const hub = await start(t)
  const { id } = await connected(hub)
  const { call: port } = hub.rooms.hub.context
  const { send } = port
  ;(port as { send: typeof send }).send = async () => ({ status: 422, headers: {}, body: '{"message":"no"}' })
  const answer = await execute(hub, 'post-search', { credentialId: id, requestBodyy: {} })
  ;(port as { send: typeof send }).send = send
  assert.deepEqual([answer.status, answer.body.statusCode, answer.body.status], [400, 422, 'failed'])
  const warned = await call<{ warnings: string[] }>(hub, 'POST', '/connectors/notion/actions/post-search/execute', {
    credentialId: id,
    requestBodyy: {},
  })
  assert.match(warned.body.warnings[0] ?? '', /"requestBodyy" .*did you mean requestBody\?/)
})

test('a failure that Slack tells with a 200 is no success here, of an action or of records', async t => {
  const hub = await start(t)
  const { id } = await connected(hub, {}, { connector: 'slack' })
  hub.sandbox.set('slack', { record: true })
  const row = await findConnection(hub.rooms.hub.context, hub.rooms.firstEnvironment.id, id, {})
  const read = await hub.rooms.hub.read(row.environmentId, 'slack', row.connectionId)
  hub.sandbox.expire(read.credential.accessToken.reveal())
  for (const [method, path, body] of [
    ['POST', '/connectors/slack/actions/conversations_list/execute', { credentialId: id }],
    ['GET', '/users/me/integrations/slack/data/files', undefined],
  ] as const) {
    const answer = await call<Executed & { message: string }>(hub, method, path, body)
    assert.deepEqual([answer.status, answer.body.status, answer.body.statusCode], [400, 'failed', 200], path)
    assert.equal(answer.body.data['ok'], false)
    assert.equal(answer.body.message, `slack answered 200: ${answer.body.data['error']}`)
  }
})

test('records are listed, created and updated by their name, through the latest connection or the one named', async t => {
  const hub = await start(t)
  const path = '/users/me/integrations/notion/data'
  const none = await refused(hub, 'GET', `${path}/pages`)
  assert.match(none.body.message, /^No connections available/)
  const { id } = await connected(hub)
  type List = { data: { id: string; object: string }[] }
  const pages = await call<List>(hub, 'GET', `${path}/pages?connectionId=${id}`)
  assert.ok(pages.body.data.length > 0 && pages.body.data.every(each => each.object === 'page'))
  const databases = await call<List>(hub, 'GET', `${path}/databases`)
  assert.ok(databases.body.data.every(each => each.object === 'database'))
  const title = (content: string) => ({ properties: { title: { title: [{ text: { content } }] } } })
  const parent = { page_id: pages.body.data[0]?.id }
  const made = await call<{ data: { id: string } }>(hub, 'POST', `${path}/pages`, { parent, ...title('a') })
  assert.equal(made.status, 200)
  const changed = await call<{ data: object }>(hub, 'PUT', `${path}/pages/${made.body.data.id}`, title('b'))
  assert.match(JSON.stringify(changed.body.data), /"plain_text":"b"/)
  assert.equal((await refused(hub, 'POST', `${path}/pages`, { nonsense: 1 })).status, 400)
  assert.match(
    (await refused(hub, 'GET', `${path}/page`)).body.message,
    /did you mean pages\?\); it has: pages, databases/,
  )
})
