/** The times that refreshes of several processes go by, in milliseconds. Tests of it shorten them; nobody else should. */
export interface RefreshTiming {
  /** The whole call to the provider. */
  readonly call: number
  /** How long a lease lasts without being extended. Longer than `call`: who holds it past its end may still be calling. */
  readonly lease: number
  /** After `call`, how long an answer may still be on its way to be written. */
  readonly straggler: number
  /** How long somebody who is about to send a token again waits, holding the lease, for an answer that is written late. */
  readonly landing: number
  /** How long somebody who waits for an answer waits for the storage to take it. */
  readonly patience: number
  /** After a failure, how soon it is tried again at most where nothing is left to serve. */
  readonly urgent: number
  /** How long a provider that is down is left alone, the first time and at most. */
  readonly breaker: readonly [number, number]
  /** The shortest and the longest wait of a process for another one's refresh. */
  readonly poll: readonly [number, number]
}

export const refreshTiming: RefreshTiming = {
  call: 20_000,
  lease: 30_000,
  straggler: 5_000,
  landing: 2_000,
  patience: 6_000,
  urgent: 10_000,
  breaker: [10_000, 120_000],
  poll: [50, 500],
}
