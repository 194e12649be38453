/** Postgres through `pg`: a bounded pool, behind the same statements as SQLite. Loaded only where it is used. */
import { setTimeout } from 'node:timers/promises'
import { CompiledQuery, Kysely, PostgresDialect, type PostgresPoolClient, sql, type Transaction } from 'kysely'
import pg from 'pg'
import { SetupError } from '../core/errors.ts'
import type { Storage } from '../core/storage.ts'
import { addNotes } from './counts.ts'
import type { Engine } from './engine.ts'
import { createMigrations, missing } from './migrations.ts'
import { createReads } from './postgres-reads.ts'
import { postgresCandidates } from './postgres-search.ts'
import {
  connectionLost,
  isTimeout,
  keyInTheWay,
  lostToAnother,
  madeMeanwhile,
  openingTrouble,
} from './postgres-trouble.ts'
import { type PostgresTarget, parsePostgresUrl } from './postgres-url.ts'
import { createStorage } from './sql.ts'
import type { Tables } from './tables.ts'

const { builtins } = pg.types

/** Connections of one process, at most. */
const most = 10
/** Milliseconds to wait for a connection; for the server to give up a statement or a transaction that rests; for us to. */
const usual = { connect: 5000, server: 10_000, own: 12_000 }
/** Milliseconds that a transaction may lose against others, again and again. */
const contention = 10_000
/** Milliseconds within which a process learns of keys that another has changed. */
const epochLasts = 500

/** BIGINT as a number: nothing here is beyond 2^53. BYTEA as plain bytes. Everything else as pg has it. */
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    if (format === 'binary') return pg.types.getTypeParser(oid, 'binary')
    if (oid === builtins.INT8) return Number
    const parse = pg.types.getTypeParser(oid, 'text')
    if (oid !== builtins.BYTEA) return parse
    return (text: string) => {
      const buffer: Buffer = parse(text)
      return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length)
    }
  },
} as pg.CustomTypesConfig

/** Opens the database that a URL names, and brings it up to date. */
export const openPostgres = async (
  url: string,
  patience = usual,
  migrated: (names: readonly string[]) => void = () => {},
): Promise<Storage> => {
  const target = parsePostgresUrl(url)
  const config = {
    ...target.config,
    types,
    application_name: 'mortise',
    connectionTimeoutMillis: patience.connect,
    keepAlive: true,
  }
  try {
    const { pooler, searched } = await prepareDatabase(config, target, migrated)
    const limits = {
      query_timeout: patience.own,
      // A pooler refuses what it does not know of at the start of a connection.
      ...(pooler ? {} : { statement_timeout: patience.server, idle_in_transaction_session_timeout: patience.server }),
    }
    return createStorage(createEngine({ ...config, ...limits }, target.prepared ?? !pooler, searched))
  } catch (error) {
    throw openingTrouble(error, target)
  }
}

const createEngine = (
  config: pg.ClientConfig & { readonly types: pg.CustomTypesConfig },
  named: boolean,
  searched: boolean,
): Engine => {
  const pool = new pg.Pool({ ...config, max: most })
  // Without a listener, a connection that ends while it is idle, or between two statements, would end the process.
  pool.on('error', () => {})
  pool.on('connect', client => client.on('error', () => {}))
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({
      // Kysely asks for cursors too, for streaming only, which is not used.
      pool: {
        connect: async () => impatient(await pool.connect()) as unknown as PostgresPoolClient,
        end: () => pool.end(),
      },
    }),
  })
  const reads = createReads(config, named)
  let statements = 0
  /** On a connection of the pool. */
  const prepareAside = <Row>(text: string) => {
    const statement = { text, ...(named ? { name: `mortise_aside_${++statements}` } : {}) }
    return async (...values: (string | number)[]): Promise<Row | undefined> => {
      const client = impatient(await pool.connect())
      try {
        return (await client.query({ ...statement, values })).rows[0]
      } finally {
        client.release()
      }
    }
  }
  let ended: Promise<void> | undefined
  return {
    db,
    epochLasts,
    transact: work => transact(db, work),
    skipLocked: rows => rows.forUpdate().skipLocked(),
    shareLocked: rows => rows.forShare(),
    insertRows,
    snapshot: read =>
      db
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute(async tx => {
          // It rests while what was read goes to a disk or down a pipe.
          await sql`SET LOCAL idle_in_transaction_session_timeout = 0`.execute(tx)
          return read(tx)
        }),
    now: 'CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)',
    prepare<Row>(sql: string, where?: 'aside') {
      let count = 0
      const text = sql.replaceAll('?', () => `$${++count}`)
      return where === 'aside' ? prepareAside<Row>(text) : reads.prepare<Row>(text)
    },
    together: reads.together,
    version: () => undefined,
    check() {},
    ...(searched ? { candidates: postgresCandidates(db) } : {}),
    elements: 'json_array_elements_text',
    addNotes: () => addNotes(db),
    async close() {
      ended ??= Promise.all([pool.end(), reads.close()]).then(() => {})
      await ended
    },
  }
}

/** An array as Postgres reads it: pg's own way with it costs the most of an import. */
const arrayOf = (values: readonly unknown[]): string => `{${values.map(element).join(',')}}`

