/** Lists in three envelopes, one connection under all its names, its status, and its end (requirements 4, 10, 17, 19–21, 23, 53, 57–65). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { merge, mergeable } from '../../src/core/merge.ts'
import { addEnvironment, addKey } from '../../src/core/setup.ts'
import { type ConnectionShape, connectionShape } from '../../src/http/alloy/shapes.ts'
import { Browser, movableClock, type TestHub } from '../harness.ts'
import { app, call, connected, initiate, refused, start } from './hub.ts'

/** The eleven of the document, oldest first. */
export const eleven = [
  '6910029dd6d6670fb1742f05',
  '691003ad37951a87de6d6287',
  '691003dd4d2bcbfd4ce7029a',
  '6910046b84475f4afc75d28c',
  '691006353654055fe96eeebd',
  '69100648348d92ef2c51fc97',
  '6910076f4d2bcbfd4ce7032a',
  '69100865345135a943ba12a7',
  '691008a937951a87de6d633e',
  '691100acd6d6670fb1745176',
  '69110206d6d6670fb17451f8',
]

/** Takes them over as their ids say: an ObjectId begins with its seconds. */
const importEleven = async (hub: TestHub, headers: Record<string, string> = {}) => {
  for (const [index, id] of eleven.entries()) {
    const body = {
      authenticationType: 'oauth2',
      credentialId: id,
      name: `Eddie Fu's Notion${index === 0 ? '' : ` (${index + 1})`}`,
      createdAt: new Date(Number.parseInt(id.slice(0, 8), 16) * 1000).toISOString(),
      data: { access_token: `ntn_${index}`, refresh_token: `nrt_${index}` },
    }
    const answer = await call<ConnectionShape>(hub, 'POST', '/connectors/notion/credentials', body, headers)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    assert.equal(answer.body.connectionId, id)
  }
}

test('the eleven connections, imported, are all listed under their ids and names, the latest marked', async t => {
  const hub = await start(t)
  await importEleven(hub)
  // Again is the same.
  await importEleven(hub)
  const { body } = await call<ConnectionShape[]>(hub, 'GET', '/users/me/connections')
  assert.ok(Array.isArray(body))
  assert.deepEqual(
    body.map(each => [each.id, each.connectionId, each.credentialId]),
    eleven.toReversed().map(id => [id, id, id]),
  )
  assert.deepEqual(
    body.map(each => each.latest),
    [true, ...Array(10).fill(false)],
  )
  assert.equal(body[0]?.name, "Eddie Fu's Notion (11)")
  assert.equal(body[10]?.name, "Eddie Fu's Notion")
  const latest = await call<ConnectionShape>(hub, 'GET', '/users/me/connections/latest')
  assert.equal(latest.body.connectionId, '69110206d6d6670fb17451f8')
  for (const id of eleven) assert.equal((await call(hub, 'GET', `/credentials/${id}`)).status, 200)
})

test('an import that fits nothing is refused whole', async t => {
  const hub = await start(t)
  const ask = (over: object) =>
    refused(hub, 'POST', '/connectors/notion/credentials', {
      authenticationType: 'oauth2',
      credentialId: eleven[0],
      data: { access_token: 'x' },
      ...over,
    })
  assert.match((await ask({ credentialId: 'conn_x' })).body.message, /24 hex digits/)
  assert.match((await ask({ data: {} })).body.message, /only be given with the tokens/)
  assert.match((await ask({ createdAt: 'yesterday' })).body.message, /createdAt must be a time/)
  assert.match((await ask({ data: { access_token: 'x', expires_at: 'soon' } })).body.message, /must be a time/)
  assert.deepEqual((await call(hub, 'GET', '/users/me/connections')).body, [])
  await importEleven(hub)
  assert.equal((await ask({ userId: 'me' })).status, 200)
  await call(hub, 'POST', '/users', { username: 'other' })
  assert.equal((await ask({ userId: 'other' })).status, 409)
})

