/**
 * The storage port. Methods are domain verbs; the contract is in the comments, and `test/storage.contract.ts` holds
 * every implementation to it. All times are Dates. Nothing here opens a seal: blobs pass through as they are.
 * Every method but those on environments takes the environment first and never reaches another's rows.
 */
import type { Attempt, Outcome } from './attempt.ts'
import type { Connection, CredentialRow, DeletedConnection, Flag, ListedConnection, ReadRow } from './connection.ts'
import type { JsonObject } from './credential.ts'
import type { EndUser } from './end-user.ts'
import type { AllowKind, Environment, SecretKey } from './environment.ts'
import type { NewEvent } from './event.ts'
import type { Integration } from './integration.ts'
import type { ConnectSession } from './session.ts'
import type { Soon } from './soon.ts'
import type { MoveStorage } from './storage-move.ts'
import type { RefreshStorage } from './storage-refresh.ts'
import type { WebhookStorage } from './storage-webhooks.ts'
import type { Tags } from './tags.ts'

export interface Storage extends RefreshStorage, WebhookStorage, MoveStorage {
  /** Answers when the database does; throws otherwise, and where it is known that nothing can be written any more. */
  ping(): Promise<void>
  close(): Promise<void>
  /**
   * A number that differs from the last one if keys have changed since. A change made here moves it at once, one made by
   * another process within half a second. It costs microseconds, but for the one who has to ask the database. Throws
   * (or rejects) where that does not answer: whoever cannot know whether a key was revoked must not let it in.
   */
  epoch(): Soon<number>

  /** A named value written once (the root key's check value): stores it if the name is free, answers what is stored. */
  mark(name: string, value: Uint8Array): Promise<Uint8Array>
  /** The value under a name, without writing. */
  marked(name: string): Promise<Uint8Array | undefined>

  /** false if the name or the public key is taken; nothing is written then. */
  addEnvironment(environment: Environment): Promise<boolean>
  /** All of them, oldest first. */
  environments(): Promise<Environment[]>
  setHmacKey(environmentId: number, hmacKey: Uint8Array | undefined): Promise<void>
  /** Sets the key if there is none; answers the one that stands, whoever was first. */
  setJwtKey(environmentId: number, jwtKey: Uint8Array): Promise<Uint8Array>
  /** Another key in its place, whatever it was. */
  renewJwtKey(environmentId: number, jwtKey: Uint8Array): Promise<void>
  setTellsLatest(environmentId: number, on: boolean): Promise<void>
  allow(environmentId: number, kind: AllowKind, url: string): Promise<void>
  /** false if it was not on the list. */
  disallow(environmentId: number, kind: AllowKind, url: string): Promise<boolean>
  allowed(environmentId: number, kind: AllowKind): Promise<string[]>

  addKey(key: SecretKey): Promise<void>
  /** Every key of every environment, revoked ones too, oldest first: the map of who may call is made of these. */
  keys(): Promise<SecretKey[]>
  /** With the sessions that it began and that made no connection yet. false if there is no such living key. */
  revokeKey(environmentId: number, id: string, at: Date): Promise<boolean>

  /** false if the key is taken in the environment. */
  addIntegration(integration: Integration): Promise<boolean>
  /** Shared by whoever asks for it in one turn of the event loop, so nobody changes it. */
  integration(environmentId: number, key: string): Promise<Integration | undefined>
  /** By key. */
  integrations(environmentId: number): Promise<Integration[]>
  /**
   * Writes all of the one of that id anew, but when it was made. 'taken': another has its new key; 'in use': connections
   * stand on its old one. Nothing is written then.
   */
  updateIntegration(id: string, next: Integration): Promise<'updated' | 'unknown' | 'taken' | 'in use'>
  /** 'in use' while connections stand on it: nothing is removed then. */
  removeIntegration(environmentId: number, key: string): Promise<'removed' | 'unknown' | 'in use'>

  addAttempt(attempt: Attempt): Promise<void>
  attempt(environmentId: number, stateHash: string): Promise<Attempt | undefined>
  /**
   * Takes the attempt, exactly once among all callers and processes: only with the right browser, only before its
   * deadline, only if nobody took it. undefined otherwise; `attempt` then tells why.
   */
  takeAttempt(environmentId: number, stateHash: string, browserHash: string, now: Date): Promise<Attempt | undefined>
  /**
   * Records how a taken attempt ended; the first outcome stays. Wipes the verifier. Its session, unless that has a
   * connection already, ends with the same outcome, in the same transaction.
   */
  endAttempt(environmentId: number, stateHash: string, outcome: Outcome, at: Date): Promise<void>
  /** Removes attempts and sessions whose deadline was before `before`; answers how many attempts. */
  sweepAttempts(before: Date): Promise<number>