const element = (value: unknown): string => {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`
  if (value instanceof Uint8Array)
    return `"\\\\x${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}"`
  return 'NULL'
}

const typeOf = (value: unknown): string =>
  typeof value === 'number' ? 'bigint' : value instanceof Uint8Array ? 'bytea' : 'text'

/** One array a column, but of those that no row has: a statement of thousands of values costs more to read and to send. */
const insertRows: Engine['insertRows'] = (table, columns, then) => rows => {
  const filled = columns.flatMap(column => {
    const values = rows.map(row => (row as Record<string, unknown>)[column])
    const first = values.find(value => value !== null)
    return first === undefined ? [] : [{ column, values, type: typeOf(first) }]
  })
  const arrays = filled.map(({ type }, at) => `$${at + 1}::${type}[]`).join(', ')
  return CompiledQuery.raw(
    `INSERT INTO ${table} (${filled.map(each => each.column).join(', ')}) SELECT * FROM unnest(${arrays}) ${then}`,
    filled.map(each => arrayOf(each.values)),
  )
}

/**
 * A statement that ran out of time still runs on its connection: that is given up, so that nobody waits behind it. Nor is
 * one given to the next that the server has ended, which pg may not have noticed yet.
 */
const impatient = (client: pg.PoolClient) => {
  let spoiled = false
  return {
    // biome-ignore lint/suspicious/noExplicitAny: the rows are typed by who asks, as in pg.
    async query(what: string | pg.QueryConfig, values?: readonly unknown[]): Promise<pg.QueryResult<any>> {
      try {
        return await (typeof what === 'string' ? client.query(what, [...(values ?? [])]) : client.query(what))
      } catch (error) {
        spoiled ||= isTimeout(error) || connectionLost(error)
        if (isTimeout(error)) void (client as unknown as pg.Client).end()
        throw error
      }
    },
    release: () => client.release(spoiled),
  }
}

/**
 * Serializable: what a transaction read has not changed when it commits, or it is undone and run again. A key in the way
 * may be what another has just written; the next look finds that, or it is a mistake and stays one.
 */
const transact = async <T>(db: Kysely<Tables>, work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> => {
  const deadline = performance.now() + contention
  for (let tries = 1; ; tries++)
    try {
      return await db.transaction().setIsolationLevel('serializable').execute(work)
    } catch (error) {
      const again = lostToAnother(error) ? performance.now() < deadline : keyInTheWay(error) && tries < 4
      if (!again) throw error
      await setTimeout(Math.random() * Math.min(100, 4 * 2 ** tries))
    }
}

/** On a connection of its own: sees who answers, and runs the migrations. */
const prepareDatabase = async (
  config: pg.ClientConfig,
  target: PostgresTarget,
  migrated: (names: readonly string[]) => void,
): Promise<{ pooler: boolean; searched: boolean }> => {
  const client = new pg.Client(config)
  client.on('error', () => {})
  try {
    await client.connect()
    const { rows } = await client.query(
      `SELECT pg_backend_pid() AS pid, pg_is_in_recovery() AS standby,
        current_setting('server_encoding') AS encoding, current_setting('synchronous_commit') AS commits,
        current_setting('default_transaction_isolation') AS isolation`,
    )
    const { pid, standby, encoding, commits, isolation } = rows[0]
    if (standby)
      throw new SetupError(
        `The Postgres server of ${target.place} is a standby, which cannot be written. Set MORTISE_DATABASE_URL to the primary.`,
      )
    if (encoding !== 'UTF8')
      throw new SetupError(
        `The database ${target.place} has the encoding ${encoding}. Make one with: CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`,
      )
    if (commits === 'off')
      throw new SetupError(
        `synchronous_commit is off for ${target.user} in ${target.place}: a crash could lose a refresh token that exists nowhere else. Set it: ALTER ROLE ${target.user} SET synchronous_commit = on`,
      )
    if (isolation !== 'read committed')
      throw new SetupError(
        `default_transaction_isolation is ${isolation} for ${target.user} in ${target.place}: single statements would fail where they need not. Set it: ALTER ROLE ${target.user} SET default_transaction_isolation = 'read committed'`,
      )
    migrated(await migrate(client))
    const found = await client.query("SELECT to_regclass('connections_searched') IS NOT NULL AS searched")
    // A pooler answers with an id of its own, not with that of the server's process that it lends us.
    const pooler = pid !== (client as unknown as { processID: number }).processID
    return { pooler, searched: found.rows[0].searched }
  } finally {
    await client.end().catch(() => {})
  }
}

/**
 * Runs the migrations that the database has not seen, all in one transaction, and answers their names; by whichever process is first: the others
 * wait at the key of the row that it writes before each one, and find it done, or do it if the first failed.
 */
const migrate = async (client: pg.Client): Promise<string[]> => {
  const names = await appliedTo(client)
  const files = missing(names, 'postgres')
  if (files.length === 0) return []
  const mine: string[] = []
  await client.query('BEGIN')
  try {
    for (const { name, sql } of files) {
      const wrote = await client.query('INSERT INTO migrations VALUES ($1, $2) ON CONFLICT DO NOTHING', [
        name,
        Date.now(),
      ])
      if (wrote.rowCount !== 1) continue
      await client.query(postgresSql(sql))
      mine.push(name)
    }
    await client.query('COMMIT')
    return mine
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

/** Text is compared byte by byte, as in SQLite, whatever the locale of the server is now or after its next upgrade. */
const postgresSql = (sql: string): string => sql.replaceAll(' BYTES', ' BYTEA').replaceAll(' TEXT', ' TEXT COLLATE "C"')

const appliedTo = async (client: pg.Client): Promise<string[]> => {
  for (let tries = 1; ; tries++)
    try {
      const { rows } = await client.query('SELECT name FROM migrations')
      return rows.map(row => String(row.name))
    } catch (error) {
      if ((error as { code?: string }).code !== '42P01') throw error
      await client.query(postgresSql(createMigrations)).catch(made => {
        if (!madeMeanwhile(made) || tries > 5) throw made
      })
    }
}
