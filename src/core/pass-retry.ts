/** What of a proxied call is tried again, and when. Pure. */
import type { Context } from './context.ts'
import type { PassRequest } from './pass-request.ts'
import { retryAfter, type StreamAnswer } from './ports.ts'
import type { Provider } from './provider.ts'

export interface RetryRules {
  /** How often more. */
  readonly times: number
  readonly on: readonly number[]
  /** Sent twice, it does no more than sent once. */
  readonly repeatable: boolean
  /** The caller says how often. */
  readonly asked: boolean
}

/** Methods that do no more by being sent twice (RFC 9110 §9.2.2, RFC 4918, RFC 3253, RFC 9110's successor for QUERY). */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY'])

const usual = { times: 2, on: [429, 502, 503, 504] }
/** Milliseconds from the first try, after which none begins. */
const within = 20_000

/** What the definition says, where the caller says nothing. A count of the caller's is for any method. */
export const retryRules = (
  { api }: Provider,
  { method, retries, retryOn }: Pick<PassRequest, 'method' | 'retries' | 'retryOn'>,
): RetryRules => {
  const also: readonly string[] = api.retry?.also ?? []
  return {
    times: retries ?? (api.retry ?? usual).times,
    on: retryOn ?? (api.retry ?? usual).on,
    repeatable: idempotent.has(method) || also.includes(method),
    asked: retries !== undefined,
  }
}

/** Milliseconds to wait before the next try, or undefined where it would come too late: what the provider asks for, or else more each time. */
export const waitFor = (
  tries: number,
  answer: StreamAnswer | undefined,
  began: number,
  { clock }: Pick<Context, 'clock'>,
): number | undefined => {
  const header = answer?.headers['retry-after']
  const asked = typeof header === 'string' ? retryAfter(header, clock.now()) : undefined
  const wait = asked === undefined ? 250 * 2 ** tries * (0.75 + 0.5 * Math.random()) : asked * 1000
  return performance.now() - began + wait > within ? undefined : wait
}
