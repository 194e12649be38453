/** A webhook receiver: an HTTP server that keeps what it is sent, checked with the reference library of Standard Webhooks. */
import assert from 'node:assert/strict'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { Webhook } from 'standardwebhooks'

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: Record<string, string>
  readonly body: string
  /** `webhook-id` */
  readonly id: string
}

export interface Receiver {
  readonly url: string
  readonly received: readonly Received[]
  /** The next one that was not yet asked for. */
  next(): Promise<Received>
  /** How requests are answered from now on; `hang` answers none, until `release`. */
  answer(status: number | 'hang', headers?: Record<string, string>): void
  /** Answers those that hang. */
  release(status: number): void
  close(): Promise<void>
}

export const startReceiver = async (t: Pick<TestContext, 'after'>, port = 0): Promise<Receiver> => {
  let answer: { status: number | 'hang'; headers: Record<string, string> } = { status: 200, headers: {} }
  const received: Received[] = []
  const hanging: ServerResponse[] = []
  let asked = 0
  let heard = () => {}
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const headers = request.headers as Record<string, string>
    const { method = '', url = '' } = request
    received.push({ method, url, headers, body: Buffer.concat(chunks).toString(), id: headers['webhook-id'] ?? '' })
    if (answer.status === 'hang') hanging.push(response)
    else response.writeHead(answer.status, answer.headers).end('{"received":true}')
    heard()
  })
  await new Promise<void>(done => server.listen(port, 'localhost', done))
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= new Promise<void>(done => {
      server.close(() => done())
      server.closeAllConnections()
    })
    return closed
  }
  t.after(close)
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/webhooks`,
    received,
    async next() {
      const index = asked++
      for (;;) {
        const found = received[index]
        if (found) return found
        await new Promise<void>(done => {
          const before = heard
          heard = () => {
            before()
            done()
          }
        })
      }
    },
    answer(status, headers = {}) {
      answer = { status, headers }
    },
    release(status) {
      for (const response of hanging.splice(0)) response.writeHead(status).end()
    },
    close,
  }
}

/** What the reference library reads of a request, at that time; throws where the signature is not right. */
export const verified = (secret: string, { headers, body }: Pick<Received, 'headers' | 'body'>, at = new Date()) => {
  const { now } = Date
  Date.now = () => at.getTime()
  try {
    return new Webhook(secret).verify(body, headers)
  } catch (error) {
    return assert.fail(String(error))
  } finally {
    Date.now = now
  }
}

/** Waits for something that another task makes true. */
export const until = async (what: () => boolean | Promise<boolean>): Promise<void> => {
  for (const deadline = performance.now() + 60_000; !(await what()); await new Promise(again => setTimeout(again, 5)))
    assert.ok(performance.now() < deadline, 'it did not come true')
}
