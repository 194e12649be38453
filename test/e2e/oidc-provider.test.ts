/**
 * The flow against oidc-provider, a certified authorization server, with everything strict switched on: PKCE required,
 * exact redirects, `iss`, short tokens, refresh tokens that rotate and whose reuse revokes the grant.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Secret } from '../../src/core/credential.ts'
import { addIntegration } from '../../src/core/setup.ts'
import type { ConnectionShape } from '../../src/http/nango/shapes.ts'
import { Browser, connectUrl, freePorts, getJson, movableClock, startTestHub, tempFolder } from '../harness.ts'

const clientSecret = 'the-secret-of-the-client-0123456789'

/** oidc-provider on loopback, with its own sign-in page for development. */
const startProvider = async (t: TestContext, redirectUri: () => string) => {
  const port = await freePorts()
  const issuer = `http://localhost:${port}`
  // It says on standard error that the pinned runtime is newer than it knows, and that its own keys are for development.
  t.mock.method(console, 'warn', () => {})
  t.mock.method(console, 'info', () => {})
  const { default: Provider } = await import('oidc-provider')
  let handler: RequestListener | undefined
  const server: Server = createServer((request, response) => {
    // Made at the first request: the hub's port is known by then.
    handler ??= new Provider(issuer, {
      clients: [
        {
          client_id: 'mortise',
          client_secret: clientSecret,
          redirect_uris: [redirectUri()],
          grant_types: ['authorization_code', 'refresh_token'],
          response_types: ['code'],
          token_endpoint_auth_method: 'client_secret_basic',
        },
      ],
      pkce: { required: () => true },
      scopes: ['openid', 'offline_access', 'email'],
      claims: { openid: ['sub'], email: ['email'] },
      findAccount: (_context: unknown, id: string) => ({
        accountId: id,
        claims: () => ({ sub: id, email: `${id}@example.com` }),
      }),
      ttl: {
        AccessToken: 3600,
        RefreshToken: 86_400,
        Grant: 86_400,
        Session: 86_400,
        Interaction: 600,
        AuthorizationCode: 60,
        IdToken: 3600,
      },
      rotateRefreshToken: true,
      issueRefreshToken: async () => true,
      conformIdTokenClaims: false,
      features: { devInteractions: { enabled: true }, revocation: { enabled: true }, userinfo: { enabled: true } },
    }).callback()
    void handler(request, response)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return issuer
}

const definition = (issuer: string) => ({
  name: 'Strict',
  docs: ['https://github.com/panva/node-oidc-provider/blob/main/docs/README.md'],
  auth: 'oauth2',
  api: { base: issuer },
  authorize: {
    url: `${issuer}/auth`,
    params: { prompt: 'consent' },
    scopes: { default: ['openid', 'offline_access', 'email'] },
    issuer,
    issuerAlways: true,
  },
  token: { url: `${issuer}/token`, client: 'basic' },
  refresh: { rotates: true },
  identity: { request: { url: `${issuer}/me` }, account: 'sub', accountName: 'email', person: 'sub' },
})

/** Signs in and consents on the provider's own pages, as a person would; answers the address it is sent back to. */
const signIn = async (browser: Browser, start: string, callback: string): Promise<string> => {
  const far = (next: string) => next.startsWith(callback)
  let { response, url } = await browser.follow(start, far)
  for (let step = 0; step < 4 && !far(url); step++) {
    const page = await response.text()
    const action = new URL(/action="([^"]+)"/.exec(page)?.[1] ?? '', url).href
    const prompt = /name="prompt" value="([^"]+)"/.exec(page)?.[1] ?? ''
    const posted = await browser.post(action, {
      prompt,
      ...(prompt === 'login' ? { login: 'ada', password: 'x' } : {}),
    })
    const next = new URL(posted.headers.get('location') ?? '', action).href
    if (far(next)) return next
    ;({ response, url } = await browser.follow(next, far))
  }
  return url
}

