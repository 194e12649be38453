/** Tokens of OAuth 1.0a that are given, and definitions of one's own: each way to sign, played by RFC 5849 alone. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { Secret } from '../src/core/credential.ts'
import { give } from '../src/core/give.ts'
import { addIntegration } from '../src/core/setup.ts'
import { connect, startTestHub, tempFolder } from './harness.ts'

import { addTrello, both, clientSecret, failureOf, outcomes } from './oauth1.ts'

suite('a token that is given', () => {
  test('is kept without a call, and reads back as OAUTH1', async t => {
    const hub = await startTestHub(t)
    const integration = await addTrello(hub)
    const row = await give(hub.rooms.hub.context, {
      environmentId: hub.rooms.firstEnvironment.id,
      integration,
      endUserId: '',
      given: { kind: 'oauth1', token: new Secret('t'), tokenSecret: new Secret('s') },
      params: {},
      duplicate: false,
    })
    const { old, current } = await both(hub, 'trello', row.connectionId)
    const raw = { oauth_token: 't', oauth_token_secret: 's' }
    assert.deepEqual(current.credentials, { type: 'OAUTH1', ...raw, raw })
    assert.deepEqual(old.credentials, { type: 'OAUTH1', access_token: 't', ...raw, raw })
    assert.deepEqual(hub.sandbox.calls, [])
  })

  test('is not taken where the provider speaks the other protocol', async t => {
    const hub = await startTestHub(t)
    const integration = await hub.rooms.storage.integration(hub.rooms.firstEnvironment.id, 'github')
    assert.ok(integration)
    await assert.rejects(
      give(hub.rooms.hub.context, {
        environmentId: hub.rooms.firstEnvironment.id,
        integration,
        endUserId: '',
        given: { kind: 'oauth1', token: new Secret('t'), tokenSecret: new Secret('s') },
        params: {},
        duplicate: false,
      }),
      { code: 'not_found', message: /GitHub takes no credential of the type oauth1 here; it takes oauth2/ },
    )
  })
})

/** An operator's own definition, which the sandbox plays by the RFC alone. */
const own = (signature: string, method: string) => `name: Acme
docs: [https://acme.example/oauth]
auth: oauth1
signature: ${signature}
api: { base: 'https://api.acme.example' }
params: { shop: { title: Shop, kind: label } }
temporary: { url: 'https://\${config.shop}.acme.example/oauth/initiate?lang=en&a=%20', method: ${method} }
authorize: { url: 'https://\${config.shop}.acme.example/oauth/authorize' }
token: { url: 'https://\${config.shop}.acme.example/oauth/token', method: ${method} }
`

for (const [signature, method] of [
  ['HMAC-SHA256', 'POST'],
  ['PLAINTEXT', 'GET'],
  ['HMAC-SHA1', 'GET'],
] as const)
  test(`a definition of one's own, signed by ${signature} with ${method}`, async t => {
    const dataDir = tempFolder(t)
    const folder = join(dataDir, 'providers')
    mkdirSync(folder)
    writeFileSync(join(folder, 'acme.yaml'), own(signature, method))
    const env = { MORTISE_PROVIDERS_DIR: folder }
    const first = await startTestHub(t, { dataDir, env })
    await addIntegration(first.rooms.hub.context, first.rooms.firstEnvironment, {
      key: 'acme',
      provider: 'acme',
      clientId: 'acme-client',
      clientSecret: new Secret(clientSecret),
      sandbox: true,
    })
    await first.stop()
    // The sandbox is told of it at the next start.
    const hub = await startTestHub(t, { dataDir, env })
    const { returned } = await connect(hub, 'acme', { connection_id: 'a', 'params[shop]': 'globex' })
    assert.equal(returned.searchParams.get('error_desc'), null)
    assert.equal((await both(hub, 'acme', 'a')).current.credentials.type, 'OAUTH1')
    assert.deepEqual(outcomes(hub), ['temporary ok', 'code ok'])
    const denied = await (async () => {
      hub.sandbox.set('acme', { deny: true })
      return connect(hub, 'acme', { connection_id: 'b', 'params[shop]': 'globex' })
    })()
    assert.match(failureOf(denied.returned)[1] ?? '', /declined/)
  })
