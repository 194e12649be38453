/**
 * The guarded call: one request, a time limit, a size limit, no redirect followed. The host is resolved once, every
 * address is checked, and the connection goes to a checked one, so that no second look-up can lead elsewhere.
 */
import { lookup } from 'node:dns/promises'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { MortiseError } from '../core/errors.ts'
import { isLoopbackHost } from '../core/loopback.ts'
import type { Call, CallRequest, CallResponse } from '../core/ports.ts'
import { isPublic } from './address.ts'

export interface CallOptions {
  /** The one origin where sandboxed integrations are played, given by `dev`; without it there are none. */
  readonly sandboxOrigin?: string
  /** `host` or `host:port` names that the operator allows although they are not public. */
  readonly allowedHosts: readonly string[]
  /** Given by `dev` alone: a call to the operator's own app may go to a loopback name, by http too. */
  readonly ownAppHere?: boolean
  /** Milliseconds for the whole call. */
  readonly timeout?: number
  /** Bytes of an answer. */
  readonly limit?: number
}

export const createCall = (options: CallOptions): Call => {
  const { sandboxOrigin, allowedHosts, ownAppHere = false, timeout = 20_000, limit = 1_000_000 } = options
  const isAllowed = (url: URL) => allowedHosts.includes(url.host) || allowedHosts.includes(url.hostname)

  /** The sandbox plays https://HOST/PATH at ORIGIN/HOST/PATH. */
  const toSandbox = (text: string): string => {
    if (sandboxOrigin === undefined)
      throw new MortiseError('integration_misconfigured', 'Sandbox integrations work in dev only.')
    const url = new URL(text)
    return `${sandboxOrigin}/${url.host}${url.pathname}${url.search}`
  }

  const addressesOf = async (url: URL, operator: boolean): Promise<readonly string[]> => {
    const name = url.hostname.replace(/^\[|\]$/g, '')
    // localhost is both families, whatever the machine's own hosts file says of the name.
    if (operator && ownAppHere && isLoopbackHost(url.hostname)) return isIP(name) ? [name] : ['127.0.0.1', '::1']
    const addresses = isIP(name) ? [name] : await resolve(name, url.hostname)
    if (!isAllowed(url) && !addresses.every(isPublic))
      throw new MortiseError(
        'integration_misconfigured',
        `${url.host} leads to an address on this machine or a private network. If it should, the operator must name it in MORTISE_ALLOWED_HOSTS.`,
        { sent: false },
      )
    if (url.protocol !== 'https:' && !isAllowed(url))
      throw new MortiseError(
        'integration_misconfigured',
        `${url.host} is not https. The operator must name it in MORTISE_ALLOWED_HOSTS, or mend the provider file.`,
        { sent: false },
      )
    return addresses
  }

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

/** The look-up counts against the time limit, too. */
const inTime = <T>(work: Promise<T>, deadline: AbortSignal, url: URL): Promise<T> =>
  new Promise((done, fail) => {
    const late = () =>
      fail(new MortiseError('provider_unavailable', `The name ${url.host} was not resolved in time.`, { sent: false }))
    deadline.addEventListener('abort', late, { once: true })
    work.then(done, fail).finally(() => deadline.removeEventListener('abort', late))
  })

const resolve = async (name: string, host: string): Promise<string[]> => {
  try {
    return (await lookup(name, { all: true })).map(each => each.address)
  } catch (cause) {
    throw new MortiseError('provider_unavailable', `The name ${host} cannot be resolved.`, { sent: false, cause })
  }
}

/** Whatever the name says by now, a checked address is used: the first that answers. */
const pinned =
  (addresses: readonly string[]): LookupFunction =>
  (_name, options, answer) => {
    const all = addresses.map(address => ({ address, family: isIP(address) }))
    if (options.all) answer(null, all)
    else answer(null, all[0]?.address ?? '', all[0]?.family)
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
