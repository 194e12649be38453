import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely'
import { createDriver, type SqliteDriver } from './sqlite-driver.ts'
import { createReader } from './sqlite-reader.ts'
import { createRun, openFile } from './sqlite-statements.ts'
import { startWriter, type Writer } from './sqlite-thread.ts'

const kyselyOn = (driver: SqliteDriver) =>
  new Kysely<{ things: { n: number } }>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => driver,
      createIntrospector: each => new SqliteIntrospector(each),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })

/** Kysely on a file with one table, and the order of all that was asked of either connection. */
const begin = (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'mortise-driver-'))
  const path = join(folder, 'x.db')
  const file = openFile(path)
  file.exec('CREATE TABLE things (n INTEGER PRIMARY KEY)')
  const reader = createReader(file)
  const writer = startWriter(path)
  const asked: string[] = []
  const driver = createDriver(
    {
      ...writer,
      run(sql, values) {
        asked.push(`write ${sql.split(' ')[0]}`)
        return writer.run(sql, values)
      },
    },
    {
      ...reader,
      select(sql, values) {
        asked.push('read')
        return reader.select(sql, values)
      },
    },
  )
  t.after(async () => {
    await driver.finish()
    await writer.close()
    reader.close()
    rmSync(folder, { recursive: true })
  })
  const db = kyselyOn(driver)
  const all = async (from = db) =>
    (await from.selectFrom('things').selectAll().orderBy('n').execute()).map(row => row.n)
  const insert = (n: number, into = db) => into.insertInto('things').values({ n })
  /** Pages in the log: those of each commit that changed them. */
  const frames = () => (statSync(`${path}-wal`).size - 32) / (24 + 4096)
  return { db, asked, all, insert, frames, path, reader }
}

test('a select goes to the reader, and whatever writes to the writer, its RETURNING too', async t => {
  const { db, asked, all, insert } = begin(t)
  assert.deepEqual(await insert(1).returning('n').executeTakeFirst(), { n: 1 })
  assert.equal((await insert(2).executeTakeFirstOrThrow()).numInsertedOrUpdatedRows, 1n)
  assert.deepEqual(await all(), [1, 2])
  const deleted = await db.deleteFrom('things').where('n', '>', 0).returning('n').execute()
  assert.deepEqual(deleted.map(row => row.n).sort(), [1, 2])
  assert.equal((await db.updateTable('things').set({ n: 9 }).executeTakeFirstOrThrow()).numUpdatedRows, 0n)
  assert.deepEqual(asked, ['write insert', 'write insert', 'read', 'write delete', 'write update'])
})

test('a transaction sees what it wrote, nobody else does before it ends, and no write comes in between', async t => {
  const { db, asked, all, insert } = begin(t)
  let other: Promise<unknown> | undefined
  await db.transaction().execute(async tx => {
    await insert(1, tx).execute()
    other = insert(2).execute()
    assert.deepEqual(await all(), [])
    assert.deepEqual(await all(tx), [1])
    await insert(3, tx).execute()
  })
  await other
  assert.deepEqual(await all(), [1, 2, 3])
  assert.deepEqual(asked, [
    'write BEGIN',
    'write insert',
    'read',
    'write select',
    'write insert',
    'write COMMIT',
    'write insert',
    'read',
  ])
})

test('what fails gives its turn to the next', async t => {
  const { db, all, insert } = begin(t)
  const failing = db.transaction().execute(async tx => {
    await insert(1, tx).execute()
    await insert(1, tx).execute()
  })
  const ends = await Promise.allSettled([failing, insert(5).execute(), insert(5).execute(), insert(6).execute()])
  assert.deepEqual(
    ends.map(each => each.status),
    ['rejected', 'fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(await all(), [5, 6])
})

test('more statements than are kept prepared still run', async t => {
  const { db, insert } = begin(t)
  await insert(1).execute()
  for (let round = 0; round < 2; round++)
    for (let n = 1; n <= 250; n++) {
      const values = Array.from({ length: n }, (_, each) => each + 1)
      const found = await db.selectFrom('things').selectAll().where('n', 'in', values).execute()
      assert.equal(found.length, 1)
    }
})

test('statements that come together are one commit; one that fails undoes itself alone', async t => {
  const { all, insert, frames } = begin(t)
  await insert(10).execute()
  const before = frames()
  await insert(11).execute()
  const each = frames() - before
  const ends = await Promise.allSettled([1, 2, 2, 3, 4, 5].map(n => insert(n).execute()))
  assert.deepEqual(
    ends.map(each => each.status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  )
  assert.deepEqual(await all(), [1, 2, 3, 4, 5, 10, 11])
  assert.equal(frames() - before, 2 * each)
})

test('where the disk undoes them all, none of them is said to be done', async t => {
  const { db, all, insert } = begin(t)
  await sql`CREATE TRIGGER planted BEFORE INSERT ON things WHEN NEW.n = 2
    BEGIN SELECT RAISE(ROLLBACK, 'planted'); END`.execute(db)
  const ends = await Promise.allSettled([1, 2, 3].map(n => insert(n).execute()))
  assert.deepEqual(
    ends.map(each => each.status === 'rejected' && String(each.reason.message)),
    ['planted', 'planted', 'planted'],
  )
  assert.deepEqual(await all(), [])
  await insert(3).execute()
  assert.deepEqual(await all(), [3])
})

test('who has written sees another version, in the turn in which it was answered', async t => {
  const { path, reader } = begin(t)
  const file = openFile(path)
  t.after(() => file.close())
  const run = createRun(file)
  // It answers at once, where a thread would take a turn or two.
  const writer: Writer = { run: async (sql, values) => run(sql, values), check() {}, async close() {} }
  const db = kyselyOn(createDriver(writer, reader))
  let sameTurn = true
  setImmediate(() => {
    sameTurn = false
  })
  const versions = [reader.version()]
  await db.insertInto('things').values({ n: 1 }).execute()
  versions.push(reader.version())
  await db.transaction().execute(async tx => {
    await tx.insertInto('things').values({ n: 2 }).execute()
    // Not committed yet.
    assert.equal(reader.version(), versions[1])
  })
  versions.push(reader.version())
  assert.equal(new Set(versions).size, 3)
  assert.ok(sameTurn)
})
