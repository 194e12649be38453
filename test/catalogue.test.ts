/** Every provider that comes with Mortise, connected and refreshed against the sandbox playing it from its documentation. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadExpectations } from '@mortise/sandbox'
import { loadCatalogue } from '../src/catalogue/catalogue.ts'
import { Secret } from '../src/core/credential.ts'
import { addIntegration } from '../src/core/setup.ts'
import type { ConnectionShape } from '../src/http/nango/shapes.ts'
import { connect, getJson, movableClock, startTestHub } from './harness.ts'

/** What a caller must give, and what the provider then tells: id of the account that the first sandbox person has. */
const given: Record<string, Record<string, string>> = {
  zendesk: { 'params[subdomain]': 'acme' },
  shopify: { 'params[shop]': 'acme-store' },
}

/** Providers whose sandbox answer has no expiry, so that nothing is ever refreshed. */
const neverExpires = new Set(['notion', 'trello'])

for (const provider of loadCatalogue().list())
  test(`${provider.id}: connect, read, and a refresh by its definition, as its documentation has it`, async t => {
    const clock = movableClock()
    const hub = await startTestHub(t, { clock })
    const clientSecret = 'a secret with spaces & signs: é%+/='
    const key = `${provider.id}-test`
    await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, {
      key,
      provider: provider.id,
      clientId: `client-${provider.id}`,
      clientSecret: new Secret(clientSecret),
      sandbox: true,
    })
    hub.sandbox.register({
      provider: provider.id,
      clientId: `client-${provider.id}`,
      clientSecret,
      redirectUris: [`${hub.origin}/oauth/callback`],
    })
    const { returned } = await connect(hub, key, given[provider.id] ?? {}, { provider: provider.id })
    assert.equal(returned.searchParams.get('error_desc'), null)
    const id = returned.searchParams.get('connection_id') ?? ''
    const read = async () => {
      const { status, body } = await getJson<ConnectionShape>(
        `${hub.origin}/connection/${id}?provider_config_key=${key}`,
      )
      assert.equal(status, 200, JSON.stringify(body))
      assert.ok('access_token' in body.credentials)
      return body.credentials
    }
    const first = await read()
    const [row] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
    assert.ok(row?.account?.id, 'the provider tells whose account it is')
    // Authorising the same account again repairs the connection.
    const again = await connect(hub, key, given[provider.id] ?? {}, { provider: provider.id })
    assert.equal(again.returned.searchParams.get('connection_id'), id)
    const second = await read()
    assert.notEqual(second.access_token, first.access_token)
    const refreshes = () => hub.sandbox.calls.filter(call => call.kind === 'refresh')
    if (neverExpires.has(provider.id)) {
      clock.forward(400 * 86_400)
      assert.equal((await read()).access_token, second.access_token)
      assert.equal(refreshes().length, 0)
      return
    }
    for (let round = 1; round <= 3; round++) {
      const before = await read()
      const [now] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
      assert.ok(now?.expiresAt && now.renewal, 'it expires and can be renewed')
      clock.forward((now.expiresAt.getTime() - clock.now().getTime()) / 1000 + 1)
      assert.notEqual((await read()).access_token, before.access_token)
      assert.deepEqual(
        refreshes().map(call => call.outcome),
        Array(round).fill('ok'),
      )
    }
  })

test('what a definition says of refresh tokens agrees with what the sandbox plays, written apart from it', async () => {
  const expectations = await loadExpectations()
  for (const provider of loadCatalogue().list()) {
    const { id } = provider
    const played = expectations.find(each => each.provider === id)
    if (provider.auth === 'oauth1') {
      assert.ok(played?.oauth1?.signatures.includes(provider.signature), `${id}: signature`)
      assert.equal(played?.refresh, undefined)
      continue
    }
    const { refresh, introspect, token } = provider
    assert.ok(played?.refresh && refresh, id)
    const { rotates, graceSeconds = 0, idleSeconds, accessTokens = Number.POSITIVE_INFINITY } = played.refresh
    // A definition may be more careful than the provider is, never less.
    if (!refresh.rotates) assert.ok(!rotates || graceSeconds === Number.POSITIVE_INFINITY, `${id} spends them`)
    assert.ok((refresh.grace ?? 0) <= graceSeconds, `${id}: grace`)
    assert.equal(refresh.idle, idleSeconds, `${id}: idle`)
    if (refresh.survives) assert.ok(accessTokens > 1, `${id}: the old access token dies`)
    assert.equal(introspect?.url, played.introspect?.url, `${id}: introspect`)
    if (!introspect || !played.introspect) continue
    assert.ok([introspect.client, 'either'].includes(played.introspect.client), `${id}: introspect.client`)
    assert.ok(token.lifetime, `${id}: what counts where the introspection fails`)
  }
})

