/** A request of the proxy as it came, and the provider's answer to it, both without being kept. Shared by every API that has one. */
import type { ServerResponse } from 'node:http'
import { pipeline, Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { MortiseError } from '../core/errors.ts'
import { gathering } from '../core/gather.ts'
import type { PassBody } from '../core/pass-body.ts'
import { gained } from '../core/pass-headers.ts'
import type { PassAnswer, PassRequest } from '../core/pass-request.ts'
import type { Gone, Sink, StreamBody } from '../core/ports.ts'

/** Which of the two an answer is of: `provider` where status and body are the provider's, `hub` where the error is ours. */
export const answerFrom = 'mortise-answer-from'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Its answers may be a provider's, so an error says that it is the hub's. */
    proxies?: true
  }
}

export const noteHub = (request: FastifyRequest, reply: FastifyReply): void => {
  if (request.routeOptions.config.proxies) reply.header(answerFrom, 'hub')
}

/** Methods that are proxied. CONNECT makes tunnels; an answer to TRACE would show the credential. */
export const proxied = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'QUERY',
  'PROPFIND',
  'PROPPATCH',
  'REPORT',
  'SEARCH',
  'MKCOL',
  'COPY',
  'MOVE',
  'LOCK',
  'UNLOCK',
  'MERGE',
]

/** Bytes of an answer that may wait for the caller before the provider is made to wait. */
const ahead = 512 * 1024

/** Bytes of a body that are read before anything is sent: it can be sent again then. */
const small = 64 * 1024

/** Bytes of an answer that leave as a text: the runtime puts that into one piece with the head. */
const oneText = 64 * 1024

const brokeOff = (): MortiseError =>
  new MortiseError('invalid_request', 'The body broke off before its end. Send the whole of it.')

/** The body as the request has it. Its connection stays whole whatever becomes of the body. Throws for one that broke off. */
export const bodyOf = async ({ raw }: FastifyRequest): Promise<PassBody | undefined> => {
  const given = raw.headers['content-length']
  const length = given === undefined ? undefined : Number(given)
  if (length === 0 || (length === undefined && raw.headers['transfer-encoding'] === undefined)) return undefined
  if (raw.destroyed) throw brokeOff()
  const pieces = new Readable({
    highWaterMark: small,
    read: () => void raw.resume(),
    destroy(error, done) {
      raw.pause()
      done(error)
    },
  })
  raw.on('data', piece => {
    if (!pieces.destroyed && !pieces.push(piece)) raw.pause()
  })
  raw.on('end', () => pieces.push(null))
  raw.on('close', () => {
    if (!raw.readableEnded) pieces.destroy(brokeOff())
  })
  // Whoever takes it hears of it too; nobody else must.
  pieces.on('error', () => {})
  if (length === undefined || length > small) return { pieces, ...(length === undefined ? {} : { length }) }
  const all: Buffer[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

/** Path and query below a prefix, letter for letter: the router has decoded its own copy. Undefined where it is not written so. */
export const restOf = (request: FastifyRequest, prefix: RegExp): Pick<PassRequest, 'path' | 'query'> | undefined => {
  const url = request.raw.url ?? ''
  const start = prefix.exec(url)?.[0].length
  if (start === undefined) return undefined
  const query = url.indexOf('?', start)
  return query === -1
    ? { path: url.slice(start), query: '' }
    : { path: url.slice(start, query), query: url.slice(query) }
}

/** Tells when the caller is gone. An AbortSignal would do, and cost a call some 2 µs more. */
export const untilGone = ({ raw }: FastifyReply): Gone => {
  const hearing = new Set<() => void>()
  const gone = {
    aborted: false,
    addEventListener: (_event: 'abort', hear: () => void) => void hearing.add(hear),
    removeEventListener: (_event: 'abort', hear: () => void) => void hearing.delete(hear),
  }
  const closed = () => {
    if (raw.writableFinished || gone.aborted) return
    gone.aborted = true
    for (const hear of hearing) hear()
  }
  if (raw.destroyed) closed()
  raw.once('close', closed)
  return gone
}

/** What takes a compression away, by its name in Content-Encoding (RFC 9110 §8.4.1). */
const decompressors = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
  ['zstd', createZstdDecompress],
])

/** Undefined where there is nothing to take away: of no body, nor of a part of one (RFC 9110 §14.2). */
const decompressorOf = (method: string, { status, headers }: PassAnswer): (() => Transform) | undefined =>
  method === 'HEAD' || [204, 206, 304].includes(status) || headers['content-length'] === '0'
    ? undefined
    : decompressors.get(String(headers['content-encoding']).toLowerCase())

interface AnswerOptions {
  readonly decompress?: boolean
  /** Of the call, where the request that asks for it has another: what answers a HEAD has the length of a body that does not come. */
  readonly method?: string
}

/** Answers that came in one turn are written one after the other. */
const gather = gathering<() => void>(all => {
  for (const goOn of all) goOn()
})

/** Hands the answer on. Once its head is out, what breaks off breaks off for the caller too. */
export const answer = async (
  request: FastifyRequest,
  reply: FastifyReply,
  given: PassAnswer,
  options: AnswerOptions = {},
): Promise<void> => {
  const { raw } = reply
  const { body } = given
  reply.hijack()
  await new Promise<void>(gather)
  if (raw.destroyed) {
    body.cancel()
    return
  }
  const headers: Record<string, string | readonly string[]> = { ...given.headers, ...gained }
  headers[answerFrom] = 'provider'
  if (given.retryable) headers['mortise-retryable'] = 'true'
  const id = reply.getHeader('x-request-id')
  if (typeof id === 'string' && headers['x-request-id'] === undefined) headers['x-request-id'] = id
  // What the caller still sends nobody reads.
  if (!request.raw.complete) headers['connection'] = 'close'
  const { method = request.method } = options
  const decompress = options.decompress ? decompressorOf(method, given) : undefined
  if (decompress) delete headers['content-encoding']
  if (decompress || (method === 'HEAD' && request.method !== 'HEAD')) delete headers['content-length']
  try {
    raw.writeHead(given.status, headers as Record<string, string | string[]>)
    body.to(decompress ? decompressing(raw, body, decompress) : passing(raw))
  } catch (error) {
    body.cancel()
    raw.destroy()
    throw error
  }
  if (raw.writableEnded) return
  raw.once('close', () => {
    if (!raw.writableFinished) body.cancel()
  })
  if (!decompress) raw.on('drain', () => body.resume())
}

const passing = (raw: ServerResponse): Sink => ({
  // A pause costs more than a little that waits.
  write: piece => raw.write(piece) || raw.writableLength < ahead,
  end(last) {
    // A character for each byte.
    if (last && last.length <= oneText)
      raw.end(Buffer.from(last.buffer, last.byteOffset, last.length).toString('latin1'), 'latin1')
    else raw.end(last)
  },
  fail: () => void raw.destroy(),
})

/** Takes the compression away on the way. What has no byte is not compressed, whatever it says. */
const decompressing = (raw: ServerResponse, body: StreamBody, begin: () => Transform): Sink => {
  let under: Transform | undefined
  const begun = (): Transform => {
    if (under) return under
    under = begin()
    under.on('drain', () => body.resume())
    // What does not decompress breaks off.
    pipeline(under, raw, () => {})
    return under
  }
  return {
    write: piece => begun().write(piece),
    end(last) {
      if (last || under) begun().end(last)
      else raw.end()
    },
    fail: () => void raw.destroy(),
  }
}
