/** Refreshes that nobody waits for: well ahead of the reads, once among all hubs, and gentle to a provider that is down. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, later, movableClock, startTestHub } from './harness.ts'
import { type Pair, type PairOptions, startPair, until } from './pair.ts'

type Hub = Pair['first']

/** Looks once, and waits until what it found has been done. */
const look = async ({ hub }: Hub) => {
  await hub.refreshDue()
  await hub.settle()
}

/** With connections `c0`, `c1` … besides `a`. */
const many = async (t: Parameters<typeof startPair>[0], count: number, options: PairOptions = {}) => {
  const pair = await startPair(t, options)
  const ids = Array.from({ length: count }, (_, n) => `c${n}`)
  for (const id of ids) await pair.connect(id)
  return { ...pair, ids: ['a', ...ids] }
}

test('what is due is renewed ahead of the reads, once among all hubs; what is not is left', async t => {
  const { first, second, clock, outcomes, ids } = await many(t, 29)
  const before = await Promise.all(ids.map(id => first.read(id)))
  clock.forward(3600 * 0.75)
  await look(first)
  assert.deepEqual(outcomes(), [])
  clock.forward(3600 * 0.11)
  await Promise.all([look(first), look(second), look(first), look(second)])
  assert.deepEqual(outcomes(), Array(30).fill('ok'))
  const after = await Promise.all(ids.map(id => second.read(id)))
  for (const [n, { token, status }] of after.entries())
    assert.deepEqual([status, token === before[n]?.token], [200, false])
  assert.equal(outcomes().length, 30)
  // And again, the next time.
  clock.forward(3600 * 0.86)
  for (let n = 0; n < 3; n++) await look(second)
  assert.equal(outcomes().length, 60)
})

test('a running hub does it by itself', async t => {
  const { first, clock, outcomes } = await startPair(t, { lookForDue: 30 })
  const { token } = await first.read()
  clock.forward(3600 * 0.9)
  await until(() => outcomes().length > 0)
  await later(200)
  assert.deepEqual(outcomes(), ['ok'])
  assert.notEqual((await first.read()).token, token)
})

test('one that a read has renewed since it was claimed is not renewed again', async t => {
  const { first, second, clock, outcomes, row } = await startPair(t)
  clock.forward(3600 * 0.96)
  const [claim] = await second.storage.claimRefreshes(clock.now(), new Date(clock.now().getTime() + 1), 10, [])
  assert.equal(claim?.id, (await row()).id)
  await first.read()
  // The claim comes up again, as if it had just been made.
  clock.forward(1)
  await second.storage.setRefreshDue(claim?.environmentId ?? 0, claim?.id ?? '', clock.now())
  await look(second)
  assert.deepEqual(outcomes(), ['ok'])
  clock.forward(3600 * 0.9)
  await look(second)
  assert.deepEqual(outcomes(), ['ok', 'ok'])
})

test('a failure is tried again by the table, a dead one never', async t => {
  const { first, second, clock, dev, outcomes, row } = await startPair(t, { lifetime: 36_000 })
  clock.forward(36_000 * 0.86)
  dev.sandbox.set('rotating', { fail: { status: 429 } })
  for (const [wait, calls] of [
    [0, 1],
    [59, 1],
    [1, 2],
    [299, 2],
    [1, 3],
  ] as const) {
    clock.forward(wait)
    await look(first)
    await look(second)
    assert.equal(outcomes().length, calls, `after ${wait} s`)
  }
  assert.equal((await first.read()).status, 200)
  dev.sandbox.set('rotating', { fail: { status: 400, body: { error: 'invalid_grant' } } })
  clock.forward(15 * 60)
  await look(first)
  assert.equal((await row()).statusCause, 'refresh_refused')
  clock.forward(1_000_000)
  await look(first)
  await look(second)
  assert.equal(outcomes().length, 4)
})

test('of one provider no more than fifty are under way, and all have their turn', async t => {
  const { first, clock, dev, outcomes } = await many(t, 119)
  clock.forward(3600 * 0.9)
  dev.sandbox.set('rotating', { delayMs: 600 })
  const { call } = first.hub.context
  const send = call.send
  let [flying, most] = [0, 0]
  t.mock.method(call, 'send', async (...given: Parameters<typeof send>) => {
    most = Math.max(most, ++flying)
    return send.apply(call, given).finally(() => flying--)
  })
  for (let n = 0; outcomes().length < 120; n++) {
    assert.ok(n < 400)
    await first.hub.refreshDue()
    await later(20)
  }
  await first.hub.settle()
  assert.ok(most > 20 && most <= 50, `${most} at once`)
  assert.deepEqual(outcomes(), Array(120).fill('ok'))
})

test('a provider that is down is asked a few times, not for every connection', async t => {
  const { first, clock, dev, outcomes, ids } = await many(t, 99, { lifetime: 36_000 })
  clock.forward(36_000 * 0.86)
  dev.sandbox.set('rotating', { fail: { status: 503 } })
  for (let n = 0; n < 5; n++) await look(first)
  const asked = outcomes().length
  assert.ok(asked >= 5 && asked <= 50, `${asked} calls`)
  for (const id of ids.slice(0, 20)) assert.equal((await first.read(id)).status, 200)
  await look(first)
  assert.equal(outcomes().length, asked)
  // One call tries whether it is back.
  clock.forward(13)
  await Promise.all([look(first), look(first)])
  assert.equal(outcomes().length, asked + 1)
})

test('a refresh token that dies unused is used in time', async t => {
  const { first, clock, outcomes } = await startPair(t, { lifetime: 1_000_000, refresh: { idle: 7200 } })
  clock.forward(3000)
  await look(first)
  assert.deepEqual(outcomes(), [])
  clock.forward(601)
  await look(first)
  assert.deepEqual(outcomes(), ['ok'])
})

test('where old tokens survive, a read in the margin answers the old one at once and renews behind it', async t => {
  const { first, clock, dev, outcomes } = await startPair(t, { refresh: { survives: true } })
  const { token } = await first.read()
  clock.forward(3600 - 200)
  dev.sandbox.set('rotating', { delayMs: 300 })
  assert.equal((await first.read()).token, token)
  assert.equal((await first.read()).token, token)
  await first.hub.settle()
  assert.notEqual((await first.read()).token, token)
  assert.deepEqual(outcomes(), ['ok'])
  // Not one that has ended.
  clock.forward(3601)
  assert.equal((await first.read()).status, 200)
  assert.deepEqual(outcomes(), ['ok', 'ok'])
})

test('an end that the answer does not tell is asked for, where the definition says how', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  const { storage } = hub.rooms
  const lives = async () => {
    const [row] = await storage.connections(hub.rooms.firstEnvironment.id, {})
    return row?.expiresAt && (row.expiresAt.getTime() - row.obtainedAt.getTime()) / 1000
  }
  hub.sandbox.set('salesforce', { lifetime: 7200 })
  await connect(hub, 'salesforce', { connection_id: 'a' })
  assert.equal(await lives(), 7200)
  clock.forward(7201)
  hub.sandbox.set('salesforce', { lifetime: 5000 })
  const read = await fetch(`${hub.origin}/connection/a?provider_config_key=salesforce`)
  assert.equal(read.status, 200)
  assert.equal(await lives(), 5000)
  const kinds = hub.sandbox.calls.map(call => call.kind as string).filter(kind => kind !== 'api')
  assert.deepEqual(kinds, ['code', 'introspect', 'refresh', 'introspect'])
})
