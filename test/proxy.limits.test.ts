/** Limits of an integration: set by our own API, obeyed by the proxy. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { before, beforeEach, test } from 'node:test'
import { api, bearer, refused } from './api/hub.ts'
import { call, errorIn, noting, open, type ProxyWorld, proxyWorld } from './proxy-world.ts'
import { wholeFile } from './whole-file.ts'

const file = wholeFile()
let world: ProxyWorld
let id: string
before(async () => {
  world = await proxyWorld(file)
  id = await world.connect()
})
beforeEach(async () => {
  world.seen.length = 0
  await set(null)
})

const path = '/integrations/local'
const set = async (limits: unknown) =>
  (await api<{ limits: object }>(world.hub, 'PATCH', path, { limits }, bearer(world.key))).body.limits

const usual = { firstByteSeconds: null, idleSeconds: null, requestBytes: null, answerBytes: null }

test('those that are named change, and null is the usual one; what is no limit is refused', async () => {
  assert.deepEqual(await set({ idleSeconds: 5, answerBytes: 10 }), { ...usual, idleSeconds: 5, answerBytes: 10 })
  assert.deepEqual(await set({ answerBytes: null, requestBytes: 7 }), { ...usual, idleSeconds: 5, requestBytes: 7 })
  const wrong = async (limits: unknown) => {
    const { status, parameter, message } = await refused(world.hub, 'PATCH', path, { limits }, bearer(world.key))
    assert.equal(status, 400)
    return [parameter, message]
  }
  assert.equal((await wrong({ idleSeconds: 0 }))[0], 'limits.idleSeconds')
  assert.equal((await wrong({ firstByteSeconds: 3601 }))[0], 'limits.firstByteSeconds')
  assert.equal((await wrong({ answerBytes: 1.5 }))[0], 'limits.answerBytes')
  assert.match(String((await wrong({ answerByte: 1 }))[1]), /did you mean answerBytes/)
  assert.deepEqual(await set({}), { ...usual, idleSeconds: 5, requestBytes: 7 })
  assert.deepEqual(await set(null), usual)
  const made = { key: 'limited', provider: 'local', clientId: 'c', clientSecret: 's', limits: { requestBytes: 1 } }
  const { body } = await api(world.hub, 'POST', '/integrations', made, bearer(world.key))
  assert.deepEqual(body['limits'], { ...usual, requestBytes: 1 })
})

test('a body that is too long is refused before anything is sent, and breaks off where its length is not known', async () => {
  await set({ requestBytes: 70_000 })
  world.play(noting(world, (_, response) => response.end()))
  const post = { method: 'POST' }
  const [right, wrong] = [70_000, 70_001].map(length => Buffer.alloc(length, 'x'))
  assert.equal((await call(world, id, 'x', { ...post, body: right ?? '' })).status, 200)
  const refusal = await call(world, id, 'x', { ...post, body: wrong ?? '' })
  assert.deepEqual([refusal.status, refusal.headers['mortise-answer-from']], [400, 'hub'])
  assert.match(errorIn(refusal.body).message, /more than 70000 bytes.*operator to raise requestBytes/)
  const chunked = { ...post, headers: { 'transfer-encoding': 'chunked' } }
  const streamed = async (body: Buffer | undefined) => {
    const out = open(world, id, 'x', chunked)
    out.on('error', () => {})
    out.end(body)
    const [answer] = await once(out, 'response')
    answer.resume()
    return answer.statusCode
  }
  assert.equal(await streamed(wrong), 400)
  assert.equal(await streamed(right), 200)
  assert.deepEqual(
    world.seen.map(each => each.body.length),
    [70_000, 70_000],
  )
})

test('a small body is refused too', async () => {
  await set({ requestBytes: 3 })
  world.play(noting(world, (_, response) => response.end()))
  assert.equal((await call(world, id, 'x', { method: 'POST', body: 'four' })).status, 400)
  assert.equal((await call(world, id, 'x', { method: 'POST', body: 'ön' })).status, 200)
  assert.equal(world.seen.length, 1)
})

test('an answer that is too long is not handed on, or breaks off where it did not say so', async () => {
  await set({ answerBytes: 1000 })
  const long = 'x'.repeat(1001)
  world.play(({ url, method }, response) => {
    if (url?.endsWith('fits')) return response.end(long.slice(1))
    if (method === 'HEAD' || url?.endsWith('told')) return response.writeHead(200, { 'content-length': 1001 }).end(long)
    response.write('x')
    return response.end(long)
  })
  assert.equal((await call(world, id, 'fits')).body.length, 1000)
  assert.equal((await call(world, id, 'told', { method: 'HEAD' })).headers['content-length'], '1001')
  const told = await call(world, id, 'told')
  assert.deepEqual([told.status, errorIn(told.body).code], [502, 'provider_invalid_response'])
  await assert.rejects(call(world, id, 'silent'), /aborted|ECONNRESET|hang up/)
  await set(null)
  assert.equal((await call(world, id, 'told')).body.length, 1001)
})

test('a provider is waited for as long as is set', async () => {
  await set({ firstByteSeconds: 1, idleSeconds: 1 })
  world.play(({ url }, response) => void (url?.endsWith('begun') && response.write('x')))
  const began = performance.now()
  const [silent] = await Promise.all([
    call(world, id, 'silent'),
    assert.rejects(call(world, id, 'begun'), /aborted|ECONNRESET|hang up/),
  ])
  assert.deepEqual([silent.status, silent.headers['mortise-answer-from']], [504, 'hub'])
  assert.ok(performance.now() - began < 10_000)
})
