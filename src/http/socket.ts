/**
 * Sockets of pages that wait to be told how a flow ended. A page opens one, is told the name that it waits under, and starts
 * its flow with that name; the flow may end in another process. So the process that holds sockets looks up how their
 * attempts ended, all in one query, four times a second while any is open, and never otherwise.
 *
 * What is sent holds no secret. A name is unguessable, one socket's alone, and stored as its digest only.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket, WebSocketServer } from 'ws'
import { errorTable, MortiseError, toMortiseError } from '../core/errors.ts'
import type { Hub } from '../core/hub.ts'
import { sha256 } from '../core/ids.ts'
import { isLoopbackHost } from '../core/loopback.ts'
import type { Untold } from '../core/storage.ts'
import { type Access, checkLocal, hostOf, isFurtherHost, isOwnOrigin, mayAsk, mayBeKeyless } from './auth.ts'
import { statusOf } from './status.ts'

/** How a dialect words what a socket is told. */
export interface Words {
  readonly hello: (name: string) => string
  readonly ended: (untold: Untold) => string
  readonly tooLate: () => string
}

export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

export interface Sockets {
  readonly upgrade: Upgrade
  close(): void
}

export interface Limits {
  /** Milliseconds: between looks; between signs of life; for the whole socket, which outlives any attempt. */
  readonly beat: number
  readonly pulse: number
  readonly life: number
  /** In all, and from one address that is not this machine (where a proxy may stand). */
  readonly most: number
  readonly mostOfOne: number
}

export const usualLimits: Limits = { beat: 250, pulse: 30_000, life: 15 * 60_000, most: 2000, mostOfOne: 50 }

interface Waiting {
  readonly socket: WebSocket
  readonly address: string
  readonly timers: readonly NodeJS.Timeout[]
}

export const createSockets = (hub: Hub, access: Access, words: Words, limits = usualLimits): Sockets => {
  const { context } = hub
  const { storage, clock, log } = context
  const waiting = new Map<string, Waiting>()
  let server: WebSocketServer | undefined
  let looking: NodeJS.Timeout | undefined
  let opening = 0
  let closed = false

  const check = async (request: IncomingMessage): Promise<void> => {
    if (!/^\/(\?|$)/.test(request.url ?? ''))
      throw new MortiseError('not_found', 'There is no socket at this path; it is at /.')
    const keyless = mayBeKeyless(access) && (await access.keyring.now()).unused
    if (keyless) checkLocal(request)
    const host = hostOf(request)
    const local = host && isLoopbackHost(host.hostname)
    if (isLoopbackHost(access.publicUrl.hostname) && !local && !isFurtherHost(access, host))
      throw new MortiseError('forbidden', `This hub's socket is at ${access.publicUrl.origin} only.`)
    const { origin } = request.headers
    // A program sends none, and could send any.
    if (origin !== undefined && !isOwnOrigin(access, origin) && !(await mayAsk(context, origin)))
      throw new MortiseError(
        'forbidden',
        'Pages of this origin may not wait for flows here. The operator can allow them: npx mortise env allow-origin <origin>',
        { reason: 'origin_not_allowed' },
      )
    const address = request.socket.remoteAddress ?? ''
    const same = isLoopbackHost(address.replace(/^::ffff:/, ''))
      ? 0
      : [...waiting.values()].filter(each => each.address === address).length
    if (waiting.size + opening >= limits.most || same >= limits.mostOfOne)
      throw new MortiseError('rate_limited', 'Too many pages wait here already. Try again in a moment.')
  }

  const drop = (listener: string): void => {
    for (const timer of waiting.get(listener)?.timers ?? []) clearTimeout(timer)
    waiting.delete(listener)
    if (waiting.size > 0) return
    clearTimeout(looking)
    looking = undefined
  }

  /** The one message that a socket waits for. It then is the page's to close; one that does not is closed. */
  const end = (listener: string, text: string, sent: () => void = () => {}): void => {
    const page = waiting.get(listener)
    if (!page) return
    drop(listener)
    page.socket.send(text, error => {
      if (!error) sent()
    })
    setTimeout(() => page.socket.close(1000), 2000).unref()
  }

  const look = async (): Promise<void> => {
    try {
      for (const untold of await storage.untold([...waiting.keys()]))
        end(untold.listener, words.ended(untold), () => {
          storage
            .noteTold(untold.environmentId, untold.stateHash, clock.now())
            .catch(error => log.error('that a page was told was not noted', { err: error }))
        })
    } catch (error) {
      log.error('looking up how flows ended failed', { err: error })
    }
    looking = waiting.size > 0 ? setTimeout(look, limits.beat) : undefined
  }

  const greet = (socket: WebSocket, request: IncomingMessage): void => {
    const name = randomUUID()
    const listener = sha256(name)
    let alive = true
    const pulse = setInterval(() => {
      if (!alive) return socket.terminate()
      alive = false
      socket.ping()
    }, limits.pulse)
    const over = setTimeout(() => end(listener, words.tooLate()), limits.life)
    socket.on('pong', () => {
      alive = true
    })
    // Nothing is expected of a page but that it waits.
    socket.on('message', () => socket.close(1008))
    socket.on('error', () => socket.terminate())
    socket.on('close', () => {
      clearInterval(pulse)
      drop(listener)
    })
    waiting.set(listener, { socket, address: request.socket.remoteAddress ?? '', timers: [over] })
    socket.send(words.hello(name))
    looking ??= setTimeout(look, limits.beat)
  }

  const open = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const fail = (): void => {
      socket.destroy()
    }
    socket.on('error', fail)
    opening++
    try {
      await check(request)
      // Loaded when the first page comes: the hub starts without it.
      const { WebSocketServer } = await import('ws')
      server ??= new WebSocketServer({
        noServer: true,
        clientTracking: false,
        maxPayload: 1024,
        perMessageDeflate: false,
      })
      socket.off('error', fail)
      if (closed) return fail()
      server.handleUpgrade(request, socket, head, page => greet(page, request))
    } catch (thrown) {
      const error = toMortiseError(thrown)
      if (error.code === 'internal') log.error('a socket could not be opened', { err: error.cause ?? error })
      refuse(socket, error)
    } finally {
      opening--
    }
  }

  return {
    upgrade: (request, socket, head) => void open(request, socket, head),
    close() {
      closed = true
      for (const [listener, { socket }] of [...waiting]) {
        drop(listener)
        socket.close(1012)
        setTimeout(() => socket.terminate(), 500).unref()
      }
    },
  }
}

const refuse = (socket: Duplex, error: MortiseError): void => {
  const body = JSON.stringify({ error: { code: error.code, message: error.message } })
  socket.end(
    [
      `HTTP/1.1 ${statusOf[error.code]} ${errorTable[error.code].retry ? 'Later' : 'No'}`,
      'connection: close',
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
    () => socket.destroy(),
  )
}
