/** Settings, as a person sets them: webhooks, API keys, and what a page needs that embeds. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { scopes } from '../src/core/environment.ts'
import { call, connected, refused } from './alloy/hub.ts'
import type { TestHub } from './harness.ts'
import { getJson, movableClock, startServing, startTestHub } from './harness.ts'
import { copyable, newKey, open, type Page, send, words } from './page.ts'
import { startReceiver, verified } from './receiver.ts'

const webhooks = '/settings/webhooks'
const keys = '/settings/api-keys'
const embedded = '/settings/embedded'

const done = (page: Page, to: string) => assert.deepEqual([page.status, page.location], [303, to], page.text)

/** The address of the one form that has this button. */
const formOf = (page: Page, button: string): { path: string; fields: Record<string, string> } => {
  const forms = [...page.text.matchAll(/<form[^>]* action="([^"]+)">((?:(?!<\/form>)[\s\S])*)<\/form>/g)]
  const found = forms.filter(([, , inside = '']) => new RegExp(`<button[^>]*>${button}</button>`).test(inside))
  assert.equal(found.length, 1, button)
  const [, path = '', inside = ''] = found[0] ?? []
  const hidden = inside.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g)
  return { path, fields: Object.fromEntries([...hidden].map(([, name = '', value = '']) => [name, value])) }
}

const press = (hub: TestHub, page: Page, button: string, key?: string): Promise<Page> => {
  const { path, fields } = formOf(page, button)
  return send(hub, path, fields, key)
}

test('webhooks: an endpoint is set, and its secret is shown once; a test and a connection are delivered, and logged', async t => {
  const hub = await startTestHub(t)
  const receiver = await startReceiver(t)
  const empty = await open(hub, webhooks)
  assert.match(words(empty), /There is no endpoint yet/)
  assert.match(words(empty), /Nothing was sent yet\. Set an endpoint first/)
  const made = await send(hub, webhooks, { url: receiver.url, event: 'connection.created' })
  assert.equal(made.status, 200)
  assert.match(words(made), /This is the only time that the signing secret is shown/)
  const secret = copyable(made, 'Signing secret') ?? ''
  assert.match(secret, /^whsec_/)
  assert.equal(copyable(made, 'For your .env file'), `ALLOY_WEBHOOK_SECRET=${secret}`)
  const shown = await open(hub, webhooks)
  assert.ok(!shown.text.includes(secret))
  assert.ok(shown.text.includes(`value="${receiver.url}"`))
  assert.match(words(shown), /Events connection\.created /)

  done(await press(hub, shown, 'Send test'), `${webhooks}#log`)
  const test = await receiver.next()
  verified(secret, test)
  assert.match(
    words(await open(hub, webhooks)),
    new RegExp(`webhook\\.test ${test.id} delivered 1 200 ${receiver.url}`),
  )
  await connected(hub)
  const event = await receiver.next()
  assert.match(event.body, /^\{"type":"connection\.created"/)

  receiver.answer(500)
  const again = (await open(hub, webhooks)).text.match(/action="(\/settings\/webhooks\/deliveries\/\w+\/send)"/g) ?? []
  assert.equal(again.length, 2)
  done(await send(hub, `${webhooks}/deliveries/${test.id}/send`), `${webhooks}#log`)
  assert.equal((await receiver.next()).id, test.id)
  const log = words(await open(hub, webhooks))
  assert.match(log, new RegExp(`${test.id} next try 20\\S+ \\S+ UTC 2 The receiver answered 500\\.`))
})

test('webhooks: what is wrong with the form is said, and what was typed stays', async t => {
  const hub = await startTestHub(t)
  const cases: [fields: Record<string, string>, why: RegExp][] = [
    [{ url: 'http://app.example.com/hook', event: 'connection.created' }, /must be https/],
    [{ url: 'nonsense', event: 'connection.created' }, /must be an absolute https URL/],
    [{ url: 'https://app.example.com/hook' }, /Name at least one event/],
    [{ url: 'https://app.example.com/hook', event: 'made.up' }, /There is no event "made\.up"/],
    [{ url: `https://app.example.com/${'a'.repeat(2000)}`, event: 'connection.created' }, /longer than 2,000/],
  ]
  for (const [fields, why] of cases) {
    const page = await send(hub, webhooks, fields)
    assert.equal(page.status, 400)
    assert.match(words({ text: /<p class="problem" role="alert">(.*?)<\/p>/.exec(page.text)?.[1] ?? '' }), why)
    assert.ok(page.text.includes(`value="${fields['url']}"`))
    assert.equal(page.text.includes('checked'), fields['event'] === 'connection.created')
  }
  for (const path of ['/rotate', '/remove', '/test', `/deliveries/${'a'.repeat(24)}/send`]) {
    const page = await send(hub, webhooks + path)
    assert.equal(page.status, 404, path)
    assert.match(words(page), /has no webhook endpoint/)
  }
  assert.equal(
    (await send(hub, webhooks, {}, undefined, { 'content-type': 'application/json', origin: hub.origin })).status,
    400,
  )
})

test('webhooks: the URL is changed, the secret is made anew once for each click, the endpoint is removed', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  const event = 'connection.created'
  const made = await send(hub, webhooks, { url: 'https://app.example.com/a', event })
  const first = copyable(made, 'Signing secret') ?? ''
  done(await send(hub, webhooks, { url: 'https://app.example.com/b', event }), webhooks)
  const page = await open(hub, webhooks)
  assert.ok(page.text.includes('value="https://app.example.com/b"'))
  const rotated = await press(hub, page, 'Rotate the secret')
  const second = copyable(rotated, 'Signing secret') ?? ''
  assert.match(second, /^whsec_/)
  assert.notEqual(second, first)
  // The browser's "send the form again?"
  const again = await press(hub, page, 'Rotate the secret')
  assert.equal(again.status, 409)
  assert.equal(copyable(again, 'Signing secret'), undefined)
  assert.match(words(again), /has changed since the page was loaded/)
  assert.match(words(again), /until 2026-11-22 10:00:00 UTC the one before signs too/)
  clock.forward(24 * 3600 + 1)
  assert.match(words(await open(hub, webhooks)), /shown when it was made, and never again/)
  done(await press(hub, await open(hub, webhooks), 'Remove the endpoint'), webhooks)
  assert.match(words(await open(hub, webhooks)), /There is no endpoint yet/)
})

