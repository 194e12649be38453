/**
 * A connection's own client: an end user may bring a client at the provider, and the connection is made, and renewed, by that
 * one instead of the integration's. Sealed with the attempt and then with the connection.
 */
import type { Connection } from './connection.ts'
import type { Context } from './context.ts'
import { Secret } from './credential.ts'
import type { Client } from './grants/authorization-code.ts'
import type { Integration } from './integration.ts'
import type { Sealer } from './ports.ts'

export interface OwnClient {
  readonly id: string
  readonly secret: Secret
  /** For a provider that gives a refresh token once only: kept where its answer brings none. */
  readonly refreshToken?: Secret
}

type Table = 'attempts' | 'connections'

export const sealOwnClient = (sealer: Sealer, table: Table, row: string, own: OwnClient): Uint8Array =>
  sealer.seal(
    [table, row, 'client'],
    JSON.stringify([own.id, own.secret.reveal(), ...(own.refreshToken ? [own.refreshToken.reveal()] : [])]),
  )

export const openOwnClient = (sealer: Sealer, table: Table, row: string, sealed: Uint8Array): OwnClient => {
  const [id, secret, refreshToken]: [string, string, string?] = JSON.parse(sealer.open([table, row, 'client'], sealed))
  return {
    id,
    secret: new Secret(secret),
    ...(refreshToken === undefined ? {} : { refreshToken: new Secret(refreshToken) }),
  }
}

/** The client at the provider that acts for a connection: its own one, or the integration's. */
export const clientOf = async (
  context: Context,
  integration: Integration,
  config: Client['config'],
  own: OwnClient | undefined,
): Promise<Client & { readonly integration: Integration }> => {
  const provider = context.providerOf(integration)
  return own
    ? { provider, integration: { ...integration, clientId: own.id }, secret: own.secret, config }
    : { provider, integration, secret: await context.clientSecretOf(integration), config }
}

/** The same for a connection that is there. */
export const clientOfRow = async (
  context: Context,
  integration: Integration,
  row: Pick<Connection, 'environmentId' | 'id' | 'config' | 'client'>,
): Promise<Client & { readonly integration: Integration }> => {
  const own = row.client && openOwnClient(await context.sealerOf(row.environmentId), 'connections', row.id, row.client)
  return clientOf(context, integration, row.config, own)
}
