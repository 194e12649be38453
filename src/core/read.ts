/** The hot path: find → open → answer. No write, no lock; a refresh only when the token needs one. */

import {
  type Connection,
  type CredentialRow,
  connectionUnknown,
  type ReadRow,
  toCredentialRow,
  toReadRow,
} from './connection.ts'
import type { Context } from './context.ts'
import type { Credential, Secret } from './credential.ts'
import { isFresh, isFreshAt } from './due.ts'
import type { MortiseError } from './errors.ts'
import { unknownIntegration } from './integration.ts'
import type { Refresher } from './refresh.ts'
import { type CredentialTexts, openCredential, openTexts } from './sealed.ts'
import type { Soon } from './soon.ts'

export interface Read {
  readonly connection: Connection
  readonly credential: Credential
}

/** A read for who answers in JSON: the row and the credential as texts, to be spliced. */
export interface Reading {
  readonly integrationKey: string
  readonly connectionId: string
  readonly row: ReadRow
  readonly credential: Secret<CredentialTexts>
}

export interface ReadOptions {
  /** Renews first, whatever life the token has left. */
  readonly force?: boolean
}

export interface TextOptions extends ReadOptions {
  /** The refresh token is opened and shown too. */
  readonly withRefreshToken?: boolean
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
  options: ReadOptions = {},
): Promise<Read> => {
  const row = await context.storage.connection(environmentId, integrationKey, connectionId)
  if (!row) throw await unknown(context, environmentId, integrationKey, connectionId)
  return readRow(context, refresher, row, options)
}

/** The same, of a row that was found already. */
export const readRow = async (
  context: Context,
  refresher: Refresher,
  row: Connection,
  options: ReadOptions = {},
): Promise<Read> => {
  const fresh = await working(context, refresher, row, options)
  return { connection: fresh, credential: openCredential(await context.sealerOf(row.environmentId), fresh) }
}

/** The row with a token that works: itself where that is fresh. */
const working = async (
  { clock, catalogue }: Context,
  refresher: Refresher,
  row: Connection,
  { force }: ReadOptions,
): Promise<Connection> => {
  if (force && row.renewal !== undefined) return refresher.renew(row, 'demanded')
  return isFresh(row, catalogue.get(row.provider), clock.now()) ? row : refresher.freshen(row)
}

/**
 * The same as texts. The refresh token is opened only where it is asked for. Each `await` is a step that everyone who came
 * in the same turn takes before anyone takes the next.
 */
export const readTexts = async (
  context: Context,
  refresher: Refresher,
  environmentId: number,
  integrationKey: string,
  connectionId: string,
  options: TextOptions = {},
): Promise<Reading> => {
  const { storage } = context
  const withRefreshToken = options.withRefreshToken === true
  const hot = options.force ? undefined : storage.hot(environmentId, integrationKey, connectionId, withRefreshToken)
  const toRow = async (row: Connection) => {
    const user = row.endUserId === '' ? undefined : await storage.endUser(environmentId, { id: row.endUserId })
    return toReadRow(row, withRefreshToken, user)
  }
  const names = { environmentId, integrationKey, connectionId }
  const { row, credential } = await textsOf(context, refresher, names, hot, toRow, options)
  return { integrationKey, connectionId, row, credential }
}

/** The names of a connection. */
export interface Names {
  readonly environmentId: number
  readonly integrationKey: string
  readonly connectionId: string
}

/** As `readTexts`, for who makes a call. */
export const readCredential = (context: Context, refresher: Refresher, names: Names): Promise<Texts<CredentialRow>> => {
  const hot = context.storage.hotCredential(names.environmentId, names.integrationKey, names.connectionId)
  return textsOf(context, refresher, names, hot, toCredentialRow, {})
}

interface Texts<Row> {
  readonly row: Row
  readonly credential: Secret<CredentialTexts>
  /** The row as it stood had no token that works. */
  readonly renewed: boolean
}

/** `hot`: the row as it stands; `toRow`: the same of one that was found without a token that works, and has one now. */
const textsOf = async <Row extends CredentialRow>(
  context: Context,
  refresher: Refresher,
  { environmentId, integrationKey, connectionId }: Names,
  hot: Promise<Row | undefined> | undefined,
  toRow: (row: Connection) => Soon<Row>,
  options: ReadOptions,
): Promise<Texts<Row>> => {
  const { storage } = context
  const anew = async () => {
    const found = await storage.connection(environmentId, integrationKey, connectionId)
    if (!found) throw await unknown(context, environmentId, integrationKey, connectionId)
    return toRow(await working(context, refresher, found, options))
  }
  const there = await hot
  const row = there && isFreshNow(context, there) ? there : await anew()
  const sealer = await context.sealerOf(environmentId)
  return { row, credential: openTexts(sealer, row), renewed: row !== there }
}

export const isFreshNow = ({ catalogue, clock }: Context, row: CredentialRow): boolean =>
  isFreshAt(row, catalogue.get(row.provider), clock.now().getTime())

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