test('API keys: the first ends keyless access, which is said before and after; the key is shown once, and opens the pages', async t => {
  const hub = await startTestHub(t)
  const before = await open(hub, keys)
  assert.match(words(before), /This hub has no key yet[\s\S]*The first key ends that, at once and for good/)
  assert.match(words(before), /give the key as the user name, and leave the password empty/)
  assert.match(words(before), /This environment has no key/)
  const made = await send(hub, keys, { name: 'back end', scope: scopes })
  assert.equal(made.status, 200)
  const key = copyable(made, 'Secret key') ?? ''
  assert.match(key, /^mortise_sk_/)
  assert.equal(copyable(made, 'For the .env file of an app'), `ALLOY_API_KEY=${key}`)
  assert.match(words(made), /This is the only time that the key is shown/)
  assert.match(words(made), /nobody is answered without one any more/)
  assert.equal((await getJson(`${hub.origin}/connection`)).status, 401)
  assert.equal((await open(hub, keys)).status, 401)
  const shown = await open(hub, keys, key)
  assert.equal(shown.status, 200)
  assert.ok(!shown.text.includes(key))
  assert.match(words(shown), new RegExp(`back end \\(yours\\) ${key.slice(0, 15)}… all, admin 20`))
  assert.doesNotMatch(words(shown), /no key yet/)
  const second = await send(hub, keys, { name: 'reader', scope: ['connections:read', 'proxy'] }, key)
  assert.doesNotMatch(words(second), /From now on a key is needed/)
  assert.match(words(await open(hub, keys, key)), /reader mortise_sk_\w{4}… connections:read, proxy 20/)
})

test('API keys: what is refused, and revoking', async t => {
  const hub = await startTestHub(t)
  const { key } = await newKey(hub)
  const cases: [fields: Record<string, string | string[]>, status: number, why: RegExp][] = [
    // No scope at all must not become all of them.
    [{ name: 'none' }, 400, /Choose at least one scope/],
    [{ name: 'odd', scope: 'connection:read' }, 400, /There is no scope "connection:read"/],
    [{ name: ' ', scope: 'proxy' }, 400, /A key needs a name/],
    [{ name: 'a'.repeat(101), scope: 'proxy' }, 400, /A key needs a name/],
  ]
  for (const [fields, status, why] of cases) {
    const page = await send(hub, keys, fields, key)
    assert.equal(page.status, status)
    assert.match(words(page), why)
    assert.equal(copyable(page, 'Secret key'), undefined)
  }
  const made = await send(hub, keys, { name: 'job', scope: 'connections:read' }, key)
  const job = copyable(made, 'Secret key') ?? ''
  const twice = await send(hub, keys, { name: 'job', scope: 'connections:read' }, key)
  assert.equal(twice.status, 409)
  assert.match(words(twice), /There is a key named "job" already/)
  assert.equal((await hub.rooms.storage.keys()).length, 2)

  assert.equal((await open(hub, '/connections', job)).status, 200)
  const [id = ''] = (await hub.rooms.storage.keys()).filter(each => each.name === 'job').map(each => each.id)
  done(await send(hub, `${keys}/${id}/revoke`, {}, key), keys)
  assert.equal((await open(hub, '/connections', job)).status, 401)
  const page = await open(hub, keys, key)
  assert.match(words(page), /job mortise_sk_\w{4}… connections:read 20\S+ \S+ UTC 20\S+ \S+ UTC/)
  assert.doesNotMatch(page.text, new RegExp(`${id}/revoke`))
  assert.equal((await send(hub, `${keys}/${id}/revoke`, {}, key)).status, 404)
  // The name of one that was revoked is free.
  assert.equal((await send(hub, keys, { name: 'job', scope: 'proxy' }, key)).status, 200)
})

