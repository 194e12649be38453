/** What came of a revocation is told, whatever it was: the connection of a user goes, whether or not the provider answers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { disconnect } from '../src/core/change.ts'
import { MortiseError } from '../src/core/errors.ts'
import { revoke } from '../src/core/revoke.ts'
import { connect, startTestHub, type TestHub } from './harness.ts'

const rowOf = async (hub: TestHub, connectionId: string) => {
  const [row] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, { connectionId })
  assert.ok(row)
  return row
}

test('a provider that refuses or is down has not revoked, and nothing is thrown; when it is back, it has', async t => {
  const hub = await startTestHub(t)
  const { context } = hub.rooms.hub
  await connect(hub, 'hubspot', { connection_id: 'a' })
  const row = await rowOf(hub, 'a')
  const known = {
    provider: 'hubspot',
    clientId: 'sandbox-hubspot',
    redirectUris: [`${hub.origin}/oauth/callback`],
  }
  hub.sandbox.register({ ...known, clientSecret: 'another' })
  const refused = await revoke(context, row)
  assert.ok(refused.outcome === 'failed' && refused.error instanceof MortiseError)
  assert.equal(refused.error.code, 'provider_rejected')
  assert.match(refused.error.message, /^HubSpot did not end the grant/)

  // The grant is alive.
  const integration = await hub.rooms.storage.integration(hub.rooms.firstEnvironment.id, 'hubspot')
  assert.ok(integration)
  hub.sandbox.register({ ...known, clientSecret: (await context.clientSecretOf(integration)).reveal() })
  await hub.rooms.hub.test(row)
  await hub.rooms.hub.read(row.environmentId, 'hubspot', 'a', { force: true })

  // A row of before knows the credential of before; HubSpot's refresh token has stayed the same.
  assert.deepEqual(await revoke(context, row), { outcome: 'revoked' })
  // Once more: to the provider it is unknown, and so as good as revoked (RFC 7009 §2.2).
  assert.deepEqual(await revoke(context, await rowOf(hub, 'a')), { outcome: 'revoked' })
  await hub.sandbox.close()
  const down = await revoke(context, row)
  assert.ok(down.outcome === 'failed')
  assert.equal(down.error.code, 'provider_unavailable')
})

test('a key that an end user gave is not revoked: only its own settings can end it', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'notion', { connection_id: 'a' })
  const row = await rowOf(hub, 'a')
  const before = hub.sandbox.calls.length
  assert.deepEqual(await revoke(hub.rooms.hub.context, { ...row, kind: 'apiKey' }), { outcome: 'unsupported' })
  assert.equal(hub.sandbox.calls.length, before)
})

test('a revocation that ends what everybody in an account gave waits for the last who may be of it', async t => {
  const hub = await startTestHub(t)
  const { context } = hub.rooms.hub
  await connect(hub, 'slack', { connection_id: 'a' })
  const imported = await fetch(`${hub.origin}/connections`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      provider_config_key: 'slack',
      connection_id: 'b',
      credentials: { type: 'OAUTH2', access_token: 'of somebody' },
    }),
  })
  assert.equal(imported.status, 201)
  const revoked = () => hub.sandbox.calls.filter(each => each.kind === 'revoke').length
  const a = await rowOf(hub, 'a')
  assert.ok(await disconnect(context, a))
  assert.equal(revoked(), 0)
  assert.ok(await disconnect(context, await rowOf(hub, 'b')))
  await connect(hub, 'slack', { connection_id: 'c' })
  assert.ok(await disconnect(context, await rowOf(hub, 'c')))
  assert.equal(revoked(), 1)
})
