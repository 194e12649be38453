/** The one way out: every class of the application calls ALLOY_BASE_URL through this. It prints nothing. */
import { defaultBaseUrl, isLoopback, setting } from './config.ts'
import { placeOf } from './env-file.ts'

/** What an answer holds, under the names that axios gave it. */
export interface AlloyAnswer<T = unknown> {
  readonly data: T
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

export interface CallOptions {
  readonly params?: Readonly<Record<string, string | number | undefined>>
  readonly headers?: Readonly<Record<string, string>>
}

export interface AlloyHttp {
  get<T = unknown>(path: string, options?: CallOptions): Promise<AlloyAnswer<T>>
  post<T = unknown>(path: string, body?: unknown, options?: CallOptions): Promise<AlloyAnswer<T>>
  put<T = unknown>(path: string, body?: unknown, options?: CallOptions): Promise<AlloyAnswer<T>>
  delete<T = unknown>(path: string, options?: CallOptions): Promise<AlloyAnswer<T>>
}

/** The server refused (`status` says how), or none answered (`status` is 0). The message is the server's own. */
export class AlloyError extends Error {
  readonly status: number
  readonly code: string | undefined
  /** The fields at fault, where the server names them. */
  readonly fields: readonly string[]

  constructor(
    message: string,
    parts: { status: number; code?: string | undefined; fields?: readonly string[]; cause?: unknown },
  ) {
    super(message, { cause: parts.cause })
    this.name = 'AlloyError'
    this.status = parts.status
    this.code = parts.code
    this.fields = parts.fields ?? []
  }
}

/** The current version: S1's and S3's header. */
export const apiVersion = '2025-09'

export interface AlloyServer {
  readonly baseUrl: string
  readonly apiKey: string
  /** How long an answer may take. Milliseconds. */
  readonly patience?: number
}

export const alloyHttp = (target: AlloyServer): AlloyHttp => {
  const { apiKey, patience = 30_000 } = target
  const baseUrl = target.baseUrl.replace(/\/+$/, '')
  const call = async <T>(method: string, path: string, body: unknown, options: CallOptions = {}) => {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(options.params ?? {}))
      if (value !== undefined) query.set(name, String(value))
    const url = `${baseUrl}${path}${query.size > 0 ? `${path.includes('?') ? '&' : '?'}${query}` : ''}`
    const response = await fetch(url, {
      method,
      headers: {
        accept: 'application/json',
        'x-api-version': apiVersion,
        ...(apiKey ? { authorization: `Bearer ${apiKey}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      // A key goes to the base URL and nowhere else.
      redirect: 'manual',
      signal: AbortSignal.timeout(patience),
    }).catch((error: unknown) => {
      throw unreachable(baseUrl, patience, error)
    })
    const text = await response.text().catch((error: unknown) => {
      throw unreachable(baseUrl, patience, error)
    })
    const data = parsed(text)
    if (!response.ok) throw refused(`${method} ${path}`, baseUrl, response.status, data, apiKey)
    return { data: data as T, status: response.status, headers: Object.fromEntries(response.headers) }
  }
  return {
    get: (path, options) => call('GET', path, undefined, options),
    post: (path, body, options) => call('POST', path, body, options),
    put: (path, body, options) => call('PUT', path, body, options),
    delete: (path, options) => call('DELETE', path, undefined, options),
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const unreachable = (baseUrl: string, patience: number, error: unknown): AlloyError => {
  const code = codeOf(error)
  const message =
    error instanceof Error && error.name === 'TimeoutError'
      ? `${baseUrl} did not answer within ${patience / 1000} seconds.`
      : isLoopback(baseUrl) && code === 'ECONNREFUSED'
        ? `No hub answers at ${baseUrl}. Start it in another terminal: npm start${baseUrl === defaultBaseUrl ? '' : ', or correct ALLOY_BASE_URL in .env.'}`
        : `${baseUrl} cannot be reached${code ? ` (${code})` : ''}. Check ALLOY_BASE_URL and the network.`
  return new AlloyError(message, { status: 0, cause: error })
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && error.cause instanceof Error && 'code' in error.cause ? String(error.cause.code) : undefined

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

/** Reads every error shape that is known: `{error: {message, details: [{properties, message}]}}`, `{message}`, `{error}`. */
const refused = (request: string, baseUrl: string, status: number, data: unknown, apiKey: string): AlloyError => {
  const body = isObject(data) ? data : {}
  const error = isObject(body['error']) ? body['error'] : {}
  const details = Array.isArray(error['details']) ? error['details'].filter(isObject) : []
  const main =
    textOf(body['message']) ?? textOf(error['message']) ?? textOf(body['error_description']) ?? textOf(body['error'])
  const more = details.flatMap(each => textOf(each['message']) ?? []).filter(each => !main?.includes(each))
  const said = [...(main !== undefined ? [main] : []), ...new Set(more)].join(': ')
  const hint = textOf(error['hint'])
  if (status === 401 && apiKey === '') return new AlloyError(keyNeeded(baseUrl), { status, code: 'key_missing' })
  const message = said === '' ? `${request} at ${baseUrl} was answered with status ${status}.` : said
  const hinted = plain(hint === undefined || message.includes(hint) ? message : `${message} ${hint}`)
  const whole =
    status === 401 && apiKey === setting('ALLOY_API_KEY')
      ? `${hinted.replace(/[.\s]*$/, '.')} The key is that of ALLOY_API_KEY in ${placeOf('ALLOY_API_KEY')}.`
      : hinted
  return new AlloyError(apiKey === '' ? whole : whole.replaceAll(apiKey, '[key]'), {
    status,
    code: textOf(body['code']) ?? textOf(error['code']),
    fields: details.flatMap(each => textOf(each['properties']) ?? []),
  })
}

const keyNeeded = (baseUrl: string): string =>
  isLoopback(baseUrl)
    ? 'This hub needs a key. Make one: npx mortise key create. Then put it into .env: ALLOY_API_KEY=<the key>'
    : `ALLOY_API_KEY is not set, and ${baseUrl} needs a key. Make one there (Settings → API Keys, or on a Mortise hub: npx mortise key create) and put it into .env: ALLOY_API_KEY=<the key>`

/** A server's text without the control characters that would drive a terminal. */
export const plain = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, ' ')

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
