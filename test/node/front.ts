/** A server before a real hub, which fails as it is told. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, beforeEach } from 'node:test'

export type Fault = (incoming: IncomingMessage, answer: ServerResponse) => void | Promise<void>

export interface Front {
  readonly url: string
  /** What goes wrong with the next requests, in turn; those after them reach the hub. Emptied before each test. */
  readonly faults: Fault[]
  /** Method and path of each request of the test. */
  readonly seen: string[]
  /** When each came. */
  readonly times: number[]
  /** To the hub and back. */
  readonly pass: Fault
  /** Reaches the hub, and the answer is lost. */
  readonly lose: Fault
}

export const cut: Fault = (_incoming, answer) => void answer.destroy()
export const hang: Fault = () => {}
export const say =
  (status: number, headers: Record<string, string> = {}, body = '<h1>Bad gateway</h1>'): Fault =>
  (_incoming, answer) =>
    void answer.writeHead(status, headers).end(body)
/** An error of the hub's own. */
export const tell = (status: number, code: string, headers: Record<string, string> = {}): Fault =>
  say(
    status,
    { 'content-type': 'application/json', ...headers },
    JSON.stringify({ error: { code, message: `It is ${code}.`, actor: 'us', requestId: 'r-1' } }),
  )

export const startFront = async (origin: string): Promise<Front> => {
  const onward = (incoming: IncomingMessage, hear: Parameters<typeof request>[2]) => {
    const { method, url, headers } = incoming
    incoming.pipe(request(`${origin}${url}`, { method, headers }, hear))
  }
  const pass: Fault = (incoming, answer) =>
    onward(incoming, reply => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers)
      reply.pipe(answer)
    })
  const lose: Fault = (incoming, answer) => onward(incoming, reply => reply.resume().on('end', () => answer.destroy()))
  const [faults, seen, times]: [Fault[], string[], number[]] = [[], [], []]
  const front = createServer((incoming, answer) => {
    seen.push(`${incoming.method} ${incoming.url}`)
    times.push(performance.now())
    void (faults.shift() ?? pass)(incoming, answer)
  }).listen(0, '127.0.0.1')
  await once(front, 'listening')
  after(() => {
    front.close()
    front.closeAllConnections()
  })
  beforeEach(() => {
    for (const each of [faults, seen, times]) each.length = 0
  })
  return { url: `http://127.0.0.1:${(front.address() as AddressInfo).port}`, faults, seen, times, pass, lose }
}
