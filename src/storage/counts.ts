/**
 * Where a page far down a list begins, by counts of how many connections were made in which span of time:
 * `migrations/0013_counts.*.sql`. Long spans are added up until the one that the page begins in, then the shorter ones in that,
 * so that what was made within seconds is all that is left to pass over, however many connections there are.
 */
import { type Kysely, sql } from 'kysely'
import type { Cursor } from '../core/storage.ts'
import type { Engine } from './engine.ts'
import type { Tables } from './tables.ts'

/** In milliseconds, as the migration has them: each as long as 512 of the next. */
const spans = [2 ** 30, 2 ** 21, 2 ** 12]
const shortest = 2 ** 12

/** Of more notes that are not added yet, to look through them costs more than to pass over the rows. */
const mostNotes = 1000

/**
 * Of the spans of a length, in the longer one that was found: the last that not more rows come before than are skipped.
 * Takes the environment, the integration or '' for all, both once more, and how many are skipped.
 */
const found = (span: number, longer?: number): string => {
  const [since, passed] = ['since', 'passed'].map(column => `(SELECT ${column} FROM in_${longer})`)
  const within = longer ? `since >= ${since} AND since < ${since} + ${longer}` : 'true'
  return `in_${span} AS (
    SELECT since, passed FROM (
      SELECT since, ${longer ? passed : 0} + SUM(SUM(connections)) OVER (ORDER BY since DESC) - SUM(connections) AS passed
      FROM (
        SELECT since, connections FROM connection_counts
          WHERE environment_id = ? AND integration_key = ? AND span = ${span} AND ${within}
        UNION ALL
        SELECT since, connections FROM (
          SELECT created_at - created_at % ${span} AS since, connections FROM notes
            WHERE environment_id = ? AND ? IN ('', integration_key)) AS noted
          WHERE ${within}) AS counted
      GROUP BY since) AS spans
    WHERE passed <= ? ORDER BY since LIMIT 1)`
}

const statement = `
  WITH notes AS (SELECT * FROM connection_changes ORDER BY number LIMIT ${mostNotes + 1}),
    ${spans.map((span, at) => found(span, spans[at - 1])).join(', ')}
  SELECT since, CAST(passed AS BIGINT) AS passed FROM in_${shortest}
  WHERE (SELECT COUNT(*) FROM notes) <= ${mostNotes}`

/**
 * The place in a list, of all connections of an environment or those of an integration, from which fewer are left to skip,
 * and how many; none where there are no connections, or too many notes.
 */
export const createCounts = ({ prepare }: Pick<Engine, 'prepare'>) => {
  const begin = prepare<{ since: number; passed: number }>(statement, 'aside')
  return async (
    environmentId: number,
    integrationKey: string | undefined,
    skip: number,
  ): Promise<{ readonly after: Cursor; readonly skip: number } | undefined> => {
    const of = [environmentId, integrationKey ?? '']
    const row = await begin(...spans.flatMap(() => [...of, ...of, skip]))
    return row && { after: { createdAt: new Date(row.since + shortest), id: '' }, skip: skip - row.passed }
  }
}

/** So many notes are added at once, so that no statement takes long; and no more of them are begun after some milliseconds. */
const adding = { atOnce: 10_000, for: 3000 }

/** Adds what triggers noted to the counts, on Postgres; of two who do so at once, each adds what the other has not taken. */
export const addNotes = async (db: Kysely<Tables>, { atOnce, for: most } = adding): Promise<void> => {
  const end = performance.now() + most
  do {
    const { rows } = await sql<{ taken: number }>`
      WITH taken AS (
        DELETE FROM connection_changes WHERE number <= (SELECT MAX(number) FROM (
          SELECT number FROM connection_changes ORDER BY number LIMIT ${sql.lit(atOnce)}) AS first)
        RETURNING *),
      added AS (
        INSERT INTO connection_counts
          SELECT environment_id, key, span, created_at - created_at % span, SUM(connections)
          FROM (SELECT environment_id, created_at, connections, '' AS key FROM taken
            UNION ALL SELECT environment_id, created_at, connections, integration_key FROM taken) AS each
          CROSS JOIN count_spans GROUP BY 1, 2, 3, 4 HAVING SUM(connections) <> 0 ORDER BY 1, 2, 3, 4
          ON CONFLICT (environment_id, integration_key, span, since)
            DO UPDATE SET connections = connection_counts.connections + excluded.connections)
      SELECT COUNT(*) AS taken FROM taken`.execute(db)
    if ((rows[0]?.taken ?? 0) < atOnce) break
  } while (performance.now() < end)
  await sql`DELETE FROM connection_counts WHERE connections = 0`.execute(db)
}
