/**
 * The guarded stream: bodies pass both ways without being kept, over connections that are kept alive. Those of an origin
 * go to addresses that were checked (`reach.ts`), and a connection is looked at once more when it stands.
 */
import { Readable } from 'node:stream'
import type { Dispatcher, Pool } from 'undici'
import { MortiseError } from '../core/errors.ts'
import type { Stream, StreamAnswer, StreamRequest } from '../core/ports.ts'
import { afterOrigin, sameUrl } from '../core/url-param.ts'
import { createBody, type Filled } from './body.ts'
import { tell } from './collect.ts'
import { createPools, type Pools, type PoolsOptions, stopping } from './pools.ts'
import { createReach, type Reach, type ReachOptions, unless } from './reach.ts'

export interface StreamOptions extends ReachOptions, PoolsOptions {
  /** Milliseconds for a call to get a connection, of those that are there or a new one. */
  readonly connectWithin?: number
}

export const createStream = (options: StreamOptions, reach: Reach = createReach(options)): Stream => {
  const { sandboxOrigin, connectWithin = 10_000 } = options
  let pools: Pools | Promise<Pools> | undefined
  let closed = false
  return {
    isAllowed: url => reach.isAllowed(url),
    async send(request) {
      if (closed) throw stopping(false)
      const { signal } = request
      const url = sameUrl(request.url)
      const path = afterOrigin(request.url, url)
      // What proxies nothing never loads it.
      pools ??= createPools(reach, options).then(made => {
        pools = made
        return made
      })
      const ready = pools instanceof Promise ? await pools : pools
      if (!request.sandbox) {
        const found = ready.of(url)
        const pool = found instanceof Promise ? await (signal ? unless(signal, leftBefore, found) : found) : found
        return send(pool, path, url.host, request, connectWithin)
      }
      // The sandbox is reached because it is mapped, at exactly that origin; no policy has a hole for it.
      const mapped = new URL(reach.toSandbox(request.url))
      const pool = ready.ofSandbox(sandboxOrigin ?? mapped.origin)
      return send(pool, `/${url.host}${path}`, url.host, request, connectWithin)
    },
    async close() {
      closed = true
      await (await pools)?.close()
    },
  }
}

const left = (sent: boolean): MortiseError =>
  new MortiseError('provider_unavailable', 'The caller went away.', { sent })

const leftBefore = (): MortiseError => left(false)

const send = (
  pool: Pool,
  path: string,
  host: string,
  request: StreamRequest,
  connectWithin: number,
): Promise<StreamAnswer> =>
  new Promise((done, fail) => {
    const { signal, firstByte, idle, limit = Number.POSITIVE_INFINITY } = request
    let controller: Dispatcher.DispatchController | undefined
    let body: Filled | undefined
    let sent = false
    let taken = 0
    let stopped: Error | undefined
    let ended = false
    // Whoever takes the answer holds it back: then nobody waits for the provider.
    let held = false
    const streamed = request.body !== undefined && !(request.body instanceof Uint8Array)
    let timer: NodeJS.Timeout | undefined
    const watch = (ms: number) => {
      clearTimeout(timer)
      if (!ended) timer = setTimeout(late, ms)
    }
    const over = () => {
      ended = true
      clearTimeout(timer)
      signal?.removeEventListener('abort', aborted)
    }
    const stop = (error: Error) => {
      stopped ??= error
      if (controller) return controller.abort(stopped)
      // It waits for a connection yet. When there is one, it is turned away at once.
      over()
      readable?.destroy()
      fail(stopped)
    }
    const late = () => {
      if (held) return watch(idle)
      return stop(slow(host, sent, body !== undefined))
    }
    const aborted = () => stop(left(sent))
    // Of a request that comes piece by piece, the time to its answer begins at its end; until then either side may move.
    const moved = streamed ? () => watch(idle) : () => {}
    const readable = streamed ? watched(request.body as AsyncIterable<Uint8Array>, moved) : undefined
    readable?.once('end', () => watch(body ? idle : firstByte))
    if (signal?.aborted) return aborted()
    signal?.addEventListener('abort', aborted, { once: true })
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(each) {
        controller = each
        if (stopped) return each.abort(stopped)
        sent = true
        clearTimeout(timer)
        moved()
      },
      onResponseStart(each, status, headers) {
        if (status < 200) return
        moved()
        body = createBody({
          pause() {
            held = true
            each.pause()
          },
          resume() {
            held = false
            moved()
            each.resume()
          },
          abort: () => stop(new Error('the answer is not wanted')),
        })
        done({ status, headers: headers as StreamAnswer['headers'], body })
      },
      onResponseData(_, piece) {
        moved()
        taken += piece.length
        tell(piece.length)
        if (taken > limit) {
          const error = new MortiseError(
            'provider_invalid_response',
            `${host} answered with more than ${limit} bytes.`,
            {
              sent,
            },
          )
          body?.fail(error)
          return stop(error)
        }
        body?.push(piece)
      },
      onResponseEnd() {
        over()
        body?.end()
      },
      onResponseError(_, cause) {
        over()
        readable?.destroy()
        const error = stopped instanceof MortiseError ? stopped : troubleOf(cause, host, sent, body !== undefined)
        if (body) body.fail(error)
        else fail(error)
      },
    }
    pool.dispatch(
      {
        path,
        method: request.method,
        headers:
          streamed && request.length !== undefined
            ? { ...request.headers, 'content-length': String(request.length) }
            : (request.headers as Record<string, string | string[]>),
        body: readable ?? (request.body as Uint8Array | undefined) ?? null,
        headersTimeout: streamed ? 0 : firstByte,
        bodyTimeout: streamed ? 0 : idle,
      },
      handler,
    )
    if (!controller) watch(connectWithin)
  })

/** The body as it is read, with a word at each piece. */
const watched = (body: AsyncIterable<Uint8Array>, moved: () => void): Readable => {
  const readable = body instanceof Readable ? body : Readable.from(body, { objectMode: false })
  readable.on('data', (piece: Uint8Array) => {
    tell(piece.length)
    moved()
  })
  // That began it; whoever sends it does so again.
  readable.pause()
  return readable
}

const slow = (host: string, sent: boolean, answering: boolean, cause?: Error): MortiseError =>
  new MortiseError(
    'provider_unavailable',
    `${host} did not ${answering ? 'go on' : sent ? 'answer' : 'let us in'} in time.`,
    { sent, reason: 'provider_slow', cause },
  )

const timeouts = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT'])

const troubleOf = (cause: Error, host: string, sent: boolean, answering: boolean): MortiseError => {
  if (cause instanceof MortiseError) return cause
  const code = 'code' in cause ? String(cause.code) : ''
  if (timeouts.has(code)) return slow(host, sent, answering, cause)
  if (cause.name === 'HTTPParserError' || /^UND_ERR_(HEADERS_OVERFLOW|RES_|RESPONSE)/.test(code))
    return new MortiseError('provider_invalid_response', `${host} answered with something that is no HTTP.`, {
      sent,
      cause,
    })
  // A header or a path that HTTP does not have: it is the caller's.
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH')
    return new MortiseError('invalid_request', `The request cannot be sent: ${cause.message}.`, { sent, cause })
  return new MortiseError(
    'provider_unavailable',
    `${host} ${answering ? 'broke off its answer' : sent ? 'broke off before an answer' : 'could not be reached'}.`,
    {
      sent,
      cause,
    },
  )
}
