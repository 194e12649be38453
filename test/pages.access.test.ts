/** Who sees the pages, who may change what on them, and from where. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../src/core/credential.ts'
import { scopes } from '../src/core/environment.ts'
import { jwtKeyOf } from '../src/core/jwt-key.ts'
import { redeliver, sendTest, setEndpoint } from '../src/core/notify.ts'
import { addEnvironment, addIntegration } from '../src/core/setup.ts'
import { call, connected } from './alloy/hub.ts'
import { getJson, raw, startServing, startTestHub, type TestHub } from './harness.ts'
import { copyable, fromOwnPage, newKey, open, send, words } from './page.ts'

const places = ['/connections', '/settings/webhooks', '/settings/api-keys', '/settings/embedded']
const webhook = { url: 'https://app.example.com/hook', event: 'connection.created' }

/** A hub with something of everything, and every form that changes it. */
const furnished = async (hub: TestHub) => {
  const { hub: core, firstEnvironment, storage } = hub.rooms
  const { id } = await connected(hub)
  const { id: twin } = await connected(hub, { allowDuplicate: true })
  await setEndpoint(core.context, firstEnvironment, { url: webhook.url })
  const delivery = await sendTest(core.context, firstEnvironment)
  await core.deliver()
  await core.settle()
  await storage.allow(firstEnvironment.id, 'origin', 'https://listed.example')
  const victim = await newKey(hub)
  const forms: [path: string, fields: Record<string, string>, scope: string][] = [
    [`/connections/${id}/delete`, {}, 'connections:write'],
    [`/connections/${id}/merge`, { from: twin }, 'connections:write'],
    [`/connections/${id}/test`, {}, 'proxy'],
    ['/settings/webhooks', { ...webhook, url: 'https://evil.example' }, 'integrations:write'],
    ['/settings/webhooks/rotate', { revision: '1' }, 'integrations:write'],
    ['/settings/webhooks/remove', {}, 'integrations:write'],
    ['/settings/webhooks/test', {}, 'integrations:write'],
    [`/settings/webhooks/deliveries/${delivery}/send`, {}, 'integrations:write'],
    ['/settings/api-keys', { name: 'evil', scope: 'integrations:write' }, 'integrations:write'],
    [`/settings/api-keys/${victim.id}/revoke`, {}, 'integrations:write'],
    [`/settings/api-keys/${victim.id}/rotate`, {}, 'integrations:write'],
    ['/settings/embedded/jwt', { user: 'me' }, 'connect:write'],
    ['/settings/embedded/origins', { url: 'https://evil.example' }, 'integrations:write'],
    ['/settings/embedded/origins/remove', { url: 'https://listed.example' }, 'integrations:write'],
    ['/settings/embedded/redirects', { url: 'https://evil.example/' }, 'integrations:write'],
    ['/settings/embedded/redirects/remove', { url: 'https://listed.example/' }, 'integrations:write'],
    ['/settings/embedded/latest', { on: 'true' }, 'integrations:write'],
    ['/settings/embedded/jwt-key', {}, 'integrations:write'],
  ]
  /** All that a form could change. */
  const state = async () => {
    const { id: environmentId } = firstEnvironment
    return JSON.stringify([
      (await storage.connections(environmentId, {})).map(row => [row.id, row.checkedAt]),
      (await storage.endpoint(environmentId))?.revision,
      (await storage.deliveries(environmentId, 50)).map(each => [each.id, each.tries]),
      (await storage.keys()).map(key => [key.id, key.revokedAt]),
      await storage.allowed(environmentId, 'origin'),
      await storage.allowed(environmentId, 'redirect'),
      (await core.context.environmentOf(environmentId)).tellsLatest,
      (await jwtKeyOf(core.context, environmentId)).reveal(),
    ])
  }
  return { forms, state, id, delivery, key: victim.key }
}

