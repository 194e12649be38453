/** A whole hub with its sandbox on free ports and a folder of its own, and a browser small enough to see through. */
import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { readConfig } from '../src/config.ts'
import { type Dev, startDev } from '../src/dev.ts'
import { type Running, startHub } from '../src/main.ts'
import type { Overrides } from '../src/rooms.ts'

/**
 * Where ports are looked for: below those that a system gives to outgoing connections (Linux: from 32768, gVisor: from
 * 16000), and above those that a browser refuses to open. Of each two there is a third: whoever listens there has them.
 */
const ports = { first: 10_100, claims: 13_900, pairs: 1900 }
let looked = Math.floor(Math.random() * ports.pairs)

/** A port that is free together with the next one, and that nobody else is given as long as this process runs. */
export const freePorts = async (): Promise<number> => {
  for (;;) {
    looked = (looked + 1) % ports.pairs
    const port = ports.first + 2 * looked
    if ((await claim(ports.claims + looked)) && (await isFree(port)) && (await isFree(port + 1))) return port
  }
}

/** The test files that run at the same time look at the same ports, and a hub needs a while until it listens. */
const claim = (port: number): Promise<boolean> =>
  new Promise(done => {
    const server = createServer().unref()
    server.on('error', () => done(false))
    server.listen(port, '127.0.0.1', () => done(true))
  })

/** Of both loopback families, as a hub takes them; a machine without IPv6 has none to take. */
const isFree = async (port: number): Promise<boolean> =>
  (await canListen(port, '127.0.0.1')) && (await canListen(port, '::1'))

const canListen = (port: number, host: string): Promise<boolean> =>
  new Promise(done => {
    const server = createServer()
    server.on('error', (error: NodeJS.ErrnoException) => done(error.code !== 'EADDRINUSE'))
    server.listen(port, host, () => server.close(() => done(true)))
  })

/** How the hub in a folder is stopped: its sandbox writes there once more. */
const stops = new Map<string, () => Promise<void>>()

