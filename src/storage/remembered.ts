import type { Soon } from '../core/soon.ts'

/** An answer that stays good for a while. */
export interface Remembered<T> {
  /** At once, if it is known. */
  get(): Soon<T>
  /** The next one asks anew. */
  forget(): void
}

/**
 * What `ask` answers, for `ms` from when it was asked: an answer is true of a moment that was not before its question.
 * Whoever comes in between shares it, or waits for it. A failure is kept for nobody: the next one asks again.
 * With 0 it stays good until the turn of the event loop ends: all requests of a turn had come before it began.
 */
export const remembered = <T>(
  ask: () => Soon<T>,
  ms: number,
  now: () => number = () => performance.now(),
): Remembered<T> => {
  let last: { readonly at: number; answer: Soon<T> } | undefined
  return {
    get() {
      if (last && (ms === 0 || now() - last.at < ms)) return last.answer
      const mine = { at: now(), answer: ask() }
      last = mine
      if (ms === 0)
        setImmediate(() => {
          if (last === mine) last = undefined
        })
      if (mine.answer instanceof Promise)
        mine.answer.then(
          answer => {
            mine.answer = answer
          },
          () => {
            if (last === mine) last = undefined
          },
        )
      return mine.answer
    },
    forget() {
      last = undefined
    },
  }
}
