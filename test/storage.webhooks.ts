/** The part of the storage contract on webhooks: endpoints, deliveries written with a connection, claims and their ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Delivery, NewEvent, WebhookEndpoint } from '../src/core/event.ts'
import type { Draft } from '../src/core/storage.ts'
import type { Begin } from './storage.connections.ts'
import { add, at, attempt, bytes, connection, draft, get } from './storage.fixtures.ts'

const endpoint = (environmentId: number, over: Partial<WebhookEndpoint> = {}): WebhookEndpoint => ({
  environmentId,
  url: 'https://app.example/webhooks?x=ü',
  secret: bytes(0, 1, 255),
  events: ['connection.created'],
  style: 'standard',
  revision: 1,
  createdAt: at(0),
  updatedAt: at(0),
  ...over,
})

const event = (id: string, over: Partial<NewEvent> = {}): NewEvent => ({
  id,
  type: 'connection.created',
  body: `{"of":"${id}"}`,
  others: { connections: `{"other of":"${id}"}` },
  createdAt: at(0),
  ...over,
})

const delivery = (environmentId: number, id: string, over: Partial<Delivery> = {}): Delivery => {
  const { others: _, ...rest } = event(id)
  return {
    environmentId,
    status: 'pending',
    tries: 0,
    style: 'standard',
    availableAt: over.createdAt ?? at(0),
    ...rest,
    ...over,
  }
}

const claimed = (seconds: number, tries = 1): Partial<Delivery> => ({
  tries,
  availableAt: at(seconds),
  claimedUntil: at(seconds),
})

const telling = (row: Parameters<typeof draft>[0], events: Draft['events'], find?: Draft['find']): Draft => ({
  ...draft(row, find),
  ...(events ? { events } : {}),
})

export const webhookContract = (begin: Begin): void => {
  test('an endpoint is kept as it is, one for each environment', async t => {
    const { storage, second } = await begin(t)
    assert.equal(await storage.endpoint(1), undefined)
    assert.equal(await storage.putEndpoint(endpoint(1)), true)
    assert.deepEqual(await second.endpoint(1), endpoint(1))
    assert.equal(await second.endpoint(2), undefined)
    const next = endpoint(1, {
      url: 'https://other.example/',
      previous: { secret: bytes(7), until: at(60) },
      events: [],
      style: 'connections',
      revision: 2,
      updatedAt: at(5),
    })
    assert.equal(await second.putEndpoint(next), true)
    assert.deepEqual(await storage.endpoint(1), next)
  })

  test('an endpoint is written over the revision before its own, by one of twenty at once', async t => {
    const { storage, second } = await begin(t)
    await storage.putEndpoint(endpoint(2))
    for (const revision of [1, 2]) {
      const tries = Array.from({ length: 20 }, (_, n) =>
        (n % 2 ? storage : second).putEndpoint(endpoint(1, { revision, url: `https://app.example/${n}` })),
      )
      assert.equal((await Promise.all(tries)).filter(Boolean).length, 1)
    }
    for (const revision of [1, 2, 4]) assert.equal(await storage.putEndpoint(endpoint(1, { revision })), false)
    assert.equal((await storage.endpoint(1))?.revision, 2)
    assert.deepEqual(await storage.endpoint(2), endpoint(2))
  })

  test('with an endpoint go its pending deliveries, which have failed for the reason given', async t => {
    const { storage, second } = await begin(t)
    assert.equal(await storage.removeEndpoint(1, 'gone'), false)
    for (const id of [1, 2]) await storage.putEndpoint(endpoint(id))
    for (const id of ['a', 'b']) await storage.addDelivery(1, event(id), 'standard')
    await storage.addDelivery(2, event('a'), 'standard')
    await storage.claimDeliveries(at(0), at(15), 1)
    await storage.endDelivery(1, 'a', 1, { status: 'delivered', at: at(1), lastStatus: 200 })
    assert.equal(await storage.removeEndpoint(1, 'gone'), true)
    assert.equal(await second.endpoint(1), undefined)
    assert.equal((await second.delivery(1, 'a'))?.status, 'delivered')
    assert.deepEqual(await second.delivery(1, 'b'), delivery(1, 'b', { status: 'failed', lastError: 'gone' }))
    assert.deepEqual(await second.delivery(2, 'a'), delivery(2, 'a'))
    assert.deepEqual(await second.endpoint(2), endpoint(2))
  })

  test('what happened is written with the connection, as a delivery to whoever subscribes to it', async t => {
    const { storage, second } = await begin(t)
    const told: [id: string, created: boolean][] = []
    const events = (written: { id: string; credentialRevision: number }, created: boolean) => {
      told.push([written.id, created])
      return [event(`${written.id}${written.credentialRevision}`, { createdAt: at(9) })]
    }
    await storage.authorize(telling(connection(1, 'a'), events))
    assert.deepEqual(await storage.deliveries(1, 10), [], 'without an endpoint')
    await storage.putEndpoint(endpoint(1, { events: [] }))
    await storage.authorize(telling(connection(1, 'b'), events))
    assert.deepEqual(await storage.deliveries(1, 10), [], 'without a subscription')
    await storage.putEndpoint(endpoint(1, { revision: 2 }))
    await storage.authorize(telling(connection(1, 'c'), events))
    await storage.authorize(telling(connection(1, 'c'), events, { connectionId: 'named c' }))
    await storage.authorize(telling(connection(2, 'd'), events))
    assert.deepEqual(await second.deliveries(1, 10), [
      delivery(1, 'c2', { createdAt: at(9) }),
      delivery(1, 'c1', { createdAt: at(9) }),
    ])
    assert.deepEqual(await second.deliveries(2, 10), [])
    assert.deepEqual(told, [
      ['a', true],
      ['b', true],
      ['c', true],
      ['c', false],
      ['d', true],
    ])
  })

  test('a delivery has the body of its endpoint when it was written, and the URL of its connection', async t => {
    const { storage, second } = await begin(t)
    await storage.putEndpoint(endpoint(1, { style: 'connections' }))
    const url = 'https://own.example/'
    await storage.authorize(telling(connection(1, 'a'), () => [event('a', { url })]))
    await storage.putEndpoint(endpoint(1, { revision: 2 }))
    const told = delivery(1, 'a', { style: 'connections', body: '{"other of":"a"}', url })
    assert.deepEqual(await second.deliveries(1, 10), [told])
  })

  test('that a connection is flagged is told once, with it, and by whom it is flagged first', async t => {
    const { storage, second } = await begin(t)
    const type = 'connection.reauthorization_required'
    await storage.putEndpoint(endpoint(1, { events: [type] }))
    await add(storage, connection(1, 'a'))
    const why = { cause: 'refresh_refused', message: 'No.' } as const
    const flag = (by: typeof storage, revision: number, id: string) =>
      by.flagConnection(1, 'a', revision, why, at(5), [event(id, { type })])
    const { credentialRevision } = connection(1, 'a')
    assert.equal(await flag(storage, credentialRevision + 1, 'late'), false)
    assert.deepEqual(await storage.deliveries(1, 10), [])
    await Promise.all([storage, second, storage, second].map((by, n) => flag(by, credentialRevision, `e${n}`)))
    const deliveries = await second.deliveries(1, 10)
    assert.deepEqual(
      deliveries.map(each => [each.type, each.status]),
      [[type, 'pending']],
    )
    // Both stand or neither does.
    await add(storage, connection(1, 'b'))
    const twice = [event('x', { type }), event('x', { type })]
    await assert.rejects(storage.flagConnection(1, 'b', credentialRevision, why, at(5), twice))
    assert.equal((await storage.connectionById(1, 'b'))?.status, 'connected')
  })

  test('connection and delivery stand or fall together', async t => {
    const { storage } = await begin(t)
    await storage.putEndpoint(endpoint(1))
    await storage.addAttempt(attempt(1, 'state'))
    // No event: it throws.
    const throwing = () => {
      throw new Error('planted')
    }
    await assert.rejects(storage.authorize(telling(connection(1, 'a'), throwing)), /planted/)
    // A second delivery under one id.
    await assert.rejects(storage.authorize(telling(connection(1, 'a'), () => [event('x'), event('x')])))
    assert.equal(await get(storage, connection(1, 'a')), undefined)
    // What comes after it in the transaction throws.
    const late: Draft = {
      ...telling(connection(1, 'a'), () => [event('y')]),
      attempt: { stateHash: 'state', outcome: throwing },
    }
    await assert.rejects(storage.authorize(late), /planted/)
    assert.equal(await get(storage, connection(1, 'a')), undefined)
    assert.deepEqual(await storage.deliveries(1, 10), [])
    assert.equal((await storage.attempt(1, 'state'))?.outcome, undefined)
    await add(storage, connection(1, 'a'))
  })

  test('the log is newest first, of one environment, and no longer than asked for', async t => {
    const { storage } = await begin(t)
    for (const [id, seconds] of [
      ['b', 1],
      ['a', 2],
      ['c', 2],
    ] as const)
      await storage.addDelivery(1, event(id, { createdAt: at(seconds), type: 'webhook.test' }), 'standard')
    await storage.addDelivery(2, event('d'), 'standard')
    const ids = async (limit: number) => (await storage.deliveries(1, limit)).map(each => each.id)
    assert.deepEqual(await ids(10), ['c', 'a', 'b'])
    assert.deepEqual(await ids(2), ['c', 'a'])
    assert.equal((await storage.delivery(1, 'a'))?.type, 'webhook.test')
    assert.equal(await storage.delivery(1, 'd'), undefined)
  })

  test('what is due is claimed, the longest due first, of every environment', async t => {
    const { storage, second } = await begin(t)
    for (const [environmentId, id, seconds] of [
      [1, 'a', 3],
      [2, 'b', 1],
      [1, 'c', 2],
      [1, 'd', 11],
    ] as const)
      await storage.addDelivery(environmentId, event(id, { createdAt: at(seconds) }), 'standard')
    assert.deepEqual(await storage.claimDeliveries(at(0), at(15), 10), [])
    assert.deepEqual(await storage.claimDeliveries(at(10), at(25), 2), [
      delivery(2, 'b', { createdAt: at(1), ...claimed(25) }),
      delivery(1, 'c', { createdAt: at(2), ...claimed(25) }),
    ])
    assert.deepEqual(await second.claimDeliveries(at(10), at(25), 10), [
      delivery(1, 'a', { createdAt: at(3), ...claimed(25) }),
    ])
    assert.deepEqual(await storage.delivery(1, 'c'), delivery(1, 'c', { createdAt: at(2), ...claimed(25) }))
    // A claim that nobody ended lapses.
    await storage.endDelivery(1, 'a', 1, { status: 'delivered', at: at(12) })
    assert.deepEqual(
      (await storage.claimDeliveries(at(24), at(40), 10)).map(each => each.id),
      ['d'],
    )
    assert.deepEqual(
      (await second.claimDeliveries(at(25), at(40), 10)).map(each => [each.id, each.tries]),
      [
        ['b', 2],
        ['c', 2],
      ],
    )
  })

  test('each is claimed by exactly one of many at once', async t => {
    const { storage, second } = await begin(t)
    for (let n = 0; n < 20; n++) await storage.addDelivery(1, event(`e${n}`), 'standard')
    const claims = await Promise.all(
      Array.from({ length: 10 }, (_, n) => (n % 2 ? storage : second).claimDeliveries(at(1), at(16), 20)),
    )
    const all = claims.flat()
    assert.equal(all.length, 20)
    assert.equal(new Set(all.map(each => each.id)).size, 20)
    assert.ok(all.every(each => each.tries === 1))
  })

  test('the end of a try is recorded, whatever it is', async t => {
    const { storage, second } = await begin(t)
    for (const id of ['a', 'b', 'c']) await storage.addDelivery(1, event(id), 'standard')
    await storage.claimDeliveries(at(0), at(15), 10)
    const sentTo = 'https://app.example/webhooks'
    assert.equal(
      await storage.endDelivery(1, 'a', 1, { status: 'delivered', at: at(1), sentTo, lastStatus: 204 }),
      true,
    )
    const waiting = { sentTo, lastStatus: 500, lastError: 'No.' }
    assert.equal(await storage.endDelivery(1, 'b', 1, { status: 'pending', at: at(6), ...waiting }), true)
    assert.equal(await storage.endDelivery(1, 'c', 1, { status: 'failed', at: at(3), lastError: 'Down.' }), true)
    const common = { tries: 1, availableAt: at(15) }
    assert.deepEqual(await second.deliveries(1, 10), [
      delivery(1, 'c', { ...common, status: 'failed', lastError: 'Down.' }),
      delivery(1, 'b', { ...common, availableAt: at(6), ...waiting }),
      delivery(1, 'a', { ...common, status: 'delivered', deliveredAt: at(1), sentTo, lastStatus: 204 }),
    ])
    // The next try leaves nothing of the one before.
    await storage.claimDeliveries(at(6), at(21), 10)
    assert.equal(await storage.endDelivery(1, 'b', 2, { status: 'delivered', at: at(7), lastStatus: 200 }), true)
    const { sentTo: _, lastError: __, ...bare } = delivery(1, 'b', { tries: 2, availableAt: at(21) })
    assert.deepEqual(await second.delivery(1, 'b'), {
      ...bare,
      status: 'delivered',
      deliveredAt: at(7),
      lastStatus: 200,
    })
  })

  test('a late end never overwrites a later try, nor what is over', async t => {
    const { storage, second } = await begin(t)
    await storage.addDelivery(1, event('a'), 'standard')
    await storage.addDelivery(2, event('a'), 'standard')
    await storage.claimDeliveries(at(0), at(15), 10)
    await second.claimDeliveries(at(15), at(30), 10)
    const late = { status: 'failed', at: at(16), lastError: 'Late.' } as const
    assert.equal(await storage.endDelivery(1, 'a', 1, late), false)
    assert.equal(await storage.endDelivery(1, 'b', 2, late), false)
    assert.deepEqual(await storage.delivery(1, 'a'), delivery(1, 'a', claimed(30, 2)))
    assert.equal(await second.endDelivery(1, 'a', 2, { status: 'delivered', at: at(17), lastStatus: 200 }), true)
    assert.equal(await storage.endDelivery(1, 'a', 2, late), false)
    assert.equal((await storage.delivery(1, 'a'))?.status, 'delivered')
    assert.deepEqual(await storage.delivery(2, 'a'), delivery(2, 'a', claimed(30, 2)))
  })

  test('a delivery is sent again on demand, whatever became of it, but not while it is being sent', async t => {
    const { storage, second } = await begin(t)
    for (const id of ['a', 'b', 'c']) await storage.addDelivery(1, event(id), 'standard')
    await storage.claimDeliveries(at(0), at(15), 10)
    await storage.endDelivery(1, 'a', 1, { status: 'delivered', at: at(1), lastStatus: 200 })
    await storage.endDelivery(1, 'b', 1, { status: 'pending', at: at(600), lastStatus: 500 })
    for (const id of ['a', 'b', 'c']) assert.equal(await storage.redeliver(1, id, at(10)), true)
    assert.equal(await storage.redeliver(2, 'a', at(10)), false)
    assert.equal(await storage.redeliver(1, 'x', at(10)), false)
    assert.deepEqual(
      (await second.claimDeliveries(at(10), at(25), 10)).map(each => [each.id, each.tries, each.deliveredAt]),
      [
        ['a', 2, undefined],
        ['b', 2, undefined],
      ],
    )
    // Its claim has lapsed.
    assert.equal(await storage.redeliver(1, 'c', at(15)), true)
    assert.deepEqual(await storage.delivery(1, 'c'), delivery(1, 'c', { tries: 1, availableAt: at(15) }))
    await storage.endDelivery(1, 'a', 2, { status: 'failed', at: at(11) })
    assert.equal(await storage.redeliver(1, 'a', at(20)), true)
    assert.equal((await storage.delivery(1, 'a'))?.status, 'pending')
  })

  test('the sweep removes what is over and old, and counts it', async t => {
    const { storage } = await begin(t)
    for (const [environmentId, id, seconds] of [
      [1, 'a', 1],
      [2, 'b', 2],
      [1, 'c', 3],
      [1, 'd', 4],
    ] as const)
      await storage.addDelivery(environmentId, event(id, { createdAt: at(seconds) }), 'standard')
    await storage.claimDeliveries(at(9), at(24), 10)
    await storage.endDelivery(1, 'a', 1, { status: 'delivered', at: at(9) })
    await storage.endDelivery(2, 'b', 1, { status: 'failed', at: at(9) })
    await storage.endDelivery(1, 'd', 1, { status: 'delivered', at: at(9) })
    assert.equal(await storage.sweepDeliveries(at(4)), 2)
    assert.equal(await storage.sweepDeliveries(at(4)), 0)
    assert.deepEqual(
      (await storage.deliveries(1, 10)).map(each => each.id),
      ['d', 'c'],
    )
    assert.deepEqual(await storage.deliveries(2, 10), [])
  })
}
