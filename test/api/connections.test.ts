/** Our own API: connect sessions and what comes of them, connections and their credentials. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addKey } from '../../src/core/setup.ts'
import { addEndUser } from '../../src/core/users.ts'
import { Browser, connect, startServing, startTestHub, type TestHub } from '../harness.ts'
import { api, bearer, refused } from './hub.ts'

interface Session {
  readonly id: string
  readonly token: string
  readonly link: string | null
  readonly status: string
  readonly opened: boolean
  readonly connection: string | null
  readonly error: { code: string; message: string } | null
}
type List = {
  data: { id: string; connectionId: string; integration: string; endUser: { username: string } | null }[]
  next: string | null
}

const begin = async (hub: TestHub, ask: object = {}): Promise<Session> =>
  (await api<Session>(hub, 'POST', '/connect-sessions', { integration: 'notion', opens: 'link', ...ask })).body

const standing = async (hub: TestHub, { id }: Session): Promise<Session> =>
  (await api<Session>(hub, 'GET', `/connect-sessions/${id}`)).body

/** Follows the link as the end user's browser, to the page that the flow ends on. */
const follow = async (hub: TestHub, session: Session, provider = 'notion', account: string | true = true) => {
  hub.sandbox.set(provider, { autoApprove: account })
  return new Browser().follow(session.link ?? '', next => next.startsWith('http://localhost:9/'))
}

test('a session by link: pending, opened, connected; its connection is shown, its token works, its attempts are told', async t => {
  const hub = await startTestHub(t)
  const session = await begin(hub, { name: 'the wiki' })
  assert.deepEqual([session.status, session.opened, session.connection], ['pending', false, null])
  assert.equal(new URL(session.link ?? '').pathname, '/start')
  const { response } = await follow(hub, session)
  assert.match(await response.text(), /Notion/)
  const after = await standing(hub, session)
  assert.deepEqual([after.status, after.opened, after.connection], ['connected', true, `conn_${session.id}`])
  const { body: attempts } = await api<{ data: { status: string; returnedAt: string | null }[] }>(
    hub,
    'GET',
    `/connect-sessions/${session.id}/attempts`,
  )
  assert.deepEqual(
    attempts.data.map(each => [each.status, each.returnedAt !== null]),
    [['connected', true]],
  )
  const { body: row } = await api(hub, 'GET', `/connections/${after.connection}`)
  assert.deepEqual(
    [row['id'], row['integration'], row['status'], row['name'], row['endUser']],
    [after.connection, 'notion', 'connected', 'the wiki', null],
  )
  assert.ok(row['account'])
  const { body: credential } = await api<{ accessToken: string; refreshToken: string | null }>(
    hub,
    'GET',
    `/connections/${after.connection}/credential`,
  )
  const asked = await fetch(`${hub.sandbox.origin}/api.notion.com/v1/users/me`, {
    headers: { authorization: `Bearer ${credential.accessToken}`, 'notion-version': '2022-06-28' },
  })
  assert.equal(asked.status, 200)
  assert.equal(credential.refreshToken, null)
  const whole = await api<{ refreshToken: string | null; raw: object }>(
    hub,
    'GET',
    `/connections/${after.connection}/credential?refreshToken=true&force=true`,
  )
  assert.notEqual(whole.body.refreshToken, null)
  const { body: tested } = await api(hub, 'POST', `/connections/${after.connection}/test`)
  assert.deepEqual([tested['ok'], tested['asked']], [true, true])
  // The link has done its work.
  assert.match(await (await follow(hub, session)).response.text(), /used up|other browser|another browser/i)
  assert.equal((await api(hub, 'DELETE', `/connections/${after.connection}`)).status, 204)
  const gone = await refused(hub, 'GET', `/connections/${after.connection}`)
  assert.deepEqual([gone.status, gone['reason']], [404, 'connection_deleted'])
})

test('a session returns to the app with its id and how it went; a denied one says why', async t => {
  const hub = await startTestHub(t)
  const returnTo = 'http://localhost:9/done?mine=1'
  const session = await begin(hub, { returnTo })
  const { url } = await follow(hub, session)
  assert.equal(url, `${returnTo}&status=connected&session=${session.id}`)
  const other = await begin(hub, { returnTo })
  hub.sandbox.set('notion', { deny: true })
  const denied = await new Browser().follow(other.link ?? '', next => next.startsWith('http://localhost:9/'))
  assert.equal(denied.url, `${returnTo}&status=failed&error=authorization_denied&session=${other.id}`)
  const after = await standing(hub, other)
  assert.deepEqual([after.status, after.error?.code, after.connection], ['failed', 'authorization_denied', null])
  const named = await refused(hub, 'GET', `/connections/${other.id}`)
  assert.deepEqual([named.status, named['code'], named['actor']], [400, 'authorization_denied', 'end user'])
  for (const bad of ['nonsense', 'http://localhost:9/?status=1'])
    assert.equal(
      (await refused(hub, 'POST', '/connect-sessions', { integration: 'notion', opens: 'link', returnTo: bad })).status,
      400,
      bad,
    )
})

