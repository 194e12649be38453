/** What is due: for now, attempts long past their deadline. Called by the loop. */
import type { Context } from './context.ts'

/** Kept this long after the deadline, so that a reloaded page can still tell how it ended. */
const kept = 60 * 60_000

export const sweep = async (context: Context): Promise<void> => {
  const removed = await context.storage.sweepAttempts(new Date(context.clock.now().getTime() - kept))
  if (removed > 0) context.log.info('swept attempts', { removed })
}
