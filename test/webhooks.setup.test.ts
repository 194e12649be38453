/** The operator's side of webhooks: endpoint, secret, test button, log, commands; and what must not leak. */
import assert from 'node:assert/strict'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Environment } from '../src/core/environment.ts'
import { MortiseError } from '../src/core/errors.ts'
import {
  deliveriesOf,
  endpointOf,
  redeliver,
  removeEndpoint,
  rotateSecret,
  sendTest,
  setEndpoint,
} from '../src/core/notify.ts'
import { addEnvironment } from '../src/core/setup.ts'
import type { Rooms } from '../src/rooms.ts'
import { connect, movableClock, startServing, startTestHub, tempFolder } from './harness.ts'
import { mortise } from './process.ts'
import { startReceiver, until, verified } from './receiver.ts'

const begin = async (t: TestContext, options: Parameters<typeof startTestHub>[1] = {}) => {
  const hub = await startTestHub(t, options)
  const { context } = hub.rooms.hub
  return { hub, context, environment: hub.rooms.firstEnvironment, receiver: await startReceiver(t) }
}

const tried = async ({ hub }: Rooms, environment: Environment, id: string) => {
  const find = async () => (await deliveriesOf(hub.context, environment)).find(each => each.id === id)
  await until(async () => {
    const found = await find()
    return found !== undefined && found.tries > 0 && !found.claimedUntil
  })
  const found = await find()
  assert.ok(found)
  return found
}

/** What a verb throws: a MortiseError of that code. */
const refused = async (work: Promise<unknown>, code: MortiseError['code']): Promise<MortiseError> => {
  const error = await work.then(
    () => assert.fail('it was accepted'),
    thrown => thrown,
  )
  assert.ok(error instanceof MortiseError, String(error))
  assert.equal(error.code, code)
  return error
}

test('an endpoint is an https URL, http on this machine in dev, without user, password and fragment', async t => {
  const { context, environment } = await begin(t)
  for (const url of [
    'https://app.example.com/webhooks?x=1',
    'http://localhost:3000/webhooks',
    'http://127.0.0.1:3000/',
    'http://[::1]:3000/',
    'https://localhost:3000/',
  ]) {
    await setEndpoint(context, environment, { url })
    assert.equal((await endpointOf(context, environment))?.url, url)
  }
  for (const url of [
    '',
    'app.example.com/webhooks',
    'http://app.example.com/webhooks',
    'http://localhost.example.com/',
    'http://10.0.0.1/',
    'ftp://localhost/',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'https://user:planted@app.example.com/',
    'https://user@app.example.com/',
    'https://app.example.com/#x',
    `https://app.example.com/${'x'.repeat(2000)}`,
  ]) {
    const { details, message } = await refused(setEndpoint(context, environment, { url }), 'invalid_request')
    assert.deepEqual([details.reason, details.parameter], ['parameter', 'url'], url)
    assert.ok(!message.includes('planted'))
  }
  for (const events of [[], ['connection.create'], ['connection.created', 'webhook.test']]) {
    const ask = { url: 'https://app.example.com/', events }
    const { details, message } = await refused(setEndpoint(context, environment, ask), 'invalid_request')
    assert.deepEqual([details.reason, details.parameter], ['parameter', 'events'])
    assert.match(message, /connection\.created/)
  }
  assert.equal((await endpointOf(context, environment))?.url, 'https://localhost:3000/')
})

test('the secret is shown once, and stays when the URL changes; what waits goes to the new URL', async t => {
  const { hub, context, environment, receiver } = await begin(t, { clock: movableClock(new Date()) })
  receiver.answer(500)
  const { secret } = await setEndpoint(context, environment, { url: `${receiver.url}?token=planted` })
  assert.match(secret?.reveal() ?? '', /^whsec_/)
  assert.equal(String(secret), '[secret]')
  const id = await sendTest(context, environment)
  assert.equal((await tried(hub.rooms, environment, id)).sentTo, receiver.url)
  const other = await startReceiver(t)
  const changed = await setEndpoint(context, environment, { url: other.url, events: ['connection.created'] })
  assert.equal(changed.secret, undefined)
  await redeliver(context, environment, id)
  const got = await other.next()
  verified(secret?.reveal() ?? '', got)
  assert.equal(got.id, id)
})

