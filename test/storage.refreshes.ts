/** The part of the storage contract on refreshes: the lease, the mark, and what is due. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Storage } from '../src/core/storage.ts'
import type { RefreshLease } from '../src/core/storage-refresh.ts'
import type { Begin } from './storage.connections.ts'
import { at, bytes, connection, draft, get, integration } from './storage.fixtures.ts'

const row = (id: string, environmentId = 1, over = {}) => connection(environmentId, id, { renewal: bytes(20), ...over })

/** A connection with a refresh token, due at `dueAt`. */
const add = (storage: Storage, of: ReturnType<typeof row>, dueAt?: Date) =>
  storage.authorize(draft(of, undefined, 'none', dueAt))

const later = (ms: number) => new Promise(done => setTimeout(done, ms))

export const refreshContract = (begin: Begin): void => {
  const taken = async (storage: Storage, id = 'a', ttl = 60_000) => {
    const leased = await storage.leaseRefresh(1, id, 'me', ttl)
    assert.ok(leased, 'the lease is free')
    return leased.lease
  }

  test('of many who want a lease at once exactly one gets it, until it is given back', async t => {
    const { storage, second } = await begin(t)
    await add(storage, row('a'))
    const ask = async () => {
      const all = await Promise.all(
        Array.from({ length: 20 }, (_, n) => (n % 2 ? storage : second).leaseRefresh(1, 'a', `h${n}`, 60_000)),
      )
      const got = all.filter(each => each !== undefined)
      assert.equal(got.length, 1)
      return got[0] as NonNullable<(typeof got)[0]>
    }
    const first = await ask()
    assert.deepEqual([first.state.held, first.lease.fence], [true, 1])
    assert.equal((await second.refreshState(1, 'a'))?.held, true)
    assert.equal(await storage.leaseRefresh(1, 'a', 'another', 60_000), undefined)
    assert.equal(await second.endRefresh(first.lease, { settled: false }), true)
    assert.equal((await storage.refreshState(1, 'a'))?.held, false)
    const next = await ask()
    assert.equal(next.lease.fence, 2)
    assert.ok(next.now >= first.now)
  })

  test('a lease lapses by the database’s clock; whoever comes late with it changes nothing', async t => {
    const { storage, second } = await begin(t)
    await add(storage, row('a'), at(5))
    const old = await taken(storage, 'a', 30)
    await later(40)
    assert.equal((await second.refreshState(1, 'a'))?.held, false)
    // Nobody has taken it, but nothing may be sent under it any more.
    assert.equal(await storage.markRefresh(old, 'digest', false), false)
    assert.equal(await storage.extendLease(old, 30), true)
    await later(40)
    const mine = await taken(second)
    assert.equal(mine.fence, old.fence + 1)
    for (const late of [
      await storage.extendLease(old, 60_000),
      await storage.markRefresh(old, 'digest', false),
      await storage.endRefresh(old, { settled: true, tries: { failures: 9 }, dueAt: null }),
      await storage.endRefresh({ ...old, fence: mine.fence, holder: 'other' }, { settled: true }),
      await storage.endRefresh({ ...mine, environmentId: 2 }, { settled: true }),
    ])
      assert.equal(late, false)
    const state = await storage.refreshState(1, 'a')
    assert.deepEqual(state, { held: true, failures: 0, revision: 1 })
    assert.equal(await second.markRefresh(mine, 'digest', false), true)
  })

  test('a lease can be extended while it lasts', async t => {
    const { storage } = await begin(t)
    await add(storage, row('a'))
    const lease = await taken(storage, 'a', 200)
    for (let n = 0; n < 4; n++) {
      await later(100)
      assert.equal(await storage.extendLease(lease, 200), true)
      assert.equal((await storage.refreshState(1, 'a'))?.held, true)
    }
  })

  test('a mark outlives its holder, and keeps when it was first made', async t => {
    const { storage, second } = await begin(t)
    await add(storage, row('a'))
    const one = await taken(storage)
    assert.equal(await storage.markRefresh(one, 'digest', false), true)
    await later(30)
    await storage.endRefresh(one, { settled: false, tries: { failures: 1, failedAt: at(1), waitUntil: at(2) } })
    const seen = await second.refreshState(1, 'a')
    assert.deepEqual([seen?.failures, seen?.failedAt, seen?.waitUntil], [1, at(1), at(2)])
    assert.equal(seen?.mark?.digest, 'digest')
    assert.ok((seen?.mark?.age ?? 0) >= 25)
    assert.equal(seen?.mark?.probes, 0)
    // Once more, as a probe.
    const two = await taken(second)
    assert.equal(await second.markRefresh(two, 'digest', true), true)
    const probed = (await storage.refreshState(1, 'a'))?.mark
    assert.ok(probed && probed.age < probed.firstAge && probed.firstAge >= 25 && probed.probes === 1)
    // Another token's mark takes its place.
    assert.equal(await second.markRefresh(two, 'other', false), true)
    const other = (await storage.refreshState(1, 'a'))?.mark
    assert.ok(other && other.digest === 'other' && other.probes === 0 && other.firstAge === other.age)
    await second.endRefresh(two, { settled: true, tries: { failures: 0 } })
    assert.deepEqual(await storage.refreshState(1, 'a'), { held: false, failures: 0, revision: 1 })
  })

  test('a new credential forgets failures and moves what is due; the lease and the mark stay', async t => {
    const { storage, second } = await begin(t)
    await add(storage, row('a'), at(1))
    const lease = await taken(storage)
    await storage.markRefresh(lease, 'digest', false)
    await storage.endRefresh(lease, { settled: false, tries: { failures: 2, failedAt: at(1), waitUntil: at(9) } })
    const held = await taken(storage)
    const found = draft(row('b'), { id: 'a' }, 'none', at(100))
    await second.authorize(found)
    const state = await storage.refreshState(1, 'a')
    assert.deepEqual([state?.held, state?.failures, state?.waitUntil, state?.revision], [true, 0, undefined, 2])
    assert.equal(state?.mark?.digest, 'digest')
    assert.deepEqual(await storage.claimRefreshes(at(99), at(200), 10, []), [])
    assert.equal(await storage.endRefresh(held, { settled: true }), true)
    // One that cannot be renewed has nothing to refresh.
    const { renewal: _, ...bare } = row('c')
    await storage.authorize(draft(bare, { id: 'a' }, 'none', at(1)))
    assert.equal(await second.refreshState(1, 'a'), undefined)
    assert.equal(await storage.leaseRefresh(1, 'a', 'me', 1000), undefined)
  })

  test('a swap does not ask for the lease: a late success still lands', async t => {
    const { storage } = await begin(t)
    await add(storage, row('a'))
    const old = await taken(storage, 'a', 20)
    await later(30)
    await taken(storage)
    const next = { access: bytes(9), renewal: bytes(8), obtainedAt: at(3) }
    assert.equal(await storage.swapCredential(1, 'a', 1, next), true)
    assert.equal(await storage.endRefresh(old, { settled: true }), false)
    assert.deepEqual((await get(storage, row('a')))?.access, bytes(9))
  })

  test('what goes with a connection: its refreshes', async t => {
    const { storage } = await begin(t)
    await add(storage, row('a'), at(1))
    const lease = await taken(storage)
    assert.equal(await storage.deleteConnection(1, 'a', at(2)), true)
    assert.equal(await storage.refreshState(1, 'a'), undefined)
    assert.equal(await storage.markRefresh(lease, 'digest', false), false)
    assert.equal(await storage.endRefresh(lease, { settled: true, dueAt: at(1) }), false)
    assert.deepEqual(await storage.claimRefreshes(at(9), at(10), 10, []), [])
  })

  test('what is due is claimed once among all, the longest due first', async t => {
    const { storage, second } = await begin(t)
    const ids = Array.from({ length: 30 }, (_, n) => `r${String(n).padStart(2, '0')}`)
    for (const [n, id] of ids.entries()) await add(storage, row(id, 1 + (n % 2)), at(30 - n))
    await add(storage, row('z'))
    assert.deepEqual(await storage.claimRefreshes(at(0), at(99), 10, []), [])
    assert.deepEqual([await storage.anyRefreshDue(at(0)), await second.anyRefreshDue(at(1))], [false, true])
    const [early] = await storage.claimRefreshes(at(1), at(99), 10, [])
    assert.deepEqual(early, { environmentId: 2, id: 'r29', provider: 'github', dueAt: at(1) })
    const claims = await Promise.all(
      Array.from({ length: 12 }, (_, n) => (n % 2 ? storage : second).claimRefreshes(at(50), at(99), 4, [])),
    )
    const all = claims.flat().map(each => each.id)
    assert.equal(new Set(all).size, all.length, 'none is claimed twice')
    for (let round = 0; round < 30; round++)
      all.push(...(await storage.claimRefreshes(at(50), at(99), 4, [])).map(each => each.id))
    assert.deepEqual([...all, 'r29'].sort(), ids)
    assert.equal(await storage.anyRefreshDue(at(98)), false)
    assert.equal((await storage.claimRefreshes(at(99), at(200), 100, [])).length, 30)
  })

  test('providers that are full are passed over, and what is never due is never claimed', async t => {
    const { storage } = await begin(t)
    await storage.addIntegration(integration(1, 'notion', { provider: 'notion' }))
    await add(storage, row('a'), at(1))
    await add(storage, row('b', 1, { provider: 'notion', integrationKey: 'notion' }), at(2))
    const claim = (time: number, except: string[] = []) => storage.claimRefreshes(at(time), at(time + 1), 10, except)
    assert.deepEqual(
      (await claim(5, ['github', 'x'])).map(each => each.id),
      ['b'],
    )
    assert.deepEqual(
      (await claim(5)).map(each => each.id),
      ['a'],
    )
    assert.equal((await claim(6)).length, 2)
    await storage.setRefreshDue(1, 'a', undefined)
    await storage.setRefreshDue(2, 'b', undefined)
    assert.deepEqual(
      (await claim(7)).map(each => each.id),
      ['b'],
    )
    const lease: RefreshLease = await taken(storage, 'b')
    await storage.endRefresh(lease, { settled: true, dueAt: null })
    assert.deepEqual(await claim(20), [])
    await storage.setRefreshDue(1, 'a', at(20))
    assert.equal((await claim(20)).length, 1)
  })
}
