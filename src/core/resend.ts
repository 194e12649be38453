/**
 * Whether a refresh token may be sent again that was sent before and not heard of: the process died, the call timed out,
 * the answer was lost. Where each use spends it, sending it again may look like theft to the provider (RFC 9700 §4.14.2),
 * which then revokes all that descends from it. Pure.
 */
import type { Provider } from './provider.ts'
import type { RefreshTiming } from './refresh-timing.ts'
import type { RefreshState } from './storage-refresh.ts'

/**
 * `yes`: it does no harm. `probe`: nothing is left to lose by it, so the provider's answer decides. Otherwise the
 * milliseconds to wait before asking again. `alive`: for how long the access token still lives.
 */
export const mayResend = (
  mark: NonNullable<RefreshState['mark']>,
  refresh: NonNullable<Provider['refresh']>,
  alive: number,
  timing: Pick<RefreshTiming, 'call' | 'straggler'>,
): 'yes' | 'probe' | number => {
  if (!refresh.rotates || isInGrace(mark.firstAge, refresh, timing)) return 'yes'
  // The token that lives is worth more than knowing.
  if (alive > 0) return alive
  const longest = timing.call + timing.straggler
  const flying = Math.min(longest - mark.age, longest)
  return flying > 0 ? flying : 'probe'
}

/** The provider takes the same token once more for some time. `age`: milliseconds since it was first sent. */
export const isInGrace = (
  age: number,
  refresh: NonNullable<Provider['refresh']>,
  timing: Pick<RefreshTiming, 'call'>,
): boolean => refresh.grace !== undefined && age >= 0 && age + timing.call < refresh.grace * 1000
