/**
 * The guarded call: one request, a time limit, a size limit, no redirect followed, and only to where `reach.ts` lets it.
 */
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { MortiseError } from '../core/errors.ts'
import type { Call, CallRequest, CallResponse } from '../core/ports.ts'
import { createReach, inTime, pinned, type Reach, type ReachOptions } from './reach.ts'

export interface CallOptions extends ReachOptions {
  /** Milliseconds for the whole call. */
  readonly timeout?: number
  /** Bytes of an answer. */
  readonly limit?: number
}

export const createCall = (options: CallOptions, reach: Reach = createReach(options)): Call => {
  const { timeout = 20_000, limit = 1_000_000 } = options
  const { toSandbox, addressesOf } = reach
  return {
    page: (url, sandbox) => (sandbox ? toSandbox(url) : url),
    async send(request) {
      const url = new URL(request.sandbox ? toSandbox(request.url) : request.url)
      const deadline = AbortSignal.timeout(request.timeout ?? timeout)
      // The sandbox is reached because it is mapped, at exactly that origin; no policy has a hole for it.
      const addresses = request.sandbox
        ? undefined
        : await inTime(addressesOf(url, request.operator === true), deadline, url)
      return send(request, url, addresses, deadline, request.limit ?? limit)
    },
  }
}

const send = (
  request: CallRequest,
  url: URL,
  addresses: readonly string[] | undefined,
  deadline: AbortSignal,
  limit: number,
): Promise<CallResponse> =>
  new Promise((done, fail) => {
    let sent = false
    const unavailable = (what: string, cause?: unknown) =>
      fail(new MortiseError('provider_unavailable', `${url.host} ${what}.`, { sent, cause }))
    const out = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
      method: request.method,
      headers: {
        'user-agent': 'Mortise',
        ...request.headers,
        ...(request.body === undefined ? {} : { 'content-length': String(Buffer.byteLength(request.body)) }),
      },
      agent: false,
      signal: deadline,
      ...(addresses === undefined ? {} : { lookup: pinned(addresses) }),
    })
    // Nothing is sent before there is a connection, so that what fails until then is known to have sent nothing.
    out.on('socket', socket =>
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        if (request.sendBefore !== undefined && performance.now() > request.sendBefore) {
          out.destroy()
          return unavailable('was reached too late to send anything')
        }
        sent = true
        out.end(request.body)
      }),
    )
    out.on('error', error => unavailable(deadline.aborted ? 'did not answer in time' : 'could not be reached', error))
    out.on('response', response => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= limit) return void chunks.push(chunk)
        out.destroy()
        fail(
          new MortiseError('provider_invalid_response', `${url.host} answered with more than ${limit} bytes.`, {
            sent: true,
          }),
        )
      })
      response.on('error', error => unavailable('broke off its answer', error))
      response.on('end', () =>
        done({
          status: response.statusCode ?? 0,
          headers: Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [name, String(value)])),
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
  })
