/** Whole hubs on one Postgres database. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { readConfig } from '../src/config.ts'
import type { ConnectionShape } from '../src/http/nango/shapes.ts'
import { startHub } from '../src/main.ts'
import { connect, freePorts, getJson, movableClock, startServing, startTestHub, tempFolder } from './harness.ts'
import { type PostgresServer, skip, startPostgres } from './postgres.ts'
import { mortise } from './process.ts'

type OAuth2 = Extract<ConnectionShape['credentials'], { type: 'OAUTH2' }>

suite('hubs on Postgres', { skip }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.close())

  const settings = async (pooled = false) => {
    const { url, pooled: through, name } = await server.newDatabase()
    const env = {
      MORTISE_DATABASE_URL: pooled ? through : url,
      MORTISE_ROOT_KEY: randomBytes(32).toString('base64'),
      MORTISE_LOG_LEVEL: 'silent',
    }
    return { env, name }
  }

  for (const pooled of [false, true])
    test(`two hubs share what one connects and refreshes${pooled ? ', behind a pooler' : ''}`, async t => {
      const clock = movableClock()
      const { env, name } = await settings(pooled)
      const first = await startTestHub(t, { clock, env })
      // The second one calls the sandbox of the first.
      const port = await freePorts()
      const config = readConfig({ ...env, MORTISE_PORT: String(port), MORTISE_DATA_DIR: tempFolder(t) }, 'dev')
      const other = await startHub(config, first.sandbox.origin, { clock })
      t.after(() => other.stop())
      const read = async (origin: string) => {
        const path = '/connection/a?provider_config_key=hubspot'
        const { status, body } = await getJson<ConnectionShape>(origin + path)
        assert.equal(status, 200, JSON.stringify(body))
        return (body.credentials as OAuth2).access_token
      }
      const [mine, theirs] = [first.origin, `http://localhost:${port}`]
      await connect(first, 'hubspot', { connection_id: 'a' })
      const token = await read(mine)
      assert.equal(await read(theirs), token)
      clock.forward(1801)
      const renewed = await read(theirs)
      assert.notEqual(renewed, token)
      assert.equal(await read(mine), renewed)
      assert.equal(first.sandbox.calls.filter(call => call.kind === 'refresh').length, 1)
      // The end user comes back: the same connection.
      await connect(first, 'hubspot', { connection_id: 'a' })
      assert.notEqual(await read(theirs), renewed)
      const rows = await server.query('SELECT credential_revision::int AS revision FROM connections', name)
      assert.deepEqual(rows, [{ revision: 3 }])
    })

  test('a key that another process makes opens every hub, and within a second of its end none', async t => {
    const { env } = await settings()
    const hubs = [await startServing(t, env), await startServing(t, env)]
    const made = await mortise(['key', 'create'], env)
    assert.equal(made.code, 0, made.stderr)
    const [key = ''] = /^mortise_sk_\w+$/m.exec(made.stdout) ?? []
    const [, id = ''] = /secret key ".*" \((\S+)\)/.exec(made.stdout + made.stderr) ?? []
    const soon = async (status: number) => {
      const since = performance.now()
      for (const { origin } of hubs)
        while ((await getJson(`${origin}/connection`, { authorization: `Bearer ${key}` })).status !== status)
          assert.ok(performance.now() - since < 1000)
    }
    await soon(200)
    const ended = await mortise(['key', 'revoke', id], env)
    assert.equal(ended.code, 0, ended.stderr)
    await soon(401)
  })

  test('hubs that start at once on an empty database are one', async t => {
    const { env } = await settings()
    const hubs = await Promise.all(Array.from({ length: 4 }, () => startServing(t, env)))
    assert.equal(new Set(hubs.map(hub => hub.rooms.firstEnvironment.id)).size, 1)
    for (const { origin } of hubs) assert.equal((await fetch(`${origin}/ready`)).status, 200)
    await assert.rejects(
      startServing(t, { ...env, MORTISE_ROOT_KEY: randomBytes(32).toString('base64') }),
      /The root key is not the one that this database was sealed under/,
    )
  })

  test('a hub whose database is gone says so, and is ready again when it is back', async t => {
    const { env } = await settings()
    const { origin, secretKey } = await startServing(t, env)
    const status = async (path: string) =>
      (await fetch(origin + path, { headers: { authorization: `Bearer ${secretKey}` } })).status
    assert.deepEqual([await status('/ready'), await status('/connection')], [200, 200])
    await server.stop()
    assert.deepEqual([await status('/health'), await status('/ready')], [200, 503])
    assert.ok((await status('/connection')) >= 500)
    await server.start()
    assert.deepEqual([await status('/ready'), await status('/connection')], [200, 200])
  })
})
