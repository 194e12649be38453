/** A proxied call that is made once more: after a failure, with a renewed credential, where a redirect leads. */
import assert from 'node:assert/strict'
import { before, beforeEach, suite, test } from 'node:test'
import { call, errorIn, noting, type ProxyWorld, proxyWorld } from './proxy-world.ts'
import { wholeFile } from './whole-file.ts'

const file = wholeFile()
let world: ProxyWorld
let id: string
before(async () => {
  world = await proxyWorld(file)
})
beforeEach(async () => {
  id = await world.connect()
  world.seen.length = 0
})

suite('a call that is tried again', () => {
  const failing = (times: number, status = 503, headers = {}) => {
    let left = times
    return noting(world, (_, response) => {
      if (left-- > 0) return response.writeHead(status, headers).end('down')
      return response.end('up')
    })
  }

  test('is one that may be repeated, on a status of those; its body is sent again', async () => {
    for (const [method, times] of [
      ['PUT', 2],
      ['GET', 1],
      ['DELETE', 1],
    ] as const) {
      world.play(failing(times))
      world.seen.length = 0
      const { status, body } = await call(world, id, 'x', { method, ...(method === 'PUT' ? { body: 'mine' } : {}) })
      assert.deepEqual([status, String(body), world.seen.length], [200, 'up', times + 1], method)
      if (method === 'PUT')
        assert.deepEqual(
          world.seen.map(each => each.body),
          ['mine', 'mine', 'mine'],
        )
    }
  })

  test('is no POST, but where the caller says how often; nor one on another status', async () => {
    world.play(failing(2))
    assert.equal((await call(world, id, 'x', { method: 'POST' })).status, 503)
    assert.equal(world.seen.length, 1)
    world.play(failing(1))
    assert.equal((await call(world, id, 'x', { method: 'POST', body: 'b', headers: { retries: '2' } })).status, 200)
    assert.equal(world.seen.length, 3)
    world.play(failing(1, 500))
    assert.equal((await call(world, id, 'x')).status, 500)
    world.play(failing(1, 500))
    assert.equal((await call(world, id, 'x', { headers: { 'retry-on': '500,429' } })).status, 200)
    world.play(failing(1))
    assert.equal((await call(world, id, 'x', { headers: { retries: '0' } })).status, 503)
  })

  test('is what the published clients ask for', async () => {
    const { Nango } = await import('nango-node-latest')
    const { Nango: Nango2023 } = await import('nango-node-2023')
    const options = { host: world.hub.origin, secretKey: world.key }
    const asked = { providerConfigKey: 'local', connectionId: id, endpoint: '/x', data: { a: 1 }, retries: 2 }
    world.play(failing(1, 418))
    const today = await new Nango(options).post({ ...asked, retryOn: [418] })
    assert.deepEqual([today.status, today.data, world.seen.map(each => each.body)], [200, 'up', ['{"a":1}', '{"a":1}']])
    world.play(failing(1))
    assert.equal((await new Nango2023(options).post(asked)).data, 'up')
  })

  test('waits as the provider asks; what would take too long is answered at once', async () => {
    world.play(failing(1, 429, { 'retry-after': '1' }))
    const began = performance.now()
    assert.equal((await call(world, id, 'x')).status, 200)
    assert.ok(performance.now() - began > 950)
    world.play(failing(1, 429, { 'retry-after': '100' }))
    const { status, headers } = await call(world, id, 'x')
    assert.deepEqual([status, headers['retry-after']], [429, '100'])
  })

  test('is one whose connection broke off before an answer, where it may be repeated', async () => {
    let left = 1
    world.play(({ socket }, response) => (left-- > 0 ? socket.destroy() : response.end('up')))
    assert.equal(String((await call(world, id, 'x')).body), 'up')
  })

  test('names an option that is mistyped', async () => {
    for (const [name, value] of Object.entries({
      retries: 'many',
      'retry-on': '5xx',
      decompress: 'yes',
      'base-url-override': 'x',
    })) {
      const { status, body } = await call(world, id, 'x', { headers: { [name]: value } })
      assert.equal(status, 400, name)
      assert.match(errorIn(body).message, /must be/, name)
    }
  })
})

suite('a credential that the provider refuses', () => {
  /** Takes the token of the given generation and no other. */
  const taking = (token: string) =>
    noting(world, ({ headers, body }, response) => {
      if (headers.authorization === `Bearer ${token}`) return response.end(`ok ${body}`)
      return response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":"expired"}')
    })

  test('is renewed once, and the call made again with its body', async () => {
    world.play(taking('at 2'))
    world.expire()
    const { status, body } = await call(world, id, 'x', { method: 'POST', body: 'mine' })
    assert.deepEqual([status, String(body)], [200, 'ok mine'])
    assert.equal(world.refreshes(), 1)
    assert.equal((await call(world, id, 'x')).status, 200)
    assert.equal(world.refreshes(), 1)
  })

  test('is renewed once for a crowd', async () => {
    world.play(taking('at 2'))
    world.expire()
    const all = await Promise.all(Array.from({ length: 20 }, () => call(world, id, 'x')))
    assert.deepEqual(new Set(all.map(each => each.status)), new Set([200]))
    assert.equal(world.refreshes(), 1)
  })

  test('spends nothing where the provider takes it elsewhere: then it may not do this', async () => {
    world.play(taking('never'))
    // No longer so young that nobody takes it to have expired.
    world.clock.forward(120)
    for (let times = 0; times < 3; times++) {
      const { status, body, headers } = await call(world, id, 'x')
      assert.deepEqual([status, String(body), headers['mortise-answer-from']], [401, '{"error":"expired"}', 'provider'])
    }
    assert.equal(world.refreshes(), 0)
  })

  test('of a large body is renewed, and the answer says that the caller can try again', async () => {
    world.play(taking('at 2'))
    world.expire()
    const large = Buffer.alloc(65 * 1024 + 1, 'x')
    const { status, headers } = await call(world, id, 'x', { method: 'POST', body: large })
    assert.deepEqual([status, headers['mortise-retryable']], [401, 'true'])
    assert.equal(world.refreshes(), 1)
    const again = await call(world, id, 'x', { method: 'POST', body: large })
    assert.deepEqual([again.status, again.headers['mortise-retryable']], [200, undefined])
  })
})

suite('a redirect', () => {
  test('of a GET or HEAD is followed to the named host, and nowhere else', async () => {
    world.play(
      noting(world, ({ url }, response) =>
        url === '/api/start'
          ? response.writeHead(302, { location: '/api/end?x=1#y' }).end('moved')
          : url === '/api/away'
            ? response.writeHead(302, { location: 'http://localhost:1/x' }).end('moved')
            : response.end('end'),
      ),
    )
    assert.equal(String((await call(world, id, 'start')).body), 'end')
    assert.deepEqual(
      world.seen.map(({ url, headers }) => [url, headers.authorization]),
      [
        ['/api/start', 'Bearer at 1'],
        ['/api/end?x=1', 'Bearer at 1'],
      ],
    )
    const away = await call(world, id, 'away')
    assert.deepEqual([away.status, away.headers.location, String(away.body)], [302, 'http://localhost:1/x', 'moved'])
    const post = await call(world, id, 'start', { method: 'POST' })
    assert.deepEqual([post.status, post.headers.location], [302, `${world.origin}/api/end?x=1#y`])
  })

  test('in a circle ends', async () => {
    world.play(noting(world, (_, response) => response.writeHead(307, { location: '/api/x' }).end()))
    assert.equal((await call(world, id, 'x')).status, 307)
    assert.equal(world.seen.length, 6)
  })
})
