/** Callers that leave before their request was read or their answer begun. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { suite, type TestContext, test } from 'node:test'
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify'
import { MortiseError } from '../core/errors.ts'
import type { Sink } from '../core/ports.ts'
import { answer, bodyOf, untilGone } from './pass.ts'

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** Sends the bytes to a server whose one route does this; what it gives or throws. */
const told = async (t: TestContext, bytes: string, leave: (socket: Socket) => void, handler: Handler) => {
  const app = fastify()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  const outcome = new Promise((done, fail) => {
    app.post('/', async (request, reply) => {
      await handler(request, reply).then(done, fail)
      return reply.raw.destroyed ? reply.hijack() : reply.send('')
    })
  })
  const { port } = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  t.after(() => app.close())
  const socket = connect(Number(port), '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  socket.write(bytes)
  leave(socket)
  return outcome
}

const head = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n\r\n'
const soon = (socket: Socket) => void setTimeout(() => socket.destroy(), 30)
const isTheirs = (error: unknown) =>
  error instanceof MortiseError && error.code === 'invalid_request' && /broke off/.test(error.message)

suite('a body that breaks off', { timeout: 2000 }, () => {
  test('is the caller’s fault', t =>
    assert.rejects(
      told(t, `${head}123`, soon, request => bodyOf(request)),
      isTheirs,
    ))

  test('is known for one where nobody had asked for it yet', async t => {
    for (const sent of ['123', '1234567890'])
      await assert.rejects(
        told(t, head + sent, soon, async (request, { raw }) => {
          await once(raw, 'close')
          return bodyOf(request)
        }),
        isTheirs,
        sent,
      )
  })

  test('comes whole where it does not', async t => {
    const body = await told(
      t,
      `${head}1234567890`,
      () => {},
      request => bodyOf(request),
    )
    assert.equal(String(body), '1234567890')
  })
})

suite('a caller who is gone already', { timeout: 2000 }, () => {
  test('is known to be', async t => {
    const aborted = await told(t, `${head}1234567890`, soon, async (_, reply) => {
      await once(reply.raw, 'close')
      return untilGone(reply).aborted
    })
    assert.equal(aborted, true)
  })

  test('gets nothing, and the provider is cut off', async t => {
    let cancelled = 0
    let sink: Sink | undefined
    const body = {
      to(taker: Sink) {
        sink = taker
      },
      resume() {},
      peek: async () => ({ bytes: new Uint8Array(), whole: false }),
      cancel: () => void cancelled++,
      async *[Symbol.asyncIterator]() {},
    }
    const given = { status: 200, headers: { 'content-encoding': 'gzip' }, body }
    for (const decompress of [false, true]) {
      cancelled = 0
      await told(t, `${head}1234567890`, soon, async (request, reply) => {
        await once(reply.raw, 'close')
        await answer(request, reply, given, { decompress })
      })
      assert.ok(cancelled > 0)
      assert.equal(sink, undefined)
    }
  })
})

test('an answer that cannot be written ends both sides', { timeout: 2000 }, async t => {
  let cancelled = 0
  const body = {
    to() {},
    resume() {},
    peek: async () => ({ bytes: new Uint8Array(), whole: false }),
    cancel: () => void cancelled++,
    async *[Symbol.asyncIterator]() {},
  }
  const given = { status: 200, headers: { 'x-price': '€' }, body }
  let closed: Promise<unknown> | undefined
  const listen = (socket: Socket) => {
    closed = once(socket.resume(), 'close')
  }
  const answered = told(t, `${head}1234567890`, listen, (request, reply) => answer(request, reply, given))
  await assert.rejects(answered, { code: 'ERR_INVALID_CHAR' })
  assert.equal(cancelled, 1)
  await closed
})
