/** What an engine brings to the one implementation of the storage port. */
import type { CompiledQuery, Kysely, SelectQueryBuilder, Transaction } from 'kysely'
import type { Soon } from '../core/soon.ts'
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
  /** Keeps others from changing the rows that it finds until the transaction ends; who reads them, or does the same, may. */
  shareLocked<Table extends keyof Tables, Row>(
    rows: SelectQueryBuilder<Tables, Table, Row>,
  ): SelectQueryBuilder<Tables, Table, Row>
  /**
   * What is read through `db` was all committed at one moment, however long it takes and whatever is written meanwhile. In
   * memory, where there is one connection, each statement is of its own moment.
   */
  snapshot<T>(read: (db: Kysely<Tables>) => Promise<T>): Promise<T>
  /** A statement that inserts rows of those columns; `then`: what follows them in its text. */
  insertRows(
    table: string,
    columns: readonly string[],
    then: string,
  ): (rows: readonly object[]) => CompiledQuery<{ id: string }>
  /** SQL for the database's own time, in milliseconds since 1970: of the moment, not of the transaction. */
  readonly now: string
  /**
   * A read of one row, as a raw prepared statement with `?` for each value: on the way of every request. Sees committed
   * rows only: all that this process had committed when it is asked, and of others what they had when this turn of the
   * event loop first asked. At once where the engine can. The row may be shared with others, so nobody changes it.
   * `aside`: one that may take a while, and that no other read must wait for.
   */
  prepare<Row>(sql: string, where?: 'aside'): (...values: (string | number)[]) => Soon<Row | undefined>
  /** Makes several reads of prepared statements, given as one piece of work that does not throw. */
  together(reads: () => void): void
  /** See `Storage`. */
  version(): number | undefined
  /** For how many milliseconds `epoch` need not ask again what other processes have written; 0: once a turn of the loop. */
  readonly epochLasts: number
  /**
   * The ids of connections that may hold a text, themselves or their end user, by an index; no other does. At most so many,
   * some perhaps twice. None where no index can tell.
   */
  candidates?(environmentId: number, text: string, limit: number): Promise<readonly string[] | undefined>
  /** The function that makes a row of each element of a JSON array, in the column `value`. */
  readonly elements: string
  /** Adds what triggers noted of connections to the counts of `counts.ts`, where it is noted first. */
  addNotes?(): Promise<void>
  /** Throws where it is known that nothing can be written any more. */
  check(): void
  close(): Promise<void>
}
