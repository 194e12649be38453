import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { createReader } from './sqlite-reader.ts'
import { openFile } from './sqlite-statements.ts'

const begin = (t: TestContext) => {
  const folder = mkdtempSync(join(tmpdir(), 'mortise-reader-'))
  const path = join(folder, 'x.db')
  const writer = openFile(path)
  writer.exec('CREATE TABLE things (a, b, c, PRIMARY KEY (a, b))')
  const db = openFile(path)
  const reader = createReader(db)
  t.after(() => {
    reader.close()
    if (writer.isOpen) writer.close()
    rmSync(folder, { recursive: true })
  })
  const find = reader.prepare('SELECT c FROM things WHERE a = ? AND b = ?')
  return {
    path,
    db,
    writer,
    reader,
    find,
    async c(a: string | number, b: string | number) {
      return (await find(a, b))?.['c']
    },
    put: (a: string | number, b: string | number, c: string) =>
      writer.prepare('INSERT OR REPLACE INTO things VALUES (?, ?, ?)').run(a, b, c),
    nextTurn: () => setImmediate(),
  }
}

test('a row is remembered until anybody commits anything', async t => {
  const { find, put, writer, nextTurn } = begin(t)
  put('a', 'b', 'one')
  const first = await find('a', 'b')
  await nextTurn()
  assert.equal(await find('a', 'b'), first)
  // A transaction under way is nothing yet, and one that is undone never was.
  writer.exec('BEGIN IMMEDIATE')
  put('a', 'b', 'undone')
  await nextTurn()
  assert.equal(await find('a', 'b'), first)
  writer.exec('ROLLBACK')
  await nextTurn()
  assert.equal(await find('a', 'b'), first)
  put('a', 'x', 'another')
  await nextTurn()
  const second = await find('a', 'b')
  assert.notEqual(second, first)
  assert.deepEqual({ ...second }, { c: 'one' })
})

test('a commit is seen in the next turn of the event loop, and at once by who looks', async t => {
  const { c, put, reader, nextTurn } = begin(t)
  put('a', 'b', 'one')
  assert.equal(await c('a', 'b'), 'one')
  put('a', 'b', 'two')
  await nextTurn()
  assert.equal(await c('a', 'b'), 'two')
  put('a', 'b', 'three')
  reader.look()
  assert.equal(await c('a', 'b'), 'three')
  // What was shared within the turn was remembered of it, and no longer.
  put('a', 'b', 'four')
  const shared = await c('a', 'b')
  assert.ok(shared === 'three' || shared === 'four')
  await nextTurn()
  assert.equal(await c('a', 'b'), 'four')
})

test('that there is no row is never remembered', async t => {
  const { c, put } = begin(t)
  assert.equal(await c('a', 'b'), undefined)
  put('a', 'b', 'one')
  assert.equal(await c('a', 'b'), 'one')
})

test('a row is found by its own values only, whatever is in them', async t => {
  const { c, put, nextTurn } = begin(t)
  const values = ['', '1', '1:', ':1', '1;', ';', '0:', '1:1', '11', '1:1:', 'é', '\0', 1, 11, 0, -1, 1.5]
  for (const a of values) for (const b of values) put(a, b, JSON.stringify([a, b]))
  for (let round = 0; round < 2; round++, await nextTurn())
    for (const a of values) for (const b of values) assert.equal(await c(a, b), JSON.stringify([a, b]))
})

test('10,000 rows are remembered and no more, until 80,000 others were read', async t => {
  const { find, put, writer, nextTurn } = begin(t)
  writer.exec('BEGIN')
  for (let n = 0; n < 10_001; n++) put(n, 0, 'x')
  writer.exec('COMMIT')
  const [first, ...others] = await Promise.all(Array.from({ length: 10_000 }, (_, n) => find(n, 0)))
  const other = async () => assert.notEqual(await find(10_000, 0), await find(10_000, 0))
  await other()
  await nextTurn()
  assert.equal(await find(0, 0), first)
  assert.equal(await find(9999, 0), others.at(-1))
  for (let n = 3; n < 80_000; n++) await find(10_000, 0)
  await other()
  const again = await find(10_000, 0)
  assert.equal(await find(10_000, 0), again)
  assert.notEqual(await find(0, 0), first)
})

test('who has locked even the readers out is waited for, without blocking the process', async t => {
  const { path, db, c, put, reader, writer, nextTurn } = begin(t)
  put('a', 'b', 'one')
  assert.equal(await c('a', 'b'), 'one')
  writer.close()
  // As one does who recovers the database after a crash.
  reader.close()
  assert.equal(db.isOpen, false)
  const owner = new DatabaseSync(path)
  owner.exec("PRAGMA locking_mode = EXCLUSIVE; UPDATE things SET c = 'two'")
  const late = new DatabaseSync(path)
  const second = createReader(late)
  t.after(() => second.close())
  const began = performance.now()
  const rows = second.select('SELECT c FROM things', [])
  assert.ok(performance.now() - began < 1000)
  assert.ok(rows instanceof Promise)
  for (let n = 0; n < 20; n++) await nextTurn()
  owner.close()
  assert.deepEqual(
    (await rows).map(each => ({ ...each })),
    [{ c: 'two' }],
  )
})

test('nothing is written, and nothing read once it is closed', async t => {
  const { c, find, put, reader } = begin(t)
  put('a', 'b', 'one')
  assert.throws(() => reader.select("INSERT INTO things VALUES ('x', 'y', 'z')", []), /readonly/)
  assert.equal(await c('a', 'b'), 'one')
  reader.close()
  assert.throws(() => find('a', 'b'))
  assert.throws(() => reader.select('SELECT c FROM things', []))
})
