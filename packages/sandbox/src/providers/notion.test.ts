/** Notion's small API against its reference: the keys that its pages print, typed from them, and its own refusals. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { ApiRequest } from '../expectation.ts'
import notion from './notion.ts'

type Body = Record<string, unknown>
const now = new Date('2026-11-21T10:00:30.000Z')

const call = (
  method: string,
  url: string,
  options: { path?: Record<string, string>; body?: unknown; query?: string; type?: string } = {},
): { status: number; body: Body } => {
  const found = notion.api.find(api => api.method === method && api.url === `https://api.notion.com${url}`)
  const [, globex] = notion.accounts
  assert.ok(found && globex, `${method} ${url}`)
  const request: ApiRequest = {
    host: 'api.notion.com',
    path: options.path ?? {},
    query: new URLSearchParams(options.query),
    headers: { 'notion-version': '2022-06-28', 'content-type': options.type },
    body: options.body,
    account: globex,
    scopes: [],
    clientId: 'client-1',
    now,
  }
  const { status, body } = found.answer(request)
  return { status, body: { ...(body as object) } }
}

const good = (...ask: Parameters<typeof call>): Body => {
  const { status, body } = call(...ask)
  assert.equal(status, 200, JSON.stringify(body))
  return body
}
/** Status, code, and what the message begins with. */
const refused = (status: number, code: string, message: RegExp, ...ask: Parameters<typeof call>): void => {
  const { status: told, body } = call(...ask)
  assert.deepEqual(
    [told, body['status'], body['object'], body['code']],
    [status, status, 'error', code],
    JSON.stringify(body),
  )
  assert.match(String(body['message']), message)
}
const keys = (body: Body): string[] => Object.keys(body).sort()
const listed = (text: string): string[] => text.split(' ').sort()
const results = (body: Body): Body[] => body['results'] as Body[]
const text = (content: string) => [{ text: { content } }]
const unknown = '00000000-0000-4000-8000-000000000000'

const homeId = (): string => String(results(good('POST', '/v1/search', { body: { query: 'home' } }))[0]?.['id'])
const newPage = (more: Body = {}): string =>
  String(
    good('POST', '/v1/pages', {
      body: { parent: { page_id: homeId() }, properties: { title: text('A page') }, ...more },
    })['id'],
  )

suite('what the reference prints', () => {
  test('of a page and a property item', () => {
    // https://developers.notion.com/reference/page, …/retrieve-a-page-property
    const page = good('GET', '/v1/pages/{page_id}', { path: { page_id: newPage() } })
    const printed =
      'object id created_time last_edited_time created_by last_edited_by cover icon parent archived in_trash properties url public_url request_id'
    assert.deepEqual(keys(page), listed(printed))
    const path = { page_id: String(page['id']), property_id: 'title' }
    const item = good('GET', '/v1/pages/{page_id}/properties/{property_id}', { path })
    assert.deepEqual(keys(item), listed('object results next_cursor has_more type property_item request_id'))
    assert.deepEqual(keys(results(item)[0] ?? {}), listed('object id type title'))
    assert.deepEqual(item['property_item'], { id: 'title', next_url: null, type: 'title', title: {} })
  })

  test('of a database', () => {
    // https://developers.notion.com/reference/database
    const body = { parent: { page_id: homeId() }, title: text('Plans'), properties: { Name: { title: {} } } }
    const database = good('POST', '/v1/databases', { body })
    const printed =
      'object id cover icon created_time created_by last_edited_by last_edited_time title description is_inline properties parent url public_url archived in_trash request_id'
    assert.deepEqual(keys(database), listed(printed))
    assert.deepEqual(database['properties'], { Name: { id: 'title', name: 'Name', type: 'title', title: {} } })
  })

  test('of a block and a list of them', () => {
    // https://developers.notion.com/reference/block, …/patch-block-children
    const path = { block_id: newPage() }
    const children = [{ heading_2: { rich_text: text('Lacinato kale') } }, { paragraph: { rich_text: text('Green') } }]
    const list = good('PATCH', '/v1/blocks/{block_id}/children', { path, body: { children } })
    assert.deepEqual(keys(list), listed('object results next_cursor has_more type block request_id'))
    const [heading, paragraph] = results(list)
    const printed =
      'object id parent created_time last_edited_time created_by last_edited_by has_children archived in_trash type'
    assert.deepEqual(keys(heading ?? {}), listed(`${printed} heading_2`))
    assert.deepEqual(heading?.['parent'], { type: 'page_id', page_id: path.block_id })
    assert.deepEqual(keys(heading?.['heading_2'] as Body), listed('rich_text color is_toggleable'))
    assert.deepEqual(keys(paragraph?.['paragraph'] as Body), listed('rich_text color'))
    assert.ok(heading)
    const [part] = (heading['heading_2'] as { rich_text: Body[] }).rich_text
    assert.deepEqual(keys(part ?? {}), listed('type text annotations plain_text href'))
  })

  test('of a comment', () => {
    // https://developers.notion.com/reference/comment-object
    const comment = good('POST', '/v1/comments', { body: { parent: { page_id: newPage() }, rich_text: text('Hi') } })
    const printed =
      'object id parent discussion_id created_time last_edited_time created_by rich_text display_name request_id'
    assert.deepEqual(keys(comment), listed(printed))
  })

  test('of users', () => {
    // https://developers.notion.com/reference/user, …/get-users
    const list = good('GET', '/v1/users')
    assert.deepEqual(keys(list), listed('object results next_cursor has_more type user request_id'))
    const [grace, bot, ...more] = results(list)
    assert.deepEqual(more, [])
    assert.deepEqual(keys(grace ?? {}), listed('object id name avatar_url type person'))
    assert.deepEqual(keys(bot ?? {}), listed('object id name avatar_url type bot'))
    assert.equal(good('GET', '/v1/users/me')['id'], bot?.['id'])
  })

  test('of a file upload', () => {
    // https://developers.notion.com/reference/file-upload, …/create-a-file-upload
    const printed =
      'object id created_time created_by last_edited_time expiry_time archived status filename content_type content_length request_id'
    const single = good('POST', '/v1/file_uploads', { body: {} })
    assert.deepEqual(keys(single), listed(`${printed} upload_url`))
    assert.equal(single['upload_url'], `https://api.notion.com/v1/file_uploads/${single['id']}/send`)
    assert.equal(single['expiry_time'], '2026-11-21T11:00:00.000Z')
    const multi = good('POST', '/v1/file_uploads', {
      body: { mode: 'multi_part', filename: 'a.pdf', number_of_parts: 2 },
    })
    assert.deepEqual(keys(multi), listed(`${printed} upload_url complete_url number_of_parts`))
  })
})

