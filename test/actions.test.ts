/** Every action of every actions file, run once against the sandbox: what is sent, letter for letter, and what comes back. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, suite, test } from 'node:test'
import { loadCatalogue } from '../src/catalogue/catalogue.ts'
import type { ActionInput } from '../src/core/action-request.ts'
import type { Context } from '../src/core/context.ts'
import type { Json, JsonObject } from '../src/core/credential.ts'
import type { CallRequest } from '../src/core/ports.ts'
import type { Read } from '../src/core/read.ts'
import { type ActionAnswer, execute } from '../src/core/run-action.ts'
import { senderOfRead } from '../src/core/sender.ts'
import { connect, startTestHub, type TestHub, tempFolder } from './harness.ts'
import { mortise } from './process.ts'
import { wholeFile } from './whole-file.ts'

/** What the hub leaves to be done at the end, in the order of a test's own hooks. */
const file = wholeFile()
let hub: TestHub
let read: Read
let context: Context
const sent: CallRequest[] = []
const names = { path: 'pathParams', query: 'queryParameters', body: 'requestBody', headers: 'additionalHeaders' }

before(async () => {
  hub = await startTestHub(file)
  const real = hub.rooms.hub.context
  // What goes out is noted on its way to the sandbox.
  context = {
    ...real,
    call: {
      page: real.call.page,
      send: request => {
        sent.push(request)
        return real.call.send(request)
      },
    },
  }
  const { returned } = await connect(hub, 'notion')
  const id = returned.searchParams.get('connection_id') ?? ''
  read = await hub.rooms.hub.read(hub.rooms.firstEnvironment.id, 'notion', id)
})

const run = async (name: string, input: ActionInput = {}): Promise<ActionAnswer> => {
  const action = context.catalogue.action('notion', name)
  assert.ok(action, name)
  return execute(context, await senderOfRead(context, read), action, { ...input, names })
}

const object = (body: Json | string): JsonObject => {
  assert.ok(typeof body === 'object' && body !== null && !Array.isArray(body), JSON.stringify(body))
  return body
}

/** Runs it, holds what was sent against what Notion's reference asks for, and gives the answer's body. */
const ran = async (
  name: string,
  input: ActionInput,
  method: string,
  path: string,
  body?: Json,
): Promise<JsonObject> => {
  sent.length = 0
  const answer = await run(name, input)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  assert.deepEqual(
    sent.map(({ body, ...request }) => ({ ...request, body: body === undefined ? undefined : JSON.parse(body) })),
    [
      {
        method,
        url: `https://api.notion.com${path}`,
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          'notion-version': '2022-06-28',
          authorization: `Bearer ${read.credential.accessToken.reveal()}`,
        },
        sandbox: true,
        limit: 10_000_000,
        body,
      },
    ],
  )
  done.add(context.catalogue.action('notion', name)?.id ?? '')
  return object(answer.body)
}

const done = new Set<string>()
const results = (body: JsonObject): JsonObject[] => body['results'] as JsonObject[]
const text = (content: string): Json => [{ text: { content } }]
const titled = (title: string): JsonObject => ({ title: text(title) })

