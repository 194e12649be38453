/** The start, as a person does it: `mortise dev` with nothing configured, `mortise serve` and what it refuses. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { connect, freePorts, getJson, startTestHub, tempFolder } from './harness.ts'
import { mortise, startProcess } from './process.ts'

const rootKey = () => randomBytes(32).toString('base64')

test('mortise dev starts with nothing configured, says on one screen what to do, and answers /ready', async t => {
  const data = join(tempFolder(t), 'data')
  const port = await freePorts()
  const settings = { MORTISE_PORT: String(port), MORTISE_DATA_DIR: data }
  const first = await startProcess(t, 'dev', settings)
  t.diagnostic(`/ready answered ${Math.round(first.readyAfter)} ms after the process was started`)
  await until(() => first.output.stdout.includes('Stop with'))
  const screen = first.output.stdout
  assert.ok(screen.split('\n').length <= 24, 'it fits on one screen')
  assert.match(screen, new RegExp(`Open +http://localhost:${port}\n`))
  assert.match(screen, /Secret key +none needed/)
  assert.match(screen, /Public key +mortise_pk_\w{28}\n/)
  assert.match(screen, /Try next/)
  assert.equal(first.output.stderr, '')
  const link = /Connect +(\S+)/.exec(screen)?.[1] ?? ''
  const started = await fetch(link, { redirect: 'manual' })
  assert.equal(started.status, 302)
  const page = await fetch(started.headers.get('location') ?? '')
  assert.equal(page.status, 200)
  assert.match(await page.text(), /Approve/)
  assert.equal(statSync(join(data, 'root.key')).mode & 0o777, 0o600)
  assert.equal(statSync(join(data, 'mortise.db')).mode & 0o777, 0o600)
  assert.equal(statSync(data).mode & 0o777, 0o700)
  const home = await (await fetch(`http://localhost:${port}/`)).text()
  for (const name of ['Notion', 'HubSpot', 'Salesforce', 'Slack', 'Google Drive', 'GitHub'])
    assert.match(home, new RegExp(`Connect ${name}`))
  // Both loopback families, and no other address.
  for (const host of ['127.0.0.1', '[::1]']) assert.equal((await fetch(`http://${host}:${port}/health`)).status, 200)
  const outside = Object.values(networkInterfaces())
    .flatMap(each => each ?? [])
    .find(each => !each.internal && each.family === 'IPv4')
  if (outside) await assert.rejects(fetch(`http://${outside.address}:${port}/health`))
  first.child.kill('SIGTERM')
  assert.equal(await first.ended, 0)
  // The second start finds everything as it was.
  const second = await startProcess(t, 'dev', settings)
  await until(() => second.output.stdout.includes('Stop with'))
  assert.equal(/Public key.*/.exec(second.output.stdout)?.[0], /Public key.*/.exec(screen)?.[0])
  second.child.kill('SIGINT')
  assert.equal(await second.ended, 0)
})

test('SIGTERM finishes what is in flight', async t => {
  const port = await freePorts()
  const hub = await startProcess(t, 'dev', { MORTISE_PORT: String(port), MORTISE_DATA_DIR: tempFolder(t) })
  const control = (path: string, body: object) =>
    fetch(`http://localhost:${port + 1}/_sandbox/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  assert.equal((await control('switches', { provider: 'github', autoApprove: true, delayMs: 700 })).status, 200)
  const { Browser } = await import('./harness.ts')
  const browser = new Browser()
  const { url } = await browser.follow(`http://localhost:${port}/oauth/connect/github?connection_id=a`, next =>
    next.startsWith(`http://localhost:${port}/oauth/callback`),
  )
  const answer = browser.get(url)
  await new Promise(later => setTimeout(later, 250))
  hub.child.kill('SIGTERM')
  const page = await answer
  assert.equal(page.status, 200)
  assert.match(await page.text(), /GitHub is connected/)
  assert.equal(await hub.ended, 0)
})

