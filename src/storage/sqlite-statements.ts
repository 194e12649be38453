/** What every connection to a SQLite database has, on whichever thread it is. */
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'

/** Milliseconds to wait for another who has locked the database. */
export const patience = 10_000

/** Statements that a connection keeps prepared: more than the code has texts. */
const most = 200

/** FULL: a commit that was answered survives a power cut (a rotated refresh token exists nowhere else). */
export const openFile = (path: string): DatabaseSync => {
  const db = new DatabaseSync(path, { timeout: patience })
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF')
  return db
}

/** The rows of a statement that has columns; else how many it changed. */
export type Answer =
  | { readonly rows: Record<string, SQLOutputValue>[] }
  | { readonly rows?: undefined; readonly changes: number | bigint }

export type Run = (sql: string, values: readonly SQLInputValue[]) => Answer

/** Runs statements, each prepared at its first use. */
export const createRun = (db: DatabaseSync): Run => {
  const kept = new Map<string, { readonly statement: StatementSync; readonly hasRows: boolean }>()
  const prepare = (sql: string) => {
    const statement = db.prepare(sql)
    const prepared = { statement, hasRows: statement.columns().length > 0 }
    const oldest = kept.keys().next().value
    if (kept.size >= most && oldest !== undefined) kept.delete(oldest)
    kept.set(sql, prepared)
    return prepared
  }
  return (sql, values) => {
    // A commit that failed may have ended its transaction, and what is said of it then must be why it failed.
    if (sql === 'ROLLBACK' && !db.isTransaction) return { changes: 0 }
    const { statement, hasRows } = kept.get(sql) ?? prepare(sql)
    if (hasRows) return { rows: statement.all(...values) }
    return { changes: statement.run(...values).changes }
  }
}

const isBusy = (error: unknown): boolean => ((error as { errcode?: number }).errcode ?? 0) % 256 === 5

/**
 * What `read` gives, mostly at once. A reader of a WAL database waits for nobody but one who recovers it after a crash,
 * or who closes it last; and then not by SQLite's own waiting, which would block the process.
 */
export const patiently = <T>(read: () => T): T | Promise<T> => {
  try {
    return read()
  } catch (error) {
    if (!isBusy(error)) throw error
    return again(read)
  }
}

const again = async <T>(read: () => T): Promise<T> => {
  for (const deadline = performance.now() + patience; ; ) {
    await setTimeout(2)
    try {
      return read()
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
    }
  }
}
