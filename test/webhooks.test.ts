/** Webhooks: a new connection is told to the environment's endpoint, signed, at least once, whatever happens. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { suite, type TestContext, test } from 'node:test'
import { readConfig } from '../src/config.ts'
import { shownId } from '../src/core/connection.ts'
import { shownUserId } from '../src/core/end-user.ts'
import type { Delivery } from '../src/core/event.ts'
import { createNotifier, deliveriesOf, redeliver, sendTest, setEndpoint, waits } from '../src/core/notify.ts'
import { openRooms, type Rooms } from '../src/rooms.ts'
import { openStorage } from '../src/storage/open.ts'
import { connect, freePorts, movableClock, startTestHub, type TestHub, tempFolder } from './harness.ts'
import { startReceiver, until, verified } from './receiver.ts'

/** Sets the endpoint of a hub's environment; answers its secret. */
const subscribe = async ({ hub, firstEnvironment }: Rooms, url: string): Promise<string> =>
  (await setEndpoint(hub.context, firstEnvironment, { url })).secret?.reveal() ?? ''

const log = ({ hub, firstEnvironment }: Rooms): Promise<Delivery[]> => deliveriesOf(hub.context, firstEnvironment)

/** The one delivery there is, once its nth try has ended. */
const after = async (rooms: Rooms, tries: number): Promise<Delivery> => {
  const ended = async () => (await log(rooms)).filter(each => each.tries === tries && !each.claimedUntil)
  await until(async () => (await ended()).length > 0)
  const [one, ...others] = await ended()
  assert.ok(one && others.length === 0)
  return one
}

/** Sends what is due now, to its end. */
const deliver = async ({ hub }: Rooms): Promise<void> => {
  await hub.deliver()
  await hub.settle()
}

const theRow = async (hub: TestHub) => {
  const [row, ...others] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
  assert.ok(row && others.length === 0)
  return row
}

/** What document S0 prints. */
const bodyOf = (row: Awaited<ReturnType<typeof theRow>>): string =>
  `{"type":"connection.created","data":{"connectionId":"${shownId(row)}","userId":"${shownUserId(row.environmentId, row.endUserId)}","integrationId":"${row.integrationKey}"}}`

suite('a new connection', () => {
  test('is told at once, with exactly the body of S0, signed by Standard Webhooks', async t => {
    const hub = await startTestHub(t)
    const receiver = await startReceiver(t)
    const secret = await subscribe(hub.rooms, `${receiver.url}?from=mortise`)
    const { returned } = await connect(hub, 'notion')
    const back = performance.now()
    const got = await receiver.next()
    // The loop alone would come within five seconds.
    assert.ok(performance.now() - back < 2000)
    const row = await theRow(hub)
    assert.equal(got.body, bodyOf(row))
    assert.equal(JSON.parse(got.body).data.connectionId, returned.searchParams.get('connection_id'))
    assert.match(JSON.parse(got.body).data.userId, /^[0-9a-f]{24}$/)
    assert.deepEqual([got.method, got.url], ['POST', '/webhooks?from=mortise'])
    assert.equal(got.headers['content-type'], 'application/json')
    assert.equal(got.headers['user-agent'], 'Mortise')
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    assert.deepEqual(verified(secret, got), JSON.parse(got.body))
    for (const forged of [
      { ...got, body: got.body.replace('notion', 'github') },
      { ...got, headers: { ...got.headers, 'webhook-id': 'other' } },
      {
        ...got,
        headers: { ...got.headers, 'webhook-timestamp': String(Number(got.headers['webhook-timestamp']) - 1) },
      },
    ])
      assert.throws(() => verified(secret, forged))
    const delivery = await after(hub.rooms, 1)
    assert.equal(delivery.id, got.id)
    assert.match(got.id, /^[0-9a-f]{24}$/)
    assert.deepEqual([delivery.status, delivery.lastStatus, delivery.lastError], ['delivered', 200, undefined])
    assert.equal(delivery.sentTo, receiver.url)
  })

  test('that the app named is told under the id that is unique in the environment', async t => {
    const hub = await startTestHub(t)
    const receiver = await startReceiver(t)
    await subscribe(hub.rooms, receiver.url)
    await connect(hub, 'github', { connection_id: 'user "1"' })
    const row = await theRow(hub)
    assert.equal(row.connectionId, 'user "1"')
    assert.equal((await receiver.next()).body, bodyOf(row))
  })

  test('is told once: the same account again repairs it, which is no new connection', async t => {
    const hub = await startTestHub(t)
    const receiver = await startReceiver(t)
    await subscribe(hub.rooms, receiver.url)
    await connect(hub, 'notion')
    await connect(hub, 'notion')
    assert.equal((await theRow(hub)).credentialRevision, 2)
    assert.deepEqual(
      (await log(hub.rooms)).map(each => each.body),
      [bodyOf(await theRow(hub))],
    )
  })

  test('leaves nothing to deliver where nobody wants to be told', async t => {
    const hub = await startTestHub(t)
    await connect(hub, 'notion')
    assert.deepEqual(await log(hub.rooms), [])
  })
})

