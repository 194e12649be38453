import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import net, { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { suite, type TestContext, test } from 'node:test'
import { MortiseError } from '../core/errors.ts'
import type { StreamAnswer, StreamRequest } from '../core/ports.ts'
import { createStream, type StreamOptions } from './stream.ts'

const later = (ms: number): Promise<void> => new Promise(done => setTimeout(done, ms))

const listen = async (t: TestContext, server: Server, end: () => void): Promise<string> => {
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    end()
    return new Promise(done => server.close(done))
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A server on 127.0.0.1 and its `host:port`, gone with the test. */
const serve = (t: TestContext, answer: RequestListener): Promise<string> => {
  const server = createServer(answer)
  return listen(t, server, () => server.closeAllConnections())
}

/** One that speaks no HTTP but what the test says. */
const serveBytes = (t: TestContext, answer: (socket: Socket) => void): Promise<string> => {
  const open = new Set<Socket>()
  const server = createTcpServer(socket => {
    open.add(socket)
    socket.on('error', () => {})
    answer(socket)
  })
  return listen(t, server, () => {
    for (const each of open) each.destroy()
  })
}

const streaming = (t: TestContext, host: string, over: Partial<StreamOptions> = {}) => {
  const stream = createStream({ allowedHosts: [host], ...over })
  t.after(() => stream.close())
  return stream
}

const get = (url: string, over: Partial<StreamRequest> = {}): StreamRequest => ({
  method: 'GET',
  url,
  headers: {},
  sandbox: false,
  firstByte: 5000,
  idle: 5000,
  ...over,
})

const failure = async (promise: Promise<unknown>): Promise<MortiseError> => {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof MortiseError, String(error))
    return error
  }
  return assert.fail('it succeeded')
}

const textOf = async ({ body }: StreamAnswer): Promise<string> => {
  let text = ''
  for await (const piece of body) text += Buffer.from(piece).toString()
  return text
}

/** The promise, which must come within two seconds. */
const soon = <T>(promise: Promise<T>): Promise<T> =>
  Promise.race([promise, later(2000).then(() => assert.fail('it did not come soon'))])

suite('a call that finds every connection taken', () => {
  test('leaves with its caller at once, and else after a while, and nothing of it is sent', async t => {
    const seen: string[] = []
    const open: ServerResponse[] = []
    const host = await serve(t, ({ url = '' }, response) => {
      seen.push(url)
      if (url === '/held') open.push(response.writeHead(200))
      open.at(-1)?.flushHeaders()
      if (url !== '/held') response.end('up')
    })
    const stream = streaming(t, host, { connections: 2, connectWithin: 400 })
    const held = await Promise.all(Array.from({ length: 2 }, () => stream.send(get(`http://${host}/held`))))
    const gone = new AbortController()
    const pieces = (async function* () {
      yield Buffer.from('x')
      await later(60_000)
    })()
    const left = failure(stream.send(get(`http://${host}/left`, { method: 'POST', body: pieces, signal: gone.signal })))
    const late = failure(stream.send(get(`http://${host}/late`)))
    await later(20)
    gone.abort()
    const error = await soon(left)
    assert.deepEqual([error.code, error.details.sent], ['provider_unavailable', false])
    assert.match(error.message, /caller went away/)
    const { code, details, message } = await soon(late)
    assert.deepEqual([code, details.sent, details.reason], ['provider_unavailable', false, 'provider_slow'])
    assert.match(message, /let us in/)
    // Who leaves is not asked about when a connection is free again.
    for (const { body } of held) body.cancel()
    assert.equal(await textOf(await soon(stream.send(get(`http://${host}/next`)))), 'up')
    assert.deepEqual(
      seen.filter(url => url !== '/held'),
      ['/next'],
    )
  })
})

suite('an answer that begins before its request has ended', () => {
  /** A piece each so many milliseconds. */
  const pieces = async function* (count: number, ms: number) {
    for (let each = 0; each < count; each++) {
      await later(ms)
      yield Buffer.from('u')
    }
  }
  const post = (host: string, body: AsyncIterable<Uint8Array>, idle: number) =>
    get(`http://${host}/`, { method: 'POST', body, idle, firstByte: idle })

  test('goes on for as long as either side moves', async t => {
    const host = await serve(t, (request, response) => {
      response.writeHead(200).flushHeaders()
      request.resume().on('end', async () => {
        for (let each = 0; each < 8; each++) {
          await later(60)
          response.write('d')
        }
        response.end()
      })
    })
    // Both halves last longer than a silence may.
    assert.equal(await textOf(await streaming(t, host).send(post(host, pieces(8, 60), 400))), 'dddddddd')
  })

  test('is cut off where neither moves', async t => {
    const host = await serve(t, (request, response) => {
      request.resume()
      response.writeHead(200).write('d')
    })
    const answer = await streaming(t, host).send(post(host, pieces(2, 20), 150))
    const { code, details, message } = await failure(textOf(answer))
    assert.deepEqual([code, details.reason], ['provider_unavailable', 'provider_slow'])
    assert.match(message, /did not go on in time/)
  })

  test('is not cut off while whoever takes it is slow', async t => {
    const host = await serve(t, (request, response) => {
      request.resume()
      response.writeHead(200).end(Buffer.alloc(2_000_000, 'd'))
    })
    const answer = await streaming(t, host).send(post(host, pieces(2, 10), 100))
    await later(250)
    assert.equal((await textOf(answer)).length, 2_000_000)
  })
})

