/** Whose account it is: a connection is repaired by the same person in the same workspace, and by nobody else. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import notion from '../../packages/sandbox/src/providers/notion.ts'
import xero from '../../packages/sandbox/src/providers/xero.ts'
import { Secret } from '../../src/core/credential.ts'
import { addIntegration } from '../../src/core/setup.ts'
import type { ConnectionsShape } from '../../src/http/nango/shapes.ts'
import { connect, getJson, startTestHub, type TestHub } from '../harness.ts'

/** An integration that `dev` does not make, with its client at the sandbox. */
const add = async (hub: TestHub, provider: string) => {
  const clientSecret = 's'.repeat(32)
  const clientId = `sandbox-${provider}`
  await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, {
    key: provider,
    provider,
    clientId,
    clientSecret: new Secret(clientSecret),
    sandbox: true,
  })
  hub.sandbox.register({ provider, clientId, clientSecret, redirectUris: [`${hub.origin}/oauth/callback`] })
}

const idOf = async (hub: TestHub, integration: string, account: string, query: Record<string, string> = {}) => {
  const { returned } = await connect(hub, integration, query, { account })
  assert.equal(returned.searchParams.get('error_desc'), null)
  return returned.searchParams.get('connection_id') ?? ''
}

const rows = async (hub: TestHub) => (await getJson<ConnectionsShape>(`${hub.origin}/connection`)).body.connections

test('another person of the same workspace gets a connection of their own', async t => {
  const hub = await startTestHub(t)
  await add(hub, 'xero')
  for (const { provider, accounts } of [notion, xero]) {
    const [ada, , charles] = accounts
    assert.ok(ada && charles)
    const first = await idOf(hub, provider, ada.id)
    const second = await idOf(hub, provider, charles.id)
    assert.notEqual(second, first, provider)
    assert.equal((await rows(hub)).filter(each => each.provider === provider).length, 2)
    assert.equal(await idOf(hub, provider, ada.id), first)
    assert.equal(await idOf(hub, provider, charles.id), second)
    const stored = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
    const [one, two] = [first, second].map(id => stored.find(row => row.connectionId === id)?.account)
    assert.equal(one?.id, two?.id, 'the workspace is the same')
    assert.deepEqual([one?.personId, two?.personId], [ada.person.id, charles.person.id])
  }
  assert.equal((await rows(hub)).length, 4)
})

test('another person of the same workspace cannot replace a named connection with a bare public key', async t => {
  const hub = await startTestHub(t)
  await add(hub, 'xero')
  for (const { provider, accounts } of [notion, xero]) {
    const [ada, , charles] = accounts
    assert.ok(ada && charles)
    const named = { connection_id: 'customer-1' }
    const read = () => getJson(`${hub.origin}/connection/customer-1?provider_config_key=${provider}`)
    await idOf(hub, provider, ada.id, named)
    const before = await read()
    const takeover = await connect(hub, provider, named, { account: charles.id })
    assert.equal(takeover.returned.searchParams.get('error_type'), 'connection_validation_failed')
    assert.deepEqual((await read()).body, before.body)
    assert.equal(await idOf(hub, provider, ada.id, named), 'customer-1')
    assert.notDeepEqual((await read()).body, before.body, 'the same person repairs it')
  }
})

test('where nobody is named by the provider, nothing is proven: no repair, and no replacement', async t => {
  const hub = await startTestHub(t)
  const clientSecret = 's'.repeat(32)
  // Without the scope openid Xero gives no ID token, and so tells no person.
  await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, {
    key: 'xero',
    provider: 'xero',
    clientId: 'sandbox-xero',
    clientSecret: new Secret(clientSecret),
    scopes: ['offline_access', 'accounting.settings.read'],
    sandbox: true,
  })
  hub.sandbox.register({
    provider: 'xero',
    clientId: 'sandbox-xero',
    clientSecret,
    redirectUris: [`${hub.origin}/oauth/callback`],
  })
  const [ada] = xero.accounts
  assert.ok(ada)
  assert.notEqual(await idOf(hub, 'xero', ada.id), await idOf(hub, 'xero', ada.id))
  await idOf(hub, 'xero', ada.id, { connection_id: 'named' })
  const again = await connect(hub, 'xero', { connection_id: 'named' }, { account: ada.id })
  assert.equal(again.returned.searchParams.get('error_type'), 'connection_validation_failed')
})

test('a shop, whose token belongs to no person, is one account: the same shop repairs, another does not', async t => {
  const hub = await startTestHub(t)
  await add(hub, 'shopify')
  const accounts = (await import('../../packages/sandbox/src/providers/shopify.ts')).default.accounts
  const [acme, globex] = accounts
  assert.ok(acme && globex)
  const shop = { 'params[shop]': 'acme-store' }
  const first = await idOf(hub, 'shopify', acme.id, shop)
  assert.equal(await idOf(hub, 'shopify', acme.id, shop), first)
  assert.notEqual(await idOf(hub, 'shopify', globex.id, shop), first)
  assert.equal((await rows(hub)).length, 2)
  await idOf(hub, 'shopify', acme.id, { ...shop, connection_id: 'named' })
  assert.equal(await idOf(hub, 'shopify', acme.id, { ...shop, connection_id: 'named' }), 'named')
})
