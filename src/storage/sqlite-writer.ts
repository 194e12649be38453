/** The thread that writes a SQLite database file: runs what `sqlite-thread.ts` sends, one statement after the other. */
import type { SQLInputValue } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { type Answer, createRun, openFile } from './sqlite-statements.ts'

export type Asked = { readonly sql: string; readonly values: readonly SQLInputValue[] } | 'close'

/** `failed`: what an Error of `node:sqlite` holds; an Error itself loses all but its message on the way. */
export type Told = { readonly answer: Answer } | { readonly failed: { readonly message: string } }

if (!parentPort) throw new Error('sqlite-writer.ts is a thread that sqlite-thread.ts starts.')
const port = parentPort
const db = openFile(workerData.path)
const run = createRun(db)

const tell = (asked: Exclude<Asked, 'close'>): Told => {
  try {
    return { answer: run(asked.sql, asked.values) }
  } catch (error) {
    const { message, code, errcode, errstr } = error as Error & Record<'code' | 'errcode' | 'errstr', unknown>
    return { failed: { message, ...{ code, errcode, errstr } } }
  }
}

port.on('message', (asked: Asked) => {
  if (asked !== 'close') return port.postMessage(tell(asked))
  db.close()
  port.close()
})
