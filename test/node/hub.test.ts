/** The server SDK against a hub: each noun, its types and its errors. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { isMortiseError, Mortise } from '../../packages/node/src/index.ts'
import { startSdkHub, thrownBy } from './hub.ts'

const hub = await startSdkHub()
const { mortise } = hub

test('a session by its link, waited for; the connection, its token, and what may be changed', async () => {
  const session = await mortise.connectSessions.add({
    integration: 'notion',
    endUser: { username: 'anna', email: 'anna@example.com' },
    opens: 'link',
  })
  assert.equal((await mortise.connectSessions.get(session.id)).status, 'pending')
  const waiting = mortise.connectSessions.wait(session.id)
  await hub.follow(session.link)
  const id = await waiting
  const attempts = await mortise.connectSessions.attempts(session.id).all()
  assert.deepEqual(
    attempts.map(each => each.status),
    ['connected'],
  )
  const connection = mortise.connection(id)
  const shown = await connection.get()
  assert.deepEqual([shown.id, shown.integration, shown.status], [id, 'notion', 'connected'])
  assert.equal(shown.endUser?.email, 'anna@example.com')

  const token = await connection.token()
  const credential = await connection.credential({ refreshToken: true })
  assert.ok(credential.kind === 'oauth2')
  assert.equal(credential.accessToken, token)
  assert.equal(typeof credential.refreshToken, 'string')
  const plain = await connection.credential()
  assert.ok(plain.kind === 'oauth2' && plain.refreshToken === null)
  const forced = await connection.token({ force: true })
  assert.notEqual(forced, token)
  assert.equal(await mortise.connections.token(id), forced)

  assert.deepEqual((await connection.setMetadata({ plan: 'pro', seats: 3 })).metadata, { plan: 'pro', seats: 3 })
  assert.deepEqual((await connection.mergeMetadata({ seats: 4 })).metadata, { plan: 'pro', seats: 4 })
  assert.equal((await connection.change({ tags: { team: 'a' } })).tags['team'], 'a')
  assert.equal((await connection.test()).ok, true)

  assert.equal(await connection.delete(), undefined)
  assert.equal((await thrownBy(() => connection.get())).code, 'not_found')
})

test('what was declined, was never finished, or takes too long', async () => {
  const ask = { integration: 'notion', opens: 'link' } as const
  const declined = await mortise.connectSessions.add(ask)
  await hub.follow(declined.link, { deny: true })
  const error = await thrownBy(() => mortise.connectSessions.wait(declined.id))
  assert.deepEqual([error.code, error.whoMustAct, error.retryable], ['authorization_denied', 'end user', false])
  assert.match(error.message, /declined/)

  const open = await mortise.connectSessions.add(ask)
  const late = await thrownBy(() => mortise.connectSessions.wait(open.id, { waitMs: 10 }))
  assert.equal(late.code, 'timeout')
  const leaving = new AbortController()
  const waiting = mortise.connectSessions.wait(open.id, { signal: leaving.signal })
  leaving.abort(new Error('left'))
  await assert.rejects(waiting, /^Error: left$/)
})

test('a list is read page by page, by items, by pages and whole; nothing is asked before', async () => {
  const tags = { list: 'paged' }
  const names = Array.from({ length: 7 }, (_, index) => `paged-${index}`)
  for (const connectionId of names)
    await mortise.connections.add({
      integration: 'notion',
      connectionId,
      credential: { kind: 'oauth2', accessToken: `token-${connectionId}` },
      tags,
    })
  let asked = 0
  const counting = hub.sdk({
    fetch: (...given) => {
      asked += 1
      return fetch(...given)
    },
  })
  const list = counting.connections.list({ tag: ['list:paged'], integration: ['notion'], limit: 3 })
  assert.equal(asked, 0)
  const first = await list.page()
  assert.deepEqual([first.data.length, typeof first.next, asked], [3, 'string', 1])
  const second = await counting.connections.list({ tag: ['list:paged'], limit: 3, cursor: first.next ?? '' }).page()
  const found: string[] = []
  for await (const connection of list) found.push(connection.connectionId)
  assert.deepEqual(found, names.toReversed())
  assert.deepEqual(
    second.data.map(each => each.connectionId),
    found.slice(3, 6),
  )
  const sizes: number[] = []
  for await (const page of list.pages()) sizes.push(page.data.length)
  assert.deepEqual(sizes, [3, 3, 1])
  assert.equal((await list.all()).length, 7)
  // Who leaves after the first item asks for no second page.
  asked = 0
  for await (const connection of list) {
    assert.equal(connection.connectionId, 'paged-6')
    break
  }
  assert.equal(asked, 1)
  assert.equal(await mortise.connections.token('paged-0'), 'token-paged-0')
})

test('a key that was given is read as one text; what has none is said', async () => {
  const { id } = await mortise.integrations
    .add({ key: 'basecamp-keys', provider: 'trello', clientId: 'id', clientSecret: 'secret' })
    .then(() =>
      mortise.connections.add({
        integration: 'basecamp-keys',
        credential: { kind: 'oauth1', token: 'given-token', tokenSecret: 'given-secret' },
      }),
    )
  const error = await thrownBy(() => mortise.connections.token(id))
  assert.equal(error.code, 'invalid_request')
  assert.match(error.message, /oauth1.*read credential\(\)/)
  assert.deepEqual(await mortise.connections.credential(id), {
    kind: 'oauth1',
    token: 'given-token',
    tokenSecret: 'given-secret',
  })
})

test('what an operator sets up: providers, integrations, the environment, keys', async () => {
  const found = await mortise.providers.list({ search: 'not' }).all()
  assert.ok(found.some(each => each.id === 'notion'))
  assert.equal((await mortise.providers.get('github')).name, 'GitHub')
  const made = await mortise.integrations.add({
    key: 'my-github',
    provider: 'github',
    clientId: 'a',
    clientSecret: 'b',
  })
  assert.equal(made.provider, 'github')
  assert.equal((await mortise.integrations.change('my-github', { displayName: 'Code' })).displayName, 'Code')
  assert.equal((await mortise.integrations.get('my-github')).displayName, 'Code')
  assert.equal(await mortise.integrations.delete('my-github'), undefined)
  assert.ok((await mortise.integrations.list().all()).every(each => each.key !== 'my-github'))

  const before = await mortise.environment.get()
  const allowedOrigins = [...before.allowedOrigins, 'https://app.example.com']
  assert.deepEqual((await mortise.environment.change({ allowedOrigins })).allowedOrigins, allowedOrigins)
  const tenant = await mortise.environments.add({ name: 'tenant-b' })
  assert.ok((await mortise.environments.list().all()).some(each => each.name === 'tenant-b'))
  const other = hub.sdk({ key: tenant.key.secret })
  assert.deepEqual(await other.connections.list().all(), [])

  const key = await mortise.keys.add({ name: 'reader', scopes: ['connections:read'] })
  const reader = hub.sdk({ key: key.secret })
  await reader.connections.list().page()
  const refused = await thrownBy(() => reader.integrations.list().page())
  assert.deepEqual([refused.code, refused.status, refused.whoMustAct], ['forbidden', 403, 'caller'])
  assert.notEqual((await mortise.keys.revoke(key.id)).revokedAt, null)
  const revoked = await thrownBy(() => reader.connections.list().page())
  assert.deepEqual([revoked.code, revoked.status], ['unauthenticated', 401])
  assert.equal((await mortise.keys.list().all()).filter(each => each.id === key.id).length, 1)
})

test('an error has its code, who must act, the parameter, and the id under which the hub logged it', async () => {
  const error = await thrownBy(() => mortise.connectSessions.add({ integration: 'notionn' }))
  assert.deepEqual([error.code, error.status, error.reason], ['not_found', 404, 'integration_unknown'])
  assert.match(error.requestId ?? '', /^[0-9a-f-]{36}$/)
  const strange = await thrownBy(() => mortise.connections.list({ limit: 1000 }).page())
  assert.deepEqual([strange.code, strange.parameter, strange.retryable], ['invalid_request', 'limit', false])
  assert.ok(isMortiseError(strange, 'not_found', 'invalid_request') && !isMortiseError(strange, 'conflict'))
  assert.ok(!isMortiseError(new Error('another')))
})

test('a connection that only its end user can repair', async () => {
  const id = await hub.connected('berta')
  hub.sandbox.set('notion', { fail: { status: 400, body: { error: 'invalid_grant' }, times: 1 } })
  const error = await thrownBy(() => mortise.connections.token(id, { force: true }))
  assert.deepEqual([error.code, error.status, error.whoMustAct], ['reauthorization_required', 409, 'end user'])
  assert.equal(error.retryable, false)
})

test('an id leads to nothing else than it says', async () => {
  for (const id of ['.', '..', ''])
    for (const call of [
      () => mortise.connections.get(id),
      () => mortise.connections.delete(id),
      () => mortise.connections.token(id),
    ]) {
      const error = await thrownBy(call)
      assert.deepEqual([error.code, error.parameter, error.status], ['invalid_request', 'id', undefined])
    }
  assert.equal((await thrownBy(() => mortise.connections.get('a/b?c#d/../e'))).code, 'not_found')
  assert.equal((await thrownBy(() => mortise.connections.get('\ud800'))).code, 'invalid_request')
})

test('a name of your own with any character finds its connection', async () => {
  const connectionId = 'Ünï/code?x=1&y#z %2e'
  await mortise.connections.add({
    integration: 'notion',
    connectionId,
    credential: { kind: 'oauth2', accessToken: 'odd' },
  })
  const found = mortise.connections.get(connectionId).then(each => each.connectionId, String)
  assert.equal(await found, connectionId)
})

test('the URL and the key come from the environment; what is wrong with them is said, and the key never', async t => {
  const { env } = process
  const before = { ...env }
  t.after(() => Object.assign(env, before))
  delete env['MORTISE_URL']
  delete env['MORTISE_API_KEY']
  const codeOf = (make: () => unknown) => {
    try {
      make()
    } catch (thrown) {
      assert.ok(isMortiseError(thrown, 'not_configured', 'invalid_request'))
      return `${thrown.code} ${thrown.parameter}`
    }
    return 'fine'
  }
  assert.equal(
    codeOf(() => new Mortise()),
    'not_configured url',
  )
  for (const url of ['hub', 'ftp://hub', 'https://key@hub.example.com', 'https://hub.example.com/?a=1'])
    assert.equal(
      codeOf(() => new Mortise({ url })),
      'not_configured url',
      url,
    )
  assert.equal(
    codeOf(() => new Mortise({ url: hub.origin, retires: 2 } as never)),
    'not_configured retires',
  )
  for (const bad of [{ retries: -1 }, { timeoutMs: 0 }, { totalTimeoutMs: Number.NaN }, { retries: '2' as never }])
    assert.equal(
      codeOf(() => new Mortise({ url: hub.origin, ...bad })),
      `invalid_request ${Object.keys(bad)[0]}`,
    )
  for (const key of [`${hub.key}\n`, `Bearer ${hub.key}`, `${hub.key}é`]) {
    const make = () => new Mortise({ url: hub.origin, key })
    assert.equal(codeOf(make), 'not_configured key')
    assert.throws(make, (thrown: unknown) => !inspect(thrown, { depth: null }).includes(hub.key))
  }
  env['MORTISE_URL'] = `${hub.origin}/`
  env['MORTISE_API_KEY'] = hub.key
  const fromEnvironment = new Mortise()
  assert.equal(fromEnvironment.url, hub.origin)
  await fromEnvironment.environment.get()
})

test('the key is in nothing that is printed', async () => {
  const error = await thrownBy(() => mortise.connections.get('nobody'))
  for (const each of [mortise, mortise.connections, mortise.connection('x'), error, { mortise, error }]) {
    const printed = inspect(each, { depth: null, showHidden: true }) + JSON.stringify(each) + String(each)
    assert.ok(!printed.includes(hub.key))
  }
})