test('serve refuses to start insecurely, and says what to set', async t => {
  const base = { MORTISE_PORT: String(await freePorts()) }
  const refused = async (settings: Record<string, string>, what: RegExp) => {
    const { code, stdout, stderr } = await mortise(['serve'], {
      ...base,
      MORTISE_DATA_DIR: join(tempFolder(t), 'd'),
      ...settings,
    })
    assert.equal(code, 1, stdout)
    assert.match(stderr, what)
    assert.ok(!stderr.includes('    at '), 'a sentence, not a stack')
  }
  const key = { MORTISE_ROOT_KEY: rootKey() }
  await refused({}, /no root key.*openssl rand -base64 32.*MORTISE_ROOT_KEY/)
  await refused({ MORTISE_ROOT_KEY: 'c2hvcnQ=' }, /MORTISE_ROOT_KEY holds no root key/)
  await refused(
    { MORTISE_ROOT_KEY_FILE: '/nowhere/root.key' },
    /MORTISE_ROOT_KEY_FILE names \/nowhere\/root.key, which does not exist/,
  )
  await refused({ ...key, MORTISE_HOST: '0.0.0.0' }, /reachable from other machines, and no key.*mortise key create/)
  await refused(
    { ...key, MORTISE_PUBLIC_URL: 'https://hub.example.com' },
    /not loopback, and no key.*mortise key create/,
  )
  await refused({ ...key, MORTISE_PUBLIC_URL: 'http://hub.example.com' }, /must be https/)
  await refused(
    { ...key, MORTISE_DATABASE_URL: `postgres://ann:pw@localhost:${base.MORTISE_PORT}/x` },
    /No Postgres server answers for x at localhost:\d+ \(ECONNREFUSED\)\. Start it, or set MORTISE_DATABASE_URL/,
  )
  await refused({ ...key, MORTISE_PROVIDERS_DIR: '/nowhere' }, /MORTISE_PROVIDERS_DIR names \/nowhere/)
  await refused({ ...key, MORTISE_PUBLICURL: 'x' }, /MORTISE_PUBLICURL is not a setting.*MORTISE_PUBLIC_URL/)
  await refused({ ...key, MORTISE_SECRET_KEY: 'short' }, /MORTISE_SECRET_KEY must have 32/)
})

test('dev, too, refuses a public URL off loopback while there is no key', async t => {
  const settings = { MORTISE_PORT: String(await freePorts()), MORTISE_DATA_DIR: tempFolder(t) }
  const { code, stderr } = await mortise(['dev'], { ...settings, MORTISE_PUBLIC_URL: 'https://hub.example.com' })
  assert.equal(code, 1)
  assert.match(stderr, /not loopback, and no key/)
  const elsewhere = await mortise(['dev'], { ...settings, MORTISE_HOST: '0.0.0.0' })
  assert.equal(elsewhere.code, 1)
  assert.match(elsewhere.stderr, /listens on loopback only/)
})

test('serve refuses data with a sandbox integration; no start of it makes one', async t => {
  const dataDir = tempFolder(t)
  const dev = await startTestHub(t, { dataDir })
  await dev.stop()
  const settings = {
    MORTISE_PORT: String(await freePorts()),
    MORTISE_DATA_DIR: dataDir,
    MORTISE_ROOT_KEY_FILE: join(dataDir, 'root.key'),
    MORTISE_SECRET_KEY: 'k'.repeat(40),
  }
  const refused = await mortise(['serve'], settings)
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /is a sandbox one, made by mortise dev.*mortise integrations remove/)
  for (const key of ['notion', 'hubspot', 'salesforce', 'slack', 'google-drive', 'github'])
    assert.equal((await mortise(['integrations', 'remove', key], settings)).code, 0)
  const served = await startProcess(t, 'serve', settings)
  const { body } = await getJson(`http://localhost:${settings.MORTISE_PORT}/connection`, {
    authorization: `Bearer ${settings.MORTISE_SECRET_KEY}`,
  })
  assert.deepEqual(body, { connections: [] })
  const { stdout } = await mortise(['integrations', 'list'], settings)
  assert.match(stdout, /There is no integration yet/)
  const home = await (await fetch(`http://localhost:${settings.MORTISE_PORT}/`)).text()
  assert.doesNotMatch(home, /mortise_pk_/)
  served.child.kill('SIGTERM')
  assert.equal(await served.ended, 0)
})

