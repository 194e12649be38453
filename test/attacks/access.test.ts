/** Attacks on who may call: other web pages, rebinding names, proxies, keys of elsewhere. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseScopes } from '../../src/core/keys.ts'
import { addEnvironment, addKey } from '../../src/core/setup.ts'
import { connect, connectUrl, getJson, raw, startTestHub, type TestHub } from '../harness.ts'

/** Every way to data on the hub. */
const doors = (hub: TestHub) => [
  `${hub.origin}/connection`,
  `${hub.origin}/connection?connectionId=a`,
  `${hub.origin}/connection/a?provider_config_key=github`,
  `${hub.origin}/connections/a?provider_config_key=github`,
]

test('a web page of another origin cannot reach the keyless hub', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: 'a' })
  const others: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'http://localhost:3000' },
    { origin: 'http://localhost:9', 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
    { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' },
    { origin: `https://localhost:${new URL(hub.origin).port}` },
  ]
  for (const headers of others)
    for (const door of doors(hub)) {
      const answer = await raw(door, headers)
      assert.equal(answer.status, 403, JSON.stringify(headers))
      assert.doesNotMatch(answer.body, /access_token|"connection_id"/)
      assert.equal(answer.headers['access-control-allow-origin'], undefined)
    }
  for (const headers of [{}, { origin: hub.origin, 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }])
    for (const door of doors(hub)) assert.equal((await raw(door, headers as Record<string, string>)).status, 200)
})

test('a rebinding name cannot reach the keyless hub, neither its API nor its pages', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: 'a' })
  const { port } = new URL(hub.origin)
  const names = [
    `evil.example:${port}`,
    'evil.example',
    `localhost.evil.example:${port}`,
    `127.0.0.1.nip.io:${port}`,
    `0.0.0.0:${port}`,
    `192.168.1.1:${port}`,
  ]
  for (const host of names)
    for (const door of [
      ...doors(hub),
      `${hub.origin}/`,
      connectUrl(hub, 'github'),
      `${hub.origin}/docs/core-concepts`,
    ]) {
      const answer = await raw(door, { host })
      assert.equal(answer.status, 403, `${host} ${door}`)
      assert.doesNotMatch(answer.body, /access_token|mortise_pk_/)
    }
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, `127.9.9.9:${port}`])
    assert.equal((await raw(`${hub.origin}/connection`, { host })).status, 200, host)
})

test('a request that came through a proxy cannot reach the keyless hub', async t => {
  const hub = await startTestHub(t)
  const headers = {
    forwarded: 'for=1.2.3.4',
    'x-forwarded-for': '1.2.3.4',
    'x-forwarded-host': 'localhost',
    'x-forwarded-proto': 'https',
    via: '1.1 proxy',
  }
  for (const [name, value] of Object.entries(headers))
    assert.equal((await raw(`${hub.origin}/connection`, { [name]: value })).status, 403, name)
})

test('a secret key is ignored by the keyless hub; a public key, a session token and a JWT still limit', async t => {
  const hub = await startTestHub(t)
  const status = async (authorization: string) => (await getJson(`${hub.origin}/connection`, { authorization })).status
  assert.equal(await status('Bearer whatever'), 200)
  assert.equal(await status(`Basic ${Buffer.from('whatever:').toString('base64')}`), 200)
  assert.equal(await status(`Bearer ${hub.publicKey}`), 403)
  assert.equal(await status(`Bearer nango_connect_session_${'a'.repeat(64)}`), 401)
  assert.equal(await status('Bearer eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjp7fX0.c2ln'), 401)
  const other = await addEnvironment(hub.rooms.hub.context, 'other')
  const refused = await fetch(connectUrl(hub, 'github', { public_key: 'mortise_pk_wrong' }), { redirect: 'manual' })
  assert.equal(refused.status, 401)
  // The other environment has no such integration: its public key opens its own environment and no more.
  const foreign = await fetch(connectUrl(hub, 'github', { public_key: other.publicKey }), { redirect: 'manual' })
  assert.equal(foreign.status, 400)
  assert.match(await foreign.text(), /environment &quot;other&quot;/)
})

