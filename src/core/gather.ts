/**
 * What comes in one turn of the event loop, handed on together when it ends. Each step of a request runs cold after all the
 * others: a processor's caches hold a few of them at a time. Taken together, a step costs each of them less; who comes alone waits
 * for nothing but the end of the turn.
 */
export const gathering = <T>(work: (all: readonly T[]) => void): ((one: T) => void) => {
  let waiting: T[] = []
  const end = () => {
    const all = waiting
    waiting = []
    work(all)
  }
  return one => {
    if (waiting.push(one) === 1) setImmediate(end)
  }
}
