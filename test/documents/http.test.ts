/** The documents' curl commands, requests and answers, against a real hub. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { Browser, connect, freePorts, getJson } from '../harness.ts'
import { fence } from './fences.ts'
import { answersOf, approve, type KeyedHub, mapped, shell, start, startKeyedHub } from './run.ts'

/** A request as the documents write one: the method and the address, then the headers. */
const request = (text: string, hub: KeyedHub, names: Readonly<Record<string, string>>) => {
  const [first = '', title, ...lines] = mapped(text, names)
    .split('\n')
    .map(line => line.trim())
  const [, method = '', address = ''] = /^(GET|POST) (\S+)$/.exec(first) ?? []
  assert.equal(title, 'Headers:')
  const headers = lines.map((line): [string, string] => {
    const [, name = '', value = ''] = /^([\w-]+): (.+)$/.exec(line) ?? []
    return [name, value]
  })
  const { pathname } = new URL(address)
  return { url: hub.origin + pathname, init: { method, headers } }
}

/** The types of an answer, key by key, down to its leaves. */
const shapeOf = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(shapeOf)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, shapeOf(each)]))
      : typeof value

/** Every key that is printed is in the real answer, with the same type. */
const holds = (printed: unknown, real: unknown, at = ''): void => {
  if (typeof printed !== 'object' || printed === null) {
    assert.equal(typeof real, typeof printed, at)
    return
  }
  assert.ok(typeof real === 'object' && real !== null, at)
  assert.equal(Array.isArray(real), Array.isArray(printed), at)
  for (const [key, value] of Object.entries(printed))
    holds(value, (real as Record<string, unknown>)[key], `${at}.${key}`)
}

const isJwt = (body: { token?: unknown }) => assert.match(String(body.token), /^[\w-]+\.[\w-]+\.[\w-]+$/)

test('the flow is initiated and the code exchanged by curl', async t => {
  const hub = await startKeyedHub(t)
  const here = { 'https://production.runalloy.com': hub.origin, YOUR_API_KEY: hub.key }
  const [begun, ...none] = answersOf(await shell(t, mapped(fence(t, '001-01'), here), {}))
  assert.equal(begun.status, 200, begun.body)
  assert.deepEqual(none, [])
  const initiated = JSON.parse(begun.body)
  const printed = JSON.parse(fence(t, '001-02'))
  holds(printed, initiated)
  const path = (url: string) => new URL(url).pathname
  assert.equal(path(initiated.oauthUrl), path(printed.oauthUrl))
  assert.match(initiated.oauthUrl, /\?userId=/)
  assert.match(initiated.credentialId, /^cred_/)

  const back = await approve(hub, initiated.oauthUrl, next => next.startsWith('https://your-app.com/oauth/callback'))
  const code = back.searchParams.get('code') ?? ''
  const map = { ...here, authorization_code_from_callback: code }
  const [ended] = answersOf(await shell(t, mapped(fence(t, '001-05'), map), {}))
  assert.equal(ended.status, 200, ended.body)
  const connected = JSON.parse(ended.body)
  const shown = JSON.parse(fence(t, '001-06'))
  holds(shown, connected)
  assert.equal(connected.status, shown.status)
  assert.match(connected.connectionId, /^conn_[0-9a-f]{24}$/)
})

