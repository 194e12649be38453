/** A refresh whose answer is not known: named, never guessed, and never made worse. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { later } from './harness.ts'
import { gate, type Pair, quick, startPair } from './pair.ts'

/** Until no answer can be under way any more. */
const flown = () => later(quick.call + quick.straggler + 50)

const state = async ({ first, environmentId, row }: Pair) => first.storage.refreshState(environmentId, (await row()).id)

test('a lost answer: the living token is served to its end; then one probe finds it spent, and says so exactly', async t => {
  const pair = await startPair(t)
  const { first, second, clock, dev, outcomes } = pair
  const { token } = await first.read()
  clock.forward(3600 - 250)
  dev.sandbox.set('rotating', { loseReply: { times: 1 } })
  assert.equal((await first.read()).token, token)
  clock.forward(200)
  await flown()
  assert.equal((await second.read()).token, token)
  assert.deepEqual(outcomes(), ['ok'])
  // It has ended.
  clock.forward(60)
  const [mine, theirs] = await Promise.all([first.read(), second.read()])
  for (const { status, code, message } of [mine, theirs, await first.read()]) {
    assert.deepEqual([status, code], [400, 'invalid_credentials'])
    assert.match(
      message,
      /interrupted after the refresh token was sent and before its answer was stored.*connect the account again/,
    )
  }
  assert.deepEqual(outcomes(), ['ok', 'invalid_refresh_token'])
  const row = await pair.row()
  assert.deepEqual([row.status, row.statusCause], ['reauthorization_required', 'refresh_ambiguous'])
  // And the end user repairs it.
  await pair.connect()
  assert.equal((await second.read()).status, 200)
  assert.equal((await pair.row()).statusCause, undefined)
})

test('an answer that may still come is waited for', async t => {
  const { first, second, clock, dev, outcomes } = await startPair(t)
  clock.forward(3601)
  dev.sandbox.set('rotating', { loseReply: { times: 1 } })
  assert.equal((await first.read()).status, 424)
  clock.forward(11)
  const early = await second.read()
  assert.deepEqual([early.status, early.retryAfter >= 1], [424, true])
  assert.match(early.message, /interrupted before its answer was known/)
  assert.deepEqual(outcomes(), ['ok'])
  await flown()
  assert.equal((await second.read()).status, 400)
})

test('a 5xx that had done nothing: the probe saves the connection', async t => {
  const pair = await startPair(t)
  const { first, clock, dev, outcomes } = pair
  clock.forward(3600 - 250)
  dev.sandbox.set('rotating', { fail: { status: 503, times: 1 } })
  const { token } = await first.read()
  assert.equal((await state(pair))?.mark?.probes, 0)
  clock.forward(260)
  await flown()
  const saved = await first.read()
  assert.deepEqual([saved.status, saved.token === token], [200, false])
  assert.deepEqual(outcomes(), ['failed', 'ok'])
  assert.equal((await state(pair))?.mark, undefined)
})

test('an outage that lasts never becomes “connect again”: each probe is recorded, and the last one saves it', async t => {
  const pair = await startPair(t)
  const { first, second, clock, dev, outcomes } = pair
  clock.forward(3601)
  dev.sandbox.set('rotating', { fail: { status: 500 } })
  for (const member of [first, second, first]) {
    assert.equal((await member.read()).status, 424)
    await flown()
    clock.forward(11)
  }
  assert.deepEqual(outcomes(), ['failed', 'failed', 'failed'])
  assert.equal((await state(pair))?.mark?.probes, 2)
  assert.equal((await pair.row()).status, 'connected')
  dev.sandbox.reset('rotating')
  assert.equal((await second.read()).status, 200)
})

test('a probe that reached nobody decides nothing, and takes nothing back', async t => {
  const pair = await startPair(t)
  const { first, clock, dev, outcomes } = pair
  clock.forward(3601)
  dev.sandbox.set('rotating', { loseReply: { times: 1 } })
  assert.equal((await first.read()).status, 424)
  await flown()
  clock.forward(11)
  dev.sandbox.set('rotating', { fail: { status: 429, headers: { 'retry-after': '1' }, times: 1 } })
  assert.equal((await first.read()).status, 424)
  // The token may have been spent before, so it is still a probe that comes next.
  assert.equal((await state(pair))?.mark?.probes, 1)
  await flown()
  clock.forward(11)
  assert.equal((await first.read()).status, 400)
  assert.deepEqual(outcomes(), ['ok', 'failed', 'invalid_refresh_token'])
  assert.equal((await pair.row()).statusCause, 'refresh_ambiguous')
})

test('what was certainly not spent is sent again by the table: 429, and whatever never reached the provider', async t => {
  const pair = await startPair(t)
  const { first, second, clock, dev, outcomes } = pair
  clock.forward(3600 - 290)
  dev.sandbox.set('rotating', { fail: { status: 429, headers: { 'retry-after': '30' }, times: 1 } })
  await first.read()
  assert.equal((await state(pair))?.mark, undefined)
  clock.forward(29)
  await second.read()
  assert.deepEqual(outcomes(), ['failed'])
  clock.forward(1)
  const { call } = second.hub.context
  const unreached = t.mock.method(call, 'send', async () => {
    throw Object.assign(
      new (await import('../src/core/errors.ts')).MortiseError('provider_unavailable', 'No.', { sent: false }),
    )
  })
  await second.read()
  assert.equal(unreached.mock.callCount(), 1)
  assert.deepEqual([(await state(pair))?.mark, (await state(pair))?.failures], [undefined, 2])
  unreached.mock.restore()
  // Five minutes by the table, but the token ends before.
  clock.forward(259)
  assert.equal((await first.read()).status, 200)
  clock.forward(11)
  assert.equal((await first.read()).status, 200)
  assert.deepEqual(outcomes(), ['failed', 'ok'])
})

