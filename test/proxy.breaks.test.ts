/** A proxied call that has no body where one is announced, and calls that a hub on its way out finds under way. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { before, beforeEach, suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { later } from './harness.ts'
import { call, errorIn, open, type ProxyWorld, proxyWorld } from './proxy-world.ts'
import { wholeFile } from './whole-file.ts'

const file = wholeFile()
let world: ProxyWorld
let id: string
before(async () => {
  world = await proxyWorld(file, '', { stopping: { grace: 200, longest: 800 } })
})
beforeEach(async () => {
  id = await world.connect()
})

suite('a compression that is to be taken away', () => {
  const packed = gzipSync('hello')
  const headers = { decompress: 'true' }

  test('is left alone where there is nothing of it', async () => {
    world.play(({ method, url }, response) => {
      const coding = { 'content-encoding': 'gzip' }
      if (method === 'HEAD') return response.writeHead(200, { ...coding, 'content-length': '25' }).end()
      if (url === '/api/zero') return response.writeHead(200, { ...coding, 'content-length': '0' }).end()
      if (url === '/api/empty') return response.writeHead(200, coding).end()
      return response.writeHead(Number(url?.split('/').pop()), coding).end()
    })
    const head = await call(world, id, 'x', { method: 'HEAD', headers })
    assert.deepEqual(
      [head.status, head.headers['content-encoding'], head.headers['content-length']],
      [200, 'gzip', '25'],
    )
    for (const [path, status] of [
      ['zero', 200],
      ['empty', 200],
      ['204', 204],
      ['304', 304],
    ] as const) {
      const given = await call(world, id, path, { headers })
      assert.deepEqual([given.status, given.body.length], [status, 0], path)
    }
  })

  test('is left alone in a part, and known in any case, and no name of a property', async () => {
    world.play(({ url }, response) => {
      if (url === '/api/part')
        return response
          .writeHead(206, { 'content-encoding': 'gzip', 'content-range': 'bytes 0-3/25' })
          .end(packed.subarray(0, 4))
      if (url === '/api/case') return response.writeHead(200, { 'content-encoding': 'GZip' }).end(packed)
      return response.writeHead(200, { 'content-encoding': 'constructor' }).end('as it is')
    })
    const part = await call(world, id, 'part', { headers })
    assert.deepEqual([part.headers['content-encoding'], part.body], ['gzip', packed.subarray(0, 4)])
    const written = await call(world, id, 'case', { headers })
    assert.deepEqual([written.headers['content-encoding'], String(written.body)], [undefined, 'hello'])
    const unknown = await call(world, id, 'unknown', { headers })
    assert.deepEqual([unknown.headers['content-encoding'], String(unknown.body)], ['constructor', 'as it is'])
  })

  test('is taken away piece by piece, and what is none breaks off', async () => {
    world.play(({ url }, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' })
      if (url === '/api/none') return response.end('hello')
      return response.write(gzipSync('x'.repeat(100_000), { level: 0 }).subarray(0, 70_000))
    })
    const out = open(world, id, 'x', { headers })
    out.end()
    const [answer] = (await once(out, 'response')) as [IncomingMessage]
    const [first] = (await once(answer, 'data')) as [Buffer]
    assert.equal(String(first.subarray(0, 3)), 'xxx')
    out.destroy()
    await assert.rejects(call(world, id, 'none', { headers }), /aborted|ECONNRESET|hang up/)
  })
})

test('a hub that stops waits a while for proxied calls, and not for ever for anybody', async () => {
  let asked = 0
  world.play(({ url }, response) => {
    asked++
    if (url === '/api/silent') return undefined
    response.writeHead(200)
    const timer = setInterval(() => response.write('x'), 20)
    response.on('close', () => clearInterval(timer))
    if (url === '/api/short') setTimeout(() => response.end('.'), 100)
    return undefined
  })
  const begin = async (path: string): Promise<IncomingMessage> => {
    const out = open(world, id, path)
    out.end()
    return ((await once(out, 'response')) as [IncomingMessage])[0]
  }
  const short = await begin('short')
  const endless = await begin('endless')
  endless.resume().on('error', () => {})
  const cut = new Promise(done => endless.on('close', done))
  const silent = call(world, id, 'silent')
  // Of any other route, and it never sends what it announced.
  const unsaid = request(`${world.hub.origin}/connections`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.key}`, 'content-type': 'application/json', 'content-length': '10' },
  })
  unsaid.flushHeaders()
  const broken = once(unsaid, 'error')
  while (asked < 3) await later(5)
  const began = performance.now()
  let text = ''
  short.on('data', piece => {
    text += piece
  })
  await Promise.all([world.hub.stop(), once(short, 'end'), cut])
  const took = performance.now() - began
  assert.ok(took < 10_000, `it took ${took} ms`)
  assert.match(text, /x\.$/)
  assert.equal(endless.complete, false)
  const { status, body } = await silent
  assert.deepEqual([status, errorIn(body).code], [502, 'provider_unavailable'])
  assert.match(errorIn(body).message, /hub is stopping/)
  // None of them was made again.
  assert.equal(asked, 3)
  await broken
})
