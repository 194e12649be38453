/** Connections by the thousand, straight into the tables, each with credentials that are really sealed. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import pg from 'pg'
import { readConfig } from '../src/config.ts'
import { Secret } from '../src/core/credential.ts'
import type { Sealer } from '../src/core/ports.ts'
import { sealCredential } from '../src/core/sealed.ts'
import { openRooms } from '../src/rooms.ts'
import { isPostgres } from '../src/storage/open.ts'
import { fromConnection } from '../src/storage/tables.ts'
import { answer } from './child.ts'
import { tokenAnswer } from './token-answer.ts'

export interface Seed {
  /** The settings of the hub whose database it is. */
  readonly settings: Readonly<Record<string, string>>
  readonly prefix: string
  readonly count: number
  /** Where `psql` is, for Postgres. */
  readonly psql?: string
  /** Nothing is added: those that are there expire, and become due one after the other, so many in a second. */
  readonly duePerSecond?: number
  /** Ten are of one person, ten people are of one organization, and all are tagged. One was made every ten seconds. */
  readonly owned?: true
}

type Value = string | number | Uint8Array | null
type Row = Record<string, Value>

const day = 86_400_000

/** 24 hex digits, of which the last seven are the index. */
const idOf = (prefix: string, index: number): string =>
  Buffer.from(prefix).toString('hex').padEnd(17, '0') + String(index).padStart(7, '0')

/** The row of one connection, fresh for a day. Everything that must be unique counts up. */
const rowOf = (sealer: Sealer, environmentId: number, { prefix, count, owned }: Seed, index: number): Row => {
  const now = new Date()
  const name = prefix + String(index).padStart(7, '0')
  const id = idOf(prefix, index)
  const raw = tokenAnswer(index)
  const person = owned ? `person-${String(Math.trunc(index / 10)).padStart(7, '0')}` : ''
  const credential = {
    kind: 'oauth2',
    accessToken: new Secret(raw.access_token),
    refreshToken: new Secret(raw.refresh_token),
    raw: new Secret(raw),
  } as const
  return fromConnection(
    {
      environmentId,
      id,
      number: Number.parseInt(prefix, 36) * 10_000_000 + index,
      integrationKey: 'bench',
      connectionId: name,
      provider: 'bench',
      endUserId: person,
      kind: 'oauth2',
      trust: 'proven',
      status: 'connected',
      ...sealCredential(sealer, id, credential, 'refresh_token'),
      expiresAt: new Date(now.getTime() + day),
      obtainedAt: now,
      credentialRevision: 1,
      scopes: raw.scope.split(' '),
      config: { hub_id: String(raw.hub_id) },
      metadata: { plan: 'pro' },
      facts: {},
      tags: owned ? { plan: 'pro', end_user_id: person } : {},
      createdAt: owned ? new Date(now.getTime() - (count - index) * 10_000) : now,
      updatedAt: now,
    },
    undefined,
  )
}

const intoSqlite = (file: string, columns: readonly string[], rows: Iterable<Row>): void => {
  const db = new DatabaseSync(file, { timeout: 20_000 })
  db.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -200000')
  const marks = columns.map(() => '?').join(', ')
  const insert = db.prepare(`INSERT INTO connections (${columns.join(', ')}) VALUES (${marks})`)
  db.exec('BEGIN IMMEDIATE')
  let inserted = 0
  for (const row of rows) {
    insert.run(...columns.map(column => row[column] ?? null))
    // A log that holds all of a million rows is slow.
    if (++inserted % 50_000 === 0) db.exec('COMMIT; BEGIN IMMEDIATE')
  }
  db.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
}

/** The text form of COPY. */
const copied = (value: Value | undefined): string => {
  if (value === null || value === undefined) return '\\N'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string') return value.replace(/[\\\n\r\t]/g, each => `\\${each}`)
  return `\\\\x${Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')}`
}

