/** Further names of a hub (MORTISE_ALSO_KNOWN_AS), and the pages that the vendor's browser client shows under them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addEnvironment } from '../../src/core/setup.ts'
import { ownUser } from '../../src/core/users.ts'
import { issueJwt } from '../../src/http/jwt.ts'
import { raw, startServing, startTestHub, type TestHub } from '../harness.ts'
import { newKey } from '../page.ts'

const further = 'https://app.vendor.example'
const host = 'app.vendor.example'
const key = 'a-secret-key-of-the-test-32-characters'
const authorization = `Bearer ${key}`
const jwtOf = async (hub: TestHub, purpose: 'page' | 'link' = 'page'): Promise<string> => {
  const { firstEnvironment, hub: verbs } = hub.rooms
  return (await issueJwt(verbs.context, firstEnvironment, ownUser(firstEnvironment), purpose)).token
}

test('a hub with further names is none without a key', async t => {
  const env = { MORTISE_ALSO_KNOWN_AS: further }
  await assert.rejects(startTestHub(t, { env }), {
    message: `MORTISE_ALSO_KNOWN_AS names ${further}, and no key is configured: anyone could read every token. Make one first: npx mortise key create (or leave MORTISE_ALSO_KNOWN_AS unset)`,
  })
})

test('under a further name: the API by key, pages for frames; other pages go to the public URL, other hosts nowhere', async t => {
  const hub = await startTestHub(t, { env: { MORTISE_ALSO_KNOWN_AS: further, MORTISE_SECRET_KEY: key } })
  const under = (path: string, name: string, headers = {}) => raw(hub.origin + path, { host: name, ...headers })
  assert.equal((await under('/users', host, { authorization })).status, 200)
  assert.equal((await under('/users', host)).status, 401)
  for (const path of ['/', '/oauth/connect/github', '/connect/', '/embedded-install', '/docs']) {
    const sent = await under(path, host)
    assert.deepEqual([sent.status, sent.headers['location']], [307, hub.origin + path], path)
  }
  const frame = { 'sec-fetch-dest': 'iframe', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' }
  const page = `/authenticate-app?app=notion&token=${await jwtOf(hub)}`
  assert.equal((await under(page, host, frame)).status, 200)
  for (const name of ['evil.example', `${host}.evil.example`, `evil.${host}`, `${host}:8443`])
    for (const path of [page, '/']) assert.equal((await under(path, name, frame)).status, 403, `${name} ${path}`)
  // Pages under that name are the hub's own; those of any other are not.
  const opens = (origin: string) =>
    raw(`${hub.origin}/connect/choices`, { origin, authorization: 'Bearer nango_connect_session_x' })
  assert.equal((await opens(further)).status, 401)
  const start = (origin: string) =>
    fetch(`${hub.origin}/workflows`, { headers: { origin, 'x-alloy-user-token': page.split('token=')[1] ?? '' } })
  assert.equal((await start(further)).status, 200)
  assert.equal((await start('https://evil.example')).status, 403)
})

test('a page for frames is no link to send somebody, and neither JWT does the work of the other', async t => {
  const hub = await startTestHub(t)
  const [page, link] = [await jwtOf(hub), await jwtOf(hub, 'link')]
  const open = async (path: string, dest: string) =>
    (await raw(hub.origin + path, { 'sec-fetch-dest': dest, 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none' }))
      .status
  for (const path of ['/authenticate-app', '/forge-install']) {
    assert.equal(await open(`${path}?integrationId=notion&token=${page}`, 'iframe'), 200)
    assert.equal(await open(`${path}?integrationId=notion&token=${page}`, 'document'), 403)
    assert.equal(await open(`${path}?integrationId=notion&token=${link}`, 'iframe'), 401)
  }
  assert.equal(await open(`/embedded-install?integrationId=notion&token=${link}`, 'document'), 200)
  assert.equal(await open(`/embedded-install?integrationId=notion&token=${page}`, 'document'), 401)
  const called = (token: string) => fetch(`${hub.origin}/workflows`, { headers: { 'x-alloy-user-token': token } })
  assert.deepEqual([(await called(page)).status, (await called(link)).status], [200, 401])
})

test('the JWT of a user opens no route but its own: on a keyless hub it makes no other page welcome', async t => {
  const hub = await startTestHub(t)
  const jwt = await jwtOf(hub)
  const from = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site', 'x-alloy-user-token': jwt }
  for (const path of ['/users', '/connection', '/integrations/github?include=credentials', '/api/v1/connections', '/'])
    assert.equal((await raw(hub.origin + path, from)).status, 403, path)
  const own = await raw(`${hub.origin}/integrations`, { 'x-alloy-user-token': jwt })
  assert.equal(own.status, 200)
  assert.equal((await raw(`${hub.origin}/users`, { 'x-alloy-user-token': jwt })).status, 401)
  // What it lists is of its own user alone, whoever is named.
  await newKey(hub)
  const other = await raw(`${hub.origin}/workflows?userId=nobody`, { 'x-alloy-user-token': jwt })
  assert.deepEqual(JSON.parse(other.body), { data: [] })
})

test('in production only origins that the environment of the JWT lists may have its page in a frame', async t => {
  const hub = await startServing(t)
  const { firstEnvironment, storage, hub: verbs } = hub.rooms
  const other = await addEnvironment(verbs.context, 'other')
  await storage.allow(firstEnvironment.id, 'origin', 'https://listed.example')
  await storage.allow(other.id, 'origin', 'https://other.example')
  const { token } = await issueJwt(verbs.context, firstEnvironment, ownUser(firstEnvironment))
  const callback = `callback=function${'%20'.repeat(15_000)}`
  const page = await fetch(`${hub.origin}/authenticate-app?token=${token}&${callback}`)
  assert.equal(page.status, 200)
  const policy = page.headers.get('content-security-policy') ?? ''
  assert.equal(/frame-ancestors ([^;]*)/.exec(policy)?.[1], "'self' https://listed.example")
  assert.deepEqual([page.headers.get('x-frame-options'), page.headers.get('referrer-policy')], [null, 'no-referrer'])
  const text = await page.text()
  assert.match(text, /data-origins="http:\/\/localhost:\d+ https:\/\/listed\.example"/)
  // Neither the JWT nor what else stood in the address is in the page.
  assert.ok(!text.includes(token) && !text.includes('function'))
})
