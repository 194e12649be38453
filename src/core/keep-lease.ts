/** A lease while somebody works under it, and the database's clock as a process sees it. */
import type { RefreshTiming } from './refresh-timing.ts'
import type { RefreshEnd, RefreshLease, RefreshStorage } from './storage-refresh.ts'

export interface Hold {
  /** Until when, on `performance.now()`, a call may begin: its time limit then ends before the lease does. */
  sendBefore(): number
  /** Extends it now; ends when the storage has taken that, or has failed to. */
  extend(): Promise<void>
  /** Gives it back; later calls do nothing. */
  end(end: RefreshEnd): Promise<void>
  /** It is kept until `end`, whatever `release` says: an answer is still being written. */
  pin(): void
  /** Gives it back where nothing else was recorded. */
  release(): Promise<void>
}

/** Extends a lease that was asked for at `since`, on `performance.now()`, until it is ended. */
export const keepLease = (
  storage: RefreshStorage,
  lease: RefreshLease,
  since: number,
  timing: RefreshTiming,
  failed: (error: unknown) => void,
): Hold => {
  let [from, ended, pinned] = [since, false, false]
  const extend = async () => {
    // Counted from before the question: the database's answer is true of a later moment.
    const asked = performance.now()
    try {
      // Where another has taken it, what we may still send ends when it would have.
      if (await storage.extendLease(lease, timing.lease)) from = asked
    } catch (error) {
      // It may lapse; then nothing more is sent under it.
      failed(error)
    }
  }
  const timer = setInterval(extend, timing.lease / 3)
  timer.unref()
  const end = async (how: RefreshEnd): Promise<void> => {
    if (ended) return
    ended = true
    clearInterval(timer)
    try {
      await storage.endRefresh(lease, how)
    } catch (error) {
      // It lapses by itself.
      failed(error)
    }
  }
  return {
    sendBefore: () => from + timing.lease - timing.call,
    extend,
    end,
    pin() {
      pinned = true
    },
    release: async () => {
      if (!pinned) await end({ settled: false })
    },
  }
}

export interface Steadiness {
  /** The database's clock showed this just now. */
  saw(now: number): void
  /** For how many milliseconds what it says of a time's age is not believed. */
  unsteady(): number
}

/** Milliseconds that the database's clock and ours may drift apart, by a slow answer for example. */
const tolerated = 2000

/** Notices that the database's clock was set: ages on it then say nothing for `length` milliseconds. */
export const createSteadiness = (length: number): Steadiness => {
  let [apart, since]: [number | undefined, number] = [undefined, -length]
  return {
    saw(now) {
      const is = now - performance.now()
      if (apart !== undefined && Math.abs(is - apart) > tolerated) since = performance.now()
      apart = is
    },
    unsteady: () => Math.max(0, since + length - performance.now()),
  }
}
