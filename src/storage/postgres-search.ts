/** Which rows may hold a text, by pg_trgm: the indexes of `migrations/0012_search.postgres.sql`. */
import { type Kysely, sql } from 'kysely'
import type { Engine } from './engine.ts'
import type { Tables } from './tables.ts'

/**
 * Three or more letters and digits, none of them a capital but of ASCII: what is a capital's small letter depends on the
 * server's locale, and on the letters beside it.
 */
const words = /[\p{Ll}\p{Lo}\p{Nd}]{3,}/gu

/** The words of a text, in their order; none where there are none. They have nothing in them that a pattern reads otherwise. */
const patternOf = (text: string): string | undefined => {
  const found = text.replace(/[A-Z]+/g, letters => letters.toLowerCase()).match(words)
  return found ? `%${found.join('%')}%` : undefined
}

export const postgresCandidates =
  (db: Kysely<Tables>): NonNullable<Engine['candidates']> =>
  async (environmentId, text, limit) => {
    const pattern = patternOf(text)
    if (pattern === undefined) return undefined
    const like = (column: string) => sql`lower(${sql.ref(column)}) COLLATE "default" LIKE ${pattern}`
    const found = sql<{ id: string }>`(
      SELECT id FROM connections WHERE environment_id = ${environmentId} AND ${like('connection_id')}
      UNION ALL
      SELECT connections.id FROM end_users JOIN connections
        ON connections.environment_id = ${environmentId} AND connections.end_user_id = end_users.id
        WHERE end_users.environment_id = ${environmentId}
          AND (${like('username')} OR ${like('full_name')} OR ${like('email')}))`
    const rows = await db.selectFrom(found.as('found')).select('id').limit(limit).execute()
    return rows.map(row => row.id)
  }
