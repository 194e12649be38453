/** The proxy between a caller and a provider, both on this machine: what travels, what does not, and how it ends. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { before, beforeEach, suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { later } from './harness.ts'
import { call, errorIn, noting, open, type ProxyWorld, proxyWorld } from './proxy-world.ts'
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

/** Milliseconds until it is so; fails after a second and a half. */
const soon = async (is: () => boolean): Promise<number> => {
  const began = performance.now()
  while (!is()) {
    assert.ok(performance.now() - began < 1500, 'it never came')
    await later(5)
  }
  return performance.now() - began
}

/** Waits until a count has moved, and then stands still for three looks; or until it is past all doubt. */
const still = async (count: () => number): Promise<void> => {
  for (let [looks, last] = [0, 0]; looks < 3 && last < 60_000_000; last = count()) {
    await later(100)
    looks = count() === last && last > 0 ? looks + 1 : 0
  }
}

suite('what is sent', () => {
  test('is the method, path, query and body as they are, with the credential and without what is the caller’s own', async () => {
    world.play(noting(world, (_, response) => response.end()))
    const { status } = await call(world, id, 'v1/a%2Fb/%C3%BC;x=1/{y}?q=a%20b&q=%2B&e=', {
      method: 'POST',
      body: '{"ä":1}',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        accept: 'application/x',
        cookie: 'session=hub',
        connection: 'x-hop, keep-alive',
        'x-hop': '1',
        te: 'trailers',
        forwarded: 'for=1.2.3.4',
        'x-forwarded-for': '1.2.3.4',
        'x-forwarded-host': 'h',
        'x-real-ip': '1.2.3.4',
        'proxy-authorization': 'Basic eA==',
        'nango-activity-log-id': 'x',
        'x-custom': 'travels',
        'x-two': ['a', 'b'],
        'nango-proxy-x-mine': 'chosen',
        'nango-proxy-host': 'evil.example',
        'nango-proxy-authorization': 'Bearer other',
        'user-agent': 'app/1',
      },
    })
    assert.equal(status, 200)
    const [only, ...more] = world.seen
    assert.ok(only)
    assert.equal(more.length, 0)
    assert.deepEqual(
      [only.method, only.url, only.body],
      ['POST', '/api/v1/a%2Fb/%C3%BC;x=1/{y}?q=a%20b&q=%2B&e=', '{"ä":1}'],
    )
    const { connection, ...headers } = only.headers
    assert.notEqual(connection, 'x-hop, keep-alive')
    assert.deepEqual(headers, {
      host: world.origin.slice('http://'.length),
      'content-type': 'application/json; charset=utf-8',
      'content-length': '8',
      accept: 'application/x',
      'x-custom': 'travels',
      'x-two': 'a, b',
      'x-mine': 'chosen',
      'x-version': '7',
      'user-agent': 'app/1',
      authorization: 'Bearer at 1',
    })
  })

  test('may name another version than the definition, and has a User-Agent in any case', async () => {
    world.play(noting(world, (_, response) => response.end()))
    await call(world, id, 'x', { headers: { 'x-version': '8' } })
    assert.deepEqual([world.seen[0]?.headers['x-version'], world.seen[0]?.headers['user-agent']], ['8', 'Mortise'])
  })

  for (const method of ['PROPFIND', 'REPORT', 'OPTIONS', 'DELETE', 'PATCH', 'PUT', 'QUERY', 'SEARCH'])
    test(`may be a ${method}, with a body`, async () => {
      world.play(noting(world, (_, response) => response.writeHead(207).end('<ok/>')))
      const headers = { 'content-type': 'text/xml' }
      const { status, body } = await call(world, id, '/dav', { method, body: '<x/>', headers })
      assert.deepEqual([status, String(body)], [207, '<ok/>'])
      assert.deepEqual([world.seen[0]?.method, world.seen[0]?.url, world.seen[0]?.body], [method, '/api/dav', '<x/>'])
    })

  test('may be a GET with a body, and a POST without one', async () => {
    world.play(noting(world, (_, response) => response.end()))
    await call(world, id, 'g', { body: 'hello', headers: { 'content-length': '5' } })
    await call(world, id, 'p', { method: 'POST' })
    assert.deepEqual(
      world.seen.map(each => each.body),
      ['hello', ''],
    )
  })

  test('cannot leave the base, nor be TRACE', async () => {
    world.play(noting(world, (_, response) => response.end()))
    for (const path of [
      '../x',
      'a/../../x',
      '%2e%2e/x',
      'a/.%2E/x',
      '..%2fx',
      '%252e%252e/x',
      '..;/x',
      'a\\..\\x',
      './x',
      '%2e/x',
      '..',
      'a%5c..%5cx',
    ]) {
      const { status, body, headers } = await call(world, id, path)
      assert.equal(status, 400, path)
      assert.equal(headers['mortise-answer-from'], 'hub', path)
      assert.match(errorIn(body).message, /path must/, path)
    }
    assert.equal((await call(world, id, 'x', { method: 'TRACE' })).status, 404)
    assert.equal(world.seen.length, 0)
    for (const path of ['//evil.example/x', '@evil.example/x', 'https://evil.example/x', '...', 'a..b/.well-known/x.'])
      assert.equal((await call(world, id, path)).status, 200)
    assert.deepEqual(
      world.seen.map(each => each.url),
      [
        '/api/evil.example/x',
        '/api/@evil.example/x',
        '/api/https://evil.example/x',
        '/api/...',
        '/api/a..b/.well-known/x.',
      ],
    )
  })

  test('may be longer than a router’s usual parameter', async () => {
    world.play(noting(world, (_, response) => response.end()))
    assert.equal((await call(world, id, 'x'.repeat(5000))).status, 200)
  })
})

