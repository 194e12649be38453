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

test('what is committed is seen at once, and what is not never', async t => {
  const { c, put, writer } = begin(t)
  assert.equal(await c('a', 'b'), undefined)
  put('a', 'b', 'one')
  assert.equal(await c('a', 'b'), 'one')
  // A transaction under way is nothing yet, and one that is undone never was.
  writer.exec('BEGIN IMMEDIATE')
  put('a', 'b', 'undone')
  assert.equal(await c('a', 'b'), 'one')
  writer.exec('ROLLBACK')
  assert.equal(await c('a', 'b'), 'one')
  put('a', 'b', 'two')
  assert.equal(await c('a', 'b'), 'two')
})

test('a row is found by its own values only, whatever is in them', async t => {
  const { c, put, nextTurn } = begin(t)
  const values = ['', '1', '1:', ':1', '1;', ';', '0:', '1:1', '11', '1:1:', 'é', '\0', 1, 11, 0, -1, 1.5]
  for (const a of values) for (const b of values) put(a, b, JSON.stringify([a, b]))
  for (let round = 0; round < 2; round++, await nextTurn())
    for (const a of values) for (const b of values) assert.equal(await c(a, b), JSON.stringify([a, b]))
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
  assert.equal(second.version(), undefined)
  for (let n = 0; n < 20; n++) await nextTurn()
  owner.close()
  assert.deepEqual(
    (await rows).map(each => ({ ...each })),
    [{ c: 'two' }],
  )
  assert.equal(typeof second.version(), 'number')
})

test('nothing is written, and nothing read once it is closed', async t => {
  const { c, find, put, reader } = begin(t)
  put('a', 'b', 'one')
  assert.throws(() => reader.select("INSERT INTO things VALUES ('x', 'y', 'z')", []), /readonly/)
  assert.equal(await c('a', 'b'), 'one')
  reader.close()
  assert.throws(() => find('a', 'b'))
  assert.throws(() => reader.select('SELECT c FROM things', []))
  assert.throws(() => reader.version())
})

test('the version is another one after each commit, seen from the next turn on; and after nothing else', async t => {
  const { put, reader, writer, c, nextTurn } = begin(t)
  const first = reader.version()
  await nextTurn()
  assert.equal(await c('a', 'b'), undefined)
  writer.exec('BEGIN IMMEDIATE')
  put('a', 'b', 'undone')
  await nextTurn()
  assert.equal(reader.version(), first)
  writer.exec('ROLLBACK')
  await nextTurn()
  assert.equal(reader.version(), first)
  put('a', 'b', 'one')
  assert.equal(reader.version(), first)
  await nextTurn()
  const second = reader.version()
  assert.notEqual(second, first)
  put('a', 'b', 'two')
  reader.lookAgain()
  assert.notEqual(reader.version(), second)
})
