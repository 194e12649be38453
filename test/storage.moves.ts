/** What every storage must do when an environment is frozen, read whole, and restored. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MortiseError } from '../src/core/errors.ts'
import type { Storage } from '../src/core/storage.ts'
import type { Stored } from '../src/core/storage-move.ts'
import type { Begin } from './storage.connections.ts'
import { add, at, bytes, connection, draft, environment, full, get, integration, key } from './storage.fixtures.ts'

const refused = (work: Promise<unknown>): Promise<void> =>
  assert.rejects(work, error => error instanceof MortiseError && error.details.reason === 'environment_frozen')

const frozenAt = async (storage: Storage, id: number) =>
  (await storage.environments()).find(each => each.id === id)?.frozenAt

const renewable = (id: string, environmentId = 1) => connection(environmentId, id, { renewal: bytes(1) })

const all = (storage: Storage, id: number) =>
  storage.snapshot(id, async of => {
    const rows: Stored[] = []
    for await (const page of of.connections()) rows.push(...page)
    return rows
  })

const user = (id: string, username: string) => ({
  environmentId: 1,
  id,
  username,
  createdAt: at(0),
  updatedAt: at(0),
})

export const moveContract = (begin: Begin): void => {
  test('a frozen environment is so for everyone at once, keeps its time, and can be undone', async t => {
    const { storage, second } = await begin(t)
    await storage.setFrozen(1, at(5))
    await second.setFrozen(1, at(9))
    assert.deepEqual([await frozenAt(second, 1), await frozenAt(second, 2)], [at(5), undefined])
    await second.setFrozen(1, undefined)
    assert.equal(await frozenAt(storage, 1), undefined)
  })

  test('of a frozen environment no lease is given, no token is marked as sent and nothing is claimed; a late answer lands', async t => {
    const { storage, second } = await begin(t)
    for (const id of [1, 2]) await storage.authorize(draft(renewable('a', id), undefined, 'none', at(1)))
    const taken = await storage.leaseRefresh(1, 'a', 'h', 60_000)
    assert.ok(taken)
    assert.equal(await storage.markRefresh(taken.lease, 'digest', false), true)
    await second.setFrozen(1, at(5))
    assert.equal((await storage.refreshState(1, 'a'))?.frozen, true)
    assert.equal((await storage.refreshState(2, 'a'))?.frozen, undefined)
    assert.equal(await storage.refreshesUnderWay(1, 10_000), 1)
    assert.equal(await storage.markRefresh(taken.lease, 'digest', false), false)
    const renewed = { access: bytes(9), renewal: bytes(8), obtainedAt: at(3) }
    assert.equal(await storage.swapCredential(1, 'a', 1, renewed), true)
    assert.equal(await storage.endRefresh(taken.lease, { settled: false }), true)
    // The mark alone: an answer may be on its way, for a while.
    assert.equal(await second.refreshesUnderWay(1, 10_000), 1)
    await new Promise(later => setTimeout(later, 20))
    assert.equal(await second.refreshesUnderWay(1, 5), 0)
    assert.equal(await storage.leaseRefresh(1, 'a', 'h', 60_000), undefined)
    assert.ok(await storage.leaseRefresh(2, 'a', 'h', 60_000))
    const claimed = await storage.claimRefreshes(at(9), at(99), 10, [])
    assert.deepEqual(
      claimed.map(each => each.environmentId),
      [2],
    )
    await storage.setFrozen(1, undefined)
    assert.equal((await second.claimRefreshes(at(9), at(99), 10, [])).length, 1)
    assert.ok(await second.leaseRefresh(1, 'a', 'h', 60_000))
  })

  test('what would be missed elsewhere is refused; the other environment goes on', async t => {
    const { storage, second } = await begin(t)
    await add(storage, connection(1, 'a'))
    await storage.addEndUser(user('u', 'ada'))
    await storage.setFrozen(1, at(5))
    for (const each of [storage, second]) {
      await refused(add(each, connection(1, 'b')))
      await refused(each.setMetadata(1, 'a', { x: 1 }, 'merge', at(6)))
      await refused(each.deleteConnection(1, 'a', at(6)))
      await refused(each.addEndUser(user('v', 'bob')))
      await refused(each.updateEndUser(user('u', 'eve')))
      await refused(each.deleteEndUser(1, 'u', at(6)))
    }
    assert.deepEqual(await get(storage, connection(1, 'a')), connection(1, 'a'))
    await add(second, connection(2, 'b'))
    await storage.setFrozen(1, undefined)
    await add(second, connection(1, 'b'))
  })

  test('whoever was let in before the freeze is seen after it', async t => {
    const { storage, second } = await begin(t)
    for (let round = 0; round < 3; round++) {
      const adding = Array.from({ length: 12 }, (_, n) => {
        const row = connection(1, `x${round}y${n}`)
        return add(n % 2 ? storage : second, row).then(
          () => row.id,
          () => undefined,
        )
      })
      await second.setFrozen(1, at(5))
      const seen = new Set((await all(storage, 1)).map(each => each.connection.id))
      for (const id of await Promise.all(adding)) assert.ok(id === undefined || seen.has(id), `${id} was missed`)
      await storage.setFrozen(1, undefined)
    }
  })

  test('a snapshot has all of one environment, ordered, and none of another', async t => {
    const { storage } = await begin(t)
    const rows = [renewable('a'), connection(1, 'b', full), connection(1, 'c')]
    for (const row of rows.toReversed()) await storage.authorize(draft(row, undefined, 'none', at(7)))
    await add(storage, renewable('z', 2))
    await storage.addKey(key(1, 'k'))
    await storage.addKey(key(2, 'l'))
    await storage.addEndUser(user('u', 'ada'))
    await storage.allow(1, 'origin', 'https://o.example')
    await storage.deleteConnection(1, 'c', at(8))
    const refresh = { dueAt: at(7), probes: 0, failures: 0 }
    await storage.snapshot(1, async of => {
      assert.deepEqual(of.environment, environment(1))
      assert.deepEqual(of.counts, { endUsers: 1, connections: 2, deleted: 1 })
      assert.deepEqual(await of.keys(), [key(1, 'k')])
      assert.deepEqual(await of.integrations(), [integration(1, 'github')])
      assert.deepEqual(await of.allowed(), [{ kind: 'origin', url: 'https://o.example' }])
      assert.equal(await of.endpoint(), undefined)
      for await (const page of of.endUsers()) assert.deepEqual(page, [user('u', 'ada')])
      for await (const page of of.deleted()) assert.equal(page[0]?.id, 'c')
    })
    assert.deepEqual(await all(storage, 1), [
      { connection: rows[0], refresh },
      { connection: rows[1], refresh },
    ])
    await assert.rejects(
      storage.snapshot(9, async () => {}),
      /no such environment/,
    )
  })

  test('an environment comes with its id: where there is room, or over an empty one of its name', async t => {
    const { storage } = await begin(t)
    assert.equal(await storage.restoreEnvironment(environment(7)), 'new')
    assert.equal(await storage.restoreEnvironment(environment(7)), 'there')
    assert.equal(await storage.restoreEnvironment(environment(7, { name: 'other' })), 'elsewhere')
    assert.equal(await storage.restoreEnvironment(environment(8, { name: 'env-1' })), 'name taken')
    assert.equal(await storage.restoreEnvironment(environment(8, { publicKey: 'pk-1' })), 'key taken')
    assert.equal(await storage.restoreEnvironment(environment(8, { name: 'env-7' })), 'replaced')
    const ids = (await storage.environments()).map(each => each.id).sort()
    assert.deepEqual(ids, [1, 2, 8])
  })

  test('connections are restored as they are; what is there is judged, and what stands in the way is told', async t => {
    const { storage, second } = await begin(t)
    const [old, other] = [renewable('a'), connection(1, 'n', { connectionId: 'named c' })]
    await storage.authorize(draft(old, undefined, 'none', at(1)))
    await add(storage, other)
    await add(storage, connection(1, 'g'))
    await storage.deleteConnection(1, 'g', at(2))
    const mark = { markDigest: 'd', markFirstAt: at(1), markAt: at(2) }
    const tries = { probes: 1, failures: 2, failedAt: at(3), waitUntil: at(4), restoredRevision: 3, dueAt: at(5) }
    const given: Stored[] = [
      { connection: connection(1, 'a', { ...full, credentialRevision: 4 }), refresh: { probes: 0, failures: 0 } },
      {
        connection: connection(1, 'b', { ...full, credentialRevision: 3 }),
        accountKey: 'k',
        refresh: { ...mark, ...tries },
      },
      { connection: connection(1, 'c') },
      { connection: connection(1, 'g') },
      { connection: connection(1, 'd', { number: old.number }) },
      { connection: connection(1, 'e', full), accountKey: 'k' },
    ]
    const restore = (judged: 'leave' | 'write') =>
      second.restoreConnections(1, given, (is, here) => {
        assert.deepEqual([is.connection.id, here.connection.id], [here.connection.id, is.connection.id])
        return judged
      })
    assert.deepEqual(await restore('leave'), ['leave', 'new', 'taken', 'deleted', 'taken', 'taken'])
    assert.deepEqual(await get(storage, old), old)
    assert.deepEqual(await all(storage, 1), [
      { connection: old, refresh: { dueAt: at(1), probes: 0, failures: 0 } },
      given[1],
      { connection: other },
    ])
    assert.equal((await storage.refreshState(1, 'b'))?.restoredRevision, 3)
    assert.deepEqual(await restore('write'), ['write', 'write', 'taken', 'deleted', 'taken', 'taken'])
    assert.deepEqual(await all(storage, 1), [given[0], given[1], { connection: other }])
    const verified = await second.restoreConnections(1, given.slice(1, 2), () => 'verify')
    assert.deepEqual(verified, ['verify'])
    const { restoredRevision: _, ...refresh } = { ...mark, ...tries }
    assert.deepEqual((await all(storage, 1))[1], { ...given[1], refresh })
    // More than one statement takes.
    const many = Array.from({ length: 1100 }, (_, n) => ({ connection: connection(2, `m${n}`) }))
    assert.deepEqual(new Set(await storage.restoreConnections(2, many, () => 'leave')), new Set(['new']))
    assert.equal((await all(second, 2)).length, 1100)
  })

  test('end users, what was deleted and the endpoint are restored once', async t => {
    const { storage, second } = await begin(t)
    await storage.addEndUser(user('u1', 'ada'))
    const users = [user('u1', 'ada'), user('u2', 'bob'), user('u3', 'ada')]
    assert.deepEqual(await second.restoreEndUsers(1, users), ['u3'])
    assert.deepEqual(await storage.endUsers(1), users.slice(0, 2))
    const gone = (id: string, seconds: number) => ({
      environmentId: 1,
      id,
      integrationKey: 'github',
      connectionId: `named ${id}`,
      endUserId: '',
      deletedAt: at(seconds),
    })
    await storage.restoreDeleted(1, [gone('a', 1)])
    await second.restoreDeleted(1, [gone('a', 2), gone('b', 3)])
    assert.deepEqual(await storage.deletedConnection(1, 'a'), gone('a', 1))
    assert.deepEqual(await storage.deletedConnection(1, 'b'), gone('b', 3))
    const endpoint = {
      environmentId: 1,
      url: 'https://a.example/',
      secret: bytes(1),
      previous: { secret: bytes(2), until: at(9) },
      events: ['connection.created'] as const,
      style: 'connections' as const,
      revision: 4,
      createdAt: at(0),
      updatedAt: at(1),
    }
    assert.equal(await storage.restoreEndpoint(endpoint), true)
    assert.equal(await storage.restoreEndpoint({ ...endpoint, url: 'https://b.example/' }), false)
    assert.deepEqual(await second.endpoint(1), endpoint)
  })
}
