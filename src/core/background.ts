/** Renews what is due, ahead of the reads: claimed in batches by any number of processes, bounded for each provider. */
import type { Connection } from './connection.ts'
import type { Context } from './context.ts'
import { refreshAt } from './due.ts'
import { toMortiseError } from './errors.ts'
import type { Refresher } from './refresh.ts'

/** At once, in this process; of one provider. */
const [most, mostOfOne] = [200, 50]
/** Claimed at once. */
const batch = 50
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
  let more = false

  const renew = async (claim: { readonly environmentId: number; readonly id: string }): Promise<void> => {
    const row = await storage.connectionById(claim.environmentId, claim.id)
    if (!row) return
    const provider = context.catalogue.get(row.provider)
    const earliest = refreshAt(row, provider, 1)
    // What only the end user can repair is due again once they have.
    if (row.status !== 'connected' || earliest === undefined) return never(row)
    // A read was first.
    if (earliest > clock.now()) return storage.setRefreshDue(row.environmentId, row.id, refreshAt(row, provider))
    try {
      await refresher.renew(row, 'later')
    } catch (thrown) {
      const { code } = toMortiseError(thrown)
      if (code === 'reauthorization_required') await never(row)
      if (code === 'internal') log.error('a refresh in the background failed', { err: thrown, id: row.id })
    }
  }
  const never = (row: Connection) => storage.setRefreshDue(row.environmentId, row.id, undefined)

  const begin = (claim: Parameters<typeof renew>[0] & { readonly provider: string }): void => {
    byProvider.set(claim.provider, (byProvider.get(claim.provider) ?? 0) + 1)
    const flight: Promise<void> = renew(claim)
      // It is due again when the claim lapses.
      .catch(error => log.error('a refresh in the background could not be recorded', { err: error, id: claim.id }))
      .finally(() => {
        flying.delete(flight)
        const left = (byProvider.get(claim.provider) ?? 1) - 1
        if (left > 0) byProvider.set(claim.provider, left)
        else byProvider.delete(claim.provider)
        if (more) wake()
      })
    flying.add(flight)
  }

  return {
    async refresh() {
      const limit = Math.min(batch, most - flying.size)
      const full = [...byProvider].filter(([, count]) => count >= mostOfOne).map(([provider]) => provider)
      more = true
      if (limit < batch / 2) return
      const now = clock.now()
      const claimed = await storage.claimRefreshes(now, new Date(now.getTime() + claimLength), limit, full)
      more = claimed.length === limit || full.length > 0
      for (const claim of claimed) begin(claim)
      if (claimed.length === limit) wake()
    },
    async settle() {
      more = false
      await Promise.all(flying)
    },
  }
}