suite('blocks', () => {
  test('are kept in their order, within each other, and paged through', () => {
    const page = newPage({ children: [{ paragraph: { rich_text: text('first'), children: [{ divider: {} }] } }] })
    const at = { path: { block_id: page } }
    const append = (name: string, after?: string) =>
      String(
        results(
          good('PATCH', '/v1/blocks/{block_id}/children', {
            ...at,
            body: { children: [{ to_do: { rich_text: text(name) } }], ...(after ? { after } : {}) },
          }),
        )[0]?.['id'],
      )
    const [first] = results(good('GET', '/v1/blocks/{block_id}/children', at))
    assert.equal(first?.['has_children'], true)
    const inner = good('GET', '/v1/blocks/{block_id}/children', { path: { block_id: String(first?.['id']) } })
    assert.deepEqual(
      results(inner).map(each => [each['type'], each['parent']]),
      [['divider', { type: 'block_id', block_id: first?.['id'] }]],
    )
    const third = append('third')
    const second = append('second', String(first?.['id']))
    const all = good('GET', '/v1/blocks/{block_id}/children', at)
    assert.deepEqual(
      results(all).map(each => each['id']),
      [first?.['id'], second, third],
    )
    const one = good('GET', '/v1/blocks/{block_id}/children', { ...at, query: 'page_size=1' })
    assert.deepEqual([one['has_more'], one['next_cursor']], [true, second])
    const rest = good('GET', '/v1/blocks/{block_id}/children', { ...at, query: `page_size=2&start_cursor=${second}` })
    assert.deepEqual([results(rest).length, rest['has_more']], [2, false])
    good('DELETE', '/v1/blocks/{block_id}', { path: { block_id: second } })
    assert.equal(results(good('GET', '/v1/blocks/{block_id}/children', at)).length, 2)
  })

  test('of a page are its pages and databases, too', () => {
    const above = newPage()
    const body = { parent: { page_id: above }, properties: { title: text('Below') } }
    const below = good('POST', '/v1/pages', { body })
    const [child] = results(good('GET', '/v1/blocks/{block_id}/children', { path: { block_id: above } }))
    assert.deepEqual(
      [child?.['id'], child?.['type'], child?.['child_page']],
      [below['id'], 'child_page', { title: 'Below' }],
    )
    good('DELETE', '/v1/blocks/{block_id}', { path: { block_id: String(below['id']) } })
    assert.equal(good('GET', '/v1/pages/{page_id}', { path: { page_id: String(below['id']) } })['in_trash'], true)
  })

  test('keep what a change leaves out', () => {
    const path = { block_id: newPage() }
    const body = { children: [{ to_do: { rich_text: text('Pack'), color: 'red' } }] }
    const [block] = results(good('PATCH', '/v1/blocks/{block_id}/children', { path, body }))
    const one = { path: { block_id: String(block?.['id']) } }
    const changed = good('PATCH', '/v1/blocks/{block_id}', { ...one, body: { to_do: { checked: true } } })
    assert.deepEqual(changed['to_do'], { ...(block?.['to_do'] as Body), checked: true })
    good('PATCH', '/v1/blocks/{block_id}', { ...one, body: { archived: true } })
    const again = /^Can't edit block that is archived/
    refused(400, 'validation_error', again, 'DELETE', '/v1/blocks/{block_id}', one)
    assert.equal(good('PATCH', '/v1/blocks/{block_id}', { ...one, body: { archived: false } })['archived'], false)
  })
})

