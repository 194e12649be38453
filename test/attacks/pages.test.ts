/** Script in every value that a page prints comes out as text, and the policy would not run it anyway. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fastify from 'fastify'
import { Secret } from '../../src/core/credential.ts'
import { MortiseError } from '../../src/core/errors.ts'
import { setEndpoint } from '../../src/core/notify.ts'
import { addIntegration, addKey } from '../../src/core/setup.ts'
import { sendFailure, sendHome, sendOutcome } from '../../src/http/pages.ts'
import { Browser, connectUrl, startTestHub, type TestHub, tempFolder } from '../harness.ts'
import { newKey, open, send } from '../page.ts'
import { add, at, connection, integration } from '../storage.fixtures.ts'

const script = '"><script>alert(1)</script><img src=x onerror=alert(1)>\'&'

const harmless = async (response: Response | { status: number; headers: Headers; text: () => Promise<string> }) => {
  const page = await response.text()
  assert.match(response.headers.get('content-type') ?? '', /^text\/html/)
  assert.doesNotMatch(page, /<script>|<img|<\/script><|onerror=alert\(1\)>/)
  const policy = response.headers.get('content-security-policy') ?? ''
  assert.match(policy, /default-src 'none'/)
  assert.match(policy, /frame-ancestors 'none'/)
  assert.doesNotMatch(policy, /unsafe/)
  return page
}

test('script in every value of a link comes out as text on the page that refuses it', async t => {
  const hub = await startTestHub(t)
  const links = [
    connectUrl(hub, encodeURIComponent(script)),
    connectUrl(hub, 'github', { scopes: script }),
    connectUrl(hub, 'github', { [script]: 'x' }),
    connectUrl(hub, 'github', { [`params[${script}]`]: 'x' }),
    connectUrl(hub, 'github', { allow_duplicate: script }),
    connectUrl(hub, 'github', { hmac: script }),
    connectUrl(hub, 'github', { public_key: script }),
    connectUrl(hub, 'github', { api_redirect_url: `https://evil.example/${script}` }),
    connectUrl(hub, 'github', { api_redirect_url: script }),
  ]
  for (const link of links) {
    const response = await new Browser().get(link)
    assert.ok(response.status >= 400, link)
    await harmless(response)
  }
})

test("script in the provider's answer comes out as text on the callback page", async t => {
  const hub = await startTestHub(t)
  const query = new URLSearchParams({
    state: script,
    code: script,
    error: script,
    error_description: script,
    iss: script,
  })
  await harmless(await new Browser().get(`${hub.origin}/oauth/callback?${query}`))
  // With a right state, so that the error itself is looked at.
  const browser = new Browser()
  const response = await browser.get(connectUrl(hub, 'github'))
  const state = new URL(response.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const refused = new URLSearchParams({ state, error: script, error_description: script })
  const page = await harmless(await browser.get(`${hub.origin}/oauth/callback?${refused}`))
  assert.match(page, /GitHub is not connected/)
})

test('script in a token error and in a connection id comes out as text', async t => {
  const hub = await startTestHub(t)
  hub.sandbox.set('github', {
    autoApprove: true,
    fail: { status: 400, body: { error: script, error_description: script }, times: 1 },
  })
  const failed = await new Browser().follow(connectUrl(hub, 'github'))
  assert.equal(failed.response.status, 400)
  await harmless(failed.response)
  const done = await new Browser().follow(connectUrl(hub, 'github', { connection_id: script }))
  assert.equal(done.response.status, 200)
  const page = await harmless(done.response)
  assert.ok(page.includes('&lt;script&gt;alert(1)&lt;/script&gt;'))
})

test("script in an operator's provider file comes out as text on the home page", async t => {
  const folder = tempFolder(t)
  mkdirSync(join(folder, 'providers'))
  const definition = {
    name: script,
    docs: ['https://example.com/docs'],
    auth: 'oauth2',
    api: { base: 'https://api.example.com' },
    params: { [`x`]: { title: script, kind: 'segment', example: script } },
    authorize: { url: 'https://example.com/authorize' },
    token: { url: 'https://example.com/token', client: 'basic' },
  }
  writeFileSync(join(folder, 'providers', 'nasty.yaml'), JSON.stringify(definition))
  const hub = await startTestHub(t, { env: { MORTISE_PROVIDERS_DIR: join(folder, 'providers') } })
  await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, {
    key: 'nasty',
    provider: 'nasty',
    clientId: 'x',
    clientSecret: new Secret('x'),
    sandbox: true,
  })
  const home = await harmless(await fetch(`${hub.origin}/`))
  assert.ok(home.includes('&lt;script&gt;alert(1)'))
  await harmless(await new Browser().get(connectUrl(hub, 'nasty')))
})

test('script in every field of every page comes out as text', async t => {
  const app = fastify()
  t.after(() => app.close())
  const error = new MortiseError('invalid_request', script)
  app.get('/failure', (_request, reply) => sendFailure(reply, error, 400, script))
  app.get('/bad', (_request, reply) =>
    sendOutcome(reply, {
      outcome: { ok: false, code: 'internal', message: script },
      provider: script,
      publicUrl: `https://${script}`,
      keyNeeded: true,
    }),
  )
  app.get('/good', (_request, reply) =>
    sendOutcome(reply, {
      outcome: { ok: true, connectionId: script, integrationKey: script, repaired: true, account: script },
      provider: script,
      publicUrl: `https://${script}`,
      keyNeeded: true,
    }),
  )
  app.get('/home', (_request, reply) =>
    sendHome(reply, {
      environment: {
        id: 1,
        name: script,
        publicKey: script,
        wrappedKey: new Uint8Array(),
        tellsLatest: false,
        createdAt: new Date(0),
      },
      rows: [
        {
          integration: {
            environmentId: 1,
            id: script,
            key: script,
            provider: script,
            clientId: script,
            clientSecret: new Uint8Array(),
            scopes: [script],
            settings: {},
            sandbox: true,
            createdAt: new Date(0),
            updatedAt: new Date(0),
          },
          definition: undefined,
          hmac: script,
        },
      ],
      keyNeeded: true,
    }),
  )
  for (const url of ['/failure', '/bad', '/good', '/home']) {
    const answer = await app.inject(url)
    await harmless({
      status: answer.statusCode,
      headers: new Headers(answer.headers as Record<string, string>),
      text: async () => answer.body,
    })
  }
})

/** The text that a page lets one copy, by its label. */
const copyableIn = (page: string, label: RegExp): string => {
  const [, found = ''] = new RegExp(`${label.source}[^<]*</span><code[^>]*>([^<]*)</code>`).exec(page) ?? []
  const entities: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }
  return found.replace(/&[a-z#0-9]+;/g, entity => entities[entity] ?? entity)
}

test('the lines to paste are one word each to a shell, whatever the connection id holds', async t => {
  const { execFileSync } = await import('node:child_process')
  const hub = await startTestHub(t)
  hub.sandbox.set('github', { autoApprove: true })
  const ids = [
    '$(touch x)',
    "it's",
    '`touch x`',
    '"; touch x; "',
    "'; touch x; '",
    '$HOME\\',
    'a b !c (d) *e* ~f',
    '#x',
    '&x|y>z',
    'plain-1.2@x/y:z',
  ]
  const folder = tempFolder(t)
  const shell = (script: string) => execFileSync('/bin/sh', ['-c', script], { cwd: folder, encoding: 'utf8' })
  for (const id of ids) {
    const { response } = await new Browser().follow(connectUrl(hub, 'github', { connection_id: id }))
    const page = await response.text()
    const line = copyableIn(page, /For your \.env file/)
    assert.equal(shell(`${line}\nprintf %s "$CONNECTION_ID"`), id)
    const curl = copyableIn(page, /Read a working token/)
    const said = shell(`curl() { printf '%s\\n' "$#" "$@"; }\n${curl}`)
    const [count, url = '', ...more] = said.trimEnd().split('\n')
    assert.deepEqual([count, more], ['1', []], curl)
    assert.doesNotMatch(url.slice(hub.origin.length), /[!'()*~$`"\\ #|>]/, url)
    const read = await fetch(url)
    assert.equal(read.status, 200, url)
    assert.equal(((await read.json()) as { connection_id: string }).connection_id, id)
  }
  assert.deepEqual(readdirSync(folder), [])
})

/** A row of everything, with script in whatever a person, a provider or a receiver may have written. */
const scripted = async (hub: TestHub): Promise<string> => {
  const { storage, firstEnvironment: environment } = hub.rooms
  const { context } = hub.rooms.hub
  const { id } = environment
  const user = { environmentId: id, username: script, fullName: script, createdAt: at(0), updatedAt: at(0) }
  await storage.addEndUser({ ...user, id: 'a'.repeat(24) })
  await storage.addIntegration(integration(id, script, { provider: script }))
  const row = connection(id, 'b'.repeat(24), {
    number: 7,
    integrationKey: script,
    provider: script,
    connectionId: script,
    endUserId: 'a'.repeat(24),
    name: script,
    account: { id: script, name: script, personId: script, personName: script },
    status: 'reauthorization_required',
    statusReason: script,
    scopes: [script],
    config: { [script]: script },
    metadata: { [script]: script },
    facts: { [script]: [script] },
  })
  await add(storage, row)
  // One that may be merged into it.
  await add(storage, { ...row, id: 'd'.repeat(24), number: 8, connectionId: `${script}2` })
  await addKey(context, environment, script, ['proxy'])
  await storage.allow(id, 'origin', script)
  await storage.allow(id, 'redirect', script)
  const { endpoint } = await setEndpoint(context, environment, { url: 'https://app.example.com/hook' })
  await storage.putEndpoint({ ...endpoint, url: script, revision: 2 })
  const others = { connections: script }
  const event = { id: 'c'.repeat(24), type: 'webhook.test', body: script, others, createdAt: at(0) } as const
  await storage.addDelivery(id, event, 'standard')
  await storage.claimDeliveries(at(1), at(2), 1)
  const end = { status: 'failed', at: at(3), sentTo: script, lastStatus: 500, lastError: script } as const
  assert.ok(await storage.endDelivery(id, 'c'.repeat(24), 1, end))
  return row.id
}

test('script in whatever the dashboard prints comes out as text', async t => {
  const hub = await startTestHub(t)
  const id = await scripted(hub)
  const { key } = await newKey(hub)
  const text = async (page: { status: number; headers: Headers; text: string }, status: number) => {
    assert.equal(page.status, status)
    return harmless({ ...page, text: async () => page.text })
  }
  const printed = (page: string) => page.split('&lt;script&gt;alert(1)&lt;/script&gt;').length - 1
  // Name, integration (in each line and in the filter), account and person, cause, end user.
  assert.equal(printed(await text(await open(hub, '/connections', key), 200)), 13)
  const one = await text(await open(hub, `/connections/conn_${id}`, key), 200)
  assert.ok(printed(one) >= 17, String(printed(one)))
  for (const [path, times] of [
    [`/connections?integration=${encodeURIComponent(script)}`, 7],
    [`/connections?integration=x${encodeURIComponent(script)}`, 2],
    ['/settings/webhooks', 3],
    ['/settings/api-keys', 2],
    ['/settings/embedded', 7],
  ] as const)
    assert.ok(printed(await text(await open(hub, path, key), 200)) >= times, path)
  assert.equal(printed(await text(await open(hub, `/connections/${encodeURIComponent(script)}x`, key), 404)), 1)
  await text(await open(hub, '/connections', script), 401)
  await text(await open(hub, `/settings/sign-in?not=${encodeURIComponent(script)}`), 401)
  for (const [path, fields] of [
    ['/settings/webhooks', { url: script, event: script }],
    [`/settings/webhooks/deliveries/${encodeURIComponent(script)}/send`, {}],
    ['/settings/api-keys', { name: `${script}2`, scope: script }],
    ['/settings/embedded/jwt', { user: script.slice(1, 20) + script }],
    ['/settings/embedded/origins', { url: script }],
    ['/settings/embedded/redirects', { url: script }],
  ] as const) {
    const page = await send(hub, path, fields, key)
    assert.ok(page.status >= 400, path)
    assert.ok(printed(await text(page, page.status)) >= 1, path)
  }
  assert.ok(
    printed(await text(await send(hub, '/settings/api-keys', { name: `${script}3`, scope: 'proxy' }, key), 200)),
  )
  const [made] = (await hub.rooms.storage.keys()).filter(each => each.name === `${script}3`)
  assert.ok(printed(await text(await send(hub, `/settings/api-keys/${made?.id}/rotate`, {}, key), 200)))
  assert.ok(printed(await text(await send(hub, '/settings/embedded/jwt', { user: script }, key), 200)))
})

test('a foreign frame embeds no page of the dashboard: each answer forbids it, and forms that leave', async t => {
  const hub = await startTestHub(t)
  const id = await scripted(hub)
  const { key } = await newKey(hub)
  const cross = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  const event = 'connection.created'
  const answers = [
    ...['/connections', `/connections/${id}`, '/connections/nothing', '/settings/webhooks', '/settings/api-keys'].map(
      path => open(hub, path, key),
    ),
    open(hub, '/settings/embedded', key),
    open(hub, '/connections'),
    open(hub, '/settings/api-keys', (await newKey(hub, { scopes: ['proxy'] })).key),
    send(hub, '/settings/embedded/jwt', { user: 'me' }, key),
    send(hub, '/settings/embedded/jwt', { user: 'nobody' }, key),
    send(hub, '/settings/api-keys', { name: 'new', scope: 'proxy' }, key),
    send(hub, '/settings/webhooks', { url: 'nonsense', event }, key),
    send(hub, '/settings/webhooks/rotate', { revision: '2' }, key),
    send(hub, '/settings/webhooks/test', {}, key, cross),
  ]
  for (const page of await Promise.all(answers)) {
    assert.match(page.headers.get('content-type') ?? '', /^text\/html/)
    const policy = page.headers.get('content-security-policy') ?? ''
    assert.match(policy, /frame-ancestors 'none'/)
    assert.match(policy, /form-action 'self'/)
    assert.match(policy, /base-uri 'none'/)
    assert.equal(page.headers.get('x-frame-options'), 'DENY')
    assert.equal(page.headers.get('cache-control'), 'no-store')
  }
})