test('a session of several integrations: the end user picks, on the page behind its link, and among these alone', async t => {
  const hub = await startTestHub(t)
  const asked = { integrations: ['notion', 'github', 'notion'], endUser: { username: 'ada' } }
  const { status, body: session } = await api<Session & { integration: null; endUser: string }>(
    hub,
    'POST',
    '/connect-sessions',
    asked,
  )
  assert.deepEqual([status, session.status, session.integration], [201, 'pending', null])
  const link = new URL(session.link ?? '')
  assert.deepEqual([link.pathname, link.searchParams.get('session_token')], ['/connect/', session.token])
  assert.equal((await fetch(link)).status, 200)
  const choices = await fetch(`${hub.origin}/connect/choices`, {
    headers: { authorization: `Bearer ${session.token}` },
  })
  const { choices: shown } = (await choices.json()) as { choices: { key: string }[] }
  assert.deepEqual(shown.map(each => each.key).sort(), ['github', 'notion'])
  hub.sandbox.set('github', { autoApprove: true })
  const flow = (key: string) =>
    new Browser().follow(`${hub.origin}/oauth/connect/${key}?connect_session_token=${session.token}`)
  assert.equal((await flow('hubspot')).response.status, 400)
  assert.equal((await flow('github')).response.status, 200)
  const { data } = (await api<List>(hub, 'GET', '/connections')).body
  assert.deepEqual(
    data.map(each => [each.integration, each.endUser?.username]),
    [['github', 'ada']],
  )
  assert.equal((await standing(hub, session)).connection, data[0]?.id)
  for (const [ask, says] of [
    [{ integrations: ['github'], integration: 'notion' }, /integration does not go with integrations/],
    [{ integrations: ['github'], returnTo: 'http://localhost:9/' }, /returnTo does not go with integrations/],
    [{ integrations: ['github', 'githubb'] }, /githubb/],
    [{ integrations: [] }, /integrations/],
  ] as const)
    assert.match(String((await refused(hub, 'POST', '/connect-sessions', ask))['message']), says)
})

test('a session connects a connection again: it keeps its id, its end user and its params', async t => {
  const hub = await startTestHub(t)
  const { context } = hub.rooms.hub
  await api(hub, 'POST', '/integrations', { key: 'own-zendesk', provider: 'zendesk', clientId: 'x', clientSecret: 'y' })
  const user = await addEndUser(context, hub.rooms.firstEnvironment.id, { username: 'ada' })
  const first = await begin(hub, { endUser: 'ada' })
  await follow(hub, first)
  const before = await standing(hub, first)
  const again = await begin(hub, { integration: undefined, connection: before.connection })
  assert.equal((again as unknown as { endUser: string }).endUser, user.id)
  // Another account than before: without the repair it would be a second connection.
  await follow(hub, again, 'notion', 'c2d9e8f7-3a4b-4c5d-8e6f-7a8b9c0d1e22')
  assert.equal((await standing(hub, again)).connection, before.connection)
  assert.equal((await api<List>(hub, 'GET', '/connections')).body.data.length, 1)
  const wrong = await refused(hub, 'POST', '/connect-sessions', { integration: 'slack', connection: before.connection })
  assert.match(String(wrong['message']), /one through notion, not slack/)
  const whose = await refused(hub, 'POST', '/connect-sessions', { connection: before.connection, endUser: 'me' })
  assert.match(String(whose['message']), /another end user/)
  const none = await refused(hub, 'POST', '/connect-sessions', { opens: 'link' })
  assert.match(String(none['message']), /integration is missing/)
  const param = await refused(hub, 'POST', '/connect-sessions', { integration: 'notion', params: { a: 'b' } })
  assert.match(String(param['message']), /asks for no "a"/)
  const nobody = await refused(hub, 'POST', '/connect-sessions', { integration: 'notion', endUser: 'adda' })
  assert.match(String(nobody['message']), /the nearest is "ada"/)
  assert.equal((await refused(hub, 'GET', '/connect-sessions/nope')).status, 404)
})

