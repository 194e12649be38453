/** Merging connections: one is kept, and the id of the other leads to it from then on. */
import { type Connection, shownId } from './connection.ts'
import type { Context } from './context.ts'
import { MortiseError } from './errors.ts'

/** Those that may be merged into this one: of the same end user, through the same integration. */
export const mergeable = async (context: Context, row: Connection): Promise<Connection[]> => {
  const filter = { endUserId: row.endUserId, integrationKey: row.integrationKey }
  return (await context.storage.connections(row.environmentId, filter)).filter(each => each.id !== row.id)
}

/**
 * Removes `from` with its credential; its id, under all its names, answers with `into`. Whether both open the same
 * account is for the person who merges them to say: an import may not know. Throws `invalid_request` for two that differ
 * in end user or integration.
 */
export const merge = async (context: Context, from: Connection, into: Connection): Promise<void> => {
  const fits =
    from.id !== into.id &&
    from.environmentId === into.environmentId &&
    from.endUserId === into.endUserId &&
    from.integrationKey === into.integrationKey
  if (!fits)
    throw new MortiseError(
      'invalid_request',
      `${shownId(from)} and ${shownId(into)} cannot be merged: only two connections of one end user through one integration can.`,
    )
  // Somebody merged them the other way round, or deleted one, meanwhile.
  if (!(await context.storage.deleteConnection(from.environmentId, from.id, context.clock.now(), into.id)))
    throw new MortiseError('conflict', 'One of the two is gone already. Look at the list again.')
  context.log.info('merged', { provider: into.provider, id: from.id, into: into.id })
}
