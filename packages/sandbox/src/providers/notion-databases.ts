/** Databases: https://developers.notion.com/reference/create-a-database, …/update-a-database, …/post-database-query */
import { randomUUID } from 'node:crypto'
import type { ApiRequest } from '../expectation.ts'
import { byEdit, narrowed } from './notion-pages.ts'
import { changedColumns, newColumns, unset } from './notion-properties.ts'
import {
  answered,
  author,
  bodyOf,
  dressing,
  type Item,
  invalid,
  isObject,
  type Json,
  list,
  minute,
  plain,
  readRichText,
  trashed,
} from './notion-store.ts'
import { find, pageUrl, workspaceOf } from './notion-workspace.ts'

const inPath = (request: ApiRequest): Item => find(request, 'database', 'path.database_id', request.path['database_id'])

export const retrieveDatabase = (request: ApiRequest): Json => answered(inPath(request))

export const createDatabase = (request: ApiRequest): Json => {
  const body = bodyOf(request)
  const above = isObject(body['parent']) ? body['parent'] : {}
  if (above['page_id'] === undefined)
    throw invalid('body failed validation: body.parent.page_id should be defined, instead was `undefined`.')
  const page = find(request, 'page', 'body.parent.page_id', above['page_id'])
  const id = randomUUID()
  const made: Item = {
    object: 'database',
    id,
    cover: null,
    icon: null,
    ...dressing(body),
    created_time: minute(request.now),
    created_by: author(request),
    last_edited_by: author(request),
    last_edited_time: minute(request.now),
    title: readRichText('body.title', body['title'] ?? []),
    description: readRichText('body.description', body['description'] ?? []),
    is_inline: body['is_inline'] === true,
    properties: newColumns(body['properties']),
    parent: { type: 'page_id', page_id: page.id },
    url: pageUrl(id, ''),
    public_url: null,
    archived: false,
    in_trash: false,
  }
  const { items, children } = workspaceOf(request)
  items.set(id, made)
  children.set(page.id, [...(children.get(page.id) ?? []), id])
  return answered(made)
}

export const updateDatabase = (request: ApiRequest): Json => {
  const database = inPath(request)
  const body = bodyOf(request)
  const trash = trashed(body, database.archived)
  const texts = (['title', 'description'] as const)
    .filter(key => body[key] !== undefined)
    .map(key => [key, readRichText(`body.${key}`, body[key])])
  const columns =
    body['properties'] === undefined ? database.properties : changedColumns(database.properties, body['properties'])
  const updated: Item = {
    ...database,
    ...dressing(body),
    ...Object.fromEntries(texts),
    ...(typeof body['is_inline'] === 'boolean' ? { is_inline: body['is_inline'] } : {}),
    properties: columns,
    archived: trash,
    in_trash: trash,
    last_edited_time: minute(request.now),
    last_edited_by: author(request),
  }
  const { items } = workspaceOf(request)
  items.set(database.id, updated)
  for (const row of rowsOf(request, database)) items.set(row.id, { ...row, properties: fitted(row, columns) })
  return answered(updated)
}

/** A row's values under the columns that there are now: by id, so that a renamed one keeps its own. */
const fitted = (row: Item, columns: Readonly<Record<string, Json>>): Record<string, Json> => {
  const held = Object.values(row.properties)
  return Object.fromEntries(
    Object.entries(unset(columns)).map(([name, empty]) => [
      name,
      held.find(each => each['id'] === empty['id'] && each['type'] === empty['type']) ?? empty,
    ]),
  )
}

const rowsOf = (request: ApiRequest, database: Item): Item[] =>
  [...workspaceOf(request).items.values()].filter(item => item.parent['database_id'] === database.id)

