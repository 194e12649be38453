/** The storage that a database URL names. Throws sentences for the person who set it. */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { SetupError } from '../core/errors.ts'
import type { Storage } from '../core/storage.ts'
import { openSqlite } from './sqlite.ts'

export const isPostgres = (database: string): boolean => /^postgres(ql)?:/.test(database)

/** The file that a database URL names: a path, `file:path` or `sqlite:path`. */
export const databaseFile = (database: string): string => {
  const path = database.replace(/^(file|sqlite):(\/\/)?/, '')
  if (path !== '' && (path === ':memory:' || !/^[a-z][a-z0-9+.-]+:/.test(path))) return path
  throw new SetupError(
    'MORTISE_DATABASE_URL must be a path to a SQLite database, like ./data/mortise.db, or the URL of a Postgres database, like postgres://user:password@host:5432/database',
  )
}

/** Whether several threads and processes can open it. */
export const isShared = (database: string): boolean => isPostgres(database) || databaseFile(database) !== ':memory:'

/** A folder that only its owner may read, made if it is missing. */
export const makeFolder = (path: string): void => {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new SetupError(
      `The folder ${path} cannot be made: ${(error as Error).message}. Set MORTISE_DATA_DIR to another.`,
    )
  }
}

/**
 * `writes`: `here`, on this thread, which then waits for locks and for the disk. `migrated` hears of the migrations that
 * were run, by name.
 */
export const openStorage = async (
  database: string,
  writes?: 'here',
  migrated: (names: readonly string[]) => void = () => {},
): Promise<Storage> => {
  // Not loaded, and no part of the start, where it is not used.
  if (isPostgres(database)) return (await import('./postgres.ts')).openPostgres(database, undefined, migrated)
  const path = databaseFile(database)
  if (path !== ':memory:') makeFolder(dirname(path))
  try {
    return openSqlite(path, writes, migrated)
  } catch (error) {
    if (error instanceof SetupError) throw error
    throw new SetupError(
      `The database ${path} cannot be opened: ${(error as Error).message}. Check MORTISE_DATA_DIR or MORTISE_DATABASE_URL.`,
      { cause: error },
    )
  }
}
