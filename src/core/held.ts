/**
 * What a provider answered and storage did not take yet. It exists nowhere else, so it is kept, and written again and again
 * until it lands.
 */
import type { Connection } from './connection.ts'
import type { Log } from './ports.ts'
import type { RefreshTiming } from './refresh-timing.ts'

/** Waits between the tries, in milliseconds. The last one stays; it is far shorter than `RefreshTiming.landing`. */
const waits = [50, 250, 700]

type Key = Pick<Connection, 'environmentId' | 'id'>

export interface Held {
  /**
   * Writes it. Throws what the storage threw where that takes too long to wait for; it is written all the same, and
   * `after` is called once it is.
   */
  land(of: Key, write: () => Promise<void>, after: () => Promise<void>): Promise<void>
  /** Ends, or throws, as `land` of that connection does. Undefined where nothing is kept for it. */
  landing(of: Key): Promise<void> | undefined
  /** Waits until all has landed. */
  settle(): Promise<void>
}

interface Kept {
  landed: Promise<void>
  /** What the storage threw last. */
  error: unknown
}

export const createHeld = (log: Log, { patience }: Pick<RefreshTiming, 'patience'>): Held => {
  const kept = new Map<string, Kept>()
  const keyOf = (of: Key) => `${of.environmentId}:${of.id}`

  const wait = (one: Kept): Promise<void> =>
    new Promise((done, fail) => {
      const timer = setTimeout(() => fail(one.error ?? new Error('The storage takes too long to answer.')), patience)
      one.landed.then(done, fail).finally(() => clearTimeout(timer))
    })

  return {
    land(of, write, after) {
      const one: Kept = { landed: Promise.resolve(), error: undefined }
      const run = async () => {
        for (let tries = 1; ; tries++) {
          try {
            await write()
            break
          } catch (error) {
            one.error = error
            log.error('the answer to a refresh could not be written; it is kept', { err: error, id: of.id, tries })
            const again = waits[Math.min(tries, waits.length) - 1] ?? 0
            await new Promise(done => setTimeout(done, again * (0.7 + 0.3 * Math.random())))
          }
        }
        await after()
      }
      one.landed = run().finally(() => kept.delete(keyOf(of)))
      kept.set(keyOf(of), one)
      return wait(one)
    },
    landing(of) {
      const one = kept.get(keyOf(of))
      return one && wait(one)
    },
    async settle() {
      while (kept.size > 0) await Promise.all([...kept.values()].map(each => each.landed))
    },
  }
}
