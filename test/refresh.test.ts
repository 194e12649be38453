/** A refresh when things go wrong: the storage, the provider, and the end user who comes back in the middle of it. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { refreshTiming } from '../src/core/refresh-timing.ts'
import type { ConnectionShape } from '../src/http/nango/shapes.ts'
import { connect, getJson, movableClock, startTestHub, type TestHub } from './harness.ts'
import { breakable } from './pair.ts'

type OAuth2 = Extract<ConnectionShape['credentials'], { type: 'OAUTH2' }>

/** A hub with one connection, named `a`, and a clock. */
const connected = async (t: TestContext, provider: string) => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock, timing: { ...refreshTiming, patience: 1000 } })
  await connect(hub, provider, { connection_id: 'a' })
  const url = `${hub.origin}/connection/a?provider_config_key=${provider}`
  const status = async () => (await getJson(url)).status
  const read = async () => {
    const { status, body } = await getJson<ConnectionShape>(url)
    assert.equal(status, 200, JSON.stringify(body))
    return body.credentials as OAuth2
  }
  return { clock, hub, read, status, refreshes: () => asked(hub) }
}

const asked = (hub: TestHub) => hub.sandbox.calls.filter(call => call.kind === 'refresh').length

test('a rotated token outlives a storage that fails twice: it is written at the third try', async t => {
  const { clock, hub, read, refreshes } = await connected(t, 'github')
  const before = await read()
  let failures = 2
  breakable(t, hub.rooms.storage, () => failures-- > 0)
  clock.forward(28_800)
  const after = await read()
  assert.notEqual(after.refresh_token, before.refresh_token)
  assert.equal(failures, -1)
  // What was written is what the provider gave: the next refresh spends it.
  clock.forward(28_800)
  assert.notEqual((await read()).access_token, after.access_token)
  assert.equal(refreshes(), 2)
})

test('a rotated token that cannot be written is held, and never spent twice', async t => {
  const { clock, hub, read, status, refreshes } = await connected(t, 'github')
  const before = await read()
  let broken = true
  breakable(t, hub.rooms.storage, () => broken)
  clock.forward(28_800)
  assert.equal(await status(), 500)
  assert.equal(refreshes(), 1)
  const [row] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
  assert.deepEqual([row?.status, row?.credentialRevision], ['connected', 1])
  broken = false
  const after = await read()
  assert.notEqual(after.access_token, before.access_token)
  assert.equal(refreshes(), 1)
  clock.forward(28_800)
  await read()
  assert.deepEqual(
    hub.sandbox.calls.filter(call => call.kind === 'refresh').map(call => call.outcome),
    ['ok', 'ok'],
  )
})

test('a hub that stops writes what it holds, but never over what is newer', async t => {
  const { clock, hub, status, refreshes } = await connected(t, 'github')
  const rows = () => hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
  let broken = true
  breakable(t, hub.rooms.storage, () => broken)
  clock.forward(28_800)
  assert.equal(await status(), 500)
  broken = false
  await hub.rooms.hub.settle()
  const [written] = await rows()
  assert.equal(written?.credentialRevision, 2)
  assert.equal(await status(), 200)
  assert.equal(refreshes(), 1)
  // Once more; but now the end user comes back before the storage does.
  broken = true
  clock.forward(28_800)
  assert.equal(await status(), 500)
  await connect(hub, 'github', { connection_id: 'a' })
  const [newer] = await rows()
  broken = false
  await hub.rooms.hub.settle()
  assert.deepEqual(await rows(), [newer])
})

test('an answer without expires_in keeps the life that the token before had', async t => {
  const { clock, hub, read, refreshes } = await connected(t, 'google-drive')
  clock.forward(3590)
  const silent = { access_token: 'silent-token', token_type: 'Bearer' }
  hub.sandbox.set('google-drive', { fail: { status: 200, body: silent, times: 1 } })
  const after = await read()
  assert.equal(after.access_token, 'silent-token')
  assert.equal(after.expires_at, new Date(clock.now().getTime() + 3_600_000).toISOString())
  clock.forward(3000)
  assert.equal((await read()).access_token, 'silent-token')
  clock.forward(595)
  assert.notEqual((await read()).access_token, 'silent-token')
  assert.equal(refreshes(), 2)
})

test('an end user who comes back during a refresh that fails wins: the waiting reader gets the new credential', async t => {
  const { clock, hub, read } = await connected(t, 'hubspot')
  const before = await read()
  clock.forward(1801)
  hub.sandbox.set('hubspot', { delayMs: 700, fail: { status: 400, body: { error: 'invalid_grant' }, times: 1 } })
  const waiting = read()
  while (asked(hub) === 0) await new Promise(later => setTimeout(later, 5))
  hub.sandbox.reset('hubspot')
  await connect(hub, 'hubspot', { connection_id: 'a' })
  const current = await read()
  assert.notEqual(current.access_token, before.access_token)
  assert.equal((await waiting).access_token, current.access_token)
  const [row] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
  assert.equal(row?.status, 'connected')
})

test('who comes with a newer credential, ended meanwhile too, is not served by the refresh of the older one', async t => {
  const { clock, hub, read, refreshes } = await connected(t, 'hubspot')
  clock.forward(1801)
  hub.sandbox.set('hubspot', { delayMs: 700 })
  const waiting = read()
  while (refreshes() === 0) await new Promise(later => setTimeout(later, 5))
  hub.sandbox.reset('hubspot')
  await connect(hub, 'hubspot', { connection_id: 'a' })
  clock.forward(1801)
  const [ended] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
  assert.ok(ended?.expiresAt && ended.expiresAt < clock.now())
  const { expires_at } = await read()
  assert.ok(expires_at !== undefined && new Date(expires_at) > clock.now(), String(expires_at))
  await waiting
  const [row] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
  assert.deepEqual([row?.status, row?.credentialRevision, refreshes()], ['connected', 3, 2])
})

test('a provider that is down is left alone for a while, as long as the token lives', async t => {
  const { clock, hub, read, status, refreshes } = await connected(t, 'hubspot')
  const { access_token } = await read()
  clock.forward(1800 - 250)
  hub.sandbox.set('hubspot', { fail: { status: 503 } })
  const serves = async () => assert.equal((await read()).access_token, access_token)
  await Promise.all(Array.from({ length: 10 }, serves))
  assert.equal(refreshes(), 1)
  clock.forward(59)
  await serves()
  assert.equal(refreshes(), 1)
  clock.forward(1)
  await serves()
  assert.equal(refreshes(), 2)
  // Once it has expired there is nothing to serve, so the provider is asked at once.
  clock.forward(190)
  assert.equal(await status(), 424)
  assert.equal(refreshes(), 3)
})

test('Retry-After says how long it is left alone, in seconds or as a date', async t => {
  const { clock, hub, read, refreshes } = await connected(t, 'hubspot')
  clock.forward(1800 - 290)
  const wait = (header: string) =>
    hub.sandbox.set('hubspot', { fail: { status: 429, headers: { 'retry-after': header } } })
  wait('100')
  await read()
  clock.forward(99)
  await read()
  assert.equal(refreshes(), 1)
  clock.forward(1)
  wait(new Date(clock.now().getTime() + 60_000).toUTCString())
  await read()
  assert.equal(refreshes(), 2)
  clock.forward(59)
  await read()
  assert.equal(refreshes(), 2)
  clock.forward(1)
  hub.sandbox.reset('hubspot')
  await read()
  assert.equal(refreshes(), 3)
  const [row] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
  assert.equal(row?.credentialRevision, 2)
})
