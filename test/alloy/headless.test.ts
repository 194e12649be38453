/** The embedded API's part on credentials: apps, links, keys and imports without a page; and what this hub has none of. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Secret } from '../../src/core/credential.ts'
import { addIntegration } from '../../src/core/setup.ts'
import type { ConnectionShape, UserShape } from '../../src/http/alloy/shapes.ts'
import { startTestHub, type TestHub } from '../harness.ts'
import { newKey } from '../page.ts'
import { app, authorize, call, connected, refused } from './hub.ts'

const ends: (() => unknown)[] = []
let hub: TestHub
let ada: UserShape
before(async () => {
  hub = await startTestHub({ after: end => void ends.push(end as () => unknown) })
  const zendesk = {
    key: 'support',
    provider: 'zendesk',
    clientId: 'c',
    clientSecret: new Secret('s'),
    scopes: ['read'],
  }
  await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, zendesk)
  ada = (await call<UserShape>(hub, 'POST', '/2024-03/users', { username: 'ada', fullName: 'Ada' })).body
})
after(async () => {
  for (const end of ends.reverse()) await end()
})

type Metadata = { name: string; isOauth: boolean; properties: { name: string }[] }

test('the apps and what each asks for, all together and one by one, under any spelling', async () => {
  for (const path of ['/2024-03/metadata/apps', '/2023-01/apps', '/metadata/apps']) {
    const { body } = await call<{ data: { id: string; name: string }[] }>(hub, 'GET', path)
    assert.deepEqual(body.data.find(each => each.id === 'google-drive')?.name, 'Google Drive')
  }
  const all = await call<{ data: Metadata[] }>(hub, 'GET', '/2024-03/metadata/credentials')
  assert.equal(all.headers.get('x-api-version'), '2024-03')
  assert.deepEqual(
    all.body.data.map(each => each.name),
    ['github', 'google-drive', 'hubspot', 'notion', 'salesforce', 'slack', 'support'],
  )
  const one = await call<{ data: Metadata }>(hub, 'GET', '/metadata/credentials/support')
  assert.deepEqual(one.body, {
    data: {
      name: 'support',
      connector: 'support',
      icon: (one.body.data as unknown as { icon: string }).icon,
      isOauth: true,
      properties: [{ name: 'subdomain', displayName: 'Zendesk subdomain', description: 'For example acme' }],
    },
  })
  for (const spelt of ['googleDrive', 'google-drive', 'GoogleDrive'])
    assert.equal(
      (await call<{ data: Metadata }>(hub, 'GET', `/metadata/credentials/${spelt}`)).body.data.name,
      'google-drive',
    )
  assert.equal((await refused(hub, 'GET', '/metadata/credentials/nope')).status, 404)
})

test('a link for one user, by each of the paths that were', async () => {
  const paths = [
    `/2024-03/headless/oauthUrl?app=notion&userId=${ada.userId}`,
    '/headless/oauthurl?connectorName=notion&userId=ada',
    '/2023-12/users/ada/credentials/notion?integrationId=x',
  ]
  for (const path of paths) {
    const { body } = await call<{ oauthUrl: string; credentialId: string; expiresAt: string }>(hub, 'GET', path)
    const { oauthUrl, credentialId, expiresAt } = body
    assert.deepEqual(body, { oauthUrl, data: { oauthUrl }, credentialId, expiresAt })
    assert.match(credentialId, /^cred_[0-9a-f]{24}$/)
  }
  const back = `/headless/oauthUrl?app=notion&userId=ada&redirectUri=${encodeURIComponent(app)}&state=mine`
  const { body } = await call<{ oauthUrl: string; credentialId: string }>(hub, 'GET', back)
  const { returned } = await authorize(hub, body.oauthUrl)
  assert.equal(returned.searchParams.get('state'), 'mine')
  const row = await call<ConnectionShape>(hub, 'GET', `/users/ada/credentials/${body.credentialId}`)
  assert.deepEqual([row.body.userId, row.body.connectorId, row.body.status], [ada.userId, 'notion', 'connected'])
})

test('what the provider asks for stands in the query; what is missing or no field of its is said, and no token is taken', async () => {
  const path = '/headless/oauthUrl?app=support&userId=ada'
  const { body } = await call<{ warnings: string[] }>(hub, 'GET', `${path}&subdomain=acme&subdomian=x`)
  assert.deepEqual(body.warnings, ['"subdomian" is not a field here and was ignored (did you mean subdomain?).'])
  const token = await refused(hub, 'GET', '/headless/oauthUrl?app=notion&userId=ada&accessToken=secret')
  assert.equal(token.status, 400)
  assert.doesNotMatch(token.body.message, /secret/)
  assert.match((await refused(hub, 'GET', '/headless/oauthUrl')).body.message, /^app is missing/)
  const nobody = await refused(hub, 'GET', '/headless/oauthUrl?app=notion&userId=nobody')
  assert.equal(nobody.body.error.details[0]?.properties, 'userId')
})

test('a credential without a page: the tokens of an import, and a key; each is told from what is in it', async () => {
  const source = await connected(hub, {}, { connector: 'github' })
  const read = await hub.rooms.hub.read(hub.rooms.firstEnvironment.id, 'github', source.id)
  const accessToken = read.credential.accessToken.reveal()
  const make = (credential: unknown) =>
    call(hub, 'POST', '/2024-03/headless/credentials', { userId: ada.userId, credential })
  const types: [data: object, type: string][] = [
    [{ accessToken }, 'github-oauth2'],
    [{ apiKey: accessToken }, 'github-apiKey'],
  ]
  for (const [data, type] of types) {
    const { status, body } = await make({ type: 'github', data })
    assert.equal(status, 200, JSON.stringify(body))
    const id = body['credentialId']
    assert.deepEqual(body, { success: true, credentialId: id, connectionId: id })
    const made = await call<ConnectionShape>(hub, 'GET', `/users/ada/credentials/${id}`)
    assert.equal(made.body.type, type)
  }
  for (const wrong of [undefined, {}, { type: 'github' }, { type: 'github', data: 'x' }])
    assert.equal((await make(wrong)).status, 400, JSON.stringify(wrong))
  const nothing = await refused(hub, 'POST', '/headless/credentials', {
    userId: 'ada',
    credential: { type: 'salesforce', data: { token: 'x' } },
  })
  assert.match(nothing.body.message, /data must hold accessToken.*GET \/headless\/oauthUrl\?app=salesforce/)
  const bad = await make({ type: 'github', data: { apiKey: 'not-a-key' } })
  assert.equal(bad.status, 400)
})

test('lists of what this hub has none of are empty; what acts on one is a 404 that says why', async () => {
  for (const path of ['/workflows', '/events', '/installations', '/2023-06/events', '/2024-03/workflows?userId=ada'])
    assert.deepEqual((await call(hub, 'GET', path)).body, { data: [] }, path)
  assert.equal((await refused(hub, 'GET', '/2024-03/workflows?userId=nobody')).status, 400)
  const acts: [method: string, path: string][] = [
    ['POST', '/2024-03/run/event'],
    ['POST', '/run/workflow'],
    ['PUT', '/2024-03/workflows/activate'],
    ['PUT', '/2023-06/workflows/deactivate'],
    ['PUT', '/workflows/1/upgrade'],
    ['GET', '/workflows/1'],
    ['GET', '/workflows/1/logs'],
    ['POST', '/workflows/1/rerun/2'],
    ['DELETE', '/workflows/1'],
    ['POST', '/headless/startInstallation'],
    ['POST', '/2024-03/headless/completeInstallation'],
  ]
  for (const [method, path] of acts) {
    const { status, body } = await refused(hub, method, path, method === 'GET' ? undefined : {})
    assert.deepEqual([status, body.code], [404, 'NOT_FOUND'], path)
    assert.match(body.message, /^This hub connects accounts and runs no workflows/)
  }
  for (const path of ['/one/crm/contacts', '/2023-12/one/commerce/orders', '/one/webhooks'])
    assert.match((await refused(hub, 'GET', path)).body.message, /^Unified models .* are not served/)
})

test('GET /integrations: with a version, of one user and whether each is connected; without, as before', async () => {
  const path = '/integrations?userId=ada'
  const { body } = await call<{ data: { id: string }[] }>(hub, 'GET', path, undefined, { 'x-api-version': '2025-09' })
  const versioned = (
    await call<{ data: { id: string; app: string; installed: boolean }[] }>(hub, 'GET', `/2024-03${path}`)
  ).body
  assert.deepEqual(body, versioned)
  const notion = versioned.data.find(each => each.id === 'notion')
  assert.deepEqual([notion?.app, notion?.installed], ['Notion', true])
  assert.equal(versioned.data.find(each => each.id === 'slack')?.installed, false)
  const one = await call(hub, 'GET', '/2024-03/integrations/Notion?userId=ada')
  assert.deepEqual(one.body, { data: notion })
  const plain = await call<{ data: { unique_key: string }[] }>(hub, 'GET', '/integrations')
  assert.equal(plain.body.data[0]?.unique_key, 'github')
})

/** Each call of its class Embedded, as its source has it (github.com/alloy-automation/alloy-node, `embedded/`), on 2024-03. */
test('alloy-node 3.3.0, which no registry has: each call that it makes is answered with the fields that its own tests read', async () => {
  const { body: grace } = await call<UserShape>(hub, 'POST', '/2024-03/users', { username: 'grace', fullName: 'Grace' })
  const of = `/2024-03/users/${grace.userId}`
  const user = { userId: grace.userId }
  const source = await connected(hub, { userId: 'grace' }, { connector: 'github' })
  const accessToken = (
    await hub.rooms.hub.read(hub.rooms.firstEnvironment.id, 'github', source.id)
  ).credential.accessToken.reveal()
  const answered: [method: string, path: string, body: unknown, fields: string][] = [
    ['GET', '/2024-03/users/grace', undefined, 'userId username fullName'],
    ['GET', '/2024-03/users', undefined, 'data.0.userId data.0.username data.0.fullName'],
    ['POST', '/2024-03/users/batch', { users: [{ username: 'x', fullName: 'X' }] }, 'message invalidUsers'],
    ['PUT', of, { fullName: 'Admiral' }, 'userId username fullName'],
    ['GET', `${of}/token`, undefined, 'token'],
    ['GET', '/2024-03/metadata/apps', undefined, 'data.0.name data.0.icon'],
    ['GET', '/2024-03/metadata/credentials', undefined, 'data.0.name data.0.icon data.0.isOauth data.0.properties'],
    ['GET', '/2024-03/metadata/credentials/notion', undefined, 'data.name data.icon data.isOauth data.properties'],
    [
      'POST',
      '/2024-03/headless/credentials',
      { ...user, credential: { type: 'github', data: { accessToken } } },
      'success credentialId',
    ],
    [
      'GET',
      `${of}/credentials`,
      undefined,
      'data.0.credentialId data.0.type data.0.name data.0.createdAt data.0.updatedAt',
    ],
    ['GET', `/2024-03/headless/oauthUrl?app=notion&userId=${grace.userId}`, undefined, 'oauthUrl data.oauthUrl'],
    ['GET', `${of}/integrations/notion/install-url`, undefined, 'url'],
    [
      'GET',
      `/2024-03/integrations?userId=${grace.userId}`,
      undefined,
      'data.0.integrationId data.0.app data.0.icon data.0.installed data.0.workflows',
    ],
    ['GET', `/2024-03/integrations/notion?userId=${grace.userId}`, undefined, 'data.integrationId data.workflows'],
    ['GET', `/2024-03/workflows?userId=${grace.userId}`, undefined, 'data'],
    ['GET', `/2024-03/events?userId=${grace.userId}`, undefined, 'data'],
    ['PUT', `${of}/deactivate-workflows`, undefined, 'success'],
    ['DELETE', `${of}/logs`, undefined, 'success'],
    ['DELETE', `${of}/credentials/${source.credentialId}`, undefined, 'success'],
    ['DELETE', of, undefined, 'success'],
  ]
  for (const [method, path, body, fields] of answered) {
    const said = await call(hub, method, path, body)
    assert.equal(said.status, 200, `${method} ${path} ${JSON.stringify(said.body)}`)
    for (const field of fields.split(' ')) {
      const value = field.split('.').reduce<unknown>((at, name) => (at as Record<string, unknown>)?.[name], said.body)
      assert.notEqual(value, undefined, `${path}: ${field}`)
    }
  }
  // It throws `message`, and takes a 422 for a success.
  const gone = await refused(hub, 'GET', of)
  assert.deepEqual([gone.status, typeof gone.body.message], [400, 'string'])
})

test('with a key: each route needs its scope, and a link needs the one that begins flows', async () => {
  const { key } = await newKey(hub, { scopes: ['connections:read', 'integrations:read'] })
  const auth = { authorization: `Bearer ${key}` }
  const as = (method: string, path: string, body?: unknown) => refused(hub, method, path, body, auth)
  assert.equal((await as('GET', '/metadata/credentials')).status, 200)
  assert.equal((await as('GET', '/2024-03/integrations?userId=ada')).status, 200)
  for (const path of ['/headless/oauthUrl?app=notion', '/users/ada/credentials/notion'])
    assert.equal((await as('GET', path)).status, 403, path)
  assert.equal((await as('GET', '/users/ada/integrations/notion/install-url')).status, 403)
  assert.equal((await as('POST', '/headless/credentials', {})).status, 403)
  assert.equal((await as('DELETE', '/users/ada/logs')).status, 403)
  for (const path of ['/metadata/apps', '/workflows', '/2024-03/integrations', '/one/crm/contacts', '/events'])
    assert.equal((await refused(hub, 'GET', path)).status, 401, path)
})
