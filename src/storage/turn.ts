/**
 * Reads of one turn of the event loop, made together when it ends. Each step of a read runs cold after all the others: a
 * processor's caches hold a few of them at a time. Who comes in together is read together, then opened together, then
 * answered together, which takes a third of the time for each; who comes alone waits for nothing but the end of the turn.
 */

export type Turn = <T>(read: () => T | Promise<T>) => Promise<T>

/** `together`: what the engine has to do around several reads. */
export const createTurn = (together: (reads: () => void) => void): Turn => {
  let waiting: (() => void)[] = []
  const end = () => {
    const reads = waiting
    waiting = []
    together(() => {
      for (const read of reads) read()
    })
  }
  return read =>
    new Promise((resolve, reject) => {
      const waits = waiting.push(() => {
        try {
          resolve(read())
        } catch (error) {
          reject(error)
        }
      })
      if (waits === 1) setImmediate(end)
    })
}
