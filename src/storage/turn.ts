/**
 * Reads of one turn of the event loop, made together when it ends. Each step of a read runs cold after all the others: a
 * processor's caches hold a few of them at a time. Who comes in together is read together, then opened together, then
 * answered together, which takes a third of the time for each; who comes alone waits for nothing but the end of the turn.
 */

export type Turn = <T>(read: () => T | Promise<T>) => Promise<T>

/** `together`: what the engine has to do around several reads. */
export const createTurn = (together: (reads: () => void) => void): Turn => {
  let waiting: { readonly read: () => void; readonly fail: (error: unknown) => void }[] = []
  const end = () => {
    const all = waiting
    waiting = []
    try {
      together(() => {
        for (const { read, fail } of all)
          try {
            read()
          } catch (error) {
            fail(error)
          }
      })
    } catch (error) {
      // Those that were read stay so.
      for (const { fail } of all) fail(error)
    }
  }
  return read =>
    new Promise((resolve, fail) => {
      if (waiting.push({ read: () => resolve(read()), fail }) === 1) setImmediate(end)
    })
}