suite('a database', () => {
  const made = good('POST', '/v1/databases', {
    body: {
      parent: { page_id: homeId() },
      properties: { Name: { title: {} }, Weight: { number: {} }, Tags: { multi_select: { options: [{ name: 'a' }] } } },
    },
  })
  const path = { database_id: String(made['id']) }
  const add = (name: string, weight: number | null) =>
    good('POST', '/v1/pages', {
      body: { parent: path, properties: { Name: text(name), Weight: weight, Tags: { multi_select: [{ name: 'b' }] } } },
    })
  const ask = (body: Body) => results(good('POST', '/v1/databases/{database_id}/query', { path, body })).map(nameOf)
  const nameOf = (page: Body): unknown =>
    (page['properties'] as { Name: { title: { plain_text: string }[] } }).Name.title[0]?.plain_text

  test('is sorted and filtered', () => {
    for (const [name, weight] of [
      ['b', 2],
      ['a', 2],
      ['c', 1],
      ['d', null],
    ] as const)
      add(name, weight)
    const sorts = [
      { property: 'Weight', direction: 'descending' },
      { property: 'Name', direction: 'ascending' },
    ]
    assert.deepEqual(ask({ sorts }), ['a', 'b', 'c', 'd'])
    const light = { property: 'Weight', number: { less_than: 2 } }
    assert.deepEqual(ask({ filter: light }), ['c'])
    assert.deepEqual(ask({ filter: { or: [light, { property: 'Name', title: { equals: 'a' } }] }, sorts }), ['a', 'c'])
    assert.deepEqual(ask({ filter: { property: 'Weight', number: { is_empty: true } } }), ['d'])
    const filter = { timestamp: 'created_time', created_time: { on_or_after: '2026-11-21' } }
    assert.equal(ask({ filter }).length, 4)
    refused(400, 'validation_error', /number\.contains is not supported/, 'POST', '/v1/databases/{database_id}/query', {
      path,
      body: { filter: { property: 'Weight', number: { contains: 1 } } },
    })
    refused(400, 'validation_error', /^Could not find sort property/, 'POST', '/v1/databases/{database_id}/query', {
      path,
      body: { sorts: [{ property: 'Nothing', direction: 'ascending' }] },
    })
  })

  test('gets, renames and loses columns, and its rows with it', () => {
    const [row] = results(good('POST', '/v1/databases/{database_id}/query', { path, body: {} }))
    const properties = { Weight: { name: 'Mass' }, Tags: null, Done: { checkbox: {} } }
    const changed = good('PATCH', '/v1/databases/{database_id}', { path, body: { properties } })
    assert.deepEqual(Object.keys(changed['properties'] as Body), ['Name', 'Mass', 'Done'])
    const page = good('GET', '/v1/pages/{page_id}', { path: { page_id: String(row?.['id']) } })
    const values = page['properties'] as Record<string, Body>
    assert.deepEqual(keys(values), ['Done', 'Mass', 'Name'])
    assert.ok(row)
    assert.deepEqual(values['Mass'], (row['properties'] as Record<string, Body>)['Weight'])
    assert.equal(values['Done']?.['checkbox'], false)
  })
})

