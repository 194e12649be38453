/** A connection: one end user's authorised link through an integration. */
import type { JsonObject } from './credential.ts'

export type ConnectionStatus = 'connected' | 'reauthorization_required'

/** Whose account it is at the provider, where the provider says. */
export interface Account {
  /** The workspace, organisation or account. */
  readonly id: string
  readonly name?: string
  /** The person who authorised. */
  readonly personId?: string
  readonly personName?: string
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
  readonly account?: Account
  /** Sealed: access token and the token answer without its refresh token. */
  readonly access: Uint8Array
  /** Sealed: the refresh token. */
  readonly renewal?: Uint8Array
  readonly expiresAt?: Date
  /** When the provider gave the credential. */
  readonly obtainedAt: Date
  /** Moves with a new credential, and only then. Starts at 1. */
  readonly credentialRevision: number
  readonly scopes?: readonly string[]
  /** What the caller gave as `params[x]`, and what the definition keeps of the token answer. Nothing secret. */
  readonly config: Readonly<Record<string, string>>
  /** What the customer set. */
  readonly metadata: JsonObject
  /** What the flow obtained. Kept apart: neither wipes the other. */
  readonly facts: JsonObject
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** Facts and metadata as one; what the customer set wins. */
export const mergedMetadata = (connection: Pick<Connection, 'facts' | 'metadata'>): JsonObject => ({
  ...connection.facts,
  ...connection.metadata,
})

/** What a person calls it: "Acme, Ada Lovelace". */
export const accountLabel = (account: Account): string =>
  [account.name ?? account.id, account.personName].filter(Boolean).join(', ')

/** Whether two accounts are provably the same: the same workspace and, where it is known, the same person. */
export const sameAccount = (a: Account | undefined, b: Account | undefined): boolean =>
  a !== undefined && b !== undefined && a.id === b.id && a.personId === b.personId

/** What `connection_id` may be: 1 to 255 characters, none of them a control character. */
export const connectionId = /^[^\p{Cc}]{1,255}$/u
