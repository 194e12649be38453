/**
 * Every provider that comes with Mortise, connected, refreshed and revoked against the sandbox playing it from its
 * documentation; and what arrived there is what that documentation names.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Expectation, loadExpectations } from '@mortise/sandbox'
import { loadCatalogue } from '../src/catalogue/catalogue.ts'
import { Secret } from '../src/core/credential.ts'
import { MortiseError } from '../src/core/errors.ts'
import { identityOf, type OAuth2Provider } from '../src/core/provider.ts'
import { revoke } from '../src/core/revoke.ts'
import { addIntegration } from '../src/core/setup.ts'
import type { ConnectionShape } from '../src/http/nango/shapes.ts'
import { connect, getJson, movableClock, startTestHub, type TestHub } from './harness.ts'

/** What a caller must give. */
const given: Record<string, Record<string, string>> = {
  zendesk: { 'params[subdomain]': 'acme' },
  shopify: { 'params[shop]': 'acme-store' },
}

/** Providers that have a revocation which a definition cannot say; each file says why. */
const revokedElsewhere = ['github']

const clientSecret = 'a secret with spaces & signs: é%+/='

/** The parameters of RFC 6749 §4.1.1 and RFC 7636 §4.3, and those that the documentation names besides. */
const checkAuthorize = (played: Expectation, at: URL) => {
  const { url, scopes, query, pkce } = played.authorize
  const documented = new URL(url.replace(/\{(\w+)\}/g, 'x'))
  if (!url.includes('{')) assert.equal(at.pathname, `/${documented.host}${documented.pathname}`)
  const common = ['client_id', 'redirect_uri', 'state', 'response_type']
  const proof = ['code_challenge', 'code_challenge_method']
  const known = [...common, ...proof, ...(scopes?.params ?? []), ...Object.keys(query ?? {})]
  for (const name of at.searchParams.keys()) assert.ok(known.includes(name), `${name} is no parameter there`)
  for (const name of proof) assert.equal(at.searchParams.has(name), pkce !== 'refused', name)
}

/** What the sandbox was sent: it has refused what is missing or wrong, so here is looked for what is too much. */
const checkCalls = (played: Expectation, hub: TestHub) => {
  for (const call of hub.sandbox.calls.filter(each => each.provider === played.provider)) {
    const rules =
      call.kind === 'code' || call.kind === 'refresh' || call.kind === 'revoke' ? played[call.kind] : undefined
    if (!rules) continue
    const own = 'rotates' in rules ? ['refresh_token'] : ['code', 'redirect_uri', 'code_verifier']
    const named = 'accepts' in rules ? [rules.param ?? ''] : ['grant_type', ...own]
    const client = call.scheme === undefined ? ['client_id', 'client_secret'] : []
    const known = [...named, ...client, ...Object.keys(rules.params ?? {})]
    for (const name of call.parameters) assert.ok(known.includes(name), `${call.kind}: ${name} is no parameter there`)
    const schemes = { basic: ['basic'], either: ['basic', undefined], bearer: ['bearer'] } as const
    const scheme = rules.client in schemes ? schemes[rules.client as keyof typeof schemes] : [undefined]
    assert.ok((scheme as readonly unknown[]).includes(call.scheme), `${call.kind}: authenticated by ${call.scheme}`)
  }
}

