/** The part of the storage contract on connect sessions, end users, and what is left of deleted connections. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConnectSession } from '../src/core/session.ts'
import type { Begin } from './storage.connections.ts'
import { add, at, attempt, bytes, connection, draft, failed, key, person, succeeded } from './storage.fixtures.ts'

const session = (environmentId: number, id: string, over: Partial<ConnectSession> = {}): ConnectSession => ({
  environmentId,
  id,
  tokenHash: `token-${environmentId}-${id}`,
  integrationKey: 'github',
  endUserId: '',
  caller: 'key-1',
  opens: 'link',
  dialect: 'page',
  duplicate: false,
  params: {},
  stateGiven: false,
  createdAt: at(0),
  expiresAt: at(1800),
  ...over,
})

export const sessionContract = (begin: Begin): void => {
  test('a session is kept whole, and found by id, token, code, and state with caller', async t => {
    const { storage, second } = await begin(t)
    const whole = session(1, 'a', {
      endUserId: 'u',
      duplicate: true,
      params: { subdomain: 'acme' },
      name: "Ünïcode's",
      returnTo: 'https://app.example/done?x=ü',
      state: bytes(1, 0),
      stateHash: 'state-a',
      stateGiven: true,
    })
    await storage.addSession(whole)
    await storage.addSession(session(1, 'b', { stateHash: 'state-a', caller: 'key-2' }))
    await storage.addSession(session(1, 'c', { stateHash: 'state-a', createdAt: at(5) }))
    assert.deepEqual(await second.session(1, { id: 'a' }), whole)
    assert.deepEqual(await second.session(1, { tokenHash: 'token-1-a' }), whole)
    assert.equal((await second.session(1, { stateHash: 'state-a', caller: 'key-2' }))?.id, 'b')
    // Of several the newest.
    assert.equal((await second.session(1, { stateHash: 'state-a', caller: 'key-1' }))?.id, 'c')
    assert.equal((await second.latestSession(1, 'key-1', 'github'))?.id, 'c')
    assert.equal(await second.latestSession(1, 'key-1', 'notion'), undefined)
    assert.equal(await second.latestSession(1, 'key-3', 'github'), undefined)
  })

  test('a session is found in its own environment only', async t => {
    const { storage } = await begin(t)
    await storage.addSession(session(1, 'a', { stateHash: 's' }))
    await storage.setSessionCode(1, 'a', { code: bytes(1), codeHash: 'code' })
    for (const by of [
      { id: 'a' },
      { tokenHash: 'token-1-a' },
      { codeHash: 'code' },
      { stateHash: 's', caller: 'key-1' },
    ]) {
      assert.equal((await storage.session(1, by))?.id, 'a', JSON.stringify(by))
      assert.equal(await storage.session(2, by), undefined, JSON.stringify(by))
    }
    assert.equal(await storage.latestSession(2, 'key-1', 'github'), undefined)
    assert.equal(await storage.bindSession(2, 'a', 'browser', at(1)), false)
    assert.equal(await storage.setSessionReturn(2, 'a', 'https://x.example/'), false)
    assert.equal(await storage.setSessionCode(2, 'a', { code: bytes(2), codeHash: 'other' }), undefined)
  })

  test('a session is kept to the browser that comes first, before its deadline, among two processes', async t => {
    const { storage, second } = await begin(t)
    await storage.addSession(session(1, 'a'))
    const won = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 === 0 ? storage : second).bindSession(1, 'a', `browser-${index}`, at(1)),
      ),
    )
    assert.equal(won.filter(Boolean).length, 1)
    const winner = `browser-${won.indexOf(true)}`
    assert.equal(await second.bindSession(1, 'a', winner, at(2)), true)
    assert.equal(await second.bindSession(1, 'a', 'another', at(2)), false)
    assert.equal(await second.bindSession(1, 'a', winner, at(1800)), false)
    assert.equal((await storage.session(1, { id: 'a' }))?.browserHash, winner)
  })

  test('the return is set until somebody has opened it, and the first code stays', async t => {
    const { storage, second } = await begin(t)
    await storage.addSession(session(1, 'a'))
    assert.equal(await storage.setSessionReturn(1, 'a', 'https://app.example/1'), true)
    await storage.bindSession(1, 'a', 'browser', at(1))
    assert.equal(await storage.setSessionReturn(1, 'a', 'https://evil.example/'), false)
    assert.equal((await second.session(1, { id: 'a' }))?.returnTo, 'https://app.example/1')
    assert.deepEqual(await storage.setSessionCode(1, 'a', { code: bytes(1), codeHash: 'one' }), bytes(1))
    assert.deepEqual(await second.setSessionCode(1, 'a', { code: bytes(2), codeHash: 'two' }), bytes(1))
    assert.equal((await storage.session(1, { codeHash: 'one' }))?.id, 'a')
    assert.equal(await storage.session(1, { codeHash: 'two' }), undefined)
  })

  test('a session ends with its attempt; one that has a connection keeps it', async t => {
    const { storage, second } = await begin(t)
    await storage.addSession(session(1, 'a'))
    for (const stateHash of ['s1', 's2', 's3']) await storage.addAttempt(attempt(1, stateHash, { sessionId: 'a' }))
    await storage.endAttempt(1, 's1', failed, at(3))
    const once = await second.session(1, { id: 'a' })
    assert.deepEqual([once?.outcome, once?.connectionRow, once?.finishedAt], [failed, undefined, at(3)])
    const row = connection(1, 'a', { updatedAt: at(9) })
    const whole = { ...draft(row, undefined, 's2'), attempt: { stateHash: 's2', sessionId: 'a', outcome: succeeded } }
    await storage.authorize(whole)
    const done = await second.session(1, { id: 'a' })
    assert.deepEqual([done?.outcome, done?.connectionRow, done?.finishedAt], [succeeded(row), 'a', at(9)])
    await storage.endAttempt(1, 's3', failed, at(12))
    assert.deepEqual(await second.session(1, { id: 'a' }), done)
    // The same session again finds the row that it made.
    const again = await storage.authorize({ ...whole, attempt: { ...whole.attempt, stateHash: 's3' } })
    assert.deepEqual([again.id, again.credentialRevision], ['a', 2])
    assert.equal((await second.connections(1, {})).length, 1)
  })

  test('the sweep removes sessions whose deadline has passed', async t => {
    const { storage } = await begin(t)
    await storage.addSession(session(1, 'old', { expiresAt: at(9) }))
    await storage.addSession(session(1, 'new', { expiresAt: at(10) }))
    await storage.sweepAttempts(at(10))
    assert.equal(await storage.session(1, { id: 'old' }), undefined)
    assert.equal((await storage.session(1, { id: 'new' }))?.id, 'new')
  })

  test('end users are kept by id and by name, in their environment', async t => {
    const { storage, second } = await begin(t)
    const ada = person(1, 'a', { fullName: 'Ada' })
    assert.equal(await storage.addEndUser(ada), true)
    assert.equal(await storage.addEndUser(person(1, 'b', { username: ada.username })), false)
    assert.equal(await storage.addEndUser(person(1, 'a', { username: 'other' })), false)
    assert.equal(await storage.addEndUser(person(2, 'a', { username: ada.username })), true)
    assert.equal(await storage.addEndUser(person(1, 'c', { createdAt: at(5) })), true)
    assert.deepEqual(await second.endUser(1, { id: 'a' }), ada)
    assert.deepEqual(await second.endUser(1, { username: ada.username }), ada)
    assert.equal(await second.endUser(1, { username: 'nobody' }), undefined)
    assert.deepEqual(
      (await second.endUsers(1)).map(each => each.id),
      ['a', 'c'],
    )
    const renamed = { ...ada, username: 'new', updatedAt: at(3) }
    assert.equal(await storage.updateEndUser(renamed), true)
    assert.deepEqual(await second.endUser(1, { id: 'a' }), renamed)
    assert.equal(await storage.updateEndUser({ ...renamed, username: 'name of c' }), false)
    assert.equal(await storage.updateEndUser(person(1, 'nobody')), false)
    assert.equal((await second.endUser(2, { id: 'a' }))?.username, ada.username)
  })

  test('a deleted connection is remembered without its credential, by its id and its name', async t => {
    const { storage, second } = await begin(t)
    await add(storage, connection(1, 'a', { endUserId: 'u' }))
    await add(storage, connection(2, 'a'))
    assert.equal(await storage.deleteConnection(1, 'a', at(7)), true)
    assert.equal(await storage.deleteConnection(1, 'a', at(8)), false)
    assert.equal(await second.connectionById(1, 'a'), undefined)
    assert.equal((await second.connectionById(2, 'a'))?.id, 'a')
    const gone = {
      environmentId: 1,
      id: 'a',
      integrationKey: 'github',
      connectionId: 'named a',
      endUserId: 'u',
      deletedAt: at(7),
    }
    assert.deepEqual(await second.deletedConnection(1, 'a'), gone)
    assert.deepEqual(await second.deletedConnection(1, 'named a'), gone)
    assert.equal(await second.deletedConnection(2, 'a'), undefined)
    // The name is free again; deleted once more, the latest is told.
    await add(storage, connection(1, 'b', { connectionId: 'named a' }))
    await storage.deleteConnection(1, 'b', at(9))
    assert.equal((await second.deletedConnection(1, 'named a'))?.id, 'b')
  })

  test('a user goes with its connections, and nobody else’s', async t => {
    const { storage, second } = await begin(t)
    await storage.addEndUser(person(1, 'u'))
    await storage.addEndUser(person(2, 'u'))
    await add(storage, connection(1, 'a', { endUserId: 'u' }))
    await add(storage, connection(1, 'b', { endUserId: 'v' }))
    await add(storage, connection(2, 'a', { endUserId: 'u' }))
    assert.equal(await storage.deleteEndUser(1, 'u', at(5)), true)
    assert.equal(await storage.deleteEndUser(1, 'u', at(6)), false)
    assert.deepEqual(
      (await second.connections(1, {})).map(each => each.id),
      ['b'],
    )
    assert.equal((await second.connections(2, { endUserId: 'u' })).length, 1)
    assert.deepEqual((await second.deletedConnection(1, 'a'))?.deletedAt, at(5))
  })

  test('a merged connection leads to the one that took its place', async t => {
    const { storage, second } = await begin(t)
    await add(storage, connection(1, 'a'))
    await add(storage, connection(1, 'b'))
    assert.equal(await storage.deleteConnection(1, 'a', at(7), 'b'), true)
    assert.equal((await second.deletedConnection(1, 'a'))?.mergedInto, 'b')
    assert.equal((await second.deletedConnection(1, 'named a'))?.mergedInto, 'b')
    // Both ways at once: one of the two stays.
    await add(storage, connection(1, 'c'))
    await add(storage, connection(1, 'd'))
    const both = await Promise.all([
      storage.deleteConnection(1, 'c', at(8), 'd'),
      second.deleteConnection(1, 'd', at(8), 'c'),
    ])
    assert.deepEqual(both.toSorted(), [false, true])
    assert.equal((await second.connections(1, {})).length, 2)
  })

  test('that a connection worked is noted of its credential, not of a newer one', async t => {
    const { storage, second } = await begin(t)
    await add(storage, connection(1, 'a', { credentialRevision: 2 }))
    await storage.noteChecked(1, 'a', 1, at(5))
    assert.equal((await second.connectionById(1, 'a'))?.checkedAt, undefined)
    await storage.noteChecked(2, 'a', 2, at(5))
    assert.equal((await second.connectionById(1, 'a'))?.checkedAt, undefined)
    await storage.noteChecked(1, 'a', 2, at(6))
    assert.deepEqual((await second.connectionById(1, 'a'))?.checkedAt, at(6))
  })

  test('sessions and attempts are counted; those of a user or a key go with it, but for what has a connection', async t => {
    const { storage, second } = await begin(t)
    await storage.addEndUser(person(1, 'u'))
    await storage.addKey(key(1, 'key-1'))
    await storage.addSession(session(1, 'a', { stateHash: 's', endUserId: 'u' }))
    await storage.addSession(session(1, 'b', { stateHash: 's' }))
    await storage.addSession(session(1, 'c', { stateHash: 's', connectionRow: 'x' }))
    await storage.addSession(session(1, 'd', { stateHash: 's', caller: 'key-2' }))
    assert.equal(await second.countSessions({ environmentId: 1, caller: 'key-1', stateHash: 's' }), 3)
    assert.equal(await second.countSessions({ environmentId: 2, caller: 'key-1', stateHash: 's' }), 0)
    for (const stateHash of ['1', '2']) await storage.addAttempt(attempt(1, stateHash, { sessionId: 'a' }))
    assert.deepEqual([await second.countAttempts(1, 'a'), await second.countAttempts(2, 'a')], [2, 0])
    await storage.addAttempt(attempt(1, '3', { sessionId: 'a', createdAt: at(9) }))
    assert.deepEqual(
      (await second.attemptsOf(1, 'a')).map(each => each.stateHash),
      ['3', '1', '2'],
    )
    assert.deepEqual(await second.attemptsOf(2, 'a'), [])
    await storage.deleteEndUser(1, 'u', at(5))
    const left = async () => {
      const found = await Promise.all(['a', 'b', 'c', 'd'].map(id => second.session(1, { id })))
      return found.map(each => each?.id)
    }
    assert.deepEqual(await left(), [undefined, 'b', 'c', 'd'])
    await storage.revokeKey(1, 'key-1', at(6))
    assert.deepEqual(await left(), [undefined, undefined, 'c', 'd'])
  })

  test('lists narrow by user and by integration', async t => {
    const { storage } = await begin(t)
    await add(storage, connection(1, 'a', { endUserId: 'u' }))
    await add(storage, connection(1, 'b'))
    const ids = async (filter: object) => (await storage.connections(1, filter)).map(each => each.id)
    assert.deepEqual(await ids({ endUserId: 'u' }), ['a'])
    assert.deepEqual(await ids({ endUserId: '' }), ['b'])
    assert.deepEqual(await ids({ integrationKey: 'github', endUserId: 'u' }), ['a'])
    assert.deepEqual(await ids({ integrationKey: 'notion' }), [])
  })

  test('the JWT key of an environment is set once', async t => {
    const { storage, second } = await begin(t)
    assert.deepEqual(await storage.setJwtKey(1, bytes(1)), bytes(1))
    assert.deepEqual(await second.setJwtKey(1, bytes(2)), bytes(1))
    assert.deepEqual(await second.setJwtKey(2, bytes(2)), bytes(2))
    await storage.renewJwtKey(1, bytes(3))
    assert.deepEqual(await second.setJwtKey(1, bytes(9)), bytes(3))
    assert.deepEqual(await second.setJwtKey(2, bytes(9)), bytes(2))
    await storage.setTellsLatest(1, true)
    const told = (await second.environments()).map(each => each.tellsLatest)
    assert.deepEqual(told.toSorted(), [false, true])
  })
}
