/**
 * Notion through a connection: actions named as in Notion's API reference, executed by the hub.
 * https://developers.notion.com/reference
 */
import { type AlloyHttp, alloyHttp, isObject, plain } from './alloy-http.ts'
import type { AppConfig } from './config.ts'

type Json = Readonly<Record<string, unknown>>

export interface NotionObject extends Json {
  readonly object: string
  readonly id: string
  readonly url?: string
}

export interface NotionList {
  readonly results: readonly NotionObject[]
  readonly has_more?: boolean
  readonly next_cursor?: string | null
}

interface ActionInput {
  readonly requestBody?: Json
  readonly queryParameters?: Json
  readonly pathParams?: Json
}

/** Where a page is put. A page at the top of a workspace needs rights that few connections have. */
export type Parent = { readonly page_id: string } | { readonly database_id: string }

export class NotionClient {
  readonly #http: AlloyHttp
  readonly #connectionId: string

  constructor(config: Pick<AppConfig, 'alloyApiKey' | 'alloyBaseUrl'>, connectionId: string) {
    this.#http = alloyHttp({ baseUrl: config.alloyBaseUrl, apiKey: config.alloyApiKey })
    this.#connectionId = connectionId
  }

  async searchPages(query?: string, filter: Json = { property: 'object', value: 'page' }): Promise<NotionList> {
    const requestBody = { ...(query === undefined ? {} : { query }), filter }
    return listOf(await this.execute('post-search', { requestBody }))
  }

  async getPage(pageId: string): Promise<NotionObject> {
    return objectOf(await this.execute('retrieve-a-page', { pathParams: { page_id: pageId } }))
  }

  async createPage(page: Json): Promise<NotionObject> {
    return objectOf(await this.execute('post-page', { requestBody: page }))
  }

  async updatePage(pageId: string, changes: Json): Promise<NotionObject> {
    return objectOf(await this.execute('patch-page', { pathParams: { page_id: pageId }, requestBody: changes }))
  }

  async queryDatabase(databaseId: string, query: Json = {}): Promise<NotionList> {
    const pathParams = { database_id: databaseId }
    return listOf(await this.execute('post-database-query', { pathParams, requestBody: query }))
  }

  async getDatabase(databaseId: string): Promise<NotionObject> {
    return objectOf(await this.execute('retrieve-a-database', { pathParams: { database_id: databaseId } }))
  }

  /** A page that has a title and nothing else. */
  createSimplePage(title: string, parent: Parent): Promise<NotionObject> {
    return this.createPage({ parent, properties: titled(title, 'database_id' in parent ? 'Name' : 'title') })
  }

  /** Gives a page another title, whatever its title property is called. */
  async updatePageTitle(pageId: string, title: string): Promise<NotionObject> {
    const page = await this.getPage(pageId)
    return this.updatePage(pageId, { properties: titled(title, titleProperty(page)?.[0] ?? 'title') })
  }

  /** Any action of the connector, by its id. */
  async execute(actionId: string, input: ActionInput = {}): Promise<unknown> {
    const { data } = await this.#http.post(`/connectors/notion/actions/${encodeURIComponent(actionId)}/execute`, {
      credentialId: this.#connectionId,
      ...input,
      headers: { 'Notion-Version': '2022-06-28' },
    })
    if (!isObject(data)) throw new Error(`The action ${actionId} was answered without JSON. Check ALLOY_BASE_URL.`)
    const result = data['responseData'] ?? data['data'] ?? data
    if (data['status'] === 'failed' || data['status'] === 'error') {
      const said = isObject(result) && typeof result['message'] === 'string' ? result['message'] : 'it gives no reason'
      throw new Error(`The action ${actionId} failed: ${plain(said)}`)
    }
    return result
  }
}

const titled = (title: string, property: string): Json => ({ [property]: { title: [{ text: { content: title } }] } })

const titleProperty = (page: NotionObject): [name: string, property: Json] | undefined =>
  Object.entries(isObject(page['properties']) ? page['properties'] : {}).find(
    (entry): entry is [string, Json] => isObject(entry[1]) && entry[1]['type'] === 'title',
  )

/** A page's title, or a database's, as plain text. */
export const titleOf = (item: NotionObject): string => {
  const texts = titleProperty(item)?.[1]['title'] ?? item['title']
  const parts = Array.isArray(texts) ? texts.filter(isObject) : []
  return plain(parts.map(part => String(part['plain_text'] ?? '')).join(''))
}

const objectOf = (result: unknown): NotionObject => {
  if (isObject(result) && typeof result['id'] === 'string') return result as NotionObject
  throw new Error('Notion answered without an object. Is this a connection to Notion?')
}

const listOf = (result: unknown): NotionList => {
  if (isObject(result) && Array.isArray(result['results'])) return result as unknown as NotionList
  throw new Error('Notion answered without a list. Is this a connection to Notion?')
}
