/**
 * The load generator: GETs over raw sockets that are kept alive, so that it costs little beside the server with which it
 * shares a core. No pipelining: each of the sockets has one request under way.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { answer } from './child.ts'

export interface Load {
  readonly port: number
  /** Process whose CPU time is read, all its threads. */
  readonly pid: number
  /** What stands in the path before and after the connection's id. */
  readonly path: readonly [before: string, after: string]
  /** `{id}` in them stands for the connection's id, too. */
  readonly headers: string
  /** Ids are the prefix and a number of seven digits from 0. */
  readonly prefix: string
  readonly count: number
  readonly sockets: number
  /** Random ids for so many milliseconds, or each id once. */
  readonly milliseconds?: number
  /** Requests per second, whether earlier ones are answered or not; otherwise the next as soon as a socket is free. */
  readonly rate?: number
}

export interface Loaded {
  readonly perSecond: number
  readonly requests: number
  /** Microseconds of the server's CPU time for each request. */
  readonly cpu: number
  /** Milliseconds. Where there is a rate only. */
  readonly p50: number
  readonly p99: number
}

/** Nanoseconds on a core, of all threads of a process (proc_pid_schedstat). */
export const cpuTime = (pid: number): number => {
  let sum = 0
  for (const task of readdirSync(`/proc/${pid}/task`))
    try {
      sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0])
    } catch {
      // The thread has just ended.
    }
  return sum
}

const warmUp = 150
const headEnd = Buffer.from('\r\n\r\n')

/** How long the answer is that a chunk begins: head and body. Throws for any answer but a 200. */
const lengthOf = (bytes: Uint8Array): number => {
  const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const end = chunk.indexOf(headEnd)
  const head = chunk.toString('latin1', 0, end === -1 ? 500 : end)
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  if (!head.startsWith('HTTP/1.1 200 ') || end === -1 || length === undefined)
    throw new Error(`The server answered:\n${chunk.toString('latin1', 0, 1000)}`)
  return end + 4 + Number(length)
}

const run = async (load: Load): Promise<Loaded> => {
  const { path, headers, prefix, count, sockets: many, milliseconds, rate } = load
  // What stands around the id, wherever it stands.
  const parts = `GET ${path[0]}{id}${path[1]} HTTP/1.1\r\n${headers}\r\n\r\n`.split('{id}')
  const request = (index: number) => parts.join(prefix + String(index).padStart(7, '0'))
  let next = 0
  const nextIndex = () => (milliseconds === undefined ? next++ : Math.floor(Math.random() * count))
  const sockets = await Promise.all(Array.from({ length: many }, () => open(load.port)))
  return new Promise((done, fail) => {
    const free: Waiting[] = []
    /** Times at which requests were due that found no socket free. */
    const queue: number[] = []
    const latencies: number[] = []
    let [requests, began, cpu, over] = [0, 0, 0, false]
    const begin = () => {
      requests = 0
      latencies.length = 0
      cpu = cpuTime(load.pid)
      began = performance.now()
    }
    const end = (error?: Error) => {
      if (over) return
      over = true
      clearInterval(ticking)
      const seconds = (performance.now() - began) / 1000
      const used = cpuTime(load.pid) - cpu
      for (const { socket } of sockets) socket.destroy()
      if (error) return fail(error)
      latencies.sort((a, b) => a - b)
      const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? 0
      done({ perSecond: requests / seconds, requests, cpu: used / 1000 / requests, p50: at(0.5), p99: at(0.99) })
    }
    const send = (waiting: Waiting, due = 0) => {
      waiting.since = due || (rate === undefined ? 0 : performance.now())
      waiting.socket.write(request(nextIndex()), 'latin1')
    }
    const answered = (socket: Waiting) => {
      requests++
      if (rate !== undefined) latencies.push(performance.now() - socket.since)
      const finished = milliseconds === undefined && requests === count
      if (finished) return end()
      if (rate !== undefined) {
        const due = queue.shift()
        if (due === undefined) free.push(socket)
        else send(socket, due)
      } else if (milliseconds !== undefined || next < count) send(socket)
    }
    for (const waiting of sockets) {
      waiting.socket.on('error', end)
      waiting.socket.on('close', () => end(new Error('The server closed a connection.')))
      waiting.onChunk = (size, buffer) => {
        try {
          // Every answer is as long as the last one, as a rule, and comes in one piece.
          if (waiting.missing === 0) {
            if (size !== waiting.usual || buffer[9] !== 50) waiting.usual = lengthOf(buffer.subarray(0, size))
            waiting.missing = waiting.usual
          }
        } catch (error) {
          return end(error as Error)
        }
        waiting.missing -= size
        if (waiting.missing === 0) answered(waiting)
      }
    }
    let ticking: NodeJS.Timeout | undefined
    if (milliseconds === undefined) begin()
    else {
      setTimeout(begin, warmUp)
      setTimeout(end, warmUp + milliseconds)
    }
    if (rate === undefined) {
      for (const socket of sockets) if (milliseconds !== undefined || next < count) send(socket)
      return
    }
    free.push(...sockets)
    const from = performance.now()
    let sent = 0
    ticking = setInterval(() => {
      const now = performance.now()
      for (; sent < ((now - from) * rate) / 1000 && (milliseconds !== undefined || sent < count); sent++) {
        // The one that has rested longest: a server closes those that rest too long.
        const socket = free.shift()
        if (socket) send(socket)
        else queue.push(now)
      }
    }, 1)
  })
}

/** A socket with its request: when it was sent, and the bytes of the answer that are still to come. */
interface Waiting {
  readonly socket: Socket
  since: number
  missing: number
  usual: number
  onChunk: (size: number, buffer: Uint8Array) => void
}

/** Read into one buffer, without the machinery of streams. */
const open = (port: number): Promise<Waiting> =>
  new Promise((done, fail) => {
    const onread = {
      buffer: Buffer.alloc(65_536),
      callback: (size: number, buffer: Uint8Array) => {
        waiting.onChunk(size, buffer)
        return true
      },
    }
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread })
    const waiting: Waiting = { socket, since: 0, missing: 0, usual: -1, onChunk: () => {} }
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.off('error', fail)
      done(waiting)
    })
  })

if (process.send) answer(run)
