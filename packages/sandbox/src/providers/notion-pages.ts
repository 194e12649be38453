/** Search and pages: https://developers.notion.com/reference/post-search, …/post-page, …/retrieve-a-page, …/patch-page */
import { randomUUID } from 'node:crypto'
import type { ApiRequest } from '../expectation.ts'
import { append } from './notion-blocks.ts'
import { properties, titleOnly, unset } from './notion-properties.ts'
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
  paging,
  Refused,
  titleOf,
  trashed,
} from './notion-store.ts'
import { find, makePage, pageUrl, workspaceOf } from './notion-workspace.ts'

export const byEdit = (items: readonly Item[], ascending: boolean): Item[] =>
  // Items come oldest first, so that those of one minute stay in the order they were made.
  [...(ascending ? items : items.toReversed())].sort(
    (a, b) => (ascending ? 1 : -1) * a.last_edited_time.localeCompare(b.last_edited_time),
  )

export const search = (request: ApiRequest): Json => {
  const body = request.body === undefined ? {} : bodyOf(request)
  const { filter, query, sort } = body
  if (filter !== undefined && (!isObject(filter) || filter['property'] !== 'object'))
    throw invalid('body failed validation: body.filter.property should be `"object"`.')
  const object = isObject(filter) ? filter['value'] : undefined
  if (isObject(filter) && object !== 'page' && object !== 'database')
    throw invalid('body failed validation: body.filter.value should be `"page"` or `"database"`.')
  if (sort !== undefined && (!isObject(sort) || sort['timestamp'] !== 'last_edited_time'))
    throw invalid('body failed validation: body.sort.timestamp should be `"last_edited_time"`.')
  const words = typeof query === 'string' ? query.toLowerCase() : ''
  const found = [...workspaceOf(request).items.values()].filter(
    item =>
      item.archived === false &&
      (object === undefined || item.object === object) &&
      titleOf(item).toLowerCase().includes(words),
  )
  return list(byEdit(found, isObject(sort) && sort['direction'] === 'ascending'), body, 'page_or_database')
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
  // For public connections, of which this is one: a private page of the user.
  if (parent['workspace'] === true) return [{ type: 'workspace', workspace: true }, titleOnly]
  throw invalid('body failed validation: body.parent.page_id or body.parent.database_id should be defined.')
}

export const createPage = (request: ApiRequest): Json => {
  const body = bodyOf(request)
  const [parent, schema] = placeOf(request, body['parent'])
  const values = properties(schema, body['properties'])
  const dressed = dressing(body)
  const made = makePage(
    randomUUID(),
    parent,
    { ...unset(schema), ...values },
    String(author(request)['id']),
    request.now,
  )
  const page = { ...made, ...dressed }
  const { items, children } = workspaceOf(request)
  const content = body['children'] ?? []
  items.set(page.id, page)
  try {
    append(request, { type: 'page_id', page_id: page.id }, page.id, content, 'body.children')
  } catch (error) {
    items.delete(page.id)
    throw error
  }
  const above = parent['page_id']
  if (typeof above === 'string') children.set(above, [...(children.get(above) ?? []), page.id])
  return answered(page)
}

/** Only the properties that `filter_properties` names by id, if it does. */
export const narrowed = (page: Item, { query }: ApiRequest): Item => {
  const ids = query.getAll('filter_properties')
  if (ids.length === 0) return page
  const kept = Object.entries(page.properties).filter(([, value]) => isNamed(value, ids))
  return { ...page, properties: Object.fromEntries(kept) }
}

/** An id is shown percent-encoded, and taken as what it stands for. */
const isNamed = (value: Json, ids: readonly (string | undefined)[]): boolean =>
  ids.includes(decodeURIComponent(String(value['id'])))

export const retrievePage = (request: ApiRequest): Json =>
  answered(narrowed(find(request, 'page', 'path.page_id', request.path['page_id']), request))

/** https://developers.notion.com/reference/retrieve-a-page-property: one item, or a list where the type is one of several values. */
export const retrieveProperty = (request: ApiRequest): Json => {
  const page = find(request, 'page', 'path.page_id', request.path['page_id'])
  const wanted = request.path['property_id']
  const value = Object.values(page.properties).find(each => isNamed(each, [wanted]))
  if (!value) throw new Refused(404, 'object_not_found', `Could not find property with ID: ${wanted}.`)
  const [id, type] = [value['id'], String(value['type'])]
  const held = value[type]
  if (!['title', 'rich_text', 'relation', 'people'].includes(type) || !Array.isArray(held))
    return answered({ object: 'property_item', ...value })
  const items = held.map(each => ({ object: 'property_item', id, type, [type]: each }))
  return {
    ...list(items, paging(request), 'property_item', 'query'),
    property_item: { id, next_url: null, type, [type]: {} },
  }
}

export const updatePage = (request: ApiRequest): Json => {
  const page = find(request, 'page', 'path.page_id', request.path['page_id'])
  const body = bodyOf(request)
  const trash = trashed(body, page.archived)
  const [, schema] = placeOf(request, page.parent['type'] === 'workspace' ? { page_id: page.id } : page.parent)
  const values = body['properties'] === undefined ? {} : properties(schema, body['properties'])
  const merged = { ...page.properties, ...values }
  const updated: Item = {
    ...page,
    ...dressing(body),
    properties: merged,
    archived: trash,
    in_trash: trash,
    last_edited_time: minute(request.now),
    last_edited_by: author(request),
    url: pageUrl(page.id, titleOf({ ...page, properties: merged })),
  }
  workspaceOf(request).items.set(page.id, updated)
  return answered(updated)
}
