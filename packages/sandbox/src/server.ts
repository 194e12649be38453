import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Authorize, methodNotAllowed } from './authorize.ts'
import { control } from './control.ts'
import type { Answer } from './expectation.ts'
import {
  BodyTooLarge,
  Gone,
  headersOf,
  type Incoming,
  json,
  loopbackHost,
  parseBody,
  type Reply,
  readBody,
  send,
  text,
} from './http.ts'
import { introspect } from './introspect.ts'
import { OAuth1 } from './oauth1.ts'
import type { Registry, Route } from './registry.ts'
import { api, revoke } from './resource.ts'
import { token } from './token.ts'
import type { Call } from './types.ts'

export interface Listening {
  readonly port: number
  close(): Promise<void>
}

const ORDER: readonly Route['kind'][] = ['temporary', 'authorize', 'token', 'revoke', 'introspect', 'api']

const notPlayed = (registry: Registry, host: string): Answer => {
  const plays = registry.at(host)
  const known = plays.map(({ provider, routes }) => ({
    provider,
    calls: routes.map(({ methods, template }) => `${methods.join('|')} ${template.url}`),
  }))
  const why =
    plays.length === 0 ? 'The sandbox plays no provider at this host.' : 'The sandbox does not play this call.'
  return json(404, { error: 'not_found', error_description: why, played: known })
}

const dispatch = (registry: Registry, authorize: Authorize, oauth1: OAuth1, request: Incoming): Reply => {
  const found = registry.find(request.host, request.path)
  const fitting = found.filter(f => f.route.methods.includes(request.method))
  if (fitting.length === 0) {
    const unplayed = registry.unplayed(request.host, request.path)
    if (unplayed.length > 0) return api(registry, oauth1, request, unplayed)
  }
  if (found.length === 0) return { answer: notPlayed(registry, request.host) }
  const kind = ORDER.find(k => fitting.some(f => f.route.kind === k))
  if (!kind) return { answer: methodNotAllowed([...new Set(found.flatMap(f => f.route.methods))]) }
  const mine = fitting.filter(f => f.route.kind === kind)
  if (kind !== 'api' && mine[0]?.route.play.expectation.oauth1) return oauth1.handle(request, mine)
  if (kind === 'authorize') return authorize.handle(request, mine)
  if (kind === 'token') return { ...token(registry, request, mine), refreshToken: text(request.body, 'refresh_token') }
  if (kind === 'introspect') return introspect(registry, request, mine)
  return kind === 'revoke' ? revoke(registry, request, mine) : api(registry, oauth1, request, mine)
}

/** `/HOST/PATH?QUERY` */
const read = async (req: IncomingMessage): Promise<Incoming | undefined> => {
  const url = /^\/([^/?]+)(\/[^?]*)?(?:\?(.*))?$/s.exec(req.url ?? '')
  const bytes = await readBody(req)
  if (!url) return undefined
  return {
    method: req.method ?? '',
    host: (url[1] ?? '').toLowerCase(),
    path: url[2] ?? '/',
    search: url[3] === undefined ? '' : `?${url[3]}`,
    query: new URLSearchParams(url[3] ?? ''),
    headers: headersOf(req),
    body: parseBody(req.headers['content-type'], bytes),
  }
}

/** How the call came, without a value that could be a secret. */
const received = ({ method, host, query, headers, body }: Incoming): Pick<Call, 'method' | 'host' | 'parameters'> => {
  const scheme = /^(\w+) /.exec(headers['authorization'] ?? '')?.[1]?.toLowerCase()
  const parameters = [...query.keys(), ...body.values.keys()].sort()
  return { method, host, parameters, ...(scheme === undefined ? {} : { scheme }) }
}

const listen = (server: Server, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host, exclusive: true }, () => {
      server.off('error', reject)
      server.on('error', error => console.error('sandbox:', error.message))
      resolve()
    })
  })

const shut = (server: Server): Promise<void> =>
  new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

const NO_IPV6 = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EPROTONOSUPPORT']

/** On both loopback addresses, since `localhost` may mean either. */
const open = async (make: () => Server, port: number): Promise<{ port: number; servers: Server[] }> => {
  for (let attempt = 0; ; attempt++) {
    const four = make()
    await listen(four, port, '127.0.0.1')
    const chosen = (four.address() as AddressInfo).port
    const six = make()
    try {
      await listen(six, chosen, '::1')
      return { port: chosen, servers: [four, six] }
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? ''
      if (NO_IPV6.includes(code)) return { port: chosen, servers: [four] }
      await shut(four)
      // Somebody else has the other half of the port we were given.
      if (port !== 0 || code !== 'EADDRINUSE' || attempt >= 20) throw error
    }
  }
}

export const serve = async (registry: Registry, port: number): Promise<Listening> => {
  const authorize = new Authorize(registry)
  const oauth1 = new OAuth1(registry)
  const waiting = new Set<NodeJS.Timeout>()
  let origins: readonly string[] = []

  const deliver = (request: Incoming, res: ServerResponse, reply: Reply): void => {
    if (reply.call) {
      const call = { ...reply.call, ...received(request), at: registry.now(), status: reply.answer.status }
      registry.log(call, reply.refreshToken)
    }
    const finish = (): void => {
      if (reply.lose) res.destroy()
      else send(res, reply.answer, reply.csp)
    }
    if (!reply.delayMs) {
      finish()
      return
    }
    const timer = setTimeout(() => {
      waiting.delete(timer)
      try {
        finish()
      } catch (error) {
        fail(res, error)
      }
    }, reply.delayMs)
    waiting.add(timer)
  }

  const fail = (res: ServerResponse, error: unknown): void => {
    if (error instanceof Gone) return
    if (error instanceof BodyTooLarge) {
      const body = { error: 'invalid_request', error_description: 'the body is larger than 1 MB' }
      send(res, json(413, body, { connection: 'close' }))
      return
    }
    console.error('sandbox:', error)
    if (res.headersSent) res.destroy()
    else
      send(res, json(500, { error: 'server_error', error_description: 'The sandbox itself failed; see its output.' }))
  }

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (!loopbackHost(req.headers.host)) {
      return send(
        res,
        json(403, { error: 'forbidden', error_description: 'The sandbox answers to loopback names only.' }),
      )
    }
    const request = await read(req)
    if (!request) return send(res, json(404, { error: 'not_found', error_description: 'See /_sandbox.' }))
    const reply =
      request.host === '_sandbox' ? control(registry, request, origins) : dispatch(registry, authorize, oauth1, request)
    deliver(request, res, reply)
  }

  const make = (): Server =>
    createServer((req, res) => {
      res.on('error', () => {})
      handle(req, res).catch((error: unknown) => {
        try {
          fail(res, error)
        } catch {
          res.destroy()
        }
      })
    })

  const opened = await open(make, port)
  origins = ['localhost', '127.0.0.1', '[::1]'].map(host => `http://${host}:${opened.port}`)
  return {
    port: opened.port,
    close: async () => {
      for (const timer of waiting) clearTimeout(timer)
      waiting.clear()
      await Promise.all(opened.servers.map(shut))
    },
  }
}
