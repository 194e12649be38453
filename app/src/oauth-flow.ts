/** The OAuth flow of S1: initiate, send the browser there, exchange the code for a connection ID. */
import { AlloyError, type AlloyHttp, alloyHttp, isObject } from './alloy-http.ts'
import { type AppConfig, getConfig, ownUser } from './config.ts'
import { type ConnectionRow, connectionIdOf, hasId, rowsOf } from './connections.ts'

export interface OAuthStart {
  readonly oauthUrl: string
  readonly credentialId?: string
  /** What the callback will carry: keep it in the session, and check it before you redeem the code. */
  readonly state?: string
}

export interface OAuthEnd {
  readonly connectionId: string
  readonly credentialId: string
  readonly status?: string
  /** What the server finds odd, such as a state that is not the one the flow was begun with. */
  readonly warnings?: readonly string[]
}

/** Fields that one of the two dialects of this request does not know. */
const optionalFields = ['credentialType', 'connectorId', 'state'] as const

export class AlloyOAuthFlow {
  readonly #config: AppConfig
  readonly #http: AlloyHttp

  constructor(config: AppConfig = getConfig()) {
    this.#config = config
    this.#http = alloyHttp({ baseUrl: config.alloyBaseUrl, apiKey: config.alloyApiKey })
  }

  async initiateOAuthFlow(
    connectorId: string,
    redirectUri: string,
    options: { readonly state?: string } = {},
  ): Promise<OAuthStart> {
    const answer = await this.#initiate(connectorId, {
      connectorId,
      // S1 writes the one, the vendor's reference the other.
      credentialType: 'oauth2',
      authenticationType: 'oauth2',
      redirectUri,
      ...this.#user(),
      ...(options.state === undefined ? {} : { state: options.state }),
    })
    const { oauthUrl, credentialId } = answer
    if (typeof oauthUrl !== 'string' || !/^https?:\/\//.test(oauthUrl) || !URL.canParse(oauthUrl))
      throw new Error(`${this.#config.alloyBaseUrl} answered without an oauthUrl. Check ALLOY_BASE_URL.`)
    const state = typeof answer['state'] === 'string' ? answer['state'] : options.state
    return {
      oauthUrl,
      ...(typeof credentialId === 'string' ? { credentialId } : {}),
      ...(state === undefined ? {} : { state }),
    }
  }

  /** Sends the request again without the fields that the server refuses by name. Nothing was made by a refused one. */
  async #initiate(connectorId: string, body: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
    try {
      const { data } = await this.#http.post(`/connectors/${encodeURIComponent(connectorId)}/credentials`, body)
      return isObject(data) ? data : {}
    } catch (error) {
      if (!(error instanceof AlloyError && error.status === 400)) throw error
      const named = optionalFields.filter(
        field =>
          field in body &&
          (error.fields.includes(field) || (field === 'credentialType' && error.message.includes(field))),
      )
      if (named.length === 0) throw error
      const fewer = Object.entries(body).filter(([field]) => !named.some(each => each === field))
      return this.#initiate(connectorId, Object.fromEntries(fewer))
    }
  }

  async handleOAuthCallback(connectorId: string, code: string, state?: string): Promise<OAuthEnd> {
    return this.#redeem(connectorId, { code, ...(state === undefined ? {} : { state }) })
  }

  /** What a flow made that came back without a code. Throws how it stands, where it made nothing. */
  askAfter(connectorId: string, credentialId: string): Promise<OAuthEnd> {
    return this.#redeem(connectorId, { credentialId })
  }

  async #redeem(connectorId: string, given: Readonly<Record<string, string>>): Promise<OAuthEnd> {
    const path = `/connectors/${encodeURIComponent(connectorId)}/credentials/callback`
    const { data } = await this.#http.post(path, { ...given, ...this.#user() })
    const row: ConnectionRow & { readonly warnings?: unknown } = isObject(data) ? data : {}
    const connectionId = row.connectionId || connectionIdOf(row)
    if (connectionId === undefined)
      throw new Error(`${this.#config.alloyBaseUrl} answered the callback but named no connection.`)
    return {
      connectionId,
      credentialId: row.credentialId ?? connectionId,
      ...(row.status === undefined ? {} : { status: row.status }),
      ...(Array.isArray(row.warnings) ? { warnings: row.warnings.map(String) } : {}),
    }
  }

  async listConnections(): Promise<ConnectionRow[]> {
    const { data } = await this.#http.get(`/users/${encodeURIComponent(this.#config.alloyUserId)}/credentials`)
    return rowsOf(data)
  }

  async getConnection(id: string): Promise<ConnectionRow> {
    try {
      const { data } = await this.#http.get(`/credentials/${encodeURIComponent(id)}`)
      const row = isObject(data) && isObject(data['data']) ? data['data'] : data
      return isObject(row) ? row : {}
    } catch (error) {
      if (!(error instanceof AlloyError && error.status === 404)) throw error
      // A server without that route still has it in its list.
      const row = (await this.listConnections()).find(each => hasId(each, id))
      if (row === undefined) throw error
      return row
    }
  }

  async deleteConnection(id: string): Promise<void> {
    await this.#http.delete(`/credentials/${encodeURIComponent(id)}`)
  }

  /** The user, where one is configured: the key stands for its own. */
  #user(): { userId?: string } {
    return this.#config.alloyUserId === ownUser ? {} : { userId: this.#config.alloyUserId }
  }
}
