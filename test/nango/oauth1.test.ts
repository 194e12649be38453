/** Imports of OAuth 1.0a, sent and read back by the vendor's own clients, and by the bodies of both years. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Nango as OldNango } from '@nangohq/node'
import { Nango } from 'nango-node-latest'
import { startTestHub } from '../harness.ts'
import { addTrello } from '../oauth1.ts'

const secretKey = '00000000-0000-4000-8000-000000000000'
const pair = { oauth_token: 'token-1', oauth_token_secret: 'secret-1' }

const post = async (url: string, body: unknown) => {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

test("an import of OAUTH1 reads back as such, by both of the vendor's clients", async t => {
  const hub = await startTestHub(t)
  await addTrello(hub)
  const nango = new Nango({ host: hub.origin, secretKey })
  const made = await post(`${hub.origin}/connections`, {
    provider_config_key: 'trello',
    connection_id: 'new',
    credentials: { type: 'OAUTH1', ...pair, raw: { ...pair, user_id: '7' } },
  })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const credentials = { type: 'OAUTH1', ...pair, raw: { ...pair, user_id: '7' } }
  assert.deepEqual(made.body['credentials'], credentials)
  assert.deepEqual((await nango.getConnection('trello', 'new')).credentials, credentials)
  const told = { oAuthToken: 'token-1', oAuthTokenSecret: 'secret-1' }
  assert.deepEqual(await nango.getToken('trello', 'new'), told)
  assert.deepEqual(await new OldNango({ host: hub.origin }).getToken('trello', 'new'), told)
  // Nobody was asked: the provider has no such token.
  assert.deepEqual(hub.sandbox.calls, [])
})

test('an import of OAUTH1 with the flat body of old clients', async t => {
  const hub = await startTestHub(t)
  await addTrello(hub)
  const body = { provider_config_key: 'trello', connection_id: 'old', ...pair }
  assert.equal((await post(`${hub.origin}/connection`, body)).status, 201)
  const nango = new Nango({ host: hub.origin, secretKey })
  assert.deepEqual((await nango.getConnection('trello', 'old')).credentials, { type: 'OAUTH1', ...pair, raw: pair })
})

test('an import of the other type is refused, and one without its secret', async t => {
  const hub = await startTestHub(t)
  await addTrello(hub)
  const at = (provider_config_key: string, credentials: Record<string, string>) =>
    post(`${hub.origin}/connections`, { provider_config_key, credentials })
  const other = await at('trello', { type: 'OAUTH2', access_token: 'a' })
  assert.equal(other.status, 400)
  assert.match(JSON.stringify(other.body), /invalid_auth_mode.*Trello takes no credential of the type oauth2/)
  assert.equal((await at('github', { type: 'OAUTH1', ...pair })).status, 400)
  const half = await at('trello', { type: 'OAUTH1', oauth_token: 'a' })
  assert.equal(half.status, 400)
  assert.match(JSON.stringify(half.body), /invalid_body.*oauth_token_secret/)
})
