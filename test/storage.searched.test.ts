/** How each engine finds what is searched: by its index, which also has the rows from before there was one. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, suite, type TestContext, test } from 'node:test'
import type { Storage } from '../src/core/storage.ts'
import { openStorage } from '../src/storage/open.ts'
import { openSqlite } from '../src/storage/sqlite.ts'
import { type PostgresServer, skip, startPostgres } from './postgres.ts'
import { add, at, connection, environment, integration } from './storage.fixtures.ts'
import { searchContract } from './storage.search.ts'

const migrations = new URL('../src/storage/migrations/', import.meta.url)

const fileIn = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'mortise-searched-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'mortise.db')
}

const find = async (storage: Storage, search: string, environmentId = 1) =>
  (await storage.listConnections(environmentId, { search }, { limit: 9 })).map(each => each.id).join()

const fill = async (storage: Storage) => {
  for (const id of [1, 2 ** 53 - 1]) {
    await storage.addEnvironment(environment(id))
    await storage.addIntegration(integration(id, 'github'))
    await storage.addEndUser({
      environmentId: id,
      id: 'u',
      username: `Ada of ${id}`,
      createdAt: at(0),
      updatedAt: at(0),
    })
    for (const name of ['a', 'b', 'c'])
      await add(
        storage,
        connection(id, name, { endUserId: name === 'a' ? 'u' : '', createdAt: at(name.charCodeAt(0)) }),
      )
  }
}

const filled = async (storage: Storage) => {
  assert.equal(await find(storage, 'ada of 1'), 'a')
  assert.equal(await find(storage, 'ada of 9'), '')
  assert.equal(await find(storage, 'ada of 9', 2 ** 53 - 1), 'a')
  assert.equal(await find(storage, 'named'), 'c,b,a')
  await add(storage, connection(1, 'd', { createdAt: at(200) }))
  assert.equal(await find(storage, 'named'), 'd,c,b,a')
  assert.equal(await find(storage, 'named', 2 ** 53 - 1), 'c,b,a')
}

/** All that the migration of searches made is gone, with its name. */
const sqliteBefore = `
  DROP TRIGGER environments_searched; DROP TRIGGER connections_added; DROP TRIGGER connections_renamed;
  DROP TRIGGER connections_removed; DROP TRIGGER end_users_added; DROP TRIGGER end_users_renamed;
  DROP TRIGGER end_users_removed; DROP TABLE connections_text; DROP TABLE end_users_text;
  DROP INDEX connections_searched; DROP INDEX end_users_searched;
  ALTER TABLE environments DROP COLUMN search_number; ALTER TABLE connections DROP COLUMN search_number;
  ALTER TABLE end_users DROP COLUMN search_number; DELETE FROM migrations WHERE name LIKE '%_search.%'`

test('a SQLite file from before searches had an index is searched whole', async t => {
  const file = fileIn(t)
  const old = openSqlite(file)
  await fill(old)
  await old.close()
  const raw = new DatabaseSync(file)
  raw.exec(sqliteBefore)
  raw.close()
  const migrated: string[] = []
  const storage = openSqlite(file, undefined, names => migrated.push(...names))
  t.after(() => storage.close())
  assert.deepEqual(migrated, ['0012_search.sqlite.sql'])
  await filled(storage)
})

test('a SQLite file is searched as before once it was vacuumed, and holds a text for each row', async t => {
  const file = fileIn(t)
  const storage = openSqlite(file)
  t.after(() => storage.close())
  await fill(storage)
  for (const name of ['a', 'b']) await storage.deleteConnection(2 ** 53 - 1, name, at(0))
  const raw = new DatabaseSync(file, { timeout: 5000 })
  t.after(() => raw.close())
  raw.exec("DELETE FROM connections WHERE id = 'b'; VACUUM")
  assert.equal(await find(storage, 'named'), 'c,a')
  assert.equal(await find(storage, 'ada of'), 'a')
  for (const table of ['connections', 'end_users']) {
    const numbers = (sql: string) =>
      raw
        .prepare(sql)
        .all()
        .map(row => row['n'])
    assert.deepEqual(
      numbers(`SELECT rowid AS n FROM ${table}_text ORDER BY n`),
      numbers(`SELECT search_number AS n FROM ${table} ORDER BY n`),
    )
  }
})

