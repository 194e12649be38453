/** The main thread's reading connection to a SQLite database file. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import { createRun, patiently } from './sqlite-statements.ts'

/** Rows that a prepared statement remembers; and those that it then does not, before it begins anew with others. */
const most = { kept: 10_000, passed: 80_000 }

export type Row = Record<string, SQLOutputValue>

export interface Reader {
  select(sql: string, values: readonly SQLInputValue[]): Row[] | Promise<Row[]>
  /**
   * Sees what is committed, and remembers the rows that it found for as long as nobody commits anything. Whoever reads
   * shares them, and leaves them as they are.
   */
  prepare(sql: string): (...values: (string | number)[]) => Row | undefined | Promise<Row | undefined>
  /** Makes several reads of prepared statements in one look at the file. */
  together(reads: () => void): void
  /** The next read asks whether anybody has committed. */
  look(): void
  close(): void
}

export const createReader = (db: DatabaseSync): Reader => {
  db.exec('PRAGMA query_only = ON; PRAGMA busy_timeout = 0')
  const run = createRun(db)
  /** Moves with each commit of another connection, be it in this process or not. */
  const version = db.prepare('PRAGMA data_version')
  version.setReturnArrays(true)
  const [begin, commit] = [db.prepare('BEGIN'), db.prepare('COMMIT')]
  const remembered: Map<string, Row>[] = []
  let last: unknown
  let lookedIn = -1
  /**
   * Forgets all rows when anybody has committed. It is asked once in each turn of the event loop: requests that came in
   * together share it (it costs ten times what finding a remembered row does), and one that arrives after a commit was
   * answered came in a later turn, or after `look`.
   */
  const keepUp = () => {
    const turn = performance.nodeTiming.uvMetricsInfo.loopCount
    if (turn === lookedIn) return
    const [now] = version.get() as unknown as [unknown]
    if (now !== last) for (const rows of remembered) rows.clear()
    last = now
    lookedIn = turn
  }
  const look = () => {
    lookedIn = -1
  }
  return {
    select: (sql, values) => patiently(() => run(sql, values).rows ?? []),
    prepare(sql) {
      const get = oneOf(db.prepare(sql))
      const rows = new Map<string, Row>()
      remembered.push(rows)
      let passed = 0
      const find = (values: (string | number)[]) => {
        keepUp()
        const key = keyOf(values)
        const known = rows.get(key)
        if (known) return known
        const row = get(values)
        if (!row) return undefined
        // To replace a row at each read costs more than it saves where many more are read than are kept.
        if (rows.size < most.kept) rows.set(key, row)
        else if (++passed >= most.passed) {
          rows.clear()
          passed = 0
        }
        return row
      }
      return (...values) => patiently(() => find(values))
    },
    together(reads) {
      begin.run()
      try {
        reads()
      } finally {
        commit.run()
      }
    },
    look,
    close() {
      look()
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

/** Different for different values, whatever is in them. */
const keyOf = (values: readonly (string | number)[]): string => {
  let key = ''
  for (const value of values) key += typeof value === 'string' ? `${value.length}:${value}` : `${value};`
  return key
}
