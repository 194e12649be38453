/** SQLite through the runtime's own `node:sqlite`: one connection writes, one reads, both in WAL mode. */
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Storage } from '../core/storage.ts'
import { createMigrations, missing } from './migrations.ts'
import { createStorage } from './sql.ts'
import type { Tables } from './tables.ts'

/** Milliseconds to wait for another writer. */
const patience = 5000

/**
 * Opens the database file, made if missing (only its owner may read it), and brings it up to date.
 * `:memory:` keeps everything in the process.
 */
export const openSqlite = (path: string): Storage => {
  const before = process.umask(0o077)
  try {
    const writer = open(path)
    migrate(writer)
    const reader = path === ':memory:' ? writer : open(path)
    // From here on the driver waits, see `patiently`.
    writer.exec('PRAGMA busy_timeout = 0')
    const db = new Kysely<Tables>({
      dialect: {
        createAdapter: () => new SqliteAdapter(),
        createDriver: () => createDriver(writer),
        createIntrospector: each => new SqliteIntrospector(each),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    })
    return createStorage({
      db,
      // A read of one row in this process: nothing to save.
      epochLasts: 0,
      transact: work => db.transaction().execute(work),
      // There is one writer at a time, and no row is locked.
      skipLocked: rows => rows,
      now: "CAST(unixepoch('subsec') * 1000 AS INTEGER)",
      prepare: <Row>(text: string) => {
        const statement = reader.prepare(text)
        return (...values) => statement.get(...values) as Row | undefined
      },
      close: async () => {
        if (reader !== writer && reader.isOpen) reader.close()
        if (writer.isOpen) writer.close()
      },
    })
  } finally {
    process.umask(before)
  }
}

/** FULL: a commit that was answered survives a power cut (a rotated refresh token exists nowhere else). */
const open = (path: string): DatabaseSync => {
  const db = new DatabaseSync(path, { timeout: patience })
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF')
  return db
}

/** Runs the migrations that the database has not seen, all in one transaction. */
const migrate = (db: DatabaseSync): void => {
  db.exec(createMigrations)
  db.exec('BEGIN IMMEDIATE')
  try {
    const applied = db.prepare('SELECT name FROM migrations').all()
    for (const { name, sql } of missing(applied.map(row => String(row['name'])))) {
      db.exec(sql.replaceAll(' BYTES', ' BLOB'))
      db.prepare('INSERT INTO migrations VALUES (?, ?)').run(name, Date.now())
    }
    db.exec('COMMIT')
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

/**
 * Waits for another writer without blocking the process: SQLite's own waiting does, and the other writer may be a second
 * storage in this very process, which then could never finish.
 */
const patiently = async <T>(work: () => T): Promise<T> => {
  for (const deadline = performance.now() + patience; ; await setTimeout(2)) {
    try {
      return work()
    } catch (error) {
      const busy = ((error as { errcode?: number }).errcode ?? 0) % 256 === 5
      if (!busy || performance.now() > deadline) throw error
    }
  }
}

/** Kysely on the one writing connection: queries and transactions wait for each other's turn. */
const createDriver = (db: DatabaseSync): Driver => {
  const connection: DatabaseConnection = {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      const values = parameters as SQLInputValue[]
      return patiently(() => {
        const statement = db.prepare(sql)
        if (statement.columns().length > 0) return { rows: statement.all(...values) as R[] }
        const { changes } = statement.run(...values)
        return { rows: [], numAffectedRows: BigInt(changes) }
      })
    },
    // biome-ignore lint/correctness/useYield: streaming is not used.
    async *streamQuery() {
      throw new Error('Streaming is not supported.')
    },
  }
  let last: Promise<void> = Promise.resolve()
  let release = () => {}
  return {
    async init() {},
    async acquireConnection() {
      const turn = last
      let done = () => {}
      last = new Promise(resolve => {
        done = resolve
      })
      await turn
      release = done
      return connection
    },
    async releaseConnection() {
      release()
    },
    async beginTransaction() {
      await patiently(() => db.exec('BEGIN IMMEDIATE'))
    },
    async commitTransaction() {
      db.exec('COMMIT')
    },
    async rollbackTransaction() {
      db.exec('ROLLBACK')
    },
    async destroy() {},
  }
}