  /**
   * How attempts ended whose pages wait under one of these names and were not told yet, of any environment: a page that
   * opens a socket has named none. An attempt that is under way is none of them.
   */
  untold(listeners: readonly string[]): Promise<Untold[]>
  noteTold(environmentId: number, stateHash: string, at: Date): Promise<void>

  addSession(session: ConnectSession): Promise<void>
  /** By id, token, code, or state and caller; of several the newest. */
  session(environmentId: number, by: SessionKey): Promise<ConnectSession | undefined>
  /** How many sessions of that caller have the same state. */
  countSessions(session: Pick<ConnectSession, 'environmentId' | 'caller' | 'stateHash'>): Promise<number>
  /** The attempts of a session, newest first. */
  attemptsOf(environmentId: number, sessionId: string): Promise<Attempt[]>
  /** How many attempts were made of a session. */
  countAttempts(environmentId: number, sessionId: string): Promise<number>
  /** The newest of a caller for an integration. */
  latestSession(environmentId: number, caller: string, integrationKey: string): Promise<ConnectSession | undefined>
  /** Keeps a session to the browser that comes first: true for that one, again and again, before the deadline. */
  bindSession(environmentId: number, id: string, browserHash: string, now: Date): Promise<boolean>
  /** Ends it: what is under way with it fails. */
  deleteSession(environmentId: number, id: string): Promise<void>
  /** Sets where a session returns to, as long as nobody has opened it. false if somebody has. */
  setSessionReturn(environmentId: number, id: string, returnTo: string): Promise<boolean>
  /** Sets the code if there is none; answers the sealed one that stands. */
  setSessionCode(
    environmentId: number,
    id: string,
    code: { readonly code: Uint8Array; readonly codeHash: string },
  ): Promise<Uint8Array | undefined>

  /** false if the username or the id is taken in the environment. */
  addEndUser(user: EndUser): Promise<boolean>
  endUser(
    environmentId: number,
    by: { readonly id: string } | { readonly username: string },
  ): Promise<EndUser | undefined>
  /** By age. */
  endUsers(environmentId: number): Promise<EndUser[]>
  /** false if there is no such user, or another has that name. */
  updateEndUser(user: EndUser): Promise<boolean>
  /**
   * Adds the user, or sets what is given beyond it of the one that has the name already, in one transaction; answers the
   * one that stands. What is not given stays as it was.
   */
  tellEndUser(user: EndUser): Promise<EndUser>
  /** Removes the user with its sessions and connections; the latter are remembered. false if there is none. */
  deleteEndUser(environmentId: number, id: string, at: Date): Promise<boolean>

  /**
   * In one durable transaction: finds the connection that the draft would repair (see `Draft`), lets `decide` compose
   * the row to write (or throw, which writes nothing), writes it, and ends the attempt with what `outcome` makes of it.
   * Two calls for the same account at once give one row. The attempt's session ends with it, in the same transaction.
   * One that loses against another begins again, so `decide`, `outcome` and `events` may be called more than once.
   */
  authorize(draft: Draft): Promise<Connection>
  connection(environmentId: number, integrationKey: string, connectionId: string): Promise<Connection | undefined>
  /**
   * The hot read: what is committed of one connection, by one prepared point select, without a lock, a write or a parse.
   * Those of one turn of the event loop are made together. `withRenewal`: with its sealed renewal part, which most readers have no business with.
   */
  hot(
    environmentId: number,
    integrationKey: string,
    connectionId: string,
    withRenewal: boolean,
  ): Promise<ReadRow | undefined>
  /** The same for who makes a call: what goes with the credential, and nothing else of the row. */
  hotCredential(environmentId: number, integrationKey: string, connectionId: string): Promise<CredentialRow | undefined>
  /**
   * Another number, once anything was committed: what was read while it was this one still stands. All that this process has
   * committed counts, and of others what they had when this turn of the event loop first asked. Much cheaper than a read; undefined
   * where the engine cannot tell.
   */
  version(): number | undefined
  connectionById(environmentId: number, id: string): Promise<Connection | undefined>
  /**
   * A page of those that fit every part of the filter, newest first, and of one time the greater id first. Reads nothing
   * sealed, and no more rows than it answers.
   */
  listConnections(environmentId: number, filter: ListFilter, page: Page): Promise<ListedConnection[]>
  /** Adds up what was noted of connections that came and went, so that a page far down a list is found soon. */
  sweepCounts(): Promise<void>
  /**
   * Which of these rows are the newest of their end user through their integration. Of `proven`, rows that a bare public
   * key began count for nothing.
   */
  newest(environmentId: number, ids: readonly string[], of: 'all' | 'proven'): Promise<ReadonlySet<string>>
  /** Newest first, whole: for a few. */
  connections(environmentId: number, filter: ConnectionFilter): Promise<Connection[]>
  /**
   * Removes the row and its credential, and remembers that it was there; `mergedInto`: the row that its id leads to from
   * now on, which must be there. false if one of them was not there: nothing is removed then.
   */
  deleteConnection(environmentId: number, id: string, at: Date, mergedInto?: string): Promise<boolean>
  /**
   * Whether another connection through the same integration has the same account, as far as is known. `of` the person: the
   * account of the same person. Of everybody: anyone's; one whose account is not known may be of it, and counts.
   */
  sharesAccount(
    row: Pick<Connection, 'environmentId' | 'id' | 'integrationKey' | 'account'>,
    of: 'person' | 'everybody',
  ): Promise<boolean>
  /** Notes that it worked, by compare-and-swap: of this credential, not of a newer one. */
  noteChecked(environmentId: number, id: string, revision: number, at: Date): Promise<void>
  /** The latest that was deleted under this row id or connection id. */
  deletedConnection(environmentId: number, idOrName: string): Promise<DeletedConnection | undefined>
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
  /**
   * Sets `reauthorization_required`, by compare-and-swap: never overwrites a credential newer than `from`. Where it was not
   * so before, what is told of it becomes pending deliveries in the same transaction.
   */
  flagConnection(
    environmentId: number,
    id: string,
    from: number,
    why: Flag,
    at: Date,
    events?: readonly NewEvent[],
  ): Promise<boolean>
  /** Sets metadata, or merges its first level into what is there; touches nothing else. Undefined if there is no such row. */
  setMetadata(
    environmentId: number,
    id: string,
    metadata: JsonObject,
    how: 'set' | 'merge',
    at: Date,
  ): Promise<JsonObject | undefined>
  /**
   * Sets what is given, null: removes it; touches nothing else. One whose new end user has the same account through it
   * already is from then on found by its name only. false if there is no such row.
   */
  patchConnection(environmentId: number, id: string, change: ConnectionChange, at: Date): Promise<boolean>
  /** Notes when the token ends, by compare-and-swap: of this credential, not of a newer one. Moves no revision. */
  noteExpiry(environmentId: number, id: string, revision: number, expiresAt: Date): Promise<void>
}

