/** The commands where nothing answers, and where they are asked wrongly. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { closedPort, run, start, startServer, Tab, tempFolder } from './process.ts'
import { startRecorder } from './recorder.ts'

const commands = [
  'list-connections',
  'initiate-oauth',
  'test-oauth',
  'get-jwt-token',
  'connect-notion',
  'notion-example',
]

test('without a hub each command ends with 1 and says which command starts one', async t => {
  const hub = `http://localhost:${await closedPort()}`
  const settings = { ALLOY_BASE_URL: hub, CONNECTION_ID: 'conn_1', PORT: String(await closedPort()) }
  for (const name of commands) {
    const ended = await run(t, name, settings, { input: 'notion\n\n' })
    assert.equal(ended.code, 1, name)
    assert.match(
      ended.stderr,
      new RegExp(
        `❌ No hub answers at ${hub}\\. Start it in another terminal: npm start, or correct ALLOY_BASE_URL in \\.env\\.\n$`,
      ),
      name,
    )
    assert.doesNotMatch(ended.stderr, /\n\s+at /, name)
  }
  const { origin } = await startServer(t, settings)
  const page = await new Tab().open(`${origin}/connect/notion`)
  assert.equal(page.status, 500)
  assert.match(await page.text(), /Failed to initiate OAuth flow: No hub answers at http:\/\/localhost:\d+\. Start it/)
  const list = await fetch(`${origin}/api/connections`)
  assert.equal(list.status, 502)
  const failure = (await list.json()) as Record<string, unknown>
  assert.deepEqual(Object.keys(failure), ['success', 'error', 'details', 'suggestion'])
  assert.match(String(failure['details']), /npm start/)
})

test('each command has --help, and refuses what it does not know', async t => {
  for (const name of [...commands, 'server']) {
    const help = await run(t, name, {}, { args: ['--help'] })
    assert.equal(help.code, 0, name)
    assert.match(help.stdout, new RegExp(`^Usage: npm run ${name}\\b`))
    const wrong = await run(t, name, {}, { args: ['--no-such-flag'] })
    assert.equal(wrong.code, 1, name)
    assert.match(wrong.stderr, /❌ Unknown option '--no-such-flag'/)
  }
})

test('a remote server without a key is refused before any call', async t => {
  for (const name of [...commands, 'server']) {
    const ended = await run(t, name, { ALLOY_BASE_URL: 'https://connect.invalid' })
    assert.equal(ended.code, 1, name)
    assert.match(ended.stderr, /❌ ALLOY_API_KEY environment variable is required/)
  }
})

test('the scripts of package.json are there', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    scripts: Record<string, string>
  }
  for (const name of [...commands, 'server']) assert.equal(scripts[name], `node app/scripts/${name}.ts`)
})

test('no connections is no failure, and says what is next', async t => {
  const recorder = await startRecorder(t)
  const ended = await run(t, 'list-connections', { ALLOY_BASE_URL: recorder.origin })
  assert.equal(ended.code, 0)
  assert.match(ended.stdout, /No connections found\.\n\n.*Connect Notion first:\n {2}npm run connect-notion/)
})

test('initiate-oauth takes its answers from a pipe', async t => {
  const recorder = await startRecorder(t)
  const settings = { ALLOY_BASE_URL: recorder.origin }
  const ended = await run(t, 'initiate-oauth', settings, { input: 'hubspot\nhttp://localhost:9/back\n' })
  assert.equal(ended.code, 0, ended.stderr)
  assert.match(ended.stdout, /🔐 Alloy OAuth Flow Initiator/)
  assert.ok(ended.stdout.includes('Enter connector ID (e.g., notion, hubspot): '))
  assert.ok(ended.stdout.includes('Enter redirect URI (e.g., http://localhost:3000/oauth/callback): '))
  assert.ok(ended.stdout.includes(`\n${recorder.origin}/authorize\n`))
  const [sent] = recorder.begun
  assert.equal(sent?.['connectorId'], 'hubspot')
  assert.equal(sent?.['redirectUri'], 'http://localhost:9/back')
  assert.ok(ended.stdout.includes(String(sent?.['state'])))
  // Nobody is configured, so nobody is sent.
  assert.ok(sent && !('userId' in sent))
  const nothing = await run(t, 'initiate-oauth', settings)
  assert.equal(nothing.code, 1)
  assert.match(nothing.stderr, /A connector ID is needed/)
})

/** Starts test-oauth and pastes what `paste` makes of the state that it sent. */
const pasteInto = async (t: TestContext, paste: (state: string) => string) => {
  const recorder = await startRecorder(t)
  const command = start(t, 'test-oauth', { ALLOY_BASE_URL: recorder.origin })
  await command.seen(/Paste the address/)
  const state = String(recorder.begun[0]?.['state'])
  command.child.stdin?.end(`${paste(state)}\n`)
  return { code: await command.ended, ...command.output, redeemed: recorder.redeemed, state }
}