test('two who change the endpoint at once: one of them is told to look again', async t => {
  const { context, environment } = await begin(t)
  const set = () => setEndpoint(context, environment, { url: 'https://app.example.com/' })
  const settled = await Promise.allSettled([set(), set()])
  const [lost] = settled.filter(each => each.status === 'rejected')
  assert.equal(settled.filter(each => each.status === 'fulfilled').length, 1)
  assert.equal(lost?.reason.code, 'conflict')
  const rotated = await Promise.allSettled([rotateSecret(context, environment), rotateSecret(context, environment)])
  assert.deepEqual(rotated.map(each => each.status).sort(), ['fulfilled', 'rejected'])
})

test('after a rotation both secrets sign for a day, then the new one alone', async t => {
  const clock = movableClock(new Date())
  const { hub, context, environment, receiver } = await begin(t, { clock })
  const before = (await setEndpoint(context, environment, { url: receiver.url })).secret?.reveal() ?? ''
  const next = (await rotateSecret(context, environment)).secret.reveal()
  assert.notEqual(next, before)
  const send = async () => {
    await tried(hub.rooms, environment, await sendTest(context, environment))
    return receiver.next()
  }
  const during = await send()
  assert.equal(during.body, '{"type":"webhook.test","data":{}}')
  for (const secret of [before, next]) verified(secret, during, clock.now())
  clock.forward(24 * 3600)
  const later = await send()
  verified(next, later, clock.now())
  assert.throws(() => verified(before, later, clock.now()), /No matching signature/)
})

test('a removed endpoint is told of nothing more: what waited has failed, and the next one has its own secret', async t => {
  const { hub, context, environment, receiver } = await begin(t)
  receiver.answer(500)
  const first = await setEndpoint(context, environment, { url: receiver.url })
  const id = await sendTest(context, environment)
  assert.equal((await tried(hub.rooms, environment, id)).status, 'pending')
  await removeEndpoint(context, environment)
  const [given] = await deliveriesOf(context, environment)
  assert.deepEqual(
    [given?.status, given?.lastError],
    ['failed', 'The webhook endpoint was removed before this was delivered.'],
  )
  await connect(hub, 'notion')
  assert.equal((await deliveriesOf(context, environment)).length, 1)
  for (const verb of [removeEndpoint, rotateSecret, sendTest]) await refused(verb(context, environment), 'not_found')
  await refused(redeliver(context, environment, id), 'not_found')
  const second = await setEndpoint(context, environment, { url: receiver.url })
  assert.notEqual(second.secret?.reveal(), first.secret?.reveal())
})

test('an environment is told of its own connections only, and sees its own deliveries only', async t => {
  const { hub, context, environment, receiver } = await begin(t)
  const other = await addEnvironment(context, 'other')
  await setEndpoint(context, other, { url: `${receiver.url}/other` })
  await connect(hub, 'notion')
  assert.deepEqual(await deliveriesOf(context, other), [])
  await setEndpoint(context, environment, { url: `${receiver.url}/own` })
  await connect(hub, 'github')
  const [delivery] = await deliveriesOf(context, environment)
  assert.ok(delivery)
  assert.equal((await receiver.next()).url, '/webhooks/own')
  assert.deepEqual(await deliveriesOf(context, other), [])
  await refused(redeliver(context, other, delivery.id), 'not_found')
  assert.equal(receiver.received.length, 1)
})

test('in production nothing is sent to this machine or a private network, unless the operator allows the host', async t => {
  const receiver = await startReceiver(t)
  const { host } = new URL(receiver.url)
  for (const [allowed, says] of [
    ['', /leads to an address on this machine or a private network.*MORTISE_ALLOWED_HOSTS/],
    // The receiver speaks no TLS: this time it was called.
    [host, /could not be reached/],
  ] as const) {
    const { rooms } = await startServing(t, { MORTISE_ALLOWED_HOSTS: allowed })
    const { hub, firstEnvironment } = rooms
    await refused(setEndpoint(hub.context, firstEnvironment, { url: receiver.url }), 'invalid_request')
    await setEndpoint(hub.context, firstEnvironment, { url: receiver.url.replace('http:', 'https:') })
    const id = await sendTest(hub.context, firstEnvironment)
    const { status, lastError } = await tried(rooms, firstEnvironment, id)
    assert.equal(status, 'pending')
    assert.match(lastError ?? '', says)
  }
  // An endpoint that was set for dev, found by serve.
  const { rooms } = await startServing(t)
  const { hub, firstEnvironment } = rooms
  const dev = { ...hub.context, maySandbox: true }
  await setEndpoint(dev, firstEnvironment, { url: receiver.url })
  const id = await sendTest(hub.context, firstEnvironment)
  assert.match((await tried(rooms, firstEnvironment, id)).lastError ?? '', /MORTISE_ALLOWED_HOSTS/)
  assert.equal(receiver.received.length, 0)
})

