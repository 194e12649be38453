/** Nango's own published clients, unmodified, against the hub: a test for each method, comparing whole bodies. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  type ConnectionsShape,
  type CurrentConnectionShape,
  connectionsShape,
  currentConnectionShape,
  integrationShape,
  integrationsShape,
  type ListShape,
  listShape,
  providerShape,
  providersShape,
} from '../../src/http/nango/shapes.ts'
import { connect, movableClock, startTestHub } from '../harness.ts'
import { newKey } from '../page.ts'

const begin = async (t: TestContext) => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  const { key } = await newKey(hub)
  const { Nango } = await import('nango-node-latest')
  return { hub, key, clock, nango: new Nango({ host: hub.origin, secretKey: key }) }
}

/** Sent by hand what the client has no method for. */
const send = async (at: { hub: { origin: string }; key: string }, method: string, path: string, body?: unknown) => {
  const response = await fetch(at.hub.origin + path, {
    method,
    headers: {
      authorization: `Bearer ${at.key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: await response.json() }
}

const imported = (key: string, id: string, over: object = {}) => ({
  provider_config_key: key,
  connection_id: id,
  credentials: { type: 'OAUTH2', access_token: `at ${id}`, refresh_token: `rt ${id}` },
  ...over,
})

const person = { id: 'u1', email: 'ada@acme.example', display_name: 'Ada "L"', tags: { role: 'admin' } }
const shownPerson = { ...person, organization: null }
const personTags = { end_user_id: 'u1', end_user_email: 'ada@acme.example', end_user_display_name: 'Ada "L"' }

test('listConnections: every filter and page of the client, in both of its forms', async t => {
  const at = await begin(t)
  const { nango, clock } = at
  assert.deepEqual(await nango.listConnections(), { connections: [] })
  for (const [id, over] of [
    ['a', { end_user: { ...person, organization: { id: 'acme', display_name: 'Acme' } }, tags: { Plan: 'pro' } }],
    ['b', { tags: { plan: 'pro' } }],
    ['a b/c', { provider_config_key: 'hubspot', tags: { plan: 'free' }, metadata: { x: 1 } }],
  ] as const) {
    clock.forward(1)
    assert.equal((await send(at, 'POST', '/connections', imported('github', id, over))).status, 201)
  }
  const whole = (await nango.listConnections()) as unknown as ListShape
  listShape.parse(whole)
  const [c, b, a] = whole.connections
  assert.deepEqual(whole.connections, [
    {
      id: c?.id,
      connection_id: 'a b/c',
      provider_config_key: 'hubspot',
      provider: 'hubspot',
      errors: [],
      end_user: null,
      tags: { plan: 'free' },
      metadata: { x: 1 },
      created: '2026-11-21T10:00:03.000+00:00',
    },
    { ...b, connection_id: 'b', end_user: null, tags: { plan: 'pro' }, metadata: {} },
    {
      ...a,
      connection_id: 'a',
      provider_config_key: 'github',
      end_user: { ...person, organization: { id: 'acme', display_name: 'Acme' } },
      tags: { plan: 'pro', ...personTags },
    },
  ])
  const ids = async (asked: Parameters<typeof nango.listConnections>) =>
    (await nango.listConnections(...asked)).connections.map(each => each.connection_id).join()
  for (const [asked, expected] of [
    [['b'], 'b'],
    [['none'], ''],
    [[undefined, 'ACME.ex'], 'a'],
    [[undefined, undefined, { endUserId: 'u1' }], 'a'],
    [[undefined, undefined, { endUserId: 'nobody' }], ''],
    [[undefined, undefined, { endUserOrganizationId: 'acme' }], 'a'],
    [[undefined, undefined, { limit: 2 }], 'a b/c,b'],
    [[undefined, undefined, { limit: 2, page: 1 }], 'a'],
    [[undefined, undefined, { limit: 2, page: 2 }], ''],
    [[{ connectionId: 'a b/c' }], 'a b/c'],
    [[{ userId: 'u1' }], 'a'],
    [[{ integrationId: 'github' }], 'b,a'],
    [[{ integrationId: ['github', 'hubspot'] }], 'a b/c,b,a'],
    [[{ tags: { PLAN: 'pro' } }], 'b,a'],
    [[{ tags: { plan: 'pro', email: 'ada@acme.example' } }], 'a'],
    [[{ tags: { displayName: 'Ada "L"' } }], 'a'],
    [[{ integrationId: 'github', tags: { plan: 'free' } }], ''],
    [[{ limit: 1, page: 1 }], 'b'],
  ] as [Parameters<typeof nango.listConnections>, string][])
    assert.equal(await ids(asked), expected, JSON.stringify(asked))
  const found = await nango.waitForConnection('github', 'u1')
  assert.equal(found?.connection_id, 'a')
})

test('getEnvironmentVariables finds none: the hub runs no scripts', async t => {
  const { nango } = await begin(t)
  assert.deepEqual(await nango.getEnvironmentVariables(), [])
})

test('getConnection shows whose it is, its tags and where it wants to be told of; patchConnection changes them', async t => {
  const at = await begin(t)
  const { nango } = at
  const url = 'https://app.example/hook'
  await send(
    at,
    'POST',
    '/connections',
    imported('github', 'a b/c', { end_user: person, tags: { plan: 'pro' }, webhook_url_override: url }),
  )
  const read = async () => {
    const connection = await nango.getConnection('github', 'a b/c')
    currentConnectionShape.parse(connection)
    const { end_user, tags, webhook_url_override } = connection as unknown as CurrentConnectionShape
    return { end_user, tags, webhook_url_override }
  }
  assert.deepEqual(await read(), {
    end_user: shownPerson,
    tags: { plan: 'pro', ...personTags },
    webhook_url_override: url,
  })
  const named = { connectionId: 'a b/c', provider_config_key: 'github' }
  // What is not told of the person stays; tags are set anew, but for what the person is tagged with.
  const patch = { end_user: { id: 'u1', display_name: 'Countess' }, tags: { TEAM: 'x' }, webhook_url_override: null }
  assert.deepEqual(await nango.patchConnection(named, patch as never), { success: true })
  assert.deepEqual(await read(), {
    end_user: { ...shownPerson, display_name: 'Countess' },
    tags: { team: 'x', ...personTags, end_user_display_name: 'Countess' },
    webhook_url_override: null,
  })
  assert.deepEqual(await nango.patchConnection(named, { tags: { only: '1' } }), { success: true })
  assert.deepEqual((await read()).tags, { only: '1', ...personTags, end_user_display_name: 'Countess' })
  assert.deepEqual(await nango.patchConnection(named, { end_user: { id: 'u2' } }), { success: true })
  const after = await read()
  assert.deepEqual([after.end_user?.id, after.end_user?.email, after.tags['end_user_id']], ['u2', null, 'u2'])
})

test('setMetadata and updateMetadata: of one or of many, beside what the flow obtained', async t => {
  const at = await begin(t)
  const { nango } = at
  for (const id of ['a', 'b/c']) await send(at, 'POST', '/connections', imported('github', id))
  const set = await nango.setMetadata('github', 'a', { x: 1, deep: { y: 1 } })
  const echo = { connection_id: 'a', provider_config_key: 'github', metadata: { x: 1, deep: { y: 1 } } }
  assert.deepEqual([set.status, set.data], [201, echo])
  const merged = await nango.updateMetadata('github', ['a', 'b/c'], { deep: { z: 2 }, w: null } as never)
  assert.equal(merged.status, 200)
  assert.deepEqual(merged.data.connection_id, ['a', 'b/c'])
  assert.deepEqual(await nango.getMetadata('github', 'a'), { x: 1, deep: { z: 2 }, w: null })
  assert.deepEqual(await nango.getMetadata('github', 'b/c'), { deep: { z: 2 }, w: null })
  await nango.setMetadata('github', ['a'], {})
  assert.deepEqual(await nango.getMetadata('github', 'a'), {})
})

test('deleteConnection ends it, and then the provider hears of it, unless another still has that account', async t => {
  const { hub, nango } = await begin(t)
  const revoked = () => hub.sandbox.calls.filter(call => call.kind === 'revoke').length
  await connect(hub, 'hubspot', { connection_id: 'a b/c' })
  await connect(hub, 'hubspot', { connection_id: 'twin' })
  const { status, data } = await nango.deleteConnection('hubspot', 'a b/c')
  assert.deepEqual([status, data], [200, { success: true }])
  assert.equal(revoked(), 0)
  assert.ok(await nango.getToken('hubspot', 'twin'))
  await assert.rejects(nango.getConnection('hubspot', 'a b/c'), /404/)
  await nango.deleteConnection('hubspot', 'twin')
  assert.equal(revoked(), 1)
  // A provider that is out of order keeps nobody from deleting.
  await connect(hub, 'notion', { connection_id: 'n' })
  hub.sandbox.set('notion', { fail: { status: 503 } })
  assert.equal((await nango.deleteConnection('notion', 'n')).status, 200)
  assert.deepEqual(await nango.listConnections(), { connections: [] })
})

test('integrations: created, listed, read with their credentials, changed and deleted', async t => {
  const { hub, nango } = await begin(t)
  const credentials = { type: 'OAUTH2', client_id: 'id', client_secret: 's3cret', scopes: 'repo,user' } as const
  const made = await nango.createIntegration({
    provider: 'github',
    unique_key: 'ours',
    display_name: 'Our GitHub',
    credentials,
  })
  integrationShape.parse(made)
  const { configs } = await nango.listIntegrations()
  integrationsShape.parse({ data: configs, connectors: configs })
  const listed = configs.find(each => each.unique_key === 'ours')
  assert.deepEqual({ ...listed, ...made.data }, listed)
  assert.deepEqual(configs.find(each => each.unique_key === 'github')?.display_name, 'GitHub')
  assert.deepEqual(await nango.getIntegration({ uniqueKey: 'ours' }), made)
  assert.equal(JSON.stringify([made, configs]).includes('s3cret'), false)
  const read = async (key: string) => {
    const whole = await nango.getIntegration({ uniqueKey: key }, { include: ['webhook', 'credentials'] })
    integrationShape.parse(whole)
    return whole.data.credentials
  }
  assert.deepEqual(await read('ours'), { ...credentials, webhook_secret: null })
  const changed = await nango.updateIntegration(
    { uniqueKey: 'ours' },
    {
      unique_key: 'theirs',
      display_name: 'New',
      credentials: { ...credentials, client_secret: 'another', scopes: 'repo' },
    },
  )
  integrationShape.parse(changed)
  assert.deepEqual([changed.data.unique_key, changed.data.display_name], ['theirs', 'New'])
  assert.deepEqual(await read('theirs'), {
    ...credentials,
    client_secret: 'another',
    scopes: 'repo',
    webhook_secret: null,
  })
  await assert.rejects(nango.getIntegration({ uniqueKey: 'ours' }), /404/)
  // What is in the database is sealed.
  const row = await hub.rooms.storage.integration(hub.rooms.firstEnvironment.id, 'theirs')
  assert.ok(row && !Buffer.from(row.clientSecret).includes('another'))
  const { status, data } = await nango.deleteIntegration('theirs')
  assert.deepEqual([status, data], [200, { success: true }])
  await assert.rejects(nango.deleteIntegration('theirs'), /404/)
})

test('providers: listed, searched, read, and as a file', async t => {
  const { hub, nango } = await begin(t)
  const all = await nango.listProviders({})
  providersShape.parse(all)
  const names = all.data.map(each => each.name)
  assert.ok(names.includes('github') && names.includes('zendesk'))
  const { data } = await nango.getProvider({ provider: 'zendesk' })
  providerShape.parse({ data })
  assert.deepEqual(
    data,
    all.data.find(each => each.name === 'zendesk'),
  )
  assert.equal(data.auth_mode, 'OAUTH2')
  assert.match(String(data.authorization_url), /^https:\/\/\$\{connectionConfig\.subdomain\}\.zendesk\.com\//)
  assert.equal(data.connection_config?.['subdomain']?.type, 'string')
  const google = (await nango.listProviders({ search: 'GOOGLE' })).data.map(each => each.name)
  assert.deepEqual(google.toSorted(), names.filter(name => name.includes('google')).toSorted())
  const file = (await (await fetch(`${hub.origin}/providers.json`)).json()) as Record<string, unknown>
  assert.deepEqual(Object.values(file), all.data)
})

test("the client of the document's year lists and reads, with a key sent as Basic", async t => {
  const at = await begin(t)
  const { Nango } = await import('@nangohq/node')
  const nango = new Nango({ host: at.hub.origin, secretKey: at.key })
  await connect(at.hub, 'hubspot', { connection_id: 'a' })
  const list: ConnectionsShape = await nango.listConnections()
  connectionsShape.parse(list)
  assert.deepEqual(
    list.connections.map(({ connection_id, provider }) => [connection_id, provider]),
    [['a', 'hubspot']],
  )
  const connection = await nango.getConnection('hubspot', 'a')
  assert.equal(await nango.getToken('hubspot', 'a'), (connection.credentials as { access_token: string }).access_token)
  assert.deepEqual(await nango.getRawTokenResponse('hubspot', 'a'), connection.credentials.raw)
})
