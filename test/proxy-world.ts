/** A hub, and a provider on this machine that a test plays as it likes. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { Secret } from '../src/core/credential.ts'
import { addIntegration } from '../src/core/setup.ts'
import type { Overrides } from '../src/rooms.ts'
import { movableClock, startTestHub, type TestHub, tempFolder } from './harness.ts'
import { newKey } from './page.ts'

type After = { after(end: () => unknown): void }
export type Play = (request: IncomingMessage, response: ServerResponse) => void

export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface ProxyWorld {
  readonly hub: TestHub
  readonly key: string
  readonly origin: string
  readonly clock: ReturnType<typeof movableClock>
  /** Of the hub, to start it once more in a process of its own. */
  readonly settings: Readonly<Record<string, string>>
  /** Connections to the provider that are open. */
  readonly sockets: Set<Socket>
  /** What came, of requests whose body was read whole. */
  readonly seen: Seen[]
  /** The provider takes the first token no longer. */
  expire(): void
  /** How often the refresh token was sent. */
  readonly refreshes: () => number
  /** What answers; the one given is for the next test. */
  play(answer: Play): void
  /** A new connection, by its name. `over`: its credential, `names`: what it is called, where not the usual. */
  connect(over?: object, names?: object): Promise<string>
}

const definition = (origin: string, more: string) => `name: Local
docs: [https://local.example/docs]
auth: oauth2
api:
  base: ${origin}/api
  headers: { X-Version: '7' }
${more}
authorize: { url: '${origin}/authorize' }
token: { url: '${origin}/token', client: body }
refresh: { rotates: true }
identity: { request: { url: '${origin}/me' }, account: id, shared: true }
`

/** `more`: further lines of the definition, in its \`api\`. */
export const proxyWorld = async (t: After, more = '', over: Overrides = {}): Promise<ProxyWorld> => {
  let answer: Play = (_, response) => response.end()
  let living = 'at 1'
  let refreshes = 0
  const sockets = new Set<Socket>()
  const seen: Seen[] = []
  const server = createServer((asked, response) => {
    const json = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (asked.url === '/me') return json(asked.headers.authorization === `Bearer ${living}` ? 200 : 401, { id: 'a' })
    if (asked.url === '/token') {
      asked.resume()
      refreshes++
      living = `at ${refreshes + 1}`
      return json(200, {
        access_token: living,
        token_type: 'Bearer',
        refresh_token: `rt ${refreshes + 1}`,
        expires_in: 3600,
      })
    }
    answer(asked, response)
    return undefined
  })
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    server.closeAllConnections()
    return new Promise(done => server.close(done))
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const dataDir = tempFolder(t)
  const folder = join(dataDir, 'providers')
  mkdirSync(folder)
  writeFileSync(join(folder, 'local.yaml'), definition(origin, more))
  const clock = movableClock()
  const own = { MORTISE_PROVIDERS_DIR: folder, MORTISE_ALLOWED_HOSTS: '127.0.0.1' }
  const hub = await startTestHub(t, {
    clock,
    dataDir,
    env: own,
    ...over,
  })
  await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, {
    key: 'local',
    provider: 'local',
    clientId: 'c',
    clientSecret: new Secret('s'),
    sandbox: false,
  })
  const { key } = await newKey(hub)
  let count = 0
  return {
    hub,
    key,
    origin,
    clock,
    settings: { ...own, MORTISE_DATA_DIR: dataDir, MORTISE_PORT: new URL(hub.origin).port },
    sockets,
    seen,
    expire() {
      living = ''
    },
    refreshes: () => refreshes,
    play(next) {
      answer = next
    },
    async connect(over = {}, names = {}) {
      count++
      refreshes = 0
      living = 'at 1'
      const response = await fetch(`${hub.origin}/connections`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          provider_config_key: 'local',
          connection_id: `c${count}`,
          credentials: {
            type: 'OAUTH2',
            access_token: 'at 1',
            refresh_token: `rt 1 of ${count}`,
            expires_at: new Date(clock.now().getTime() + 3_600_000).toISOString(),
            ...over,
          },
          ...names,
        }),
      })
      if (response.status !== 201) throw new Error(await response.text())
      return `c${count}`
    },
  }
}

/** Notes what comes, its body read whole, and then answers. */
export const noting =
  (world: Pick<ProxyWorld, 'seen'>, answer: (seen: Seen, response: ServerResponse) => void): Play =>
  (asked, response) => {
    let body = ''
    asked.on('data', piece => {
      body += piece
    })
    asked.on('end', () => {
      const { method = '', url = '', headers } = asked
      const one = { method, url, headers, body }
      world.seen.push(one)
      answer(one, response)
    })
  }

export interface Proxied {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** A call as it is written: nothing is added to its headers, nothing decoded. */
export const call = (
  world: ProxyWorld,
  id: string,
  path: string,
  options: { method?: string; headers?: Record<string, string | string[]>; body?: string | Buffer } = {},
): Promise<Proxied> =>
  new Promise((done, fail) => {
    const length = options.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(options.body)) }
    const out = open(world, id, path, { ...options, headers: { ...length, ...options.headers } })
    out.on('error', fail)
    out.on('response', answer => {
      const pieces: Buffer[] = []
      answer.on('data', piece => pieces.push(piece))
      answer.on('error', fail)
      answer.on('end', () =>
        done({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces) }),
      )
    })
    out.end(options.body)
  })

/** The same under way: its body is still to be sent. */
export const open = (
  { hub, key }: Pick<ProxyWorld, 'hub' | 'key'>,
  id: string,
  path: string,
  options: { method?: string; headers?: Record<string, string | string[]> } = {},
) =>
  request(`${hub.origin}/proxy/`, {
    path: `/proxy/${path}`,
    agent: false,
    method: options.method ?? 'GET',
    headers: {
      authorization: `Bearer ${key}`,
      'connection-id': id,
      'provider-config-key': 'local',
      ...options.headers,
    },
  })

/** What an error of the hub says. */
export const errorIn = (body: Buffer): { code: string; message: string } => JSON.parse(body.toString()).error