test('API keys: one is rotated: the new one is shown once, may do the same, and the old one is refused', async t => {
  const hub = await startTestHub(t)
  const { storage } = hub.rooms
  const { key } = await newKey(hub)
  const made = await send(hub, keys, { name: 'job', scope: ['connections:read', 'proxy'] }, key)
  const old = copyable(made, 'Secret key') ?? ''
  const page = await open(hub, keys, key)
  const before = (await storage.keys()).find(each => each.name === 'job')
  const path = `${keys}/${before?.id}/rotate`
  assert.match(
    page.text,
    new RegExp(`<summary>Rotate…</summary>\\s*<p>[^<]+</p>\\s*<form method="post" action="${path}">`),
  )
  const rotated = await send(hub, path, {}, key)
  assert.equal(rotated.status, 200)
  const secret = copyable(rotated, 'Secret key') ?? ''
  assert.match(secret, /^mortise_sk_/)
  assert.equal(copyable(rotated, 'For the .env file of an app'), `ALLOY_API_KEY=${secret}`)
  assert.match(words(rotated), /This is the only time that the key is shown/)
  assert.equal((await open(hub, '/connections', old)).status, 401)
  assert.equal((await open(hub, '/connections', secret)).status, 200)
  assert.equal((await open(hub, keys, secret)).status, 403)
  const all = (await storage.keys()).filter(each => each.name === 'job')
  assert.deepEqual(
    all.map(each => [each.scopes, each.revokedAt !== undefined]),
    [
      [['connections:read', 'proxy'], true],
      [['connections:read', 'proxy'], false],
    ],
  )
  // The browser's "send the form again?"
  const again = await send(hub, path, {}, key)
  assert.equal(again.status, 404)
  assert.equal(copyable(again, 'Secret key'), undefined)
  assert.match(words(again), /has no living key with that id/)
  assert.equal((await storage.keys()).length, 3)
  // Pressed twice at once: one key comes of it.
  const living = all.find(each => each.revokedAt === undefined)
  const both = await Promise.all([1, 2].map(() => send(hub, `${keys}/${living?.id}/rotate`, {}, key)))
  assert.equal(both.filter(each => copyable(each, 'Secret key') !== undefined).length, 1)
  const left = (await storage.keys()).filter(each => each.name === 'job' && each.revokedAt === undefined)
  assert.equal(left.length, 1)
})

test('API keys: whoever rotates the key that opened the page is told to give the new one', async t => {
  const hub = await startTestHub(t)
  const { id, key } = await newKey(hub)
  const rotated = await send(hub, `${keys}/${id}/rotate`, {}, key)
  assert.equal(rotated.status, 200)
  assert.match(words(rotated), /These pages ask for a key at the next click: give the new one/)
  assert.equal((await open(hub, keys, key)).status, 401)
  assert.equal((await open(hub, keys, copyable(rotated, 'Secret key'))).status, 200)
})

