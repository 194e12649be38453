/** Which rows may hold a text, by FTS5: the tables and triggers of `migrations/0012_search.sqlite.sql`. */
import { type Kysely, sql } from 'kysely'
import type { Engine } from './engine.ts'
import type { Tables } from './tables.ts'

/** Of so many three characters it is asked at most: more make a query long, and few rows fewer. */
const most = 64

/** Each three characters of a text, in any order; none where there are fewer, and of what a NUL ends. */
const queryOf = (text: string): string | undefined => {
  const characters = [...text]
  if (characters.length < 3 || text.includes('\0')) return undefined
  const threes = characters.slice(2).map((_, at) => characters.slice(at, at + 3).join(''))
  // Ids of one app begin alike, and what all have takes longest to look through.
  const asked = [...new Set(threes.slice(threes.length > 2 ? 1 : 0))].slice(0, most)
  return asked.map(three => `"${three.replaceAll('"', '""')}"`).join(' AND ')
}

export const sqliteCandidates =
  (db: Kysely<Tables>): NonNullable<Engine['candidates']> =>
  async (environmentId, text, limit) => {
    const query = queryOf(text)
    if (query === undefined) return undefined
    const last = sql`(SELECT search_number FROM environments WHERE id = ${environmentId})`
    const among = (table: string) =>
      sql`${sql.table(table)} MATCH ${query} AND ${sql.table(table)}.rowid > ${last} >> 40 << 40 AND ${sql.table(table)}.rowid <= ${last}`
    // A cross join is made in the order that it is written in.
    const found = sql<{ id: string }>`(
      SELECT connections.id FROM connections_text
        CROSS JOIN connections ON connections.search_number = connections_text.rowid
        WHERE ${among('connections_text')}
      UNION ALL
      SELECT connections.id FROM end_users_text
        CROSS JOIN end_users ON end_users.search_number = end_users_text.rowid
        CROSS JOIN connections ON connections.environment_id = ${environmentId} AND connections.end_user_id = end_users.id
        WHERE ${among('end_users_text')})`
    const rows = await db.selectFrom(found.as('found')).select('id').limit(limit).execute()
    return rows.map(row => row.id)
  }
