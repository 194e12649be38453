/** The verbs that change a connection which is there, and the one that ends it. */
import { accountKeyOf, type Connection, connectionUnknown } from './connection.ts'
import type { Context } from './context.ts'
import type { JsonObject } from './credential.ts'
import { badParameter } from './errors.ts'
import { unknownIntegration } from './integration.ts'
import { isSecureUrl, parseUrl } from './loopback.ts'
import { revoke } from './revoke.ts'
import { personTags, type Tags, toTags } from './tags.ts'
import { knowEndUser, type Told } from './users.ts'

export interface Change {
  /** Whose it is from now on. */
  readonly endUser?: Told
  /** In place of those that there are, but for what its end user is tagged with. */
  readonly tags?: Tags
  /** null: none. */
  readonly webhookUrlOverride?: string | null
}

/** A URL that the hub may tell of a connection: https, or http on this machine. */
export const checkWebhookUrl = (url: string): string => {
  const parsed = parseUrl(url)
  if (parsed && isSecureUrl(parsed) && !/\p{Cc}/u.test(url) && url.length <= 2000) return url
  throw badParameter('webhook_url_override', 'webhook_url_override must be an absolute https URL without credentials.')
}

const ofPerson = /^end_user_(id|email|display_name)$/

/** Sets what is given and nothing else. Throws `invalid_request` for what cannot be set. */
export const changeConnection = async (context: Context, row: Connection, change: Change): Promise<void> => {
  const { storage, clock } = context
  const given = change.tags && toTags(change.tags)
  const url = change.webhookUrlOverride
  if (typeof url === 'string') checkWebhookUrl(url)
  const user = change.endUser && (await knowEndUser(context, row.environmentId, change.endUser))
  const kept = Object.entries(row.tags).filter(([name]) => !given || (!user && ofPerson.test(name)))
  const tags = { ...Object.fromEntries(kept), ...given, ...(user ? personTags(user) : {}) }
  const changed = await storage.patchConnection(
    row.environmentId,
    row.id,
    {
      ...(user ? { endUserId: user.id } : {}),
      ...(given || user ? { tags } : {}),
      ...(url === undefined ? {} : { webhookUrlOverride: url }),
    },
    clock.now(),
  )
  if (!changed) throw connectionUnknown(row.connectionId, row.integrationKey)
}

/**
 * Sets the metadata of several, or merges its first level into each one's. All are looked for before any is written.
 * Throws `not_found` (integration_unknown, connection_unknown), which names those that are not there.
 */
export const setMetadata = async (
  context: Context,
  environmentId: number,
  integrationKey: string,
  connectionIds: readonly string[],
  metadata: JsonObject,
  how: 'set' | 'merge',
): Promise<void> => {
  const { storage, clock } = context
  const rows: Connection[] = []
  for (const id of connectionIds) rows.push(await connectionNamed(context, environmentId, integrationKey, id))
  const now = clock.now()
  for (const row of rows)
    if (!(await storage.setMetadata(environmentId, row.id, metadata, how, now)))
      throw connectionUnknown(row.connectionId, integrationKey)
}

/** The row by its name. Throws `not_found` (integration_unknown, connection_unknown). */
export const connectionNamed = async (
  context: Context,
  environmentId: number,
  integrationKey: string,
  connectionId: string,
): Promise<Connection> => {
  const row = await context.storage.connection(environmentId, integrationKey, connectionId)
  if (row) return row
  if (!(await context.storage.integration(environmentId, integrationKey)))
    throw unknownIntegration(integrationKey, await context.environmentOf(environmentId))
  const elsewhere = await context.storage.connections(environmentId, { connectionId })
  throw connectionUnknown(
    connectionId,
    integrationKey,
    elsewhere.map(each => each.integrationKey),
  )
}

/** Milliseconds that a provider has to hear of it. */
const patience = 5000

/**
 * Deletes the connection, and then tells the provider, where its definition says how and nobody else has that account:
 * one grant there may stand behind several connections, and another's must not die with this one. Where the definition says
 * that it ends the whole account's, nobody else of that account may be left. What the provider
 * answers changes nothing: the connection is gone. false if it was gone already.
 */
export const disconnect = async (context: Context, row: Connection): Promise<boolean> => {
  const { storage, clock } = context
  if (!(await storage.deleteConnection(row.environmentId, row.id, clock.now()))) return false
  const ends = context.catalogue.get(row.provider)?.revoke?.ends === 'account' ? 'everybody' : 'person'
  if (accountKeyOf(row.account) !== undefined && !(await storage.sharesAccount(row, ends)))
    await revoke(context, row, patience)
  return true
}