suite('what is answered', () => {
  test('is the status, the body and the headers of the provider, without what speaks of the hub’s origin', async () => {
    world.play((_, response) =>
      response
        .writeHead(418, {
          'content-type': 'text/html',
          link: '<https://x.example/?page=2>; rel="next"',
          'retry-after': '7',
          'x-ratelimit-remaining': '0',
          etag: '"e"',
          'set-cookie': ['a=1', 'b=2'],
          'clear-site-data': '"*"',
          'strict-transport-security': 'max-age=1',
          'service-worker-allowed': '/',
          refresh: '0; url=https://evil.example',
          'access-control-allow-origin': '*',
          'cache-control': 'public, max-age=1000',
          'content-security-policy': "default-src 'none'",
          'www-authenticate': 'Bearer error="x"',
          location: '/elsewhere',
          connection: 'x-hop',
          'x-hop': '1',
          'mortise-answer-from': 'hub',
          'content-disposition': 'attachment; filename="\xfc"',
        })
        .end('<script>1</script>'),
    )
    const { status, body, headers } = await call(world, id, 'x')
    const { date, connection, ...rest } = headers
    assert.deepEqual([status, String(body)], [418, '<script>1</script>'])
    assert.deepEqual(rest, {
      'content-type': 'text/html',
      'transfer-encoding': 'chunked',
      link: '<https://x.example/?page=2>; rel="next"',
      'retry-after': '7',
      'x-ratelimit-remaining': '0',
      etag: '"e"',
      'www-authenticate': 'Bearer error="x"',
      location: `${world.origin}/elsewhere`,
      'content-disposition': 'attachment; filename="\xfc"',
      'cache-control': 'no-store',
      'content-security-policy': 'sandbox',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'mortise-answer-from': 'provider',
    })
  })

  test('keeps its compression, its length and its ranges; Decompress takes the compression away', async () => {
    const packed = gzipSync('hello '.repeat(1000))
    world.play(
      noting(world, ({ headers }, response) =>
        headers.range
          ? response.writeHead(206, { 'content-range': 'bytes 0-3/10', 'content-length': '4' }).end('0123')
          : response
              .writeHead(200, { 'content-encoding': 'gzip', 'content-length': String(packed.length) })
              .end(packed),
      ),
    )
    const first = await call(world, id, 'x', { headers: { 'accept-encoding': 'gzip' } })
    assert.deepEqual(first.body, packed)
    assert.deepEqual(
      [first.headers['content-encoding'], first.headers['content-length']],
      ['gzip', String(packed.length)],
    )
    assert.equal(world.seen[0]?.headers['accept-encoding'], 'gzip')
    await call(world, id, 'x')
    assert.equal(world.seen[1]?.headers['accept-encoding'], undefined)
    const plain = await call(world, id, 'x', { headers: { decompress: 'true' } })
    assert.equal(String(plain.body), 'hello '.repeat(1000))
    assert.deepEqual([plain.headers['content-encoding'], plain.headers['content-length']], [undefined, undefined])
    const part = await call(world, id, 'x', { headers: { range: 'bytes=0-3' } })
    assert.deepEqual([part.status, String(part.body), part.headers['content-range']], [206, '0123', 'bytes 0-3/10'])
  })

  test('may have no body: HEAD, 204, 304; and what comes before it is passed over', async () => {
    world.play(({ method, url }, response) => {
      if (method === 'HEAD') return response.writeHead(200, { 'content-length': '1000' }).end()
      response.writeEarlyHints({ link: '</x>; rel=preload' })
      return response.writeHead(Number(url?.split('/').pop())).end()
    })
    const head = await call(world, id, 'x', { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers['content-length'], head.body.length], [200, '1000', 0])
    for (const status of [204, 304]) assert.equal((await call(world, id, String(status))).status, status)
  })

  test('is the hub’s own error where the provider gave none', async () => {
    world.play(({ url, socket }, response) => {
      if (url === '/api/gone') return socket.destroy()
      return response.end()
    })
    const gone = await call(world, id, 'gone', { method: 'POST' })
    assert.deepEqual(
      [gone.status, gone.headers['mortise-answer-from'], errorIn(gone.body).code],
      [502, 'hub', 'provider_unavailable'],
    )
    const nobody = await call(world, 'nobody', 'x')
    assert.deepEqual(
      [nobody.status, nobody.headers['mortise-answer-from'], errorIn(nobody.body).code],
      [400, 'hub', 'server_error'],
    )
    const keyless = await call(world, id, 'x', { headers: { authorization: 'Bearer nothing' } })
    assert.deepEqual([keyless.status, keyless.headers['mortise-answer-from']], [401, 'hub'])
    const nameless = await call(world, '', 'x')
    assert.deepEqual([nameless.status, errorIn(nameless.body).code], [400, 'invalid_headers'])
  })
})

