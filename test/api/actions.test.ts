/** Our own API: the actions of a provider, and running them; against the sandbox's Notion. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { JsonObject } from '../../src/core/credential.ts'
import type { ActionAnswerShape, ActionShape } from '../../src/http/api/action-shapes.ts'
import { connect, startTestHub, type TestHub } from '../harness.ts'
import { wholeFile } from '../whole-file.ts'
import { api, refused } from './hub.ts'

const file = wholeFile()
let hub: TestHub
let at = ''

before(async () => {
  hub = await startTestHub(file)
  const { returned } = await connect(hub, 'notion')
  at = `/connections/${returned.searchParams.get('connection_id')}/actions`
})

const run = async (action: string, input: unknown = {}): Promise<JsonObject> => {
  const { body } = await api<ActionAnswerShape>(hub, 'POST', `${at}/${action}`, input)
  assert.equal(body.status, 200, JSON.stringify(body))
  assert.match(body.headers['content-type'] ?? '', /json/)
  return body.body as JsonObject
}
const title = (content: string) => ({ title: [{ text: { content } }] })
const results = (body: JsonObject) => body['results'] as JsonObject[]

test('search, create, read, update, query: by name, with the connection’s credential', async () => {
  const found = await run('search', { body: { query: 'home', filter: { property: 'object', value: 'page' } } })
  const home = String(results(found)[0]?.['id'])
  const database = await run('create-database', {
    body: { parent: { page_id: home }, title: [], properties: { Name: { title: {} }, Size: { number: {} } } },
  })
  const rows = { database_id: String(database['id']) }
  const page = await run('post-page', {
    body: { parent: rows, properties: { Name: title('Plan'), Size: { number: 1 } } },
  })
  const path = { page_id: String(page['id']) }
  assert.equal((await run('get-page', { path }))['id'], page['id'])
  await run('update-page', { path, body: { properties: { Size: { number: 5 } } } })
  const filter = { property: 'Size', number: { greater_than: 4 } }
  const queried = await run('query-database', { path: rows, body: { filter } })
  assert.deepEqual(
    results(queried).map(each => each['id']),
    [page['id']],
  )
  // Without a body there is nothing to give.
  const me = await api<ActionAnswerShape>(hub, 'POST', `${at}/get-self`)
  assert.equal((me.body.body as JsonObject)['type'], 'bot')
})

test('a list is walked to its end, in the body or in the query as Notion has it', async () => {
  const linesOf = async (path: string, input: unknown) => {
    const response = await fetch(`${hub.origin}/api/v1${at}/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
    })
    const lines = (await response.text()).trimEnd().split('\n')
    return lines.map(line => JSON.parse(line))
  }
  const searched = await linesOf('search?walk=true', { body: { page_size: 2 } })
  const { end } = searched.pop()
  assert.ok(end.complete && end.pages >= 2, JSON.stringify(end))
  const whole = results(await run('search'))
  assert.deepEqual(
    searched.map(line => line.item.id),
    whole.map(each => each['id']),
  )
  const users = await linesOf('list-users?walk=true', { query: { page_size: 1 } })
  assert.deepEqual(users.pop().end, { items: 3, pages: 3, next: null, complete: true })
  const [first, stop] = await linesOf('list-users?walk=true&max=1', {})
  assert.deepEqual([first.item.name, stop.end.complete], ['Ada Lovelace', false])
  const rest = await linesOf(`list-users?walk=true&from=${stop.end.next}`, {})
  assert.deepEqual(
    rest.slice(0, -1).map(line => line.item.name),
    ['Charles Babbage', 'Mortise'],
  )
})

test('the provider’s refusal is an answer, with its status and body', async () => {
  const path = { page_id: '00000000-0000-4000-8000-000000000000' }
  const { body } = await api<ActionAnswerShape>(hub, 'POST', `${at}/get-page`, { path })
  assert.deepEqual([body.status, (body.body as JsonObject)['code']], [404, 'object_not_found'])
  const lines = await fetch(`${hub.origin}/api/v1${at}/get-block-children?walk=true`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ path: { block_id: path.page_id } }),
  })
  const { error } = JSON.parse(await lines.text())
  assert.deepEqual([error.status, error.body.code, error.items], [404, 'object_not_found', 0])
})

test('what is wrong is named as the caller wrote it, and nothing is sent', async () => {
  const calls = hub.sandbox.calls.length
  const id = '00000000-0000-4000-8000-000000000000'
  for (const [action, input, parameter, says] of [
    ['get-page', {}, 'path.page_id', /path\.page_id is missing: The page's id/],
    ['get-page', { path: { page_id: 'x' } }, 'path.page_id', /does not have the right form/],
    ['get-page', { path: { page_id: id }, query: { page_sise: 1 } }, 'query.page_sise', /is not a parameter of/],
    ['list-users', { query: { page_size: 101 } }, 'query.page_size', /must be at most 100/],
    ['search', { body: { qeury: 'x' } }, 'body.qeury', /did you mean query\?/],
    ['post-page', { body: { parent: { page_id: id } } }, 'body.properties', /is missing/],
    ['get-self', { body: { a: 1 } }, 'body', /takes no body/],
    ['get-self', { headers: { Cookie: 'x' } }, 'headers.Cookie', /may not be given/],
    ['get-self', { params: {} }, 'params', /there are path, query, body, headers/],
  ] as const) {
    const answer = await refused(hub, 'POST', `${at}/${action}`, input)
    assert.deepEqual([answer.status, answer['code'], answer['parameter']], [400, 'invalid_request', parameter])
    assert.match(String(answer['message']), says)
  }
  const unknown = await refused(hub, 'POST', `${at}/serach`, {})
  assert.deepEqual([unknown.status, unknown['reason']], [404, 'action_unknown'])
  assert.match(
    String(unknown['message']),
    /did you mean search\?\)\. GET \/api\/v1\/providers\/notion\/actions lists all/,
  )
  assert.equal(hub.sandbox.calls.length, calls)
})

test('the actions of a provider are listed, found by an alias, and say which can be walked', async () => {
  interface Page {
    readonly data: ActionShape[]
    readonly next: string | null
  }
  const first = await api<Page>(hub, 'GET', '/providers/notion/actions?limit=20')
  const rest = await api<Page>(hub, 'GET', `/providers/notion/actions?limit=20&cursor=${first.body.next}`)
  const all = [...first.body.data, ...rest.body.data]
  const known = hub.rooms.hub.context.catalogue.actions('notion')
  assert.deepEqual(all.map(each => each.id).sort(), known.map(each => each.id).sort())
  assert.deepEqual(
    all
      .filter(each => each.paginated)
      .map(each => each.id)
      .sort(),
    'get-block-children get-users list-file-uploads post-database-query post-search retrieve-a-comment retrieve-a-page-property'.split(
      ' ',
    ),
  )
  const { body: page } = await api<ActionShape>(hub, 'GET', '/providers/notion/actions/get-page')
  assert.deepEqual(
    [page.id, page.method, page.path, page.body],
    ['retrieve-a-page', 'GET', '/v1/pages/{page_id}', null],
  )
  assert.deepEqual(
    page.parameters.map(each => [each.name, each.in, each.required]),
    [
      ['page_id', 'path', true],
      ['filter_properties', 'query', false],
    ],
  )
  const { body: pages } = await api<Page>(hub, 'GET', '/providers/notion/actions?resource=pages&search=UPDATE')
  assert.deepEqual(
    pages.data.map(each => each.id),
    ['patch-page'],
  )
  const none = await refused(hub, 'GET', '/providers/notion/actions/get-pgae')
  assert.deepEqual([none.status, none['reason']], [404, 'action_unknown'])
  assert.match(String(none['message']), /did you mean get-page\?/)
  assert.match(String((await refused(hub, 'GET', '/providers/notoin/actions'))['message']), /did you mean notion\?/)
  const { body: empty } = await api<Page>(hub, 'GET', '/providers/trello/actions')
  assert.deepEqual(empty, { data: [], next: null })
})

test('an action obeys the limits of its integration', async () => {
  const set = (limits: unknown) => api(hub, 'PATCH', '/integrations/notion', { limits })
  await set({ answerBytes: 100, requestBytes: 20 })
  const long = await refused(hub, 'POST', `${at}/search`, { body: { query: 'x'.repeat(20) } })
  assert.deepEqual([long.status, long['reason']], [400, 'body_too_large'])
  assert.equal(
    (await refused(hub, 'POST', `${at}/search`, { body: { query: 'x' } }))['code'],
    'provider_invalid_response',
  )
  await set(null)
  await run('search', { body: { query: 'x'.repeat(20) } })
})
