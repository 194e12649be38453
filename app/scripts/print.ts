/** Connections as lines of text. */
import { plain } from '../src/alloy-http.ts'
import { type ConnectionRow, connectionIdOf, integrationOf } from '../src/connections.ts'

export const printRows = (rows: readonly ConnectionRow[], latest: ConnectionRow | undefined): void => {
  for (const [index, row] of rows.entries()) {
    const facts: [name: string, value: string | undefined][] = [
      ['ID', connectionIdOf(row)],
      ['Integration', integrationOf(row)],
      ['Name', row.name],
      ['Status', row.status],
      ['Created', row.createdAt],
    ]
    console.log(`Connection ${index + 1}:${row === latest ? ' ⭐ Latest' : ''}`)
    for (const [name, value] of facts) if (value !== undefined) console.log(`  ${name}: ${plain(String(value))}`)
    console.log('')
  }
}

/** The line for the .env file, last. */
export const printSuggestion = (latest: ConnectionRow): void => {
  console.log('To use the latest, add this to your .env file:')
  console.log(`CONNECTION_ID=${plain(connectionIdOf(latest) ?? '')}`)
}
