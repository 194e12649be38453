/** How each engine counts what a far page is found by: exactly, from before there were counts, and read along its key. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { suite, type TestContext, test } from 'node:test'
import pg from 'pg'
import type { Context } from '../src/core/context.ts'
import type { Storage } from '../src/core/storage.ts'
import { sweep } from '../src/core/sweep.ts'
import { createCounts } from '../src/storage/counts.ts'
import { openStorage } from '../src/storage/open.ts'
import { openSqlite } from '../src/storage/sqlite.ts'
import { skip, startPostgres } from './postgres.ts'
import { add, at, connection, environment, integration } from './storage.fixtures.ts'

const many = 12_000

/** One each ten minutes, and each third through another integration. */
const fill = async (storage: Storage): Promise<void> => {
  await storage.addEnvironment(environment(1))
  for (const key of ['github', 'other']) await storage.addIntegration(integration(1, key))
  const rows = Array.from({ length: many }, (_, n) =>
    connection(1, `c${n}`, { createdAt: at(n * 600), integrationKey: n % 3 === 0 ? 'other' : 'github' }),
  )
  await storage.restoreConnections(
    1,
    rows.map(each => ({ connection: each })),
    () => 'write',
  )
}

const far = async (storage: Storage, skip: number) =>
  (await storage.listConnections(1, {}, { limit: 2, skip })).map(each => each.id)

const sums = (from: string) =>
  `SELECT environment_id, integration_key, span, since, SUM(connections) FROM (${from}) AS each
  GROUP BY 1, 2, 3, 4 HAVING SUM(connections) <> 0`
const spread = (one: string, table: string) =>
  ["''", 'integration_key']
    .map(
      key => `SELECT environment_id, ${key} AS integration_key, span, created_at - created_at % span AS since,
        ${one} AS connections FROM ${table} CROSS JOIN count_spans`,
    )
    .join(' UNION ALL ')
const counts = 'SELECT * FROM connection_counts'
/** Where the counts, with what is noted, are not those of the connections that are there. */
const amiss = (noted: string) => {
  const [are, ought] = [sums(`${counts} ${noted}`), sums(spread('1', 'connections'))]
  return `SELECT * FROM (${are} EXCEPT ${ought}) AS more UNION ALL SELECT * FROM (${ought} EXCEPT ${are}) AS less LIMIT 3`
}

const fileIn = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'mortise-counted-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'mortise.db')
}

test('a SQLite file from before there were counts has them of all that is there', async t => {
  const file = fileIn(t)
  const old = openSqlite(file)
  await fill(old)
  await old.close()
  const raw = new DatabaseSync(file, { timeout: 5000 })
  t.after(() => raw.close())
  raw.exec(`
    DROP TRIGGER connections_came; DROP TRIGGER connections_went; DROP TRIGGER connections_moved;
    DROP VIEW connection_changes; DROP VIEW count_spans; DROP TABLE connection_counts;
    DELETE FROM migrations WHERE name LIKE '%_counts.%'`)
  const migrated: string[] = []
  const storage = openSqlite(file, undefined, names => migrated.push(...names))
  t.after(() => storage.close())
  assert.deepEqual(migrated, ['0013_counts.sqlite.sql'])
  assert.equal(raw.prepare(counts).all().length > many, true)
  assert.deepEqual(raw.prepare(amiss('')).all(), [])
  assert.deepEqual(await far(storage, 10_500), ['c1499', 'c1498'])
  await storage.deleteConnection(1, 'c2000', at(0))
  await add(storage, connection(1, 'new', { createdAt: at(0) }))
  assert.deepEqual(raw.prepare(amiss('')).all(), [])
  // What is undone was never counted, and nothing is left of what is gone.
  raw.exec("BEGIN IMMEDIATE; DELETE FROM connections WHERE id < 'c2'; ROLLBACK")
  assert.deepEqual(raw.prepare(amiss('')).all(), [])
  raw.exec('DELETE FROM connections')
  assert.deepEqual(raw.prepare(counts).all(), [])
})