test('a provider without an expectation is played as a strict RFC 6749 server', async t => {
  const { mkdirSync, writeFileSync } = await import('node:fs')
  const { join } = await import('node:path')
  const { tempFolder } = await import('./harness.ts')
  const folder = join(tempFolder(t), 'providers')
  mkdirSync(folder)
  const definition = {
    name: 'Plain',
    docs: ['https://plain.example/docs'],
    auth: 'oauth2',
    api: { base: 'https://api.plain.example' },
    authorize: { url: 'https://plain.example/authorize', scopes: { default: ['all'] } },
    token: { url: 'https://plain.example/token', client: 'basic' },
    refresh: { rotates: true },
  }
  writeFileSync(join(folder, 'plain.yaml'), JSON.stringify(definition))
  const clock = movableClock()
  const hub = await startTestHub(t, { clock, env: { MORTISE_PROVIDERS_DIR: folder } })
  await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, {
    key: 'plain',
    provider: 'plain',
    clientId: 'client-plain',
    clientSecret: new Secret('s'),
    sandbox: true,
  })
  hub.sandbox.register({
    provider: 'plain',
    clientId: 'client-plain',
    clientSecret: 's',
    redirectUris: [`${hub.origin}/oauth/callback`],
    endpoints: { authorizeUrl: definition.authorize.url, tokenUrl: definition.token.url },
  })
  await connect(hub, 'plain', { connection_id: 'a' })
  const url = `${hub.origin}/connection/a?provider_config_key=plain`
  const first = await getJson<ConnectionShape>(url)
  assert.equal(first.status, 200)
  clock.forward(3600)
  const second = await getJson<ConnectionShape>(url)
  assert.equal(second.status, 200)
  assert.notDeepEqual(second.body.credentials, first.body.credentials)
})

test("Slack's user token, nested in the answer, is the credential where the operator's definition asks for one", async t => {
  const { mkdirSync, readFileSync, writeFileSync } = await import('node:fs')
  const { join } = await import('node:path')
  const { tempFolder } = await import('./harness.ts')
  const folder = join(tempFolder(t), 'providers')
  mkdirSync(folder)
  const own = readFileSync(new URL('../providers/slack.yaml', import.meta.url), 'utf8')
  const asUser = own
    .replace('\n    param: scope\n', '\n    param: user_scope\n')
    .replace('\n    default: [team:read]\n', '\n    default: [search:read]\n')
  assert.equal(asUser.length, own.length + 'user_'.length + 'search:read'.length - 'team:read'.length)
  writeFileSync(join(folder, 'slack.yaml'), asUser)
  const clock = movableClock()
  const hub = await startTestHub(t, { clock, env: { MORTISE_PROVIDERS_DIR: folder } })
  const { returned, browser } = await connect(hub, 'slack', { connection_id: 'a' })
  assert.equal(returned.searchParams.get('error_desc'), null)
  const authorize = new URL(browser.hops[0]?.location ?? '')
  assert.equal(authorize.searchParams.get('user_scope'), 'search:read')
  assert.equal(authorize.searchParams.has('scope'), false)
  const read = async () => {
    const { status, body } = await getJson<ConnectionShape>(`${hub.origin}/connection/a?provider_config_key=slack`)
    assert.equal(status, 200, JSON.stringify(body))
    assert.ok('access_token' in body.credentials && body.credentials.type === 'OAUTH2')
    return body.credentials
  }
  const first = await read()
  assert.equal('access_token' in first.raw, false)
  const nested = first.raw['authed_user'] as Record<string, unknown>
  assert.ok(first.access_token)
  assert.equal(first.access_token, nested['access_token'])
  // Whole again: the refresh token is sealed apart from the answer that it came in.
  assert.ok(first.refresh_token)
  assert.equal(first.refresh_token, nested['refresh_token'])
  assert.equal(first.expires_at, new Date(clock.now().getTime() + 43_200_000).toISOString())
  const [row] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
  assert.deepEqual(row?.scopes, ['search:read'])
  assert.ok(row?.account?.personId)
  for (let round = 0; round < 2; round++) {
    const before = await read()
    clock.forward(43_200)
    const after = await read()
    assert.notEqual(after.access_token, before.access_token)
    assert.notEqual(after.refresh_token, before.refresh_token)
  }
  assert.deepEqual(
    hub.sandbox.calls.filter(call => call.kind === 'refresh').map(call => call.outcome),
    ['ok', 'ok'],
  )
})