test('a flow starts in a window of its own: not in a frame, not behind a page of an origin that is not listed', async t => {
  const hub = await startTestHub(t)
  const link = connectUrl(hub, 'github')
  const refused: Record<string, string>[] = [
    { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
  ]
  for (const headers of refused) assert.equal((await raw(link, headers)).status, 403, JSON.stringify(headers))
  const fromMail = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  assert.equal((await raw(link, fromMail)).status, 302)
  await hub.rooms.storage.allow(hub.rooms.firstEnvironment.id, 'origin', 'https://app.example.com')
  assert.equal((await raw(link, { origin: 'https://app.example.com' })).status, 302)
  assert.equal((await raw(link, { origin: 'http://localhost:5173' })).status, 302)
})

test('a key of another environment reads, lists and starts nothing of this one', async t => {
  const hub = await startTestHub(t)
  const { context } = hub.rooms.hub
  await connect(hub, 'github', { connection_id: 'a' })
  const other = await addEnvironment(context, 'other')
  const foreign = (await addKey(context, other, 'foreign', parseScopes([]))).secret.reveal()
  const own = (await addKey(context, hub.rooms.firstEnvironment, 'own', parseScopes([]))).secret.reveal()
  const get = (door: string, key: string) =>
    getJson<{ connections?: unknown[] }>(door, { authorization: `Bearer ${key}` })
  const [list = '', byId = '', one = '', current = ''] = doors(hub)
  assert.deepEqual((await get(list, foreign)).body, { connections: [] })
  assert.deepEqual((await get(byId, foreign)).body, { connections: [] })
  for (const door of [one, current]) assert.equal((await get(door, foreign)).status, 400)
  assert.equal((await get(list, own)).body.connections?.length, 1)
  for (const door of [one, current]) assert.equal((await get(door, own)).status, 200)
})

test('once a key exists, no header, a wrong key, a mistyped key and a revoked key are refused', async t => {
  const hub = await startTestHub(t)
  const { context } = hub.rooms.hub
  const list = `${hub.origin}/connection`
  assert.equal((await getJson(list)).status, 200)
  const made = await addKey(context, hub.rooms.firstEnvironment, 'one', parseScopes([]))
  const secret = made.secret.reveal()
  const code = async (authorization?: string) => {
    const { status, body, headers } = await getJson<{ error?: { code: string; message: string } }>(
      list,
      authorization === undefined ? {} : { authorization },
    )
    if (status === 401) assert.equal(headers.get('www-authenticate'), 'Bearer')
    assert.doesNotMatch(JSON.stringify(body), new RegExp(secret.slice(-20)))
    return [status, body.error?.code]
  }
  assert.deepEqual(await code(), [401, 'missing_auth_header'])
  assert.deepEqual(await code('Bearer nonsense'), [401, 'unknown_account'])
  assert.deepEqual(await code(`Bearer ${secret.slice(0, -1)}_`), [401, 'invalid_secret_key_format'])
  assert.deepEqual(await code('Digest x'), [401, 'malformed_auth_header'])
  assert.deepEqual(await code(`bearer ${secret}`), [200, undefined])
  await hub.rooms.storage.revokeKey(hub.rooms.firstEnvironment.id, made.key.id, new Date(0))
  await addKey(context, hub.rooms.firstEnvironment, 'two', parseScopes([]))
  assert.deepEqual(await code(`Bearer ${secret}`), [401, 'unknown_account'])
})

test('a key without credentials:read sees no credential; one without connections:read sees nothing', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: 'a' })
  const ones = doors(hub).slice(2)
  const key = async (...scopes: string[]) =>
    (await addKey(hub.rooms.hub.context, hub.rooms.firstEnvironment, 'k', parseScopes(scopes))).secret.reveal()
  for (const one of ones) {
    const blind = await getJson<{ credentials: object }>(one, {
      authorization: `Bearer ${await key('connections:read')}`,
    })
    assert.deepEqual(blind.body.credentials, {})
    const none = await getJson(one, { authorization: `Bearer ${await key('proxy')}` })
    assert.equal(none.status, 403)
    const both = await getJson(one, { authorization: `Bearer ${await key('connections:read', 'credentials:read')}` })
    assert.match(JSON.stringify(both.body), /access_token/)
  }
})
