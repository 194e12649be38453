/** What a person does with one connection: tries it, and merges others into it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '../src/core/connection.ts'
import { openCredential } from '../src/core/sealed.ts'
import { addEnvironment } from '../src/core/setup.ts'
import { call, connected } from './alloy/hub.ts'
import { getJson, movableClock, startServing, startTestHub, type TestHub } from './harness.ts'
import { copyable, newKey, open, send, words } from './page.ts'
import { add, at, connection, integration } from './storage.fixtures.ts'

/** Takes the grant back at the provider. */
const takeBack = async (hub: TestHub, id: string) => {
  const { storage, firstEnvironment, hub: core } = hub.rooms
  const row = await storage.connectionById(firstEnvironment.id, id.slice(5))
  assert.ok(row)
  const sealer = await core.context.sealerOf(firstEnvironment.id)
  assert.ok(hub.sandbox.revoke(openCredential(sealer, row).accessToken.reveal()))
}

test('a connection that works is found to work, and when; the next person sees it too', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  const { id } = await connected(hub)
  const fresh = await open(hub, `/connections/${id}`)
  assert.doesNotMatch(words(fresh), /Last found to work/)
  assert.ok(fresh.text.includes(`<form method="post" action="/connections/${id}/test"><button>Test it</button></form>`))
  clock.forward(60)
  const asked = hub.sandbox.calls.length
  const tested = await send(hub, `/connections/${id}/test`)
  assert.equal(tested.status, 200)
  assert.ok(hub.sandbox.calls.length > asked, 'the provider was not asked')
  assert.match(tested.text, /<p class="done" role="status">Works: checked just now<\/p>/)
  assert.match(words(tested), /Last found to work 2026-11-21 10:01:00 UTC/)
  clock.forward(60)
  const later = await open(hub, `/connections/${id}`)
  assert.match(words(later), /Last found to work 2026-11-21 10:01:00 UTC/)
  assert.doesNotMatch(words(later), /just now/)
})

test('a connection that does not work: the page says what is wrong, and its status says so from then on', async t => {
  const hub = await startTestHub(t)
  const { id } = await connected(hub)
  await takeBack(hub, id)
  const tested = await send(hub, `/connections/${id}/test`)
  assert.equal(tested.status, 409)
  const problem = /<p class="problem" role="alert">([\s\S]*?)<\/p>/.exec(tested.text)?.[1] ?? ''
  assert.match(problem, /Notion|again/)
  assert.doesNotMatch(words(tested), /Works: checked/)
  assert.match(words(tested), /Status must be connected again/)
  assert.equal((await send(hub, '/connections/conn_6b00f577dd080455a75a2e64/test')).status, 404)
})

test('whoever may use a connection, but not see it, is told how it stands and no more', async t => {
  const hub = await startTestHub(t)
  const good = await connected(hub)
  const bad = await connected(hub, {}, { connector: 'github' })
  await takeBack(hub, bad.id)
  const { key } = await newKey(hub, { scopes: ['proxy'] })
  const works = await send(hub, `/connections/${good.id}/test`, {}, key)
  assert.equal(works.status, 200)
  assert.match(words(works), /Works: checked just now/)
  const fails = await send(hub, `/connections/${bad.id}/test`, {}, key)
  assert.equal(fails.status, 409)
  for (const page of [works, fails]) assert.doesNotMatch(page.text, /Ada Lovelace|Acme|CONNECTION_ID|<dl>/)
})

