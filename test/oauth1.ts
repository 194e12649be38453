/** A hub with an integration at Trello, the provider of OAuth 1.0a that the sandbox plays. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Secret } from '../src/core/credential.ts'
import { addIntegration } from '../src/core/setup.ts'
import {
  type ConnectionShape,
  type CurrentConnectionShape,
  connectionShape,
  currentConnectionShape,
} from '../src/http/nango/shapes.ts'
import { getJson, startTestHub, type TestHub } from './harness.ts'

export const clientSecret = 'a secret with spaces & signs: é%+/='

export const addTrello = async (hub: TestHub, key = 'trello') => {
  const integration = await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, {
    key,
    provider: 'trello',
    clientId: 'sandbox-trello',
    clientSecret: new Secret(clientSecret),
    sandbox: true,
  })
  const redirectUris = [`${hub.origin}/oauth/callback`]
  hub.sandbox.register({ provider: 'trello', clientId: 'sandbox-trello', clientSecret, redirectUris })
  return integration
}

export const withTrello = async (t: TestContext, options: Parameters<typeof startTestHub>[1] = {}) => {
  const hub = await startTestHub(t, options)
  await addTrello(hub)
  return hub
}

export const both = async (hub: TestHub, key: string, id: string) => {
  const query = `${encodeURIComponent(id)}?provider_config_key=${key}`
  const old = await getJson<ConnectionShape>(`${hub.origin}/connection/${query}`)
  const current = await getJson<CurrentConnectionShape>(`${hub.origin}/connections/${query}`)
  assert.deepEqual([old.status, current.status], [200, 200], JSON.stringify([old.body, current.body]))
  return { old: connectionShape.parse(old.body), current: currentConnectionShape.parse(current.body) }
}

export const rowsOf = (hub: TestHub) => hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})

/** What went wrong, where the app hears of it. */
export const failureOf = (returned: URL) => [
  returned.searchParams.get('error_type'),
  returned.searchParams.get('error_desc') ?? '',
]

export const outcomes = (hub: TestHub) => hub.sandbox.calls.map(call => `${call.kind} ${call.outcome}`)
