/** Passthrough, against a provider of this machine: the request that it gets, and its answer as it is. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { ErrorShape } from '../../src/http/alloy/shapes.ts'
import { newKey } from '../page.ts'
import { type ProxyWorld, proxyWorld } from '../proxy-world.ts'
import { wholeFile } from '../whole-file.ts'
import { type Answer, call } from './hub.ts'

const file = wholeFile()
let world: ProxyWorld
let id: string
before(async () => {
  world = await proxyWorld(file)
  id = await world.connect()
  world.play((request, response) => {
    let body = ''
    request.on('data', piece => {
      body += piece
    })
    request.on('end', () => {
      world.seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body })
      const status = Number(request.headers['x-answer'] ?? 200)
      response.writeHead(status, { 'content-type': 'application/json', 'x-own': 'yes', 'set-cookie': 'a=b' })
      response.end('{"raw": [1, 2]}')
    })
  })
})

const pass = <T = unknown>(
  body: unknown,
  path = `/2024-03/passthrough?credentialId=${id}`,
  headers = {},
): Promise<Answer<T>> => call<T>(world.hub, 'POST', path, body, { authorization: `Bearer ${world.key}`, ...headers })
const last = () => world.seen.at(-1)

test('a call as the documents print it, and as each client has it: the same request, the answer as it is', async () => {
  const documented = { method: 'GET', path: '/draft_orders.json', body: null, query: null, extraHeaders: null }
  const { status, body, headers } = await pass(documented)
  assert.deepEqual([status, body], [200, { raw: [1, 2] }])
  assert.deepEqual([headers.get('x-own'), headers.get('mortise-answer-from')], ['yes', 'provider'])
  assert.deepEqual([headers.get('set-cookie'), headers.get('content-security-policy')], [null, 'sandbox'])
  assert.deepEqual([last()?.method, last()?.url, last()?.body], ['GET', '/api/draft_orders.json', ''])
  assert.equal(last()?.headers.authorization, 'Bearer at 1')
  const forward = { method: 'get', endpoint: 'draft_orders.json', body: {} }
  for (const path of [`/one/forward?connectionId=${id}`, `/2023-12/one/forward?credentialId=${id}`, '/passthrough']) {
    const named = path === '/passthrough' ? { 'x-credential-id': id } : {}
    assert.deepEqual((await pass(forward, path, named)).body, { raw: [1, 2] }, path)
    assert.deepEqual([last()?.method, last()?.url, last()?.body], ['GET', '/api/draft_orders.json', ''], path)
  }
})

test('query, body and headers: as objects and as the JSON of them', async () => {
  const query = { since: '2026-01-01T00:00:00+01:00', tag: ['a b', 'ü'], limit: 5, none: null }
  const body = { customer: { name: 'Ada ☃' } }
  const extraHeaders = { 'X-Trace': 'one', 'X-Number': 2 }
  const plain = { method: 'POST', path: '/orders?fields=id', query, body, extraHeaders }
  const text = {
    ...plain,
    query: JSON.stringify(query),
    body: JSON.stringify(body),
    extraHeaders: JSON.stringify(extraHeaders),
  }
  for (const each of [plain, text]) {
    assert.equal((await pass(each)).status, 200)
    assert.equal(
      last()?.url,
      '/api/orders?fields=id&since=2026-01-01T00%3A00%3A00%2B01%3A00&tag=a+b&tag=%C3%BC&limit=5',
    )
    assert.deepEqual(JSON.parse(last()?.body ?? ''), body)
    const { 'content-type': type, 'x-trace': trace, 'x-number': number, 'x-version': version } = last()?.headers ?? {}
    assert.deepEqual([type, trace, number, version], ['application/json', 'one', '2', '7'])
  }
  const xml = { method: 'UPDATE', path: '/orders/1', body: '<order/>', extraHeaders: { 'Content-Type': 'text/xml' } }
  assert.equal((await pass(xml)).status, 200)
  assert.deepEqual([last()?.method, last()?.body, last()?.headers['content-type']], ['PUT', '<order/>', 'text/xml'])
  assert.equal((await pass({ method: 'GET', path: '/orders:search' })).status, 200)
  assert.equal(last()?.url, '/api/orders:search')
  // The hub's own credential stands, whatever the caller puts there; its key goes nowhere.
  await pass({ method: 'DELETE', path: '/orders/1', extraHeaders: { Authorization: 'Bearer mine', Cookie: 'c=1' } })
  assert.deepEqual([last()?.headers.authorization, last()?.headers.cookie], ['Bearer at 1', undefined])
})

test("the provider's errors are its own, in status and body", async () => {
  for (const status of [400, 404, 422]) {
    const answered = await pass({ method: 'POST', path: '/orders', body: {}, extraHeaders: { 'x-answer': status } })
    assert.deepEqual([answered.status, answered.body], [status, { raw: [1, 2] }])
    assert.equal(answered.headers.get('mortise-answer-from'), 'provider')
  }
})

test('what describes no call is refused before anything is sent, with the field at fault', async () => {
  const sent = world.seen.length
  const good = { method: 'GET', path: '/orders' }
  const wrongs: [body: unknown, field: string][] = [
    [{ path: '/orders' }, 'method'],
    [{ ...good, method: 'TRACE' }, 'method'],
    [{ ...good, method: 'CONNECT' }, 'method'],
    [{ method: 'GET' }, 'path'],
    [{ ...good, path: 'https://evil.example/orders' }, 'path'],
    [{ ...good, path: '//evil.example/orders' }, 'path'],
    [{ ...good, path: '/../admin' }, 'path'],
    [{ ...good, path: '/%2e%2e/admin' }, 'path'],
    [{ ...good, path: '/a b' }, 'path'],
    [{ ...good, query: '[1]' }, 'query'],
    [{ ...good, query: { a: { b: 1 } } }, 'query.a'],
    [{ ...good, extraHeaders: 'X: y' }, 'extraHeaders'],
    [{ ...good, extraHeaders: { 'X-A': 'a\r\nX-B: b' } }, 'extraHeaders.X-A'],
    [{ ...good, extraHeaders: { 'X A': 'a' } }, 'extraHeaders.X A'],
    [{ ...good, method: 'POST', body: '<order/>' }, 'body'],
  ]
  for (const [body, field] of wrongs) {
    const { status, body: said, headers } = await pass<ErrorShape>(body)
    assert.deepEqual([status, said.error.details[0]?.properties], [400, field], JSON.stringify(body))
    assert.equal(headers.get('mortise-answer-from'), 'hub')
  }
  assert.equal((await pass<ErrorShape>(good, '/passthrough')).body.error.details[0]?.properties, 'credentialId')
  const other = await pass<ErrorShape>(good, `/passthrough?credentialId=${'0'.repeat(24)}`)
  assert.deepEqual([other.status, other.body.code], [404, 'NOT_FOUND'])
  const { key } = await newKey(world.hub, { scopes: ['connections:read'] })
  assert.equal((await pass(good, undefined, { authorization: `Bearer ${key}` })).status, 403)
  await call(world.hub, 'POST', '/users', { username: 'other' }, { authorization: `Bearer ${world.key}` })
  const theirs = await pass<ErrorShape>(good, undefined, { 'x-alloy-userid': 'other' })
  assert.match(theirs.body.message, /belongs to another user/)
  assert.equal(world.seen.length, sent)
})

test('a token that has expired is renewed on the way, once, and the call made again', async () => {
  const name = await world.connect()
  world.expire()
  const before = world.seen.length
  world.play((request, response) => {
    request.resume()
    world.seen.push({ method: '', url: '', headers: request.headers, body: '' })
    response.writeHead(request.headers.authorization === 'Bearer at 1' ? 401 : 200, {
      'content-type': 'application/json',
    })
    response.end('{"ok":true}')
  })
  const { status, body } = await pass({ method: 'GET', path: '/orders' }, `/passthrough?credentialId=${name}`)
  assert.deepEqual([status, body, world.refreshes(), world.seen.length - before], [200, { ok: true }, 1, 2])
})

test('what answers a HEAD is without the length of a body that does not come', { timeout: 10_000 }, async () => {
  world.play((request, response) => {
    world.seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: '' })
    response.writeHead(200, { 'content-length': '7', 'x-own': 'yes' }).end()
  })
  const answer = await fetch(`${world.hub.origin}/passthrough?credentialId=${id}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ method: 'HEAD', path: '/orders' }),
  })
  assert.deepEqual([last()?.method, answer.status, answer.headers.get('x-own')], ['HEAD', 200, 'yes'])
  assert.equal(await answer.text(), '')
})