suite('bodies under way', () => {
  /** Answers with pieces of 64 kB for as long as they are taken. */
  const endless = (response: ServerResponse, count: { sent: number }) => {
    const piece = Buffer.alloc(64 * 1024, 'x')
    const more = () => {
      for (let free = true; free && !response.destroyed; count.sent += piece.length) free = response.write(piece)
      response.once('drain', more)
    }
    more()
  }

  test('come as they are sent, piece by piece, both ways', async () => {
    world.play((asked, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' })
      asked.on('data', piece => response.write(`<${piece}>`))
      asked.on('end', () => response.end('.'))
    })
    const out = open(world, id, 'echo', { method: 'POST', headers: { 'transfer-encoding': 'chunked' } })
    out.write('one')
    const [answer] = (await once(out, 'response')) as [IncomingMessage]
    let heard = ''
    answer.setEncoding('utf8').on('data', piece => {
      heard += piece
    })
    await soon(() => heard === '<one>')
    out.write('two')
    await soon(() => heard === '<one><two>')
    out.end()
    await once(answer, 'end')
    assert.equal(heard, '<one><two>.')
  })

  test('a slow reader stalls the sender', async () => {
    const count = { sent: 0 }
    world.play((_, response) => endless(response, count))
    const out = open(world, id, 'big')
    out.end()
    const [answer] = (await once(out, 'response')) as [IncomingMessage]
    answer.pause()
    await still(() => count.sent)
    assert.ok(count.sent < 30_000_000, `${count.sent} bytes were taken`)
    answer.destroy()
  })

  test('a provider that reads slowly stalls the caller', async () => {
    let closed = 0
    let goOn = () => {}
    world.play(asked => {
      asked.pause()
      asked.on('close', () => closed++)
      goOn = () => void asked.resume()
    })
    const out = open(world, id, 'big', { method: 'POST', headers: { 'content-length': '1000000000' } })
    out.on('error', () => {})
    const piece = Buffer.alloc(64 * 1024)
    let sent = 0
    const more = () => {
      for (let free = true; free && !out.destroyed && sent < 999_000_000; sent += piece.length) free = out.write(piece)
      out.once('drain', more)
    }
    more()
    await still(() => sent)
    assert.ok(sent < 30_000_000, `${sent} bytes were taken`)
    out.destroy()
    // Who does not read does not see an end either.
    goOn()
    assert.ok((await soon(() => closed === 1)) < 1000)
  })

  test('a caller who goes ends it at the provider', async () => {
    let closed = 0
    world.play((asked, response) => {
      asked.on('close', () => closed++)
      if (asked.url === '/api/silent') return
      endless(response, { sent: 0 })
    })
    const silent = open(world, id, 'silent')
    silent.on('error', () => {})
    silent.end()
    await soon(() => world.sockets.size > 0)
    await later(50)
    silent.destroy()
    assert.ok((await soon(() => closed === 1)) < 1000)
    const out = open(world, id, 'big')
    out.end()
    const [answer] = (await once(out, 'response')) as [IncomingMessage]
    answer.destroy()
    assert.ok((await soon(() => closed === 2)) < 1000)
  })

  test('a provider that breaks off ends it for the caller', async () => {
    world.play((asked, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('x', () => setTimeout(() => asked.socket.destroy(), 20))
    })
    await assert.rejects(call(world, id, 'x'), /aborted|ECONNRESET|hang up/)
    // And what is chunked does not end as if it were whole.
    world.play((asked, response) => {
      response.write('x', () => setTimeout(() => asked.socket.destroy(), 20))
    })
    await assert.rejects(call(world, id, 'x'), /aborted|ECONNRESET|hang up/)
  })

  test('an answer before the end of the request comes at once', async () => {
    world.play((_, response) => response.writeHead(413, { connection: 'close' }).end('too large'))
    const out = open(world, id, 'big', { method: 'POST', headers: { 'content-length': '1000000000' } })
    out.on('error', () => {})
    out.write(Buffer.alloc(100_000))
    const [answer] = (await once(out, 'response')) as [IncomingMessage]
    assert.equal(answer.statusCode, 413)
    answer.resume()
    out.destroy()
  })

  test('megabytes arrive as they were, both ways', async () => {
    const given = Buffer.alloc(5_000_000, 'abc')
    world.play((asked, response) => {
      response.writeHead(200)
      asked.pipe(response)
    })
    const { body } = await call(world, id, 'echo', { method: 'POST', body: given })
    assert.equal(createHash('sha256').update(body).digest('hex'), createHash('sha256').update(given).digest('hex'))
  })
})
