/** Calls of a provider's API through a connection: like fetch, but for the credential, which the hub attaches. */
import { type Hub, type QueryValue, queryText, segment, toJson } from './call.ts'
import { badRequest, errorOf, isMortiseError } from './errors.ts'
import type { CallOptions } from './send.ts'

export interface ProxyInit extends Omit<CallOptions, 'retries'> {
  readonly method?: string | undefined
  readonly headers?: ConstructorParameters<typeof Headers>[0] | undefined
  /** As fetch takes it; a stream is sent as it comes, and once. */
  readonly body?: RequestInit['body'] | undefined
  /** In place of `body`: sent as JSON. */
  readonly json?: unknown
  /** Joined to what the path has of a query. A list is one parameter several times. */
  readonly query?: Readonly<Record<string, QueryValue>> | undefined
  /** How often the hub tries again at the provider. Left out: as the provider's definition says. */
  readonly retries?: number | undefined
  /** Statuses of the provider upon which it does. */
  readonly retryOn?: readonly number[] | undefined
  /** Another of the provider's hosts than its usual one. */
  readonly baseUrl?: string | undefined
}

type Ask = (path: string, init?: Omit<ProxyInit, 'method'>) => Promise<Response>

/**
 * `path` begins with a slash, as the provider documents it, and may have a query. Answers with the provider's own response,
 * whatever its status; what the hub itself says no to is thrown. `timeoutMs` is the time until an answer begins, and
 * `signal` ends its body too.
 */
export interface ProviderFetch {
  (path: string, init?: ProxyInit): Promise<Response>
  readonly get: Ask
  readonly head: Ask
  readonly post: Ask
  readonly put: Ask
  readonly patch: Ask
  readonly delete: Ask
}

/** What a URL would silently change: the request must go where it says, and not up to a route of the hub. */
const checkPath = (path: unknown): string => {
  if (typeof path !== 'string' || !path.startsWith('/'))
    throw badRequest('path', 'The path begins with a slash, like /v1/users/me. Another host is named by baseUrl.')
  if (/[\\#\s\p{Cc}]/u.test(path))
    throw badRequest('path', 'The path has a backslash, a # or a blank in it. Percent-encode it.')
  if (/(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path.replace(/\?.*/s, '')))
    throw badRequest('path', 'The path has a part of dots alone in it, which would lead elsewhere.')
  return path
}

/** The runtime's own error would repeat what stands in a header. */
const toHeaders = (given: ProxyInit['headers']): Headers => {
  let headers: Headers
  try {
    headers = new Headers(given)
  } catch {
    throw badRequest('headers', 'A header has a name or a value that cannot be sent.')
  }
  if (headers.has('authorization'))
    throw badRequest('headers', 'The hub attaches the credential itself: leave authorization out.')
  return headers
}

/** What fetch does not send at all. */
const toMethod = (given: string): string => {
  const method = given.toUpperCase()
  if (/^[A-Z]+$/.test(method) && !/^(CONNECT|TRACE|TRACK)$/.test(method)) return method
  throw badRequest('method', 'The method is none that can be sent, like GET or POST.')
}

/** Whether an error is about the way to the hub. What the hub tried at the provider, it has tried often enough. */
const ofTheWay = (error: unknown): boolean =>
  isMortiseError(error, 'hub_unreachable', 'timeout', 'hub_invalid_answer', 'rate_limited')

const isStream = (body: unknown): boolean =>
  typeof body === 'object' && body !== null && (body instanceof ReadableStream || Symbol.asyncIterator in body)

export const proxyOf = (hub: Hub, id: string): ProviderFetch => {
  const ask = async (path: string, init: ProxyInit = {}): Promise<Response> => {
    const { method = 'GET', json, query, retries, retryOn, baseUrl, timeoutMs, totalTimeoutMs, signal } = init
    const [before = '', ...after] = checkPath(path).split('?')
    const headers = toHeaders(init.headers)
    const upper = toMethod(method)
    const reads = upper === 'GET' || upper === 'HEAD'
    if (reads && (json !== undefined || init.body != null)) throw badRequest('body', `${upper} takes no body.`)
    if (json !== undefined && init.body != null) throw badRequest('json', 'Give json or body, not both.')
    if (json !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/json')
    const body = json === undefined ? (init.body ?? undefined) : toJson(json)
    if (retries !== undefined) headers.set('mortise-retries', String(retries))
    if (retryOn !== undefined) headers.set('mortise-retry-on', retryOn.join(','))
    if (baseUrl !== undefined) headers.set('mortise-base-url', baseUrl)
    return hub.send(
      {
        method: upper,
        path: `/connections/${segment('id', id)}/proxy${before}`,
        query: [after.join('?'), queryText(query)].filter(each => each !== '').join('&'),
        headers,
        body,
        repeatable: reads,
        once: isStream(body),
        worth: ofTheWay,
      },
      async response => {
        if (response.headers.get('mortise-answer-from') === 'provider') return response
        throw errorOf(response, await response.text())
      },
      { timeoutMs, totalTimeoutMs, signal },
    )
  }
  const by =
    (method: string): Ask =>
    (path, init) =>
      ask(path, { ...init, method })
  return Object.assign(ask, {
    get: by('GET'),
    head: by('HEAD'),
    post: by('POST'),
    put: by('PUT'),
    patch: by('PATCH'),
    delete: by('DELETE'),
  })
}
