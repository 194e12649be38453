/** An answer that stays good for a while. */
export interface Remembered<T> {
  get(): Promise<T>
  /** The next one asks anew. */
  forget(): void
}

/**
 * What `ask` answers, for `ms` from when it was asked: an answer is true of a moment that was not before its question.
 * Whoever comes in between shares it, or waits for it. A failure is kept for nobody: the next one asks again.
 */
export const remembered = <T>(
  ask: () => Promise<T>,
  ms: number,
  now: () => number = () => performance.now(),
): Remembered<T> => {
  let last: { readonly at: number; readonly answer: Promise<T> } | undefined
  return {
    get() {
      if (last && now() - last.at < ms) return last.answer
      const mine = { at: now(), answer: ask() }
      last = mine
      mine.answer.catch(() => {
        if (last === mine) last = undefined
      })
      return mine.answer
    },
    forget() {
      last = undefined
    },
  }
}
