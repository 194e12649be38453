/** Our own API: what is given, changed and set: imports, end users told of, tags, metadata, integrations. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, startTestHub, type TestHub } from '../harness.ts'
import { api, refused } from './hub.ts'

interface Row {
  readonly id: string
  readonly connectionId: string
  readonly integration: string
  readonly status: string
  readonly kind: string
  readonly endUser: { username: string; email: string | null; organization: { id: string } | null } | null
  readonly tags: Record<string, string>
  readonly metadata: Record<string, unknown>
  readonly expiresAt: string | null
  readonly webhookUrlOverride: string | null
}

const give = async (hub: TestHub, body: object): Promise<Row> =>
  (await api<Row>(hub, 'POST', '/connections', body)).body

const ada = {
  username: 'ada/1',
  fullName: 'Ada Lovelace',
  email: 'ada@acme.example',
  organization: { id: 'acme', name: 'Acme' },
}

test('tokens of another hub become a connection: found by its name, its end user, its organization and its tags', async t => {
  const hub = await startTestHub(t)
  const credential = {
    kind: 'oauth2',
    accessToken: 'CANARY-access',
    refreshToken: 'CANARY-refresh',
    expiresAt: '2099-01-01T00:00:00.000Z',
    scopes: ['a'],
  }
  const row = await give(hub, {
    integration: 'notion',
    connectionId: 'their/own name',
    credential,
    endUser: ada,
    tags: { plan: 'pro' },
    metadata: { folder: 7 },
  })
  assert.deepEqual(
    [row.connectionId, row.status, row.kind, row.expiresAt, row.metadata],
    ['their/own name', 'connected', 'oauth2', credential.expiresAt, { folder: 7 }],
  )
  assert.deepEqual(
    [row.endUser?.username, row.endUser?.email, row.endUser?.organization?.id],
    ['ada/1', ada.email, 'acme'],
  )
  assert.equal(row.tags['plan'], 'pro')
  assert.ok(!JSON.stringify(row).includes('CANARY'))
  const at = `/connections/${encodeURIComponent('their/own name')}`
  const { body: opened } = await api(hub, 'GET', `${at}/credential?refreshToken=true`)
  assert.deepEqual([opened['accessToken'], opened['refreshToken']], ['CANARY-access', 'CANARY-refresh'])
  const found = async (query: string) =>
    (await api<{ data: Row[] }>(hub, 'GET', `/connections?${query}`)).body.data.length
  for (const query of [
    'endUser=ada/1',
    'organization=acme',
    'tag=plan:pro',
    'search=lovelace',
    'tag=plan:pro&organization=acme',
  ])
    assert.equal(await found(query), 1, query)
  for (const query of ['tag=plan:free', 'organization=other', 'search=nobody', 'endUser=me'])
    assert.equal(await found(query), 0, query)
  // The same name again gets the new credential, and stays the same connection.
  const again = await give(hub, {
    integration: 'notion',
    connectionId: 'their/own name',
    credential: { ...credential, accessToken: 'second' },
    endUser: 'ada/1',
  })
  assert.equal(again.id, row.id)
  assert.equal((await api(hub, 'GET', `${at}/credential`)).body['accessToken'], 'second')
  const theirs = await refused(hub, 'POST', '/connections', {
    integration: 'notion',
    connectionId: 'their/own name',
    credential,
    endUser: { username: 'bob' },
  })
  assert.equal(theirs.status, 409)
})

test('a key is tried at the provider, and one that it refuses is not kept', async t => {
  const hub = await startTestHub(t)
  hub.sandbox.set('notion', { autoApprove: true })
  const bad = await refused(hub, 'POST', '/connections', {
    integration: 'notion',
    credential: { kind: 'bearer', key: 'nonsense' },
  })
  assert.deepEqual([bad.status, bad['code'], bad['reason']], [502, 'provider_rejected', 'key_refused'])
  const cases: [body: object, parameter: string | undefined, says: RegExp][] = [
    [{ integration: 'notion' }, 'credential', /credential is missing/],
    [{ integration: 'notion', credential: { kind: 'oauth' } }, 'credential.kind', /credential\.kind is not right/],
    [{ integration: 'notion', credential: { kind: 'bearer' } }, 'credential.key', /credential\.key is missing/],
    [
      { integration: 'notion', credential: { kind: 'bearer', key: 'x', pass: 'y' } },
      'credential.pass',
      /no field here \(did you mean password\?\); there are kind, .*key/,
    ],
    [
      { integration: 'notion', credential: { kind: 'bearer', key: 'x' }, endUser: { usernam: 'a' } },
      'endUser.username',
      /endUser\.username is missing/,
    ],
    [
      { integration: 'notion', credential: { kind: 'bearer', key: 'x' }, endUser: 7 },
      'endUser',
      /endUser is not right/,
    ],
    [
      { integration: 'notion', credential: { kind: 'bearer', key: 'x' }, tags: { '1': 'a' } },
      'tags',
      /tags has the name "1"/,
    ],
    [
      { integration: 'notion', credential: { kind: 'bearer', key: 'x' }, webhookUrlOverride: 'http://x.example' },
      'webhookUrlOverride',
      /https/,
    ],
  ]
  for (const [body, parameter, says] of cases) {
    const answer = await refused(hub, 'POST', '/connections', body)
    assert.deepEqual(
      [answer.status, answer['parameter']],
      [400, parameter],
      `${JSON.stringify(body)}: ${answer['message']}`,
    )
    assert.match(String(answer['message']), says)
  }
  const kind = await refused(hub, 'POST', '/connections', {
    integration: 'slack',
    credential: { kind: 'basic', username: 'a', password: 'b' },
  })
  assert.equal(kind['reason'], 'kind_unknown')
  assert.equal((await api<{ data: Row[] }>(hub, 'GET', '/connections')).body.data.length, 0)
})

test('a connection changes its end user, its tags and its webhook; what is not sent stays', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'notion', { connection_id: 'a' })
  const change = async (body: object) => (await api<Row>(hub, 'PATCH', '/connections/a', body)).body
  const first = await change({ endUser: ada, tags: { plan: 'pro' } })
  assert.deepEqual([first.endUser?.username, first.tags['plan'], first.tags['end_user_id']], ['ada/1', 'pro', 'ada/1'])
  const second = await change({ webhookUrlOverride: 'https://app.example/hook' })
  assert.deepEqual(
    [second.endUser?.username, second.tags, second.webhookUrlOverride],
    ['ada/1', first.tags, 'https://app.example/hook'],
  )
  const third = await change({ webhookUrlOverride: null, tags: { team: 'x' } })
  assert.deepEqual(
    [third.webhookUrlOverride, third.tags['team'], third.tags['plan'], third.tags['end_user_id']],
    [null, 'x', undefined, 'ada/1'],
  )
  assert.equal((await change({ endUser: 'ada/1' })).endUser?.username, 'ada/1')
  assert.equal((await refused(hub, 'PATCH', '/connections/a', { endUser: 'nobody' }))['reason'], 'end_user_unknown')
  const misspelt = await refused(hub, 'PATCH', '/connections/a', { tgas: {} })
  assert.match(String(misspelt['message']), /did you mean tags\?/)
  assert.equal((await refused(hub, 'PATCH', '/connections/b', {})).status, 404)
})

test('metadata is set and merged at its first level, and wipes nothing of what the flow obtained', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'notion', { connection_id: 'a' })
  const facts = (await api<{ facts: object }>(hub, 'GET', '/connections/a')).body.facts
  assert.ok(Object.keys(facts).length > 0)
  const set = async (method: string, body: object) => {
    const { body: row } = await api<Row & { facts: object }>(hub, method, '/connections/a/metadata', body)
    assert.deepEqual(row.facts, facts)
    return row.metadata
  }
  assert.deepEqual(await set('PUT', { a: { x: 1 }, b: 2 }), { a: { x: 1 }, b: 2 })
  assert.deepEqual(await set('PATCH', { a: { y: 1 }, c: null }), { a: { y: 1 }, b: 2, c: null })
  assert.deepEqual(await set('PUT', {}), {})
  assert.equal((await refused(hub, 'PUT', '/connections/a/metadata', '[1]')).status, 400)
  for (const levels of [100, 400_000]) {
    const deep = await refused(
      hub,
      'PUT',
      '/connections/a/metadata',
      `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`,
    )
    assert.equal(deep.status, 400)
    assert.match(String(deep['message']), /nested deeper than 100 levels/)
  }
  assert.equal((await refused(hub, 'PATCH', '/connections/b/metadata', {})).status, 404)
})

test('an integration changes: name, client, scopes; not its name while connections are found by it', async t => {
  const hub = await startTestHub(t)
  await api(hub, 'POST', '/integrations', {
    key: 'a',
    provider: 'github',
    clientId: 'x',
    clientSecret: 'y',
    displayName: 'Code',
  })
  const change = async (body: object) => (await api(hub, 'PATCH', '/integrations/a', body)).body
  const changed = await change({ clientId: 'z', clientSecret: 'second', scopes: ['repo'], displayName: null })
  assert.deepEqual([changed['clientId'], changed['scopes'], changed['displayName']], ['z', ['repo'], null])
  const { hub: core, storage, firstEnvironment } = hub.rooms
  const row = await storage.integration(firstEnvironment.id, 'a')
  assert.equal(row && (await core.context.clientSecretOf(row)).reveal(), 'second')
  assert.equal((await api(hub, 'PATCH', '/integrations/a', { key: 'b' })).body['key'], 'b')
  const taken = await refused(hub, 'PATCH', '/integrations/b', { key: 'notion' })
  assert.deepEqual([taken.status, taken['reason'], taken['parameter']], [409, 'integration_taken', 'key'])
  await connect(hub, 'notion', { connection_id: 'a' })
  const used = await refused(hub, 'PATCH', '/integrations/notion', { key: 'wiki' })
  assert.deepEqual([used.status, used['reason']], [409, 'integration_used'])
  assert.equal((await refused(hub, 'DELETE', '/integrations/notion')).status, 409)
  assert.equal((await refused(hub, 'PATCH', '/integrations/b', { clientId: '' }))['parameter'], 'clientId')
  assert.equal((await refused(hub, 'PATCH', '/integrations/none', {})).status, 404)
})

test('a session tells of an end user too, who is known from then on', async t => {
  const hub = await startTestHub(t)
  const { body: session } = await api(hub, 'POST', '/connect-sessions', { integration: 'notion', endUser: ada })
  const user = await hub.rooms.storage.endUser(hub.rooms.firstEnvironment.id, { username: 'ada/1' })
  assert.equal(session['endUser'], user?.id)
  const again = await api(hub, 'POST', '/connect-sessions', { integration: 'notion', endUser: 'ada/1' })
  assert.equal(again.body['endUser'], user?.id)
})