export const tempFolder = (t: Pick<TestContext, 'after'>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'mortise-'))
  t.after(async () => {
    await stops.get(folder)?.()
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** A clock that a test moves. */
export const movableClock = (start = new Date('2026-11-21T10:00:00.000Z')) => {
  let now = start.getTime()
  return {
    now: () => new Date(now),
    forward(seconds: number) {
      now += seconds * 1000
    },
  }
}

export interface TestHub extends Dev {
  readonly origin: string
  readonly publicKey: string
  readonly dataDir: string
}

/** Copies the empty database that `npm test` has made, which takes a hub longer than all the rest of its start. */
export const placeDatabase = (settings: Readonly<Record<string, string>>): void => {
  const empty = process.env['TEST_DATABASE']
  const folder = settings['MORTISE_DATA_DIR'] ?? ''
  const file = join(folder, 'mortise.db')
  const wanted = settings['MORTISE_DATABASE_URL'] === undefined && existsSync(folder) && !existsSync(file)
  if (empty !== undefined && wanted) copyFileSync(empty, file)
}

/** `mortise dev`, in this process, stopped when the test ends. */
export const startTestHub = async (
  t: Pick<TestContext, 'after'>,
  options: Overrides & { readonly env?: Readonly<Record<string, string>>; readonly dataDir?: string } = {},
): Promise<TestHub> => {
  const dataDir = options.dataDir ?? tempFolder(t)
  const port = Number(options.env?.['MORTISE_PORT'] ?? (await freePorts()))
  const env = { MORTISE_PORT: String(port), MORTISE_DATA_DIR: dataDir, MORTISE_LOG_LEVEL: 'silent', ...options.env }
  placeDatabase(env)
  // What happens in the background happens at its own time, and most tests count.
  const dev = await startDev(readConfig(env, 'dev'), { lookForDue: 0, ...options })
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= dev.stop()
    return stopped
  }
  t.after(stop)
  stops.set(dataDir, stop)
  return {
    ...dev,
    stop,
    origin: `http://localhost:${port}`,
    publicKey: dev.rooms.firstEnvironment.publicKey,
    dataDir,
  }
}

/** `mortise serve`, in this process, stopped when the test ends. */
export const startServing = async (
  t: Pick<TestContext, 'after'>,
  env: Readonly<Record<string, string>> = {},
  overrides: Overrides = {},
): Promise<Running & { readonly origin: string; readonly secretKey: string }> => {
  const port = Number(env['MORTISE_PORT'] ?? (await freePorts()))
  const secretKey = randomBytes(24).toString('hex')
  const settings = {
    MORTISE_PORT: String(port),
    MORTISE_DATA_DIR: tempFolder(t),
    MORTISE_LOG_LEVEL: 'silent',
    MORTISE_ROOT_KEY: randomBytes(32).toString('base64'),
    MORTISE_SECRET_KEY: secretKey,
    ...env,
  }
  placeDatabase(settings)
  const running = await startHub(readConfig(settings, 'serve'), undefined, overrides)
  t.after(() => running.stop())
  return { ...running, origin: `http://localhost:${port}`, secretKey }
}

/** Keeps cookies by host name, and follows redirects one at a time. Everything is seen: `hops` holds each answer. */
export class Browser {
  readonly #cookies = new Map<string, Map<string, string>>()
  readonly hops: { url: string; status: number; location: string | undefined }[] = []

  get(url: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.send(url, { headers })
  }

  /** Sends a form. */
  post(url: string, form: Record<string, string>): Promise<Response> {
    return this.send(url, { method: 'POST', body: new URLSearchParams(form), headers: {} })
  }

  /** Any request, with this browser's cookies. */
  async send(url: string, init: RequestInit & { headers: Record<string, string> }): Promise<Response> {
    const host = new URL(url).hostname
    const jar = this.#cookies.get(host) ?? new Map<string, string>()
    this.#cookies.set(host, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...(cookie ? { cookie } : {}), ...init.headers }
    const response = await fetch(url, { ...init, redirect: 'manual', headers })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      jar.set(name, value)
    }
    this.hops.push({ url, status: response.status, location: response.headers.get('location') ?? undefined })
    return response
  }

  /** Follows redirects until an answer that is none, or until `stop` says that the next address is far enough. */
  async follow(
    url: string,
    stop: (next: string) => boolean = () => false,
  ): Promise<{ response: Response; url: string }> {
    let at = url
    for (;;) {
      const response = await this.get(at)
      const next = response.headers.get('location')
      if (next === null || response.status < 300 || response.status > 399) return { response, url: at }
      at = new URL(next, at).href
      if (stop(at)) return { response, url: at }
    }
  }

  cookieNames(host: string): string[] {
    return [...(this.#cookies.get(host)?.keys() ?? [])]
  }
}

export const connectUrl = (hub: TestHub, integration: string, query: Record<string, string> = {}): string =>
  `${hub.origin}/oauth/connect/${integration}?${new URLSearchParams({ public_key: hub.publicKey, ...query })}`

/** Runs a flow to where the app is returned to; the sandbox approves at once, as the account named or the first. */
export const connect = async (
  hub: TestHub,
  integration: string,
  query: Record<string, string> = {},
  options: { account?: string; browser?: Browser; provider?: string } = {},
): Promise<{ returned: URL; browser: Browser }> => {
  hub.sandbox.set(options.provider ?? integration, { autoApprove: options.account ?? true })
  const browser = options.browser ?? new Browser()
  const app = 'http://localhost:9/done'
  const { url } = await browser.follow(connectUrl(hub, integration, { api_redirect_url: app, ...query }), next =>
    next.startsWith('http://localhost:9/'),
  )
  return { returned: new URL(url), browser }
}

/** The JSON of an answer, as whatever the test says it is. */
export const getJson = async <T = Record<string, unknown>>(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: T; headers: Headers }> => {
  const response = await fetch(url, { headers })
  return { status: response.status, body: (await response.json()) as T, headers: response.headers }
}

/** A request with exactly these headers: fetch would not send some of them. */
export const raw = (
  url: string,
  headers: Record<string, string>,
  method = 'GET',
): Promise<{ status: number; body: string; headers: Record<string, unknown> }> =>
  new Promise((done, fail) => {
    const out = request(url, { headers, method }, answer => {
      let body = ''
      answer.on('data', chunk => {
        body += chunk
      })
      answer.on('end', () => done({ status: answer.statusCode ?? 0, body, headers: answer.headers }))
    })
    out.on('error', fail)
    out.end()
  })

/** The callback's address with the answer of the provider, not yet opened: where a thief would sit. */
export const untilCallback = async (hub: TestHub, browser: Browser, url: string): Promise<string> => {
  const callback = `${hub.origin}/oauth/callback`
  return (await browser.follow(url, next => next.startsWith(callback))).url
}

export const later = (ms: number): Promise<void> => new Promise(done => setTimeout(done, ms))
