/** What is due: attempts long past their deadline, deliveries that are long over, counts to be added up. Called by the loop. */
import type { Context } from './context.ts'

/** Kept this long after the deadline, so that a reloaded page can still tell how it ended. */
const kept = 60 * 60_000

/** How long the log of deliveries reaches back. */
const deliveriesKept = 30 * 24 * 60 * 60_000

export const sweep = async (context: Context): Promise<void> => {
  const now = context.clock.now().getTime()
  const removed = await context.storage.sweepAttempts(new Date(now - kept))
  if (removed > 0) context.log.info('swept attempts', { removed })
  const deliveries = await context.storage.sweepDeliveries(new Date(now - deliveriesKept))
  if (deliveries > 0) context.log.info('swept deliveries', { removed: deliveries })
  await context.storage.sweepCounts()
}
