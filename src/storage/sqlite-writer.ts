/**
 * The thread that writes a SQLite database file: runs what `sqlite-thread.ts` sends, one statement after the other. Those
 * that come together are one commit, so that the disk is waited for once; each is answered after that.
 */
import type { SQLInputValue } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { type Answer, createRun, openFile } from './sqlite-statements.ts'

/** A statement; or the end, after all that was sent before. */
export type Asked = { readonly sql: string; readonly values: readonly SQLInputValue[] } | 'close'

/** `failed`: what an Error of `node:sqlite` holds; an Error itself loses all but its message on the way. */
export type Told = { readonly answer: Answer } | { readonly failed: { readonly message: string } }

if (!parentPort) throw new Error('sqlite-writer.ts is a thread that sqlite-thread.ts starts.')
const port = parentPort
const db = openFile(workerData.path)
const run = createRun(db)

type Statement = Exclude<Asked, 'close'>

const failed = (error: unknown): Told => {
  const { message, code, errcode, errstr } = error as Error & Record<'code' | 'errcode' | 'errstr', unknown>
  return { failed: { message, ...{ code, errcode, errstr } } }
}

const tell = ({ sql, values }: Statement): Told => {
  try {
    return { answer: run(sql, values) }
  } catch (error) {
    return failed(error)
  }
}

/** One that fails undoes itself alone, or all where the disk is at fault; where the commit fails, none of them was done. */
const together = (statements: readonly Statement[]): Told[] => {
  const told: Told[] = []
  try {
    run('BEGIN IMMEDIATE', [])
    for (const each of statements) {
      const last = tell(each)
      told.push(last)
      if (!db.isTransaction) return statements.map(() => last)
    }
    run('COMMIT', [])
    return told
  } catch (error) {
    if (db.isTransaction) run('ROLLBACK', [])
    return statements.map(() => failed(error))
  }
}

const changes = /^(insert|update|delete)\b/i

/** What was sent in one go, in its order: runs of changes outside of a transaction are made together. */
const tellAll = (asked: readonly Statement[]): Told[] => {
  const told: Told[] = []
  for (let at = 0; at < asked.length; ) {
    let end = at
    if (!db.isTransaction) while (changes.test(asked[end]?.sql ?? '')) end++
    const several = asked.slice(at, Math.max(end, at + 1))
    told.push(...(several.length > 1 ? together(several) : several.map(tell)))
    at += several.length
  }
  return told
}

port.on('message', (asked: readonly Asked[]) => {
  const statements = asked.filter(each => each !== 'close')
  if (statements.length > 0) port.postMessage(tellAll(statements))
  if (statements.length === asked.length) return
  db.close()
  port.close()
})
