/** A crowd of readers at tokens that have ended: one call to the provider for each, however slow it is. */
import { refreshTiming } from '../../src/core/refresh-timing.ts'
import { later } from '../harness.ts'
import type { CampaignOptions } from './options.ts'
import { openStage } from './stage.ts'

export interface Crowd {
  readonly engine: CampaignOptions['engine']
  readonly connections: number
  /** Of each connection. */
  readonly readers: number
  /** Milliseconds that the provider takes. */
  readonly delay: number
}

/** What was answered, and how often the provider was called. At the real times, over four processes. */
export const crowd = async ({ engine, connections, readers, delay }: Crowd) => {
  // Long enough that none ends while the crowd is served.
  const lifetime = 120
  const stage = await openStage({ engine, connections, lifetime, processes: 4, timing: refreshTiming, lookForDue: 0 })
  try {
    const { firstEnvironment, storage } = stage.rooms
    // All have ended, as far as the hubs know.
    for (const { id } of stage.subjects)
      await storage.noteExpiry(firstEnvironment.id, id, 1, new Date(Date.now() - 1000))
    stage.sandbox.set('rotating', { delayMs: delay })
    await later(100)
    let at = 0
    // Evenly over the processes.
    const turns = () => (at++ % 4) / 4
    const answers = await Promise.all(
      stage.subjects.flatMap(({ name }) => Array.from({ length: readers }, () => stage.read(name, turns, 60_000))),
    )
    const tokens = new Map<string, number>()
    for (const answer of answers) {
      const key = answer?.status === 200 ? answer.token : `status ${answer?.status}`
      tokens.set(key, (tokens.get(key) ?? 0) + 1)
    }
    return { calls: stage.ledger.counts.calls, answers: answers.length, tokens, reused: stage.ledger.counts.reused }
  } finally {
    await stage.close()
  }
}
