/** More attacks on a hub without a key, which anything on the machine may call: its pages, its Host, what limits. */
import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { test } from 'node:test'
import { parseScopes } from '../../src/core/keys.ts'
import { addKey } from '../../src/core/setup.ts'
import { Browser, connect, connectUrl, raw, startTestHub, type TestHub, untilCallback } from '../harness.ts'

const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjp7fX0.c2ln'

/** The first line of the answer to exactly this text. */
const say = (hub: TestHub, lines: string[]): Promise<string> =>
  new Promise((done, fail) => {
    const socket = createConnection(Number(new URL(hub.origin).port), '127.0.0.1', () =>
      socket.write(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`),
    )
    let text = ''
    socket.on('data', chunk => {
      text += chunk
    })
    socket.on('end', () => done(text))
    socket.on('error', fail)
  })

test('another web page cannot even load the pages, the documentation or the script of a keyless hub', async t => {
  const hub = await startTestHub(t)
  const others: Record<string, string>[] = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
  ]
  const pages = ['/', '/docs/core-concepts', '/assets/copy.js', '/assets/mortise.css', '/nothing']
  for (const page of pages) {
    for (const headers of others) {
      const answer = await raw(hub.origin + page, headers)
      assert.equal(answer.status, 403, `${page} ${JSON.stringify(headers)}`)
      assert.doesNotMatch(answer.body, /mortise_pk_/)
    }
    const own = { origin: hub.origin, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'no-cors' }
    const typed = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
    for (const headers of [{}, own, typed])
      assert.equal((await raw(hub.origin + page, headers)).status, page === '/nothing' ? 404 : 200, page)
  }
})

test('what a browser asks before a call of another page is no proxied call', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: 'a' })
  const named = { 'connection-id': 'a', 'provider-config-key': 'github' }
  const asks = { 'access-control-request-method': 'OPTIONS' }
  for (const door of ['/proxy/user', '/api/v1/connections/a/proxy/user']) {
    const others: Record<string, string>[] = [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]
    for (const from of others) {
      const answer = await raw(hub.origin + door, { ...named, ...asks, ...from }, 'OPTIONS')
      assert.equal(answer.status, 403, door)
      assert.equal(answer.headers['mortise-answer-from'], 'hub', door)
    }
    // A program's own OPTIONS is one.
    const { headers } = await raw(hub.origin + door, named, 'OPTIONS')
    assert.equal(headers['mortise-answer-from'], 'provider', door)
  }
})

test('a link of another site opens a flow, and the provider sends the browser back', async t => {
  const hub = await startTestHub(t)
  hub.sandbox.set('github', { autoApprove: true })
  const follows = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  const started = await raw(connectUrl(hub, 'github', { connection_id: 'a' }), follows)
  assert.equal(started.status, 302)
  const [cookie = ''] = started.headers['set-cookie'] as string[]
  const callback = await untilCallback(hub, new Browser(), String(started.headers['location']))
  const done = await raw(callback, { ...follows, cookie: cookie.split(';')[0] ?? '' })
  assert.equal(done.status, 200)
  assert.match(done.body, /GitHub is connected/)
})

test('what is no secret key limits a keyless hub, however it is sent', async t => {
  const hub = await startTestHub(t)
  const basic = (user: string, password = '') => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  const session = `nango_connect_session_${'a'.repeat(64)}`
  const cases: [authorization: string, status: number][] = [
    [basic(hub.publicKey), 403],
    [basic(hub.publicKey, 'x'), 403],
    [hub.publicKey, 403],
    [`bearer  ${hub.publicKey} `, 403],
    [basic(jwt), 401],
    [basic(jwt, 'x'), 401],
    [jwt, 401],
    [`BEARER ${jwt}`, 401],
    [basic(session), 401],
    [session, 401],
    [basic('whatever'), 200],
    ['whatever', 200],
  ]
  for (const [authorization, status] of cases)
    assert.equal((await raw(`${hub.origin}/connection`, { authorization })).status, status, authorization)
})

test('a secret key that looks like a JWT is a secret key, and a JWT beside it is none', async t => {
  const key = `${'a'.repeat(16)}.${'b'.repeat(16)}.${'c'.repeat(16)}`
  const hub = await startTestHub(t, { env: { MORTISE_SECRET_KEY: key } })
  const status = async (authorization: string) => (await raw(`${hub.origin}/connection`, { authorization })).status
  assert.equal(await status(`Bearer ${key}`), 200)
  assert.equal(await status(`Basic ${Buffer.from(`${key}:`).toString('base64')}`), 200)
  assert.equal(await status(`Bearer ${jwt}`), 401)
  assert.equal(await status(`Bearer ${hub.publicKey}`), 403)
  assert.equal(await status(key), 401)
})

test('with a key, too, the pages of a hub on this machine are kept from rebinding names; the API is behind its key', async t => {
  const hub = await startTestHub(t)
  const made = await addKey(hub.rooms.hub.context, hub.rooms.firstEnvironment, 'one', parseScopes([]))
  const authorization = `Bearer ${made.secret.reveal()}`
  const { port } = new URL(hub.origin)
  const pages = ['/', '/docs/core-concepts', '/oauth/callback?state=x', '/oauth/connect/github']
  for (const host of [`evil.example:${port}`, `localhost.evil.example:${port}`, `user@localhost:${port}`]) {
    for (const page of pages) {
      const answer = await raw(hub.origin + page, { host })
      assert.equal(answer.status, 403, `${host} ${page}`)
      assert.doesNotMatch(answer.body, /mortise_pk_/)
    }
    assert.equal((await raw(`${hub.origin}/connection`, { host, authorization })).status, 200, host)
    assert.equal((await raw(`${hub.origin}/connection`, { host })).status, 401, host)
  }
  assert.equal((await raw(`${hub.origin}/`, {})).status, 200)
})

test('a request that names a second host, or hides one before an @, is refused', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: 'a' })
  const { host } = new URL(hub.origin)
  for (const path of ['/connection', '/', '/docs/core-concepts', '/connection/a?provider_config_key=github']) {
    for (const origin of ['http://evil.example', hub.origin, `http://user@${host}`, 'HTTP://LOCALHOST'])
      assert.match(
        await say(hub, [`GET ${origin}${path} HTTP/1.1`, `Host: ${host}`]),
        /^HTTP\/1\.1 400 /,
        origin + path,
      )
    for (const name of [
      `user@${host}`,
      `evil.example@${host}`,
      `${host}/evil`,
      `${host}?evil`,
      `${host}@evil.example`,
      '',
    ])
      assert.match(await say(hub, [`GET ${path} HTTP/1.1`, `Host: ${name}`]), /^HTTP\/1\.1 403 /, name + path)
    assert.match(await say(hub, [`GET ${path} HTTP/1.1`, `Host: ${host}`]), /^HTTP\/1\.1 200 /)
  }
  assert.match(await say(hub, ['GET /connection HTTP/1.1']), /^HTTP\/1\.1 40[03] /)
  assert.match(await say(hub, ['OPTIONS * HTTP/1.1', `Host: ${host}`]), /^HTTP\/1\.1 400 /)
})
