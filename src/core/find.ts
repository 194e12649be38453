/** Finding what a caller names: a connection by any form of its id, an integration by its key or its provider. */
import { didYouMean } from './alike.ts'
import { type Connection, connectionId, rowIdIn } from './connection.ts'
import type { Context } from './context.ts'
import type { Environment } from './environment.ts'
import { MortiseError } from './errors.ts'
import { type Integration, unknownIntegration } from './integration.ts'
import { notConnected } from './redeem.ts'

export interface Within {
  /** The end user whose it must be; '' is the environment's own. */
  readonly endUserId?: string
  readonly integrationKey?: string
}

/**
 * The connection that an id names: `conn_…`, `cred_…` or 24 hex digits (also the name of the session that made it), or
 * the caller's own name for it. Throws `invalid_request` (connection_malformed, connection_ambiguous,
 * connection_of_other_user) or `not_found` (connection_unknown, connection_deleted): each says which it was.
 */
export const findConnection = async (
  context: Context,
  environmentId: number,
  text: string,
  within: Within = {},
): Promise<Connection> => {
  const found = await named(context, environmentId, text, within)
  const shown = text.slice(0, 100)
  if (within.endUserId !== undefined && found.endUserId !== within.endUserId)
    throw new MortiseError(
      'invalid_request',
      `The connection "${shown}" belongs to another user than the one named. Name its own user, or leave the user out.`,
      { reason: 'connection_of_other_user' },
    )
  if (within.integrationKey !== undefined && found.integrationKey !== within.integrationKey)
    throw new MortiseError(
      'invalid_request',
      `The connection "${shown}" is one through ${found.integrationKey}, not ${within.integrationKey}.`,
      { reason: 'connection_unknown' },
    )
  return found
}

const named = async (context: Context, environmentId: number, text: string, within: Within): Promise<Connection> => {
  const { storage } = context
  const id = rowIdIn(text.toLowerCase())
  if (id !== undefined) {
    const row = await storage.connectionById(environmentId, id)
    if (row) return row
    const session = await storage.session(environmentId, { id })
    const made = session?.connectionRow && (await storage.connectionById(environmentId, session.connectionRow))
    if (made) return made
    if (session && session.connectionRow === undefined) throw notConnected(session, context.clock.now())
  }
  const shown = text.slice(0, 100)
  const rows = connectionId.test(text) ? await storage.connections(environmentId, { connectionId: text }) : []
  const fitting = rows.filter(
    row =>
      (within.integrationKey === undefined || row.integrationKey === within.integrationKey) &&
      (within.endUserId === undefined || row.endUserId === within.endUserId),
  )
  const [row, ...more] = fitting.length > 0 ? fitting : rows
  if (row && more.length === 0) return row
  if (row)
    throw new MortiseError(
      'invalid_request',
      `"${shown}" names a connection through each of ${[row, ...more].map(each => each.integrationKey).join(', ')}. Name the one that is meant by its own id, as the list shows it.`,
      { reason: 'connection_ambiguous' },
    )
  const gone = await storage.deletedConnection(environmentId, id ?? text)
  if (gone?.mergedInto !== undefined) return named(context, environmentId, gone.mergedInto, within)
  if (gone)
    throw new MortiseError(
      'not_found',
      `The connection "${shown}" through ${gone.integrationKey} was disconnected (deleted) at ${gone.deletedAt.toISOString()}. Its end user must connect the account again.`,
      { reason: 'connection_deleted' },
    )
  if (id === undefined)
    throw new MortiseError(
      'not_found',
      `"${shown}" is no connection of this environment, and not in the form of an id: conn_ with 24 hex digits, or the 24 digits alone. List the connections and copy one.`,
      { reason: 'connection_malformed' },
    )
  throw new MortiseError(
    'not_found',
    `There is no connection "${shown}" in this environment: its end user has not connected yet, or the key is that of another environment. List the connections to see those that there are.`,
    { reason: 'connection_unknown' },
  )
}

/** By key; or else the only one at the provider of that name. */
export const findIntegration = async (
  context: Context,
  environment: Environment,
  name: string,
): Promise<Integration> => {
  const exact = await context.storage.integration(environment.id, name)
  if (exact) return exact
  const all = await context.storage.integrations(environment.id)
  const [only, ...more] = all.filter(each => each.provider === name)
  if (only && more.length === 0) return only
  if (only)
    throw new MortiseError(
      'invalid_request',
      `There are ${more.length + 1} integrations at ${name}: ${[only, ...more].map(each => each.key).join(', ')}. Name the one that is meant.`,
      { reason: 'integration_unknown', parameter: 'connectorId' },
    )
  if (context.catalogue.get(name)) throw unknownIntegration(name, environment)
  const keys = all.map(each => each.key)
  throw new MortiseError(
    'not_found',
    `There is no connector "${name.slice(0, 100)}"${didYouMean(name, keys)}; there are: ${keys.join(', ') || 'none yet'}. The operator can add more: npx mortise integrations add …`,
    { reason: 'integration_unknown', parameter: 'connectorId' },
  )
}
