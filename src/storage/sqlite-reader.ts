/** The main thread's reading connection to a SQLite database file. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import { remembered } from './remembered.ts'
import { createRun, patiently } from './sqlite-statements.ts'

/** Bytes of the file that are read as memory: as many as SQLite takes. A read then copies no page, however many there are. */
const mapped = 2_147_418_112

export type Row = Record<string, SQLOutputValue>

export interface Reader {
  select(sql: string, values: readonly SQLInputValue[]): Row[] | Promise<Row[]>
  /** Sees what is committed. */
  prepare(sql: string): (...values: (string | number)[]) => Row | undefined | Promise<Row | undefined>
  /**
   * Another number once anyone else has committed, as far as was seen when this turn of the event loop first asked (who asks in
   * `setImmediate` is told for the turn after, too); undefined while somebody has locked even the readers out. A select that
   * is under way, as no one here has any, would hold it.
   */
  version(): number | undefined
  /** The next one who asks for the version looks. */
  lookAgain(): void
  /** Makes several reads of prepared statements in one look at the file. */
  together(reads: () => void): void
  close(): void
}

export const createReader = (db: DatabaseSync): Reader => {
  db.exec(`PRAGMA query_only = ON; PRAGMA busy_timeout = 0; PRAGMA mmap_size = ${mapped}`)
  const run = createRun(db)
  const [begin, commit] = [db.prepare('BEGIN'), db.prepare('COMMIT')]
  const dataVersion = db.prepare('PRAGMA data_version')
  const version = remembered(() => patiently(() => Number(dataVersion.get()?.['data_version'])), 0)
  return {
    select: (sql, values) => patiently(() => run(sql, values).rows ?? []),
    prepare(sql) {
      const get = oneOf(db.prepare(sql))
      return (...values) => patiently(() => get(values))
    },
    version() {
      const known = version.get()
      return known instanceof Promise ? undefined : known
    },
    lookAgain: version.forget,
    together(reads) {
      begin.run()
      try {
        reads()
      } finally {
        commit.run()
      }
    },
    close() {
      if (db.isOpen) db.close()
    },
  }
}

/**
 * The row of a statement as a plain object. The runtime's own has a hidden class of its own for each row, so that to use
 * its properties costs as much as to read it.
 */
const oneOf = (statement: StatementSync): ((values: readonly SQLInputValue[]) => Row | undefined) => {
  const names = statement.columns().map(column => column.name)
  statement.setReturnArrays(true)
  return values => {
    const found = statement.get(...values) as unknown as SQLOutputValue[] | undefined
    if (!found) return undefined
    const row: Row = {}
    let at = 0
    for (const name of names) row[name] = found[at++] ?? null
    return row
  }
}
