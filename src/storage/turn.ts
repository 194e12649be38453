/** Reads of one turn of the event loop, made together when it ends (`core/gather.ts`). */
import { gathering } from '../core/gather.ts'

/** `name`: who reads the same in one turn shares the answer. */
export type Turn = <T>(read: () => T | Promise<T>, name?: string) => Promise<T>

interface Waiting {
  readonly read: () => void
  readonly fail: (error: unknown) => void
}

/** `together`: what the engine has to do around several reads. */
export const createTurn = (together: (reads: () => void) => void): Turn => {
  const shared = new Map<string, Promise<unknown>>()
  const wait = gathering<Waiting>(all => {
    shared.clear()
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
  })
  const begin = <T>(read: () => T | Promise<T>): Promise<T> =>
    new Promise((resolve, fail) => wait({ read: () => resolve(read()), fail }))
  return <T>(read: () => T | Promise<T>, name?: string): Promise<T> => {
    if (name === undefined) return begin(read)
    const known = shared.get(name) as Promise<T> | undefined
    if (known) return known
    const begun = begin(read)
    shared.set(name, begun)
    return begun
  }
}