suite('the connection and its delivery are written in one transaction', () => {
  /** Makes a write of that table fail, as a full disk would. */
  const breaking = (t: TestContext, hub: TestHub, write: string) => {
    const raw = new DatabaseSync(join(hub.dataDir, 'mortise.db'))
    t.after(() => raw.close())
    raw.exec(`CREATE TRIGGER planted BEFORE ${write} BEGIN SELECT RAISE(ABORT, 'planted'); END`)
  }

  test('so where the delivery cannot be written, the connection is not', async t => {
    const hub = await startTestHub(t)
    await subscribe(hub.rooms, 'http://localhost:9/webhooks')
    breaking(t, hub, 'INSERT ON deliveries')
    const { returned } = await connect(hub, 'notion')
    assert.notEqual(returned.searchParams.get('error_type'), null)
    assert.deepEqual(await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {}), [])
    assert.deepEqual(await log(hub.rooms), [])
  })

  test('and where the rest of it cannot be written, no delivery stands', async t => {
    const hub = await startTestHub(t)
    await subscribe(hub.rooms, 'http://localhost:9/webhooks')
    breaking(t, hub, 'UPDATE OF outcome_json ON attempts')
    const { returned } = await connect(hub, 'notion')
    assert.notEqual(returned.searchParams.get('error_type'), null)
    assert.deepEqual(await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {}), [])
    assert.deepEqual(await log(hub.rooms), [])
  })
})

