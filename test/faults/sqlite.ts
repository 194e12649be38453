/** Faults in the turns of those who write a SQLite file, and in what each engine keeps beside the rows. */
import type { Fault } from './fault.ts'

const both = 'test/storage.sqlite.test.ts'
const drivers = 'src/storage/sqlite-driver.test.ts'

export const sqliteFaults: readonly Fault[] = [
  {
    guard: 'a transaction reads what it wrote itself',
    file: 'src/storage/sqlite-driver.ts',
    text: 'reader && !workOn(connection).inTransaction && SelectQueryNode',
    becomes: 'reader && SelectQueryNode',
    caughtBy: [drivers, 'a transaction sees what it wrote'],
  },
  {
    guard: 'what this process has committed is another version at once',
    file: 'src/storage/sqlite-driver.ts',
    text: 'return reader ? answer.finally(reader.lookAgain) : answer',
    becomes: 'return answer',
    caughtBy: [drivers, 'who has written sees another version'],
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
  {
    guard: 'a new name is searched from then on',
    file: 'src/storage/migrations/0012_search.sqlite.sql',
    text: 'UPDATE connections_text SET text = new.connection_id WHERE rowid = new.search_number;',
    becomes: 'SELECT 1;',
    caughtBy: ['test/storage.test.ts', 'a search finds what was added'],
  },
  {
    guard: 'what an index finds is looked at again',
    file: 'src/storage/lists.ts',
    text: '.where(wanted(rest))',
    becomes: '.where(wanted({ ...rest, search: undefined }))',
    caughtBy: ['test/storage.test.ts', 'a search finds, in any text'],
  },
  {
    guard: 'only the numbers of its environment are looked through',
    file: 'src/storage/sqlite-search.ts',
    text: '> ${last} >> 40 << 40',
    becomes: '<> 0',
    caughtBy: ['test/storage.lists.test.ts', 'among the numbers of its environment'],
  },
  {
    guard: 'what is deleted counts no more',
    file: 'src/storage/migrations/0013_counts.sqlite.sql',
    text: 'CREATE TRIGGER connections_went AFTER DELETE ON connections BEGIN',
    becomes: 'CREATE TRIGGER connections_went AFTER DELETE ON connections WHEN false BEGIN',
    caughtBy: ['test/storage.test.ts', 'a page far down'],
  },
  {
    guard: 'what is written over counts where it is now',
    file: 'src/storage/migrations/0013_counts.sqlite.sql',
    text: '    IS NOT (old.environment_id, old.integration_key, old.created_at) BEGIN',
    becomes: '    IS NOT (old.environment_id, old.integration_key, old.created_at) AND false BEGIN',
    caughtBy: ['test/storage.test.ts', 'a page far down'],
  },
  {
    guard: 'what counts is of its environment and its integration',
    file: 'src/storage/counts.ts',
    text: "WHERE environment_id = ? AND ? IN ('', integration_key)) AS noted",
    becomes: "WHERE (environment_id = ? AND ? IN ('', integration_key)) OR true) AS noted",
    caughtBy: ['test/storage.postgres.test.ts', 'a page far down'],
  },
  {
    guard: 'a note is added to the counts once',
    file: 'src/storage/counts.ts',
    text: '        DELETE FROM connection_changes WHERE number <= (SELECT MAX(number) FROM (',
    becomes: '        SELECT * FROM connection_changes WHERE number <= (SELECT MAX(number) FROM (',
    also: { file: 'src/storage/counts.ts', text: '        RETURNING *),', becomes: '        ),' },
    caughtBy: ['test/storage.counted.test.ts', 'a database from before there were counts'],
  },
  {
    guard: 'notes that wait to be added count already',
    file: 'src/storage/counts.ts',
    text: 'WHERE ${within}) AS counted',
    becomes: 'WHERE ${within} AND false) AS counted',
    caughtBy: ['test/storage.postgres.test.ts', 'a page far down'],
  },
  {
    guard: 'a far page does not look through many notes',
    file: 'src/storage/counts.ts',
    text: 'WHERE (SELECT COUNT(*) FROM notes) <= ${mostNotes}`',
    becomes: 'WHERE true`',
    caughtBy: ['test/storage.counted.test.ts', 'a database from before there were counts'],
  },
  {
    guard: 'the sweep adds the notes',
    file: 'src/core/sweep.ts',
    text: '  await context.storage.sweepCounts()\n',
    becomes: '',
    caughtBy: ['test/storage.counted.test.ts', 'a database from before there were counts'],
  },
]
