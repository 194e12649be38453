/** What the server SDK does when the way to the hub is bad: a real hub behind a server that fails as it is told. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Mortise, type MortiseError, type MortiseOptions } from '../../packages/node/src/index.ts'
import { freePorts } from '../harness.ts'
import { cut, type Fault, hang, say, startFront, tell } from './front.ts'
import { startSdkHub, thrownBy as thrown } from './hub.ts'

const hub = await startSdkHub()

const { url, faults, seen, times, pass, lose } = await startFront(hub.origin)

const sdk = (options: MortiseOptions = {}) => new Mortise({ url, key: hub.key, ...options })

const thrownBy = async (call: () => Promise<unknown>): Promise<MortiseError> => {
  const error = await thrown(call)
  assert.ok(!inspect(error, { depth: null, showHidden: true }).includes(hub.key))
  return error
}

const imported = (connectionId: string) => ({
  integration: 'notion',
  connectionId,
  credential: { kind: 'oauth2', accessToken: 'given' } as const,
})

test('a read is tried again after a cut, a bad gateway, and what the hub says may pass', async () => {
  faults.push(cut, say(502))
  assert.equal((await sdk().environment.get()).name, 'dev')
  assert.equal(seen.length, 3)
  faults.push(tell(503, 'provider_unavailable'), tell(500, 'internal'))
  await sdk().environment.get()
  assert.equal(seen.length, 6)
})

test('no more often than it is told, and then with the last error', async () => {
  faults.push(say(502), say(503), say(504), say(502))
  const error = await thrownBy(() => sdk().environment.get())
  assert.deepEqual([error.code, error.status, error.retryable, seen.length], ['hub_invalid_answer', 504, true, 3])
  assert.match(error.message, /no Mortise hub, or something in front of it \(status 504\)/)
  assert.equal((await thrownBy(() => sdk({ retries: 0 }).environment.get())).status, 502)
  assert.equal(seen.length, 4)
  faults.push(cut)
  assert.equal((await thrownBy(() => sdk().connections.get('x', { retries: 0 }))).code, 'hub_unreachable')
})

test('what somebody must act upon first is not tried again', async () => {
  for (const [status, code] of [
    [409, 'reauthorization_required'],
    [502, 'provider_rejected'],
    [502, 'integration_misconfigured'],
    [401, 'unauthenticated'],
    [404, 'not_found'],
    [400, 'authorization_denied'],
  ] as const) {
    seen.length = 0
    faults.push(tell(status, code))
    const error = await thrownBy(() => sdk().environment.get())
    assert.deepEqual([error.code, error.retryable, error.requestId, seen.length], [code, false, 'r-1', 1])
  }
})

test('a POST is tried again only where nothing can have been done', async () => {
  faults.push(tell(429, 'rate_limited'), say(429))
  await sdk().connections.add(imported('post-1'))
  assert.equal(seen.length, 3)
  for (const fault of [cut, lose, say(502), tell(500, 'internal'), tell(503, 'provider_unavailable')]) {
    seen.length = 0
    faults.push(fault)
    await thrownBy(() => sdk().connections.add(imported('post-2')))
    assert.equal(seen.length, 1)
  }
  faults.push(cut)
  const error = await thrownBy(() => sdk().connections.add(imported('post-2')))
  assert.match(error.message, /may have been done: look before you ask again/)
  // A test makes nothing.
  seen.length = 0
  faults.push(cut)
  await sdk()
    .connections.test('post-1')
    .catch(() => {})
  assert.equal(seen.length, 2)
})

test('where nobody listens everything is tried again, a POST too', async t => {
  const port = await freePorts()
  const late = createServer((incoming, answer) => void pass(incoming, answer))
  t.after(() => {
    late.close()
    late.closeAllConnections()
  })
  const error = await thrownBy(() => sdk({ url: `http://127.0.0.1:${port}`, retries: 0 }).environment.get())
  assert.deepEqual([error.code, error.status, error.retryable], ['hub_unreachable', undefined, true])
  assert.match(error.message, /No hub answered GET \/api\/v1\/environment at http:.*ECONNREFUSED/)
  assert.doesNotMatch(error.message, /may have been done/)
  const adding = sdk({ url: `http://127.0.0.1:${port}`, retries: 50 }).connections.add(imported('late'))
  late.listen(port, '127.0.0.1')
  assert.equal((await adding).connectionId, 'late')
})

test('a deletion whose answer was lost has been done', async () => {
  const { id } = await sdk().connections.add(imported('gone'))
  seen.length = 0
  faults.push(lose)
  assert.equal(await sdk().connections.delete(id), undefined)
  assert.equal(seen.length, 2)
  // One that was not there to begin with is an error.
  assert.equal((await thrownBy(() => sdk().connections.delete(id))).code, 'not_found')
  // Not so where nothing can have been done before.
  faults.push(tell(429, 'rate_limited'))
  assert.equal((await thrownBy(() => sdk().connections.delete(id))).code, 'not_found')
})

test('a key is revoked once', async () => {
  const { id } = await sdk().keys.add({ name: 'short-lived' })
  faults.push(lose)
  assert.equal((await thrownBy(() => sdk().keys.revoke(id))).code, 'hub_unreachable')
  assert.equal((await thrownBy(() => sdk().keys.revoke(id))).code, 'not_found')
})

test('Retry-After is waited for, in seconds or as a date; one that is too far is thrown at once', async () => {
  faults.push(tell(429, 'rate_limited', { 'retry-after': '1' }))
  await sdk().environment.get()
  const [first = 0, second = 0] = times
  assert.ok(second - first >= 995, `${second - first} ms`)
  const began = performance.now()
  faults.push(tell(503, 'provider_unavailable', { 'retry-after': '4' }))
  const error = await thrownBy(() => sdk({ totalTimeoutMs: 3000 }).environment.get())
  assert.deepEqual([error.code, error.retryAfter], ['provider_unavailable', 4])
  faults.push(tell(503, 'provider_unavailable', { 'retry-after': new Date(Date.now() + 90_000).toUTCString() }))
  const { retryAfter = 0 } = await thrownBy(() => sdk().environment.get())
  assert.ok(retryAfter > 80 && retryAfter <= 90, String(retryAfter))
  assert.ok(performance.now() - began < 900)
})

test('a try that hangs is given up, and tried again where it may be; all tries have one end', async () => {
  faults.push(hang)
  assert.equal((await sdk({ timeoutMs: 150 }).environment.get()).name, 'dev')
  assert.equal(seen.length, 2)
  faults.push(hang)
  const once = await thrownBy(() => sdk().connections.add(imported('hung'), { timeoutMs: 100 }))
  assert.equal(once.code, 'timeout')
  assert.match(once.message, /within 0\.1 s.*may have been done/)
  seen.length = 0
  faults.push(...Array.from({ length: 99 }, () => hang))
  const began = performance.now()
  const error = await thrownBy(() => sdk({ timeoutMs: 60, totalTimeoutMs: 300, retries: 99 }).environment.get())
  assert.equal(error.code, 'timeout')
  const took = performance.now() - began
  assert.ok(took < 1500, `${took} ms`)
})

test('a body that stops on its way counts as a hang', async () => {
  faults.push((_incoming, answer) => {
    answer.writeHead(200, { 'content-type': 'application/json' })
    answer.write('{"name":')
  })
  assert.equal((await sdk({ timeoutMs: 150 }).environment.get()).name, 'dev')
})

test('an abort ends the call with its own reason: before, on the way, and between two tries', async () => {
  const reason = new Error('the user left')
  await assert.rejects(sdk().environment.get({ signal: AbortSignal.abort(reason) }), each => each === reason)
  assert.equal(seen.length, 0)
  const leaving = new AbortController()
  faults.push(() => leaving.abort(reason))
  await assert.rejects(sdk().environment.get({ signal: leaving.signal }), each => each === reason)
  assert.equal(seen.length, 1)
  const between = new AbortController()
  faults.push((incoming, answer) => {
    tell(429, 'rate_limited', { 'retry-after': '30' })(incoming, answer)
    setTimeout(() => between.abort(), 50)
  })
  await assert.rejects(sdk().environment.get({ signal: between.signal }), { name: 'AbortError' })
  assert.equal(seen.length, 2)
  await assert.rejects(
    sdk()
      .connections.list({}, { signal: AbortSignal.abort(reason) })
      .all(),
    each => each === reason,
  )
})

test('the key is not carried along a redirect, and what is no hub is said', async () => {
  faults.push(say(308, { location: 'https://elsewhere.example.com/api/v1/environment?a=b' }))
  const moved = await thrownBy(() => sdk().environment.get())
  assert.deepEqual([moved.code, moved.whoMustAct, seen.length], ['hub_invalid_answer', 'operator', 1])
  assert.match(moved.message, /sends on to https:\/\/elsewhere\.example\.com\. Give the hub's own URL/)
  for (const body of ['<h1>Hello</h1>', '{"name":'])
    for (const status of [200, 404]) {
      faults.push(say(status, {}, body))
      const error = await thrownBy(() => sdk().environment.get())
      assert.deepEqual([error.code, error.status, error.retryable], ['hub_invalid_answer', status, false])
    }
})

test('a code of a newer hub comes through', async () => {
  faults.push(tell(418, 'teapot'))
  const error = await thrownBy(() => sdk().environment.get())
  assert.deepEqual([error.code as string, error.status, error.retryable], ['teapot', 418, false])
})

test('a list that would never end is ended', async () => {
  const page = JSON.stringify({ data: [], next: 'again' })
  faults.push(...Array.from({ length: 5 }, () => say(200, { 'content-type': 'application/json' }, page)))
  const error = await thrownBy(() => sdk().connections.list().all())
  assert.match(error.message, /same cursor twice/)
  assert.deepEqual(seen, ['GET /api/v1/connections', 'GET /api/v1/connections?cursor=again'])
})

test('it says who it is, and keeps its connection open', async () => {
  const sockets = new Set<unknown>()
  const names = new Set<string | undefined>()
  const note: Fault = (incoming, answer) => {
    sockets.add(incoming.socket)
    names.add(incoming.headers['user-agent'])
    return pass(incoming, answer)
  }
  faults.push(...Array.from({ length: 10 }, () => note))
  const mortise = sdk()
  for (let index = 0; index < 10; index++) await mortise.environment.get()
  // Of the tests before, more than one may be open.
  assert.ok(sockets.size < 5, `${sockets.size} connections`)
  assert.match([...names].join(), /^mortise-node\/\d+\.\d+\.\d+$/)
})
