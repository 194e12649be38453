/** The instruments of the bench: what they count is what was there. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startChild } from '../bench/child.ts'
import { isMet, type Line, median } from '../bench/figure.ts'
import type { Load, Loaded } from '../bench/load.ts'
import { rotate } from '../bench/rounds.ts'

const serve = async (t: TestContext, listener: RequestListener): Promise<number> => {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

const loaded = async (t: TestContext, port: number, more: Partial<Load>): Promise<Loaded> => {
  const child = startChild<Load, Loaded>('load.ts', '0-1')
  t.after(() => child.stop())
  return child.ask({
    ...{ port, pid: process.pid, path: ['/c/', '?k=v'], headers: 'Host: a', prefix: 'c', count: 500, sockets: 8 },
    ...more,
  })
}

test('the load generator asks for each id once, with several under way, whatever pieces the answers come in', async t => {
  const seen: string[] = []
  let [now, most] = [0, 0]
  const port = await serve(t, (request, response) => {
    seen.push(`${request.url} ${request.headers['x-id']}`)
    most = Math.max(most, ++now)
    response.writeHead(200, { 'content-length': 200_000 })
    response.write('x'.repeat(100_000))
    setImmediate(() => {
      now--
      response.end('x'.repeat(100_000))
    })
  })
  const { requests, perSecond, cpu } = await loaded(t, port, { headers: 'Host: a\r\nX-Id: {id}' })
  assert.equal(requests, 500)
  assert.equal(new Set(seen).size, 500)
  assert.ok(seen.includes('/c/c0000000?k=v c0000000') && seen.includes('/c/c0000499?k=v c0000499'))
  assert.ok(most > 1 && most <= 8, `${most} under way`)
  assert.ok(perSecond > 0 && cpu > 0)
})

test('it keeps the rate that it is told, and sees what a slow server does to it', async t => {
  const port = await serve(t, (_request, response) => void setTimeout(() => response.end('{}'), 30))
  const { requests, p50, p99 } = await loaded(t, port, { rate: 100, milliseconds: 1000, sockets: 16 })
  assert.ok(requests > 80 && requests < 110, `${requests} in a second`)
  assert.ok(p50 >= 29 && p50 < 100, `p50 ${p50}`)
  assert.ok(p99 >= p50)
  // One socket for what needs three: the requests wait, and that counts.
  const late = await loaded(t, port, { rate: 100, milliseconds: 1000, sockets: 1 })
  assert.ok(late.p50 > 150, `p50 ${late.p50}`)
})

test('an answer that is no 200 fails the slice', async t => {
  const headers = { 'content-length': 14 }
  const port = await serve(t, (_request, response) => void response.writeHead(401, headers).end('{"error":"no"}'))
  await assert.rejects(loaded(t, port, { milliseconds: 200 }), /The server answered:\nHTTP\/1\.1 401/)
})

test('candidates take turns, the first another one each round, and are compared within it', async () => {
  const turns: string[] = []
  // Each round the machine is slower, for both.
  const candidate = (name: string, speed: number) => ({
    name,
    run: async () => {
      turns.push(name)
      const round = Math.ceil(turns.length / 2)
      return { perSecond: speed / round, cpu: round / speed }
    },
  })
  const rounds = await rotate({ say: () => {}, quick: true }, 'turns', [candidate('a', 100), candidate('b', 400)], 3)
  assert.deepEqual(turns, ['a', 'b', 'b', 'a', 'a', 'b'])
  assert.equal(rounds.ratio('a', 'b'), 0.25)
  assert.equal(rounds.byCpu('a', 'b'), 0.25)
  assert.equal(rounds.perSecond('a'), 50)
})

test('before anything counts each has been loaded for a while', async () => {
  const turns: [string, number][] = []
  const candidate = (name: string) => ({
    name,
    run: async (milliseconds: number) => {
      turns.push([name, milliseconds])
      return { perSecond: turns.length }
    },
  })
  const rounds = await rotate({ say: () => {}, quick: false }, 'turns', [candidate('a'), candidate('b')], 1)
  assert.deepEqual(turns, [...['a', 'b'].map(name => [name, 4000]), ...['a', 'b'].map(name => [name, 1000])])
  assert.deepEqual([rounds.perSecond('a'), rounds.perSecond('b')], [3, 4])
})

test('a target is met by both ratios, or by the value that it is about', () => {
  const line = (more: Partial<Line>) => isMet({ what: '', ours: '', rival: '', ...more })
  assert.equal(line({ ratio: 1 }), undefined)
  assert.equal(line({ ratio: 0.5, byCpu: 0.4, target: { atLeast: 0.4 } }), true)
  assert.equal(line({ ratio: 0.5, byCpu: 0.39, target: { atLeast: 0.4 } }), false)
  assert.equal(line({ ratio: 1.6, target: { atMost: 1.5 } }), false)
  assert.equal(line({ ratio: Number.NaN, target: { atMost: 1.5 } }), false)
  assert.equal(line({ ratio: 9, target: { atMost: 500, value: 499 } }), true)
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 2, 3]), 2.5)
})

test('its help names every figure, a figure that is none is refused, and the page has the place of the table', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [fileURLToPath(new URL('../bench/main.ts', import.meta.url)), ...args], {
      encoding: 'utf8',
    })
  const { stdout, status } = run('--help')
  assert.equal(status, 0)
  for (const name of ['read-sqlite', 'read-postgres', 'scale', 'two', 'storm', 'refresh', 'start', 'import'])
    assert.match(stdout, new RegExp(`^  ${name} `, 'm'))
  const refused = run('speed')
  assert.equal(refused.status, 2)
  assert.match(refused.stderr, /^There is no figure "speed"\.\n/)
  const page = readFileSync(new URL('../docs/performance.md', import.meta.url), 'utf8')
  assert.match(page, /<!-- figures -->\n[\s\S]*<!-- end of figures -->/)
})
