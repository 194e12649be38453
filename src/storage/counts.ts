/**
 * Where a page far down a list begins, by counts of how many connections were made in which span of time:
 * `migrations/0013_counts.*.sql`. Long spans are added up until the one that the page begins in, then the shorter ones in that,
 * so that the connections of one moment are all that is left to pass over, however many there are.
 */
import { type Kysely, sql } from 'kysely'
import type { Cursor } from '../core/storage.ts'
import type { Engine } from './engine.ts'
import type { Tables } from './tables.ts'

/** In milliseconds, as the migration has them: each as long as 256 of the next. */
const spans = [2 ** 32, 2 ** 24, 2 ** 16, 2 ** 8]
const shortest = 2 ** 8

/** Of more notes that are not added yet, to look through them costs more than to pass over the rows. */
const mostNotes = 1000

/**
 * Of the spans of a length, in the longer one that was found: the last that not more rows come before than are skipped.
 * Takes the values of `its` twice, and then how many are skipped.
 */
const found = (its: string, span: number, longer?: number): string => {
  const [since, passed] = ['since', 'passed'].map(column => `(SELECT ${column} FROM in_${longer})`)
  const within = longer ? `since >= ${since} AND since < ${since} + ${longer}` : 'true'
  return `in_${span} AS (
    SELECT since, passed FROM (
      SELECT since, ${longer ? passed : 0} + SUM(SUM(connections)) OVER (ORDER BY since DESC) - SUM(connections) AS passed
      FROM (
        SELECT since, connections FROM connection_counts WHERE ${its} AND span = ${span} AND ${within}
        UNION ALL
        SELECT since, connections FROM (
          SELECT created_at - created_at % ${span} AS since, connections FROM notes WHERE ${its}) AS noted WHERE ${within}
      ) AS counted
      GROUP BY since) AS spans
    WHERE passed <= ? ORDER BY since LIMIT 1)`
}

const statement = (its: string): string => `
  WITH notes AS (SELECT * FROM connection_changes LIMIT ${mostNotes + 1}),
    ${spans.map((span, at) => found(its, span, spans[at - 1])).join(', ')}
  SELECT since, CAST(passed AS BIGINT) AS passed FROM in_${shortest}
  WHERE (SELECT COUNT(*) FROM notes) <= ${mostNotes}`

/**
 * The place in a list, of all connections of an environment or those of some integrations, from which fewer are left to
 * skip, and how many; none where there are no connections, or too many notes.
 */
export const createCounts = ({ prepare, elements }: Pick<Engine, 'prepare' | 'elements'>) => {
  type Row = { since: number; passed: number }
  const ofAll = prepare<Row>(statement('environment_id = ?'))
  const ofSome = prepare<Row>(statement(`environment_id = ? AND integration_key IN (SELECT value FROM ${elements}(?))`))
  return async (
    environmentId: number,
    integrationKeys: readonly string[] | undefined,
    skip: number,
  ): Promise<{ readonly after: Cursor; readonly skip: number } | undefined> => {
    const its = integrationKeys ? [environmentId, JSON.stringify(integrationKeys)] : [environmentId]
    const values = spans.flatMap(() => [...its, ...its, skip])
    const begin = await (integrationKeys ? ofSome : ofAll)(...values)
    return begin && { after: { createdAt: new Date(begin.since + shortest), id: '' }, skip: skip - begin.passed }
  }
}

/** So many notes are added at once, and no more, so that no statement takes long. */
const atOnce = 10_000

/** Adds what triggers noted to the counts, on Postgres; of two who do so at once, each adds what the other has not taken. */
export const addNotes = async (db: Kysely<Tables>): Promise<void> => {
  for (let taken = atOnce; taken === atOnce; ) {
    const { rows } = await sql<{ taken: number }>`
      WITH taken AS (
        DELETE FROM connection_changes
          WHERE number IN (SELECT number FROM connection_changes ORDER BY number LIMIT ${sql.lit(atOnce)}) RETURNING *),
      added AS (
        INSERT INTO connection_counts
          SELECT environment_id, span, created_at - created_at % span, integration_key, SUM(connections)
          FROM taken CROSS JOIN count_spans GROUP BY 1, 2, 3, 4 HAVING SUM(connections) <> 0 ORDER BY 1, 2, 3, 4
          ON CONFLICT (environment_id, span, since, integration_key)
            DO UPDATE SET connections = connection_counts.connections + excluded.connections)
      SELECT COUNT(*) AS taken FROM taken`.execute(db)
    taken = rows[0]?.taken ?? 0
  }
  await sql`DELETE FROM connection_counts WHERE connections = 0`.execute(db)
}
