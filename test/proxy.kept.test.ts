/** Who a proxied call is made for is kept from call to call, and never longer than it stands: see `createSenders`. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { before, beforeEach, suite, type TestContext, test } from 'node:test'
import { Secret } from '../src/core/credential.ts'
import { addEnvironment, addIntegration } from '../src/core/setup.ts'
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

type By = { integrationKey: string; connectionId: string } | { called: string }

/** A call without the way through HTTP, so that a test says what comes before what; answers the token that it carried. */
const callBy = async (by: By, { hub: { rooms }, seen } = world, { id } = rooms.firstEnvironment): Promise<unknown> => {
  const request = { method: 'GET', path: 'x', query: '', headers: {} }
  const { status, body } = await rooms.hub.proxy({ environmentId: id, ...by }, request)
  assert.equal(status, 200)
  body.cancel()
  return seen.at(-1)?.headers.authorization
}
const called = (connectionId = id, integrationKey = 'local') => callBy({ integrationKey, connectionId })

/** Counts the reads by which connections are found; `before` runs when one has been made, and its answer waits for that. */
const counting = (t: TestContext, before = async () => {}, of = world) => {
  const { storage } = of.hub.rooms.hub.context
  const reads = { count: 0 }
  for (const method of ['hotCredential', 'connectionById', 'connections'] as const) {
    const read: (...names: never[]) => Promise<unknown> = storage[method]
    const counted = async (...names: never[]) => {
      reads.count++
      const found = await read(...names)
      await before()
      return found
    }
    Object.assign(storage, { [method]: counted })
    t.after(() => Object.assign(storage, { [method]: read }))
  }
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
    const row = await hub.context.storage.connection(firstEnvironment.id, 'local', id)
    const reads = counting(t)
    for (const [name, count] of [
      [`conn_${row?.id}`, 1],
      [id, 2],
    ] as const)
      for (let round = 0; round < 3; round++) {
        assert.equal(await callBy({ called: name }), 'Bearer at 1')
        assert.equal(reads.count, count)
      }
    // Of another integration; from then on the name says too little.
    await addIntegration(hub.context, firstEnvironment, {
      key: 'second',
      provider: 'local',
      clientId: 'c',
      clientSecret: new Secret('s'),
      sandbox: false,
    })
    await world.connect({}, { provider_config_key: 'second', connection_id: id })
    await assert.rejects(callBy({ called: id }), { details: { reason: 'connection_ambiguous' } })
  })

  test('is nobody of another environment', async () => {
    const { hub } = world.hub.rooms
    const environment = await addEnvironment(hub.context, 'other')
    for (const by of [{ integrationKey: 'local', connectionId: id }, { called: id }]) {
      assert.equal(await callBy(by), 'Bearer at 1')
      await assert.rejects(callBy(by, world, environment), { code: 'not_found' })
    }
  })

  test('is found each time where nobody can tell of commits', async t => {
    const { storage } = world.hub.rooms.hub.context
    const { version } = storage
    t.after(() => Object.assign(storage, { version }))
    assert.equal(await called(), 'Bearer at 1')
    Object.assign(storage, { version: () => undefined })
    const reads = counting(t)
    await called()
    await called()
    assert.equal(reads.count, 2)
    // Nor is anyone taken for standing still who was kept before.
    storage.version = version
    await called()
    assert.equal(reads.count, 3)
  })

  test('is one of a thousand: who was found longest ago is found anew', async t => {
    const { hub, firstEnvironment } = world.hub.rooms
    // Letters of an id may be of either case, so one that has ten of them, with its prefix, has names enough.
    let letters: string[] = []
    while (letters.join('').replace(/[^a-z]/g, '').length < 10) {
      const row = await hub.context.storage.connection(firstEnvironment.id, 'local', await world.connect())
      letters = `conn_${row?.id}`.split('')
    }
    const name = (n: number) => {
      let bits = n
      return letters
        .map(each => {
          if (!/[a-z]/.test(each)) return each
          const upper = bits % 2 === 1
          bits >>= 1
          return upper ? each.toUpperCase() : each
        })
        .join('')
    }
    assert.equal(new Set(Array.from({ length: 1001 }, (_, n) => name(n))).size, 1001)
    const reads = counting(t)
    for (let n = 0; n <= 1000; n++) await callBy({ called: name(n) })
    assert.equal(reads.count, 1001)
    for (const n of [1000, 999, 501]) await callBy({ called: name(n) })
    assert.equal(reads.count, 1001)
    await callBy({ called: name(0) })
    assert.equal(reads.count, 1002)
    // Who is called again and again stays.
    for (let n = 0; n <= 1000; n++) {
      await callBy({ called: name(n) })
      await callBy({ called: name(1000) })
    }
    assert.ok(reads.count > 1900 && reads.count <= 2001, `${reads.count} reads`)
  })

  test('is found anew after a commit of the hub itself', async () => {
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
    const [read, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const reads = counting(t, async () => {
      if (reads.count > 1) return
      read.resolve()
      await held.promise
    })
    const early = called()
    await read.promise
    besides('UPDATE connections SET status = ? WHERE connection_id = ?', 'reauthorization_required', id)
    // Another call learns of the commit, before the first has what it read.
    await assert.rejects(called(), { code: 'reauthorization_required' })
    held.resolve()
    await early
    await assert.rejects(called(), { code: 'reauthorization_required' })
    assert.equal(reads.count, 3)
  })

  test('is never taken for another, whatever they are called', async () => {
    await world.connect({}, { connection_id: 'b c' })
    assert.equal(await called('b c'), 'Bearer at 1')
    await assert.rejects(called('c', 'local b'), { code: 'not_found' })
    await assert.rejects(callBy({ called: '5 local b c' }), { code: 'not_found' })
  })

  test('is forgotten after ten seconds, called or not', async t => {
    const own = await proxyWorld(t)
    own.play(noting(own, (_, response) => response.end('here')))
    const by = { integrationKey: 'local', connectionId: await own.connect() }
    const reads = counting(t, undefined, own)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    await callBy(by, own)
    t.mock.timers.tick(9_999)
    await callBy(by, own)
    assert.equal(reads.count, 1)
    t.mock.timers.tick(1)
    await callBy(by, own)
    assert.equal(reads.count, 2)
  })
})