test('test-oauth redeems the address of its own sign-in, or the code alone, and no other', async t => {
  const back = 'http://localhost:3000/oauth/callback'
  for (const paste of [
    (state: string) => `${back}?code=abc&state=${state}`,
    (state: string) => `?code=abc&state=${state}`,
    () => 'abc',
  ]) {
    const ended = await pasteInto(t, paste)
    assert.equal(ended.code, 0, ended.stderr)
    assert.deepEqual(ended.redeemed, [{ code: 'abc', state: ended.state }])
    assert.match(ended.stdout, /Connection ID: conn_1[\s\S]*\nCONNECTION_ID=conn_1\n$/)
  }
  for (const query of ['code=abc&state=theirs', 'code=abc', 'code=abc&state=']) {
    const ended = await pasteInto(t, () => `${back}?${query}`)
    assert.equal(ended.code, 1)
    assert.match(ended.stderr, /not begun in this terminal/)
    assert.deepEqual(ended.redeemed, [])
  }
  const denied = await pasteInto(t, state => `${back}?error=access_denied&error_description=No&state=${state}`)
  assert.equal(denied.code, 1)
  assert.match(denied.stderr, /❌ OAuth error: access_denied: No/)
})

test('connect-notion takes the next free port, checks the state, redeems once and writes .env', async t => {
  const recorder = await startRecorder(t)
  const file = join(tempFolder(t), '.env')
  const busy = createServer().listen(0, '127.0.0.1')
  t.after(() => busy.close())
  await new Promise(done => busy.once('listening', done))
  const { port } = busy.address() as AddressInfo
  const command = start(t, 'connect-notion', {
    ALLOY_BASE_URL: recorder.origin,
    ALLOY_ENV_FILE: file,
    PORT: String(port),
  })
  const [, callback = ''] = await command.seen(/Waiting at (\S+)/)
  assert.ok(command.output.stdout.includes(`Port ${port} is already in use`))
  assert.notEqual(new URL(callback).port, String(port))
  assert.equal(recorder.begun[0]?.['redirectUri'], callback)
  const state = String(recorder.begun[0]?.['state'])

  const stranger = await new Tab().open(`${callback}?code=theirs&state=theirs`)
  assert.equal(stranger.status, 403)
  assert.match(await stranger.text(), /This sign-in was not begun in this browser/)
  // Neither does a stranger's error end it, nor a foreign name of this machine.
  assert.equal((await new Tab().open(`${callback}?error=access_denied`)).status, 400)
  assert.deepEqual(recorder.redeemed, [])

  // Once more while the first is being redeemed.
  const redeem = () => new Tab().open(`${callback}?code=abc&state=${state}`)
  recorder.beforeRedemption = async () => assert.equal((await redeem()).status, 403)
  const page = await redeem()
  assert.equal(page.status, 200)
  assert.match(await page.text(), /Connection Successful!/)
  assert.equal(await command.ended, 0, command.output.stderr)
  assert.deepEqual(recorder.redeemed, [{ code: 'abc', state }])
  assert.equal(readFileSync(file, 'utf8'), 'CONNECTION_ID=conn_1\n')
  assert.match(command.output.stdout, /\nCONNECTION_ID=conn_1\n/)
})

test('connect-notion gives up in time, and when the person refuses', async t => {
  const recorder = await startRecorder(t)
  const settings = { ALLOY_BASE_URL: recorder.origin, ALLOY_ENV_FILE: join(tempFolder(t), '.env'), PORT: '0' }
  const late = await run(t, 'connect-notion', settings, { args: ['--timeout', '0.2'] })
  assert.equal(late.code, 1)
  assert.match(late.stderr, /No browser came back within 0\.2 seconds.*npm run list-connections/)
  const command = start(t, 'connect-notion', settings)
  const [, callback = ''] = await command.seen(/Waiting at (\S+)/)
  const state = String(recorder.begun.at(-1)?.['state'])
  const page = await new Tab().open(`${callback}?error=access_denied&state=${state}`)
  assert.equal(page.status, 400)
  assert.equal(await command.ended, 1)
  assert.match(command.output.stderr, /❌ OAuth error: access_denied/)
})

test('a taken port stops the server, with the way out', async t => {
  const { origin } = await startServer(t, {})
  const { port } = new URL(origin)
  const ended = await run(t, 'server', { PORT: port })
  assert.equal(ended.code, 1)
  assert.match(
    ended.stderr,
    new RegExp(`❌ Port ${port} is already in use\\..*PORT=${Number(port) + 1} npm run server`),
  )
})

test('a port that another program has under the other address of localhost is taken too', async t => {
  const other = createServer()
  t.after(() => other.close())
  const listens = await new Promise<boolean>(done => {
    other.once('error', () => done(false)).listen(0, '::1', () => done(true))
  })
  if (!listens) return t.skip('this machine has no IPv6')
  const { port } = other.address() as AddressInfo
  const ended = await run(t, 'server', { PORT: String(port) })
  assert.equal(ended.code, 1)
  assert.match(ended.stderr, /is already in use/)
})
