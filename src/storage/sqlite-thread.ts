/** The main thread's end of `sqlite-writer.ts`. */
import { once } from 'node:events'
import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import type { SQLInputValue } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { Answer } from './sqlite-statements.ts'
import type { Asked, Told } from './sqlite-writer.ts'

/** Whoever runs the statements that write. */
export interface Writer {
  run(sql: string, values: readonly SQLInputValue[]): Promise<Answer>
  /** Throws where it has ended. */
  check(): void
  /** After what was sent before. */
  close(): Promise<void>
}

/**
 * Starts the thread, and waits for it only with the first statement. It keeps the process alive only while an answer is
 * due.
 */
export const startWriter = (path: string): Writer => {
  const worker = new Worker(new URL('./sqlite-writer.ts', import.meta.url), {
    workerData: { path },
    // Flags of this process, such as --eval, are none of the thread's; nor are its secrets.
    execArgv: [],
    env: compileCache(),
  })
  const waiting: { answered(answer: Answer): void; failed(error: Error): void }[] = []
  let used = false
  let ended: Error | undefined
  const end = (why: string) => {
    ended ??= new Error(
      `The thread that writes the database has ended: ${why}. Nothing can be written until Mortise is started again.`,
    )
    for (const each of waiting.splice(0)) each.failed(ended)
  }
  worker.on('error', error => end(error instanceof Error ? error.message : String(error)))
  worker.on('exit', code => end(`it left with ${code}`))
  worker.on('message', (all: readonly Told[]) => {
    const answered = waiting.splice(0, all.length)
    if (waiting.length === 0 && !ended) worker.unref()
    all.forEach((told, n) => {
      if ('answer' in told) answered[n]?.answered(told.answer)
      else answered[n]?.failed(Object.assign(new Error(told.failed.message), told.failed))
    })
  })
  // After the listeners, which keep a process alive too.
  worker.unref()
  let sending: Asked[] = []
  /** All of one turn of the event loop in one go. */
  const send = (asked: Asked) => {
    if (sending.push(asked) > 1) return
    setImmediate(() => {
      worker.postMessage(sending)
      sending = []
    })
  }
  return {
    run: (sql, values) =>
      new Promise((answered, failed) => {
        if (ended) throw ended
        used = true
        send({ sql, values: values.map(alone) })
        waiting.push({ answered, failed })
        if (waiting.length === 1) worker.ref()
      }),
    check() {
      if (ended) throw ended
    },
    async close() {
      if (ended) return
      worker.ref()
      const exit = once(worker, 'exit')
      ended = new Error('The database is closed.')
      // A command that only read need not wait until the thread has started.
      if (used) send('close')
      else void worker.terminate()
      await exit
    },
  }
}

/** A view is sent with all the memory that it is a view of, so it gets its own; and the caller keeps what it gave. */
const alone = (value: SQLInputValue): SQLInputValue =>
  ArrayBuffer.isView(value) && value.byteLength !== value.buffer.byteLength
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice()
    : value

/** Where the process keeps what it has compiled, a thread finds it too, and starts in a quarter of the time. */
const compileCache = (): Record<string, string> => {
  const folder = getCompileCacheDir()
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) }
}
