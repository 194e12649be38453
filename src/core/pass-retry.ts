/** What of a proxied call is tried again, and when. Pure. */
import type { Context } from './context.ts'
import type { PassRequest } from './pass-request.ts'
import { retryAfter, type StreamAnswer } from './ports.ts'
import type { Provider } from './provider.ts'

export interface RetryRules {
  /** How often more. */
  readonly times: number
  readonly on: ReadonlySet<number>
  /** Milliseconds from the first try, after which none begins. */
  readonly within: number
}

/** Methods that do no more by being sent twice (RFC 9110 §9.2.2, RFC 4918, RFC 3253, RFC 9110's successor for QUERY). */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY'])
export const isIdempotent = (method: string): boolean => idempotent.has(method)

const usual = new Set([429, 502, 503, 504])
const within = 20_000

const usually: RetryRules = { times: 2, on: usual, within }

export const retryRules = (
  _provider: Provider,
  { retries, retryOn }: Pick<PassRequest, 'retries' | 'retryOn'>,
): RetryRules =>
  retries === undefined && retryOn === undefined
    ? usually
    : { times: retries ?? usually.times, on: retryOn ? new Set(retryOn) : usually.on, within }

/** Milliseconds to wait before the next try, or undefined where it would come too late: what the provider asks for, or else more each time. */
export const waitFor = (
  rules: RetryRules,
  tries: number,
  answer: StreamAnswer | undefined,
  began: number,
  { clock }: Pick<Context, 'clock'>,
): number | undefined => {
  const header = answer?.headers['retry-after']
  const asked = typeof header === 'string' ? retryAfter(header, clock.now()) : undefined
  const wait = asked === undefined ? 250 * 2 ** tries * (0.75 + 0.5 * Math.random()) : asked * 1000
  return performance.now() - began + wait > rules.within ? undefined : wait
}
