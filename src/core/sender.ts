/** Who a proxied call is made for: a connection with a credential that works, and its integration. By the fast read. */
import { type Connection, type CredentialRow, toCredentialRow } from './connection.ts'
import type { Context } from './context.ts'
import { type Credential, type CredentialKind, Secret } from './credential.ts'
import type { ClientInUse } from './credential-header.ts'
import { findConnection } from './find.ts'
import { type Integration, unknownIntegration } from './integration.ts'
import { clientOfRow } from './own-client.ts'
import { isFreshNow, type Names, type Read, readCredential, readRow } from './read.ts'
import type { Refresher } from './refresh.ts'
import type { Soon } from './soon.ts'

/** The connection: as a row that was found, by its names, or by a text that `findConnection` understands. */
export type Sought = Connection | Names | Called

interface Called {
  readonly environmentId: number
  readonly called: string
}

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

export interface Senders {
  /** At once, where it is known. Throws (or rejects with) what a read throws. */
  of(sought: Sought): Soon<Sender>
}

/** Milliseconds for which one is kept at most, and how many are. */
const keptFor = 10_000
const most = 1000

/**
 * A sender stands as long as nothing is committed and its credential is fresh: until then, who calls through the same connection
 * again has the same one. Why, and what it saves: decisions/009.
 */
export const createSenders = (context: Context, refresher: Refresher): Senders => {
  const { storage } = context
  // Those who were called lately, and those before them: a Map walks over what was taken out of it to find its oldest.
  let kept = new Map<string, Found>()
  let before = kept
  let version: number | undefined
  let ending = false
  const keep = (name: string, found: Found): void => {
    if (kept.size >= most / 2) {
      before = kept
      kept = new Map()
    }
    kept.set(name, found)
    if (ending) return
    ending = true
    setTimeout(() => {
      ending = false
      forget()
    }, keptFor).unref()
  }
  const forget = () => {
    kept.clear()
    before.clear()
  }
  return {
    of(sought) {
      if ('access' in sought) return readRow(context, refresher, sought).then(read => senderOfRead(context, read))
      const current = storage.version()
      if (current !== version) forget()
      version = current
      if (current === undefined) return find(context, refresher, sought).then(found => found.sender)
      const name = nameOf(sought)
      const lately = kept.get(name)
      const known = lately ?? before.get(name)
      if (known && isFreshNow(context, known.row)) {
        if (!lately) keep(name, known)
        return known.sender
      }
      return find(context, refresher, sought).then(found => {
        // What was read before another commit is not known to stand after it. To renew is a commit.
        if (!found.renewed && current === version) keep(name, found)
        return found.sender
      })
    },
  }
}

/** The length says where the key of the integration ends, and the colon that none follows: no two have one name. */
const nameOf = (sought: Names | Called): string =>
  'called' in sought
    ? `${sought.environmentId}: ${sought.called}`
    : `${sought.environmentId} ${sought.integrationKey.length} ${sought.integrationKey} ${sought.connectionId}`

interface Found {
  readonly sender: Sender
  /** Whose end is its end. */
  readonly row: CredentialRow
  /** The row that was found first had no token that works. */
  readonly renewed: boolean
}

const find = async (context: Context, refresher: Refresher, sought: Names | Called): Promise<Found> => {
  if ('called' in sought) {
    const row = await findConnection(context, sought.environmentId, sought.called)
    const read = await readRow(context, refresher, row)
    const sender = await senderOfRead(context, read)
    return { sender, row: toCredentialRow(read.connection), renewed: read.connection !== row }
  }
  const { environmentId, integrationKey, connectionId } = sought
  // Both in one turn; so where the credential has to be renewed first, the integration is as it was before that.
  const [{ row, credential, renewed }, integration] = await Promise.all([
    readCredential(context, refresher, sought),
    integrationOf(context, environmentId, integrationKey),
  ])
  const texts = credential.reveal()
  if (texts.tokenSecret !== undefined) return { row, renewed, sender: await senderAgain(context, refresher, sought) }
  const sender: Sender = {
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
  return { row, renewed, sender }
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
  const { kind, accessToken, tokenSecret } = credential
  const integration = await integrationOf(context, environmentId, integrationKey)
  return {
    environmentId,
    integrationKey,
    connectionId,
    id,
    client:
      kind === 'oauth1'
        ? await clientOfRow(context, integration, connection)
        : { provider: context.providerOf(integration), integration, config },
    // A call has no use for more of it, and what is not there does not lie about.
    credential: { kind, accessToken, ...(tokenSecret ? { tokenSecret } : {}), raw: new Secret({}) },
    renewable: renewal !== undefined,
  }
}

const integrationOf = async (context: Context, environmentId: number, key: string): Promise<Integration> => {
  const found = await context.storage.integration(environmentId, key)
  if (found) return found
  throw unknownIntegration(key, await context.environmentOf(environmentId))
}
