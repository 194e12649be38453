/** What every implementation of `src/core/storage.ts` must do: the sentences of its comments, each as a test. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Begin, connectionContract } from './storage.connections.ts'
import { countContract } from './storage.counts.ts'
import {
  add,
  at,
  attempt,
  bytes,
  connection,
  environment,
  failed,
  integration,
  key,
  type Opened,
  succeeded,
} from './storage.fixtures.ts'
import { listenerContract } from './storage.listeners.ts'
import { moveContract } from './storage.moves.ts'
import { peopleContract } from './storage.people.ts'
import { refreshContract } from './storage.refreshes.ts'
import { searchContract } from './storage.search.ts'
import { sessionContract } from './storage.sessions.ts'
import { webhookContract } from './storage.webhooks.ts'

export const storageContract = (name: string, open: () => Promise<Opened>): void => {
  /** Two environments, an integration `github` in each. */
  const begin: Begin = async t => {
    const { storage, second = storage, close } = await open()
    t.after(close)
    for (const id of [1, 2]) {
      assert.equal(await storage.addEnvironment(environment(id)), true)
      assert.equal(await storage.addIntegration(integration(id, 'github')), true)
    }
    return { storage, second }
  }
  suite(`storage ${name}: marks, environments, keys, integrations`, () => {
    test('answers while it is open, and throws once it is closed', async () => {
      const { storage, close } = await open()
      await storage.ping()
      await close()
      await assert.rejects(async () => storage.ping())
    })

    test('a mark is written once: the first value stays, and everyone is told it', async t => {
      const { storage, second } = await begin(t)
      assert.equal(await storage.marked('m'), undefined)
      const told = await Promise.all(
        Array.from({ length: 20 }, (_, n) => (n % 2 ? storage : second).mark('m', bytes(n))),
      )
      const [first] = told
      for (const value of told) assert.deepEqual(value, first)
      assert.deepEqual(await second.marked('m'), first)
      assert.deepEqual(await storage.mark('m', bytes(99)), first)
      assert.deepEqual(await second.marked('m'), first)
      assert.equal(await storage.marked('n'), undefined)
    })

    test('environments come oldest first, whole', async t => {
      const { storage, second } = await begin(t)
      const early = environment(2 ** 53 - 1, { createdAt: at(-5), hmacKey: bytes(9) })
      assert.equal(await storage.addEnvironment(early), true)
      assert.deepEqual(await second.environments(), [early, environment(1), environment(2)])
    })

    test('an environment whose name or public key is taken is not written', async t => {
      const { storage } = await begin(t)
      assert.equal(await storage.addEnvironment(environment(3, { name: 'env-1' })), false)
      assert.equal(await storage.addEnvironment(environment(4, { publicKey: 'pk-1' })), false)
      assert.deepEqual(await storage.environments(), [environment(1), environment(2)])
    })

    test('an HMAC key is set and taken away, of one environment', async t => {
      const { storage } = await begin(t)
      await storage.setHmacKey(1, bytes(5, 6))
      assert.deepEqual(await storage.environments(), [environment(1, { hmacKey: bytes(5, 6) }), environment(2)])
      await storage.setHmacKey(2, undefined)
      await storage.setHmacKey(1, undefined)
      assert.deepEqual(await storage.environments(), [environment(1), environment(2)])
    })

    test('an allow-list holds each URL once, apart by environment and kind', async t => {
      const { storage } = await begin(t)
      for (const url of ['https://b.example/x', 'https://a.example/x', 'https://b.example/x'])
        await storage.allow(1, 'redirect', url)
      await storage.allow(1, 'origin', 'https://o.example')
      await storage.allow(2, 'redirect', 'https://b.example/x')
      assert.deepEqual(await storage.allowed(1, 'redirect'), ['https://a.example/x', 'https://b.example/x'])
      assert.equal(await storage.disallow(1, 'redirect', 'https://o.example'), false)
      assert.equal(await storage.disallow(2, 'origin', 'https://o.example'), false)
      assert.equal(await storage.disallow(1, 'redirect', 'https://b.example/x'), true)
      assert.equal(await storage.disallow(1, 'redirect', 'https://b.example/x'), false)
      assert.deepEqual(await storage.allowed(1, 'redirect'), ['https://a.example/x'])
      assert.deepEqual(await storage.allowed(2, 'redirect'), ['https://b.example/x'])
      assert.deepEqual(await storage.allowed(1, 'origin'), ['https://o.example'])
    })

    test('keys of every environment come oldest first, revoked ones too', async t => {
      const { storage, second } = await begin(t)
      for (const each of [key(1, 'b', { createdAt: at(2) }), key(2, 'a'), key(1, 'c', { createdAt: at(3) })])
        await storage.addKey(each)
      assert.equal(await storage.revokeKey(1, 'b', at(9)), true)
      assert.deepEqual(await second.keys(), [
        key(2, 'a'),
        key(1, 'b', { createdAt: at(2), revokedAt: at(9) }),
        key(1, 'c', { createdAt: at(3) }),
      ])
    })

    test('a key is revoked once, in its own environment only', async t => {
      const { storage } = await begin(t)
      await storage.addKey(key(1, 'a'))
      assert.equal(await storage.revokeKey(2, 'a', at(1)), false)
      assert.equal(await storage.revokeKey(1, 'b', at(1)), false)
      assert.equal(await storage.revokeKey(1, 'a', at(2)), true)
      assert.equal(await storage.revokeKey(1, 'a', at(3)), false)
      assert.deepEqual(await storage.keys(), [key(1, 'a', { revokedAt: at(2) })])
    })

    test('the epoch moves with every change of keys, at once here and soon there, and rests otherwise', async t => {
      const { storage, second } = await begin(t)
      let last = await storage.epoch()
      const moved = async (work: Promise<unknown>, here: boolean) => {
        await work
        const since = performance.now()
        while ((await storage.epoch()) === last) {
          assert.ok(!here, 'a change made here moves it at once')
          assert.ok(performance.now() - since < 1000, 'a change made there moves it within a second')
          await new Promise(again => setTimeout(again, 10))
        }
        last = await storage.epoch()
      }
      await moved(storage.addKey(key(1, 'a')), true)
      await moved(second.addKey(key(1, 'b')), false)
      await moved(storage.revokeKey(1, 'b', at(1)), true)
      await moved(second.revokeKey(1, 'a', at(1)), false)
      await add(storage, connection(1, 'a'))
      await storage.revokeKey(1, 'a', at(2))
      assert.equal(await storage.epoch(), last)
    })

    test('integrations come by key, whole, and a taken key is not written again', async t => {
      const { storage } = await begin(t)
      const other = integration(1, 'a-sandbox', {
        limits: { idleSeconds: 5 },
        sandbox: true,
        scopes: [],
        settings: {},
        clientSecret: bytes(0),
      })
      assert.equal(await storage.addIntegration(other), true)
      assert.equal(await storage.addIntegration(integration(1, 'github', { id: 'other', clientId: 'x' })), false)
      assert.deepEqual(await storage.integrations(1), [other, integration(1, 'github')])
      assert.deepEqual(await storage.integration(1, 'a-sandbox'), other)
      assert.equal(await storage.integration(1, 'nothing'), undefined)
      assert.equal(await storage.integration(2, 'a-sandbox'), undefined)
      assert.deepEqual(await storage.integrations(2), [integration(2, 'github')])
    })

    test('names are compared and ordered byte by byte', async t => {
      const { storage } = await begin(t)
      for (const name of ['a', 'B', 'a-b', 'ab', 'Z', '_']) await storage.addIntegration(integration(1, name))
      const order = (await storage.integrations(1)).map(each => each.key)
      assert.deepEqual(order, ['B', 'Z', '_', 'a', 'a-b', 'ab', 'github'])
      assert.equal(await storage.integration(1, 'A'), undefined)
    })

    test('an integration is removed only while no connection stands on it', async t => {
      const { storage } = await begin(t)
      await storage.addIntegration(integration(2, 'only-2'))
      await add(storage, connection(1, 'a'))
      assert.equal(await storage.removeIntegration(1, 'github'), 'in use')
      assert.deepEqual(await storage.integration(1, 'github'), integration(1, 'github'))
      assert.equal(await storage.removeIntegration(1, 'only-2'), 'unknown')
      assert.equal(await storage.removeIntegration(2, 'github'), 'removed')
      assert.equal(await storage.removeIntegration(2, 'github'), 'unknown')
      assert.deepEqual(await storage.integrations(2), [integration(2, 'only-2')])
    })
  })

  suite(`storage ${name}: attempts`, () => {
    test('an attempt is kept as it is', async t => {
      const { storage, second } = await begin(t)
      const whole = attempt(1, 'whole', {
        connectionId: 'ünï',
        endUserId: 'u1',
        trust: 'proven',
        duplicate: true,
        scopes: ['a', 'b'],
        config: { shop: 'acme' },
        issuer: 'https://issuer.example',
        issuerAlways: true,
        verifier: bytes(0, 7, 255),
        returnTo: 'https://app.example/done?x=1',
      })
      await storage.addAttempt(whole)
      await storage.addAttempt(attempt(1, 'bare'))
      assert.deepEqual(await second.attempt(1, 'whole'), whole)
      assert.deepEqual(await second.attempt(1, 'bare'), attempt(1, 'bare'))
      assert.equal(await storage.attempt(1, 'none'), undefined)
    })

    test('an attempt is taken exactly once among fifty at once', async t => {
      const { storage, second } = await begin(t)
      for (let round = 0; round < 5; round++) {
        await storage.addAttempt(attempt(1, `s${round}`, { verifier: bytes(1) }))
        const takes = Array.from({ length: 50 }, (_, n) =>
          (n % 2 ? storage : second).takeAttempt(1, `s${round}`, 'browser', at(5)),
        )
        const taken = (await Promise.all(takes)).filter(each => each !== undefined)
        assert.deepEqual(taken, [attempt(1, `s${round}`, { verifier: bytes(1), takenAt: at(5) })])
      }
    })

    test('an attempt is not taken in another browser or environment, nor from its deadline on', async t => {
      const { storage } = await begin(t)
      await storage.addAttempt(attempt(1, 's'))
      assert.equal(await storage.takeAttempt(1, 's', 'other', at(1)), undefined)
      assert.equal(await storage.takeAttempt(1, 's', '', at(1)), undefined)
      assert.equal(await storage.takeAttempt(2, 's', 'browser', at(1)), undefined)
      assert.equal(await storage.takeAttempt(1, 'other', 'browser', at(1)), undefined)
      assert.equal(await storage.takeAttempt(1, 's', 'browser', at(600)), undefined)
      assert.deepEqual(await storage.attempt(1, 's'), attempt(1, 's'))
      assert.deepEqual((await storage.takeAttempt(1, 's', 'browser', at(599)))?.takenAt, at(599))
    })

    test('the first outcome stays, and the verifier is gone', async t => {
      const { storage } = await begin(t)
      await storage.addAttempt(attempt(1, 's', { verifier: bytes(1) }))
      await storage.addAttempt(attempt(2, 's', { verifier: bytes(2) }))
      await storage.takeAttempt(1, 's', 'browser', at(5))
      await storage.endAttempt(1, 's', failed, at(6))
      await storage.endAttempt(1, 's', succeeded(connection(1, 'a')), at(7))
      assert.deepEqual(await storage.attempt(1, 's'), attempt(1, 's', { takenAt: at(5), outcome: failed }))
      assert.deepEqual(await storage.attempt(2, 's'), attempt(2, 's', { verifier: bytes(2) }))
    })

    test('the sweep removes those whose deadline has passed, and counts them', async t => {
      const { storage } = await begin(t)
      for (const [environmentId, state, end] of [
        [1, 'a', 10],
        [2, 'b', 19],
        [1, 'c', 20],
        [2, 'd', 30],
      ] as const)
        await storage.addAttempt(attempt(environmentId, state, { expiresAt: at(end) }))
      assert.equal(await storage.sweepAttempts(at(20)), 2)
      assert.equal(await storage.sweepAttempts(at(20)), 0)
      assert.equal(await storage.attempt(1, 'a'), undefined)
      assert.equal(await storage.attempt(2, 'b'), undefined)
      assert.ok((await storage.attempt(1, 'c')) && (await storage.attempt(2, 'd')))
    })
  })

  suite(`storage ${name}: connections`, () => connectionContract(begin))

  suite(`storage ${name}: people`, () => peopleContract(begin))
  suite(`storage ${name}: far pages`, () => countContract(begin))
  suite(`storage ${name}: searches`, () => searchContract(begin))
  suite(`storage ${name}: sessions`, () => sessionContract(begin))
  suite(`storage ${name}: listeners`, () => listenerContract(begin))
  suite(`storage ${name}: refreshes`, () => refreshContract(begin))
  suite(`storage ${name}: webhooks`, () => webhookContract(begin))
  suite(`storage ${name}: moves`, () => moveContract(begin))
}
