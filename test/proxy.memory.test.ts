/** A gigabyte each way through a real hub: it passes, and the hub grows by next to nothing. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { startProcess } from './process.ts'
import { call, open, proxyWorld } from './proxy-world.ts'

const gigabyte = 1_000_000_000
const piece = Buffer.alloc(1_000_000, 'x')

/** Resident memory of a process in bytes. */
const resident = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024

/** Writes a gigabyte as fast as it is taken. */
const pour = async (to: NodeJS.WritableStream): Promise<void> => {
  for (let left = gigabyte; left > 0; left -= piece.length) if (!to.write(piece)) await once(to, 'drain')
  to.end()
}

const counted = async (from: AsyncIterable<Buffer>): Promise<number> => {
  let count = 0
  for await (const each of from) count += each.length
  return count
}

test('a gigabyte down and a gigabyte up', { timeout: 150_000 }, async t => {
  const world = await proxyWorld(t)
  const id = await world.connect({ expires_at: null, refresh_token: null })
  await world.hub.stop()
  const { child } = await startProcess(t, 'dev', world.settings)
  let arrived = 0
  world.play(async (asked, response) => {
    if (asked.url === '/api/down') return pour(response.writeHead(200, { 'content-length': String(gigabyte) }))
    arrived = await counted(asked)
    return void response.end('done')
  })
  const pid = child.pid ?? 0
  // What is loaded at the first call is no part of what a body costs.
  for (let times = 0; times < 20; times++)
    assert.equal((await call(world, id, 'x', { method: 'POST', body: 'x' })).status, 200)
  const idle = resident(pid)
  let most = idle
  const look = setInterval(() => {
    most = Math.max(most, resident(pid))
  }, 20)
  t.after(() => clearInterval(look))

  const down = open(world, id, 'down')
  down.end()
  const [answer] = (await once(down, 'response')) as [IncomingMessage]
  assert.equal(await counted(answer), gigabyte)
  const afterDown = most

  const up = open(world, id, 'up', { method: 'POST', headers: { 'content-length': String(gigabyte) } })
  const told = once(up, 'response') as Promise<[IncomingMessage]>
  await pour(up)
  assert.equal((await told)[0].statusCode, 200)
  assert.equal(arrived, gigabyte)

  const grown = [afterDown - idle, most - idle].map(each => Math.round(each / 1e6))
  assert.ok(most - idle < 50_000_000, `it grew by ${grown} MB over ${Math.round(idle / 1e6)} MB`)
  t.diagnostic(`grown by ${grown} MB over ${Math.round(idle / 1e6)} MB`)
})