const times = ['created_time', 'last_edited_time'] as const
const compared: Readonly<Record<string, (actual: unknown, wanted: unknown) => boolean>> = {
  equals: (actual, wanted) => actual === wanted,
  does_not_equal: (actual, wanted) => actual !== wanted,
  contains: (actual, wanted) => String(actual ?? '').includes(String(wanted)),
  does_not_contain: (actual, wanted) => !String(actual ?? '').includes(String(wanted)),
  starts_with: (actual, wanted) => String(actual ?? '').startsWith(String(wanted)),
  ends_with: (actual, wanted) => String(actual ?? '').endsWith(String(wanted)),
  greater_than: (actual, wanted) => typeof actual === 'number' && actual > Number(wanted),
  less_than: (actual, wanted) => typeof actual === 'number' && actual < Number(wanted),
  on_or_after: (actual, wanted) => typeof actual === 'string' && actual >= String(wanted),
  on_or_before: (actual, wanted) => typeof actual === 'string' && actual <= String(wanted),
  after: (actual, wanted) => typeof actual === 'string' && actual > String(wanted),
  before: (actual, wanted) => typeof actual === 'string' && actual < String(wanted),
  is_empty: actual => actual === null || actual === '',
  is_not_empty: actual => actual !== null && actual !== '',
}
/** https://developers.notion.com/reference/post-database-query-filter#the-filter-object */
const texts = ['equals', 'does_not_equal', 'contains', 'does_not_contain', 'starts_with', 'ends_with']
const choices = ['equals', 'does_not_equal']
const dates = ['equals', 'on_or_after', 'on_or_before', 'after', 'before']
const allowed: Readonly<Record<string, readonly string[]>> = {
  title: texts,
  rich_text: texts,
  url: texts,
  email: texts,
  phone_number: texts,
  select: choices,
  status: choices,
  checkbox: choices,
  number: [...choices, 'greater_than', 'less_than'],
  date: dates,
}

/** What a condition is held against. */
const comparable = (value: Json): unknown => {
  const type = String(value['type'])
  const held = value[type]
  if (Array.isArray(held)) return plain(held)
  if (isObject(held)) return held['name'] ?? held['start'] ?? null
  return held
}

/** The conditions that the sandbox's columns have most use for; the rest is refused rather than ignored. */
const matches = (filter: unknown, page: Item): boolean => {
  if (filter === undefined) return true
  if (!isObject(filter)) throw invalid('body failed validation: body.filter should be an object.')
  if (Array.isArray(filter['and'])) return filter['and'].every(part => matches(part, page))
  if (Array.isArray(filter['or'])) return filter['or'].some(part => matches(part, page))
  const timestamp = times.find(each => each === filter['timestamp'])
  const name = String(filter['property'])
  const value = timestamp ? { type: timestamp, [timestamp]: page[timestamp] } : page.properties[name]
  if (!value) throw invalid(`Could not find property with name or id: ${name}`)
  const type = String(value['type'])
  const [[condition, wanted] = ['', undefined]] = isObject(filter[type]) ? Object.entries(filter[type]) : []
  const known = [...(timestamp ? dates : (allowed[type] ?? [])), ...(timestamp ? [] : ['is_empty', 'is_not_empty'])]
  const compare = known.includes(condition) ? compared[condition] : undefined
  if (!compare) throw invalid(`body failed validation: body.filter.${type}.${condition || 'equals'} is not supported.`)
  return compare(comparable(value), wanted)
}

const sorted = (rows: readonly Item[], sorts: unknown): Item[] => {
  if (sorts === undefined) return byEdit(rows, false)
  if (!Array.isArray(sorts)) throw invalid('body failed validation: body.sorts should be an array.')
  const keys = sorts.map((sort: unknown, index) => {
    const direction = isObject(sort) ? sort['direction'] : undefined
    if (!isObject(sort) || (direction !== 'ascending' && direction !== 'descending'))
      throw invalid(
        `body failed validation: body.sorts[${index}].direction should be \`"ascending"\` or \`"descending"\`.`,
      )
    const timestamp = times.find(each => each === sort['timestamp'])
    const name = String(sort['property'])
    const of = (row: Item): unknown => {
      if (timestamp) return row[timestamp]
      const value = row.properties[name]
      if (!value) throw invalid(`Could not find sort property with name or id: ${name}`)
      return comparable(value)
    }
    return { of, sign: direction === 'ascending' ? 1 : -1 }
  })
  const order = (a: unknown, b: unknown): number =>
    typeof a === 'number' && typeof b === 'number' ? a - b : String(a ?? '').localeCompare(String(b ?? ''))
  return rows.toSorted((a, b) => {
    for (const { of, sign } of keys) {
      const by = sign * order(of(a), of(b))
      if (by !== 0) return by
    }
    return 0
  })
}

export const query = (request: ApiRequest): Json => {
  const database = inPath(request)
  const body = request.body === undefined ? {} : bodyOf(request)
  const trash = (body['in_trash'] ?? body['archived']) === true
  const rows = rowsOf(request, database).filter(item => item.archived === trash)
  const found = sorted(
    rows.filter(page => matches(body['filter'], page)),
    body['sorts'],
  )
  return list(
    found.map(page => narrowed(page, request)),
    body,
    'page_or_database',
  )
}
