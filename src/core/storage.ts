/**
 * The storage port. Methods are domain verbs; the contract is in the comments, and `test/storage.contract.ts` holds
 * every implementation to it. All times are Dates. Nothing here opens a seal: blobs pass through as they are.
 * Every method but those on environments takes the environment first and never reaches another's rows.
 */
import type { Attempt, Outcome } from './attempt.ts'
import type { Connection } from './connection.ts'
import type { AllowKind, Environment, SecretKey } from './environment.ts'
import type { Integration } from './integration.ts'

export interface Storage {
  /** Answers when the database does; throws otherwise. */
  ping(): Promise<void>
  close(): Promise<void>
  /** A number that differs from the last one if keys may have changed since, here or in another process. Costs microseconds. */
  epoch(): number

  /** A named value written once (the root key's check value): stores it if the name is free, answers what is stored. */
  mark(name: string, value: Uint8Array): Promise<Uint8Array>
  /** The value under a name, without writing. */
  marked(name: string): Promise<Uint8Array | undefined>

  /** false if the name or the public key is taken; nothing is written then. */
  addEnvironment(environment: Environment): Promise<boolean>
  /** All of them, oldest first. */
  environments(): Promise<Environment[]>
  setHmacKey(environmentId: number, hmacKey: Uint8Array | undefined): Promise<void>
  allow(environmentId: number, kind: AllowKind, url: string): Promise<void>
  /** false if it was not on the list. */
  disallow(environmentId: number, kind: AllowKind, url: string): Promise<boolean>
  allowed(environmentId: number, kind: AllowKind): Promise<string[]>

  addKey(key: SecretKey): Promise<void>
  /** Every key of every environment, revoked ones too, oldest first: the map of who may call is made of these. */
  keys(): Promise<SecretKey[]>
  /** false if there is no such living key. */
  revokeKey(environmentId: number, id: string, at: Date): Promise<boolean>

  /** false if the key is taken in the environment. */
  addIntegration(integration: Integration): Promise<boolean>
  integration(environmentId: number, key: string): Promise<Integration | undefined>
  /** By key. */
  integrations(environmentId: number): Promise<Integration[]>
  /** 'in use' while connections stand on it: nothing is removed then. */
  removeIntegration(environmentId: number, key: string): Promise<'removed' | 'unknown' | 'in use'>

  addAttempt(attempt: Attempt): Promise<void>
  attempt(environmentId: number, stateHash: string): Promise<Attempt | undefined>
  /**
   * Takes the attempt, exactly once among all callers and processes: only with the right browser, only before its
   * deadline, only if nobody took it. undefined otherwise; `attempt` then tells why.
   */
  takeAttempt(environmentId: number, stateHash: string, browserHash: string, now: Date): Promise<Attempt | undefined>
  /** Records how a taken attempt ended; the first outcome stays. Wipes the verifier. */
  endAttempt(environmentId: number, stateHash: string, outcome: Outcome): Promise<void>
  /** Removes attempts whose deadline was before `before`; answers how many. */
  sweepAttempts(before: Date): Promise<number>

  /**
   * In one durable transaction: finds the connection that the draft would repair (see `Draft`), lets `decide` compose
   * the row to write (or throw, which writes nothing), writes it, and ends the attempt with what `outcome` makes of it.
   * Two calls for the same account at once give one row.
   */
  authorize(draft: Draft): Promise<Connection>
  connection(environmentId: number, integrationKey: string, connectionId: string): Promise<Connection | undefined>
  /** Newest first. */
  connections(environmentId: number, filter: { connectionId?: string }): Promise<Connection[]>
  /**
   * Compare-and-swap of a renewed credential: written, durably, only if the revision is still `from`; moves it by one
   * and sets the status to connected. false if somebody was first. Touches nothing else of the row.
   */
  swapCredential(
    environmentId: number,
    id: string,
    from: number,
    next: Pick<Connection, 'access' | 'renewal' | 'expiresAt' | 'obtainedAt' | 'scopes'>,
  ): Promise<boolean>
  /** Sets `reauthorization_required`, by compare-and-swap: never overwrites a credential newer than `from`. */
  flagConnection(environmentId: number, id: string, from: number, reason: string, at: Date): Promise<boolean>
}

export interface Draft {
  readonly environmentId: number
  readonly integrationKey: string
  /** The row is found by the caller's id; or else by account and end user; or else it is always a new one. */
  readonly find:
    | { readonly connectionId: string }
    | { readonly accountKey: string; readonly endUserId: string }
    | undefined
  /** Composes the row; `existing` is read inside the transaction. `accountKey`: what `find` may find it by, if at all. */
  readonly decide: (existing: Found | undefined) => Found
  readonly attempt: { readonly stateHash: string; readonly outcome: (written: Connection) => Outcome }
}

export interface Found {
  readonly connection: Connection
  readonly accountKey: string | undefined
}