test('where a key is needed, a browser is asked for it as the user name; a wrong one is asked for again', async t => {
  const hub = await startTestHub(t)
  const { id } = await connected(hub)
  const { key } = await newKey(hub)
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjp7fX0.c2ln'
  const wrong = [
    undefined,
    'nonsense',
    `${key.slice(0, -1)}_`,
    hub.publicKey,
    jwt,
    `${key}:x`,
    'ada:correct-horse-battery',
  ]
  for (const place of [...places, `/connections/${id}`, '/settings', '/settings/sign-in'])
    for (const given of wrong) {
      const page = await open(hub, place, given)
      assert.equal(page.status, 401, `${place} ${given}`)
      assert.equal(
        page.headers.get('www-authenticate'),
        'Basic realm="Mortise: secret key as user name, no password", charset="UTF-8"',
      )
      assert.match(words(page), /give it the secret key, and leave the password empty/)
      assert.match(page.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
      assert.doesNotMatch(page.text, /mortise_pk_|conn_/)
    }
  for (const place of places) assert.equal((await open(hub, place, key)).status, 200)
  assert.equal((await open(hub, '/connections', undefined, { authorization: `Bearer ${key}` })).status, 200)
  const other = await newKey(hub)
  await hub.rooms.storage.revokeKey(hub.rooms.firstEnvironment.id, other.id, new Date(0))
  assert.equal((await open(hub, '/connections', other.key)).status, 401)
})

test('the user and the password of MORTISE_BASIC_AUTH, and the key of MORTISE_SECRET_KEY, open the pages', async t => {
  const hub = await startServing(t, { MORTISE_BASIC_AUTH: 'ada:correct-horse-battery' })
  for (const place of places) {
    assert.equal((await open(hub, place)).status, 401)
    assert.equal((await open(hub, place, 'ada:wrong')).status, 401)
    assert.equal((await open(hub, place, 'ada:correct-horse-battery')).status, 200)
    assert.equal((await open(hub, place, hub.secretKey)).status, 200)
  }
  assert.match(words(await open(hub, '/settings/api-keys', hub.secretKey)), /MORTISE_SECRET_KEY , which is not in this/)
})

test('another key can be given: the browser is asked as long as it sends the one before', async t => {
  const hub = await startTestHub(t)
  assert.equal((await open(hub, '/settings/sign-in?not=keyless')).status, 303)
  const [one, two] = [await newKey(hub), await newKey(hub, { scopes: ['connections:read'] })]
  const page = await open(hub, '/settings/webhooks', one.key)
  assert.ok(page.text.includes(`href="/settings/sign-in?not=${one.id}"`))
  assert.equal((await open(hub, `/settings/sign-in?not=${one.id}`, one.key)).status, 401)
  const other = await open(hub, `/settings/sign-in?not=${one.id}`, two.key)
  assert.deepEqual([other.status, other.location], [303, '/connections'])
})

test('each page and each form wants its own scope, and no other', async t => {
  const hub = await startTestHub(t)
  const { forms, state, id } = await furnished(hub)
  const keyOf = new Map<string, string>()
  for (const scope of scopes) keyOf.set(scope, (await newKey(hub, { scopes: [scope] })).key)
  const needs: [path: string, scope: string][] = [
    ['/connections', 'connections:read'],
    [`/connections/${id}`, 'connections:read'],
    ['/settings/webhooks', 'integrations:read'],
    ['/settings/api-keys', 'integrations:read'],
    ['/settings/embedded', 'integrations:read'],
  ]
  for (const [path, needed] of needs)
    for (const scope of scopes) {
      const page = await open(hub, path, keyOf.get(scope))
      assert.equal(page.status, scope === needed ? 200 : 403, `${path} ${scope}`)
      // No button that would be refused.
      if (scope === needed) assert.doesNotMatch(page.text, /method="post"/)
      else assert.match(words(page), new RegExp(`The secret key lacks the scope ${needed}`))
    }
  const before = await state()
  for (const [path, fields, needed] of forms)
    for (const scope of scopes) {
      if (scope === needed) continue
      const page = await send(hub, path, fields, keyOf.get(scope))
      assert.equal(page.status, 403, `${path} ${scope}`)
      assert.match(words(page), new RegExp(`The secret key lacks the scope ${needed}`))
    }
  assert.equal(await state(), before)
  // Users are named to a key that may list them.
  await call(hub, 'POST', '/users', { username: 'ada' }, { authorization: `Bearer ${keyOf.get('connect:write')}` })
  const blind = await newKey(hub, { scopes: ['integrations:read', 'connect:write'] })
  assert.doesNotMatch((await open(hub, '/settings/embedded', blind.key)).text, /"ada"/)
  const seeing = await newKey(hub, { scopes: ['integrations:read', 'connect:write', 'connections:read'] })
  assert.match((await open(hub, '/settings/embedded', seeing.key)).text, /"ada"/)
  // A form that is refused shows its page again, but to a key that may see it only.
  for (const [path, fields, scope] of [
    ['/settings/embedded/jwt', { user: 'nobody' }, 'connect:write'],
    ['/settings/embedded/origins', { url: 'nonsense' }, 'integrations:write'],
    ['/settings/webhooks', { url: 'nonsense' }, 'integrations:write'],
    ['/settings/api-keys', { name: '' }, 'integrations:write'],
  ] as const) {
    const page = await send(hub, path, fields, keyOf.get(scope))
    assert.equal(page.status, 400)
    assert.doesNotMatch(page.text, /listed\.example|app\.example\.com\/hook|mortise_[sp]k_|<form/)
    const shown = await send(hub, path, fields, (await newKey(hub, { scopes: ['integrations:read', scope] })).key)
    assert.equal(shown.status, 400)
    assert.match(shown.text, /<form/)
  }
})

test('the query of the webhook endpoint, which may be a secret, is shown to a key that may change it only', async t => {
  const hub = await startTestHub(t)
  const { context } = hub.rooms.hub
  await setEndpoint(context, hub.rooms.firstEnvironment, { url: `${webhook.url}?code=s3cret` })
  const reader = await newKey(hub, { scopes: ['integrations:read'] })
  const seen = await open(hub, '/settings/webhooks', reader.key)
  assert.equal(copyable(seen, 'URL'), webhook.url)
  assert.ok(!seen.text.includes('s3cret'))
  const writer = await newKey(hub, { scopes: ['integrations:read', 'integrations:write'] })
  assert.ok((await open(hub, '/settings/webhooks', writer.key)).text.includes(`value="${webhook.url}?code=s3cret"`))
})

test('a key hands out no more than it may itself, and ends no key that may more', async t => {
  const hub = await startTestHub(t)
  const all = await newKey(hub)
  const { key } = await newKey(hub, { scopes: ['integrations:read', 'integrations:write', 'proxy'] })
  const make = (scope: string[]) => send(hub, '/settings/api-keys', { name: scope.join(), scope }, key)
  const refused = await make(['proxy', 'credentials:read'])
  assert.equal(refused.status, 403)
  assert.match(words(refused), /lacks the scope credentials:read/)
  assert.equal(copyable(refused, 'Secret key'), undefined)
  // None named is none, not all.
  assert.equal((await make([])).status, 400)
  assert.equal((await hub.rooms.storage.keys()).length, 2)
  assert.equal((await make(['proxy'])).status, 200)
  const page = await open(hub, '/settings/api-keys', key)
  assert.doesNotMatch(page.text, /value="credentials:read"/)
  assert.doesNotMatch(page.text, new RegExp(`${all.id}/revoke`))
  assert.doesNotMatch(page.text, new RegExp(`${all.id}/rotate`))
  for (const end of ['revoke', 'rotate'])
    assert.equal((await send(hub, `/settings/api-keys/${all.id}/${end}`, {}, key)).status, 403, end)
  assert.equal((await hub.rooms.storage.keys()).length, 3)
  assert.equal((await open(hub, '/connections', all.key)).status, 200)
})

/** Where a form comes from that is not the hub's own. `own`: the hub's origin. */
const elsewhere = (own: string): Record<string, string>[] => [
  { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  { origin: 'https://evil.example' },
  { origin: 'null', 'sec-fetch-site': 'cross-site' },
  { origin: 'null' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { 'sec-fetch-site': 'none' },
  {},
  { origin: own.replace(/\d+$/, '9'), 'sec-fetch-site': 'same-site' },
  { origin: own.replace('http:', 'https:') },
  { origin: own, 'sec-fetch-site': 'cross-site' },
]

test('a form that another page sent is refused, with a key in the browser or without any, and changes nothing', async t => {
  const hub = await startTestHub(t)
  const { forms, state, key } = await furnished(hub)
  const before = await state()
  for (const [path, fields] of forms)
    for (const headers of elsewhere(hub.origin)) {
      const page = await send(hub, path, fields, key, headers)
      assert.equal(page.status, 403, `${path} ${JSON.stringify(headers)}`)
      assert.match(words(page), /was not sent by one of the hub's own pages, so nothing was changed/)
    }
  assert.equal(await state(), before)
  const keyless = await startTestHub(t)
  for (const headers of elsewhere(keyless.origin)) {
    const page = await send(keyless, '/settings/api-keys', { name: 'evil', scope: 'proxy' }, undefined, headers)
    assert.equal(page.status, 403, JSON.stringify(headers))
    assert.equal(copyable(page, 'Secret key'), undefined)
  }
  assert.deepEqual(await keyless.rooms.storage.keys(), [])
  // The hub's own pages, and a browser too old to tell the site, or that tells it alone.
  for (const headers of [fromOwnPage(hub), { origin: hub.origin }, { 'sec-fetch-site': 'same-origin' }])
    assert.equal((await send(hub, '/settings/embedded/latest', { on: 'true' }, key, headers)).status, 303)
})

test('a hub under https takes no form from a page that came without TLS under its name', async t => {
  const publicUrl = 'https://hub.example.com'
  const hub = await startServing(t, { MORTISE_PUBLIC_URL: publicUrl })
  const form = (origin: string, host: string) =>
    raw(
      `${hub.origin}/settings/embedded/latest`,
      {
        host,
        origin,
        authorization: `Bearer ${hub.secretKey}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      'POST',
    )
  const host = new URL(hub.origin).host
  for (const [origin, named] of [
    ['http://hub.example.com', 'hub.example.com'],
    ['http://evil.example', 'evil.example'],
    [hub.origin, host],
  ] as const) {
    const page = await form(origin, named)
    assert.equal(page.status, 403, origin)
    assert.match(page.body, /was not sent by one of the hub&#39;s own pages/)
  }
  assert.equal((await form(publicUrl, 'hub.example.com')).status, 303)
})

test('no address of a form is a page that could be opened to the same end', async t => {
  const hub = await startTestHub(t)
  const { forms, state, key } = await furnished(hub)
  const before = await state()
  const pages = new Set(places)
  for (const [path, fields] of forms) {
    const page = await open(hub, `${path}?${new URLSearchParams(fields)}`, key)
    assert.equal(page.status, pages.has(path) ? 200 : 404, path)
  }
  assert.equal(await state(), before)
})

test("another environment's connections, keys, endpoint, deliveries, users and lists are never shown, nor changed", async t => {
  const hub = await startTestHub(t)
  const { context } = hub.rooms.hub
  const { forms, state, id, delivery, key } = await furnished(hub)
  await call(hub, 'POST', '/users', { username: 'first-user' }, { authorization: `Bearer ${key}` })
  const row = await getJson<{ credentials: { access_token: string } }>(
    `${hub.origin}/connection/${id}?provider_config_key=notion`,
    { authorization: `Bearer ${key}` },
  )
  const other = await addEnvironment(context, 'other')
  const foreign = await newKey(hub, { environment: other })
  await addIntegration(context, other, {
    key: 'notion',
    provider: 'notion',
    clientId: 'x',
    clientSecret: new Secret('x'),
    sandbox: true,
  })
  const given = await call<{ id: string }>(
    hub,
    'POST',
    '/connectors/notion/credentials',
    { authenticationType: 'oauth2', data: { accessToken: row.body.credentials.access_token } },
    { authorization: `Bearer ${foreign.key}` },
  )
  assert.equal(given.status, 200)
  await setEndpoint(context, other, { url: 'https://other.example/hook' })
  const list = await open(hub, '/connections', foreign.key)
  assert.ok(list.text.includes(given.body.id))
  const hint = key.slice(0, 15)
  assert.ok((await open(hub, '/settings/api-keys', key)).text.includes(hint))
  for (const place of [...places, '/connections?integration=notion']) {
    const page = await open(hub, place, foreign.key)
    assert.equal(page.status, 200)
    for (const secret of [id, delivery, webhook.url, 'listed.example', 'first-user', hub.publicKey, hint])
      assert.ok(!page.text.includes(secret), `${place} shows ${secret}`)
    assert.match(words(page), /Environment: other \./)
    const mine = await open(hub, place, key)
    assert.ok(!mine.text.includes(given.body.id))
    assert.ok(!mine.text.includes('other.example'))
  }
  assert.equal((await open(hub, `/connections/${id}`, foreign.key)).status, 404)
  assert.equal((await open(hub, `/connections/${given.body.id}`, key)).status, 404)
  const before = await state()
  for (const [path, fields] of forms.filter(([each]) => /[0-9a-f]{24}/.test(each)))
    assert.equal((await send(hub, path, fields, foreign.key)).status, 404, path)
  assert.equal(await state(), before)
  await assert.rejects(redeliver(context, other, delivery), /There is no delivery/)
})

test('a hub without a key shows its pages to this machine alone, and to no other web page', async t => {
  const hub = await startTestHub(t)
  const { id } = await connected(hub)
  const { port } = new URL(hub.origin)
  const others: Record<string, string>[] = [
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    { origin: 'https://evil.example' },
    { host: `evil.example:${port}` },
    { 'x-forwarded-for': '203.0.113.7' },
  ]
  for (const place of [...places, `/connections/${id}`])
    for (const headers of others) {
      const answer = await raw(hub.origin + place, headers)
      assert.equal(answer.status, 403, `${place} ${JSON.stringify(headers)}`)
      assert.doesNotMatch(answer.body, /conn_|mortise_pk_|Settings →/)
    }
  // With a key too, under the public URL only.
  const { key } = await newKey(hub)
  const authorization = `Basic ${Buffer.from(`${key}:`).toString('base64')}`
  // As a browser asks: a program finds the API at the path of one of them.
  const accept = 'text/html'
  for (const place of places) {
    assert.equal((await raw(hub.origin + place, { host: `evil.example:${port}`, accept, authorization })).status, 403)
    const moved = await raw(hub.origin + place, { host: `127.0.0.1:${port}`, accept, authorization })
    assert.deepEqual([moved.status, moved.headers['location']], [307, hub.origin + place])
  }
})
