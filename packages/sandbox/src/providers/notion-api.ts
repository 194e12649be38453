/**
 * A small Notion API of version 2022-06-28, kept in memory: search, users/me, pages and one database per workspace.
 * What the pages of https://developers.notion.com/reference do not allow is refused with Notion's own errors.
 */
import { createHash, randomUUID } from 'node:crypto'
import type { Account, Answer, ApiCall, ApiRequest } from '../expectation.ts'

type Json = Readonly<Record<string, unknown>>
interface Item extends Json {
  readonly object: 'page' | 'database'
  readonly id: string
  readonly last_edited_time: string
  readonly properties: Readonly<Record<string, Json>>
}

const versions = ['2021-05-11', '2021-05-13', '2021-08-16', '2022-02-22', '2022-06-28', '2025-09-03', '2026-03-11']

/** Thrown inside a handler; answered as Notion's error object (https://developers.notion.com/reference/status-codes). */
class Refused extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}
const invalid = (message: string): Refused => new Refused(400, 'validation_error', message)

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The same id for the same words, so that a restarted sandbox has the same seeds. */
const uuid = (...words: string[]): string => {
  const hex = createHash('sha256').update(words.join('\0')).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export const botId = (clientId: string, account: Account): string => uuid('bot', clientId, account.id)

export const person = (account: Account) => ({
  object: 'user',
  id: account.person.id,
  name: account.person.name,
  avatar_url: null,
  type: 'person',
  person: { email: account.person.email },
})

/** Notion rounds its times down to the minute. */
const minute = (now: Date): string => new Date(Math.floor(now.getTime() / 60_000) * 60_000).toISOString()

const richText = (content: string) => ({
  type: 'text',
  text: { content, link: null },
  annotations: {
    bold: false,
    italic: false,
    strikethrough: false,
    underline: false,
    code: false,
    color: 'default',
  },
  plain_text: content,
  href: null,
})

const plain = (texts: unknown): string =>
  Array.isArray(texts) ? texts.map(text => (isObject(text) ? String(text['plain_text'] ?? '') : '')).join('') : ''

const titleOf = (item: Item): string =>
  item.object === 'database'
    ? plain(item['title'])
    : plain(Object.values(item.properties).find(property => property['type'] === 'title')?.['title'])

/** A property value as written by a caller, in the shape it is read back. */
const property = (name: string, id: string, type: string, given: unknown): Json => {
  const at = `body.properties.${name}`
  // `{ title: […] }` and the bare array are both accepted.
  const value = isObject(given) && type in given ? given[type] : given
  if (isObject(given) && !(type in given) && type !== 'date') throw invalid(`${name} is expected to be ${type}.`)
  switch (type) {
    case 'title':
    case 'rich_text': {
      if (!Array.isArray(value)) throw invalid(`body failed validation: ${at}.${type} should be an array.`)
      const texts = value.map((part, index) => {
        const text = isObject(part) && isObject(part['text']) ? part['text']['content'] : undefined
        if (typeof text !== 'string')
          throw invalid(
            `body failed validation: ${at}.${type}[${index}].text.content should be defined, instead was \`undefined\`.`,
          )
        return richText(text)
      })
      return { id, type, [type]: texts }
    }
    case 'select': {
      if (value === null) return { id, type, select: null }
      const option = isObject(value) ? value['name'] : undefined
      if (typeof option !== 'string') throw invalid(`body failed validation: ${at}.select.name should be a string.`)
      return { id, type, select: { id: uuid('option', option), name: option, color: 'default' } }
    }
    case 'checkbox':
      if (typeof value !== 'boolean') throw invalid(`body failed validation: ${at}.checkbox should be a boolean.`)
      return { id, type, checkbox: value }
    case 'number':
      if (value !== null && typeof value !== 'number')
        throw invalid(`body failed validation: ${at}.number should be a number or \`null\`.`)
      return { id, type, number: value }
    default: {
      if (value === null) return { id, type, date: null }
      if (!isObject(value) || typeof value['start'] !== 'string')
        throw invalid(`body failed validation: ${at}.date.start should be defined, instead was \`undefined\`.`)
      return {
        id,
        type,
        date: { start: value['start'], end: value['end'] ?? null, time_zone: value['time_zone'] ?? null },
      }
    }
  }
}

/** Values checked against the schema of where the page lives: a database's, or the title alone. */
const properties = (schema: Readonly<Record<string, Json>>, given: unknown): Record<string, Json> => {
  if (!isObject(given))
    throw invalid('body failed validation: body.properties should be defined, instead was `undefined`.')
  const values: Record<string, Json> = {}
  for (const [key, value] of Object.entries(given)) {
    const [name, column] = Object.entries(schema).find(([name, column]) => name === key || column['id'] === key) ?? []
    if (name === undefined || column === undefined) throw invalid(`${key} is not a property that exists.`)
    values[name] = property(name, String(column['id']), String(column['type']), value)
  }
  return values
}

const titleOnly = { title: { id: 'title', name: 'title', type: 'title', title: {} } }

const columns: Readonly<Record<string, Json>> = {
  Name: { id: 'title', name: 'Name', type: 'title', title: {} },
  Status: {
    id: 'aB%3Cd',
    name: 'Status',
    type: 'select',
    select: {
      options: ['To do', 'Doing', 'Done'].map(name => ({ id: uuid('option', name), name, color: 'default' })),
    },
  },
  Due: { id: 'K%3De1', name: 'Due', type: 'date', date: {} },
  Points: { id: 'p%40Qz', name: 'Points', type: 'number', number: { format: 'number' } },
  Urgent: { id: 'uR%7Cx', name: 'Urgent', type: 'checkbox', checkbox: {} },
}

/** An unset value of each column, which Notion shows too. */
const unset = (schema: Readonly<Record<string, Json>>): Record<string, Json> =>
  Object.fromEntries(
    Object.entries(schema).map(([name, column]) => {
      const type = String(column['type'])
      const empty = type === 'title' ? [] : type === 'checkbox' ? false : null
      return [name, { id: column['id'], type, [type]: empty }]
    }),
  )

const pageUrl = (id: string, title: string): string =>
  `https://www.notion.so/${title.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '')}${title ? '-' : ''}${id.replaceAll('-', '')}`

const makePage = (id: string, parent: Json, values: Record<string, Json>, author: string, now: Date): Item => {
  const title = plain(Object.values(values).find(value => value['type'] === 'title')?.['title'])
  const user = { object: 'user', id: author }
  return {
    object: 'page',
    id,
    created_time: minute(now),
    last_edited_time: minute(now),
    created_by: user,
    last_edited_by: user,
    cover: null,
    icon: null,
    parent,
    archived: false,
    in_trash: false,
    properties: values,
    url: pageUrl(id, title),
    public_url: null,
  }
}

/** Workspace id → its pages and databases, oldest first. It lives as long as the process. */
const workspaces = new Map<string, Map<string, Item>>()

const itemsOf = ({ account, now }: ApiRequest): Map<string, Item> => {
  const known = workspaces.get(account.id)
  if (known) return known
  const author = account.person.id
  const databaseId = uuid('database', account.id)
  const row = (name: string, status: string) => ({
    ...unset(columns),
    ...properties(columns, { Name: { title: [{ text: { content: name } }] }, Status: { select: { name: status } } }),
  })
  const top = (title: string) => properties(titleOnly, { title: { title: [{ text: { content: title } }] } })
  const workspace = { type: 'workspace', workspace: true }
  const inDatabase = { type: 'database_id', database_id: databaseId }
  const user = { object: 'user', id: author }
  const home = `${account.name} home`
  const database: Item = {
    object: 'database',
    id: databaseId,
    cover: null,
    icon: null,
    created_time: minute(now),
    created_by: user,
    last_edited_by: user,
    last_edited_time: minute(now),
    title: [richText(`${account.name} tasks`)],
    description: [],
    is_inline: false,
    properties: columns,
    parent: { type: 'page_id', page_id: uuid('page', account.id, home) },
    url: pageUrl(databaseId, ''),
    public_url: null,
    archived: false,
    in_trash: false,
  }
  const pages = [
    makePage(uuid('page', account.id, home), workspace, top(home), author, now),
    makePage(uuid('page', account.id, 'Handbook'), workspace, top('Handbook'), author, now),
    makePage(uuid('row', account.id, 'First task'), inDatabase, row('First task', 'To do'), author, now),
  ]
  const items = new Map([...pages, database].map(item => [item.id, item]))
  workspaces.set(account.id, items)
  return items
}

const canonical = (name: string, id: unknown): string => {
  const hex = typeof id === 'string' ? id.replaceAll('-', '').toLowerCase() : ''
  if (!/^[0-9a-f]{32}$/.test(hex))
    throw invalid(`${name} failed validation: ${name} should be a valid uuid, instead was \`${JSON.stringify(id)}\`.`)
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

const find = (request: ApiRequest, object: 'page' | 'database', name: string, given: unknown): Item => {
  const id = canonical(name, given)
  const item = itemsOf(request).get(id)
  if (item?.object !== object)
    throw new Refused(
      404,
      'object_not_found',
      `Could not find ${object} with ID: ${id}. Make sure the relevant pages and databases are shared with your integration.`,
    )
  return item
}

const bodyOf = ({ body }: ApiRequest): Json => {
  if (!isObject(body)) throw new Refused(400, 'invalid_json', 'Error parsing JSON body.')
  return body
}

/** https://developers.notion.com/reference/intro#pagination */
const list = (found: readonly Item[], body: Json, type: string): Json => {
  const size = body['page_size'] ?? 100
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 1 || size > 100)
    throw invalid('body failed validation: body.page_size should be an integer from 1 to 100.')
  const cursor = body['start_cursor']
  const start = cursor === undefined ? 0 : found.findIndex(item => item.id === cursor)
  if (start < 0) throw invalid(`start_cursor provided is invalid: ${JSON.stringify(cursor)}`)
  const next = found[start + size]?.id ?? null
  return {
    object: 'list',
    results: found.slice(start, start + size),
    next_cursor: next,
    has_more: next !== null,
    type,
    [type]: {},
    request_id: randomUUID(),
  }
}

const byEdit = (items: readonly Item[], ascending: boolean): Item[] =>
  // Items come oldest first, so that those of one minute stay in the order they were made.
  [...(ascending ? items : items.toReversed())].sort(
    (a, b) => (ascending ? 1 : -1) * a.last_edited_time.localeCompare(b.last_edited_time),
  )

const search = (request: ApiRequest): Json => {
  const body = request.body === undefined ? {} : bodyOf(request)
  const { filter, query, sort } = body
  if (filter !== undefined && (!isObject(filter) || filter['property'] !== 'object'))
    throw invalid('body failed validation: body.filter.property should be `"object"`.')
  const object = isObject(filter) ? filter['value'] : undefined
  if (isObject(filter) && object !== 'page' && object !== 'database')
    throw invalid('body failed validation: body.filter.value should be `"page"` or `"database"`.')
  const words = typeof query === 'string' ? query.toLowerCase() : ''
  const found = [...itemsOf(request).values()].filter(
    item =>
      item['archived'] === false &&
      (object === undefined || item.object === object) &&
      titleOf(item).toLowerCase().includes(words),
  )
  return list(byEdit(found, isObject(sort) && sort['direction'] === 'ascending'), body, 'page_or_database')
}

/** The conditions that the database's columns have most use for; the rest is refused rather than ignored. */
const matches = (filter: unknown, page: Item): boolean => {
  if (filter === undefined) return true
  if (!isObject(filter)) throw invalid('body failed validation: body.filter should be an object.')
  if (Array.isArray(filter['and'])) return filter['and'].every(part => matches(part, page))
  if (Array.isArray(filter['or'])) return filter['or'].some(part => matches(part, page))
  const name = String(filter['property'])
  const value = page.properties[name]
  if (!value) throw invalid(`Could not find property with name or id: ${name}`)
  const type = String(value['type'])
  const [[condition, wanted] = ['', undefined]] = isObject(filter[type]) ? Object.entries(filter[type]) : []
  const held = value[type]
  const actual = type === 'title' ? plain(held) : type === 'select' && isObject(held) ? held['name'] : held
  if (condition === 'equals' && type !== 'date') return actual === wanted
  if (condition === 'does_not_equal' && type !== 'date') return actual !== wanted
  if (condition === 'contains' && type === 'title') return String(actual).includes(String(wanted))
  if (condition === 'is_empty') return actual === null || actual === ''
  if (condition === 'is_not_empty') return actual !== null && actual !== ''
  throw invalid(`body failed validation: body.filter.${type}.${condition || 'equals'} is not supported.`)
}

const query = (request: ApiRequest): Json => {
  const database = find(request, 'database', 'path.database_id', request.path['database_id'])
  const body = request.body === undefined ? {} : bodyOf(request)
  const rows = [...itemsOf(request).values()].filter(
    item => isObject(item['parent']) && item['parent']['database_id'] === database.id && item['archived'] === false,
  )
  return list(
    byEdit(rows, false).filter(page => matches(body['filter'], page)),
    body,
    'page_or_database',
  )
}

/** The parent as it is read back, and the properties a page in it may have. */
const placeOf = (request: ApiRequest, parent: unknown): [Json, Readonly<Record<string, Json>>] => {
  if (!isObject(parent))
    throw invalid('body failed validation: body.parent should be defined, instead was `undefined`.')
  if (parent['database_id'] !== undefined) {
    const database = find(request, 'database', 'body.parent.database_id', parent['database_id'])
    return [{ type: 'database_id', database_id: database.id }, database.properties]
  }
  if (parent['page_id'] !== undefined) {
    const page = find(request, 'page', 'body.parent.page_id', parent['page_id'])
    return [{ type: 'page_id', page_id: page.id }, titleOnly]
  }
  throw invalid('body failed validation: body.parent.page_id or body.parent.database_id should be defined.')
}

const createPage = (request: ApiRequest): Json => {
  const body = bodyOf(request)
  const [parent, schema] = placeOf(request, body['parent'])
  const values = properties(schema, body['properties'])
  const page = {
    ...makePage(
      randomUUID(),
      parent,
      { ...unset(schema), ...values },
      botId(request.clientId, request.account),
      request.now,
    ),
    ...dressing(body),
  }
  itemsOf(request).set(page.id, page)
  return { ...page, request_id: randomUUID() }
}

const dressing = (body: Json): Json =>
  Object.fromEntries(Object.entries(body).filter(([key]) => key === 'icon' || key === 'cover'))

const updatePage = (request: ApiRequest): Json => {
  const page = find(request, 'page', 'path.page_id', request.path['page_id'])
  const body = bodyOf(request)
  const trash = body['in_trash'] ?? body['archived'] ?? page['in_trash']
  if (typeof trash !== 'boolean') throw invalid('body failed validation: body.in_trash should be a boolean.')
  if (page['archived'] === true && trash)
    throw invalid("Can't edit block that is archived. You must unarchive the block before editing.")
  const [, schema] = placeOf(request, isWorkspace(page['parent']) ? { page_id: page.id } : page['parent'])
  const values = body['properties'] === undefined ? {} : properties(schema, body['properties'])
  const merged = { ...page.properties, ...values }
  const updated: Item = {
    ...page,
    ...dressing(body),
    properties: merged,
    archived: trash,
    in_trash: trash,
    last_edited_time: minute(request.now),
    last_edited_by: { object: 'user', id: botId(request.clientId, request.account) },
    url: pageUrl(page.id, titleOf({ ...page, properties: merged })),
  }
  itemsOf(request).set(page.id, updated)
  return { ...updated, request_id: randomUUID() }
}

const isWorkspace = (parent: unknown): boolean => isObject(parent) && parent['type'] === 'workspace'

const me = ({ account, clientId }: ApiRequest): Json => ({
  object: 'user',
  id: botId(clientId, account),
  name: 'Mortise',
  avatar_url: null,
  type: 'bot',
  bot: {
    owner: { type: 'user', user: person(account) },
    workspace_id: account.id,
    workspace_limits: { max_file_upload_size_in_bytes: 5242880 },
    workspace_name: account.name,
  },
  request_id: randomUUID(),
})

/** One call: the version checked first, then what the handler returns or refuses. */
const call = (method: string, path: string, handler: (request: ApiRequest) => Json, until?: string): ApiCall => ({
  method,
  url: `https://api.notion.com${path}`,
  answer: (request): Answer => {
    const failed = (status: number, code: string, message: string): Answer => ({
      status,
      body: { object: 'error', status, code, message, request_id: randomUUID() },
    })
    const version = request.headers['notion-version']
    const wrong = 'Notion-Version header failed validation: Notion-Version header should be'
    if (!version) return failed(400, 'missing_version', `${wrong} defined, instead was \`undefined\`.`)
    if (!versions.includes(version))
      return failed(400, 'validation_error', `${wrong} a known version, instead was \`"${version}"\`.`)
    if (until !== undefined && version >= until) return failed(400, 'invalid_request_url', 'Invalid request URL.')
    try {
      return { status: 200, body: handler(request) }
    } catch (error) {
      if (error instanceof Refused) return failed(error.status, error.code, error.message)
      throw error
    }
  },
})

export const notionApi: readonly ApiCall[] = [
  call('POST', '/v1/search', search),
  call('GET', '/v1/users/me', me),
  call('GET', '/v1/pages/{page_id}', request => ({
    ...find(request, 'page', 'path.page_id', request.path['page_id']),
    request_id: randomUUID(),
  })),
  call('POST', '/v1/pages', createPage),
  call('PATCH', '/v1/pages/{page_id}', updatePage),
  call('GET', '/v1/databases/{database_id}', request => ({
    ...find(request, 'database', 'path.database_id', request.path['database_id']),
    request_id: randomUUID(),
  })),
  // Gone with data sources: https://developers.notion.com/docs/upgrade-guide-2025-09-03
  call('POST', '/v1/databases/{database_id}/query', query, '2025-09-03'),
]
