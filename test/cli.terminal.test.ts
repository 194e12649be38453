/** The commands on a terminal of their own (`script`, of util-linux, lends one): questions, colours, Ctrl+C; and doctor. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect, freePorts, startTestHub, type TestHub, tempFolder } from './harness.ts'
import { bin, mortise, said } from './process.ts'

const skip = spawnSync('script', ['--version']).status === 0 ? false : 'there is no `script` here: install util-linux'

/** A person at a terminal: reads, and types. */
const sit = (t: TestContext, hub: TestHub, args: string, more: Record<string, string> = {}) => {
  const env = {
    PATH: process.env['PATH'],
    TERM: 'xterm',
    MORTISE_PORT: new URL(hub.origin).port,
    MORTISE_DATA_DIR: hub.dataDir,
    ...more,
  }
  const child = spawn('script', ['-qefc', `${process.execPath} ${bin} ${args}`, '/dev/null'], { env, stdio: 'pipe' })
  t.after(() => child.kill('SIGKILL'))
  let screen = ''
  child.stdout.on('data', chunk => {
    screen += chunk
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return {
    screen: () => screen,
    ended,
    async reads(pattern: RegExp) {
      await said(() => screen, pattern)
      // A question is asked just before its answer is listened for.
      await new Promise(done => setTimeout(done, 100))
    },
    type: (keys: string) => child.stdin.write(keys),
  }
}

test('integrations add asks for what is missing, and never shows the secret', { skip }, async t => {
  const hub = await startTestHub(t)
  const terminal = sit(t, hub, 'integrations add mine --provider gitlab')
  await terminal.reads(/redirect URI http:\/\/localhost:\d+\/oauth\/callback[\s\S]*Client id: /)
  terminal.type('my-app\r')
  await terminal.reads(/Client secret: /)
  terminal.type('s3cret\r')
  assert.equal(await terminal.ended, 0, terminal.screen())
  assert.match(terminal.screen(), /Added the integration "mine"/)
  assert.ok(!terminal.screen().includes('s3cret'))
  const { hub: core, storage, firstEnvironment } = hub.rooms
  const added = await storage.integration(firstEnvironment.id, 'mine')
  assert.equal(added?.clientId, 'my-app')
  assert.equal(added && (await core.context.clientSecretOf(added)).reveal(), 's3cret')
  const stopped = sit(t, hub, 'integrations add other --provider github')
  await stopped.reads(/Client id: /)
  stopped.type('\u0003')
  assert.equal(await stopped.ended, 130)
  assert.match(stopped.screen(), /Stopped; nothing was changed\./)
  const closed = sit(t, hub, 'integrations add other --provider github')
  await closed.reads(/Client id: /)
  closed.type('\u0004')
  assert.equal(await closed.ended, 130)
  assert.equal(await storage.integration(firstEnvironment.id, 'other'), undefined)
})

test('connections delete asks, and only a yes deletes; connect asks for the params', { skip }, async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'notion', { connection_id: 'mine' })
  const { storage, firstEnvironment } = hub.rooms
  const rows = () => storage.connections(firstEnvironment.id, {})
  const no = sit(t, hub, 'connections delete mine')
  await no.reads(/Delete conn_\w+ \(notion, .*\)\? Its end user must connect again afterwards\. \[y\/N\]/)
  no.type('\r')
  assert.equal(await no.ended, 0)
  assert.match(no.screen(), /Nothing was deleted\./)
  assert.equal((await rows()).length, 1)
  const yes = sit(t, hub, 'connections delete mine')
  await yes.reads(/\[y\/N\]/)
  yes.type('y\r')
  assert.equal(await yes.ended, 0)
  assert.equal((await rows()).length, 0)
  assert.equal(
    (await mortise(['integrations', 'add', 'zendesk', '--sandbox'], { MORTISE_DATA_DIR: hub.dataDir })).code,
    0,
  )
  const asks = sit(t, hub, 'connect zendesk --no-open')
  await asks.reads(/subdomain.*: /i)
  asks.type('acme\r')
  await asks.reads(/\/start\?token=/)
  asks.type('\u0003')
  assert.equal(await asks.ended, 130)
  assert.match(asks.screen(), /Stopped waiting/)
})

test('a terminal has colours, but not with NO_COLOR', { skip }, async t => {
  const hub = await startTestHub(t)
  const bold = sit(t, hub, 'integrations list')
  assert.equal(await bold.ended, 0)
  assert.ok(bold.screen().includes('\u001b[1mKEY'))
  const plain = sit(t, hub, 'integrations list', { NO_COLOR: '1' })
  assert.equal(await plain.ended, 0)
  assert.match(plain.screen(), /^KEY/)
})

test('doctor: no root key, a clock that is off, a provider that is not reached: each with its fix', async t => {
  const folder = tempFolder(t)
  const empty = await mortise(['doctor', '--json'], {
    MORTISE_DATA_DIR: join(folder, 'x'),
    MORTISE_PORT: String(await freePorts()),
  })
  assert.equal(empty.code, 1)
  type Look = { check: string; ok: boolean; message: string }
  const looks = JSON.parse(empty.stdout) as Look[]
  const at = (all: Look[], check: string) => all.find(each => each.check === check)
  assert.match(at(looks, 'data')?.message ?? '', /no root key and no database.*openssl rand -base64 32/)
  assert.equal(at(looks, 'public url')?.ok, true)
  // A provider whose clock is off, and one that nobody answers for.
  const server = createServer((_request, response) => {
    response
      .setHeader('date', new Date(Date.now() - 3_600_000).toUTCString())
      .writeHead(404)
      .end()
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const dead = await freePorts()
  const own = join(folder, 'providers')
  mkdirSync(own)
  const provider = (name: string, at: number) =>
    writeFileSync(
      join(own, `${name}.yaml`),
      `name: ${name}\ndocs: [https://x.example/]\nauth: oauth2\napi: { base: "http://127.0.0.1:${at}" }\nauthorize: { url: "http://127.0.0.1:${at}/a" }\ntoken: { url: "http://127.0.0.1:${at}/t", client: basic }\n`,
    )
  provider('near', port)
  provider('far', dead)
  const settings = {
    MORTISE_DATA_DIR: join(folder, 'data'),
    MORTISE_ROOT_KEY: randomBytes(32).toString('base64'),
    MORTISE_PROVIDERS_DIR: own,
    MORTISE_ALLOWED_HOSTS: '127.0.0.1',
    MORTISE_PORT: String(await freePorts()),
  }
  for (const key of ['near', 'far']) {
    const added = await mortise(['integrations', 'add', key, '--client-id', 'a'], settings, 'b')
    assert.equal(added.code, 0, added.stderr)
  }
  const ill = await mortise(['doctor', '--json'], settings)
  assert.equal(ill.code, 1)
  const found = JSON.parse(ill.stdout) as Look[]
  assert.equal(at(found, 'data')?.ok, true)
  assert.deepEqual([at(found, 'provider of near')?.ok, at(found, 'provider of far')?.ok], [true, false])
  assert.match(at(found, 'provider of far')?.message ?? '', /was not reached at 127\.0\.0\.1:\d+.*Look at DNS/)
  assert.match(at(found, 'clock of near')?.message ?? '', /differ by 360\d s.*Set the clock by NTP/)
  assert.match(at(found, 'redirect uri')?.message ?? '', /\/oauth\/callback$/)
  const other = await mortise(['doctor'], { ...settings, MORTISE_ROOT_KEY: randomBytes(32).toString('base64') })
  assert.equal(other.code, 1)
  assert.match(other.stdout, /^FAIL {2}The root key is not the one that this database was sealed under/m)
})
