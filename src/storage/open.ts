/** The storage that a database URL names. */
import { SetupError } from '../core/errors.ts'
import type { Storage } from '../core/storage.ts'
import { openSqlite } from './sqlite.ts'

/** A path, `file:path` or `sqlite:path`. Throws a sentence for the person who set it. */
export const openStorage = (database: string): Storage => {
  if (/^postgres(ql)?:/.test(database))
    throw new SetupError(
      'MORTISE_DATABASE_URL names a Postgres database, which this version cannot use yet. Set it to a path for SQLite, or leave it out.',
    )
  const path = database.replace(/^(file|sqlite):(\/\/)?/, '')
  if (path === '' || /^[a-z][a-z0-9+.-]+:/.test(path))
    throw new SetupError('MORTISE_DATABASE_URL must be a path to a SQLite database, like ./data/mortise.db')
  return openSqlite(path)
}
