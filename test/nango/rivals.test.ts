/**
 * How a refresh goes wrong elsewhere, each a case that is won here. The numbers are those of the contract's list; R9, R11
 * and R12 come with further events and grants.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refreshTiming } from '../../src/core/refresh-timing.ts'
import { later } from '../harness.ts'
import { gate, quick, startPair, until } from '../pair.ts'

const force = { force_refresh: 'true' }

test('R1: two processes that refresh at once spend one refresh token, and the connection lives on', async t => {
  const { first, second, clock, outcomes } = await startPair(t)
  for (let round = 1; round <= 3; round++) {
    clock.forward(3601)
    const [mine, theirs] = await Promise.all([first.read(), second.read()])
    assert.deepEqual([mine.status, theirs.status, mine.token === theirs.token], [200, 200, true])
    assert.deepEqual(outcomes(), Array(round).fill('ok'))
  }
})

test('R2: metadata that is set during a refresh is not lost', async t => {
  const { first, second, clock, dev, outcomes, environmentId, row } = await startPair(t)
  const { id } = await row()
  await first.storage.setMetadata(environmentId, id, { v: 1 }, 'set', clock.now())
  clock.forward(3601)
  dev.sandbox.set('rotating', { delayMs: 300 })
  const refreshing = first.read()
  await until(() => outcomes().length === 1)
  await second.storage.setMetadata(environmentId, id, { v: 2 }, 'merge', clock.now())
  assert.equal((await refreshing).status, 200)
  const after = await row()
  assert.deepEqual([after.metadata, after.credentialRevision], [{ v: 2 }, 2])
})

test('R3: an end user who connects again during a refresh is not overwritten by its answer', async t => {
  const { first, second, clock, outcomes, connect, row } = await startPair(t)
  clock.forward(3601)
  const writing = gate(t, first.storage, 'swapCredential')
  const refreshing = first.read()
  await writing.arrived()
  await connect()
  const again = await row()
  writing.go()
  const { token } = await refreshing
  assert.deepEqual(await row(), again)
  assert.equal((await second.read()).token, token)
  assert.deepEqual(outcomes(), ['ok'])
})

test('R4: an outage, or a force that fails in it, leaves the token that lives to the next reads', async t => {
  const { first, second, clock, dev, outcomes } = await startPair(t)
  const { token } = await first.read()
  dev.sandbox.set('rotating', { fail: { status: 503 } })
  // Four minutes before its end.
  clock.forward(3600 - 240)
  for (const { status, token: served } of [await first.read(), await second.read()])
    assert.deepEqual([status, served], [200, token])
  const forced = await first.read('a', force)
  assert.deepEqual([forced.status, forced.code, forced.retryAfter > 0], [424, 'invalid_credentials', true])
  for (const { status, token: served } of [await first.read(), await second.read()])
    assert.deepEqual([status, served], [200, token])
  assert.equal(outcomes().length, 1)
})

test('R5: a token that has ended and cannot be renewed is an error that says so', async t => {
  const { first, clock, dev, environmentId, row } = await startPair(t)
  const { id, access, obtainedAt, expiresAt } = await row()
  assert.ok(expiresAt)
  await first.storage.swapCredential(environmentId, id, 1, { access, obtainedAt, expiresAt })
  assert.equal((await first.read()).status, 200)
  clock.forward(3601)
  for (const query of [{}, force]) {
    const { status, code, message } = await first.read('a', query)
    assert.deepEqual([status, code], [400, 'invalid_credentials'])
    assert.match(message, /has expired and the provider gave no refresh token.*connect the account again/)
  }
  assert.equal(dev.sandbox.calls.filter(call => call.kind === 'refresh').length, 0)
})

test('R6: a provider that takes eleven seconds is called once, at the real times', async t => {
  const { first, second, clock, dev, outcomes } = await startPair(t, { timing: refreshTiming })
  clock.forward(3601)
  dev.sandbox.set('rotating', { delayMs: 11_000 })
  const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => (n % 2 ? first : second).read()))
  assert.deepEqual(outcomes(), ['ok'])
  for (const { status, token } of answers) assert.deepEqual([status, token], [200, answers[0]?.token])
})

test('R7: a force gets a newer token whoever it joins, and forces at once share one call', async t => {
  const { first, second, clock, dev, outcomes } = await startPair(t)
  const { token } = await first.read()
  dev.sandbox.set('rotating', { delayMs: 200 })
  const forced = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? first : second).read('a', force)))
  assert.deepEqual(outcomes(), ['ok'])
  for (const each of forced) assert.deepEqual([each.status, each.token], [200, forced[0]?.token])
  assert.notEqual(forced[0]?.token, token)
  // A plain read that is in its margin, and a force beside it.
  clock.forward(3600 - 100)
  const [plain, beside] = await Promise.all([first.read(), first.read('a', force)])
  assert.equal(outcomes().length, 2)
  assert.equal(plain.token, beside.token)
  // One that is alone gets its own.
  dev.sandbox.reset('rotating')
  const alone = await second.read('a', force)
  assert.notEqual(alone.token, beside.token)
  assert.equal(outcomes().length, 3)
})

test('R8: a crash between the answer and its write is found, and named once it is certain', async t => {
  const { first, second, clock, outcomes, row } = await startPair(t)
  clock.forward(3601)
  // It has the answer, and nothing more is heard of it.
  const dead = gate(t, first.storage, 'swapCredential')
  t.mock.method(first.storage, 'extendLease', async () => false)
  void first.read()
  await dead.arrived()
  await later(quick.lease + quick.call)
  const { status, message } = await second.read()
  assert.equal(status, 400)
  assert.match(message, /interrupted after the refresh token was sent and before its answer was stored/)
  assert.equal((await row()).statusCause, 'refresh_ambiguous')
  assert.deepEqual(outcomes(), ['ok', 'invalid_refresh_token'])
  // If it was not dead after all, what it holds still lands.
  dead.go()
  await until(async () => (await row()).status === 'connected')
})

test('R10: a read of a token that has ended writes nothing that it read before', async t => {
  const { first, second, clock, outcomes, connect, row } = await startPair(t)
  clock.forward(3601)
  const late = gate(t, first.storage, 'leaseRefresh')
  const reading = first.read()
  await late.arrived()
  await connect()
  const again = await row()
  late.go()
  const { token } = await reading
  assert.deepEqual(await row(), again)
  assert.equal((await second.read()).token, token)
  assert.deepEqual(outcomes(), [])
})