test('SQLite finds a far page along the key of the counts, and leaves few rows to pass over', async t => {
  const file = fileIn(t)
  const storage = openSqlite(file)
  await fill(storage)
  await storage.close()
  const raw = new DatabaseSync(file)
  t.after(() => raw.close())
  const plans: string[][] = []
  const prepare =
    (sql: string) =>
    (...values: (string | number)[]) => {
      plans.push(
        raw
          .prepare(`EXPLAIN QUERY PLAN ${sql}`)
          .all(...values)
          .map(step => String(step['detail'])),
      )
      return raw.prepare(sql).get(...values)
    }
  const countTo = createCounts({ prepare: prepare as never })
  for (const [key, skip, createdAt] of [
    [undefined, 11_000, at((many - 1 - 11_000) * 600)],
    ['other', 900, at((many - 3 - 900 * 3) * 600)],
  ] as const) {
    const begin = await countTo(1, key, skip)
    assert.equal(begin?.skip, 0)
    const since = begin.after.createdAt.getTime() - createdAt.getTime()
    assert.ok(since > 0 && since <= 4096, `${since}`)
  }
  for (const plan of plans)
    assert.deepEqual(
      plan.filter(step => /connection_counts/.test(step)).sort(),
      ['AND since>? AND since<?)', 'AND since>? AND since<?)', ')'].map(
        end =>
          `SEARCH connection_counts USING PRIMARY KEY (environment_id=? AND integration_key=? AND span=?${end === ')' ? end : ` ${end}`}`,
      ),
      plan.join('; '),
    )
})

if (skip) test('counts on Postgres', { skip }, () => {})
else
  suite('on Postgres', () => {
    test('a database from before there were counts has them; the sweep adds what was noted since, and leaves nothing empty', async t => {
      const server = await startPostgres({}, 'trust')
      const open: { close(): Promise<unknown> }[] = [server]
      t.after(async () => {
        for (const each of open.reverse()) await each.close()
      })
      const { url } = await server.newDatabase()
      const old = await openStorage(url)
      await fill(old)
      await old.close()
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      open.push({ close: () => client.end() })
      const rows = async (sql: string) => (await client.query(sql)).rows
      const exact = async (told: string) =>
        assert.deepEqual(await rows(amiss(`UNION ALL ${spread('connections', 'connection_changes')}`)), [], told)
      await client.query(`
        DROP TABLE connection_changes, connection_counts; DROP VIEW count_spans; DROP FUNCTION note_connection CASCADE;
        DELETE FROM migrations WHERE name LIKE '%_counts.%'`)
      const migrated: string[] = []
      const storage = await openStorage(url, undefined, names => migrated.push(...names))
      open.push(storage)
      assert.deepEqual(migrated, ['0013_counts.postgres.sql'])
      assert.equal((await rows(counts)).length > many, true)
      await exact('migrated')
      for (let n = 0; n < 20; n++) await storage.deleteConnection(1, `c${n * 100}`, at(0))
      await add(storage, connection(1, 'new', { createdAt: at(0) }))
      await exact('noted')
      assert.equal((await rows('SELECT 1 FROM connection_changes')).length, 21)
      assert.deepEqual(await far(storage, 10_500), ['c1494', 'c1493'])
      await client.query("BEGIN; DELETE FROM connections WHERE id < 'c2'; ROLLBACK")
      await sweep({ storage, clock: { now: () => at(0) } } as unknown as Context)
      await exact('swept')
      assert.equal((await rows('SELECT 1 FROM connection_changes')).length, 0)
      assert.deepEqual(await far(storage, 10_500), ['c1494', 'c1493'])
      // What the triggers did not see is counted anew as the document says.
      await client.query("SET session_replication_role = replica; DELETE FROM connections WHERE id < 'c2'")
      await client.query('RESET session_replication_role')
      assert.notDeepEqual(await rows(amiss('')), [])
      const guide = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8')
      await client.query(/id="count-anew"[\s\S]*?```sql\n([^`]*)```/.exec(guide)?.[1] ?? '')
      await exact('counted anew')
      // Whoever writes from elsewhere, under whatever names are found there first.
      await client.query('SET search_path = pg_catalog; DELETE FROM public.connections; RESET search_path')
      await exact('emptied')
      // Of so many notes the rows themselves are cheaper to look at.
      const countTo = createCounts({
        prepare: sql => {
          let count = 0
          const text = sql.replaceAll('?', () => `$${++count}`)
          return (async (...values: unknown[]) => {
            const [row] = (await client.query(text, values)).rows
            return row && { since: Number(row.since), passed: Number(row.passed) }
          }) as never
        },
      })
      assert.equal(await countTo(1, undefined, 1500), undefined)
      await storage.sweepCounts()
      assert.deepEqual(await rows(counts), [])
    })
  })