test('a row that SQLite refuses leaves no text behind, nor does one that is undone', async t => {
  const file = fileIn(t)
  const storage = openSqlite(file)
  t.after(() => storage.close())
  await fill(storage)
  const given = ['x', 'a', 'y'].map(id => ({ connection: connection(1, id, { connectionId: `new ${id}` }) }))
  // `y` has the number of another.
  const [, , last] = given
  if (last) Object.assign(last.connection, { number: connection(1, 'b').number })
  assert.deepEqual(await storage.restoreConnections(1, given, () => 'leave'), ['new', 'leave', 'taken'])
  assert.equal(await find(storage, 'new'), 'x')
  const raw = new DatabaseSync(file)
  t.after(() => raw.close())
  raw.exec("BEGIN IMMEDIATE; UPDATE connections SET connection_id = 'other' || id; DELETE FROM end_users; ROLLBACK")
  assert.equal(await find(storage, 'named'), 'c,b,a')
  assert.equal(await find(storage, 'other'), '')
  assert.equal(await find(storage, 'ada of'), 'a')
  const counts = raw.prepare(
    'SELECT (SELECT count(*) FROM connections_text) AS texts, (SELECT count(*) FROM connections) AS rows',
  )
  assert.deepEqual({ ...counts.get() }, { texts: 7, rows: 7 })
})

if (skip) test('searches on Postgres', { skip }, () => {})
else
  suite('Postgres', () => {
    let server: PostgresServer
    before(async () => {
      server = await startPostgres()
    })
    after(() => server.close())
    const sql = () => readFileSync(new URL('0012_search.postgres.sql', migrations), 'utf8')
    const indexes = async (name: string) => {
      const rows = await server.query(
        "SELECT indexname FROM pg_indexes WHERE indexname LIKE '%_searched' ORDER BY indexname",
        name,
      )
      return rows.map(row => row['indexname'])
    }

    test('a database from before searches had an index is searched whole', async t => {
      const { name, url } = await server.newDatabase()
      const old = await openStorage(url)
      await fill(old)
      await old.close()
      await server.query(
        "DROP INDEX connections_searched; DROP INDEX end_users_searched; DROP EXTENSION pg_trgm; DELETE FROM migrations WHERE name LIKE '%_search.%'",
        name,
      )
      const storage = await openStorage(url)
      t.after(() => storage.close())
      assert.deepEqual(await indexes(name), ['connections_searched', 'end_users_searched'])
      await filled(storage)
    })

    test('where the extension may not be made a search looks at every row, until the operator makes the index', async t => {
      const { name, url } = await server.newDatabase()
      await server.query("CREATE ROLE plain LOGIN PASSWORD 'plain'")
      await server.query('GRANT CREATE ON SCHEMA public TO plain', name)
      const own = new URL(url)
      own.username = own.password = 'plain'
      const storage = await openStorage(own.href)
      t.after(() => storage.close())
      assert.deepEqual(await indexes(name), [])
      await fill(storage)
      await filled(storage)
      // By hand, as the guide has it, and in a schema that is not looked into.
      await server.query('CREATE SCHEMA elsewhere; CREATE EXTENSION pg_trgm SCHEMA elsewhere', name)
      await server.query(sql(), name)
      assert.deepEqual(await indexes(name), ['connections_searched', 'end_users_searched'])
      const later = await openStorage(own.href)
      t.after(() => later.close())
      assert.equal(await find(later, 'named'), 'd,c,b,a')
      assert.equal(await find(later, 'ada of 1'), 'a')
    })

    // So few rows are else looked through, whatever indexes there are.
    suite('where to look at a row is costly', () => {
      let database: Awaited<ReturnType<PostgresServer['newDatabase']>>
      before(async () => {
        database = await server.newDatabase()
        for (const set of ['cpu_tuple_cost = 10', 'jit = off'])
          await server.query(`ALTER DATABASE ${database.name} SET ${set}`)
      })
      searchContract(async t => {
        const storage = await openStorage(database.url)
        t.after(async () => {
          await storage.close()
          await server.empty(database.name)
        })
        for (const id of [1, 2]) {
          await storage.addEnvironment(environment(id))
          await storage.addIntegration(integration(id, 'github'))
        }
        let counted: Promise<unknown> | undefined
        const listConnections: Storage['listConnections'] = async (...asked) => {
          counted ??= server.query('VACUUM ANALYZE', database.name)
          await counted
          return storage.listConnections(...asked)
        }
        return { storage, second: { ...storage, listConnections } }
      })
      test('the index was looked into', async () => {
        const rows = await server.query(
          "SELECT indexrelname AS name, idx_scan AS scans FROM pg_stat_user_indexes WHERE indexrelname LIKE '%_searched'",
          database.name,
        )
        for (const { name, scans } of rows) assert.ok(Number(scans) > 20, `${name}: ${scans}`)
        assert.equal(rows.length, 2)
      })
    })
  })
