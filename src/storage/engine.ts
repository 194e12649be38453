/** What an engine brings to the one implementation of the storage port. */
import type { Kysely, SelectQueryBuilder, Transaction } from 'kysely'
import type { Tables } from './tables.ts'

export interface Engine {
  /** Each statement by itself. */
  readonly db: Kysely<Tables>
  /** What the work reads cannot change before it writes; where that needs it, the work is run again from the start. */
  transact<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>
  /** Locks the rows that it finds until the transaction ends, and passes over those that another has locked. */
  skipLocked<Table extends keyof Tables, Row>(
    rows: SelectQueryBuilder<Tables, Table, Row>,
  ): SelectQueryBuilder<Tables, Table, Row>
  /** SQL for the database's own time, in milliseconds since 1970: of the moment, not of the transaction. */
  readonly now: string
  /** The hot read, as a raw prepared statement with `?` for each value. Sees committed rows only. */
  prepare<Row>(sql: string): (...values: (string | number)[]) => Row | undefined | Promise<Row | undefined>
  /** For how many milliseconds `epoch` need not ask again what other processes have written. */
  readonly epochLasts: number
  close(): Promise<void>
}