test('embedded: a JWT of a user, the lines for a page, and who is no user', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  const user = await call<{ userId: string }>(hub, 'POST', '/users', { username: 'ada' })
  const page = await open(hub, embedded)
  assert.match(
    String(copyable(page, 'For your page')),
    new RegExp(
      `^<script src="${hub.origin}/sdk/alloy\\.js"></script>\n<script>[\\s\\S]*alloy\\.connect\\('notion', \\{`,
    ),
  )
  assert.equal(copyable(page, 'Public key'), hub.publicKey)
  assert.match(page.text, /<option value="ada">/)
  const made = await send(hub, `${embedded}/jwt`, { user: 'ada' })
  assert.equal(made.status, 200)
  const jwt = copyable(made, 'JWT') ?? ''
  assert.equal(copyable(made, 'In your page'), `alloy.authenticate('${jwt}')`)
  assert.equal(copyable(made, "The user's id"), `ALLOY_USER_ID=${user.body.userId}`)
  assert.match(words(made), /A JWT for ada It is good until 2026-11-21 11:00:00 UTC/)
  // It is one: the SDK's way to begin takes it.
  const begun = await call(hub, 'POST', '/sdk/start', { connectorId: 'notion' }, { 'x-alloy-user-token': jwt })
  assert.equal(begun.status, 200)
  const own = await send(hub, `${embedded}/jwt`, { user: 'me' })
  const { body } = await getJson<{ userId: string }>(`${hub.origin}/users/me`)
  assert.equal(copyable(own, "The user's id"), `ALLOY_USER_ID=${body.userId}`)
  const none = await send(hub, `${embedded}/jwt`, { user: 'adda' })
  assert.equal(none.status, 400)
  assert.match(words(none), /"adda" \(the field User\) is no user of the environment "dev"; the nearest is "ada"/)
  assert.ok(none.text.includes('value="adda"'))
})

test('embedded: origins and redirects are listed, checked and removed', async t => {
  const hub = await startTestHub(t)
  const { storage } = hub.rooms
  const { id } = hub.rooms.firstEnvironment
  for (const [list, kind, url, wrong] of [
    ['origins', 'origin', 'https://app.example.com', 'https://app.example.com/page'],
    ['redirects', 'redirect', 'https://app.example.com/connected', 'http://app.example.com/connected'],
  ] as const) {
    const refusal = await send(hub, `${embedded}/${list}`, { url: wrong })
    assert.equal(refusal.status, 400)
    assert.ok(refusal.text.includes(`value="${wrong}"`))
    assert.deepEqual(await storage.allowed(id, kind), [])
    done(await send(hub, `${embedded}/${list}`, { url: ` ${url} ` }), `${embedded}#${list}`)
    done(await send(hub, `${embedded}/${list}`, { url }), `${embedded}#${list}`)
    assert.deepEqual(await storage.allowed(id, kind), [url])
    const page = await open(hub, embedded)
    assert.ok(page.text.includes(`<code>${url}</code>`))
    done(await press(hub, page, 'Remove'), `${embedded}#${list}`)
    assert.deepEqual(await storage.allowed(id, kind), [])
    assert.equal((await send(hub, `${embedded}/${list}/remove`, { url })).status, 404)
  }
})

test('embedded: what counts as listed is said as it is: in dev more than in production', async t => {
  const dev = words(await open(await startTestHub(t), embedded))
  assert.match(dev, /In mortise dev any address of this machine counts as listed, and so does any redirect URI/)
  assert.match(dev, /any redirect URI that comes with a call of the API/)
  const hub = await startServing(t)
  const page = words(await open(hub, embedded, hub.secretKey))
  assert.match(page, /A finished flow returns to these addresses only; the query is free\. None is listed/)
})

test('embedded: the JWT key is made anew, and every JWT that was given out stops working', async t => {
  const hub = await startTestHub(t)
  const page = await open(hub, embedded)
  assert.match(words(page), /Every JWT that was given out stops working at once/)
  const jwt = async () => copyable(await send(hub, `${embedded}/jwt`, { user: 'me' }), 'JWT') ?? ''
  const begin = (token: string) =>
    call(hub, 'POST', '/sdk/start', { connectorId: 'notion' }, { 'x-alloy-user-token': token })
  const before = await jwt()
  assert.equal((await begin(before)).status, 200)
  done(await press(hub, page, 'Renew the JWT key'), `${embedded}#jwt`)
  assert.equal((await begin(before)).status, 401)
  assert.equal((await begin(await jwt())).status, 200)
})

test('embedded: the switch is off until a person switches it on, and changes what an exchange without a code is told', async t => {
  const hub = await startTestHub(t)
  const { id } = await connected(hub)
  const exchange = async () => (await refused(hub, 'POST', '/connectors/notion/credentials/callback', {})).body.message
  const off = await open(hub, embedded)
  assert.match(words(off), /It is off \. Off is right where several people connect through one key/)
  assert.ok(!(await exchange()).includes(id))
  done(await press(hub, off, 'Switch on'), `${embedded}#latest`)
  assert.ok((await exchange()).includes(id))
  const on = await open(hub, embedded)
  assert.match(words(on), /It is on \./)
  done(await press(hub, on, 'Switch off'), `${embedded}#latest`)
  assert.ok(!(await exchange()).includes(id))
})
