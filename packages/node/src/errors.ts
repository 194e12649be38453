/** The one error of this package. */
import type { ActionAnswer, ErrorAnswer } from './api.ts'

type Told = ErrorAnswer['error']
type ProviderAnswer = Omit<ActionAnswer, 'failure'>

/** Codes of the hub. One that is newer than this package comes through as it is. */
export type HubErrorCode = Told['code']

/**
 * Codes of this package:
 *
 * - `not_configured`: the hub's URL or the key is missing or malformed;
 * - `hub_unreachable`: no hub answered, or the connection broke;
 * - `timeout`: it did not answer in time;
 * - `hub_invalid_answer`: what answered is no hub, or something in front of it;
 * - `webhook_invalid`: a delivery that the hub did not sign, or not lately.
 *
 * What this package refuses before it asks the hub is `invalid_request`, as the hub would say.
 */
export type LocalErrorCode = 'not_configured' | 'hub_unreachable' | 'timeout' | 'hub_invalid_answer' | 'webhook_invalid'

export type ErrorCode = HubErrorCode | LocalErrorCode

/** `us`: the makers and the operator of the hub, whose log has the cause. */
export type Actor = Told['actor']

interface Details {
  readonly whoMustAct: Actor
  readonly retryable: boolean
  readonly status?: number | undefined
  readonly requestId?: string | undefined
  readonly reason?: string | undefined
  readonly parameter?: string | undefined
  readonly retryAfter?: number | undefined
  readonly answer?: ProviderAnswer | undefined
  readonly cause?: unknown
}

/** `message` is a sentence or two that say what is wrong and who must do what next. No secret is in it. */
export class MortiseError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'MortiseError'
  readonly code: Code
  /** Who must act. */
  readonly whoMustAct: Actor
  /** Whether the same call may work later. */
  readonly retryable: boolean
  /** The HTTP status; undefined where there was no answer. */
  readonly status: number | undefined
  /** Names the request in the log of the hub. */
  readonly requestId: string | undefined
  /** A finer cause, where there is one. */
  readonly reason: string | undefined
  /** The parameter or field at fault. */
  readonly parameter: string | undefined
  /** Seconds after which to try again, where that was said. */
  readonly retryAfter: number | undefined
  /** The provider's own answer, where it refused a page of a walk. */
  readonly answer: ProviderAnswer | undefined

  constructor(code: Code, message: string, details: Details) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.whoMustAct = details.whoMustAct
    this.retryable = details.retryable
    this.status = details.status
    this.requestId = details.requestId
    this.reason = details.reason
    this.parameter = details.parameter
    this.retryAfter = details.retryAfter
    this.answer = details.answer
  }
}

/** Whether something thrown is an error of this package; with codes, one of these. */
export const isMortiseError = <Code extends ErrorCode = ErrorCode>(
  thrown: unknown,
  ...codes: readonly Code[]
): thrown is MortiseError<Code> =>
  thrown instanceof MortiseError && (codes.length === 0 || codes.some(code => code === thrown.code))

/** What this package refuses by itself. */
export const badRequest = (parameter: string, message: string): MortiseError =>
  new MortiseError('invalid_request', message, { whoMustAct: 'caller', retryable: false, parameter })

/** What may work when it is tried again. The others need somebody to do something first. */
const passing: ReadonlySet<string> = new Set<HubErrorCode>([
  'rate_limited',
  'provider_unavailable',
  'provider_invalid_response',
  'internal',
])

/** Of a code of the hub: whether it may pass by itself. */
export const passes = (code: string): boolean => passing.has(code)

const passingStatus = new Set([408, 429, 502, 503, 504])

/** `Retry-After`: seconds, or a date. */
const retryAfterOf = (headers: Headers, now: number): number | undefined => {
  const text = headers.get('retry-after')?.trim()
  if (!text) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, Math.ceil((at - now) / 1000))
}

const toldIn = (body: unknown): Partial<Told> | undefined => {
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined
  const { error } = body
  return typeof error === 'object' && error !== null ? error : undefined
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

type Answered = Pick<Response, 'status' | 'headers' | 'url'>

const commonOf = ({ status, headers }: Answered, told: Partial<Told> | undefined, now: number) => ({
  status,
  requestId: told?.requestId ?? headers.get('x-request-id') ?? undefined,
  retryAfter: retryAfterOf(headers, now),
})

/** An answer that is no success, as an error. */
export const errorOf = (answer: Answered, text: string, now = Date.now()): MortiseError => {
  const told = toldIn(parsed(text))
  if (typeof told?.code === 'string' && typeof told.message === 'string')
    return new MortiseError(told.code, told.message, {
      ...commonOf(answer, told, now),
      whoMustAct: told.actor ?? 'us',
      retryable: passes(told.code),
      reason: told.reason,
      parameter: told.parameter,
    })
  return new MortiseError('hub_invalid_answer', strange(answer), {
    ...commonOf(answer, undefined, now),
    whoMustAct: 'operator',
    retryable: passingStatus.has(answer.status),
  })
}

const strange = ({ status, headers, url }: Answered): string => {
  const where = URL.canParse(url) ? ` at ${new URL(url).origin}` : ''
  const target = headers.get('location') ?? ''
  if (status >= 300 && status < 400 && URL.canParse(target))
    return `What answers${where} sends on to ${new URL(target).origin}. Give the hub's own URL.`
  return `What answers${where} is no Mortise hub, or something in front of it (status ${status}). Check the URL, and what stands between.`
}