test('the flow runs against a strict certified server: connect, read, expire, read again, revoke, and the right error', async t => {
  const folder = tempFolder(t)
  let hubOrigin = ''
  const issuer = await startProvider(t, () => `${hubOrigin}/oauth/callback`)
  mkdirSync(join(folder, 'providers'))
  writeFileSync(join(folder, 'providers', 'strict.yaml'), JSON.stringify(definition(issuer)))
  const clock = movableClock(new Date())
  const hub = await startTestHub(t, {
    clock,
    env: { MORTISE_PROVIDERS_DIR: join(folder, 'providers'), MORTISE_ALLOWED_HOSTS: new URL(issuer).host },
  })
  hubOrigin = hub.origin
  const { context } = hub.rooms.hub
  const integration = { provider: 'strict', clientId: 'mortise', clientSecret: new Secret(clientSecret) }
  await addIntegration(context, hub.rooms.firstEnvironment, { ...integration, key: 'strict' })
  const read = () => getJson<ConnectionShape>(`${hub.origin}/connection/ada?provider_config_key=strict`)
  const tokens = async () => {
    const { status, body } = await read()
    assert.equal(status, 200, JSON.stringify(body))
    assert.ok('access_token' in body.credentials && body.credentials.type === 'OAUTH2')
    return body.credentials
  }
  const works = async (token: string) =>
    (await fetch(`${issuer}/me`, { headers: { authorization: `Bearer ${token}` } })).status === 200

  // Connect.
  const browser = new Browser()
  const callback = await signIn(
    browser,
    connectUrl(hub, 'strict', { connection_id: 'ada' }),
    `${hub.origin}/oauth/callback`,
  )
  assert.equal(new URL(callback).searchParams.get('iss'), issuer)
  const done = await browser.get(callback)
  assert.equal(done.status, 200, await done.clone().text())
  assert.match(await done.text(), /Strict is connected/)

  // Read: the token opens the provider.
  const first = await tokens()
  assert.equal(await works(first.access_token), true)
  const [row] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
  assert.deepEqual(row?.account, { id: 'ada', name: 'ada@example.com', personId: 'ada' })

  // Expire, read again: another token, another refresh token, both good.
  clock.forward(3600)
  const second = await tokens()
  assert.notEqual(second.access_token, first.access_token)
  assert.notEqual(second.refresh_token, first.refresh_token)
  assert.equal(await works(second.access_token), true)
  clock.forward(3600)
  const third = await tokens()
  assert.equal(await works(third.access_token), true)

  // Revoke at the provider; the error says who must act, and goes on saying so.
  const basic = `Basic ${Buffer.from(`mortise:${clientSecret}`).toString('base64')}`
  const revoked = await fetch(`${issuer}/token/revocation`, {
    method: 'POST',
    headers: { authorization: basic },
    body: new URLSearchParams({ token: third.refresh_token ?? '' }),
  })
  assert.equal(revoked.status, 200)
  clock.forward(3600)
  for (let round = 0; round < 2; round++) {
    const { status, body } = await getJson<{ error: { code: string; message: string } }>(
      `${hub.origin}/connection/ada?provider_config_key=strict`,
    )
    assert.deepEqual([status, body.error.code], [400, 'invalid_credentials'])
    assert.match(body.error.message, /Strict no longer accepts.*invalid_grant.*connect the account again/)
  }

  // Connecting again repairs it, under the same id.
  const again = await signIn(
    browser,
    connectUrl(hub, 'strict', { connection_id: 'ada' }),
    `${hub.origin}/oauth/callback`,
  )
  assert.equal((await browser.get(again)).status, 200)
  assert.equal(await works((await tokens()).access_token), true)

  // An answer stripped of its issuer is refused: this provider always names it.
  const stripped = new URL(await signIn(browser, connectUrl(hub, 'strict'), `${hub.origin}/oauth/callback`))
  stripped.searchParams.delete('iss')
  const refused = await browser.get(stripped.href)
  assert.equal(refused.status, 400)
  assert.match(await refused.text(), /names no issuer/)
})

test('a private address that the operator has not named is refused, and told how to allow', async t => {
  const folder = tempFolder(t)
  mkdirSync(join(folder, 'providers'))
  writeFileSync(join(folder, 'providers', 'strict.yaml'), JSON.stringify(definition('http://localhost:9')))
  const hub = await startTestHub(t, { env: { MORTISE_PROVIDERS_DIR: join(folder, 'providers') } })
  await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, {
    key: 'strict',
    provider: 'strict',
    clientId: 'mortise',
    clientSecret: new Secret(clientSecret),
  })
  const browser = new Browser()
  const start = await browser.get(connectUrl(hub, 'strict'))
  const state = new URL(start.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const query = new URLSearchParams({ state, code: 'x', iss: 'http://localhost:9' })
  const page = await (await browser.get(`${hub.origin}/oauth/callback?${query}`)).text()
  assert.match(page, /MORTISE_ALLOWED_HOSTS/)
})