const live = async (
  hub: TestHub,
  clock: ReturnType<typeof movableClock>,
  provider: OAuth2Provider,
  played: Expectation,
) => {
  const { storage, firstEnvironment: environment, hub: rooms } = hub.rooms
  const key = `${provider.id}-test`
  const clientId = `client-${provider.id}`
  await addIntegration(rooms.context, environment, {
    key,
    provider: provider.id,
    clientId,
    clientSecret: new Secret(clientSecret),
    sandbox: true,
  })
  const redirectUris = [`${hub.origin}/oauth/callback`]
  hub.sandbox.register({ provider: provider.id, clientId, clientSecret, redirectUris })

  const flow = () => connect(hub, key, given[provider.id] ?? {}, { provider: provider.id })
  const { returned, browser } = await flow()
  assert.equal(returned.searchParams.get('error_desc'), null)
  const asked = browser.hops.map(hop => new URL(hop.location ?? hop.url)).find(at => at.searchParams.has('state'))
  assert.ok(asked)
  checkAuthorize(played, asked)
  const id = returned.searchParams.get('connection_id') ?? ''
  const read = async () => {
    const { status, body } = await getJson<ConnectionShape>(`${hub.origin}/connection/${id}?provider_config_key=${key}`)
    assert.equal(status, 200, JSON.stringify(body))
    assert.ok('access_token' in body.credentials && body.credentials.type === 'OAUTH2')
    return body.credentials
  }
  const rowNow = async () => {
    const row = (await storage.connections(environment.id, { connectionId: id })).find(each => each.connectionId === id)
    assert.ok(row)
    return row
  }
  const first = await read()
  const { config } = await rowNow()
  for (const name of Object.keys(provider.config)) assert.ok(config[name], `${name} is kept, since URLs need it`)
  if (provider.identity) {
    assert.ok((await rowNow()).account?.id, 'the provider tells whose account it is')
    // Authorising the same account again repairs the connection.
    assert.equal((await flow()).returned.searchParams.get('connection_id'), id)
    assert.notEqual((await read()).access_token, first.access_token)
  }

  const refreshes = () =>
    hub.sandbox.calls.filter(call => call.provider === provider.id && call.kind === 'refresh').map(call => call.outcome)
  const past = async () => {
    const { expiresAt, renewal } = await rowNow()
    assert.equal(renewal !== undefined, provider.refresh !== undefined, 'it can be renewed where refresh tokens are')
    if (!expiresAt) return false
    clock.forward((expiresAt.getTime() - clock.now().getTime()) / 1000 + 1)
    return provider.refresh !== undefined
  }
  if (played.lifetime === undefined) {
    const before = await read()
    clock.forward(30 * 86_400)
    assert.equal((await read()).access_token, before.access_token)
  } else if (provider.refresh) {
    for (let round = 1; round <= 3; round++) {
      const before = await read()
      assert.ok(await past())
      assert.notEqual((await read()).access_token, before.access_token)
      assert.deepEqual(refreshes(), Array(round).fill('ok'))
    }
  }

  const { access_token: last } = await read()
  const { outcome } = await revoke(rooms.context, await rowNow())
  assert.equal(outcome, provider.revoke ? 'revoked' : 'unsupported')
  if (!revokedElsewhere.includes(provider.id)) assert.equal(provider.revoke !== undefined, played.revoke !== undefined)
  // Without such a call, the end user ends the grant at the provider. Either way nothing is left of it there.
  if (!provider.revoke) assert.ok(hub.sandbox.revoke(last))
  assert.equal(hub.sandbox.revoke(last), false)
  const dead = (thrown: unknown) => thrown instanceof MortiseError && thrown.code === 'reauthorization_required'
  if (identityOf(provider, 'oauth2')?.request && played.unauthorized.status === 401)
    await assert.rejects(rooms.test(await rowNow()), dead)
  if (played.lifetime !== undefined && (await past())) await assert.rejects(rooms.read(environment.id, key, id), dead)
  checkCalls(played, hub)
}

test('each provider: connected, its account known, refreshed and revoked, as its documentation has it', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  const expectations = await loadExpectations()
  // OAuth 1.0a has neither refresh nor revocation: its flows are in oauth1.test.ts.
  for (const provider of loadCatalogue()
    .list()
    .filter(each => each.auth === 'oauth2'))
    await t.test(provider.id, async () => {
      const played = expectations.find(each => each.provider === provider.id)
      assert.ok(played, `packages/sandbox/src/providers/${provider.id}.ts is missing`)
      await live(hub, clock, provider, played)
    })
})

test('what a claim of the ID token says is shown, and what later URLs need is kept of the identity answer too', async t => {
  const hub = await startTestHub(t)
  const connected = async (provider: string) => {
    const [clientId, secret] = [`client-${provider}`, 's']
    const clientSecret = new Secret(secret)
    const { context } = hub.rooms.hub
    const integration = { key: provider, provider, clientId, clientSecret, sandbox: true }
    await addIntegration(context, hub.rooms.firstEnvironment, integration)
    const redirectUris = [`${hub.origin}/oauth/callback`]
    hub.sandbox.register({ provider, clientId, clientSecret: secret, redirectUris })
    await connect(hub, provider, { connection_id: provider })
    const [row] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, { connectionId: provider })
    assert.ok(row)
    return row
  }
  const quickbooks = await connected('quickbooks')
  assert.equal(quickbooks.account?.id, '1108033471')
  assert.deepEqual(quickbooks.facts, { realm_id: '1108033471' })
  const docusign = await connected('docusign')
  assert.deepEqual(docusign.config, { base_uri: 'https://na1.docusign.net' })
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
    assert.equal(refresh !== undefined, played?.refresh !== undefined, id)
    if (!refresh || !played?.refresh) continue
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
