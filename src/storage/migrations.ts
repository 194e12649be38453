/** The migrations: portable SQL, or of one engine whose name is in the file's; run in the order of their names. */
import { readdirSync, readFileSync } from 'node:fs'
import { SetupError } from '../core/errors.ts'

const folder = new URL('./migrations/', import.meta.url)

export interface Migration {
  readonly name: string
  readonly sql: string
}

/** Those that a database has not seen yet, given the names of those that it has. Refuses one newer than the code. */
export const missing = (applied: readonly string[], engine: 'sqlite' | 'postgres'): Migration[] => {
  const files = readdirSync(folder)
    .filter(name => /^\w+\.sql$/.test(name) || name.endsWith(`.${engine}.sql`))
    .sort()
  const unknown = applied.find(name => !files.includes(name))
  if (unknown !== undefined)
    throw new SetupError(
      `The database was written by a newer Mortise (it has the migration ${unknown}). Start that version, or restore the backup made before the upgrade.`,
    )
  return files
    .filter(name => !applied.includes(name))
    .map(name => ({ name, sql: readFileSync(new URL(name, folder), 'utf8') }))
}

export const createMigrations =
  'CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at BIGINT NOT NULL)'
