/**
 * Leaves a provider that is down alone: after a few failures in a row nobody in this process asks it, but for one call now
 * and then, until one is answered. So an outage costs neither us nor them a call for each connection.
 */
import type { Clock } from './ports.ts'
import type { RefreshTiming } from './refresh-timing.ts'

/** Failures in a row that open it. */
const most = 5
/** Milliseconds that others wait for the one call that tries whether the provider is back. */
const whileTrying = 1000

interface Circuit {
  failures: number
  /** Undefined while it is closed. */
  opened: { at: number; wait: number } | undefined
  /** The one call that tries whether the provider is back is under way. */
  trying: boolean
}

export interface Breaker {
  /** For how many milliseconds nobody may ask this host; undefined: now. */
  shut(host: string): number | undefined
  /** As `shut`; who may ask must tell how it ended, by one of the others. */
  ask(host: string): number | undefined
  /** It answered: whatever it said, it is up. */
  answered(host: string): void
  failed(host: string): void
  /** It was not asked in the end. */
  left(host: string): void
}

/** It stays open for the first of the times, and each time twice as long, up to the last. */
export const createBreaker = (clock: Clock, [first, longest]: RefreshTiming['breaker']): Breaker => {
  const circuits = new Map<string, Circuit>()
  const remaining = ({ at, wait }: { at: number; wait: number }): number => {
    const left = at + wait - clock.now().getTime()
    // A clock that was set back keeps nobody out for longer than was meant.
    return left > wait ? 0 : left
  }
  const shut = (host: string): number | undefined => {
    const circuit = circuits.get(host)
    if (!circuit?.opened) return undefined
    const left = remaining(circuit.opened)
    if (left > 0) return left
    return circuit.trying ? whileTrying : undefined
  }
  return {
    shut,
    ask(host) {
      const left = shut(host)
      const circuit = circuits.get(host)
      if (left === undefined && circuit?.opened) circuit.trying = true
      return left
    },
    answered(host) {
      circuits.delete(host)
    },
    failed(host) {
      const circuit = circuits.get(host) ?? { failures: 0, opened: undefined, trying: false }
      circuits.set(host, circuit)
      circuit.failures++
      const tried = circuit.trying
      circuit.trying = false
      // Those that were under way when it opened say nothing new.
      if (circuit.failures < most || (circuit.opened && !tried)) return
      const wait = circuit.opened ? Math.min(circuit.opened.wait * 2, longest) : first
      circuit.opened = { at: clock.now().getTime(), wait }
    },
    left(host) {
      const circuit = circuits.get(host)
      if (circuit) circuit.trying = false
    },
  }
}
