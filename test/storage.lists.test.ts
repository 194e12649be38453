/** How SQLite finds a page: along an index that holds the order of the list, and what it reads on the way. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { ListFilter, Page } from '../src/core/storage.ts'
import { listStorage, newestOf, pageOf } from '../src/storage/lists.ts'
import { createPlaces } from '../src/storage/places.ts'
import { openSqlite } from '../src/storage/sqlite.ts'
import { sqliteCandidates } from '../src/storage/sqlite-search.ts'
import type { Tables } from '../src/storage/tables.ts'
import { add, at, connection, environment, integration } from './storage.fixtures.ts'

test('every page is found along an index, without a look at the rows before it', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'mortise-plan-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'mortise.db')
  await openSqlite(file).close()
  const database = new DatabaseSync(file)
  t.after(() => database.close())
  const compiler = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: db => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
  const planOf = (filter: ListFilter, page: Page): string[] => {
    const { sql, parameters } = pageOf(compiler, 1, filter, page).compile()
    const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...(parameters as (string | number)[]))
    return steps.map(step => String(step['detail']))
  }
  const asked: Record<string, [filter: ListFilter, index: RegExp]> = {
    all: [{}, /connections USING COVERING INDEX connections_in_order \(environment_id=\?/],
    name: [{ connectionId: 'x' }, /COVERING INDEX connections_of_name \(environment_id=\? AND connection_id=\?/],
    user: [{ endUserId: 'u' }, /COVERING INDEX connections_of_user \(environment_id=\? AND end_user_id=\?/],
    integration: [
      { integrationKeys: ['a'] },
      /COVERING INDEX connections_of_integration \(environment_id=\? AND integration_key=\?/,
    ],
    integrations: [
      { integrationKeys: ['a', 'b'] },
      /COVERING INDEX connections_of_integration \(environment_id=\? AND integration_key=\?/,
    ],
    tag: [
      { tags: { a: 'b' } },
      /connection_tags USING COVERING INDEX \S+ \(environment_id=\? AND name=\? AND value=\?/,
    ],
    tags: [
      { tags: { a: 'b', c: 'd' } },
      /tag USING COVERING INDEX \S+ \(environment_id=\? AND name=\? AND value=\? AND created_at=\? AND id=\?/,
    ],
    organization: [
      { organizationId: 'o' },
      /end_users USING INDEX end_users_by_organization \(environment_id=\? AND organization_id=\?/,
    ],
    // Looked through in order, from the index alone, until the page is full.
    search: [{ search: 'x' }, /connections USING COVERING INDEX connections_in_order \(environment_id=\?/],
  }
  const after = { createdAt: new Date(5), id: 'x' }
  for (const [name, [filter, index]] of Object.entries(asked))
    for (const page of [{ limit: 10 }, { limit: 10, skip: 99_000 }, { limit: 10, after }]) {
      const plan = planOf(filter, page)
      const told = `${name}: ${plan.join('; ')}`
      assert.ok(
        plan.some(step => index.test(step)),
        told,
      )
      // `page` is what was found already.
      assert.deepEqual(
        plan.filter(step => /^SCAN (?!page$)/.test(step)),
        [],
        told,
      )
      // Only what an organization has is sorted.
      if (name !== 'organization') assert.ok(!plan.some(step => step.includes('TEMP B-TREE')), told)
      // What goes on from somewhere begins there.
      if ('after' in page)
        assert.ok(
          plan.some(step => step.includes('(created_at,id)<(?,?)')),
          told,
        )
    }
  // Of a search that finds few, those alone: the index gave their ids.
  const among = { ids: ['a', 'b'], elements: 'json_each' }
  for (const filter of [{ search: 'abc' }, { search: 'abc', tags: { a: 'b' }, organizationId: 'o' }]) {
    const { sql, parameters } = pageOf(compiler, 1, filter, { limit: 10 }, among).compile()
    const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...(parameters as (string | number)[]))
    const plan = steps.map(step => String(step['detail']))
    assert.ok(
      plan.some(step => /^SEARCH connections USING .*INDEX \S+ \(environment_id=\? AND id=\?\)/.test(step)),
      plan.join('; '),
    )
    assert.deepEqual(
      plan.filter(step => /^SCAN (?!page$|json_each VIRTUAL)/.test(step)),
      [],
    )
  }
  for (const who of ['all', 'proven'] as const) {
    const { sql, parameters } = newestOf(compiler, 1, ['a', 'b'], who).compile()
    const steps = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...(parameters as (string | number)[]))
    const plan = steps.map(step => String(step['detail'])).join('; ')
    assert.match(
      plan,
      /later USING .*INDEX connections_of_user \(environment_id=\? AND end_user_id=\? AND \(?created_at/,
      plan,
    )
  }
})

test('what a search may find is looked up by its text, among the numbers of its environment alone', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'mortise-search-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'mortise.db')
  await openSqlite(file).close()
  const database = new DatabaseSync(file)
  t.after(() => database.close())
  const asked: string[] = []
  const steps: string[] = []
  const executeQuery = async ({ sql, parameters }: { sql: string; parameters: readonly unknown[] }) => {
    asked.push(...parameters.map(String))
    const plan = database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...(parameters as (string | number)[]))
    steps.push(...plan.map(step => String(step['detail'])))
    return { rows: [] }
  }
  const candidates = sqliteCandidates(
    new Kysely<Tables>({
      dialect: {
        createAdapter: () => new SqliteAdapter(),
        createDriver: () => Object.assign(new DummyDriver(), { acquireConnection: async () => ({ executeQuery }) }),
        createIntrospector: db => new SqliteIntrospector(db),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    }),
  )
  assert.deepEqual(await candidates(1, 'ab"', 1001), [])
  assert.ok(asked.includes('"ab"""'), asked.join())
  for (const part of [
    // By the text (M), and between two numbers.
    /^SCAN connections_text VIRTUAL TABLE INDEX 0:(M\d*><|><M\d*)$/,
    /^SCAN end_users_text VIRTUAL TABLE INDEX 0:(M\d*><|><M\d*)$/,
    /^SEARCH connections USING INDEX connections_searched \(search_number=\?\)/,
    /^SEARCH end_users USING INDEX end_users_searched \(search_number=\?\)/,
    /^SEARCH connections USING COVERING INDEX connections_of_user \(environment_id=\? AND end_user_id=\?\)/,
  ])
    assert.ok(
      steps.some(step => part.test(step)),
      `${part}: ${steps.join('; ')}`,
    )
  // Of fewer than three characters, and of what a NUL would cut, it cannot tell.
  for (const text of ['ab', '😀😀', 'abc\0def']) assert.equal(await candidates(1, text, 1001), undefined)
})

test('the page after one that was just read begins where that ended; another near one passes over what comes before it, and a far one is counted', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'mortise-places-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'mortise.db')
  const storage = openSqlite(file)
  t.after(() => storage.close())
  await storage.addEnvironment(environment(1))
  await storage.addIntegration(integration(1, 'github'))
  const write = (n: number) => add(storage, connection(1, `c${n}`, { createdAt: at(n) }))
  for (let n = 0; n < 8; n++) await write(n)

  const database = new DatabaseSync(file)
  t.after(() => database.close())
  const offsets: unknown[] = []
  const db = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () =>
        Object.assign(new DummyDriver(), {
          acquireConnection: async () => ({
            async executeQuery({ sql, parameters }: { sql: string; parameters: readonly unknown[] }) {
              offsets.push(
                /offset \?/.test(sql) ? parameters.at(-1 - (sql.split('offset ?')[1]?.match(/\?/g) ?? []).length) : 0,
              )
              return { rows: database.prepare(sql).all(...(parameters as (string | number)[])) }
            },
          }),
        }),
      createIntrospector: db => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
  const places = createPlaces(() => 0)
  const counted: string[] = []
  const prepare =
    (sql: string) =>
    (...values: (string | number)[]) => {
      counted.push(sql)
      return database.prepare(sql).get(...values)
    }
  const lists = listStorage({ db, prepare } as Parameters<typeof listStorage>[0], places)
  const read = async (page: Page, filter: ListFilter = {}) => {
    const ids = (await lists.listConnections(1, filter, page)).map(each => each.id).join()
    return [ids, offsets.pop()]
  }
  assert.deepEqual(await read({ limit: 2 }), ['c7,c6', 0])
  assert.deepEqual(await read({ limit: 2, skip: 2 }), ['c5,c4', 0])
  assert.deepEqual(await read({ limit: 3, skip: 4 }), ['c3,c2,c1', 0])
  assert.deepEqual(await read({ limit: 2, skip: 6 }), ['c1,c0', 6])
  // A list that is read in pieces knows its place, too; one that goes on from a cursor alone has no number.
  const cursor = { createdAt: at(5), id: 'c5' }
  assert.deepEqual(await read({ limit: 2, skip: 3, after: cursor }), ['c4,c3', 0])
  assert.deepEqual(await read({ limit: 1, skip: 5 }), ['c2', 0])
  places.forget()
  assert.deepEqual(await read({ limit: 2, after: cursor }), ['c4,c3', 0])
  assert.deepEqual(await read({ limit: 2, skip: 2 }), ['c5,c4', 2])
  // What another process writes is counted later, what this one writes at once.
  await write(8)
  assert.deepEqual(await read({ limit: 2, skip: 4 }), ['c3,c2', 0])
  places.forget()
  assert.deepEqual(await read({ limit: 2, skip: 4 }), ['c4,c3', 4])
  assert.equal(counted.length, 0)
  const rows = Array.from({ length: 10_300 }, (_, n) => connection(1, `d${n}`, { createdAt: at(-10 * (n + 1)) }))
  await storage.restoreConnections(
    1,
    rows.map(each => ({ connection: each })),
    () => 'write',
  )
  assert.deepEqual(await read({ limit: 2, skip: 9999 }), ['d9990,d9991', 9999])
  assert.equal(counted.length, 0)
  assert.deepEqual(await read({ limit: 2, skip: 10_000 }), ['d9991,d9992', 0])
  assert.deepEqual(await read({ limit: 2, skip: 10_002 }), ['d9993,d9994', 0])
  assert.equal(counted.length, 1)
  assert.deepEqual(await read({ limit: 2, skip: 10_100 }, { integrationKeys: ['github'] }), ['d10091,d10092', 0])
  assert.equal(counted.length, 2)
  // What else a list may be narrowed by is not counted.
  for (const filter of [
    { search: 'named' },
    { endUserId: '' },
    { connectionId: 'x' },
    { organizationId: 'o' },
    { tags: { a: 'b' } },
    { integrationKeys: ['github', 'other'] },
  ])
    assert.equal((await read({ limit: 2, skip: 10_100 }, filter))[1], 10_100)
  assert.equal(counted.length, 2)
})
