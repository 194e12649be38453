/** The part of the storage port on moving an environment: frozen, read whole, and restored. Its contract as in `storage.ts`. */
import type { Connection, DeletedConnection } from './connection.ts'
import type { EndUser } from './end-user.ts'
import type { AllowKind, Environment, SecretKey } from './environment.ts'
import type { WebhookEndpoint } from './event.ts'
import type { Integration } from './integration.ts'

/** A connection with all that is kept of it. */
export interface Stored {
  readonly connection: Connection
  /** What a new authorization of the same account finds it by. */
  readonly accountKey?: string
  /** Absent where there is no refresh token. */
  readonly refresh?: StoredRefresh
}

/** What outlasts a refresh. Times of the mark are the database's. */
export interface StoredRefresh {
  readonly dueAt?: Date
  readonly markDigest?: string
  readonly markFirstAt?: Date
  readonly markAt?: Date
  readonly probes: number
  readonly failures: number
  readonly failedAt?: Date
  readonly waitUntil?: Date
  /** The revision that the credential came with from a backup: while it is that, nobody knows whether it was used since. */
  readonly restoredRevision?: number
}

/** An environment as it was at one moment. Those of which there may be many come in pages, ordered by id. */
export interface Snapshot {
  readonly environment: Environment
  readonly counts: { readonly endUsers: number; readonly connections: number; readonly deleted: number }
  allowed(): Promise<readonly { readonly kind: AllowKind; readonly url: string }[]>
  keys(): Promise<readonly SecretKey[]>
  integrations(): Promise<readonly Integration[]>
  endpoint(): Promise<WebhookEndpoint | undefined>
  endUsers(): AsyncIterable<readonly EndUser[]>
  connections(): AsyncIterable<readonly Stored[]>
  deleted(): AsyncIterable<readonly DeletedConnection[]>
}

/**
 * What is to become of one that is there. `write`: it is written over. `verify`: its credential is no copy of an unknown
 * age any more. `leave`, `conflict`: nothing.
 */
export type Judged = 'leave' | 'write' | 'verify' | 'conflict'

/**
 * What became of one. `deleted`: it was deleted here, and stays so. `taken`: another row has its number, its name or its
 * account. Of those and of a conflict nothing was written.
 */
export type Restored = 'new' | 'deleted' | 'taken' | Judged

export interface MoveStorage {
  /**
   * Freezes an environment, or undoes it with undefined; one that is frozen keeps its time. Once this has answered, in all
   * processes: no lease of a refresh is given and no refresh token is marked as sent, `authorize` and whatever else
   * changes its connections and end users throws `conflict` (environment_frozen), and what was written before is seen by
   * `snapshot`. A credential that is still on its way is swapped in all the same: it exists nowhere else.
   */
  setFrozen(environmentId: number, at: Date | undefined): Promise<void>
  /** How many refreshes somebody holds the lease of, or has sent less than `straggler` milliseconds ago and not heard of. */
  refreshesUnderWay(environmentId: number, straggler: number): Promise<number>
  /** Reads all of an environment. Throws `not_found` where there is none of that id. */
  snapshot<T>(environmentId: number, read: (of: Snapshot) => Promise<T>): Promise<T>

  /**
   * Writes an environment that comes from elsewhere with its id. One of the same name that is empty gives way to it
   * (`replaced`). Nothing is written where it is `there`, where its id is that of one with another name (`elsewhere`), or
   * where its name (`name taken`) or its public key (`key taken`) is another's.
   */
  restoreEnvironment(
    environment: Environment,
  ): Promise<'new' | 'replaced' | 'there' | 'elsewhere' | 'name taken' | 'key taken'>
  /** Writes the endpoint as it is. false, and nothing is written, if there is one. */
  restoreEndpoint(endpoint: WebhookEndpoint): Promise<boolean>
  /** Writes those that are not there; answers the ids of all whose name is another's. */
  restoreEndUsers(environmentId: number, users: readonly EndUser[]): Promise<readonly string[]>
  /**
   * In one durable transaction: writes those that are not there, and does with those that are what `judge` says; it may be
   * asked more than once. Answers what became of each, in their order.
   */
  restoreConnections(
    environmentId: number,
    rows: readonly Stored[],
    judge: (given: Stored, here: Stored) => Judged,
  ): Promise<readonly Restored[]>
  /** Remembers those that are not remembered yet. */
  restoreDeleted(environmentId: number, rows: readonly DeletedConnection[]): Promise<void>
}
