/**
 * The point reads on the way of every request, over one connection: each is sent without waiting for the answers of those
 * before it (pipelined), and those of one turn of the event loop in one piece. No transaction runs on it, so nobody waits
 * for anything but the server; a read that gets no answer takes the connection with it, and all of them are made once more
 * on another.
 */
import pg from 'pg'
import { connectionLost, isTimeout } from './postgres-trouble.ts'

export interface Reads {
  /** A statement with `$1`… for its values, of which at most one row is wanted. */
  prepare<Row>(text: string): (...values: (string | number)[]) => Promise<Row | undefined>
  together(reads: () => void): void
  close(): Promise<void>
}

/** `named`: statements are kept by the server. Behind a pooler it is not one server. */
export const createReads = (config: pg.ClientConfig, named: boolean): Reads => {
  /** The connection, or who is making it. Nobody makes a second. */
  let current: Promise<pg.Client> | undefined
  let connected: pg.Client | undefined
  let closed = false

  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ ...config, pipeline: true })
    // Each read hears of it by itself.
    client.on('error', () => drop(client))
    client.on('end', () => drop(client))
    await client.connect()
    connected = client
    return client
  }
  const client = (): Promise<pg.Client> => {
    if (closed) return Promise.reject(new Error('The database is closed.'))
    current ??= connect().catch(error => {
      current = undefined
      throw error
    })
    return current
  }
  /** Nobody is given this one any more. */
  const drop = (lost: pg.Client): void => {
    if (connected !== lost) return
    connected = undefined
    current = undefined
    void lost.end().catch(() => {})
  }

  let statements = 0
  return {
    prepare<Row>(text: string) {
      const query = { text, ...(named ? { name: `mortise_${++statements}` } : {}) }
      const ask = async (on: pg.Client, values: (string | number)[]): Promise<Row | undefined> => {
        try {
          return (await on.query({ ...query, values })).rows[0]
        } catch (error) {
          if (connectionLost(error) || isTimeout(error)) drop(on)
          throw error
        }
      }
      return async (...values) => {
        try {
          return await ask(connected ?? (await client()), values)
        } catch (error) {
          // It only reads, so once more does no harm: the server may have been started anew since.
          if (!(connectionLost(error) || isTimeout(error))) throw error
          return ask(connected ?? (await client()), values)
        }
      }
    },
    together(reads) {
      const stream = connected && (connected as unknown as { connection: pg.Connection }).connection.stream
      stream?.cork()
      try {
        reads()
      } finally {
        stream?.uncork()
      }
    },
    async close() {
      closed = true
      const open = await current?.catch(() => undefined)
      connected = undefined
      current = undefined
      await open?.end()
    },
  }
}
