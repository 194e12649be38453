/** Small servers on loopback; and the app, whose pages a test writes. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'

export type Answer = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

export interface Place {
  readonly port: number
  /** As a killed process: every connection is cut. */
  stop(): Promise<void>
  /** On the same port again. */
  start(): Promise<void>
}

/** Listens on a free port of 127.0.0.1 until the test ends. */
export const listen = async (t: Pick<TestContext, 'after'>, answer: Answer): Promise<Place> => {
  let running: Server | undefined
  let port = 0
  const start = async () => {
    running = createServer((request, response) => {
      Promise.resolve(answer(request, response)).catch((error: unknown) => {
        response.statusCode = 500
        response.end(`the server of the test failed: ${String(error)}`)
      })
    })
    running.listen(port, '127.0.0.1')
    await once(running, 'listening')
    const address = running.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    port = address.port
  }
  const stop = async () => {
    const ending = running
    running = undefined
    if (!ending) return
    const closed = once(ending, 'close')
    ending.close()
    ending.closeAllConnections()
    await closed
  }
  await start()
  t.after(stop)
  return {
    get port() {
      return port
    },
    stop,
    start,
  }
}

export const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

export const sendHtml = (response: ServerResponse, status: number, html: string): void => {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
  response.end(`<!doctype html><title>test</title>${html}`)
}

export interface App {
  readonly origin: string
  /** Puts a page at a path, and says its address. */
  page(path: string, html: string, headers?: Readonly<Record<string, string>>): string
}

/** The app: on another site than the hub, as most are. */
export const startApp = async (t: Pick<TestContext, 'after'>): Promise<App> => {
  const pages = new Map<string, { html: string; headers: Readonly<Record<string, string>> }>()
  const place = await listen(t, (request, response) => {
    const found = pages.get(request.url?.replace(/\?.*/, '') ?? '')
    for (const [name, value] of Object.entries(found?.headers ?? {})) response.setHeader(name, value)
    sendHtml(response, found ? 200 : 404, found?.html ?? 'no such page')
  })
  const origin = `http://127.0.0.1:${place.port}`
  return {
    origin,
    page(path, html, headers = {}) {
      pages.set(path, { html, headers })
      return origin + path
    },
  }
}