suite('a delivery', () => {
  test('waits for a receiver that is down, and is heard when it is up', async t => {
    const clock = movableClock(new Date())
    const hub = await startTestHub(t, { clock })
    const port = await freePorts()
    const secret = await subscribe(hub.rooms, `http://localhost:${port}/webhooks`)
    await connect(hub, 'notion')
    const first = await after(hub.rooms, 1)
    assert.deepEqual([first.status, first.lastStatus], ['pending', undefined])
    assert.equal(first.lastError, `localhost:${port} could not be reached.`)
    const receiver = await startReceiver(t, port)
    clock.forward(5)
    await deliver(hub.rooms)
    const got = await receiver.next()
    assert.equal(got.body, bodyOf(await theRow(hub)))
    verified(secret, got, clock.now())
    assert.equal(got.id, first.id)
    assert.equal((await after(hub.rooms, 2)).status, 'delivered')
  })

  test('is tried after 5 s, 30 s, 2 m, 10 m, 1 h, 6 h and 24 h; then it has failed, and a person may send it again', async t => {
    const clock = movableClock(new Date())
    const hub = await startTestHub(t, { clock })
    const receiver = await startReceiver(t)
    receiver.answer(500)
    const secret = await subscribe(hub.rooms, receiver.url)
    const id = await sendTest(hub.rooms.hub.context, hub.rooms.firstEnvironment)
    assert.deepEqual(
      waits.map(ms => ms / 1000),
      [5, 30, 120, 600, 3600, 21_600, 86_400],
    )
    for (const [index, wait] of waits.entries()) {
      const { status, availableAt } = await after(hub.rooms, index + 1)
      assert.deepEqual([status, availableAt.getTime() - clock.now().getTime()], ['pending', wait])
      clock.forward(wait / 1000 - 1)
      await deliver(hub.rooms)
      assert.equal(receiver.received.length, index + 1)
      clock.forward(1)
      await deliver(hub.rooms)
    }
    const failed = await after(hub.rooms, 8)
    assert.deepEqual([failed.status, failed.lastStatus], ['failed', 500])
    clock.forward(100 * 24 * 3600)
    await deliver(hub.rooms)
    assert.equal(receiver.received.length, 8)
    receiver.answer(200)
    await redeliver(hub.rooms.hub.context, hub.rooms.firstEnvironment, id)
    const sent = await after(hub.rooms, 9)
    assert.deepEqual([sent.status, sent.deliveredAt], ['delivered', clock.now()])
    const last = receiver.received[8]
    assert.ok(last)
    verified(secret, last, clock.now())
    // Every try is the same one to its receiver, at its own time.
    assert.deepEqual(new Set(receiver.received.map(each => each.id)), new Set([id]))
    assert.equal(new Set(receiver.received.map(each => each.headers['webhook-timestamp'])).size, 9)
  })

  for (const [what, status, headers, standing, wait] of [
    ['204 is success, as any 2xx', 204, {}, 'delivered', 0],
    ['a redirect is not followed', 302, { location: '/elsewhere' }, 'pending', 5],
    ['410 ends it', 410, {}, 'failed', 0],
    ['400 may be a mistake that is mended', 400, {}, 'pending', 5],
    ['Retry-After is waited for', 429, { 'retry-after': '120' }, 'pending', 120],
    ['a Retry-After that is shorter than our own wait is not', 503, { 'retry-after': '1' }, 'pending', 5],
    ['a Retry-After without reason is cut', 503, { 'retry-after': '99999999' }, 'pending', 86_400],
    ['a Retry-After that is none is ignored', 503, { 'retry-after': 'soon' }, 'pending', 5],
  ] as const)
    test(`is judged by the status: ${what}`, async t => {
      const clock = movableClock(new Date())
      const hub = await startTestHub(t, { clock })
      const receiver = await startReceiver(t)
      receiver.answer(status, headers)
      await subscribe(hub.rooms, receiver.url)
      await sendTest(hub.rooms.hub.context, hub.rooms.firstEnvironment)
      const ended = await after(hub.rooms, 1)
      assert.deepEqual([ended.status, ended.lastStatus, receiver.received.length], [standing, status, 1])
      if (standing === 'pending')
        assert.equal((ended.availableAt.getTime() - clock.now().getTime()) / 1000, wait, 'the wait')
      if (standing !== 'delivered') assert.match(ended.lastError ?? '', new RegExp(`^The receiver answered ${status}`))
    })

  test('is claimed by one of two hubs on one database: never sent twice at once', async t => {
    const clock = movableClock(new Date())
    const dataDir = tempFolder(t)
    const config = readConfig({ MORTISE_DATA_DIR: dataDir, MORTISE_LOG_LEVEL: 'silent' }, 'dev')
    const a = await openRooms(config, undefined, { clock })
    const b = await openRooms(config, undefined, { clock })
    t.after(() => Promise.all([a.storage.close(), b.storage.close()]))
    const receiver = await startReceiver(t)
    receiver.answer('hang')
    await subscribe(a, receiver.url)
    const ids = new Set<string>()
    for (let n = 0; n < 30; n++) ids.add(await sendTest(a.hub.context, a.firstEnvironment))
    await Promise.all([a, b, a, b].map(rooms => rooms.hub.deliver()))
    await Promise.all([a, b].map(rooms => rooms.hub.deliver()))
    await until(() => receiver.received.length >= 30)
    receiver.release(200)
    await Promise.all([a, b].map(rooms => rooms.hub.settle()))
    assert.equal(receiver.received.length, 30)
    assert.deepEqual(new Set(receiver.received.map(each => each.id)), ids)
    for (const each of await log(b)) assert.deepEqual([each.status, each.tries], ['delivered', 1])
  })

  test('whose process died is sent again when its claim lapses, and not before', async t => {
    const clock = movableClock(new Date())
    const hub = await startTestHub(t, { clock })
    const { storage } = hub.rooms
    const receiver = await startReceiver(t)
    await subscribe(hub.rooms, receiver.url)
    hub.rooms.hub.onDelivery(() => {})
    await sendTest(hub.rooms.hub.context, hub.rooms.firstEnvironment)
    const now = clock.now()
    assert.equal((await storage.claimDeliveries(now, new Date(now.getTime() + 15_000), 10)).length, 1)
    clock.forward(14)
    await deliver(hub.rooms)
    assert.equal(receiver.received.length, 0)
    clock.forward(1)
    await deliver(hub.rooms)
    assert.equal(receiver.received.length, 1)
    assert.deepEqual((await after(hub.rooms, 2)).status, 'delivered')
  })

  test('is not sent where its claim would lapse before the answer', async t => {
    const hub = await startTestHub(t)
    const receiver = await startReceiver(t)
    await subscribe(hub.rooms, receiver.url)
    hub.rooms.hub.onDelivery(() => {})
    await sendTest(hub.rooms.hub.context, hub.rooms.firstEnvironment)
    // Six seconds pass between the claim and the try, in a process that was held up.
    const times = [0, 6_000].map(ms => new Date(Date.now() + ms))
    const clock = { now: () => (times.length > 1 ? times.shift() : times[0]) ?? new Date() }
    const notifier = createNotifier({ ...hub.rooms.hub.context, clock })
    await notifier.deliver()
    await notifier.settle()
    assert.equal(receiver.received.length, 0)
    const [delivery] = await log(hub.rooms)
    assert.deepEqual([delivery?.status, delivery?.tries], ['pending', 1])
  })

  test('is finished before the hub stops', async t => {
    const hub = await startTestHub(t)
    const receiver = await startReceiver(t)
    receiver.answer('hang')
    await subscribe(hub.rooms, receiver.url)
    const id = await sendTest(hub.rooms.hub.context, hub.rooms.firstEnvironment)
    await receiver.next()
    let stopped = false
    const stop = hub.stop().then(() => {
      stopped = true
    })
    // Long enough for all the rest of a stop.
    await new Promise(later => setTimeout(later, 300))
    assert.equal(stopped, false)
    receiver.release(200)
    await stop
    const storage = await openStorage(join(hub.dataDir, 'mortise.db'))
    t.after(() => storage.close())
    assert.equal((await storage.delivery(hub.rooms.firstEnvironment.id, id))?.status, 'delivered')
  })

  test('leaves the log after thirty days; one that is still pending does not', async t => {
    const clock = movableClock(new Date())
    const hub = await startTestHub(t, { clock })
    const receiver = await startReceiver(t)
    await subscribe(hub.rooms, receiver.url)
    const { context } = hub.rooms.hub
    await sendTest(context, hub.rooms.firstEnvironment)
    await after(hub.rooms, 1)
    hub.rooms.hub.onDelivery(() => {})
    receiver.answer(500)
    const pending = await sendTest(context, hub.rooms.firstEnvironment)
    clock.forward(30 * 24 * 3600)
    await hub.rooms.hub.sweep()
    assert.equal((await log(hub.rooms)).length, 2)
    clock.forward(1)
    await hub.rooms.hub.sweep()
    assert.deepEqual(
      (await log(hub.rooms)).map(each => each.id),
      [pending],
    )
  })
})
