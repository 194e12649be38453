/** The other rival of a read: the driver's own prepared point select of the same rows, with no server before it. */
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { answer } from './child.ts'

export interface Select {
  /** A file of SQLite, or the URL of a Postgres database. */
  readonly database: string
  readonly environmentId: number
  readonly prefix: string
  readonly count: number
  readonly milliseconds: number
}

export interface Selected {
  readonly perSecond: number
  /** Microseconds of CPU time for each. */
  readonly cpu: number
}

const columns = 'access_part, status, expires_at, credential_revision'
const sql = (one: string, two: string, three: string) =>
  `SELECT ${columns} FROM connections WHERE environment_id = ${one} AND integration_key = ${two} AND connection_id = ${three}`

const idOf = (prefix: string, count: number) => prefix + String(Math.floor(Math.random() * count)).padStart(7, '0')

type Selects = (select: Select) => Promise<number>

const sqlite = (file: string): Selects => {
  const statement = new DatabaseSync(file, { readOnly: true }).prepare(sql('?', '?', '?'))
  return async ({ environmentId, prefix, count, milliseconds }) => {
    let selected = 0
    for (const end = performance.now() + milliseconds; performance.now() < end; )
      for (let each = 0; each < 200; each++, selected++)
        if (!statement.get(environmentId, 'bench', idOf(prefix, count))) throw new Error('No such row.')
    return selected
  }
}

/** One connection with 64 selects under way at any time: the fastest that this driver can. */
const postgres = async (url: string): Promise<Selects> => {
  const client = new pg.Client({ connectionString: url, pipeline: true })
  await client.connect()
  return async ({ environmentId, prefix, count, milliseconds }) => {
    const end = performance.now() + milliseconds
    let selected = 0
    const one = async () => {
      for (; performance.now() < end; selected++) {
        const values = [environmentId, 'bench', idOf(prefix, count)]
        const { rows } = await client.query({ name: 'read', text: sql('$1', '$2', '$3'), values })
        if (rows.length !== 1) throw new Error('No such row.')
      }
    }
    await Promise.all(Array.from({ length: 64 }, one))
    return selected
  }
}

const opened = new Map<string, Selects>()

answer(async (select: Select): Promise<Selected> => {
  const { database } = select
  const known = opened.get(database) ?? (database.startsWith('postgres:') ? await postgres(database) : sqlite(database))
  opened.set(database, known)
  const [began, before] = [performance.now(), process.cpuUsage()]
  const selected = await known(select)
  const { user, system } = process.cpuUsage(before)
  return { perSecond: (selected * 1000) / (performance.now() - began), cpu: (user + system) / selected }
})
