import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Answer } from './expectation.ts'
import type { Call } from './types.ts'

const MAX_BODY = 1024 * 1024

export interface Body {
  readonly kind: 'form' | 'json' | 'none' | 'other'
  /** Top-level parameters. Strings in a form; anything in JSON. Empty ones count as not sent (RFC 6749 §3.1, §3.2). */
  readonly values: ReadonlyMap<string, unknown>
  readonly json: unknown
  /** As it was sent; absent where there was none. */
  readonly raw?: string
  /** Of a form, every parameter as it was sent: a signature covers them all. */
  readonly form?: URLSearchParams
  /** Why the body cannot be taken: malformed, or a parameter twice. */
  readonly problem?: string
}

export interface Incoming {
  readonly method: string
  readonly host: string
  readonly path: string
  /** As it was sent: '', or from the question mark on. */
  readonly search: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Body
}

/** What a handler decided. `call` is written to the log, `html` is sent as a page. */
export interface Reply {
  readonly answer: Answer
  readonly call?: Omit<Call, 'at' | 'status' | 'method' | 'host' | 'parameters' | 'scheme'>
  readonly csp?: string
  readonly delayMs?: number
  /** What a call of the token endpoint came with. */
  readonly refreshToken?: string | undefined
  readonly lose?: boolean
}

export class BodyTooLarge extends Error {}
/** The caller went away: there is nobody to answer. */
export class Gone extends Error {}

export const readBody = (req: IncomingMessage): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    req.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > MAX_BODY) {
        // Read on and thrown away, so that the answer is not lost in a reset connection.
        chunks.length = 0
        reject(new BodyTooLarge())
      } else chunks.push(chunk)
    })
    req.on('end', () => resolve(Buffer.concat(chunks)))
    req.on('error', () => reject(new Gone()))
    req.on('close', () => reject(new Gone()))
  })

/** The first name that occurs twice. */
export const duplicate = (params: URLSearchParams): string | undefined => {
  const seen = new Set<string>()
  for (const name of params.keys()) {
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const parseBody = (contentType: string | undefined, bytes: Buffer): Body => {
  const none = new Map<string, unknown>()
  if (bytes.length === 0) return { kind: 'none', values: none, json: undefined }
  const type = (contentType ?? '').replace(/;.*/s, '').trim().toLowerCase()
  const kind = type === 'application/x-www-form-urlencoded' ? 'form' : type === 'application/json' ? 'json' : 'other'
  const raw = bytes.toString()
  if (kind === 'other') return { kind, values: none, json: undefined, raw }
  const bad = (problem: string): Body => ({ kind, values: none, json: undefined, raw, problem })
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return bad('the body is not UTF-8')
  }
  if (kind === 'form') {
    const params = new URLSearchParams(text)
    const values = new Map<string, unknown>([...params].filter(([, value]) => value !== ''))
    const twice = duplicate(params)
    if (twice === undefined) return { kind, values, json: undefined, raw, form: params }
    return { kind, values, json: undefined, raw, form: params, problem: 'a parameter was sent more than once' }
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return bad('the body is not valid JSON')
  }
  const entries = isObject(json) ? Object.entries(json).filter(([, value]) => value !== '' && value !== null) : []
  return { kind, values: new Map(entries), json, raw }
}

/** A parameter of the body that must be a string to count. */
export const text = (body: Body, name: string): string | undefined => {
  const value = body.values.get(name)
  return typeof value === 'string' ? value : undefined
}

/** A parameter of any type, as text: what documentation says of its value is compared with this. */
export const anyText = (body: Body, name: string): string | undefined => {
  const value = body.values.get(name)
  if (value === undefined || typeof value === 'string') return value
  return JSON.stringify(value)
}

export const headersOf = (req: IncomingMessage): Record<string, string | undefined> =>
  Object.fromEntries(
    Object.entries(req.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )

/** DNS rebinding: a page on the web may point its own name at loopback, but it cannot change the Host header. */
export const loopbackHost = (host: string | undefined): boolean =>
  host !== undefined && /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i.test(host)

export const json = (status: number, body: unknown, headers?: Readonly<Record<string, string>>): Answer => ({
  status,
  body,
  ...(headers ? { headers } : {}),
})

const BARE_CSP = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"

export const send = (res: ServerResponse, answer: Answer, csp: string = BARE_CSP): void => {
  if (res.destroyed || res.headersSent) return
  const headers: Record<string, string> = {
    'cache-control': 'no-store',
    'content-security-policy': csp,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  }
  let payload = ''
  if (typeof answer.body === 'string') {
    payload = answer.body
    if (payload !== '') headers['content-type'] = 'text/plain; charset=utf-8'
  } else if (answer.body !== undefined && answer.body !== null) {
    payload = JSON.stringify(answer.body)
    headers['content-type'] = 'application/json; charset=utf-8'
  }
  for (const [name, value] of Object.entries(answer.headers ?? {})) headers[name.toLowerCase()] = value
  const bare = answer.status === 204 || answer.status === 304
  if (!bare) headers['content-length'] = String(Buffer.byteLength(payload))
  res.writeHead(answer.status, headers)
  res.end(bare ? '' : payload)
}
