/** Renews what is due, ahead of the reads: claimed in batches by any number of processes, bounded for each provider. */
import type { Connection } from './connection.ts'
import type { Context } from './context.ts'
import { refreshAt } from './due.ts'
import { toMortiseError } from './errors.ts'
import { createPace } from './pace.ts'
import type { Refresher } from './refresh.ts'
import type { RefreshClaim } from './storage-refresh.ts'

/** At once, in this process. */
const most = 200
/** Claimed at once. No more are claimed of a provider that as many are under way of, so that it gets twice that at most. */
const batch = 25
/**
 * Milliseconds over which a batch is spread, so that reads come between; the less, the longer it has been due, and not at
 * all where that is `late`. As long as there is something, it is looked for that often.
 */
const [spread, late] = [200, 2_000]
/** Milliseconds until a claim is somebody else's, if its process died. The lease protects a refresh that takes longer. */
const claimLength = 120_000

export interface Background {
  /** Claims what is due and begins to renew it; answers when that is under way. */
  refresh(): Promise<void>
  settle(): Promise<void>
}

/** `wake`: called when more may be due than could be claimed. */
export const createBackground = (context: Context, refresher: Refresher, wake: () => void): Background => {
  const { storage, clock, log } = context
  const flying = new Set<Promise<void>>()
  const byProvider = new Map<string, number>()
  const pace = createPace()
  let more = false
  let next: NodeJS.Timeout | undefined

  const renew = async (claim: RefreshClaim, after: number): Promise<void> => {
    if (after > 0) await new Promise(done => setTimeout(done, after))
    await pace()
    const row = await storage.connectionById(claim.environmentId, claim.id)
    if (!row) return
    const provider = context.catalogue.get(row.provider)
    const earliest = refreshAt(row, provider, 1)
    // What only the end user can repair is due again once they have.
    if (row.status !== 'connected' || earliest === undefined) return never(row)
    // A read was first.
    if (earliest > clock.now()) return due(row, refreshAt(row, provider))
    try {
      await refresher.renew(row, 'later')
    } catch (thrown) {
      const { code, details } = toMortiseError(thrown)
      if (code === 'reauthorization_required') await never(row)
      // Spread, so that those who waited together do not come back together.
      if (details.reason === 'refresh_waits' && details.retryAfter !== undefined)
        await due(row, new Date(clock.now().getTime() + details.retryAfter * 1000 * (1 + Math.random() / 5)))
      if (code === 'internal') log.error('a refresh in the background failed', { err: thrown, id: row.id })
    }
  }
  const due = (row: Connection, at: Date | undefined) => storage.setRefreshDue(row.environmentId, row.id, at)
  const never = (row: Connection) => due(row, undefined)

  const begin = (claim: RefreshClaim, after: number): void => {
    byProvider.set(claim.provider, (byProvider.get(claim.provider) ?? 0) + 1)
    const flight: Promise<void> = renew(claim, after)
      // It is due again when the claim lapses.
      .catch(error => log.error('a refresh in the background could not be recorded', { err: error, id: claim.id }))
      .finally(() => {
        flying.delete(flight)
        const left = (byProvider.get(claim.provider) ?? 1) - 1
        if (left > 0) byProvider.set(claim.provider, left)
        else byProvider.delete(claim.provider)
        if (more && left <= batch) wake()
      })
    flying.add(flight)
  }

  return {
    async refresh() {
      const full = [...byProvider].filter(([, count]) => count > batch).map(([provider]) => provider)
      more = true
      if (flying.size > most - batch) return
      const now = clock.now()
      const claimed = await storage.claimRefreshes(now, new Date(now.getTime() + claimLength), batch, full)
      more = claimed.length === batch || full.length > 0
      const [first] = claimed
      if (!first) return
      const waited = now.getTime() - first.dueAt.getTime()
      const over = spread * Math.max(0, 1 - waited / late)
      claimed.forEach((claim, n) => {
        begin(claim, (over * n) / claimed.length)
      })
      clearTimeout(next)
      next = setTimeout(wake, claimed.length === batch ? over : spread)
      next.unref()
    },
    async settle() {
      more = false
      clearTimeout(next)
      await Promise.all(flying)
    },
  }
}