test('neither secret nor body nor query is in the log, and the secret is in no file', async t => {
  const dataDir = tempFolder(t)
  const logFile = join(dataDir, 'hub.log')
  const logTo = openSync(logFile, 'w')
  t.after(() => closeSync(logTo))
  const { hub, context, environment, receiver } = await begin(t, { dataDir, logTo, env: { MORTISE_LOG_LEVEL: 'info' } })
  const { secret } = await setEndpoint(context, environment, { url: `${receiver.url}?token=planted` })
  const rotated = await rotateSecret(context, environment)
  await connect(hub, 'notion')
  const { body } = await receiver.next()
  receiver.answer(500)
  await tried(hub.rooms, environment, await sendTest(context, environment))
  await receiver.close()
  await tried(hub.rooms, environment, await sendTest(context, environment))
  const written = readFileSync(logFile, 'utf8')
  assert.match(written, /"delivered"/)
  assert.match(written, /"a delivery failed"/)
  for (const text of ['planted', '?', JSON.parse(body).data.userId, 'connectionId', 'whsec_'])
    assert.ok(!written.includes(text), text)
  for (const each of [secret?.reveal() ?? '', rotated.secret.reveal()])
    for (const file of readdirSync(dataDir))
      for (const dress of [each, each.slice('whsec_'.length, -1)])
        assert.ok(!readFileSync(join(dataDir, file)).includes(dress), file)
})

test('webhook set, test, show, rotate and remove work on a running hub', async t => {
  const { hub, receiver } = await begin(t)
  const run = (...args: string[]) => mortise(['webhook', ...args], { MORTISE_DATA_DIR: hub.dataDir })
  assert.match((await run('show')).stdout, /has no webhook endpoint\. Set one: npx mortise webhook set/)
  assert.equal((await run('show', '--json')).stdout, 'null\n')
  const early = await run('test')
  assert.deepEqual([early.code, /no webhook endpoint/.test(early.stderr)], [3, true])
  const set = await run('set', receiver.url, '--event', 'connection.created')
  assert.equal(set.code, 0, set.stderr)
  const secret = set.stdout.trim()
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  assert.match(set.stderr, /shown this once/)
  const sent = await run('test')
  assert.equal(sent.code, 0, sent.stderr)
  assert.match(sent.stdout, /Delivered [0-9a-f]{24}: the receiver answered 200/)
  verified(secret, await receiver.next())
  receiver.answer(503)
  const failing = await run('test')
  assert.equal(failing.code, 1)
  assert.match(failing.stderr, /is not delivered; next try .*The receiver answered 503/)
  const shown = await run('show')
  assert.match(shown.stdout, new RegExp(`URL +${receiver.url}\nEvents +connection\\.created\n`))
  assert.match(shown.stdout, /webhook\.test +1 +delivered \(200\)/)
  assert.ok(!shown.stdout.includes(secret))
  const json = await run('show', '--json')
  const { endpoint, deliveries } = JSON.parse(json.stdout)
  assert.deepEqual(
    [endpoint.url, endpoint.style, deliveries.map((each: { lastStatus: number }) => each.lastStatus)],
    [receiver.url, 'standard', [503, 200]],
  )
  assert.ok(!json.stdout.includes(secret))
  const again = await run('set', `${receiver.url}/other`)
  assert.equal(
    again.stdout.trim(),
    `Webhooks of the environment "dev" now go to ${receiver.url}/other. The secret stays.`,
  )
  const rotated = (await run('rotate')).stdout.trim()
  assert.ok(/^whsec_/.test(rotated) && rotated !== secret)
  assert.equal((await run('set', receiver.url, '--event', 'x')).code, 1)
  assert.equal((await run('set')).code, 2)
  assert.equal((await run('remove')).code, 0)
  assert.equal((await run('remove')).code, 3)
})
