/**
 * The point reads on the way of every request, over one connection: each is sent without waiting for the answers of those
 * before it (pipelined), and those of one turn of the event loop in one piece. No transaction runs on it, so nobody waits
 * for anything but the server. A read that gets no answer takes the connection with it, and whoever was on it is read once
 * more on another.
 */
import pg from 'pg'
import { PointRead, type Statement } from './postgres-read.ts'
import { connectionLost, isTimeout } from './postgres-trouble.ts'

export interface Reads {
  /** A statement with `$1`… for its values, of which at most one row is wanted. */
  prepare<Row>(text: string): (...values: (string | number)[]) => Promise<Row | undefined>
  together(reads: () => void): void
  close(): Promise<void>
}

/** Milliseconds without a read after which something on the way may have forgotten the connection: another is made. */
const rested = 60_000

const isLost = (error: unknown): boolean => connectionLost(error) || isTimeout(error)

/** `named`: the server keeps the statements. Behind a pooler it is not one server. */
export const createReads = (
  config: pg.ClientConfig & { readonly types: pg.CustomTypesConfig },
  named: boolean,
): Reads => {
  /** The connection, once it stands. */
  let current: pg.Client | undefined
  /** Somebody is making one; nobody makes a second. */
  let making: Promise<pg.Client> | undefined
  let latest = 0
  let closed = false

  const make = async (): Promise<pg.Client> => {
    const client = new pg.Client({ ...config, pipeline: true })
    // Each read on it hears of it by itself.
    client.on('error', () => drop(client))
    client.on('end', () => drop(client))
    await client.connect()
    current = client
    return client
  }
  const drop = (client: pg.Client): void => {
    if (current !== client) return
    current = undefined
    void client.end().catch(() => {})
  }
  const client = (): pg.Client | Promise<pg.Client> => {
    if (closed) throw new Error('The database is closed.')
    const now = performance.now()
    if (current && now - latest > rested) drop(current)
    latest = now
    if (current) return current
    making ??= make().finally(() => {
      making = undefined
    })
    return making
  }

  let statements = 0
  return {
    prepare<Row>(text: string) {
      const kept = { text, types: config.types, ...(named ? { name: `mortise_${++statements}` } : {}) }
      let owner: pg.Client | undefined
      let statement: Statement = kept
      const ask = (on: pg.Client, values: (string | number)[]): Promise<Row | undefined> => {
        if (owner !== on) {
          owner = on
          statement = { ...kept }
        }
        return new Promise((resolve, reject) => {
          const read = new PointRead(statement, values, (error, row) => {
            if (!error) return resolve(row as Row | undefined)
            if (isLost(error)) drop(on)
            reject(error)
          })
          on.query(read)
        })
      }
      return async (...values) => {
        const on = client()
        try {
          // Nothing to wait for where it stands: those of one turn are sent together.
          return await ask(on instanceof Promise ? await on : on, values)
        } catch (error) {
          // It only reads, so once more does no harm: the server may have been started anew since.
          if (!isLost(error)) throw error
          return ask(await client(), values)
        }
      }
    },
    together(reads) {
      // Its types leave the connection out.
      const stream = (current as unknown as { connection: pg.Connection } | undefined)?.connection.stream
      stream?.cork()
      try {
        reads()
      } finally {
        stream?.uncork()
      }
    },
    async close() {
      closed = true
      const last = current ?? (await making?.catch(() => undefined))
      current = undefined
      await last?.end()
    },
  }
}