test('the address that the browser comes back to is the one printed, and the application answers it', async t => {
  const hub = await startKeyedHub(t)
  const port = String(await freePorts())
  const app = start(t, [process.execPath, 'app/scripts/server.ts'], { ...hub.settings, PORT: port })
  const [, origin = ''] = await app.seen(/OAuth server running on (\S+)/)
  const browser = new Browser()
  const back = await approve(
    hub,
    `${origin}/connect/notion`,
    next => next.startsWith(`${origin}/oauth/callback`),
    browser,
  )
  const printed = fence(t, '001-04')
  const parsed = new URL(printed)
  assert.equal(back.pathname, parsed.pathname)
  for (const name of parsed.searchParams.keys()) assert.ok(back.searchParams.get(name), name)
  const parameters = { 'abc123...': back.searchParams.get('code'), 'xyz789...': back.searchParams.get('state') }
  const url = mapped(printed, {
    'https://your-app.com': origin,
    ...Object.fromEntries(Object.entries(parameters).map(([from, to]) => [from, encodeURIComponent(to ?? '')])),
  })
  const answer = await browser.get(url, { accept: 'application/json' })
  assert.equal(answer.status, 200)
  const body = (await answer.json()) as { success: boolean; connectionId: string }
  assert.equal(body.success, true)
  assert.match(body.connectionId, /^conn_/)
})

test('the token endpoint answers POST with the version in the path', async t => {
  const hub = await startKeyedHub(t)
  const names = { '{userId}': 'me', '{YOUR_API_KEY}': hub.key }
  const { url, init } = request(fence(t, '000-04').replace(/^ {3}/gm, ''), hub, names)
  assert.equal(new URL(url).pathname, '/2023-12/users/me/token')
  const answer = await fetch(url, init)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('x-api-version'), '2023-12')
  isJwt((await answer.json()) as { token?: unknown })
})

test('the token endpoint answers GET with the version in a header', async t => {
  const hub = await startKeyedHub(t)
  const { url, init } = request(fence(t, '003-01'), hub, { '{USER_ID}': 'me', '{YOUR_API_KEY}': hub.key })
  const answer = await fetch(url, init)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('x-api-version'), '2025-09')
  assert.equal(answer.headers.get('warning'), null)
  isJwt((await answer.json()) as { token?: unknown })
})

test('the JWT is got by curl', async t => {
  const hub = await startKeyedHub(t)
  const { body: me } = await getJson<{ userId: string }>(`${hub.origin}/users/me`, {
    authorization: `Bearer ${hub.key}`,
  })
  const map = { 'https://embedded.runalloy.com': hub.origin, YOUR_USER_ID: me.userId, YOUR_API_KEY: hub.key }
  const ended = await shell(t, mapped(fence(t, '003-04'), map), {})
  const [answer] = answersOf(ended)
  assert.equal(answer.status, 200, ended.stderr)
  isJwt(JSON.parse(answer.body))
})

/** An object literal with comments and bare keys: what JavaScript makes of it. */
const literal = (text: string): Record<string, unknown> => runInNewContext(`(${text})`)

const read = async (hub: KeyedHub, path: string) => {
  const { status, body } = await getJson(hub.origin + path, { authorization: `Bearer ${hub.key}` })
  assert.equal(status, 200)
  return body
}

test('the connection object has the keys and types that are printed', async t => {
  const hub = await startKeyedHub(t)
  await connect(hub, 'github', { connection_id: '1' })
  const real = await read(hub, '/connection/1?provider_config_key=github')
  holds(literal(fence(t, '004-01')), real)
})

const checkList = async (t: TestContext, text: string, path: (id: string) => string) => {
  const hub = await startKeyedHub(t)
  await connect(hub, 'notion', { connection_id: 'connectonId' })
  const real = await read(hub, path('connectonId'))
  // The semicolon within the object is no JavaScript.
  const printed = literal(mapped(text, { '];': ']' }))
  const [first = {}, second] = printed['connections'] as object[]
  // What is printed is there, as it is printed; later clients of the same path find more beside it.
  const rows = (real['connections'] as Record<string, unknown>[]).map(row =>
    Object.fromEntries(Object.keys(first).map(key => [key, row[key]])),
  )
  assert.deepEqual(shapeOf({ ...real, connections: rows }), shapeOf({ connections: [first] }))
  assert.deepEqual(second && Object.keys(second), [])
}

test('the lists of connections have the keys and types that are printed', async t => {
  await checkList(t, fence(t, '004-02'), () => '/connection')
  await checkList(t, fence(t, '004-03'), id => `/connection?connectionId=${id}`)
})
