/** Faults in SQLite's two sides: what the main thread remembers of a file, and the turns of those who write it. */
import type { Fault } from './fault.ts'

const both = 'test/storage.sqlite.test.ts'
const readers = 'src/storage/sqlite-reader.test.ts'
const drivers = 'src/storage/sqlite-driver.test.ts'

export const sqliteFaults: readonly Fault[] = [
  {
    guard: 'rows are forgotten when anybody has committed',
    file: 'src/storage/sqlite-reader.ts',
    text: 'if (now !== last) for (const rows of remembered) rows.clear()',
    becomes: '',
    caughtBy: [both, 'see what another process wrote'],
  },
  {
    guard: 'whether anybody has committed is asked in each turn of the event loop',
    file: 'src/storage/sqlite-reader.ts',
    text: 'if (turn === lookedIn) return',
    becomes: 'if (lookedIn !== -1) return',
    caughtBy: [both, 'see what another process wrote'],
  },
  {
    guard: 'what this process has written is seen in the same turn',
    file: 'src/storage/sqlite.ts',
    text: 'startWriter(path, reader.look)',
    becomes: 'startWriter(path, () => {})',
    caughtBy: [both, 'see it even within the turn'],
  },
  {
    guard: 'a remembered row is found by its own values only',
    file: 'src/storage/sqlite-reader.ts',
    text: "typeof value === 'string' ? `${value.length}:${value}` : `${value};`",
    becomes: 'value',
    caughtBy: [readers, 'a row is found by its own values only'],
  },
  {
    guard: 'that there is no row is not remembered',
    file: 'src/storage/sqlite-reader.ts',
    text: 'if (!row) return undefined',
    becomes: 'if (!row) return void rows.set(key, {})',
    caughtBy: [readers, 'that there is no row'],
  },
  {
    guard: 'a transaction reads what it wrote itself',
    file: 'src/storage/sqlite-driver.ts',
    text: 'reader && !workOn(connection).inTransaction && SelectQueryNode',
    becomes: 'reader && SelectQueryNode',
    caughtBy: [drivers, 'a transaction sees what it wrote'],
  },
  {
    guard: 'a transaction begins as a writer',
    file: 'src/storage/sqlite-driver.ts',
    text: 'BEGIN IMMEDIATE',
    becomes: 'BEGIN',
    caughtBy: ['test/storage.test.ts', 'authorize one account into one row'],
  },
  {
    guard: 'closing waits for what was begun',
    file: 'src/storage/sqlite-driver.ts',
    text: 'works.size > 0; await setImmediate()',
    becomes: 'false; ',
    caughtBy: [both, 'ends with all that was begun'],
  },
  {
    guard: 'a statement of its own waits for a transaction to end',
    file: 'src/storage/sqlite-driver.ts',
    text: 'await queue(work)\n    const answer',
    becomes: 'void queue(work)\n    const answer',
    caughtBy: [drivers, 'a transaction sees what it wrote'],
  },
  {
    guard: 'none is said to be done of a commit that was undone',
    file: 'src/storage/sqlite-writer.ts',
    text: 'if (!db.isTransaction) return statements.map(() => last)',
    becomes: '',
    caughtBy: [drivers, 'where the disk undoes them all'],
  },
  {
    guard: 'the thread that renews writes the answer it waits for before it ends',
    file: 'src/renew-thread.ts',
    text: 'await rooms.hub.settle()',
    becomes: '',
    caughtBy: ['test/renew.thread.test.ts', 'it renews what is due'],
  },
]