export type SessionKey =
  | { readonly id: string }
  | { readonly tokenHash: string }
  | { readonly codeHash: string }
  | { readonly stateHash: string; readonly caller: string }

export interface ListFilter {
  readonly connectionId?: string
  /** '' is the environment's own. */
  readonly endUserId?: string
  /** Of their end user. */
  readonly organizationId?: string
  /** Any of these; of none, none. */
  readonly integrationKeys?: readonly string[]
  /** All of these. */
  readonly tags?: Tags
  /** Part of the connection id, or of the end user's name, full name or e-mail; ASCII letters in either case. */
  readonly search?: string
}

/** Where a list goes on: after this one. */
export type Cursor = Pick<Connection, 'createdAt' | 'id'>

export interface Page {
  readonly limit: number
  readonly after?: Cursor
  /**
   * How many come before the page: they are passed over, unless `after` says where it begins. A row that another process
   * adds or removes is counted half a second later at most.
   */
  readonly skip?: number
}

export interface ConnectionChange {
  readonly endUserId?: string
  readonly tags?: Tags
  readonly webhookUrlOverride?: string | null
}

/** What a page that waits is to be told. */
export interface Untold extends Pick<Attempt, 'environmentId' | 'stateHash' | 'integrationKey' | 'connectionId'> {
  readonly listener: string
  readonly outcome: Outcome
}

export interface ConnectionFilter {
  readonly connectionId?: string
  readonly endUserId?: string
  readonly integrationKey?: string
}

export interface Draft {
  readonly environmentId: number
  readonly integrationKey: string
  /** The row is found by its own id or the caller's; or else by account and end user; or else it is always a new one. */
  readonly find:
    | { readonly id: string }
    | { readonly connectionId: string }
    | { readonly accountKey: string; readonly endUserId: string }
    | undefined
  /** Composes the row; `existing` is read inside the transaction. `accountKey`: what `find` may find it by, if at all. */
  readonly decide: (existing: Found | undefined) => Found
  /** Absent for a credential that was given, without an authorization flow. */
  readonly attempt?: {
    readonly stateHash: string
    readonly sessionId?: string
    readonly outcome: (written: Connection) => Outcome
  }
  /**
   * What happened, as events: each to which the environment's webhook endpoint subscribes becomes a pending delivery in
   * the same transaction. Both stand or neither does.
   */
  readonly events?: (written: Connection, created: boolean) => readonly NewEvent[]
}

export interface Found {
  readonly connection: Connection
  /** Of one that is written: when it is first refreshed in the background, if at all. */
  readonly refreshAt?: Date | undefined
  readonly accountKey: string | undefined
}