test('others of the same end user and integration are merged into one: the credential goes, the id stays', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  const { storage, firstEnvironment } = hub.rooms
  await call(hub, 'POST', '/users', { username: 'ada' })
  const kept = await connected(hub)
  assert.doesNotMatch(words(await open(hub, `/connections/${kept.id}`)), /Other connections of this end user/)
  clock.forward(60)
  const other = await connected(hub, { allowDuplicate: true, name: 'the second' })
  const ofAda = await connected(hub, { userId: 'ada' })
  const github = await connected(hub, {}, { connector: 'github' })

  const page = await open(hub, `/connections/${kept.id}`)
  const form = new RegExp(
    `<details class="confirm"><summary>Merge into this one…</summary>\\s*<p>([^<]*)</p>\\s*<form method="post" action="/connections/${kept.id}/merge"><input type="hidden" name="from" value="${other.id}">`,
    'g',
  )
  const [found, ...more] = [...page.text.matchAll(form)]
  assert.deepEqual(more, [])
  assert.match(found?.[1] ?? '', /credential is deleted.*id keeps answering, with this connection/)
  const section = words({ text: page.text.slice(page.text.indexOf('Other connections of this end user')) })
  assert.match(section, new RegExp(`${other.id}.* Acme, Ada Lovelace 2026-11-21 10:01:00 UTC`))
  assert.ok(page.text.includes(`<a href="/connections/${other.id}">`))
  for (const { id } of [ofAda, github]) assert.ok(!page.text.includes(id), 'one that cannot be merged is offered')

  for (const { id } of [ofAda, github]) {
    const refused = await send(hub, `/connections/${kept.id}/merge`, { from: id })
    assert.equal(refused.status, 400)
    assert.match(words(refused), /cannot be merged: only two connections of one end user through one integration can/)
  }
  assert.equal((await send(hub, `/connections/${kept.id}/merge`, { from: 'nothing' })).status, 404)
  assert.equal((await storage.connections(firstEnvironment.id, {})).length, 4)

  const merge = () => send(hub, `/connections/${kept.id}/merge`, { from: other.id })
  const merged = await merge()
  assert.deepEqual([merged.status, merged.location], [303, `/connections/${kept.id}`])
  // The browser's "send the form again?"
  assert.equal((await merge()).location, `/connections/${kept.id}`)
  const ids = (await storage.connections(firstEnvironment.id, {})).map(row => `conn_${row.id}`)
  assert.deepEqual(ids.sort(), [kept.id, ofAda.id, github.id].sort())
  const old = await open(hub, `/connections/${other.id}`)
  assert.equal(old.status, 200)
  assert.equal(copyable(old, 'Connection ID'), kept.id)
  assert.doesNotMatch(words(old), /Other connections of this end user/)
  const { body } = await getJson<{ id: string }>(`${hub.origin}/credentials/${other.id}`)
  assert.equal(body.id, kept.id)
})

test('a merge by a form of another environment finds neither of the two', async t => {
  const hub = await startTestHub(t)
  const [one, two] = [await connected(hub), await connected(hub, { allowDuplicate: true })]
  const environment = await addEnvironment(hub.rooms.hub.context, 'other')
  const { key } = await newKey(hub, { environment })
  assert.equal((await send(hub, `/connections/${one.id}/merge`, { from: two.id }, key)).status, 404)
  assert.equal((await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})).length, 2)
})

test('what was begun with the public key alone is never marked where others reach the hub, and says so', async t => {
  const hub = await startServing(t)
  const { storage, firstEnvironment } = hub.rooms
  await storage.addIntegration(integration(firstEnvironment.id, 'github'))
  const row = (id: string, number: number, over: Partial<Connection>) =>
    add(storage, connection(firstEnvironment.id, id.repeat(24), { number, connectionId: `of ${id}`, ...over }))
  await row('a', 1, { trust: 'proven', createdAt: at(1) })
  await row('b', 2, { trust: 'public', createdAt: at(2) })
  const list = await open(hub, '/connections', hub.secretKey)
  assert.match(words(list), /What was begun with the public key alone is never marked/)
  assert.match(words(list), /⭐ Latest conn_a{24}/)
  assert.doesNotMatch(words(list), /⭐ Latest conn_b{24}/)
  const anybodys = /begun with the public key alone: anybody may have begun it/i
  const proven = await open(hub, `/connections/${'a'.repeat(24)}`, hub.secretKey)
  assert.match(words(proven), /conn_b{24} begun with the public key alone: anybody may have begun it/)
  assert.doesNotMatch(words({ text: proven.text.slice(0, proven.text.indexOf('Other connections')) }), anybodys)
  const other = await open(hub, `/connections/${'b'.repeat(24)}`, hub.secretKey)
  assert.match(words(other), /Begun with the public key alone: anybody may have begun it/)
})
