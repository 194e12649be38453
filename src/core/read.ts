/** The hot path: find → open → answer. No write, no lock; a refresh only when the token needs one. */

import { type Connection, connectionUnknown } from './connection.ts'
import type { Context } from './context.ts'
import type { Credential } from './credential.ts'
import { isFresh } from './due.ts'
import type { MortiseError } from './errors.ts'
import { unknownIntegration } from './integration.ts'
import type { Refresher } from './refresh.ts'
import { openCredential } from './sealed.ts'

export interface Read {
  readonly connection: Connection
  readonly credential: Credential
}

/**
 * The connection with a credential that works now. Throws `not_found` (integration_unknown, connection_unknown),
 * `reauthorization_required`, or the provider's outage where no living token is left.
 */
export const read = async (
  context: Context,
  refresher: Refresher,
  environmentId: number,
  integrationKey: string,
  connectionId: string,
): Promise<Read> => {
  const row = await context.storage.connection(environmentId, integrationKey, connectionId)
  if (!row) throw await unknown(context, environmentId, integrationKey, connectionId)
  return readRow(context, refresher, row)
}

/** The same, of a row that was found already. */
export const readRow = async (context: Context, refresher: Refresher, row: Connection): Promise<Read> => {
  const provider = context.catalogue.get(row.provider)
  const fresh = isFresh(row, provider, context.clock.now()) ? row : await refresher.freshen(row)
  return { connection: fresh, credential: openCredential(await context.sealerOf(row.environmentId), fresh) }
}

const unknown = async (context: Context, environmentId: number, key: string, id: string): Promise<MortiseError> => {
  if (!(await context.storage.integration(environmentId, key)))
    return unknownIntegration(key, await context.environmentOf(environmentId))
  const elsewhere = await context.storage.connections(environmentId, { connectionId: id })
  return connectionUnknown(
    id,
    key,
    elsewhere.map(each => each.integrationKey),
  )
}
