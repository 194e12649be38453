/** A connection: one end user's authorised link through an integration. */
import type { Trust } from './attempt.ts'
import type { CredentialKind, JsonObject } from './credential.ts'
import type { EndUser } from './end-user.ts'
import { MortiseError } from './errors.ts'
import type { Tags } from './tags.ts'

type ConnectionStatus = 'connected' | 'reauthorization_required'

/** Why the end user must come back: a code, and a sentence for people. */
export interface Flag {
  readonly cause: FlagCause
  readonly message: string
}

/**
 * `refresh_refused`: the provider said that the grant is dead. `refresh_ambiguous`: a refresh was interrupted before its
 * answer was written, so the refresh token was probably spent, and the provider refused it when it was tried again.
 * `restored_copy`: it came from a backup and was never refreshed here, so the hub that the backup is of has probably used
 * its refresh token since.
 */
export type FlagCause = 'refresh_refused' | 'refresh_ambiguous' | 'restored_copy'

/** What is left of a connection that was deleted. */
export interface DeletedConnection {
  readonly environmentId: number
  readonly id: string
  readonly integrationKey: string
  readonly connectionId: string
  readonly endUserId: string
  readonly deletedAt: Date
  /** The row that took its place, where it was merged into another. */
  readonly mergedInto?: string
}

/** Whose account it is at the provider, where the provider says. */
export interface Account {
  /** The workspace, organisation or account. */
  readonly id: string
  readonly name?: string
  /** The person who authorised. */
  readonly personId?: string
  readonly personName?: string
  /** The token belongs to the account itself, not to a person (a shop's installed app). */
  readonly shared?: true
}

