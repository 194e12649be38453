/** The REST client of S0: plain calls for a user, an integration and its data. */
import { type AlloyHttp, alloyHttp, isObject } from './alloy-http.ts'

export class AlloyRestClient {
  /** For every other route: `client.client.get('/users/…')` resolves to `{ data, status, headers }`. */
  readonly client: AlloyHttp
  /** The user that the calls are for. */
  readonly userId: string

  constructor(apiKey: string, baseUrl: string, userId: string) {
    this.client = alloyHttp({ baseUrl, apiKey })
    this.userId = userId
  }

  async listIntegrations(): Promise<unknown> {
    return content((await this.client.get('/integrations')).data)
  }

  async getUser(userId: string = this.userId): Promise<unknown> {
    return content((await this.client.get(`/users/${encodeURIComponent(userId)}`)).data)
  }

  async readData(userId: string, integrationId: string, entity: string): Promise<unknown> {
    return content((await this.client.get(records(userId, integrationId, entity))).data)
  }

  async createData(userId: string, integrationId: string, entity: string, record: unknown): Promise<unknown> {
    return content((await this.client.post(records(userId, integrationId, entity), record)).data)
  }

  async updateData(
    userId: string,
    integrationId: string,
    entity: string,
    recordId: string,
    record: unknown,
  ): Promise<unknown> {
    const path = `${records(userId, integrationId, entity)}/${encodeURIComponent(recordId)}`
    return content((await this.client.put(path, record)).data)
  }

  /** How the user's connection to an integration stands, its ID included. */
  async getConnectionStatus(userId: string, integrationId: string): Promise<unknown> {
    return (await this.client.get(`${integration(userId, integrationId)}/connection`)).data
  }
}

const integration = (userId: string, integrationId: string): string =>
  `/users/${encodeURIComponent(userId)}/integrations/${encodeURIComponent(integrationId)}`

const records = (userId: string, integrationId: string, entity: string): string =>
  `${integration(userId, integrationId)}/data/${encodeURIComponent(entity)}`

/** What `{data: …}` holds; an answer without that envelope as it is. */
const content = (answer: unknown): unknown =>
  isObject(answer) && answer['data'] !== undefined ? answer['data'] : answer