test('data whose root key is gone, or is another, refuses to start and changes nothing', async t => {
  const dataDir = tempFolder(t)
  const dev = await startTestHub(t, { dataDir })
  await connect(dev, 'github', { connection_id: 'a' })
  await dev.stop()
  const file = join(dataDir, 'root.key')
  const settings = { MORTISE_PORT: String(await freePorts()), MORTISE_DATA_DIR: dataDir }
  renameSync(file, `${file}.away`)
  const gone = await mortise(['dev'], settings)
  assert.equal(gone.code, 1)
  assert.match(gone.stderr, /root\.key is gone.*Put it back.*another key is not made/)
  assert.equal(existsSync(file), false)
  writeFileSync(file, `${rootKey()}\n`)
  const other = await mortise(['dev'], settings)
  assert.equal(other.code, 1)
  assert.match(other.stderr, /not the one that this database was sealed under/)
  assert.ok(!other.stderr.includes(readFileSync(file, 'utf8').trim()))
  renameSync(`${file}.away`, file)
  const again = await startProcess(t, 'dev', settings)
  const { status } = await getJson(`http://localhost:${settings.MORTISE_PORT}/connection/a?provider_config_key=github`)
  assert.equal(status, 200)
  again.child.kill('SIGTERM')
  await again.ended
})

test('a port that is taken is named, with what to do', async t => {
  const hub = await startTestHub(t)
  const taken = await mortise(['dev'], { MORTISE_PORT: new URL(hub.origin).port, MORTISE_DATA_DIR: tempFolder(t) })
  assert.equal(taken.code, 1)
  assert.match(taken.stderr, /in use.*MORTISE_PORT/)
})

test('an old Node finds the pinned one, or is told in one sentence what it needs', async t => {
  const old = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })'
  const run = (bin: string) => {
    const args = ['--import', `data:text/javascript,${encodeURIComponent(old)}`, bin, '--version']
    return spawnSync(process.execPath, args, { encoding: 'utf8' })
  }
  const here = run(fileURLToPath(new URL('../bin/mortise.js', import.meta.url)))
  assert.match(here.stdout, /^\d+\.\d+\.\d+\n$/)
  const alone = tempFolder(t)
  mkdirSync(join(alone, 'bin'))
  writeFileSync(join(alone, 'package.json'), '{"type":"module"}')
  copyFileSync(new URL('../bin/mortise.js', import.meta.url), join(alone, 'bin', 'mortise.js'))
  const told = run(join(alone, 'bin', 'mortise.js'))
  assert.equal(told.status, 1)
  assert.match(told.stderr, /^Mortise needs Node\.js 24 or later; this is v\S+\. Run `npm ci`[^\n]*\n$/)
})

test('/health tells of the process, /ready of the storage; both answer anyone', async t => {
  const hub = await startTestHub(t)
  const status = (path: string) =>
    new Promise<number | undefined>((done, fail) => {
      request(`${hub.origin}${path}`, { headers: { host: 'probe.internal' } }, answer => {
        answer.resume()
        done(answer.statusCode)
      })
        .on('error', fail)
        .end()
    })
  assert.equal(await status('/health'), 200)
  assert.equal(await status('/ready'), 200)
  await hub.rooms.storage.close()
  assert.equal(await status('/health'), 200)
  assert.equal(await status('/ready'), 503)
})

/** Waits for what another process prints. */
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise(again => setTimeout(again, 5))
}