test('a refusal without ambiguity is named as one', async t => {
  const pair = await startPair(t)
  const { first, clock, dev } = pair
  const { credentials } = (await (await fetch(`${dev.origin}/connection/a?provider_config_key=rotating`)).json()) as {
    credentials: { refresh_token: string }
  }
  clock.forward(3601)
  dev.sandbox.revoke(credentials.refresh_token)
  const { status, message } = await first.read()
  assert.equal(status, 400)
  assert.match(message, /no longer accepts this connection's refresh token \(invalid_grant\)/)
  assert.equal((await pair.row()).statusCause, 'refresh_refused')
})

test('within the grace that a definition states it is sent again at once, and saved', async t => {
  const pair = await startPair(t, { refresh: { grace: 60 } })
  const { first, clock, dev, outcomes } = pair
  const { token } = await first.read()
  clock.forward(3600 - 250)
  dev.sandbox.set('rotating', { loseReply: { times: 1 }, graceSeconds: 60 })
  const saved = await first.read()
  assert.deepEqual([saved.status, saved.token === token], [200, false])
  assert.deepEqual(outcomes(), ['ok', 'ok'])
})

test('a call that would end after the grace is not begun', async t => {
  const pair = await startPair(t, { refresh: { grace: 2 } })
  const { first, clock, dev, outcomes } = pair
  const { token } = await first.read()
  clock.forward(3600 - 250)
  // The call runs out of its second, so that another would end after two.
  dev.sandbox.set('rotating', { delayMs: quick.call + 200, graceSeconds: 2 })
  assert.equal((await first.read()).token, token)
  assert.deepEqual(outcomes(), ['ok'])
  assert.equal((await state(pair))?.mark?.probes, 0)
})

test('after a crash the next hub uses what is left of the grace', async t => {
  const pair = await startPair(t, { refresh: { grace: 60 } })
  const { first, second, clock, dev, outcomes } = pair
  clock.forward(3600 - 250)
  dev.sandbox.set('rotating', { graceSeconds: 60 })
  // The first dies with the answer: its lease is left, and its mark.
  const dying = gate(t, first.storage, 'swapCredential')
  t.mock.method(first.storage, 'extendLease', async () => false)
  void first.read()
  await later(quick.lease + 100)
  const { status } = await second.read()
  assert.equal(status, 200)
  assert.deepEqual(outcomes(), ['ok', 'ok'])
  assert.equal((await pair.row()).credentialRevision, 2)
  dying.go()
})

test('a provider that does not rotate is asked again, whatever happened', async t => {
  const pair = await startPair(t, { refresh: { rotates: false } })
  const { first, second, clock, dev, outcomes } = pair
  clock.forward(3600 - 250)
  dev.sandbox.set('rotating', { rotates: false, loseReply: { times: 1 } })
  const { token } = await first.read()
  clock.forward(60)
  const saved = await second.read()
  assert.deepEqual([saved.status, saved.token === token], [200, false])
  assert.deepEqual(outcomes(), ['ok', 'ok'])
})

test('a token that was spent before is ambiguous even if it is imported again', async t => {
  const pair = await startPair(t)
  const { first, clock, dev, outcomes } = pair
  clock.forward(3600 - 250)
  dev.sandbox.set('rotating', { loseReply: { times: 1 } })
  await first.read()
  const row = await pair.row()
  // As an import of the very same credential would: the revision moves, the refresh token is the old one.
  const same = { access: row.access, obtainedAt: row.obtainedAt, ...(row.renewal ? { renewal: row.renewal } : {}) }
  assert.equal(
    await first.storage.swapCredential(row.environmentId, row.id, 1, { ...same, expiresAt: row.expiresAt as Date }),
    true,
  )
  clock.forward(100)
  assert.equal((await first.read()).status, 200)
  assert.deepEqual(outcomes(), ['ok'])
})

test('while the database’s clock is not believed, nothing is sent again', async t => {
  const pair = await startPair(t)
  const { first, clock, dev, outcomes } = pair
  clock.forward(3601)
  dev.sandbox.set('rotating', { loseReply: { times: 1 } })
  assert.equal((await first.read()).status, 424)
  clock.forward(11)
  // The database says that an hour has passed.
  const lease = first.storage.leaseRefresh
  t.mock.method(first.storage, 'leaseRefresh', async (...given: Parameters<typeof lease>) => {
    const leased = await lease.apply(first.storage, given)
    const hour = 3_600_000
    const mark = leased?.state.mark && { ...leased.state.mark, age: hour, firstAge: hour }
    return leased && { ...leased, now: leased.now + hour, state: { ...leased.state, ...(mark ? { mark } : {}) } }
  })
  const { status, retryAfter } = await first.read()
  assert.deepEqual([status, retryAfter >= 1], [424, true])
  assert.deepEqual(outcomes(), ['ok'])
  await flown()
  await first.read()
  assert.deepEqual(outcomes(), ['ok', 'invalid_refresh_token'])
})
