/** How SQLite finds a page: along an index that holds the order of the list, and what it reads on the way. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { ListFilter, Page } from '../src/core/storage.ts'
import { pageOf } from '../src/storage/lists.ts'
import { openSqlite } from '../src/storage/sqlite.ts'
import type { Tables } from '../src/storage/tables.ts'

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
})