suite('an answer that is none', () => {
  test('is told from an outage where it is no HTTP', async t => {
    for (const bytes of ['HELLO\r\n\r\n', 'HTTP/9.9 banana\r\n\r\n', 'HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n']) {
      const host = await serveBytes(t, socket => socket.on('data', () => socket.write(bytes)))
      const { code, details, message } = await failure(streaming(t, host).send(get(`http://${host}/`)))
      assert.deepEqual([code, details.sent], ['provider_invalid_response', true], bytes)
      assert.match(message, /no HTTP/)
    }
  })

  test('broke off, where the request was sent; and could not be reached, where nobody is there', async t => {
    const host = await serveBytes(t, socket => socket.on('data', () => socket.destroy()))
    const broke = await failure(streaming(t, host).send(get(`http://${host}/`)))
    assert.deepEqual([broke.code, broke.details.sent], ['provider_unavailable', true])
    assert.match(broke.message, /broke off before an answer/)
    const nobody = await failure(streaming(t, '127.0.0.1:1').send(get('http://127.0.0.1:1/')))
    assert.deepEqual([nobody.code, nobody.details.sent], ['provider_unavailable', false])
    assert.match(nobody.message, /could not be reached/)
  })
})

suite('a name that is looked up', () => {
  const never = () => new Promise<never>(() => {})

  test('has so much time', async t => {
    const stream = streaming(t, 'slow.test', { resolve: never, lookUpWithin: 50 })
    const { code, details, message } = await soon(failure(stream.send(get('http://slow.test/'))))
    assert.deepEqual([code, details.sent], ['provider_unavailable', false])
    assert.match(message, /slow\.test was not resolved in time/)
  })

  test('is not waited for by a caller who left', async t => {
    const gone = new AbortController()
    const stream = streaming(t, 'slow.test', { resolve: never })
    const left = failure(stream.send(get('http://slow.test/', { signal: gone.signal })))
    await later(10)
    gone.abort()
    assert.match((await soon(left)).message, /caller went away/)
  })
})

test('a connection that is gone as soon as it stands is an outage', async t => {
  const host = await serve(t, (_, response) => response.end())
  const connect = net.connect as (...options: unknown[]) => Socket
  t.mock.method(net, 'connect', (...options: unknown[]) =>
    Object.defineProperty(connect(...options), 'remoteAddress', { get: () => undefined }),
  )
  const { code, details } = await failure(streaming(t, host).send(get(`http://${host}/`)))
  assert.deepEqual([code, details.sent], ['provider_unavailable', false])
})

test('closing cuts off what is under way, also to where a name led before, and what comes later', async t => {
  const sockets = new Set<Socket>()
  const host = await serve(t, (request, response) => {
    sockets.add(request.socket)
    response.writeHead(200).write('d')
  })
  const { port } = new URL(`http://${host}`)
  const url = `http://moves.test:${port}/`
  const address = ['127.0.0.1']
  let ahead = 0
  const now = performance.now.bind(performance)
  t.mock.method(performance, 'now', () => now() + ahead)
  const stream = streaming(t, 'moves.test', { resolve: async () => [...address], sandboxOrigin: `http://${host}` })
  const old = await stream.send(get(url))
  ahead = 60_000
  address.push('::1')
  const current = await stream.send(get(url))
  const sandboxed = await stream.send(get('https://real.example/', { sandbox: true }))
  const ended = Promise.all([old, current, sandboxed].map(answer => failure(textOf(answer))))
  const gone = Promise.all([...sockets].map(socket => once(socket, 'close')))
  assert.equal(sockets.size, 3)
  await stream.close()
  for (const { code } of await soon(ended)) assert.equal(code, 'provider_unavailable')
  await soon(gone)
  for (const request of [get(url), get('https://real.example/', { sandbox: true })]) {
    const { code, details, message } = await failure(stream.send(request))
    assert.deepEqual([code, details.sent], ['provider_unavailable', false])
    assert.match(message, /hub is stopping/)
  }
})
