/** The part of the storage contract on pages that wait to be told, and on what 0007 added to attempts and sessions. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConnectSession } from '../src/core/session.ts'
import type { Begin } from './storage.connections.ts'
import { add, at, attempt, bytes, connection, draft, failed, get, succeeded } from './storage.fixtures.ts'

export const listenerContract = (begin: Begin): void => {
  test('an attempt is untold from its end until it is noted, in whatever environment, under its own name only', async t => {
    const { storage, second } = await begin(t)
    await storage.addAttempt(attempt(1, 'a', { listener: 'one', connectionId: 'mine' }))
    await storage.addAttempt(attempt(2, 'b', { listener: 'two' }))
    await storage.addAttempt(attempt(1, 'c'))
    assert.deepEqual(await second.untold(['one', 'two']), [])
    await storage.endAttempt(2, 'b', failed, at(1))
    await storage.endAttempt(1, 'c', failed, at(1))
    const b = { environmentId: 2, stateHash: 'b', integrationKey: 'github', listener: 'two', outcome: failed }
    assert.deepEqual(await second.untold(['one', 'two']), [b])
    assert.deepEqual(await second.untold(['one']), [])
    // One that ends with a connection is untold from the same moment.
    const row = connection(1, 'x', { connectionId: 'mine' })
    await storage.authorize(draft(row, { connectionId: 'mine' }, 'a'))
    assert.deepEqual(await second.untold(['one']), [
      {
        environmentId: 1,
        stateHash: 'a',
        integrationKey: 'github',
        connectionId: 'mine',
        listener: 'one',
        outcome: succeeded(row),
      },
    ])
    await second.noteTold(1, 'a', at(9))
    assert.deepEqual(await storage.untold(['one', 'two']), [b])
    assert.deepEqual((await storage.attempt(1, 'a'))?.toldAt, at(9))
    assert.equal((await storage.attempt(2, 'b'))?.toldAt, undefined)
    assert.deepEqual(await storage.untold([]), [])
  })

  test('what an attempt may carry besides is kept whole; its client is wiped at the end, whatever the end', async t => {
    const { storage, second } = await begin(t)
    const whole = { client: bytes(1, 0, 255), repairs: 'row', listener: 'one' }
    for (const state of ['a', 'b']) await storage.addAttempt(attempt(1, state, whole))
    assert.deepEqual(await second.attempt(1, 'a'), attempt(1, 'a', whole))
    await storage.endAttempt(1, 'a', failed, at(1))
    await storage.authorize(draft(connection(1, 'x'), undefined, 'b'))
    for (const state of ['a', 'b']) assert.equal((await second.attempt(1, state))?.client, undefined)
    assert.equal((await second.attempt(1, 'a'))?.repairs, 'row')
  })

  test('a client of its own stays with a connection when its credential is swapped, and goes with the next authorization', async t => {
    const { storage } = await begin(t)
    const row = connection(1, 'x', { client: bytes(7, 0) })
    await add(storage, row)
    assert.deepEqual((await get(storage, row))?.client, bytes(7, 0))
    await storage.swapCredential(1, 'x', 1, { access: bytes(1), obtainedAt: at(5) })
    assert.deepEqual((await get(storage, row))?.client, bytes(7, 0))
    await storage.authorize(draft(connection(1, 'x'), { id: 'x' }, 'none'))
    assert.equal((await get(storage, row))?.client, undefined)
  })

  test('a session keeps what may be chosen, and is gone once it is deleted', async t => {
    const { storage, second } = await begin(t)
    const session: ConnectSession = {
      environmentId: 1,
      id: 's',
      tokenHash: 'token',
      integrationKey: '',
      choice: {
        allowed: ['github', 'notion'],
        fixed: { github: { params: { a: 'ü' }, authorizationParams: { prompt: 'login', access_type: null } } },
      },
      repairs: 'row',
      endUserId: '',
      caller: 'key-1',
      opens: 'token',
      dialect: 'page',
      duplicate: false,
      params: {},
      stateGiven: false,
      createdAt: at(0),
      expiresAt: at(1800),
    }
    await storage.addSession(session)
    assert.deepEqual(await second.session(1, { tokenHash: 'token' }), session)
    await storage.deleteSession(2, 's')
    assert.ok(await second.session(1, { id: 's' }))
    await storage.deleteSession(1, 's')
    assert.equal(await second.session(1, { id: 's' }), undefined)
  })
}
