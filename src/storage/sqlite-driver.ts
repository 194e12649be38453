/** Kysely on one who writes and one who reads. */
import type { SQLInputValue } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { type CompiledQuery, type DatabaseConnection, type Driver, type QueryResult, SelectQueryNode } from 'kysely'
import type { Reader } from './sqlite-reader.ts'
import type { Writer } from './sqlite-thread.ts'

export interface SqliteDriver extends Driver {
  /** Waits until nothing is under way any more, and then takes nothing new. */
  finish(): Promise<void>
}

/** What is under way on a connection that Kysely was given. */
interface Work {
  /** Its turn to write, once it has asked for one; then it has it until the end. */
  turn?: Promise<void>
  endTurn?: () => void
  inTransaction?: boolean
}

/**
 * Who writes takes turns: to send a statement, or for a whole transaction. Selects outside of transactions take none, and see what is
 * committed. Without a reader everything takes turns on the one connection there is.
 */
export const createDriver = (writer: Writer, reader: Reader | undefined): SqliteDriver => {
  const works = new Map<DatabaseConnection, Work>()
  let lastTurn: Promise<void> = Promise.resolve()
  let finished = false
  let rested = () => {}
  /** Once it has the answer, this process sees what it wrote. */
  const run = (sql: string, values: readonly SQLInputValue[]) => {
    const answer = writer.run(sql, values)
    return reader ? answer.finally(reader.lookAgain) : answer
  }
  const queue = (work: Work): Promise<void> => {
    const before = lastTurn
    lastTurn = new Promise(resolve => {
      work.endTurn = resolve
    })
    return before
  }
  const workOn = (connection: DatabaseConnection): Work => {
    const work = works.get(connection)
    if (!work) throw new Error('The connection was given back.')
    return work
  }
  const write = async (connection: DatabaseConnection, sql: string, values: readonly SQLInputValue[] = []) => {
    const work = workOn(connection)
    work.turn ??= queue(work)
    await work.turn
    return run(sql, values)
  }
  /** A statement of its own has its turn until it is sent: those that come together are written, and made durable, together. */
  const writeAlone = async (sql: string, values: readonly SQLInputValue[]) => {
    const work: Work = {}
    await queue(work)
    const answer = run(sql, values)
    work.endTurn?.()
    return answer
  }
  const execute = async <R>(connection: DatabaseConnection, asked: CompiledQuery): Promise<QueryResult<R>> => {
    const values = asked.parameters as readonly SQLInputValue[]
    if (reader && !workOn(connection).inTransaction && SelectQueryNode.is(asked.query))
      return { rows: (await reader.select(asked.sql, values)) as R[] }
    const answer = workOn(connection).inTransaction
      ? await write(connection, asked.sql, values)
      : await writeAlone(asked.sql, values)
    return answer.rows ? { rows: answer.rows as R[] } : { rows: [], numAffectedRows: BigInt(answer.changes) }
  }
  return {
    async init() {},
    async acquireConnection() {
      if (finished) throw new Error('The database is closed.')
      const connection: DatabaseConnection = {
        executeQuery: asked => execute(connection, asked),
        // biome-ignore lint/correctness/useYield: streaming is not used.
        async *streamQuery() {
          throw new Error('Streaming is not supported.')
        },
      }
      works.set(connection, {})
      return connection
    },
    async releaseConnection(connection) {
      works.get(connection)?.endTurn?.()
      works.delete(connection)
      if (works.size === 0) rested()
    },
    // As a writer from the start: what a transaction reads cannot change before it writes.
    async beginTransaction(connection) {
      await write(connection, 'BEGIN IMMEDIATE')
      workOn(connection).inTransaction = true
    },
    async commitTransaction(connection) {
      await write(connection, 'COMMIT')
    },
    async rollbackTransaction(connection) {
      await write(connection, 'ROLLBACK')
    },
    async destroy() {},
    async finish() {
      // What was begun a moment ago has its connection a turn later, and so has the next statement of what goes on.
      for (await setImmediate(); works.size > 0; await setImmediate())
        await new Promise<void>(resolve => {
          rested = resolve
        })
      finished = true
    },
  }
}