suite('the actions of Notion', () => {
  let home = ''
  let database = ''

  test('users', async () => {
    const me = await ran('get-self', {}, 'GET', '/v1/users/me')
    assert.equal(me['type'], 'bot')
    const all = await ran('list-users', { query: { page_size: 100 } }, 'GET', '/v1/users?page_size=100')
    assert.deepEqual(
      results(all).map(user => user['name']),
      ['Ada Lovelace', 'Charles Babbage', 'Mortise'],
    )
    const [ada] = results(all)
    const one = await ran('get-user', { path: { user_id: ada?.['id'] ?? '' } }, 'GET', `/v1/users/${ada?.['id']}`)
    assert.deepEqual({ ...one, request_id: 0 }, { ...ada, request_id: 0 })
  })

  test('search', async () => {
    const body = { query: 'home', filter: { property: 'object', value: 'page' } }
    const found = await ran('search', { body }, 'POST', '/v1/search', body)
    assert.equal(results(found).length, 1)
    home = String(results(found)[0]?.['id'])
    // Nothing asked: everything.
    const all = await ran('post-search', {}, 'POST', '/v1/search', {})
    assert.ok(results(all).length >= 4)
  })

  test('databases', async () => {
    const made = {
      parent: { page_id: home },
      title: text('Plans'),
      properties: { Name: { title: {} }, Size: { number: {} } },
    }
    const one = await ran('create-database', { body: made }, 'POST', '/v1/databases', made)
    database = String(one['id'])
    const path = { database_id: database }
    const at = `/v1/databases/${database}`
    const change = {
      title: text('Larger plans'),
      properties: { Size: { name: 'Weight' }, Colour: { select: { options: [{ name: 'red' }] } } },
    }
    await ran('update-database', { path, body: change }, 'PATCH', at, change)
    const shown = await ran('get-database', { path }, 'GET', at)
    assert.deepEqual(Object.keys(object(shown['properties'] ?? null)), ['Name', 'Weight', 'Colour'])
    for (const [name, weight] of [
      ['Move house', 3],
      ['Paint it', 1],
    ] as const)
      await run('post-page', { body: { parent: path, properties: { Name: titled(name), Weight: { number: weight } } } })
    const ask = {
      filter: { property: 'Weight', number: { greater_than: 0 } },
      sorts: [{ property: 'Weight', direction: 'ascending' }],
    }
    const rows = await ran('query-database', { path, body: ask }, 'POST', `${at}/query`, ask)
    assert.deepEqual(
      results(rows).map(row => object(object(row['properties'] ?? null)['Weight'] ?? null)['number']),
      [1, 3],
    )
    // The column's id is shown percent-encoded, and sent with that one encoding.
    const id = String(object(object(shown['properties'] ?? null)['Weight'] ?? null)['id'])
    assert.match(id, /^%3A/)
    const narrow = await ran(
      'query-database',
      { path, query: { filter_properties: [id] }, body: ask },
      'POST',
      `${at}/query?filter_properties=${id}`,
      ask,
    )
    assert.deepEqual(Object.keys(object(results(narrow)[0]?.['properties'] ?? null)), ['Weight'])
  })

  test('pages', async () => {
    const made = {
      parent: { database_id: database },
      properties: { Name: titled('Ship it'), Weight: { number: 7 }, Colour: { select: { name: 'red' } } },
      children: [{ paragraph: { rich_text: text('Why') } }],
      icon: { emoji: '🚢' },
      cover: { external: { url: 'https://pictures.example/ship.png' } },
    }
    const page = await ran('create-page', { body: made }, 'POST', '/v1/pages', made)
    const id = String(page['id'])
    const path = { page_id: id }
    assert.deepEqual(page['icon'], { type: 'emoji', emoji: '🚢' })
    const shown = await ran('get-page', { path }, 'GET', `/v1/pages/${id}`)
    const columns = object(shown['properties'] ?? null)
    const colour = String(object(columns['Colour'] ?? null)['id'])
    assert.equal(encodeURIComponent(decodeURIComponent(colour)), colour)
    const item = await ran(
      'get-page-property',
      { path: { ...path, property_id: colour } },
      'GET',
      `/v1/pages/${id}/properties/${colour}`,
    )
    assert.equal(object(item['select'] ?? null)['name'], 'red')
    const several = { filter_properties: [colour, 'title'] }
    const query = `filter_properties=${colour}&filter_properties=title`
    const some = await ran('retrieve-a-page', { path, query: several }, 'GET', `/v1/pages/${id}?${query}`)
    assert.deepEqual(Object.keys(object(some['properties'] ?? null)).sort(), ['Colour', 'Name'])
    const change = { properties: { Name: titled('Shipped') }, icon: null, in_trash: true }
    const changed = await ran('update-page', { path, body: change }, 'PATCH', `/v1/pages/${id}`, change)
    assert.deepEqual([changed['icon'], changed['archived']], [null, true])
  })

  test('blocks', async () => {
    const path = { block_id: home }
    const at = `/v1/blocks/${home}/children`
    const two = { children: [{ heading_2: { rich_text: text('Plan') } }, { to_do: { rich_text: text('Pack') } }] }
    const added = await ran('append-block-children', { path, body: two }, 'PATCH', at, two)
    const [heading = '', todo = ''] = results(added).map(block => String(block['id']))
    const between = { children: [{ divider: {} }], after: heading }
    await ran('patch-block-children', { path, body: between }, 'PATCH', at, between)
    const found = await ran('get-block-children', { path, query: { page_size: '50' } }, 'GET', `${at}?page_size=50`)
    const types = results(found).map(block => block['type'])
    assert.deepEqual(types.slice(-3), ['heading_2', 'divider', 'to_do'])
    const check = { to_do: { checked: true } }
    await ran('update-block', { path: { block_id: todo }, body: check }, 'PATCH', `/v1/blocks/${todo}`, check)
    const shown = await ran('get-block', { path: { block_id: todo } }, 'GET', `/v1/blocks/${todo}`)
    assert.equal(object(shown['to_do'] ?? null)['checked'], true)
    const gone = await ran('delete-block', { path: { block_id: todo } }, 'DELETE', `/v1/blocks/${todo}`)
    assert.equal(gone['archived'], true)
  })

  test('comments', async () => {
    const first = { parent: { page_id: home }, rich_text: text('Good') }
    const comment = await ran('create-comment', { body: first }, 'POST', '/v1/comments', first)
    const answer = { discussion_id: String(comment['discussion_id']), rich_text: text('Better') }
    await ran('create-a-comment', { body: answer }, 'POST', '/v1/comments', answer)
    const all = await ran('list-comments', { query: { block_id: home } }, 'GET', `/v1/comments?block_id=${home}`)
    assert.equal(results(all).length, 2)
    const id = String(comment['id'])
    const one = await ran('get-comment', { path: { comment_id: id } }, 'GET', `/v1/comments/${id}`)
    assert.equal(one['id'], id)
  })

  test('file uploads', async () => {
    const parts = { mode: 'multi_part', filename: 'plan.pdf', number_of_parts: 2 }
    const upload = await ran('create-file', { body: parts }, 'POST', '/v1/file_uploads', parts)
    const id = String(upload['id'])
    const at = `/v1/file_uploads/${id}`
    for (let part = 0; part < 2; part++) {
      const form = new FormData()
      form.append('file', new Blob(['%PDF']), 'plan.pdf')
      const answer = await fetch(hub.sandbox.url(`https://api.notion.com${at}/send`), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${read.credential.accessToken.reveal()}`,
          'notion-version': '2022-06-28',
        },
        body: form,
      })
      assert.equal(answer.status, 200)
    }
    const whole = await ran('complete-file-upload', { path: { file_upload_id: id } }, 'POST', `${at}/complete`)
    assert.equal(whole['status'], 'uploaded')
    const shown = await ran('get-file-upload', { path: { file_upload_id: id } }, 'GET', at)
    assert.equal(shown['status'], 'uploaded')
    const all = await ran(
      'list-file-uploads',
      { query: { status: 'uploaded' } },
      'GET',
      '/v1/file_uploads?status=uploaded',
    )
    assert.deepEqual(
      results(all).map(each => each['id']),
      [id],
    )
  })

  test('each was run', () => {
    const all = context.catalogue.actions('notion').map(action => action.id)
    assert.deepEqual([...done].sort(), [...all].sort())
  })
})

test('Notion’s operation ids and the names that its users know are all there', () => {
  const catalogue = loadCatalogue()
  const ids =
    'post-search post-page retrieve-a-page patch-page retrieve-a-page-property create-a-database retrieve-a-database update-a-database post-database-query retrieve-a-block update-a-block delete-a-block get-block-children patch-block-children get-users get-user get-self create-a-comment retrieve-a-comment retrieve-comment create-a-file-upload list-file-uploads retrieve-a-file-upload complete-a-file-upload'
  assert.deepEqual(
    catalogue
      .actions('notion')
      .map(action => action.id)
      .sort(),
    ids.split(' ').sort(),
  )
  for (const [alias, id] of [
    ['get-page', 'retrieve-a-page'],
    ['get-database', 'retrieve-a-database'],
    ['query-database', 'post-database-query'],
    ['create-page', 'post-page'],
    ['update-page', 'patch-page'],
    ['search', 'post-search'],
  ])
    assert.equal(catalogue.action('notion', alias ?? '')?.id, id)
  assert.equal(catalogue.action('notion', 'send-a-file-upload'), undefined)
  assert.deepEqual(catalogue.actions('trello'), [])
  assert.deepEqual(catalogue.actions('nobody'), [])
})

suite('the provider’s own errors', () => {
  test('come back with their status and body', async () => {
    const unknown = '00000000-0000-4000-8000-000000000000'
    const missing = await run('get-page', { path: { page_id: unknown } })
    assert.equal(missing.status, 404)
    const body = object(missing.body)
    assert.deepEqual([body['object'], body['status'], body['code']], ['error', 404, 'object_not_found'])
    assert.match(String(body['message']), /^Could not find page with ID: 0{8}-/)
    assert.match(missing.headers['content-type'] ?? '', /json/)
    const invalid = await run('create-page', {
      body: { parent: { page_id: unknown }, properties: { title: { title: [] } } },
    })
    assert.deepEqual([invalid.status, object(invalid.body)['code']], [404, 'object_not_found'])
    const version = await run('get-self', { headers: { 'Notion-Version': '1999-01-01' } })
    assert.deepEqual([version.status, object(version.body)['code']], [400, 'validation_error'])
  })

  test('also where the credential is refused', async () => {
    const { returned } = await connect(hub, 'notion', {}, { account: 'c2d9e8f7-3a4b-4c5d-8e6f-7a8b9c0d1e22' })
    const id = returned.searchParams.get('connection_id') ?? ''
    const other = await hub.rooms.hub.read(hub.rooms.firstEnvironment.id, 'notion', id)
    assert.ok(hub.sandbox.expire(other.credential.accessToken.reveal()))
    const action = context.catalogue.action('notion', 'get-self')
    assert.ok(action)
    const refused = await execute(context, await senderOfRead(context, other), action, {})
    assert.deepEqual([refused.status, object(refused.body)['code']], [401, 'unauthorized'])
  })
})

suite('another version of the API', () => {
  test('is the caller’s to choose, and its names and bodies are not held against this file', async () => {
    sent.length = 0
    const body = { filter: { property: 'object', value: 'data_source' } }
    await run('search', { body, headers: { 'notion-version': '2025-09-03' } })
    assert.deepEqual(
      sent.map(({ headers, body }) => [headers['notion-version'], body]),
      [['2025-09-03', JSON.stringify(body)]],
    )
    // The version that the definition asks for anyway changes nothing.
    await assert.rejects(run('search', { body, headers: { 'Notion-Version': '2022-06-28' } }), {
      code: 'invalid_request',
      details: { reason: 'parameter', parameter: 'requestBody.filter.value' },
    })
    const gone = await run('query-database', {
      path: { database_id: '00000000-0000-4000-8000-000000000000' },
      headers: { 'Notion-Version': '2025-09-03' },
    })
    assert.deepEqual([gone.status, object(gone.body)['code']], [400, 'invalid_request_url'])
  })
})

test('provider check tells of actions files, too', async t => {
  const folder = join(tempFolder(t), 'providers')
  mkdirSync(folder)
  const file = join(folder, 'notion.actions.yaml')
  const action = (path: string) =>
    `actions:\n  get-thing:\n    title: Get\n    description: Gets.\n    resource: things\n    docs: https://docs.example\n    method: GET\n    path: ${path}\n`
  writeFileSync(file, action('/v1/{thing}'))
  const wrong = await mortise(['provider', 'check', folder], {})
  assert.deepEqual(
    [wrong.code, wrong.stdout, wrong.stderr],
    [1, '', `${file}:8: actions.get-thing.path: has {thing}, which is not among the parameters in: path\n`],
  )
  writeFileSync(file, action('/v1/thing'))
  const right = await mortise(['provider', 'check', folder], {})
  assert.deepEqual([right.code, right.stderr], [0, ''])
  assert.match(right.stdout, /^0 provider files, no mistake\.\n1 actions file, no mistake\.\n$/)
})
