/**
 * Lets those who wait go on one by one, one in each turn of the event loop: what nobody waits for is done between the reads,
 * and not in a heap before them.
 */
export type Pace = () => Promise<void>

export const createPace = (): Pace => {
  const waiting: (() => void)[] = []
  const next = () => {
    waiting.shift()?.()
    if (waiting.length > 0) setImmediate(next)
  }
  return () =>
    new Promise(go => {
      if (waiting.push(go) === 1) setImmediate(next)
    })
}
