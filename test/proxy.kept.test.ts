/** Who a proxied call is made for is kept from call to call, and never longer than it stands: see `createSenders`. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { before, beforeEach, suite, type TestContext, test } from 'node:test'
import { Secret } from '../src/core/credential.ts'
import { addIntegration } from '../src/core/setup.ts'
import { noting, type ProxyWorld, proxyWorld } from './proxy-world.ts'
import { wholeFile } from './whole-file.ts'

const file = wholeFile()
let world: ProxyWorld
let id: string
before(async () => {
  world = await proxyWorld(file)
  world.play(noting(world, (_, response) => response.end('here')))
})
beforeEach(async () => {
  id = await world.connect()
  world.seen.length = 0
})

/** A call without the way through HTTP, so that a test says what comes before what; answers the token that it carried. */
const called = (connectionId = id, integrationKey = 'local') => callOf({ integrationKey, connectionId })
const callOf = async (
  by: { integrationKey: string; connectionId: string } | { called: string },
): Promise<string | undefined> => {
  const { hub, firstEnvironment } = world.hub.rooms
  const sought = { environmentId: firstEnvironment.id, ...by }
  const { status, body } = await hub.proxy(sought, { method: 'GET', path: 'x', query: '', headers: {} })
  assert.equal(status, 200)
  body.cancel()
  return world.seen.at(-1)?.headers.authorization
}

/** Counts the reads of a credential; `before` runs when one has been made, and its answer waits for that. */
const counting = (
  t: TestContext,
  before: () => Promise<unknown> = async () => {},
  method: 'hotCredential' | 'connectionById' = 'hotCredential',
) => {
  const { storage } = world.hub.rooms.hub.context
  const reads = { count: 0 }
  const read: (...names: never[]) => Promise<unknown> = storage[method]
  const counted = async (...names: never[]) => {
    reads.count++
    const found = await read(...names)
    await before()
    return found
  }
  Object.assign(storage, { [method]: counted })
  t.after(() => Object.assign(storage, { [method]: read }))
  return reads
}

/** As a process beside the hub commits it. */
const besides = (sql: string, ...values: string[]): void => {
  const db = new DatabaseSync(join(world.hub.dataDir, 'mortise.db'))
  try {
    assert.equal(db.prepare(sql).run(...values).changes, 1)
  } finally {
    db.close()
  }
}

suite('who a call is made for', () => {
  test('is found once, as long as nobody commits', async t => {
    const reads = counting(t)
    for (let round = 0; round < 3; round++) assert.equal(await called(), 'Bearer at 1')
    assert.equal(reads.count, 1)
  })

  test('is found once by any name that it has, and by its id, as long as nobody commits', async t => {
    const { hub, firstEnvironment } = world.hub.rooms
    const reads = counting(t, undefined, 'connectionById')
    const row = await hub.context.storage.connection(firstEnvironment.id, 'local', id)
    for (let round = 0; round < 3; round++) assert.equal(await callOf({ called: `conn_${row?.id}` }), 'Bearer at 1')
    assert.equal(reads.count, 1)
    assert.equal(await callOf({ called: id }), 'Bearer at 1')
    // Of another integration; from then on the name says too little.
    await addIntegration(hub.context, firstEnvironment, {
      key: 'second',
      provider: 'local',
      clientId: 'c',
      clientSecret: new Secret('s'),
      sandbox: false,
    })
    await world.connect({}, { provider_config_key: 'second', connection_id: id })
    await assert.rejects(callOf({ called: id }), { details: { reason: 'connection_ambiguous' } })
  })

  test('is found anew after a commit of the hub itself, by who comes right after it', async () => {
    const { hub, firstEnvironment } = world.hub.rooms
    const { storage } = hub.context
    assert.equal(await called(), 'Bearer at 1')
    const row = await storage.connection(firstEnvironment.id, 'local', id)
    await storage.deleteConnection(firstEnvironment.id, row?.id ?? '', new Date())
    await assert.rejects(called(), { code: 'not_found' })
  })

  test('is found anew after a commit of another process', async () => {
    const other = await world.connect({ access_token: 'of another' })
    assert.equal(await called(), 'Bearer at 1')
    besides('UPDATE connections SET status = ? WHERE connection_id = ?', 'reauthorization_required', id)
    await assert.rejects(called(), { code: 'reauthorization_required' })
    assert.equal(await called(other), 'Bearer of another')
    besides('DELETE FROM connections WHERE connection_id = ?', other)
    await assert.rejects(called(other), { code: 'not_found' })
  })

  test('is found anew when its token ends', async () => {
    assert.equal(await called(), 'Bearer at 1')
    world.clock.forward(3_590)
    assert.equal(await called(), 'Bearer at 2')
    assert.equal(world.refreshes(), 1)
  })

  test('is not kept as it was before a commit that came while it was read', async t => {
    let goOn = () => {}
    const held = new Promise<void>(done => {
      goOn = done
    })
    let first = true
    const reads = counting(t, () => {
      const wait = first ? held : Promise.resolve()
      first = false
      return wait
    })
    const early = called()
    await new Promise(done => setTimeout(done, 20))
    besides('UPDATE connections SET status = ? WHERE connection_id = ?', 'reauthorization_required', id)
    // Another call learns of the commit, before the first has what it read.
    await assert.rejects(called(), { code: 'reauthorization_required' })
    goOn()
    await early
    await assert.rejects(called(), { code: 'reauthorization_required' })
    assert.equal(reads.count, 3)
  })

  test('is never taken for another, whatever they are called', async () => {
    await world.connect({}, { connection_id: 'b c' })
    assert.equal(await called('b c'), 'Bearer at 1')
    await assert.rejects(called('c', 'local b'), { code: 'not_found' })
    await assert.rejects(callOf({ called: '5 local b c' }), { code: 'not_found' })
  })

  test('is forgotten after ten seconds, called or not', async t => {
    world = await proxyWorld(t)
    world.play(noting(world, (_, response) => response.end('here')))
    await world.connect()
    const reads = counting(t)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    await called('c1')
    t.mock.timers.tick(9_999)
    await called('c1')
    assert.equal(reads.count, 1)
    t.mock.timers.tick(1)
    await called('c1')
    assert.equal(reads.count, 2)
  })
})
