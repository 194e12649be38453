/** The storage contract on a real Postgres: plain, as two processes have it, and behind a transaction-mode pooler. */
import { after, before, suite, test } from 'node:test'
import { openStorage } from '../src/storage/open.ts'
import { type PostgresServer, skip, startPostgres } from './postgres.ts'
import { storageContract } from './storage.contract.ts'

let server: PostgresServer
before(async () => {
  if (!skip) server = await startPostgres({}, 'trust')
})
after(async () => {
  if (!skip) await server.close()
})

/** Opens one database again and again, empty each time. */
const opener = (pooled: boolean) => {
  let database: Awaited<ReturnType<PostgresServer['newDatabase']>> | undefined
  return async () => {
    const known = database
    database ??= await server.newDatabase()
    if (known) await server.empty(known.name)
    const url = pooled ? database.pooled : database.url
    const storage = await openStorage(url)
    const second = await openStorage(url)
    return {
      storage,
      second,
      async close() {
        await storage.close()
        await second.close()
      },
    }
  }
}

if (skip) test('the storage contract on Postgres', { skip }, () => {})
else
  suite('Postgres', () => {
    storageContract('on Postgres, open twice', opener(false))
    storageContract('on Postgres behind a pooler, open twice', opener(true))
  })
