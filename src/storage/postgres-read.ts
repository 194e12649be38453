/** One read of one row, in the form that `pg` takes queries of others in: a class, made of its own. */
import pg from 'pg'

declare module 'pg' {
  // What the client calls of a query; its types leave it out.
  interface Query {
    prepare(connection: pg.Connection): void
    handleRowDescription(description: Description): void
    handleDataRow(row: { readonly fields: readonly (string | null)[] }): void
    handleCommandComplete(): void
    handleReadyForQuery(): void
  }
}

interface Description {
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[]
}

/** What the columns of a statement are called, and how each is read. */
export type Columns = readonly { readonly name: string; readonly parse: (text: string) => unknown }[]

/** A statement as one connection has it. */
export interface Statement {
  readonly text: string
  /** Kept by the server under this name. */
  readonly name?: string
  readonly types: Pick<pg.CustomTypesConfig, 'getTypeParser'>
  /** Kept from the first answer to a named statement: the server refuses to run it once they would be others. */
  columns?: Columns
}

/**
 * The same as a query of `pg` until the statement's columns are known; from then on it asks for no description of them,
 * which is half of what a point select otherwise costs here.
 */
export class PointRead extends pg.Query {
  readonly #statement: Statement
  #columns: Columns | undefined
  #row: Record<string, unknown> | undefined
  declare readonly name: string | undefined
  declare readonly values: string[]
  declare callback: (error: Error | null, row?: Record<string, unknown>) => void

  constructor(
    statement: Statement,
    values: readonly (string | number)[],
    done: (error: Error | null, row?: Record<string, unknown>) => void,
  ) {
    super(statement.text)
    Object.assign(this, { name: statement.name, values: values.map(String), callback: done })
    this.#statement = statement
    this.#columns = statement.columns
  }

  override prepare(connection: pg.Connection): void {
    if (this.#columns === undefined) {
      super.prepare(connection)
    } else {
      connection.bind({ statement: this.name, values: this.values }, true)
      connection.execute(null, true)
      connection.sync()
    }
  }

  override handleRowDescription({ fields }: Description): void {
    const { types, name } = this.#statement
    this.#columns = fields.map(field => ({ name: field.name, parse: types.getTypeParser(field.dataTypeID, 'text') }))
    if (name !== undefined) this.#statement.columns = this.#columns
  }

  override handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const row: Record<string, unknown> = {}
    let at = 0
    for (const { name, parse } of this.#columns ?? []) {
      const text = fields[at++] ?? null
      row[name] = text === null ? null : parse(text)
    }
    this.#row = row
  }

  override handleCommandComplete(): void {}

  override handleReadyForQuery(): void {
    this.callback(null, this.#row)
  }
}
