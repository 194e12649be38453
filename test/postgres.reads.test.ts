/** The reads of every request on Postgres: one connection for all of them, what becomes of it, and of those on it. */
import assert from 'node:assert/strict'
import { after, before, suite, type TestContext, test } from 'node:test'
import pg from 'pg'
import { createKeyring, newSecretKey } from '../src/core/keys.ts'
import { openStorage } from '../src/storage/open.ts'
import { openPostgres } from '../src/storage/postgres.ts'
import { type PostgresServer, skip, startPostgres } from './postgres.ts'
import { at, both, fill, hot, read } from './storage.fixtures.ts'

suite('reads on Postgres', { skip }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.close())

  const filled = async (t: TestContext, url: string) => {
    const storage = await openStorage(url)
    t.after(() => storage.close())
    return fill(storage)
  }

  /** Holds a table, so that whoever reads it waits, until it is let go. */
  const held = async (t: TestContext, url: string, table: string) => {
    const blocker = new pg.Client({ connectionString: url })
    await blocker.connect()
    t.after(() => blocker.end())
    await blocker.query(`BEGIN; LOCK TABLE ${table}`)
    return { letGo: () => blocker.query('ROLLBACK') }
  }
  /** The server's processes that wait for a table. */
  const waiting = async (name: string): Promise<unknown[]> => {
    const rows = await server.query(
      "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'mortise'",
      name,
    )
    return rows.map(row => row['pid'])
  }

  test('a read whose connection ends under it is read on another', async t => {
    const { name, url } = await server.newDatabase()
    const storage = await filled(t, url)
    const blocker = new pg.Client({ connectionString: url })
    await blocker.connect()
    t.after(() => blocker.end())
    await blocker.query('BEGIN; LOCK TABLE connections')
    const reading = read(storage)
    const ended = () =>
      server.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'mortise'",
        name,
      )
    while ((await ended()).length === 0) await new Promise(again => setTimeout(again, 5))
    await blocker.query('ROLLBACK')
    await reading
  })

  test('a read that gets no answer is made once more, on another connection, with all who waited behind it', async t => {
    const { name, url } = await server.newDatabase()
    await (await filled(t, url)).close()
    const storage = await openPostgres(url, { connect: 1000, server: 5000, own: 300 })
    t.after(() => storage.close())
    await hot(storage)
    const { letGo } = await held(t, url, 'connections')
    const reads = Promise.all([hot(storage), read(storage), hot(storage)])
    const seen = new Set<unknown>()
    // The first process still waits for the table when the second begins to.
    while (seen.size < 2) for (const pid of await waiting(name)) seen.add(pid)
    await letGo()
    await reads
  })

  test('a read that gets no answer twice fails', async t => {
    const { url } = await server.newDatabase()
    await (await filled(t, url)).close()
    const storage = await openPostgres(url, { connect: 1000, server: 5000, own: 200 })
    t.after(() => storage.close())
    await held(t, url, 'connections')
    const since = performance.now()
    await assert.rejects(hot(storage), /timeout/)
    const took = performance.now() - since
    assert.ok(took >= 400 && took < 2000, String(took))
  })

  test('whoever is read while the connections are cut, again and again, is read', async t => {
    const { name, url } = await server.newDatabase()
    const storage = await filled(t, url)
    await hot(storage)
    const cut = () =>
      server.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mortise'", name)
    let lost = 0
    for (let round = 0; round < 20; round++) {
      const [cutOff] = await Promise.all([cut(), ...Array.from({ length: 10 }, () => both(storage))])
      lost += cutOff.length
      await hot(storage)
    }
    assert.ok(lost >= 10, String(lost))
  })

  test('reads of one turn share one connection, which nobody makes twice', async t => {
    const { name, url } = await server.newDatabase()
    const storage = await filled(t, url)
    await Promise.all(Array.from({ length: 50 }, () => both(storage)))
    await Promise.all(Array.from({ length: 50 }, () => both(storage)))
    const rows = await server.query(
      "SELECT query FROM pg_stat_activity WHERE application_name = 'mortise' AND query LIKE '%connection_id = $3%'",
      name,
    )
    assert.equal(rows.length, 1)
    await storage.close()
    await assert.rejects(hot(storage), /closed/)
  })

  test('where it cannot be asked whether keys were revoked, none is let in', async t => {
    const { url } = await server.newDatabase()
    await (await filled(t, url)).close()
    const storage = await openPostgres(url, { connect: 1000, server: 5000, own: 200 })
    t.after(() => storage.close())
    const { key, secret } = newSecretKey(1, 'k', ['proxy'], at(0))
    await storage.addKey(key)
    const keyring = createKeyring(storage, undefined)
    const find = async () => (await keyring.now()).find(secret.reveal()).id
    assert.equal(await find(), key.id)
    const { letGo } = await held(t, url, 'changes')
    await new Promise(done => setTimeout(done, 500))
    await assert.rejects(find(), /timeout/)
    await letGo()
    assert.equal(await find(), key.id)
  })
})
