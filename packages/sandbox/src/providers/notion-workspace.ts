/** The workspaces with what they begin with. They live as long as the process. */
import type { Account, ApiRequest } from '../expectation.ts'
import { columns, properties, titleOnly, unset } from './notion-properties.ts'
import {
  canonical,
  type Item,
  type Json,
  minute,
  notFound,
  plain,
  richText,
  uuid,
  type Workspace,
} from './notion-store.ts'

export const pageUrl = (id: string, title: string): string =>
  `https://www.notion.so/${title.replace(/[^A-Za-z0-9]+/g, '-').replace(/^-|-$/g, '')}${title ? '-' : ''}${id.replaceAll('-', '')}`

export const makePage = (id: string, parent: Json, values: Record<string, Json>, author: string, now: Date): Item => {
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

const workspaces = new Map<string, Workspace>()

export const workspaceOf = ({ account, now }: ApiRequest): Workspace => {
  const known = workspaces.get(account.id)
  if (known) return known
  const items = seeds(account, now)
  const children = new Map<string, string[]>()
  for (const item of items.values()) {
    const parent = item.parent['page_id']
    if (typeof parent === 'string') children.set(parent, [...(children.get(parent) ?? []), item.id])
  }
  const made: Workspace = { items, blocks: new Map(), children, comments: new Map(), uploads: new Map() }
  workspaces.set(account.id, made)
  return made
}

const seeds = (account: Account, now: Date): Map<string, Item> => {
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
  return new Map([...pages, database].map(item => [item.id, item]))
}

export const find = (request: ApiRequest, object: 'page' | 'database', name: string, given: unknown): Item => {
  const id = canonical(name, given)
  const item = workspaceOf(request).items.get(id)
  if (item?.object !== object) throw notFound(object, id)
  return item
}
