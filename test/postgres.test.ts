/** Opening a Postgres database, and what happens when it is not there, not ours, or gone in between. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, suite, type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import pg from 'pg'
import { SetupError } from '../src/core/errors.ts'
import { createKeyring, newSecretKey } from '../src/core/keys.ts'
import { openStorage } from '../src/storage/open.ts'
import { openPostgres } from '../src/storage/postgres.ts'
import { freePorts } from './harness.ts'
import { type PostgresServer, skip, startPostgres } from './postgres.ts'
import { at, both, connection, draft, environment, fill, integration, read } from './storage.fixtures.ts'

/** Ends all connections of a hub to the database, at once. */
const cutter = `
  import pg from 'pg'
  const client = new pg.Client({ connectionString: process.env.DATABASE })
  await client.connect()
  await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mortise' AND datname = current_database()")
  await client.end()
`

suite('Postgres', { skip }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.close())

  const opened = async (t: TestContext, url: string) => {
    const storage = await openStorage(url)
    t.after(() => storage.close())
    return storage
  }
  const refused = (url: string, sentence: RegExp) =>
    assert.rejects(openStorage(url), (error: unknown) => {
      assert.ok(error instanceof SetupError, inspect(error))
      assert.match(error.message, sentence)
      assert.ok(!inspect(error).includes(server.password), 'the password is not told')
      return true
    })

  test('a start that cannot work says what to set', async () => {
    const { name, url } = await server.newDatabase()
    await refused(url.replace(server.password, 'wrong'), /refuses the password of owner.*MORTISE_DATABASE_URL/)
    await refused(url.replace(`:${server.password}`, ''), /refuses the password of owner, or none was given/)
    await refused(url.replace('owner', 'nobody'), /refuses the password of nobody/)
    await refused(server.url('missing'), /There is no database missing at localhost:\d+\. Make it/)
    await refused(server.url('missing', server.port + 1), /There is no database missing/)
    await refused(server.url(name, await freePorts()), /No Postgres server answers for .* \(ECONNREFUSED\)\. Start it/)
    await refused(
      url.replace('localhost', 'host.invalid'),
      /No Postgres server answers for .* \((ENOTFOUND|EAI_AGAIN)\)/,
    )
    await refused(`${url}?host=/nowhere`, /No Postgres server answers for .* at \/nowhere \(ENOENT\)/)
  })

  test('a URL that says something unknown is refused', async () => {
    const { url } = await server.newDatabase()
    await refused(`${url}?sslmode=prefer`, /sslmode of disable, require, verify-ca, verify-full/)
    await refused(`${url}?ssl=true`, /parameter ssl, which is not known/)
    await refused(`${url}?prepared=maybe`, /prepared=yes or prepared=no/)
    await refused(`${url}?sslrootcert=/x`, /add sslmode=verify-full/)
    await refused(
      `${url}?sslmode=verify-full&sslrootcert=/nowhere.crt`,
      /sslrootcert \/nowhere\.crt, which cannot be read/,
    )
    await refused(url.replace('localhost', 'a,b'), /is no valid URL|No Postgres server/)
    await refused(url.replace(server.password, '%zz'), /a % that begins no escape/)
    await refused('postgres://localhost/', /must name a user and a database/)
  })

  test('TLS is what the URL says, and the certificate is verified', async t => {
    const { url } = await server.newDatabase()
    const encrypted = async (query: string) => {
      const storage = await opened(t, url + query)
      await Promise.all([storage.ping(), storage.epoch()])
      const rows = await server.query(
        "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'mortise'",
      )
      await storage.close()
      assert.equal(rows.length, 2)
      return rows.every(row => row['ssl'] === true)
    }
    for (const query of ['', '?sslmode=disable']) assert.equal(await encrypted(query), false)
    await refused(
      `${url}?sslmode=verify-full`,
      /certificate of the Postgres server .* is not trusted.*sslrootcert=<file>/,
    )
    const root = `sslrootcert=${server.certificate}`
    const elsewhere = url.replace('localhost', '127.0.0.1')
    await refused(`${elsewhere}?sslmode=verify-full&${root}`, /is for another name/)
    for (const query of [
      `?sslmode=verify-full&${root}`,
      '?sslmode=require',
      `?sslmode=require&${root}`,
      `?sslmode=verify-ca&${root}`,
    ])
      assert.equal(await encrypted(query), true, query)
    await (await opened(t, `${elsewhere}?sslmode=verify-ca&${root}`)).ping()
    await refused(server.url('any', server.port + 1).concat('?sslmode=require'), /does not speak TLS.*sslmode=disable/)
  })

  test('a database that Mortise must not use is refused', async () => {
    await server.query("CREATE DATABASE latin ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0")
    await refused(server.url('latin'), /has the encoding SQL_ASCII/)
    const { name, url } = await server.newDatabase()
    await server.query(`ALTER DATABASE ${name} SET synchronous_commit = off`)
    await refused(url, /synchronous_commit is off for owner/)
    await server.query(`ALTER DATABASE ${name} RESET synchronous_commit`)
    await server.query(`ALTER DATABASE ${name} SET default_transaction_isolation = 'serializable'`)
    await refused(url, /default_transaction_isolation is serializable for owner/)
    await server.query(`ALTER DATABASE ${name} RESET default_transaction_isolation`)
    await server.query(`CREATE ROLE reader LOGIN PASSWORD '${server.password}'`)
    await refused(url.replace('owner', 'reader'), /reader may not make tables.*GRANT CREATE/)
    await (await openStorage(url)).close()
    await server.query("INSERT INTO migrations VALUES ('9999_future.sql', 0)", name)
    await refused(url, /written by a newer Mortise \(it has the migration 9999_future\.sql\)/)
  })

  test('ten that start at once on an empty database bring it up to date once', async t => {
    for (const pooled of [false, true]) {
      const database = await server.newDatabase()
      const all = await Promise.all(
        Array.from({ length: 10 }, () => opened(t, pooled ? database.pooled : database.url)),
      )
      const applied = await server.query('SELECT name FROM migrations ORDER BY name', database.name)
      assert.ok(applied.length >= 4)
      assert.deepEqual(await server.query('SELECT name, revision::int FROM changes', database.name), [
        { name: 'keys', revision: 0 },
      ])
      for (const storage of all) assert.deepEqual(await storage.environments(), [])
      await Promise.all(all.map(storage => storage.close()))
    }
  })

  test('a migration that fails leaves nothing, and the one who waited for it does it', async t => {
    const { name, url } = await server.newDatabase()
    const first = new pg.Client({ connectionString: url })
    await first.connect()
    t.after(() => first.end())
    await first.query('CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at BIGINT NOT NULL)')
    await first.query("BEGIN; INSERT INTO migrations VALUES ('0001_first.sql', 0)")
    const waiting = opened(t, url)
    const isWaiting = async () =>
      (
        await server.query(
          "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT INTO migrations%'",
        )
      ).length > 0
    while (!(await isWaiting())) await new Promise(again => setTimeout(again, 10))
    await first.query('ROLLBACK')
    assert.deepEqual(await (await waiting).environments(), [])
    assert.ok((await server.query('SELECT * FROM migrations', name)).length >= 4)
  })

  const filled = async (t: TestContext, url: string) => fill(await opened(t, url))

  test('named statements are used, but not behind a pooler, unless the URL says otherwise', async t => {
    const { name, url, pooled } = await server.newDatabase()
    await filled(t, url)
    let width = 50
    const kept = async (query: string) => {
      const storage = await opened(t, url + query)
      await read(storage)
      // A plan that the server keeps by name is refused once a column has another type.
      await server.query(`ALTER TABLE connections ALTER COLUMN status TYPE varchar(${++width})`, name)
      await read(storage)
    }
    await assert.rejects(kept(''), /cached plan must not change result type/)
    await assert.rejects(kept('?prepared=yes'), /cached plan must not change result type/)
    await kept('?prepared=no')
    // Many at once, and others beside them, so that they meet more than one process of the server behind the pooler.
    const many = async (at: string) => {
      const storage = await opened(t, at)
      for (let round = 0; round < 5; round++) {
        await Promise.all(Array.from({ length: 4 }, () => storage.ping()))
        await Promise.all(Array.from({ length: 20 }, () => both(storage)))
      }
    }
    await many(pooled)
    await many(url)
    await assert.rejects(many(`${pooled}?prepared=yes`), /prepared statement .* (does not exist|already exists)/)
  })

  test('a process goes on while a newer one adds a column', async t => {
    const { name, url } = await server.newDatabase()
    const storage = await filled(t, url)
    await read(storage)
    await server.query('ALTER TABLE connections ADD COLUMN later TEXT', name)
    await read(storage)
  })

  test('a server that is started anew is found again, and nothing ends the process', async t => {
    const { url } = await server.newDatabase()
    const storage = await filled(t, url)
    await Promise.all([read(storage), read(storage), storage.ping()])
    const asked = draft(connection(1, 'b'), undefined)
    // Ends every connection of the pool: those that rest, and this one in the middle of a transaction.
    const cut = {
      ...asked,
      decide: (...given: Parameters<typeof asked.decide>) => {
        const env = { DATABASE: url }
        execFileSync(process.execPath, ['--input-type=module', '--eval', cutter], { env, cwd: import.meta.dirname })
        return asked.decide(...given)
      },
    }
    await assert.rejects(storage.authorize(cut), /terminat|connection/i)
    assert.deepEqual(await storage.connections(1, {}), [connection(1, 'a')])
    await read(storage)
    await server.stop()
    await assert.rejects(read(storage))
    await assert.rejects(storage.ping())
    await server.start()
    await read(storage)
    await storage.ping()
  })

  test('a statement that gets no answer is given up, with its connection, and nobody waits behind it', async t => {
    const { url } = await server.newDatabase()
    await (await filled(t, url)).close()
    const storage = await openPostgres(url, { connect: 1000, server: 5000, own: 300 })
    t.after(() => storage.close())
    const blocker = new pg.Client({ connectionString: url })
    await blocker.connect()
    t.after(() => blocker.end())
    await blocker.query('BEGIN; LOCK TABLE connections')
    // More than the pool has connections.
    const waiting = Array.from({ length: 12 }, (_, n) =>
      n % 3 ? read(storage) : storage.authorize(draft(connection(1, `x${n}`), undefined)),
    )
    for (const each of await Promise.allSettled(waiting)) assert.equal(each.status, 'rejected')
    await storage.ping()
    await blocker.query('ROLLBACK')
    await read(storage)
    assert.equal((await storage.connections(1, {})).length, 1)
  })

  test('a key that another process revokes is refused within a second, and every key while the database is gone', async t => {
    const { url } = await server.newDatabase()
    const [mine, theirs] = [await opened(t, url), await opened(t, url)]
    await mine.addEnvironment(environment(1))
    const { key, secret } = newSecretKey(1, 'k', ['proxy'], at(0))
    const other = newSecretKey(1, 'other', ['proxy'], at(0))
    for (const each of [key, other.key]) await theirs.addKey(each)
    const keyring = createKeyring(mine, undefined)
    const known = async (given = secret) => (await keyring.now()).find(given.reveal())
    assert.equal((await known()).id, key.id)
    await theirs.revokeKey(1, key.id, at(1))
    const revoked = performance.now()
    const gone = () =>
      known().then(
        () => false,
        error => error.code === 'unauthenticated',
      )
    while (!(await gone())) {
      assert.ok(performance.now() - revoked < 1000)
      await new Promise(again => setTimeout(again, 5))
    }
    assert.equal((await known(other.secret)).id, other.key.id)
    await server.stop()
    const stopped = performance.now()
    const shut = () =>
      known(other.secret).then(
        () => false,
        error => error.code !== 'unauthenticated',
      )
    while (!(await shut())) {
      assert.ok(performance.now() - stopped < 1000)
      await new Promise(again => setTimeout(again, 5))
    }
    await server.start()
    assert.equal((await known(other.secret)).id, other.key.id)
  })

  test('a transaction that loses again and again still ends: of a hundred none is lost', async t => {
    const { url, pooled } = await server.newDatabase()
    const [one, two] = [await opened(t, url), await opened(t, pooled)]
    await one.addEnvironment(environment(1))
    await one.addIntegration(integration(1, 'github'))
    const account = { accountKey: 'one', endUserId: '' }
    await Promise.all(
      Array.from({ length: 100 }, (_, n) => (n % 2 ? one : two).authorize(draft(connection(1, `x${n}`), account))),
    )
    const rows = await one.connections(1, {})
    assert.deepEqual([rows.length, rows[0]?.credentialRevision], [1, 100])
  })
})