test('connections are listed by pages and narrowed; ids with slashes and spaces work', async t => {
  const hub = await startTestHub(t)
  for (const id of ['a', 'b/c d', 'e']) await connect(hub, 'notion', { connection_id: id })
  await connect(hub, 'slack', { connection_id: 'e' })
  const user = await addEndUser(hub.rooms.hub.context, hub.rooms.firstEnvironment.id, { username: 'ada' })
  await follow(hub, await begin(hub, { endUser: 'ada', integration: 'hubspot' }), 'hubspot')
  const named = async (query: string) =>
    (await api<List>(hub, 'GET', `/connections${query}`)).body.data
      .map(each => `${each.integration} ${each.connectionId.slice(0, 5)}`)
      .sort()
  assert.equal((await named('')).length, 5)
  assert.deepEqual(await named('?integration=slack'), ['slack e'])
  assert.equal((await named('?integration=slack&integration=notion')).length, 4)
  assert.deepEqual(await named(`?endUser=${user.id}`), ['hubspot conn_'])
  assert.equal((await named('?endUser=me')).length, 4)
  assert.deepEqual(await named('?search=c%20d'), ['notion b/c d'])
  assert.deepEqual(await named('?tag=plan:pro'), [])
  const seen: string[] = []
  for (let cursor = ''; ; ) {
    const { body: page } = await api<List>(hub, 'GET', `/connections?limit=2${cursor}`)
    seen.push(...page.data.map(each => each.id))
    if (page.next === null) break
    assert.equal(page.data.length, 2)
    cursor = `&cursor=${page.next}`
  }
  assert.deepEqual([seen.length, new Set(seen).size], [5, 5])
  assert.equal((await api(hub, 'GET', `/connections/${encodeURIComponent('b/c d')}`)).body['connectionId'], 'b/c d')
  const both = await refused(hub, 'GET', '/connections/e')
  assert.deepEqual([both.status, both['reason']], [400, 'connection_ambiguous'])
  const through = await refused(hub, 'GET', '/connections?integration=notoin')
  assert.match(String(through['message']), /did you mean notion\?/)
  assert.equal((await refused(hub, 'GET', '/connections?endUser=adda')).status, 400)
})

test('a credential needs credentials:read too, and one that only its end user can repair is 409', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'hubspot', { connection_id: 'a' })
  const { context } = hub.rooms.hub
  const row = (await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {}))[0]
  assert.ok(row)
  await hub.rooms.storage.flagConnection(
    row.environmentId,
    row.id,
    row.credentialRevision,
    { cause: 'refresh_refused', message: 'The grant is dead.' },
    context.clock.now(),
  )
  const { body: shown } = await api(hub, 'GET', '/connections/a')
  assert.deepEqual([shown['status'], shown['statusReason']], ['reauthorization_required', 'The grant is dead.'])
  const dead = await refused(hub, 'GET', '/connections/a/credential?force=true')
  assert.deepEqual([dead.status, dead['code'], dead['actor']], [409, 'reauthorization_required', 'end user'])
  const reader = await addKey(context, hub.rooms.firstEnvironment, 'reader', ['connections:read'])
  const narrow = bearer(reader.secret.reveal())
  assert.equal((await api(hub, 'GET', '/connections/a', undefined, narrow)).status, 200)
  const blind = await refused(hub, 'GET', '/connections/a/credential', undefined, narrow)
  assert.deepEqual([blind.status, blind['reason']], [403, 'key_scope'])
  assert.match(String(blind['message']), /credentials:read/)
})

test("another environment's connections and sessions are not there", async t => {
  const hub = await startServing(t)
  const admin = bearer(hub.secretKey)
  await api(hub, 'POST', '/integrations', { key: 'github', clientId: 'a', clientSecret: 'b' }, admin)
  const { body: session } = await api<Session>(hub, 'POST', '/connect-sessions', { integration: 'github' }, admin)
  assert.equal(session.link, null)
  type Made = { key: { secret: string } }
  const { body: other } = await api<Made>(hub, 'POST', '/environments', { name: 'other' }, admin)
  const theirs = bearer(other.key.secret)
  assert.equal((await refused(hub, 'GET', `/connect-sessions/${session.id}`, undefined, theirs)).status, 404)
  assert.equal((await api(hub, 'GET', `/connect-sessions/${session.id}`, undefined, admin)).status, 200)
})