test('the same connections in all three envelopes, of one user and one connector', async t => {
  const clock = movableClock()
  const hub = await start(t, { clock })
  const first = await connected(hub)
  clock.forward(60)
  const second = await connected(hub, { allowDuplicate: true })
  const github = await connected(hub, {}, { connector: 'github' })
  await call(hub, 'POST', '/users', { username: 'other' })
  await connected(hub, { userId: 'other' })
  const ids = (list: readonly ConnectionShape[]) => list.map(each => each.id)

  const bare = await call<ConnectionShape[]>(hub, 'GET', '/users/me/connections')
  for (const each of bare.body) connectionShape.parse(each)
  assert.deepEqual(new Set(ids(bare.body)), new Set([first.id, second.id, github.id]))
  const notion = await call<ConnectionShape[]>(hub, 'GET', '/users/me/connections?connectorId=notion')
  assert.deepEqual(ids(notion.body), [second.id, first.id])
  for (const path of ['/users/me/credentials', '/credentials/users/me', '/api/users/me/credentials']) {
    const { body } = await call<{ data: ConnectionShape[] }>(hub, 'GET', `${path}?connectorId=notion`)
    assert.deepEqual(ids(body.data), [first.id, second.id], path)
    assert.deepEqual(
      body.data.map(each => each.latest),
      [false, true],
    )
  }
  const { body } = await call<{ credentials: ConnectionShape[]; data: ConnectionShape[] }>(
    hub,
    'GET',
    '/connectors/notion/credentials',
  )
  assert.deepEqual(ids(body.credentials), [first.id, second.id])
  assert.deepEqual(body.data, body.credentials)
  const others = { 'x-alloy-userid': 'other' }
  const theirs = await call<{ credentials: ConnectionShape[] }>(
    hub,
    'GET',
    '/connectors/notion/credentials',
    undefined,
    others,
  )
  assert.equal(theirs.body.credentials.length, 1)
})

test('one id answers to every form of it, and a connection of another user is refused', async t => {
  const hub = await start(t)
  const { id } = await connected(hub)
  const bare = id.replace('conn_', '')
  for (const form of [id, bare, `cred_${bare}`])
    for (const path of ['/credentials/', '/users/me/credentials/', '/connectors/notion/credentials/'])
      assert.equal((await call<ConnectionShape>(hub, 'GET', path + form)).body.id, id, path + form)
  await call(hub, 'POST', '/users', { username: 'other' })
  const wrong = await refused(hub, 'GET', `/users/other/credentials/${id}`)
  assert.equal(wrong.status, 400)
  assert.match(wrong.body.message, /^Invalid connection ID: .*belongs to another user/)
})

test('the status endpoint tells whether a user is connected, with the id, and what to do if not', async t => {
  const hub = await start(t)
  const path = '/users/me/integrations/notion/connection'
  const none = await call(hub, 'GET', path)
  assert.deepEqual([none.status, none.body['connected'], none.body['status']], [200, false, 'disconnected'])
  assert.match(String(none.body['message']), /^No connections available: .*POST \/connectors\/notion\/credentials/)
  const { id } = await connected(hub)
  const { body } = await call(hub, 'GET', path)
  assert.deepEqual([body['connected'], body['connectionId'], body['status']], [true, id, 'connected'])
  assert.equal((await refused(hub, 'GET', '/users/me/integrations/nope/connection')).status, 404)
})

