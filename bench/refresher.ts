/**
 * The rival of the refresh: as many calls of the same provider at a time, and after each one durable compare-and-swap of
 * the row. No lease, no mark, no second look, nothing opened or sealed: what may be lost is lost.
 */
import { Agent, request } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { answer } from './child.ts'

export interface Refreshing {
  readonly database: string
  readonly environmentId: number
  readonly prefix: string
  readonly count: number
  readonly tokenUrl: string
}

const agent = new Agent({ keepAlive: true })

const call = (url: string): Promise<string> =>
  new Promise((done, fail) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const out = request(url, { method: 'POST', agent, headers }, response => {
      let body = ''
      response.on('data', chunk => {
        body += chunk
      })
      response.on('end', () => done(body))
    })
    out.on('error', fail)
    out.end('grant_type=refresh_token&refresh_token=bench-rt')
  })

const sql = (mark: (index: number) => string) =>
  `UPDATE connections SET access_part = ${mark(1)}, credential_revision = credential_revision + 1
   WHERE environment_id = ${mark(2)} AND integration_key = 'bench' AND connection_id = ${mark(3)}`

type Swap = (access: Buffer, environmentId: number, id: string) => Promise<void> | void

const opened = (database: string): { swap: Swap; close: () => Promise<void> | void } => {
  if (!database.startsWith('postgres:')) {
    const db = new DatabaseSync(database, { timeout: 5000 })
    db.exec('PRAGMA synchronous = FULL')
    const statement = db.prepare(sql(() => '?'))
    return { swap: (...values) => void statement.run(...values), close: () => db.close() }
  }
  const pool = new pg.Pool({ connectionString: database, max: 10 })
  const text = sql(index => `$${index}`)
  return {
    swap: async (...values) => {
      await pool.query({ name: 'swap', text, values })
    },
    close: () => pool.end(),
  }
}

answer(async ({ database, environmentId, prefix, count, tokenUrl }: Refreshing): Promise<number> => {
  const { swap, close } = opened(database)
  const began = performance.now()
  let next = 0
  const one = async () => {
    while (next < count) {
      const id = prefix + String(next++).padStart(7, '0')
      await swap(Buffer.from(await call(tokenUrl)), environmentId, id)
    }
  }
  await Promise.all(Array.from({ length: 64 }, one))
  const rate = (count * 1000) / (performance.now() - began)
  await close()
  return rate
})
