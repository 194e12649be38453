/** Returns that are not plain, against a real hub: another browser's, one without a code, a dead connection. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Browser } from '../../test/harness.ts'
import { AlloyClient } from '../src/alloy-client.ts'
import { type Command, closedPort, run, start, startServer } from './process.ts'
import { follow, rowsAt, set } from './real-hub.ts'

/** What a line of the server's output says, once it is there. */
const told = (command: Command) => command.seen(/^A sign-in came back in another browser.*$/m)

test('a link that is sent on unopened: the browser that comes back is refused, and what it connected is deleted', async t => {
  const { hub, settings } = await set(t)
  const { origin, command } = await startServer(t, settings)
  const [attacker, victim] = [new Browser(), new Browser()]
  const begun = await attacker.get(`${origin}/connect/notion`)
  const page = await follow(begun.headers.get('location') ?? '', victim)
  assert.match(page.url, /\/oauth\/callback\?code=[^&]+&state=[\w-]{43}&/)
  assert.equal(page.status, 403, page.text)
  assert.match(page.text, /This sign-in was not begun in this browser[\s\S]*disconnected again/)
  assert.deepEqual(await rowsAt(hub), [])
  const [line] = await told(command)
  assert.match(line, /cred_[0-9a-f]{24}.*deleted/)
  // Neither the address nor its absence helps the one who began it.
  assert.equal((await follow(page.url, attacker)).status, 403)
  assert.equal((await follow(`${origin}/oauth/callback`, attacker)).status, 400)
  assert.doesNotMatch(command.output.stdout, /Connection established/)
})

test('whoever began it and asks without a code keeps nothing when another browser comes back', async t => {
  const { hub, settings } = await set(t)
  const { origin } = await startServer(t, settings)
  const [attacker, victim] = [new Browser(), new Browser()]
  const begun = await attacker.get(`${origin}/connect/notion`)
  const back = await victim.follow(begun.headers.get('location') ?? '', next => next.startsWith(origin))
  assert.match((await follow(`${origin}/oauth/callback`, attacker)).text, /Connection Successful!/)
  assert.equal((await follow(back.url, victim)).status, 403)
  assert.deepEqual(await rowsAt(hub), [])
})

test('a connection that was there before is not deleted for a stranger, and the log says so', async t => {
  const { hub, settings } = await set(t)
  const { origin, command } = await startServer(t, settings)
  await follow(`${origin}/connect/notion`)
  const before = await rowsAt(hub)
  assert.equal(before.length, 1)
  const begun = await new Browser().get(`${origin}/connect/notion`)
  assert.equal((await follow(begun.headers.get('location') ?? '')).status, 403)
  assert.deepEqual(
    (await rowsAt(hub)).map(each => each.connectionId),
    before.map(each => each.connectionId),
  )
  const [line] = await told(command)
  assert.match(line, new RegExp(`${before[0]?.connectionId} was there before.*left`))
})

test('a callback without a code tells of its own attempt first, and then of an older connection', async t => {
  const { hub, settings } = await set(t)
  const { origin } = await startServer(t, settings)
  const browser = new Browser()
  const callback = `${origin}/oauth/callback`
  const { url } = await browser.follow(`${origin}/connect/notion`, next => next.startsWith(callback))
  // It is done, though the code was lost on the way.
  const done = await follow(callback, browser)
  const [row] = await rowsAt(hub)
  assert.ok(row)
  assert.match(done.text, new RegExp(`Connection Successful!</h1>[\\s\\S]*CONNECTION_ID=${row.connectionId}<`))
  assert.match((await follow(url, browser)).text, /Connection Successful!/)
  // It is pending, and there is another.
  await browser.get(`${origin}/connect/notion`)
  const pending = await follow(callback, browser)
  assert.match(
    pending.text,
    /cred_[0-9a-f]{24} is waiting for the end user to open its link[\s\S]*an older one[\s\S]*CONNECTION_ID=/,
  )
  const json = await browser.get(callback, { accept: 'application/json' })
  const { connectionId, message } = (await json.json()) as Record<string, string>
  assert.equal(connectionId, row.connectionId)
  assert.match(message ?? '', /is waiting for the end user.*an older one/)
})

test('npm run test-oauth, Enter alone: how this attempt stands, and only then an older connection', async t => {
  const { hub, settings } = await set(t)
  const done = start(t, 'test-oauth', { ...settings, REDIRECT_URI: `http://localhost:${await closedPort()}/cb` })
  const [, url = ''] = await done.seen(/1\. Copy this OAuth URL:\n\n(\S+)/)
  await new Browser().follow(url, next => next.includes('/cb?code='))
  done.child.stdin?.end('\n')
  assert.equal(await done.ended, 0, done.output.stderr)
  const [row] = await rowsAt(hub)
  assert.match(done.output.stdout, /✅ Connection established!/)
  assert.ok(row && done.output.stdout.endsWith(`CONNECTION_ID=${row.connectionId}\n`))
  const pending = await run(t, 'test-oauth', settings, { input: '\n' })
  assert.equal(pending.code, 0, pending.stderr)
  assert.match(
    pending.stdout,
    /is waiting for the end user to open its link[\s\S]*an older one[\s\S]*CONNECTION_ID=conn_/,
  )
  assert.doesNotMatch(pending.stdout, /Connection established/)
})

test('npm run connect-notion without a code: this attempt’s own connection, also where it was there before', async t => {
  const { hub, file, settings } = await set(t)
  const { origin } = await startServer(t, settings)
  await follow(`${origin}/connect/notion`)
  const [row] = await rowsAt(hub)
  const command = start(t, 'connect-notion', { ...settings, PORT: '0' })
  const [, url = ''] = await command.seen(/Open this URL:\n\n(\S+)/)
  const [, callback = ''] = await command.seen(/STEP 3: Waiting at (\S+)/)
  assert.match((await follow(callback)).text, /is waiting for the end user[\s\S]*an older one/)
  await command.seen(/is waiting for the end user/)
  await new Browser().follow(url, next => next.startsWith(callback))
  assert.match((await follow(callback)).text, /Connection Successful!/)
  assert.equal(await command.ended, 0, command.output.stderr)
  assert.equal(readFileSync(file, 'utf8'), `CONNECTION_ID=${row?.connectionId}\n`)
})

test('connectToIntegration tries the connection: one that the provider no longer takes is refused', async t => {
  const { hub, settings, config } = await set(t)
  const { origin } = await startServer(t, settings)
  await follow(`${origin}/connect/notion`)
  const [row] = await rowsAt(hub)
  assert.ok(row)
  const client = new AlloyClient(config)
  await client.connectToIntegration(row.connectionId)
  const { credential } = await hub.rooms.hub.read(hub.rooms.firstEnvironment.id, 'notion', row.connectionId)
  hub.sandbox.revoke(credential.accessToken.reveal())
  await assert.rejects(
    client.connectToIntegration(row.connectionId),
    /^Error: Invalid connection ID: (?!Invalid).*Connect it again: npm run connect-notion$/,
  )
})
