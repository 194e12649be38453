/** A user, a connection that is checked for real, and the pages behind it. */
import { AlloyError, type AlloyHttp, alloyHttp, isObject } from './alloy-http.ts'
import { type AppConfig, ownUser } from './config.ts'
import { type ConnectionRow, connectionIdOf, hasId, integrationOf, isUsable } from './connections.ts'
import { NotionClient, type NotionObject, type Parent } from './notion-client.ts'
import { AlloyOAuthFlow } from './oauth-flow.ts'
import { hasTitle, isRouteMissing } from './outcome.ts'

/** A page to be: a title, and where it goes (below the first page that the connection may see, where nothing is said). */
export interface PageDraft {
  readonly title: string
  readonly parent?: Parent
}

export class AlloyClient {
  readonly #config: AppConfig
  readonly #http: AlloyHttp
  #userId: string
  #connectionId: string | undefined

  constructor(config: AppConfig) {
    this.#config = config
    this.#http = alloyHttp({ baseUrl: config.alloyBaseUrl, apiKey: config.alloyApiKey })
    this.#userId = config.alloyUserId
  }

  /** Whom the calls that follow are for: a user's ID or username. Returns its ID. */
  async authenticateUser(username: string): Promise<string> {
    const { data } = await this.#http.get(`/users/${encodeURIComponent(username)}`)
    if (!isObject(data) || typeof data['userId'] !== 'string')
      throw new Error(`${this.#config.alloyBaseUrl} answered without a user. Check ALLOY_BASE_URL.`)
    this.#userId = data['userId']
    return this.#userId
  }

  /** Asks the server whether the connection exists, belongs to the user and works. Throws what S0 tells of, by its cause. */
  async connectToIntegration(connectionId: string | undefined): Promise<ConnectionRow> {
    const id = connectionId?.trim() ?? ''
    if (id === '')
      throw new Error('Connection ID not found: CONNECTION_ID is not set. Get one with: npm run connect-notion')
    const flow = new AlloyOAuthFlow({ ...this.#config, alloyUserId: this.#userId })
    const rows = await flow.listConnections()
    const row = rows.find(each => hasId(each, id)) ?? (await this.#elsewhere(flow, id, rows.length))
    if (!isUsable(row))
      throw new Error(
        `Invalid connection ID: ${id} is not active, its status is ${row.status}. Connect it again: npm run connect-notion`,
      )
    await this.#tryOut(connectionIdOf(row) ?? id)
    this.#connectionId = id
    return row
  }

  /** A list tells what was known last; a hub finds out whether the provider still takes the credential. */
  async #tryOut(id: string): Promise<void> {
    try {
      await this.#http.post(`/credentials/${encodeURIComponent(id)}/test`)
    } catch (error) {
      if (isRouteMissing(error)) return
      if (!(error instanceof AlloyError && [401, 409].includes(error.status))) throw error
      const said = hasTitle(error.message) ? error.message : `Invalid connection ID: ${error.message}`
      throw new Error(`${said.replace(/[.\s]*$/, '.')} Connect it again: npm run connect-notion`, { cause: error })
    }
  }

  /** Not in the user's list: whose is it then? */
  async #elsewhere(flow: AlloyOAuthFlow, id: string, others: number): Promise<never> {
    const user = this.#userId
    const stranger = await flow.getConnection(id).catch((error: unknown) => {
      if (!(error instanceof AlloyError && [400, 404, 410].includes(error.status))) throw error
      if (!/^(?:(?:conn|cred)_)?[\w.@-]{3,}$/.test(id))
        throw new Error(
          `Invalid connection ID: this is not the format of one, which is conn_… or 24 hex digits. See yours with: npm run list-connections`,
          { cause: error },
        )
      if (others === 0)
        throw new Error(
          `No connections available: the user ${user} has none, so ${id} is not connected either. Connect first: npm run connect-notion`,
          { cause: error },
        )
      if (hasTitle(error.message))
        throw new Error(`${error.message.replace(/[.\s]*$/, '.')} See them with: npm run list-connections`, {
          cause: error,
        })
      // A server that knows what became of it says so.
      const gone = /\bwas disconnected\b/.test(error.message)
        ? error.message.replace(/^connection (?:id )?not found\W+/i, '')
        : undefined
      const missing = `${id} is not among ${user === ownUser ? 'your' : 'the'} ${others} connection${others === 1 ? '' : 's'}${user === ownUser ? '' : ` of the user ${user}`}.`
      throw new Error(`Connection ID not found: ${gone ?? missing} See them with: npm run list-connections`, {
        cause: error,
      })
    })
    throw new Error(
      `Invalid connection ID: ${id} (${integrationOf(stranger) ?? 'unknown integration'}) belongs to another user than ${user}. Check ALLOY_USER_ID.`,
    )
  }

  async readPages(): Promise<readonly NotionObject[]> {
    return (await this.#notion().searchPages()).results
  }

  async createPage(draft: PageDraft): Promise<NotionObject> {
    const parent = draft.parent ?? (await this.#somewhere())
    return this.#notion().createSimplePage(draft.title, parent)
  }

  updatePage(pageId: string, changes: { readonly title: string }): Promise<NotionObject> {
    return this.#notion().updatePageTitle(pageId, changes.title)
  }

  getPage(pageId: string): Promise<NotionObject> {
    return this.#notion().getPage(pageId)
  }

  async listDatabases(): Promise<readonly NotionObject[]> {
    return (await this.#notion().searchPages(undefined, { property: 'object', value: 'database' })).results
  }

  /** Whether the hub plays the provider itself, so that what is there is nowhere else. Other servers have no sandbox. */
  async isSandbox(connection: ConnectionRow): Promise<boolean> {
    try {
      const { data } = await this.#http.get(`/connectors/${encodeURIComponent(integrationOf(connection) ?? 'notion')}`)
      return isObject(data) && data['sandbox'] === true
    } catch (error) {
      if (error instanceof AlloyError) return false
      throw error
    }
  }

  /** Forgets the user and the connection. */
  clearSession(): void {
    this.#userId = this.#config.alloyUserId
    this.#connectionId = undefined
  }

  #notion(): NotionClient {
    if (this.#connectionId === undefined)
      throw new Error('No connection is chosen. Call connectToIntegration(connectionId) first.')
    return new NotionClient(this.#config, this.#connectionId)
  }

  async #somewhere(): Promise<Parent> {
    const pages = await this.readPages()
    const atTop = pages.find(each => isObject(each['parent']) && each['parent']['type'] === 'workspace')
    const any = atTop ?? pages[0]
    if (any === undefined)
      throw new Error(
        'There is no place for a new page: no page of this workspace is shared with the connection. Connect again and pick one: npm run connect-notion',
      )
    return { page_id: any.id }
  }
}