/** A connection's row. The credential's two parts are sealed apart: reading needs one, renewing both. */
export interface Connection {
  readonly environmentId: number
  /** Made by the app, below 2^53. */
  readonly number: number
  /** 24 hex digits; the row's place in seals. */
  readonly id: string
  readonly integrationKey: string
  readonly provider: string
  /** The caller's name for it, unique with the integration; our `id` where the caller gave none. */
  readonly connectionId: string
  /** '' where the flow had none. */
  readonly endUserId: string
  readonly status: ConnectionStatus
  /** The cause, where the status is not `connected`. */
  readonly statusReason?: string
  readonly statusCause?: FlagCause
  readonly account?: Account
  /** What the caller calls it, for people. */
  readonly name?: string
  readonly kind: CredentialKind
  /** How far the one who began it was trusted. A bare public key is anybody's: such a row is never picked unless it is named. */
  readonly trust: Trust
  /** Sealed: access token and the token answer without its refresh token. */
  readonly access: Uint8Array
  /** Sealed: the refresh token. */
  readonly renewal?: Uint8Array
  /** Sealed: the client at the provider that it was authorized for, where that is not the integration's. */
  readonly client?: Uint8Array
  readonly expiresAt?: Date
  /** When the provider gave the credential. */
  readonly obtainedAt: Date
  /** When it was last found to work, by asking the provider. */
  readonly checkedAt?: Date
  /** Moves with a new credential, and only then. Starts at 1. */
  readonly credentialRevision: number
  readonly scopes?: readonly string[]
  /** What the caller gave as `params[x]`, and what the definition keeps of the token answer. Nothing secret. */
  readonly config: Readonly<Record<string, string>>
  /** What the customer set. */
  readonly metadata: JsonObject
  /** What the flow obtained. Kept apart: neither wipes the other. */
  readonly facts: JsonObject
  /** What the app finds it by. */
  readonly tags: Tags
  /** Where the app wants to be told of this connection. */
  readonly webhookUrlOverride?: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** A connection as a list shows it: nothing of it is sealed. */
export interface ListedConnection extends Omit<Connection, 'access' | 'renewal' | 'client'> {
  /** Whether there is a refresh token. */
  readonly renewable: boolean
  /** Whose it is, where it is somebody's. */
  readonly endUser?: EndUser
}

/**
 * What a call is made with, as the storage holds it: JSON as text, times in milliseconds, what is absent as null. Shared by
 * whoever reads the row, so nobody changes it.
 */
export interface CredentialRow {
  readonly id: string
  readonly provider: string
  readonly status: string
  readonly kind: string
  readonly access: Uint8Array
  /** Whether there is a renewal part: 0 or 1. */
  readonly renewable: number
  readonly expiresAt: number | null
  readonly obtainedAt: number
  /** The text of a JSON object. */
  readonly config: string
}

/** What a reader is answered with, in the same way. */
export interface ReadRow extends CredentialRow {
  readonly number: number
  readonly endUserId: string
  /** The renewal part, where it was asked for. */
  readonly renewal?: Uint8Array | null
  /** Texts of JSON objects. */
  readonly metadata: string
  readonly facts: string
  readonly tags: string
  readonly webhookUrlOverride: string | null
  /** Of the end user; all null where there is none. */
  readonly username: string | null
  readonly fullName: string | null
  readonly email: string | null
  /** The text of a JSON object. */
  readonly userTags: string | null
  readonly organizationId: string | null
  readonly organizationName: string | null
  readonly createdAt: number
  readonly updatedAt: number
}

/** The same of a whole row. */
export const toCredentialRow = (row: Connection): CredentialRow => ({
  id: row.id,
  provider: row.provider,
  status: row.status,
  kind: row.kind,
  access: row.access,
  renewable: row.renewal === undefined ? 0 : 1,
  expiresAt: row.expiresAt?.getTime() ?? null,
  obtainedAt: row.obtainedAt.getTime(),
  config: JSON.stringify(row.config),
})

/** The same of a whole row and its end user. */
export const toReadRow = (row: Connection, withRenewal: boolean, user?: EndUser): ReadRow => ({
  ...toCredentialRow(row),
  number: row.number,
  endUserId: row.endUserId,
  ...(withRenewal ? { renewal: row.renewal ?? null } : {}),
  metadata: JSON.stringify(row.metadata),
  facts: JSON.stringify(row.facts),
  tags: JSON.stringify(row.tags),
  webhookUrlOverride: row.webhookUrlOverride ?? null,
  username: user?.username ?? null,
  fullName: user?.fullName ?? null,
  email: user?.email ?? null,
  userTags: user?.tags ? JSON.stringify(user.tags) : null,
  organizationId: user?.organization?.id ?? null,
  organizationName: user?.organization?.name ?? null,
  createdAt: row.createdAt.getTime(),
  updatedAt: row.updatedAt.getTime(),
})

/**
 * The one id of a connection that is unique in its environment. Where the hub named the connection, or took it over under
 * 24 hex digits, that is its connection id too.
 */
export const shownId = (connection: Pick<Connection, 'id' | 'connectionId'>): string =>
  connection.connectionId === connection.id ? connection.id : mintedId(connection.id)

/** What the hub calls a connection where the caller did not. */
export const mintedId = (id: string): string => `conn_${id}`

/** The row itself. Throws `reauthorization_required`, with its cause, for one that only the end user can repair. */
export const mustWork = (row: Connection): Connection => {
  if (row.status === 'connected') return row
  throw new MortiseError('reauthorization_required', row.statusReason, {
    reason: row.statusCause ?? 'refresh_refused',
  })
}

/** The row's id in any of the forms an id is written in: `conn_…`, `cred_…` or bare; undefined where it is no such id. */
export const rowIdIn = (text: string): string | undefined => /^(?:conn_|cred_)?([0-9a-f]{24})$/.exec(text)?.[1]

/** Facts and metadata as one; what the customer set wins. */
export const mergedMetadata = (connection: Pick<Connection, 'facts' | 'metadata'>): JsonObject => ({
  ...connection.facts,
  ...connection.metadata,
})

/** The same as text; parsed only where there is something to merge. */
export const mergedMetadataText = ({ facts, metadata }: Pick<ReadRow, 'facts' | 'metadata'>): string => {
  if (metadata === '{}') return facts
  if (facts === '{}') return metadata
  return JSON.stringify(mergedMetadata({ facts: JSON.parse(facts), metadata: JSON.parse(metadata) }))
}

/** What a person calls it: "Acme, Ada Lovelace". */
export const accountLabel = (account: Account): string =>
  [account.name ?? account.id, account.personName].filter(Boolean).join(', ')

/**
 * What tells this account from every other: workspace and person, or the workspace alone where its token belongs to no
 * person. Undefined where that is not known: then nothing is proven.
 */
export const accountKeyOf = (account: Account | undefined): string | undefined =>
  account?.personId !== undefined
    ? JSON.stringify([account.id, account.personId])
    : account?.shared
      ? JSON.stringify([account.id])
      : undefined

/** Whether two accounts are provably the same. */
export const sameAccount = (a: Account | undefined, b: Account | undefined): boolean =>
  accountKeyOf(a) !== undefined && accountKeyOf(a) === accountKeyOf(b)

/** A bare public key creates, or repairs with the same proven account. Anything else needs the HMAC or a session. */
export const mayRepair = (trust: Trust, existing: Pick<Connection, 'account'>, account: Account | undefined): void => {
  if (trust === 'proven' || sameAccount(existing.account, account)) return
  throw new MortiseError(
    'forbidden',
    'This connection id is taken by another account, and a public key alone may not replace it. The app must add an HMAC to the link, or use another connection_id.',
    { reason: 'connection_taken' },
  )
}

export const repairedIsGone = (): MortiseError =>
  new MortiseError(
    'not_found',
    'The connection that was to be connected again has been deleted. Start again from the app.',
    { reason: 'connection_deleted' },
  )

/** `elsewhere`: the integrations through which there is one of that id. */
export const connectionUnknown = (
  id: string,
  integrationKey: string,
  elsewhere: readonly string[] = [],
): MortiseError =>
  new MortiseError(
    'not_found',
    `There is no connection "${id}" through the integration "${integrationKey}"${elsewhere.length === 0 ? '' : ` (there is one through ${elsewhere.join(', ')})`}. Its end user has not connected yet, or it was deleted.`,
    { reason: 'connection_unknown' },
  )

/** What `connection_id` may be: 1 to 255 characters, none of them a control character. */
export const connectionId = /^[^\p{Cc}]{1,255}$/u
