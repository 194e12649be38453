/**
 * The part of the storage port on refreshes: who is at one, what was sent off, and what is due. Its contract as in
 * `storage.ts`. Leases and marks run on the database's own clock, of which callers learn ages and lengths only.
 */

/** The right to refresh one connection, until it lapses. Nobody else has the same fence. */
export interface RefreshLease {
  readonly environmentId: number
  readonly id: string
  readonly holder: string
  /** Moves each time the lease is taken: what an earlier holder writes late is told by it. */
  readonly fence: number
}

/** How the refreshes of a connection stand. */
export interface RefreshState {
  /** Somebody holds the lease. */
  readonly held: boolean
  /** A refresh token was sent off, and its answer was never written. */
  readonly mark?: {
    readonly digest: string
    /** Milliseconds since it was first sent, and last. */
    readonly firstAge: number
    readonly age: number
    /** How often it was sent again although it may have been spent. */
    readonly probes: number
  }
  /** Failures since the last success. */
  readonly failures: number
  readonly failedAt?: Date
  /** The provider asked not to be asked again before. */
  readonly waitUntil?: Date
  /** The revision of the credential that came from a backup, and was not refreshed here while it is that. */
  readonly restoredRevision?: number
}

/** How a refresh ended, as far as it is kept apart from the connection. */
export interface RefreshEnd {
  /** The mark goes: the answer was written, or the refresh token was certainly not spent. */
  readonly settled: boolean
  /** Absent: as they were. */
  readonly tries?: Pick<RefreshState, 'failures' | 'failedAt' | 'waitUntil'>
  /** When the background looks at it next; null: never; absent: as it was. */
  readonly dueAt?: Date | null
}

export interface RefreshClaim {
  readonly environmentId: number
  readonly id: string
  readonly provider: string
  readonly dueAt: Date
}

export interface RefreshStorage {
  /**
   * Undefined where the connection has no refresh token, or is gone. With the revision of its credential; `frozen`: and no
   * lease is given, because its environment is.
   */
  refreshState(
    environmentId: number,
    id: string,
  ): Promise<(RefreshState & { readonly revision: number; readonly frozen?: true }) | undefined>
  /**
   * Takes the lease for `ttl` milliseconds unless somebody has it: exactly one of many callers gets it. Answers the state
   * as it is then, and the database's time in milliseconds. Undefined where it is held, there is nothing to refresh, or the
   * environment is frozen.
   */
  leaseRefresh(
    environmentId: number,
    id: string,
    holder: string,
    ttl: number,
  ): Promise<{ readonly lease: RefreshLease; readonly state: RefreshState; readonly now: number } | undefined>
  /** Holds it for `ttl` milliseconds from now, even if it had lapsed. false if another has taken it. */
  extendLease(lease: RefreshLease, ttl: number): Promise<boolean>
  /**
   * Notes, durably, that a refresh token is sent off now: its digest. `probe`: it may have been spent already. false, and
   * nothing is written, if the lease is lost or has lapsed, or the environment is frozen: then nothing may be sent.
   */
  markRefresh(lease: RefreshLease, digest: string, probe: boolean): Promise<boolean>
  /** Gives the lease back and records how it ended. false, and nothing is written, if another has the lease. */
  endRefresh(lease: RefreshLease, end: RefreshEnd): Promise<boolean>
  /**
   * Claims up to `limit` connections of all environments that are not frozen whose refresh is due at `now`, the longest due first, but of none
   * of the providers `except`: each is given to exactly one caller among all processes, and is not due again before
   * `until`. `dueAt`: since when it was due.
   */
  claimRefreshes(now: Date, until: Date, limit: number, except: readonly string[]): Promise<RefreshClaim[]>
  /** Whether any is due at `now`, of any environment. */
  anyRefreshDue(now: Date): Promise<boolean>
  /** Sets when the background looks at it next; undefined: never. */
  setRefreshDue(environmentId: number, id: string, dueAt: Date | undefined): Promise<void>
}
