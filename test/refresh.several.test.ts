/** Refreshes of one connection by several hubs on one database: never two spends, nothing newer is lost. */
import assert from 'node:assert/strict'
import { after, before, suite, type TestContext, test } from 'node:test'
import { later } from './harness.ts'
import { breakable, gate, startPair, until } from './pair.ts'
import { type PostgresServer, skip, startPostgres } from './postgres.ts'

/** The first has an answer that it cannot write, and cannot keep its lease either, until that is mended. */
const holdsAnswer = async (t: TestContext, { first, outcomes }: Awaited<ReturnType<typeof startPair>>) => {
  let broken = true
  breakable(t, first.storage, () => broken)
  t.mock.method(first.storage, 'extendLease', async () => {
    throw new Error('no connection')
  })
  const holding = first.read()
  await until(() => outcomes().length === 1)
  const mend = () => {
    broken = false
  }
  return { holding, mend }
}

const several = (database: () => Promise<{ database?: string }>) => {
  test('a hundred reads of one expired token in two hubs cause one call, and all get its token', async t => {
    const pair = await startPair(t, await database())
    const { first, second, clock, dev } = pair
    const old = await first.read()
    clock.forward(3600)
    dev.sandbox.set('rotating', { delayMs: 200 })
    const all = await Promise.all(Array.from({ length: 100 }, (_, n) => (n % 2 ? first : second).read()))
    assert.deepEqual(pair.outcomes(), ['ok'])
    const [token] = all.map(each => each.token)
    for (const each of all) assert.deepEqual([each.status, each.token], [200, token])
    assert.notEqual(token, old.token)
    clock.forward(3600)
    dev.sandbox.reset('rotating')
    assert.equal((await second.read()).status, 200)
    assert.deepEqual(pair.outcomes(), ['ok', 'ok'])
  })

  test('who gets the lease looks again: what another has spent since is not sent', async t => {
    const pair = await startPair(t, await database())
    const { first, second, clock } = pair
    clock.forward(3600)
    // The first has read the row, and is held up before it takes the lease.
    const late = gate(t, first.storage, 'leaseRefresh')
    const reading = first.read()
    await late.arrived()
    const { token } = await second.read()
    late.go()
    assert.equal((await reading).token, token)
    assert.deepEqual(pair.outcomes(), ['ok'])
    assert.equal((await pair.row()).status, 'connected')
  })

  test('an interrupted refresh is seen by the next hub: while the token lives, it is served, and nothing is sent', async t => {
    const pair = await startPair(t, await database())
    const { first, second, clock, dev } = pair
    const { token } = await first.read()
    clock.forward(3600 - 200)
    dev.sandbox.set('rotating', { loseReply: { times: 1 } })
    assert.equal((await first.read()).token, token)
    assert.deepEqual(pair.outcomes(), ['ok'])
    // The table of waits does not bring it back either.
    clock.forward(100)
    for (const each of [first, second, first]) assert.equal((await each.read()).token, token)
    assert.deepEqual(pair.outcomes(), ['ok'])
    const state = await second.storage.refreshState(pair.environmentId, (await pair.row()).id)
    assert.deepEqual([state?.held, state?.mark?.probes, state?.failures], [false, 0, 1])
  })

  test('an answer that storage does not take keeps the lease: no other hub sends anything, and it lands', async t => {
    const pair = await startPair(t, { ...(await database()), timing: { lease: 2000, call: 400, patience: 1000 } })
    const { first, second, clock } = pair
    clock.forward(3600)
    let broken = true
    breakable(t, first.storage, () => broken)
    assert.equal((await first.read()).status, 500)
    assert.deepEqual(pair.outcomes(), ['ok'])
    // Longer than the lease: it is extended as long as the answer is held.
    const reading = second.read()
    await later(3000)
    broken = false
    const { status, token } = await reading
    assert.equal(status === 200 || status === 424, true, String(status))
    await until(async () => (await pair.row()).credentialRevision === 2)
    const now = await second.read()
    assert.equal(now.status, 200)
    if (token) assert.equal(token, now.token)
    assert.deepEqual(pair.outcomes(), ['ok'])
  })

  test('whoever is about to send a token again waits for an answer that is written late', async t => {
    const pair = await startPair(t, { ...(await database()), timing: { lease: 500, call: 200, straggler: 50 } })
    const { second, clock } = pair
    clock.forward(3600)
    const { holding, mend } = await holdsAnswer(t, pair)
    await later(700)
    // The lease has lapsed, and no call can be under way any more.
    const reading = second.read()
    await later(100)
    mend()
    const [mine, theirs] = [await holding, await reading]
    assert.deepEqual(pair.outcomes(), ['ok'])
    assert.equal(theirs.status, 200)
    if (mine.token) assert.equal(mine.token, theirs.token)
  })

  test('a wait for a late answer in which the storage was away tells nothing, and begins again', async t => {
    const timing = { lease: 1000, call: 200, straggler: 50, landing: 500 }
    const pair = await startPair(t, { ...(await database()), timing })
    const { second, clock } = pair
    clock.forward(3600)
    const { holding, mend } = await holdsAnswer(t, pair)
    await later(1200)
    // The lease has lapsed. The storage takes no write of the second either, until its wait is over.
    const { extendLease } = second.storage
    let away = true
    t.mock.method(second.storage, 'extendLease', async (...args: Parameters<typeof extendLease>) => {
      if (away) await later(700)
      away = false
      mend()
      return extendLease(...args)
    })
    const [mine, theirs] = [await second.read(), await holding]
    assert.deepEqual(pair.outcomes(), ['ok'])
    assert.equal(mine.status, 200)
    if (theirs.token) assert.equal(theirs.token, mine.token)
  })

  test('a refresh that lost its lease before anything was sent begins again, and sends nothing twice', async t => {
    const pair = await startPair(t, { ...(await database()), timing: { lease: 600, call: 300 } })
    const { first, second, clock } = pair
    clock.forward(3600)
    // As a process that is stopped between the lease and the mark: it cannot extend its lease.
    t.mock.method(first.storage, 'extendLease', async () => false)
    const stopped = gate(t, first.storage, 'markRefresh')
    const reading = first.read()
    await stopped.arrived()
    await later(700)
    const { token } = await second.read()
    stopped.go()
    assert.equal((await reading).token, token)
    assert.deepEqual(pair.outcomes(), ['ok'])
  })

  test('a call that would outlast its lease is not begun', async t => {
    const pair = await startPair(t, { ...(await database()), timing: { lease: 600, call: 500 } })
    const { first, second, clock } = pair
    clock.forward(3600)
    // The mark is written, but the answer that it is comes late: too little of the lease is left.
    const mark = first.storage.markRefresh
    let slow = true
    t.mock.method(first.storage, 'extendLease', async () => false)
    t.mock.method(first.storage, 'markRefresh', async (...given: Parameters<typeof mark>) => {
      const marked = await mark.apply(first.storage, given)
      if (slow) await later(300)
      slow = false
      return marked
    })
    const lease = t.mock.method(first.storage, 'leaseRefresh')
    const { status, token } = await first.read()
    assert.equal(status, 200)
    // It gave the first lease back, and took another.
    assert.equal(lease.mock.callCount(), 2)
    assert.deepEqual(pair.outcomes(), ['ok'])
    assert.equal((await second.read()).token, token)
  })

  test('an end user who comes back during a refresh keeps the new credential, whoever finishes last', async t => {
    const pair = await startPair(t, await database())
    const { first, second, clock, dev } = pair
    clock.forward(3600)
    dev.sandbox.set('rotating', { delayMs: 400 })
    const refreshing = first.read()
    await until(() => pair.outcomes().length === 1)
    dev.sandbox.reset('rotating')
    await pair.connect()
    const { token } = await second.read()
    assert.equal((await refreshing).token, token)
    assert.equal((await second.read()).token, token)
    assert.equal((await pair.row()).credentialRevision, 2)
  })

  test('a refusal is written only over the credential it is of', async t => {
    const pair = await startPair(t, await database())
    const { first, second, clock, dev } = pair
    clock.forward(3600)
    dev.sandbox.set('rotating', { delayMs: 400, fail: { status: 400, body: { error: 'invalid_grant' }, times: 1 } })
    const refreshing = first.read()
    await until(() => pair.outcomes().length === 1)
    dev.sandbox.reset('rotating')
    await pair.connect()
    const { token } = await second.read()
    assert.equal((await refreshing).token, token)
    assert.equal((await pair.row()).status, 'connected')
  })
}

suite('on SQLite', () => several(async () => ({})))

suite('on Postgres', { skip }, () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgres()
  })
  after(() => server.close())
  several(async () => ({ database: (await server.newDatabase()).url }))
})
