/** Connect sessions as of 2026: made by the vendor's newest client, and what a page may do with one. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setEndpoint } from '../../src/core/notify.ts'
import { newSessionShape } from '../../src/http/nango/shapes.ts'
import { Browser, connect, getJson } from '../harness.ts'
import { newKey } from '../page.ts'
import { asked, environmentOf, open, type Refused, rows, setUp } from './session-hub.ts'

test("the vendor's client makes a session: token, link and half an hour; the page reads whose it is", async t => {
  const { hub, nango, clock } = await setUp(t)
  const made = await nango.createConnectSession({
    end_user: { id: 'user-1', email: 'ada@example.com', display_name: 'Ada', tags: { Plan: 'pro' } },
    organization: { id: 'acme', display_name: 'Acme Inc.' },
    allowed_integrations: ['github', 'slack'],
    integrations_config_defaults: {
      slack: { user_scopes: 'chat:write', authorization_params: { team: 'T1' } },
      github: { connection_config: { oauth_scopes_override: 'read:user', region: 'eu' } },
    },
    overrides: { github: { docs_connect: 'https://app.example.com/help' } },
    tags: { Origin: 'settings' },
  })
  newSessionShape.parse(made)
  const { token, connect_link, expires_at } = made.data
  assert.match(token, /^nango_connect_session_[0-9a-f]{64}$/)
  assert.deepEqual(made, {
    data: {
      token,
      connect_link: `${hub.origin}/connect/?session_token=${token}`,
      expires_at: new Date(clock.now().getTime() + 30 * 60_000).toISOString(),
    },
  })
  assert.equal(connect_link.includes(token), true)
  assert.match(expires_at, /Z$/)
  const session = await getJson(`${hub.origin}/connect/session`, { authorization: `Bearer ${token}` })
  assert.deepEqual(
    [session.status, session.body],
    [
      200,
      {
        data: {
          endUser: {
            id: 'user-1',
            display_name: 'Ada',
            email: 'ada@example.com',
            tags: { plan: 'pro' },
            organization: { id: 'acme', display_name: 'Acme Inc.' },
          },
          connectUISettings: {
            showWatermark: false,
            defaultTheme: 'system',
            theme: { light: { primary: '#1a5fb4' }, dark: { primary: '#99c1f1' } },
          },
          allowed_integrations: ['github', 'slack'],
          integrations_config_defaults: {
            slack: { user_scopes: 'chat:write', authorization_params: { team: 'T1' } },
            github: { connection_config: { region: 'eu', oauth_scopes_override: 'read:user' } },
          },
          overrides: { github: { docs_connect: 'https://app.example.com/help' } },
          websocketsPath: '/',
        },
      },
    ],
  )
  // Stored as its digest only.
  const kept = await hub.rooms.storage.session(environmentOf(hub), { id: 'none' })
  assert.equal(kept, undefined)
})

test('a flow with a session: the end user’s, proven, tagged, with what the back end fixed, and one for each integration', async t => {
  const { hub, nango } = await setUp(t)
  const made = await nango.createConnectSession({
    end_user: { id: 'user-1', email: 'ada@example.com' },
    integrations_config_defaults: {
      github: { connection_config: { region: 'eu' }, authorization_params: { login: 'ada', prompt: 'select_account' } },
    },
    tags: { Origin: 'settings' },
    webhook_url_override: 'https://app.example.com/hooks',
  })
  const { token } = made.data
  await setEndpoint(hub.rooms.hub.context, hub.rooms.firstEnvironment, { url: 'http://localhost:9/hooks' })
  const done = await open(hub, token, 'github', {
    'params[region]': 'us',
    'params[color]': 'red',
    'authorization_params[login]': 'eve',
    'authorization_params[allow_signup]': 'false',
  })
  assert.equal(done.status, 200, done.text)
  assert.match(done.text, /GitHub is connected/)
  assert.ok(!done.text.includes('curl'), 'an end user is shown no commands')
  const url = asked(done.browser)
  assert.deepEqual([url.get('login'), url.get('prompt'), url.get('allow_signup')], ['ada', 'select_account', 'false'])
  const [row] = await rows(hub)
  const user = await hub.rooms.storage.endUser(environmentOf(hub), { username: 'user-1' })
  assert.ok(row && user)
  assert.deepEqual(
    { trust: row.trust, endUserId: row.endUserId, config: row.config, hook: row.webhookUrlOverride, tags: row.tags },
    {
      trust: 'proven',
      endUserId: user.id,
      config: { region: 'eu', color: 'red' },
      hook: 'https://app.example.com/hooks',
      tags: { end_user_id: 'user-1', end_user_email: 'ada@example.com', origin: 'settings' },
    },
  )
  assert.match(row.connectionId, /^conn_[0-9a-f]{24}$/)
  const told = await hub.rooms.storage.deliveries(environmentOf(hub), 10)
  assert.deepEqual(
    told.map(each => JSON.parse(each.body).data),
    [{ connectionId: row.connectionId, userId: user.id, integrationId: 'github' }],
  )
  // The same account again is the same connection; another integration is another.
  await open(hub, token, 'github', {}, done.browser)
  assert.equal((await rows(hub)).length, 1)
  const second = await open(hub, token, 'notion', {}, done.browser)
  assert.equal(second.status, 200)
  assert.deepEqual((await rows(hub)).map(each => each.integrationKey).sort(), ['github', 'notion'])
})

test('scopes that the back end names may be more than the integration has; a page may only narrow them', async t => {
  const { hub, nango } = await setUp(t)
  const session = async (defaults: Record<string, unknown>) =>
    (
      await nango.createConnectSession({
        end_user: { id: 'u' },
        integrations_config_defaults: { slack: defaults },
      })
    ).data.token
  const more = await session({ connection_config: { oauth_scopes_override: 'team:read,channels:read' } })
  const scope = async (token: string, query: Record<string, string> = {}) => {
    const { browser, text } = await open(hub, token, 'slack', query)
    return browser.hops[0]?.location ? asked(browser) : text
  }
  const wide = await scope(more)
  assert.ok(wide instanceof URLSearchParams)
  assert.equal(wide.get('scope'), 'team:read,channels:read')
  const narrow = await scope(
    await session({ connection_config: { oauth_scopes_override: 'team:read,channels:read' } }),
    { scopes: 'channels:read' },
  )
  assert.ok(narrow instanceof URLSearchParams)
  assert.equal(narrow.get('scope'), 'channels:read')
  const beyond = await scope(await session({}), { scopes: 'admin' })
  assert.match(String(beyond), /may only narrow/)
  // For the person's own token: what the back end says, or else the page.
  const fixed = await scope(await session({ user_scopes: 'chat:write' }), { user_scope: 'users:read' })
  assert.ok(fixed instanceof URLSearchParams)
  assert.equal(fixed.get('user_scope'), 'chat:write')
  const page = await scope(await session({}), { user_scope: 'users:read,chat:write' })
  assert.ok(page instanceof URLSearchParams)
  assert.equal(page.get('user_scope'), 'users:read,chat:write')
})

test('a parameter of the definition is taken away by the value undefined', async t => {
  const { hub, nango } = await setUp(t)
  const definition = hub.rooms.hub.context.catalogue.get('google-drive')?.authorize.params ?? {}
  assert.ok(definition['access_type'] && definition['prompt'])
  const { token } = (await nango.createConnectSession({ end_user: { id: 'u' } })).data
  const { browser } = await open(hub, token, 'google-drive', { 'authorization_params[prompt]': 'undefined' })
  assert.deepEqual(
    [asked(browser).has('prompt'), asked(browser).get('access_type')],
    [false, definition['access_type']],
  )
})

test('reconnecting repairs that very connection, also with another account, and keeps what it is', async t => {
  const { hub, nango, clock } = await setUp(t)
  const { token } = (await nango.createConnectSession({ end_user: { id: 'user-1' }, tags: { plan: 'pro' } })).data
  const first = (await import('../../packages/sandbox/src/providers/notion.ts')).default.accounts
  await open(hub, token, 'notion')
  const [before] = await rows(hub)
  assert.ok(before)
  await hub.rooms.storage.setMetadata(environmentOf(hub), before.id, { kept: true }, 'set', new Date())
  const made = await nango.createReconnectSession({
    connection_id: before.connectionId,
    integration_id: 'notion',
    tags: { round: '2' },
  })
  newSessionShape.parse(made)
  assert.deepEqual(made, {
    data: {
      token: made.data.token,
      connect_link: `${hub.origin}/connect/?session_token=${made.data.token}`,
      expires_at: new Date(clock.now().getTime() + 30 * 60_000).toISOString(),
    },
  })
  const session = await getJson<{ data: Record<string, unknown> }>(`${hub.origin}/connect/session`, {
    authorization: `Bearer ${made.data.token}`,
  })
  assert.equal(session.body.data['isReconnecting'], true)
  assert.deepEqual(session.body.data['allowed_integrations'], ['notion'])
  assert.equal((session.body.data['endUser'] as { id: string }).id, 'user-1')
  const other = first[1]
  assert.ok(other)
  hub.sandbox.set('notion', { autoApprove: other.id })
  const link = `${hub.origin}/oauth/connect/notion?connect_session_token=${made.data.token}`
  assert.equal((await new Browser().follow(link)).response.status, 200)
  const [after, ...more] = await rows(hub)
  assert.deepEqual(more, [])
  assert.ok(after)
  assert.deepEqual(
    [after.id, after.connectionId, after.number, after.endUserId, after.credentialRevision, after.metadata],
    [before.id, before.connectionId, before.number, before.endUserId, 2, { kept: true }],
  )
  assert.notDeepEqual(after.account, before.account)
  assert.deepEqual(after.tags, { end_user_id: 'user-1', plan: 'pro', round: '2' })
})

test('a connection that is deleted while it is connected again stays deleted', async t => {
  const { hub, nango } = await setUp(t)
  await connect(hub, 'github', { connection_id: 'a' })
  const [before] = await rows(hub)
  const { token } = (await nango.createReconnectSession({ connection_id: 'a', integration_id: 'github' })).data
  await hub.rooms.storage.deleteConnection(environmentOf(hub), before?.id ?? '', new Date())
  const done = await open(hub, token, 'github')
  assert.equal(done.status, 400)
  assert.match(done.text, /connected again has been deleted/)
  assert.deepEqual(await rows(hub), [])
})

test('a session that is ended has no flow any more, not even one that is under way', async t => {
  const { hub, nango } = await setUp(t)
  const { token } = (await nango.createConnectSession({ end_user: { id: 'u' } })).data
  hub.sandbox.set('github', { autoApprove: true })
  const browser = new Browser()
  const link = `${hub.origin}/oauth/connect/github?connect_session_token=${token}`
  const callback = (await browser.follow(link, next => next.startsWith(`${hub.origin}/oauth/callback`))).url
  const ended = await fetch(`${hub.origin}/connect/session`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${token}` },
  })
  assert.deepEqual([ended.status, await ended.text()], [204, ''])
  const answer = await browser.get(callback)
  assert.equal(answer.status, 400)
  assert.match(await answer.text(), /session of this attempt was ended/)
  assert.deepEqual(await rows(hub), [])
  const again = await getJson<Refused>(`${hub.origin}/connect/session`, { authorization: `Bearer ${token}` })
  assert.deepEqual([again.status, again.body.error.code], [401, 'unknown_connect_session_token'])
})

test('a session is kept to the browser that comes first, and to its half hour', async t => {
  const { hub, nango, clock } = await setUp(t)
  const { token } = (await nango.createConnectSession({ end_user: { id: 'u' } })).data
  const first = await open(hub, token, 'github')
  assert.equal(first.status, 200)
  const stranger = await open(hub, token, 'notion')
  assert.equal(stranger.status, 400)
  assert.match(stranger.text, /opened in another browser/)
  clock.forward(30 * 60)
  const late = await open(hub, token, 'notion', {}, first.browser)
  assert.equal(late.status, 401)
  assert.match(late.text, /good for half an hour/)
})

test('what a page may not: another integration, a name for the connection, a parameter that the hub sets', async t => {
  const { hub, nango } = await setUp(t)
  const { token } = (await nango.createConnectSession({ end_user: { id: 'u' }, allowed_integrations: ['github'] })).data
  const cases: [integration: string, query: Record<string, string>, says: RegExp][] = [
    ['notion', {}, /does not allow the integration &quot;notion&quot;; it allows github/],
    ['github', { connection_id: 'x' }, /connection_id cannot be given with a connect session/],
    ['github', { 'authorization_params[redirect_uri]': 'https://evil.example' }, /what the hub itself sets/],
    ['github', { 'credentials[nope]': 'x' }, /no credentials\[nope\] here/],
  ]
  for (const [integration, query, says] of cases) {
    const { status, text } = await open(hub, token, integration, query)
    assert.equal(status, 400, text)
    assert.match(text, says)
  }
  assert.deepEqual(await rows(hub), [])
})

test('a client of the end user’s own makes the connection and renews it; its secret is sealed and said nowhere', async t => {
  const { hub, nango, clock } = await setUp(t)
  const own = { clientId: 'their-own-client', clientSecret: 'their own secret & more' }
  hub.sandbox.register({ provider: 'github', ...own, redirectUris: [`${hub.origin}/oauth/callback`] })
  const { token } = (await nango.createConnectSession({ end_user: { id: 'u' } })).data
  const { status, browser, text } = await open(hub, token, 'github', {
    'credentials[oauth_client_id_override]': own.clientId,
    'credentials[oauth_client_secret_override]': own.clientSecret,
  })
  assert.equal(status, 200, text)
  assert.equal(asked(browser).get('client_id'), own.clientId)
  assert.ok(browser.hops.slice(1).every(hop => !decodeURIComponent(hop.url).includes('their own secret')))
  const [row] = await rows(hub)
  assert.ok(row?.client)
  assert.ok(!Buffer.from(row.client).toString('latin1').includes('secret'))
  clock.forward(28_800)
  const { key } = await newKey(hub)
  const read = await getJson<{ credentials: { access_token: string } }>(
    `${hub.origin}/connections/${row.connectionId}?provider_config_key=github`,
    { authorization: `Bearer ${key}` },
  )
  assert.equal(read.status, 200)
  assert.deepEqual(
    hub.sandbox.calls.filter(call => call.kind !== 'api').map(call => [call.kind, call.outcome, call.clientId]),
    [
      ['code', 'ok', own.clientId],
      ['refresh', 'ok', own.clientId],
    ],
  )
  assert.doesNotMatch(JSON.stringify(read.body), /their own secret/)
  // Connected again without it, it is the integration's again.
  const again = (await nango.createReconnectSession({ connection_id: row.connectionId, integration_id: 'github' })).data
  await open(hub, again.token, 'github')
  assert.equal((await rows(hub))[0]?.client, undefined)
})

test('a refresh token that is brought along is kept where the provider gives none, and never replaces one', async t => {
  const { hub, nango } = await setUp(t)
  const own = { clientId: 'own', clientSecret: 'own secret' }
  const brought = {
    'credentials[oauth_client_id_override]': own.clientId,
    'credentials[oauth_client_secret_override]': own.clientSecret,
    'credentials[oauth_refresh_token_override]': 'brought-along',
  }
  const { key } = await newKey(hub)
  const refreshToken = async (integration: string, query: Record<string, string> = {}) => {
    hub.sandbox.register({ provider: integration, ...own, redirectUris: [`${hub.origin}/oauth/callback`] })
    const { token } = (await nango.createConnectSession({ end_user: { id: integration } })).data
    assert.equal((await open(hub, token, integration, { ...brought, ...query })).status, 200)
    const row = (await rows(hub)).find(each => each.integrationKey === integration)
    const { body } = await getJson<{ credentials: { refresh_token?: string } }>(
      `${hub.origin}/connections/${row?.connectionId}?provider_config_key=${integration}&refresh_token=true`,
      { authorization: `Bearer ${key}` },
    )
    return body.credentials.refresh_token
  }
  assert.notEqual(await refreshToken('github'), 'brought-along')
  const silent = { 'authorization_params[access_type]': 'undefined' }
  assert.equal(await refreshToken('google-drive', silent), 'brought-along')
})

test('a page with the token lists what it may connect, and how, and nothing else', async t => {
  const { hub, nango } = await setUp(t)
  const { token } = (await nango.createConnectSession({ end_user: { id: 'u' }, allowed_integrations: ['slack'] })).data
  const get = (path: string) =>
    getJson<{ data: Record<string, unknown>[] }>(hub.origin + path, {
      authorization: `Bearer ${token}`,
      origin: 'http://localhost:5173',
      'sec-fetch-site': 'same-site',
    })
  const listed = await get('/integrations')
  assert.equal(listed.status, 200)
  assert.equal(listed.headers.get('access-control-allow-origin'), 'http://localhost:5173')
  assert.deepEqual(
    listed.body.data.map(each => [each['unique_key'], each['provider']]),
    [['slack', 'slack']],
  )
  assert.equal((await get('/providers/slack')).status, 200)
  assert.equal((await get('/providers')).status, 200)
  for (const path of ['/config', '/integrations/slack', '/connections', '/connection'])
    assert.equal((await get(path)).status, 401, path)
  const asked = await fetch(`${hub.origin}/integrations`, {
    method: 'OPTIONS',
    headers: { origin: 'http://localhost:5173' },
  })
  assert.deepEqual(
    [asked.status, asked.headers.get('access-control-allow-headers')],
    [204, 'authorization, content-type'],
  )
})
