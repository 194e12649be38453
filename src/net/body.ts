/** The body of an answer between the provider's connection and whoever takes it: a short queue that holds the sender back. */
import type { Sink, StreamBody } from '../core/ports.ts'

/** Bytes that are kept while nobody takes them. */
const kept = 64 * 1024

/** What holds the provider's end. */
export interface Flow {
  pause(): void
  resume(): void
  abort(): void
}

/** The provider's end of a body. */
export interface Filled extends StreamBody {
  push(piece: Uint8Array): void
  end(): void
  fail(error: Error): void
}

export const createBody = (flow: Flow): Filled => {
  let queue: Uint8Array[] = []
  let size = 0
  let state: 'open' | 'ended' | 'failed' | 'cancelled' = 'open'
  let trouble: Error | undefined
  let paused = false
  let sink: Sink | undefined
  let waiting: (() => void) | undefined
  const wake = () => {
    const woken = waiting
    waiting = undefined
    woken?.()
  }
  const pause = () => {
    if (paused || state !== 'open') return
    paused = true
    flow.pause()
  }
  const resume = () => {
    if (!paused || state !== 'open') return
    paused = false
    flow.resume()
  }
  const cancel = () => {
    queue = []
    if (state !== 'open') return
    state = 'cancelled'
    flow.abort()
    wake()
  }
  return {
    push(piece) {
      if (state !== 'open') return
      if (sink) {
        if (!sink.write(piece)) pause()
        return
      }
      queue.push(piece)
      size += piece.length
      if (size >= kept) pause()
      wake()
    },
    end() {
      if (state !== 'open') return
      state = 'ended'
      sink?.end()
      wake()
    },
    fail(error) {
      if (state !== 'open') return
      state = 'failed'
      trouble = error
      sink?.fail(error)
      wake()
    },
    to(taker) {
      const pieces = queue
      queue = []
      if (state === 'failed' && trouble) return taker.fail(trouble)
      if (state === 'ended' && pieces.length < 2) return taker.end(pieces[0])
      let free = true
      for (const piece of pieces) free = taker.write(piece)
      if (state === 'ended') return taker.end()
      sink = taker
      if (free) resume()
      else pause()
    },
    resume,
    cancel,
    async peek() {
      while (state === 'open' && size < kept) await new Promise<void>(done => (waiting = done))
      return { bytes: Buffer.concat(queue), whole: state === 'ended' }
    },
    async *[Symbol.asyncIterator]() {
      try {
        for (;;) {
          for (let piece = queue.shift(); piece; piece = queue.shift()) {
            size -= piece.length
            yield piece
          }
          if (state === 'failed') throw trouble
          if (state !== 'open') return
          // What was held back may come right within.
          const more = new Promise<void>(done => (waiting = done))
          resume()
          await more
        }
      } finally {
        cancel()
      }
    },
  }
}
