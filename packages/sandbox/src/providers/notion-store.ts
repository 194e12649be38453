/** What a small Notion keeps of each workspace, in memory, and how it refuses what its reference does not allow. */
import { createHash, randomUUID } from 'node:crypto'
import type { Account, ApiRequest } from '../expectation.ts'

export type Json = Readonly<Record<string, unknown>>

/** A page or a database: https://developers.notion.com/reference/page, …/reference/database */
export interface Item extends Json {
  readonly object: 'page' | 'database'
  readonly id: string
  readonly created_time: string
  readonly last_edited_time: string
  readonly archived: boolean
  readonly parent: Json
  readonly properties: Readonly<Record<string, Json>>
}

/** https://developers.notion.com/reference/block */
export interface Block extends Json {
  readonly id: string
  readonly type: string
  readonly archived: boolean
  readonly parent: Json
}

export interface Workspace {
  /** Oldest first. */
  readonly items: Map<string, Item>
  readonly blocks: Map<string, Block>
  /** Page, database or block → what is directly within it, from the top. */
  readonly children: Map<string, string[]>
  readonly comments: Map<string, Json>
  readonly uploads: Map<string, Json>
}

/** Thrown inside a handler; answered as Notion's error object (https://developers.notion.com/reference/status-codes). */
export class Refused extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}
export const invalid = (message: string): Refused => new Refused(400, 'validation_error', message)
export const notFound = (what: string, id: string): Refused =>
  new Refused(
    404,
    'object_not_found',
    `Could not find ${what} with ID: ${id}. Make sure the relevant pages and databases are shared with your integration.`,
  )

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The same id for the same words, so that a restarted sandbox has the same seeds. */
export const uuid = (...words: string[]): string => {
  const hex = createHash('sha256').update(words.join('\0')).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

export const botId = (clientId: string, account: Account): string => uuid('bot', clientId, account.id)

export const author = ({ clientId, account }: ApiRequest): Json => ({ object: 'user', id: botId(clientId, account) })

export const person = (account: Account) => ({
  object: 'user',
  id: account.person.id,
  name: account.person.name,
  avatar_url: null,
  type: 'person',
  person: { email: account.person.email },
})

/** Notion rounds its times down to the minute. */
export const minute = (now: Date): string => new Date(Math.floor(now.getTime() / 60_000) * 60_000).toISOString()

const plainStyle = { bold: false, italic: false, strikethrough: false, underline: false, code: false, color: 'default' }

export const richText = (content: string) => ({
  type: 'text',
  text: { content, link: null },
  annotations: plainStyle,
  plain_text: content,
  href: null,
})

/** Rich text as written by a caller, in the shape it is read back. https://developers.notion.com/reference/rich-text */
export const readRichText = (at: string, given: unknown): Json[] => {
  if (!Array.isArray(given)) throw invalid(`body failed validation: ${at} should be an array.`)
  if (given.length > 100)
    throw invalid(`body failed validation: ${at}.length should be ≤ \`100\`, instead was \`${given.length}\`.`)
  return given.map((part, index) => {
    const here = `${at}[${index}]`
    const style = isObject(part) && isObject(part['annotations']) ? part['annotations'] : {}
    if (isObject(part) && isObject(part['mention']))
      return {
        type: 'mention',
        mention: part['mention'],
        annotations: { ...plainStyle, ...style },
        plain_text: '',
        href: null,
      }
    if (isObject(part) && isObject(part['equation'])) {
      const plain = String(part['equation']['expression'] ?? '')
      return {
        type: 'equation',
        equation: part['equation'],
        annotations: { ...plainStyle, ...style },
        plain_text: plain,
        href: null,
      }
    }
    const text = isObject(part) && isObject(part['text']) ? part['text'] : {}
    const { content, link } = text
    if (typeof content !== 'string')
      throw invalid(`body failed validation: ${here}.text.content should be defined, instead was \`undefined\`.`)
    if (content.length > 2000)
      throw invalid(
        `body failed validation: ${here}.text.content.length should be ≤ \`2000\`, instead was \`${content.length}\`.`,
      )
    return {
      ...richText(content),
      text: { content, link: link ?? null },
      annotations: { ...plainStyle, ...style },
      href: isObject(link) ? link['url'] : null,
    }
  })
}

export const plain = (texts: unknown): string =>
  Array.isArray(texts) ? texts.map(text => (isObject(text) ? String(text['plain_text'] ?? '') : '')).join('') : ''

export const titleOf = (item: Item): string =>
  item.object === 'database'
    ? plain(item['title'])
    : plain(Object.values(item.properties).find(property => property['type'] === 'title')?.['title'])

export const canonical = (name: string, id: unknown): string => {
  const hex = typeof id === 'string' ? id.replaceAll('-', '').toLowerCase() : ''
  if (!/^[0-9a-f]{32}$/.test(hex))
    throw invalid(`${name} failed validation: ${name} should be a valid uuid, instead was \`${JSON.stringify(id)}\`.`)
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

export const bodyOf = ({ body }: ApiRequest): Json => {
  if (!isObject(body)) throw new Refused(400, 'invalid_json', 'Error parsing JSON body.')
  return body
}

/** https://developers.notion.com/reference/intro#parameters-for-paginated-requests: in the body of a POST, in the query of a GET. */
export const paging = ({ query }: ApiRequest): Json => {
  const [size, cursor] = [query.get('page_size'), query.get('start_cursor')]
  return {
    ...(size === null ? {} : { page_size: /^\d+$/.test(size) ? Number(size) : size }),
    ...(cursor === null ? {} : { start_cursor: cursor }),
  }
}

/** https://developers.notion.com/reference/intro#pagination */
export const list = (found: readonly Json[], asked: Json, type: string, where = 'body'): Json => {
  const size = asked['page_size'] ?? 100
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 1 || size > 100)
    throw invalid(`${where} failed validation: ${where}.page_size should be an integer from 1 to 100.`)
  const cursor = asked['start_cursor']
  const start = cursor === undefined ? 0 : found.findIndex(item => item['id'] === cursor)
  if (start < 0) throw invalid(`start_cursor provided is invalid: ${JSON.stringify(cursor)}`)
  const next = found[start + size]?.['id'] ?? null
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

export const answered = (object: Json): Json => ({ ...object, request_id: randomUUID() })

/** `archived` is the former name of `in_trash`; both are read and shown. */
export const trashed = (body: Json, now: boolean): boolean => {
  const trash = body['in_trash'] ?? body['archived'] ?? now
  if (typeof trash !== 'boolean') throw invalid('body failed validation: body.in_trash should be a boolean.')
  if (now && trash) throw invalid("Can't edit block that is archived. You must unarchive the block before editing.")
  return trash
}

/** https://developers.notion.com/reference/file-object, …/reference/emoji-object; null takes it away. */
export const dressing = (body: Json): Json => {
  const kinds = { icon: ['emoji', 'external', 'custom_emoji', 'file_upload'], cover: ['external', 'file_upload'] }
  const dressed: Record<string, unknown> = {}
  for (const [key, allowed] of Object.entries(kinds)) {
    const given = body[key]
    if (given === undefined) continue
    const kind = isObject(given) ? allowed.find(each => given[each] !== undefined) : undefined
    if (given !== null && (kind === undefined || !isObject(given)))
      throw invalid(
        `body failed validation. Fix one: ${allowed.map(each => `body.${key}.${each} should be defined, instead was \`undefined\``).join('. ')}.`,
      )
    dressed[key] = given === null || kind === undefined ? null : { type: kind, [kind]: (given as Json)[kind] }
  }
  return dressed
}
