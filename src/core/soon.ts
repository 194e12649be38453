/**
 * A value that is there already, or will be. What answers every request waits for nothing that it has: a promise costs a
 * turn of the queue, and each hook and handler behind it another.
 */
export type Soon<T> = T | Promise<T>

/** Goes on with the value: at once where it is there. What `next` throws is then thrown, and rejected otherwise. */
export const soon = <T, R>(value: Soon<T>, next: (value: T) => Soon<R>): Soon<R> =>
  value instanceof Promise ? value.then(next) : next(value)