suite('is refused with Notion’s own errors', () => {
  const pages = '/v1/pages'
  test('what does not exist', () => {
    const found = /^Could not find \w+( \w+)? with ID: 0{8}-0000-4000/
    for (const [method, url] of [
      ['GET', '/v1/pages/{page_id}'],
      ['PATCH', '/v1/pages/{page_id}'],
      ['GET', '/v1/databases/{database_id}'],
      ['PATCH', '/v1/databases/{database_id}'],
      ['POST', '/v1/databases/{database_id}/query'],
      ['GET', '/v1/blocks/{block_id}'],
      ['PATCH', '/v1/blocks/{block_id}'],
      ['DELETE', '/v1/blocks/{block_id}'],
      ['GET', '/v1/blocks/{block_id}/children'],
      ['PATCH', '/v1/blocks/{block_id}/children'],
      ['GET', '/v1/users/{user_id}'],
      ['GET', '/v1/comments/{comment_id}'],
      ['GET', '/v1/file_uploads/{file_upload_id}'],
      ['POST', '/v1/file_uploads/{file_upload_id}/complete'],
    ] as const) {
      const name = /\{(\w+)\}/.exec(url)?.[1] ?? ''
      refused(404, 'object_not_found', found, method, url, { path: { [name]: unknown }, body: { children: [] } })
      refused(400, 'validation_error', /should be a valid uuid/, method, url, { path: { [name]: 'x' }, body: {} })
    }
    refused(404, 'object_not_found', found, 'GET', '/v1/comments', { query: `block_id=${unknown}` })
    const path = { page_id: newPage(), property_id: 'nope' }
    refused(
      404,
      'object_not_found',
      /^Could not find property/,
      'GET',
      '/v1/pages/{page_id}/properties/{property_id}',
      { path },
    )
  })

  test('a body that the reference does not allow', () => {
    const parent = { page_id: newPage() }
    const properties = { title: text('x') }
    const refuse = (message: RegExp, body: unknown) =>
      refused(400, 'validation_error', message, 'POST', pages, { body })
    refuse(/body\.parent should be defined/, { properties })
    refuse(/body\.properties should be defined/, { parent })
    refuse(/body\.children\.length should be ≤ `100`, instead was `101`/, {
      parent,
      properties,
      children: Array(101).fill({ divider: {} }),
    })
    refuse(/content\.length should be ≤ `2000`, instead was `2001`/, {
      parent,
      properties: { title: text('x'.repeat(2001)) },
    })
    refuse(/body\.children\[0\]\.paragraph\.rich_text should be defined/, {
      parent,
      properties,
      children: [{ paragraph: {} }],
    })
    refuse(/body\.children\[0\]\.\w+ should be defined/, { parent, properties, children: [{ poem: {} }] })
    refuse(/body\.icon\.emoji should be defined/, { parent, properties, icon: { emogi: 'x' } })
    refused(400, 'invalid_json', /^Error parsing JSON body/, 'POST', pages, { body: 'x' })
    refused(400, 'validation_error', /Title is not provided/, 'POST', '/v1/databases', {
      body: { parent, properties: {} },
    })
    refused(400, 'validation_error', /body\.parent should be defined/, 'POST', '/v1/comments', {
      body: { rich_text: [] },
    })
    refused(400, 'validation_error', /query\.block_id should be defined/, 'GET', '/v1/comments')
    refused(400, 'validation_error', /page_size should be an integer/, 'GET', '/v1/users', { query: 'page_size=101' })
    refused(400, 'validation_error', /body\.heading_1 should be not present/, 'PATCH', '/v1/blocks/{block_id}', {
      path: { block_id: String(appended()) },
      body: { heading_1: { rich_text: [] } },
    })
    // Nothing of a page that was refused is kept.
    const content = { parent, properties: { title: text('Refused late') }, children: [{ paragraph: {} }] }
    refuse(/rich_text should be defined/, content)
    assert.deepEqual(results(good('POST', '/v1/search', { body: { query: 'refused late' } })), [])
    assert.deepEqual(results(good('GET', '/v1/blocks/{block_id}/children', { path: { block_id: parent.page_id } })), [])
  })

  const appended = () => {
    const body = { children: [{ paragraph: { rich_text: [] } }] }
    return results(good('PATCH', '/v1/blocks/{block_id}/children', { path: { block_id: newPage() }, body }))[0]?.['id']
  }

  test('a file upload out of its order', () => {
    const multi = good('POST', '/v1/file_uploads', { body: { mode: 'multi_part', filename: 'a', number_of_parts: 1 } })
    const path = { file_upload_id: String(multi['id']) }
    const [send, complete] = ['/v1/file_uploads/{file_upload_id}/send', '/v1/file_uploads/{file_upload_id}/complete']
    refused(400, 'validation_error', /^Expected 1 parts/, 'POST', complete, { path })
    refused(400, 'validation_error', /multipart\/form-data/, 'POST', send, { path, type: 'application/json' })
    good('POST', send, { path, type: 'multipart/form-data; boundary=x' })
    assert.equal(good('POST', complete, { path })['status'], 'uploaded')
    refused(400, 'validation_error', /is not in the pending status/, 'POST', complete, { path })
    refused(400, 'validation_error', /body\.external_url should be defined/, 'POST', '/v1/file_uploads', {
      body: { mode: 'external_url', filename: 'a.pdf' },
    })
    const body = { mode: 'external_url', filename: 'a.pdf', external_url: 'https://files.example/a.pdf' }
    const fetched = good('POST', '/v1/file_uploads', { body })
    assert.equal(fetched['status'], 'pending')
    const again = { path: { file_upload_id: String(fetched['id']) } }
    assert.equal(good('GET', '/v1/file_uploads/{file_upload_id}', again)['status'], 'uploaded')
  })
})
