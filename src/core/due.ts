/** When a token is renewed: before a read answers it, in the background, and again after a failure. Pure. */
import type { Connection } from './connection.ts'
import type { Provider } from './provider.ts'
import type { RefreshState } from './storage-refresh.ts'

/** What the rule of freshness looks at, as numbers: milliseconds since 1970, null for never. */
export interface Freshness {
  readonly status: string
  readonly expiresAt: number | null
  readonly obtainedAt: number
  /** There is a refresh token. */
  readonly renewable: boolean | number
}

/** Milliseconds before its end from which a token is renewed before it is answered; at most a fifth of its life. */
const marginOf = (provider: Provider | undefined, life: number): number =>
  Math.min((provider?.refresh?.margin ?? 300) * 1000, life / 5)

/** Whether a read may answer the token as it is. `now`: milliseconds since 1970. */
export const isFreshAt = (of: Freshness, provider: Provider | undefined, now: number): boolean =>
  of.status === 'connected' &&
  (of.expiresAt === null || of.expiresAt - now > (of.renewable ? marginOf(provider, of.expiresAt - of.obtainedAt) : 0))

export const isFresh = (row: Connection, provider: Provider | undefined, now: Date): boolean =>
  isFreshAt(
    {
      status: row.status,
      expiresAt: row.expiresAt?.getTime() ?? null,
      obtainedAt: row.obtainedAt.getTime(),
      renewable: row.renewal !== undefined,
    },
    provider,
    now.getTime(),
  )

export const isExpired = (row: Pick<Connection, 'expiresAt'>, now: Date): boolean =>
  row.expiresAt !== undefined && row.expiresAt.getTime() <= now.getTime()

type Renewable = Pick<Connection, 'renewal' | 'expiresAt' | 'obtainedAt'>

/**
 * When the background renews it: well ahead of its end, so that a read rarely meets the margin; or in time to keep a
 * refresh token alive that dies unused. Up to a twentieth of the time earlier, by chance, so that what was connected
 * together is not renewed together. Undefined where neither is known.
 */
export const refreshAt = (
  row: Renewable,
  provider: Provider | undefined,
  chance: number = Math.random(),
): Date | undefined => {
  const refresh = provider?.refresh
  if (row.renewal === undefined || refresh === undefined) return undefined
  const from = row.obtainedAt.getTime()
  const times: number[] = []
  if (row.expiresAt) {
    const life = row.expiresAt.getTime() - from
    times.push(row.expiresAt.getTime() - Math.max(refresh.ahead * life, 1.5 * marginOf(provider, life)))
  }
  if (refresh.idle !== undefined) times.push(from + (refresh.idle * 1000) / 2)
  if (times.length === 0) return undefined
  const at = Math.min(...times)
  return new Date(Math.round(at - (at - from) * 0.05 * chance))
}

/** Waits after a failure, in milliseconds; the last one stays. */
const waits = [60_000, 5 * 60_000, 15 * 60_000, 60 * 60_000, 6 * 60 * 60_000]

/**
 * Before when no further try is made: what the provider asked for, or else by the table; where nothing is left to serve,
 * no longer than `most` milliseconds.
 */
export const nextTry = (state: RefreshState, most = Number.POSITIVE_INFINITY): Date | undefined => {
  if (state.failures === 0 || state.failedAt === undefined) return undefined
  if (state.waitUntil !== undefined) return state.waitUntil
  const wait = waits[Math.min(state.failures, waits.length) - 1] ?? 0
  return new Date(state.failedAt.getTime() + Math.min(wait, most))
}
