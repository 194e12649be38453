/** The part of the storage contract on connections: authorize, read, swap, flag. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Connection, type CredentialRow, toCredentialRow, toReadRow } from '../src/core/connection.ts'
import type { Storage } from '../src/core/storage.ts'
import {
  add,
  at,
  attempt,
  bytes,
  connection,
  draft,
  environment,
  failed,
  full,
  get,
  integration,
  key,
  succeeded,
} from './storage.fixtures.ts'

/** Opens a storage, perhaps twice, with the environments 1 and 2, and an integration `github` in each. */
export type Begin = (t: TestContext) => Promise<{ storage: Storage; second: Storage }>

export const connectionContract = (begin: Begin): void => {
  const refused = { cause: 'refresh_ambiguous', message: 'refused' } as const
  const account = { accountKey: '["w1","p1"]', endUserId: '' }

  test('a new connection is written whole, and its attempt ends with it', async t => {
    const { storage, second } = await begin(t)
    await storage.addAttempt(attempt(1, 'state', { verifier: bytes(1) }))
    await storage.addAttempt(attempt(2, 'state', { verifier: bytes(1) }))
    const row = connection(1, 'a', { ...full, endUserId: 'u1', number: 2 ** 53 - 1 })
    assert.deepEqual(await storage.authorize(draft(row, undefined)), row)
    assert.deepEqual(await get(second, row), row)
    assert.deepEqual(await second.attempt(1, 'state'), attempt(1, 'state', { outcome: succeeded(row) }))
    assert.deepEqual(await second.attempt(2, 'state'), attempt(2, 'state', { verifier: bytes(1) }))
    await add(storage, connection(1, 'b'))
    assert.deepEqual(await get(second, connection(1, 'b')), connection(1, 'b'))
  })

  test('the hot read is the row as readers need it, with its renewal part only for who asks', async t => {
    const { storage, second } = await begin(t)
    const rows = [
      connection(1, 'a', { ...full, endUserId: 'u1', number: 2 ** 53 - 1, kind: 'basic' }),
      connection(1, 'b', { metadata: { 'ä"\\': '\u2028', __proto__x: 1 }, access: bytes() }),
    ]
    for (const row of rows) await add(storage, row)
    const read = async (row: Connection, withRenewal: boolean, environmentId = 1) => {
      const found = await second.hot(environmentId, row.integrationKey, row.connectionId, withRenewal)
      const less = await second.hotCredential(environmentId, row.integrationKey, row.connectionId)
      const named = Object.keys(toCredentialRow(row)) as (keyof CredentialRow)[]
      assert.deepEqual(less && { ...less }, found && Object.fromEntries(named.map(name => [name, found[name]])))
      return found && { ...found }
    }
    // All of one turn, and one by itself.
    for (const withRenewal of [true, false])
      assert.deepEqual(
        await Promise.all(rows.map(row => read(row, withRenewal))),
        rows.map(row => toReadRow(row, withRenewal)),
      )
    for (const row of rows) {
      assert.deepEqual(await read(row, true), toReadRow(row, true))
      assert.equal(await read(row, true, 2), undefined)
      assert.equal(await read({ ...row, connectionId: row.connectionId.toUpperCase() }, true), undefined)
      assert.equal(await read({ ...row, integrationKey: 'other' }, true), undefined)
    }
    const [a, b] = rows
    assert.ok(a && b)
    await storage.swapCredential(1, b.id, 1, { access: bytes(7), renewal: bytes(8), obtainedAt: at(9) })
    const { access, renewable, renewal, obtainedAt, updatedAt } = (await read(b, true)) ?? {}
    assert.deepEqual(
      [access, renewable, renewal, obtainedAt, updatedAt],
      [bytes(7), 1, bytes(8), at(9).getTime(), at(9).getTime()],
    )
    await storage.deleteConnection(1, a.id, at(10))
    assert.equal(await read(a, false), undefined)
  })

  test('the one with the caller’s id is repaired, as decide composes it', async t => {
    const { storage } = await begin(t)
    const [row, bystander] = [connection(1, 'a', full), connection(1, 'b')]
    await add(storage, row)
    await add(storage, bystander)
    const next = connection(1, 'new', { access: bytes(99), updatedAt: at(9) })
    let seen: unknown
    const asked = draft(next, { connectionId: row.connectionId })
    await storage.authorize({
      ...asked,
      decide: found => {
        seen = found
        return asked.decide(found)
      },
    })
    assert.deepEqual(seen, { connection: row, accountKey: undefined })
    const { id, number, connectionId } = row
    const repaired = { ...next, id, number, connectionId, credentialRevision: 2 }
    assert.deepEqual(await storage.connections(1, {}), [bystander, repaired])
  })

  test('the one of the same account and end user is repaired, and no other', async t => {
    const { storage } = await begin(t)
    await storage.addIntegration(integration(1, 'other'))
    await storage.authorize(draft(connection(1, 'a'), account))
    for (const [row, find] of [
      [connection(1, 'b', { endUserId: 'u2' }), { ...account, endUserId: 'u2' }],
      [connection(1, 'c'), { ...account, accountKey: '["w2","p1"]' }],
      [connection(1, 'd', { integrationKey: 'other' }), account],
      [connection(2, 'a'), account],
    ] as const)
      assert.deepEqual(await storage.authorize(draft(row, find)), row)
    const again = await storage.authorize(draft(connection(1, 'e', { access: bytes(7) }), account))
    assert.deepEqual([again.id, again.credentialRevision], ['a', 2])
    assert.deepEqual((await storage.connections(1, {})).map(each => each.id).sort(), ['a', 'b', 'c', 'd'])
    assert.deepEqual((await get(storage, connection(1, 'a')))?.access, bytes(7))
    assert.deepEqual(await get(storage, connection(2, 'a')), connection(2, 'a'))
  })

  test('without an account key each authorization is a connection of its own', async t => {
    const { storage } = await begin(t)
    const rows = ['a', 'b', 'c'].map(id => connection(1, id))
    for (const row of rows) await storage.authorize(draft(row, undefined))
    assert.equal((await storage.connections(1, {})).length, 3)
    await storage.authorize(draft(connection(1, 'd'), account))
    assert.equal((await storage.connections(1, {})).length, 4)
  })

  test('a decide that throws writes nothing', async t => {
    const { storage, second } = await begin(t)
    const row = connection(1, 'a', full)
    await add(storage, row)
    await storage.addAttempt(attempt(1, 'state', { verifier: bytes(1) }))
    for (const find of [{ connectionId: row.connectionId }, { connectionId: 'new' }, undefined]) {
      const refusing = {
        ...draft(connection(1, 'b'), find),
        decide: () => {
          throw new Error('may not')
        },
      }
      await assert.rejects(storage.authorize(refusing), /^Error: may not$/)
    }
    assert.deepEqual(await second.connections(1, {}), [row])
    assert.deepEqual(await second.attempt(1, 'state'), attempt(1, 'state', { verifier: bytes(1) }))
    await add(second, connection(1, 'b'))
  })

  test('a row that cannot be written leaves the attempt as it was', async t => {
    const { storage } = await begin(t)
    await add(storage, connection(1, 'a'))
    await storage.addAttempt(attempt(1, 'state'))
    for (const over of [{ number: connection(1, 'a').number }, { connectionId: 'named a' }, { integrationKey: 'none' }])
      await assert.rejects(storage.authorize(draft(connection(1, 'b', over), undefined)))
    await assert.rejects(
      storage.authorize({
        ...draft(connection(1, 'c'), undefined),
        attempt: {
          stateHash: 'state',
          outcome: () => {
            throw new Error('late')
          },
        },
      }),
      /^Error: late$/,
    )
    assert.deepEqual(await storage.connections(1, {}), [connection(1, 'a')])
    assert.deepEqual(await storage.attempt(1, 'state'), attempt(1, 'state'))
  })

  test('twenty authorizations of one account at once give one row, and none is lost', async t => {
    const { storage, second } = await begin(t)
    const written = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 ? storage : second).authorize(draft(connection(1, `x${n}`), account, `s${n}`)),
      ),
    )
    assert.equal(new Set(written.map(row => row.id)).size, 1)
    assert.deepEqual(
      written.map(row => row.credentialRevision).sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, n) => n + 1),
    )
    const rows = await storage.connections(1, {})
    assert.deepEqual([rows.length, rows[0]?.credentialRevision], [1, 20])
  })

  test('twenty authorizations under one caller’s id at once give one row', async t => {
    const { storage, second } = await begin(t)
    const find = { connectionId: 'mine' }
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 ? storage : second).authorize(draft(connection(1, `x${n}`, find), find, `s${n}`)),
      ),
    )
    const rows = await second.connections(1, {})
    assert.deepEqual([rows.length, rows[0]?.credentialRevision], [1, 20])
  })

  test('connections come newest first, and by the caller’s id across integrations', async t => {
    const { storage } = await begin(t)
    await storage.addIntegration(integration(1, 'other'))
    const rows = [
      connection(1, 'b', { createdAt: at(1) }),
      connection(1, 'a', { createdAt: at(3), connectionId: 'same' }),
      connection(1, 'c', { createdAt: at(2), connectionId: 'same', integrationKey: 'other' }),
    ]
    for (const row of rows) await add(storage, row)
    const ids = async (filter: { connectionId?: string }) => (await storage.connections(1, filter)).map(({ id }) => id)
    assert.deepEqual(await ids({}), ['a', 'c', 'b'])
    assert.deepEqual(await ids({ connectionId: 'same' }), ['a', 'c'])
    assert.deepEqual(await ids({ connectionId: 'none' }), [])
    assert.deepEqual(await storage.connections(2, {}), [])
    assert.deepEqual(await get(storage, connection(1, 'c', { connectionId: 'same', integrationKey: 'other' })), rows[2])
    assert.equal(await storage.connection(1, 'github', 'none'), undefined)
  })

  const renewed = { access: bytes(50), renewal: bytes(51), expiresAt: at(900), obtainedAt: at(100), scopes: ['z'] }

  test('a renewed credential replaces the one it was made from, and nothing else of the row', async t => {
    const { storage, second } = await begin(t)
    const [row, bystander] = [connection(1, 'a', { ...full, credentialRevision: 4 }), connection(1, 'b', full)]
    await add(storage, row)
    await add(storage, bystander)
    assert.equal(await storage.swapCredential(1, 'a', 4, renewed), true)
    const { statusReason: _, ...rest } = row
    const expected = { ...rest, ...renewed, status: 'connected', credentialRevision: 5, updatedAt: at(100) }
    assert.deepEqual(await get(second, row), expected)
    assert.deepEqual(await get(second, bystander), bystander)
    const found = await storage.authorize(draft(connection(1, 'z'), { connectionId: row.connectionId }))
    assert.equal(found.id, 'a')
  })

  test('a renewed credential without renewal, end or scopes leaves none of the old ones', async t => {
    const { storage } = await begin(t)
    await add(storage, connection(1, 'a', full))
    assert.equal(await storage.swapCredential(1, 'a', 1, { access: bytes(1), obtainedAt: at(1) }), true)
    const after = await get(storage, connection(1, 'a'))
    assert.ok(after)
    for (const name of ['renewal', 'expiresAt', 'scopes', 'statusReason']) assert.equal(name in after, false, name)
  })

  test('a swap from another revision writes nothing', async t => {
    const { storage } = await begin(t)
    const row = connection(1, 'a', { ...full, credentialRevision: 4 })
    await add(storage, row)
    for (const [environmentId, id, from] of [
      [1, 'a', 3],
      [1, 'a', 5],
      [2, 'a', 4],
      [1, 'b', 4],
    ] as const)
      assert.equal(await storage.swapCredential(environmentId, id, from, renewed), false)
    assert.deepEqual(await get(storage, row), row)
  })

  test('of twenty swaps at once from one revision, one is made', async t => {
    const { storage, second } = await begin(t)
    await add(storage, connection(1, 'a'))
    const swaps = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 ? storage : second).swapCredential(1, 'a', 1, { ...renewed, access: bytes(n) }),
      ),
    )
    assert.equal(swaps.filter(Boolean).length, 1)
    const after = await get(storage, connection(1, 'a'))
    assert.deepEqual([after?.access, after?.credentialRevision], [bytes(swaps.indexOf(true)), 2])
  })

  test('a failure is written over the credential it is of, never over a newer one', async t => {
    const { storage, second } = await begin(t)
    const [row, bystander] = [connection(1, 'a', { credentialRevision: 2 }), connection(1, 'b')]
    await add(storage, row)
    await add(storage, bystander)
    const flag = (environmentId: number, id: string, from: number) =>
      storage.flagConnection(environmentId, id, from, refused, at(7))
    for (const stale of [await flag(1, 'a', 1), await flag(1, 'a', 3), await flag(2, 'a', 2)])
      assert.equal(stale, false)
    assert.deepEqual(await get(second, row), row)
    assert.equal(await flag(1, 'a', 2), true)
    const flagged = {
      status: 'reauthorization_required',
      statusReason: refused.message,
      statusCause: refused.cause,
      updatedAt: at(7),
    }
    assert.deepEqual(await get(second, row), { ...row, ...flagged })
    assert.deepEqual(await get(second, bystander), bystander)
    assert.equal(await storage.swapCredential(1, 'a', 2, renewed), true)
    assert.equal(await flag(1, 'a', 2), false)
    assert.equal((await get(storage, row))?.status, 'connected')
  })

  test('metadata is set or merged beside everything else, also while a credential is swapped', async t => {
    const { storage, second } = await begin(t)
    const row = connection(1, 'a', { ...full, status: 'connected' })
    await add(storage, row)
    assert.equal(await storage.setMetadata(2, 'a', { x: 1 }, 'set', at(1)), undefined)
    assert.equal(await storage.setMetadata(1, 'b', { x: 1 }, 'set', at(1)), undefined)
    assert.deepEqual(await second.setMetadata(1, 'a', { x: 1, y: { z: 1 } }, 'set', at(2)), { x: 1, y: { z: 1 } })
    const merged = { x: 2, y: { z: 1 }, w: null }
    assert.deepEqual(await storage.setMetadata(1, 'a', { x: 2, w: null }, 'merge', at(3)), merged)
    const { statusReason: _, ...rest } = row
    assert.deepEqual(await get(second, row), { ...row, metadata: merged, updatedAt: at(3) })
    // The revision stays, so a swap that began before lands all the same, and takes nothing with it.
    assert.equal(await storage.swapCredential(1, 'a', 1, renewed), true)
    const { scopes: __, expiresAt: ___, ...bare } = rest
    assert.deepEqual(await get(second, row), {
      ...bare,
      ...renewed,
      metadata: merged,
      credentialRevision: 2,
      updatedAt: renewed.obtainedAt,
    })
    // Many at once lose nothing.
    const keys = Array.from({ length: 20 }, (_, n) => `k${n}`)
    await Promise.all(
      keys.map((key, n) => (n % 2 ? storage : second).setMetadata(1, 'a', { [key]: n }, 'merge', at(4))),
    )
    assert.deepEqual(Object.keys((await get(storage, row))?.metadata ?? {}).length, 23)
  })

  test('an expiry is noted of the credential that it is of', async t => {
    const { storage } = await begin(t)
    const row = connection(1, 'a', { credentialRevision: 2 })
    await add(storage, row)
    await storage.noteExpiry(1, 'a', 1, at(50))
    await storage.noteExpiry(2, 'a', 2, at(50))
    assert.deepEqual(await get(storage, row), row)
    await storage.noteExpiry(1, 'a', 2, at(60))
    assert.deepEqual(await get(storage, row), { ...row, expiresAt: at(60) })
  })

  test('ids, numbers and names are an environment’s own: the same ones in two are two things', async t => {
    const { storage } = await begin(t)
    for (const id of [1, 2]) {
      await storage.addKey(key(id, 'same'))
      await storage.addAttempt(attempt(id, 'same'))
      await storage.allow(id, 'origin', 'https://same.example')
      await storage.authorize(draft(connection(id, 'same', { facts: { id } }), account))
    }
    for (const id of [1, 2]) {
      assert.deepEqual(await storage.connections(id, {}), [connection(id, 'same', { facts: { id } })])
      assert.deepEqual(await get(storage, connection(id, 'same')), connection(id, 'same', { facts: { id } }))
    }
    assert.equal((await storage.keys()).length, 2)
  })

  test('nothing done in one environment is seen in, or changes, another', async t => {
    const { storage } = await begin(t)
    const row = connection(1, 'a', full)
    await storage.authorize(draft(row, account))
    await storage.addKey(key(1, 'k'))
    await storage.addAttempt(attempt(1, 's'))
    await storage.allow(1, 'redirect', 'https://a.example/')

    assert.deepEqual(await storage.allowed(2, 'redirect'), [])
    assert.equal(await storage.disallow(2, 'redirect', 'https://a.example/'), false)
    await storage.setHmacKey(2, bytes(1))
    assert.equal(await storage.revokeKey(2, 'k', at(1)), false)
    assert.equal(await storage.attempt(2, 's'), undefined)
    assert.equal(await storage.takeAttempt(2, 's', 'browser', at(1)), undefined)
    await storage.endAttempt(2, 's', failed, at(1))
    assert.equal(await storage.connection(2, 'github', row.connectionId), undefined)
    assert.deepEqual(await storage.connections(2, { connectionId: row.connectionId }), [])
    assert.equal(await storage.swapCredential(2, 'a', 1, renewed), false)
    assert.equal(await storage.flagConnection(2, 'a', 1, refused, at(1)), false)
    const theirs = await storage.authorize(draft(connection(2, 'b'), { connectionId: row.connectionId }, 's'))
    assert.equal(theirs.id, 'b')
    await storage.authorize(draft(connection(2, 'c'), account, 's'))
    assert.equal(await storage.removeIntegration(2, 'nothing'), 'unknown')

    assert.deepEqual(await storage.environments(), [environment(1), environment(2, { hmacKey: bytes(1) })])
    assert.deepEqual(await storage.allowed(1, 'redirect'), ['https://a.example/'])
    assert.deepEqual(await storage.keys(), [key(1, 'k')])
    assert.deepEqual(await storage.attempt(1, 's'), attempt(1, 's'))
    assert.deepEqual(await storage.connections(1, {}), [row])
  })
}
