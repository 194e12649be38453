import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSteadiness, keepLease } from './keep-lease.ts'
import { refreshTiming } from './refresh-timing.ts'
import type { RefreshEnd, RefreshStorage } from './storage-refresh.ts'

const lease = { environmentId: 1, id: 'a', holder: 'h', fence: 1 }
const timing = { ...refreshTiming, lease: 300, call: 200 }
const later = (ms: number) => new Promise(done => setTimeout(done, ms))

const begin = (extend: () => Promise<boolean>) => {
  const ends: RefreshEnd[] = []
  const errors: unknown[] = []
  const storage = {
    extendLease: extend,
    async endRefresh(_: unknown, end: RefreshEnd) {
      ends.push(end)
      return true
    },
  } as unknown as RefreshStorage
  const since = performance.now()
  return { hold: keepLease(storage, lease, since, timing, error => errors.push(error)), ends, errors, since }
}

test('a call may begin while it ends before the lease does; the lease is extended meanwhile', async () => {
  const { hold, since, ends } = begin(async () => true)
  assert.ok(Math.abs(hold.sendBefore() - since - 100) < 1)
  await later(150)
  assert.ok(hold.sendBefore() >= since + 180)
  await hold.end({ settled: true })
  await hold.release()
  await hold.end({ settled: false })
  assert.deepEqual(ends, [{ settled: true }])
  const last = hold.sendBefore()
  await later(250)
  assert.equal(hold.sendBefore(), last)
})

test('a lease that was taken, or whose storage is gone, lets nothing begin any more', async () => {
  const [lost, gone] = [begin(async () => false), begin(() => Promise.reject(new Error('gone')))]
  await later(250)
  for (const { hold, since } of [lost, gone]) assert.ok(Math.abs(hold.sendBefore() - since - 100) < 1)
  assert.equal(gone.errors.length > 0, true)
  for (const { hold, ends } of [lost, gone]) {
    await hold.release()
    assert.deepEqual(ends, [{ settled: false }])
  }
})

test('a pinned lease is kept until its end', async () => {
  const { hold, ends } = begin(async () => true)
  hold.pin()
  await hold.release()
  assert.deepEqual(ends, [])
  await hold.end({ settled: true, dueAt: null })
  assert.deepEqual(ends, [{ settled: true, dueAt: null }])
})

test('a database clock that was set, either way, is not believed for a while', async () => {
  for (const jump of [3_600_000, -3_600_000]) {
    const steadiness = createSteadiness(200)
    const base = 1_800_000_000_000 - performance.now()
    const saw = (off: number) => steadiness.saw(base + performance.now() + off)
    assert.equal(steadiness.unsteady(), 0)
    saw(0)
    saw(1500)
    assert.equal(steadiness.unsteady(), 0)
    saw(jump)
    assert.ok(steadiness.unsteady() > 100)
    saw(jump)
    await later(210)
    assert.equal(steadiness.unsteady(), 0)
  }
})