test('each of the three errors says which of its causes it was', async t => {
  const clock = movableClock()
  const hub = await start(t, { clock })
  const show = (id: string) => refused(hub, 'GET', `/credentials/${id}`)
  // Not found: never connected here; another environment's key; disconnected.
  const unknown = await show('conn_aaaaaaaaaaaaaaaaaaaaaaaa')
  assert.equal(unknown.status, 404)
  assert.match(unknown.body.message, /^Connection ID not found: .*not connected yet, or the key is that of another/)
  const { id } = await connected(hub)
  assert.deepEqual((await call(hub, 'DELETE', `/credentials/${id}`)).body, { success: true })
  const gone = await show(id)
  assert.equal(gone.status, 404)
  assert.match(gone.body.message, /^Connection not found: .*was disconnected \(deleted\) at 2026-11-21T10:00:00\.000Z/)
  // Invalid: the form; no longer active.
  const malformed = await show('conn_abc123xyz')
  assert.match(malformed.body.message, /^Invalid connection ID: .*not in the form of an id: conn_ with 24 hex digits/)
  // None.
  const none = await refused(hub, 'GET', '/users/me/connections/latest')
  assert.equal(none.status, 404)
  assert.match(none.body.message, /^No connections available: .*Begin one with/)
  for (const { body } of [unknown, gone, malformed, none])
    assert.match(body.error.docs, /getting-connection-id#troubleshooting$/)
})

test('a connection that was revoked at the provider shows as needs_reauth, with why; connecting again repairs it under its id', async t => {
  const clock = movableClock()
  const hub = await start(t, { clock })
  const { id } = await connected(hub, {}, { connector: 'hubspot' })
  // HubSpot is not asked: nothing would be found out.
  const { body: told } = await call(hub, 'POST', `/credentials/${id}/test`)
  assert.deepEqual([told['ok'], told['asked']], [true, false])
  hub.sandbox.set('hubspot', { fail: { status: 400, body: { status: 'BAD_REFRESH_TOKEN', error: 'invalid_grant' } } })
  clock.forward(3600)
  const tested = await refused(hub, 'POST', `/credentials/${id}/test`)
  assert.equal(tested.status, 409)
  assert.match(tested.body.message, /^Invalid connection ID: /)
  const { body } = await call<ConnectionShape>(hub, 'GET', `/credentials/${id}`)
  assert.deepEqual([body.status, body.active], ['needs_reauth', false])
  assert.match(body.statusReason ?? '', /invalid_grant/)
  hub.sandbox.reset('hubspot')
  const again = await connected(hub, {}, { connector: 'hubspot' })
  assert.deepEqual([again.id, again.status], [id, 'connected'])
})

test('a credential that was revoked at the provider is found out by the test, and shows everywhere; one that only expired is renewed', async t => {
  const hub = await start(t)
  const { id } = await connected(hub)
  const tokenOf = async () =>
    (await hub.rooms.hub.read(hub.rooms.firstEnvironment.id, 'notion', id)).credential.accessToken.reveal()
  const before = await tokenOf()
  assert.equal(hub.sandbox.expire(before), true)
  const tested = await call<ConnectionShape & { ok: boolean }>(hub, 'POST', `/credentials/${id}/test`)
  assert.deepEqual([tested.status, tested.body.ok], [200, true])
  assert.ok(tested.body.lastCheckedAt >= tested.body.createdAt)
  assert.notEqual(await tokenOf(), before)
  // An action meets the same: renewed, and run once more.
  hub.sandbox.expire(await tokenOf())
  const acted = await call(hub, 'POST', '/connectors/notion/actions/get-self/execute', { credentialId: id })
  assert.equal(acted.status, 200)
  // The grant itself is gone.
  hub.sandbox.revoke(await tokenOf())
  const dead = await refused(hub, 'POST', `/credentials/${id}/test`)
  assert.equal(dead.status, 409)
  assert.match(dead.body.message, /^Invalid connection ID: .*the end user must connect the account again/i)
  const { body } = await call<ConnectionShape>(hub, 'GET', `/credentials/${id}`)
  assert.deepEqual([body.status, body.active], ['needs_reauth', false])
  const status = await call(hub, 'GET', '/users/me/integrations/notion/connection')
  assert.deepEqual([status.body['connected'], status.body['status']], [false, 'needs_reauth'])
})

test('an outage while testing flags nothing, and neither does a refusal of what it may do', async t => {
  const hub = await start(t)
  const token = (
    await hub.rooms.hub.read(
      hub.rooms.firstEnvironment.id,
      'github',
      (
        await connected(hub, {}, { connector: 'github' })
      ).id,
    )
  ).credential
  assert.ok(token)
  const [row] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
  assert.ok(row)
  const { send } = hub.rooms.hub.context.call
  const call_ = hub.rooms.hub.context.call as { send: typeof send }
  for (const [status, answer] of [
    [503, 503],
    [403, 200],
  ] as const) {
    call_.send = async () => ({ status, headers: {}, body: '{}' })
    assert.equal((await refused(hub, 'POST', `/credentials/${row.id}/test`)).status, answer, String(status))
    call_.send = send
    assert.equal((await call<ConnectionShape>(hub, 'GET', `/credentials/${row.id}`)).body.status, 'connected')
  }
})

test('an import without a date is as old as its id says, and none is of the future', async t => {
  const hub = await start(t)
  const give = (credentialId: string, more: object = {}) =>
    call<ConnectionShape>(hub, 'POST', '/connectors/notion/credentials', {
      authenticationType: 'oauth2',
      credentialId,
      data: { access_token: 'x' },
      ...more,
    })
  for (const id of eleven.toReversed()) assert.equal((await give(id)).status, 200)
  const latest = await call<ConnectionShape>(hub, 'GET', '/users/me/connections/latest')
  assert.deepEqual([latest.body.id, latest.body.createdAt], [eleven[10], '2025-11-09T21:05:10.000Z'])
  assert.equal((await give('a'.repeat(24), { createdAt: '9999-01-01T00:00:00Z' })).status, 400)
  // A name that a flow has already is not taken from it.
  const { credentialId } = await initiate(hub)
  assert.equal((await give(credentialId.replace('cred_', ''))).status, 409)
})

test('a flow that is under way, or ended badly, is told by its own name', async t => {
  const hub = await start(t)
  const { credentialId, oauthUrl } = await initiate(hub)
  const pending = await refused(hub, 'GET', `/credentials/${credentialId}`)
  assert.match(pending.body.message, /waiting for the end user to open its link/)
  hub.sandbox.set('notion', { deny: true })
  await new Browser().follow(oauthUrl, next => next.startsWith(app))
  assert.match((await refused(hub, 'GET', `/credentials/${credentialId}`)).body.message, /did not end well: .*declined/)
})

test('two connections are merged: one is kept, and every id leads to it', async t => {
  const hub = await start(t)
  const { context } = hub.rooms.hub
  await importEleven(hub)
  const rows = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
  const [kept, ...others] = rows
  assert.ok(kept)
  assert.equal((await mergeable(context, kept)).length, 10)
  for (const other of others) await merge(context, other, kept)
  assert.equal((await call<unknown[]>(hub, 'GET', '/users/me/connections')).body.length, 1)
  for (const id of eleven)
    assert.equal((await call<ConnectionShape>(hub, 'GET', `/credentials/${id}`)).body.id, kept.id, id)
  await call(hub, 'POST', '/users', { username: 'other' })
  const theirs = await connected(hub, { userId: 'other' })
  const row = await hub.rooms.storage.connectionById(hub.rooms.firstEnvironment.id, theirs.id.slice(5))
  assert.ok(row)
  await assert.rejects(merge(context, row, kept), /cannot be merged/)
})

test('deleting works on every path, of its own user only, and once', async t => {
  const hub = await start(t)
  const paths = (id: string) => [
    `/users/me/credentials/${id}`,
    `/credentials/${id}`,
    `/connectors/notion/credentials/${id}`,
  ]
  for (let index = 0; index < 3; index++) {
    const { id } = await connected(hub)
    const path = paths(id)[index] ?? ''
    assert.deepEqual((await call(hub, 'DELETE', path)).body, { success: true }, path)
    assert.equal((await refused(hub, 'DELETE', path)).status, 404)
    assert.equal((await fetch(`${hub.origin}/connection/${id}?provider_config_key=notion`)).status, 404)
  }
  const { id } = await connected(hub)
  await call(hub, 'POST', '/users', { username: 'other' })
  assert.equal((await refused(hub, 'DELETE', `/users/other/credentials/${id}`)).status, 400)
  assert.equal((await call(hub, 'GET', `/credentials/${id}`)).status, 200)
})

test("another environment's key sees none of it, and makes its own", async t => {
  const hub = await start(t)
  await importEleven(hub)
  const { context } = hub.rooms.hub
  const other = await addEnvironment(context, 'other')
  const { secret } = await addKey(context, other, 'k', [
    'connections:read',
    'connect:write',
    'connections:write',
    'integrations:read',
  ])
  const headers = { authorization: `Bearer ${secret.reveal()}` }
  assert.deepEqual((await call(hub, 'GET', '/users/me/connections', undefined, headers)).body, [])
  assert.deepEqual((await call(hub, 'GET', '/connectors', undefined, headers)).body, { connectors: [], data: [] })
  for (const method of ['GET', 'DELETE'])
    assert.equal((await refused(hub, method, `/credentials/${eleven[0]}`, undefined, headers)).status, 404)
})
