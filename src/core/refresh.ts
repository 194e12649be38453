/**
 * fresh? → join the run of this process → wait for another process, or take the lease and do it (`refresh-run.ts`).
 * What each step is for, and what is promised: docs/refresh.md. Correct for any number of processes on one database.
 */
import { createBreaker } from './breaker.ts'
import { type Connection, connectionUnknown, mustWork } from './connection.ts'
import type { Context } from './context.ts'
import { isExpired, isFresh } from './due.ts'
import { toMortiseError } from './errors.ts'
import { issuerOf } from './exchange.ts'
import { frozen } from './frozen.ts'
import { createHeld } from './held.ts'
import { newNonce } from './ids.ts'
import { createSteadiness, keepLease } from './keep-lease.ts'
import { createPace } from './pace.ts'
import { type Need, refreshUnderLease, type Shared, tell } from './refresh-run.ts'
import { busy, leftAlone, notRenewable } from './refresh-trouble.ts'

export interface Refresher {
  /**
   * A row with a credential that works: the same one, a newer one, or a living one where the provider is down.
   * Throws `reauthorization_required` (only the end user can repair it) or, for an expired token, what the provider's
   * outage was.
   */
  freshen(row: Connection): Promise<Connection>
  /**
   * A credential newer than this one. Any exchange that gives one will do, so those who ask at once share one. `need`:
   * `demanded` by the caller, though this one should live; `dead`, because the provider refused it; `later`, before a
   * read meets its end. Throws as `freshen` does, and where the provider is down.
   */
  renew(row: Connection, need: Need): Promise<Connection>
  /** Waits for what is under way, and until what the storage did not take has landed. */
  settle(): Promise<void>
}

/** The one run of this process for a connection. Who joins and needs it more raises `need`. */
interface Run {
  readonly promise: Promise<Connection>
  need: Need
}

/** Milliseconds after which a read asks again whether an environment is still frozen. */
const frozenRest = 1000

const urgency: readonly Need[] = ['later', 'demanded', 'dead']

export const createRefresher = (context: Context): Refresher => {
  const { storage, clock, log, timing } = context
  const holder = newNonce()
  const running = new Map<string, Run>()
  const resting = new Map<string, number>()
  const keyOf = (row: Pick<Connection, 'environmentId' | 'id'>) => `${row.environmentId}:${row.id}`
  const shared: Shared = {
    context,
    breaker: createBreaker(clock, timing.breaker),
    held: createHeld(log, timing),
    steadiness: createSteadiness(timing.call + timing.straggler),
    pace: createPace(),
    rest(row, until) {
      // It only saves questions to the storage, so all of it may go.
      if (resting.size > 10_000) resting.clear()
      if (until === undefined) resting.delete(keyOf(row))
      else resting.set(keyOf(row), until.getTime())
    },
  }

  const again = async (row: Connection): Promise<Connection> => {
    const now = await storage.connection(row.environmentId, row.integrationKey, row.connectionId)
    if (now) return now
    throw connectionUnknown(row.connectionId, row.integrationKey)
  }

  const join = (row: Connection, need: Need): Promise<Connection> => {
    const joined = running.get(keyOf(row))
    if (joined) {
      if (urgency.indexOf(need) > urgency.indexOf(joined.need)) joined.need = need
      return joined.promise
    }
    const run: Run = { need, promise: Promise.resolve().then(() => lead(row, () => run.need)) }
    running.set(keyOf(row), run)
    const over = () => void running.delete(keyOf(row))
    run.promise.then(over, over)
    return run.promise
  }

  /** Takes the lease and does it, or waits for the process that has the lease. */
  const lead = async (seen: Connection, need: () => Need): Promise<Connection> => {
    const landing = shared.held.landing(seen)
    if (landing) {
      await landing
      return mustWork(await again(seen))
    }
    const issuer = await issuerOf(context, seen)
    const shut = shared.breaker.shut(issuer.host)
    if (shut !== undefined) throw leftAlone(issuer.provider.name, shut)
    let until = performance.now() + timing.lease
    let free = true
    for (let wait = timing.poll[0]; ; wait = Math.min(wait * 1.5, timing.poll[1])) {
      if (free) tell('sought', seen.id)
      const since = performance.now()
      const leased = free && (await storage.leaseRefresh(seen.environmentId, seen.id, holder, timing.lease))
      if (leased) {
        shared.steadiness.saw(leased.now)
        const failed = (error: unknown) => log.error('a lease could not be kept or ended', { err: error, id: seen.id })
        const hold = keepLease(storage, leased.lease, since, timing, failed)
        const { lease, state } = leased
        const done = await refreshUnderLease(shared, {
          seen,
          issuer,
          need,
          lease,
          state,
          hold,
          again: () => again(seen),
        })
        if (done) return done
        // The lease was lost, so it begins again.
        until = performance.now() + timing.lease
      }
      if (performance.now() > until) throw busy(issuer.provider.name)
      await new Promise(done => setTimeout(done, wait * (0.75 + 0.5 * Math.random())))
      const state = await storage.refreshState(seen.environmentId, seen.id)
      if (state?.revision !== seen.credentialRevision) return mustWork(await again(seen))
      if (state.frozen) {
        // As long as its token lives it is served, and not asked about at each read.
        shared.rest(seen, new Date(clock.now().getTime() + frozenRest))
        throw frozen(await context.environmentOf(seen.environmentId))
      }
      free = !state.held
    }
  }

  const newer = async (row: Connection, need: Need): Promise<Connection> => {
    for (;;) {
      const found = await join(row, need)
      // A run that somebody began with an older row may have found just this one.
      if (found.credentialRevision > row.credentialRevision) return found
    }
  }

  return {
    async renew(row, need) {
      mustWork(row)
      if (row.renewal === undefined) throw notRenewable()
      return newer(row, need)
    },
    async freshen(row) {
      mustWork(row)
      const now = clock.now()
      const provider = context.catalogue.get(row.provider)
      if (isFresh(row, provider, now)) return row
      if (row.renewal === undefined) throw notRenewable()
      const alive = !isExpired(row, now)
      if (alive && (resting.get(keyOf(row)) ?? 0) > now.getTime()) return row
      const run = newer(row, alive ? 'later' : 'dead')
      if (alive && provider?.refresh?.survives) {
        // It works to its own end whatever becomes of the run, which logs what goes wrong.
        run.catch(() => {})
        return row
      }
      try {
        return await run
      } catch (thrown) {
        // An outage is not a revocation: a token that still lives is served.
        const error = toMortiseError(thrown)
        const outage = error.code !== 'reauthorization_required' && error.code !== 'not_found'
        if (outage && !isExpired(row, clock.now())) return row
        throw error
      }
    },
    async settle() {
      await Promise.allSettled([...running.values()].map(each => each.promise))
      await shared.held.settle()
    },
  }
}