const intoPostgres = async (psql: string, url: string, columns: readonly string[], rows: Iterable<Row>) => {
  const child = spawn(
    psql,
    ['-qX', '-v', 'ON_ERROR_STOP=1', '-c', `COPY connections (${columns.join(', ')}) FROM STDIN`, url],
    {
      stdio: ['pipe', 2, 2],
    },
  )
  const { stdin } = child
  if (!stdin) throw new Error('psql has no standard input.')
  const over = once(child, 'exit')
  let text = ''
  const flush = async () => {
    if (!stdin.write(text)) await once(stdin, 'drain')
    text = ''
  }
  for (const row of rows) {
    text += `${columns.map(column => copied(row[column])).join('\t')}\n`
    if (text.length > 1_000_000) await flush()
  }
  stdin.end(text)
  const [code] = await over
  if (code !== 0) throw new Error(`psql ended with ${code}.`)
  await promisify(execFile)(psql, ['-qX', '-c', 'VACUUM ANALYZE connections', '-c', 'CHECKPOINT', url])
}

/** Statements that read alike on both engines. */
const run = async (database: string, statements: readonly (readonly [sql: string, ...(string | number)[]])[]) => {
  if (!isPostgres(database)) {
    const db = new DatabaseSync(database, { timeout: 20_000 })
    for (const [sql, ...values] of statements) db.prepare(sql).run(...values)
    return db.close()
  }
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  for (const [sql, ...values] of statements) {
    let count = 0
    await client.query(
      sql.replaceAll('?', () => `$${++count}`),
      values,
    )
  }
  await client.end()
}

/** What the storage writes beside each connection that can be refreshed. */
const addRefreshes = `INSERT INTO refreshes (environment_id, id, provider, due_at, lease_fence, lease_until, probes, failures)
  SELECT environment_id, id, provider, expires_at, 0, 0, 0, 0 FROM connections
  WHERE environment_id = ? AND id BETWEEN ? AND ?`

/** Who they are of, and the rows of their tags. */
const owners = [
  `INSERT INTO end_users (environment_id, id, username, full_name, email, organization_id, created_at, updated_at)
    SELECT DISTINCT environment_id, end_user_id, end_user_id, 'Person ' || end_user_id, end_user_id || '@example.com',
      'org-0' || substr(end_user_id, 8, 6), 0, 0 FROM connections WHERE environment_id = ? AND id BETWEEN ? AND ?`,
  `INSERT INTO connection_tags (environment_id, name, value, created_at, id)
    SELECT environment_id, 'plan', 'pro', created_at, id FROM connections WHERE environment_id = ? AND id BETWEEN ? AND ?`,
  `INSERT INTO connection_tags (environment_id, name, value, created_at, id)
    SELECT environment_id, 'end_user_id', end_user_id, created_at, id FROM connections
    WHERE environment_id = ? AND id BETWEEN ? AND ?`,
]

/** As if an hour's token had ended a second ago. */
const expire = 'UPDATE connections SET expires_at = ?, obtained_at = ? WHERE environment_id = ? AND id BETWEEN ? AND ?'

const makeDue = `UPDATE refreshes SET due_at = ? + CAST(substr(id, 18) AS BIGINT) * 1000 / ?
  WHERE environment_id = ? AND id BETWEEN ? AND ?`

answer(async (seed: Seed): Promise<number> => {
  const { settings, prefix, count, psql, duePerSecond, owned } = seed
  const config = readConfig({ ...settings, MORTISE_LOG_LEVEL: 'error' }, 'command')
  const rooms = await openRooms(config)
  const environmentId = rooms.firstEnvironment.id
  const sealer = await rooms.hub.context.sealerOf(environmentId)
  const database = config.database.reveal()
  const which = [environmentId, idOf(prefix, 0), idOf(prefix, count - 1)] as const
  if (duePerSecond !== undefined) {
    const end = Date.now() - 1000
    await run(database, [
      [expire, end, end - 3_600_000, ...which],
      [makeDue, end, duePerSecond, ...which],
    ])
    await rooms.storage.close()
    return environmentId
  }
  const rows = function* () {
    for (let index = 0; index < count; index++) yield rowOf(sealer, environmentId, seed, index)
  }
  const columns = Object.keys(rowOf(sealer, environmentId, seed, 0))
  if (isPostgres(database)) await intoPostgres(psql ?? 'psql', database, columns, rows())
  else intoSqlite(database, columns, rows())
  await run(database, [[addRefreshes, ...which]])
  if (owned)
    await run(
      database,
      owners.map(sql => [sql, ...which] as const),
    )
  if (owned && isPostgres(database)) await run(database, [['ANALYZE end_users'], ['ANALYZE connection_tags']])
  // As after a minute of any hub.
  await rooms.storage.sweepCounts()
  await rooms.storage.close()
  return environmentId
})
