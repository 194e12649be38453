/** Who a proxied call is made for: a connection with a credential that works, and its integration. By the fast read. */
import type { Connection } from './connection.ts'
import type { Context } from './context.ts'
import { type Credential, type CredentialKind, Secret } from './credential.ts'
import type { ClientInUse } from './credential-header.ts'
import { type Integration, unknownIntegration } from './integration.ts'
import { clientOfRow } from './own-client.ts'
import { type Names, type Read, readCredential, readRow } from './read.ts'
import type { Refresher } from './refresh.ts'

/** The connection, by its names or as a row that was found. */
export type Sought = Connection | Names

export interface Sender {
  readonly environmentId: number
  readonly integrationKey: string
  readonly connectionId: string
  /** The row's. */
  readonly id: string
  readonly client: ClientInUse
  readonly credential: Credential
  /** It has a refresh token. */
  readonly renewable: boolean
}

export const senderOf = async (context: Context, refresher: Refresher, sought: Sought): Promise<Sender> => {
  if ('access' in sought) return senderOfRead(context, await readRow(context, refresher, sought))
  const { environmentId, integrationKey, connectionId } = sought
  // Both in one turn; so where the credential has to be renewed first, the integration is as it was before that.
  const [{ row, credential }, integration] = await Promise.all([
    readCredential(context, refresher, sought),
    integrationOf(context, environmentId, integrationKey),
  ])
  const texts = credential.reveal()
  if (texts.tokenSecret !== undefined) return senderAgain(context, refresher, sought)
  return {
    environmentId,
    integrationKey,
    connectionId,
    id: row.id,
    client: {
      provider: context.providerOf(integration),
      integration,
      config: row.config === '{}' ? {} : JSON.parse(row.config),
    },
    credential: {
      kind: row.kind as CredentialKind,
      accessToken: new Secret(stringOf(texts.accessToken)),
      raw: new Secret({}),
    },
    renewable: row.renewable !== 0,
  }
}

/** What a JSON text stands for that is a string. */
const stringOf = (json: string): string => (json.includes('\\') ? JSON.parse(json) : json.slice(1, -1))

/** What signs needs the client's secret, too, which may be the connection's own. */
const senderAgain = async (
  context: Context,
  refresher: Refresher,
  { environmentId, integrationKey, connectionId }: Names,
): Promise<Sender> => {
  const row = await context.storage.connection(environmentId, integrationKey, connectionId)
  if (!row) throw unknownIntegration(integrationKey, await context.environmentOf(environmentId))
  return senderOfRead(context, await readRow(context, refresher, row))
}

export const senderOfRead = async (context: Context, { connection, credential }: Read): Promise<Sender> => {
  const { environmentId, integrationKey, connectionId, id, config, renewal } = connection
  const integration = await integrationOf(context, environmentId, integrationKey)
  return {
    environmentId,
    integrationKey,
    connectionId,
    id,
    client:
      credential.kind === 'oauth1'
        ? await clientOfRow(context, integration, connection)
        : { provider: context.providerOf(integration), integration, config },
    credential,
    renewable: renewal !== undefined,
  }
}

const integrationOf = async (context: Context, environmentId: number, key: string): Promise<Integration> => {
  const found = await context.storage.integration(environmentId, key)
  if (found) return found
  throw unknownIntegration(key, await context.environmentOf(environmentId))
}
