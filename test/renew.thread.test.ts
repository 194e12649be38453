/** The thread of `mortise serve` that renews what is due: started when the first is, stopped without losing an answer. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stringify } from 'yaml'
import { readConfig } from '../src/config.ts'
import { Secret } from '../src/core/credential.ts'
import { sealCredential } from '../src/core/sealed.ts'
import { addIntegration } from '../src/core/setup.ts'
import { openRooms } from '../src/rooms.ts'
import { freePorts, later, tempFolder } from './harness.ts'
import { rotating, until } from './pair.ts'
import { skip, startPostgres } from './postgres.ts'
import { startProcess } from './process.ts'
import { add, connection } from './storage.fixtures.ts'

/** A token endpoint that counts, and that answers when it is told to. */
const tokenServer = async (t: TestContext) => {
  const waiting: ServerResponse[] = []
  const server = createServer((request, response) => {
    request.resume()
    waiting.push(response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const answer = (n: number) =>
    waiting[n]
      ?.writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ access_token: `renewed-${n}`, refresh_token: `next-${n}`, expires_in: 2 }))
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, waiting, answer }
}

/** A hub that is set up with one connection, not started yet; and its rooms, as another process has them. */
const begin = async (t: TestContext, database?: string) => {
  const folder = tempFolder(t)
  const provider = await tokenServer(t)
  const providers = join(folder, 'providers')
  mkdirSync(providers)
  const origin = `http://${provider.host}`
  const definition = { ...rotating(), api: { base: origin }, token: { url: `${origin}/token`, client: 'basic' } }
  writeFileSync(join(providers, 'rotating.yaml'), stringify(definition))
  const settings = {
    MORTISE_PORT: String(await freePorts()),
    MORTISE_DATA_DIR: join(folder, 'data'),
    MORTISE_ROOT_KEY: randomBytes(32).toString('base64'),
    MORTISE_PROVIDERS_DIR: providers,
    MORTISE_ALLOWED_HOSTS: provider.host,
    ...(database === undefined ? {} : { MORTISE_DATABASE_URL: database }),
  }
  const rooms = await openRooms(readConfig({ ...settings, MORTISE_LOG_LEVEL: 'silent' }, 'command'))
  t.after(() => rooms.storage.close())
  const { context } = rooms.hub
  const [clientId, clientSecret] = ['of-the-app', new Secret('a secret')]
  await addIntegration(context, rooms.firstEnvironment, { key: 'github', provider: 'rotating', clientId, clientSecret })
  const { id } = rooms.firstEnvironment
  const tokens = { accessToken: new Secret('first'), refreshToken: new Secret('first-refresh') }
  const credential = { kind: 'oauth2', ...tokens, raw: new Secret({}) } as const
  const sealed = sealCredential(await context.sealerOf(id), 'r1', credential, 'refresh_token')
  const [obtainedAt, expiresAt] = [new Date(Date.now() - 3_600_000), new Date(Date.now() + 60_000)]
  const row = connection(id, 'r1', { provider: 'rotating', ...sealed, obtainedAt, expiresAt })
  await add(rooms.storage, row)
  const due = () => rooms.storage.setRefreshDue(id, 'r1', new Date())
  const revision = async () => (await rooms.storage.connectionById(id, 'r1'))?.credentialRevision
  return { settings, providers, provider, rooms, due, revision }
}

const stopped = async ({ child, ended }: Awaited<ReturnType<typeof startProcess>>) => {
  child.kill('SIGTERM')
  assert.equal(await ended, 0)
}

const keepsWhatItBegan = async (t: TestContext, database?: string) => {
  const { settings, provider, due, revision } = await begin(t, database)
  const hub = await startProcess(t, 'serve', settings)
  await due()
  await until(() => provider.waiting.length === 1, 30)
  provider.answer(0)
  await until(async () => (await revision()) === 2, 30)
  await until(() => provider.waiting.length === 2, 30)
  // Told to stop while the provider has spent the token and not answered yet.
  const end = stopped(hub)
  await later(300)
  assert.equal(hub.child.exitCode, null, 'it waits for the answer')
  provider.answer(1)
  await end
  assert.equal(await revision(), 3)
  assert.doesNotMatch(hub.output.stderr, /"level":[45]0/)
}

test('it renews what is due, and the process stops only when its last answer is written, on SQLite', t =>
  keepsWhatItBegan(t))

test('…and on Postgres', { skip }, async t => {
  const server = await startPostgres()
  t.after(() => server.close())
  await keepsWhatItBegan(t, (await server.newDatabase()).url)
})

test('one that fails is said in the log, leaves the hub serving, and is started again', async t => {
  const { settings, providers, provider, due, revision } = await begin(t)
  const hub = await startProcess(t, 'serve', settings)
  const broken = join(providers, 'broken.yaml')
  writeFileSync(broken, 'name: [')
  await due()
  await until(() => /the thread that renews tokens has ended/.test(hub.output.stderr), 30)
  assert.match(hub.output.stderr, /broken\.yaml:1/)
  assert.equal((await fetch(`http://localhost:${settings.MORTISE_PORT}/ready`)).status, 200)
  rmSync(broken)
  await until(() => provider.waiting.length === 1, 30)
  provider.answer(0)
  await until(async () => (await revision()) === 2, 30)
  await stopped(hub)
})
