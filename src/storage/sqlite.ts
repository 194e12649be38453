/**
 * SQLite through the runtime's own `node:sqlite`, in WAL mode: one thread writes a database file, and the main thread
 * reads it on a connection of its own, so that nothing it does waits for a lock or for the disk's fsync.
 */
import type { DatabaseSync } from 'node:sqlite'
import { isMainThread } from 'node:worker_threads'
import { CompiledQuery, type Driver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { Storage } from '../core/storage.ts'
import type { Engine } from './engine.ts'
import { createMigrations, missing } from './migrations.ts'
import { createStorage } from './sql.ts'
import { createDriver } from './sqlite-driver.ts'
import { createReader, type Reader } from './sqlite-reader.ts'
import { sqliteCandidates } from './sqlite-search.ts'
import { createRun, openFile } from './sqlite-statements.ts'
import { startWriter, type Writer } from './sqlite-thread.ts'
import type { Tables } from './tables.ts'

/**
 * Opens the database file, made if missing (only its owner may read it), and brings it up to date.
 * `:memory:` keeps everything in the process, on one connection.
 */
export const openSqlite = (
  path: string,
  writes?: 'here',
  migrated: (names: readonly string[]) => void = () => {},
): Storage => {
  // A thread may not set it; its file is there, made by the process.
  const before = isMainThread ? process.umask(0o077) : undefined
  try {
    const db = openFile(path)
    try {
      migrated(migrate(db))
      if (path === ':memory:') return createStorage(createEngine(writerHere(db)))
      if (writes === 'here') return createStorage(createEngine(writerHere(db), undefined, path))
      const reader = createReader(db)
      return createStorage(createEngine(startWriter(path), reader, path))
    } catch (error) {
      db.close()
      throw error
    }
  } finally {
    if (before !== undefined) process.umask(before)
  }
}

const kyselyOn = (driver: Driver): Kysely<Tables> =>
  new Kysely<Tables>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => driver,
      createIntrospector: each => new SqliteIntrospector(each),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })

/** `path`: of the file, where there is one. */
const createEngine = (writer: Writer, reader?: Reader, path?: string): Engine => {
  const driver = createDriver(writer, reader)
  const db = kyselyOn(driver)
  const close = async () => {
    await driver.finish()
    await writer.close()
    reader?.close()
  }
  let closed: Promise<void> | undefined
  return {
    db,
    // It is a read of microseconds.
    epochLasts: 0,
    transact: work => db.transaction().execute(work),
    // There is one writer at a time, and no row is locked.
    skipLocked: rows => rows,
    shareLocked: rows => rows,
    insertRows,
    async snapshot(read) {
      if (path === undefined) return read(db)
      const own = openFile(path)
      try {
        // A transaction sees what is committed when it first reads.
        own.exec('PRAGMA query_only = ON; BEGIN; SELECT name FROM marks LIMIT 1')
        return await read(kyselyOn(createDriver(writerHere(own), undefined)))
      } finally {
        own.close()
      }
    },
    now: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    version: () => reader?.version(),
    // In memory there is one connection, which may be in a transaction.
    together: reads => (reader ? reader.together(reads) : reads()),
    prepare<Row>(sql: string) {
      type Read = (...values: (string | number)[]) => Row | undefined | Promise<Row | undefined>
      if (reader) return reader.prepare(sql) as Read
      return async (...values) => (await db.executeQuery<Row>(CompiledQuery.raw(sql, values))).rows[0]
    },
    candidates: sqliteCandidates(db),
    elements: 'json_each',
    check: writer.check,
    close() {
      closed ??= close()
      return closed
    },
  }
}

/** The text is made once for each number of rows: to have it built of its rows costs as much as to run it. */
const insertRows: Engine['insertRows'] = (table, columns, then) => {
  const texts = new Map<number, string>()
  const made = (count: number): string => {
    const row = `(${columns.map(() => '?').join(', ')})`
    return `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${Array.from({ length: count }, () => row).join(', ')} ${then}`
  }
  return rows => {
    const text = texts.get(rows.length) ?? made(rows.length)
    texts.set(rows.length, text)
    const values = rows.flatMap(row => columns.map(column => (row as Record<string, unknown>)[column]))
    return CompiledQuery.raw(text, values)
  }
}

/** What is in memory is written where it is. */
const writerHere = (db: DatabaseSync): Writer => {
  const run = createRun(db)
  return {
    run: async (sql, values) => run(sql, values),
    check() {},
    async close() {
      db.close()
    },
  }
}

/**
 * Runs the migrations that the database has not seen, all in one transaction, and answers their names. Without any, it
 * waits for no lock.
 */
const migrate = (db: DatabaseSync): string[] => {
  const names = () => {
    const applied = db.prepare('SELECT name FROM migrations').all()
    return missing(
      applied.map(row => String(row['name'])),
      'sqlite',
    )
  }
  db.exec(createMigrations)
  if (names().length === 0) return []
  db.exec('BEGIN IMMEDIATE')
  try {
    const mine = names()
    for (const { name, sql } of mine) {
      db.exec(sql.replaceAll(' BYTES', ' BLOB'))
      db.prepare('INSERT INTO migrations VALUES (?, ?)').run(name, Date.now())
    }
    db.exec('COMMIT')
    return mine.map(each => each.name)
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}
