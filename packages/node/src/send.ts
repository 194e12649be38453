/** One call of the hub, with its tries: what is repeated, how long it may take, and what ends it. */
import { MortiseError } from './errors.ts'

export interface CallOptions {
  /** Ends the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** How long one try may take, in milliseconds; 30,000 unless told. */
  readonly timeoutMs?: number | undefined
  /** How long the call may take with all its tries, in milliseconds; 60,000 unless told. */
  readonly totalTimeoutMs?: number | undefined
  /** How often it is tried again where that may help; 2 unless told. */
  readonly retries?: number | undefined
}

export interface Limits {
  readonly timeoutMs: number
  readonly totalTimeoutMs: number
  readonly retries: number
}

export const usualLimits: Limits = { timeoutMs: 30_000, totalTimeoutMs: 60_000, retries: 2 }

export interface Outgoing {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body?: NonNullable<RequestInit['body']> | undefined
  /** Whether it may be done twice. If not, only what the hub cannot have done is tried again. */
  readonly repeatable: boolean
  /** A stream is read once, so it is sent once. */
  readonly once?: boolean
  /** Whether an error that may pass is worth another try of this call; all are unless told. */
  readonly worth?: (error: MortiseError) => boolean
}

/** What an answer comes to. `repeated`: an earlier try of the same call may have been done. */
export type Read<T> = (response: Response, repeated: boolean) => Promise<T>

/** Where a request fails before a byte of it is sent. */
const before = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** A certificate that is refused now will be refused again. */
const isCertificate = (code: string): boolean => /CERT|SELF_SIGNED|UNABLE_TO_|^ERR_TLS_/.test(code)

const codeOf = (thrown: unknown): string => {
  const { cause } = Object(thrown) as { cause?: { code?: unknown } }
  return typeof cause?.code === 'string' ? cause.code : ''
}

/** Numbers that make sense; a misspelt one must not become "no limit". */
export const checkLimits = (given: CallOptions): void => {
  for (const name of ['timeoutMs', 'totalTimeoutMs', 'retries'] as const) {
    const value = given[name]
    const least = name === 'retries' ? 0 : 1
    if (value !== undefined && !(Number.isInteger(value) && value >= least && value < 2 ** 31))
      throw new MortiseError('invalid_request', `${name} is a whole number from ${least} on, not ${String(value)}.`, {
        whoMustAct: 'caller',
        retryable: false,
        parameter: name,
      })
  }
}

/** Up to 0.4 s, 0.8 s, … 5 s, at random, so that those who failed together do not come back together. */
const pauseBefore = (tried: number): number => Math.random() * Math.min(5000, 400 * 2 ** tried)

/** Rejects with the signal's reason. */
export const pause = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((done, fail) => {
    if (signal?.aborted) return fail(signal.reason)
    const end = () => {
      clearTimeout(timer)
      fail(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end)
      done()
    }, ms)
    signal?.addEventListener('abort', end, { once: true })
  })

/** Why a try gave no answer, and whether the hub may have done what it asked. */
interface Failure {
  readonly error: MortiseError
  readonly maybeDone: boolean
}

const failureOf = (thrown: unknown, { method, url, repeatable }: Outgoing): Failure => {
  const code = codeOf(thrown)
  const unsent = before.has(code) || isCertificate(code)
  const doubt = unsent || repeatable ? '' : ' What was asked may have been done: look before you ask again.'
  const error = new MortiseError(
    'hub_unreachable',
    `No hub answered ${method} ${url.pathname} at ${url.origin}${code && ` (${code})`}. Check that it runs there, and can be reached from here.${doubt}`,
    { whoMustAct: 'operator', retryable: !isCertificate(code), cause: thrown },
  )
  return { error, maybeDone: !unsent }
}

const timedOut = ({ method, url, repeatable }: Outgoing, ms: number): Failure => ({
  error: new MortiseError(
    'timeout',
    `The hub at ${url.origin} did not answer ${method} ${url.pathname} within ${ms / 1000} s.${repeatable ? '' : ' What was asked may have been done: look before you ask again.'}`,
    { whoMustAct: 'operator', retryable: true },
  ),
  maybeDone: true,
})

/** An answer that is an error may mean that nothing was done, or that nobody knows. */
const afterAnswer = (error: MortiseError): Failure => ({
  error,
  maybeDone: error.code !== 'rate_limited' && error.status !== 429,
})

export type Send = <T>(outgoing: Outgoing, read: Read<T>, options: CallOptions) => Promise<T>

/** `usual` holds where a call says nothing. */
export const createSend =
  (usual: Limits, fetch: typeof globalThis.fetch): Send =>
  async (outgoing, read, options) => {
    checkLimits(options)
    const { signal } = options
    const timeoutMs = options.timeoutMs ?? usual.timeoutMs
    const retries = options.retries ?? usual.retries
    const deadline = performance.now() + (options.totalTimeoutMs ?? usual.totalTimeoutMs)
    const { method, url, headers, body, repeatable, once = false, worth = () => true } = outgoing
    let repeated = false

    for (let tried = 0; ; tried++) {
      signal?.throwIfAborted()
      const limit = new AbortController()
      const ms = Math.max(1, Math.ceil(Math.min(timeoutMs, deadline - performance.now())))
      const timer = setTimeout(() => limit.abort(), ms)
      let failure: Failure
      try {
        const response = await fetch(url, {
          method,
          headers,
          ...(body === undefined ? {} : { body }),
          ...(once ? { duplex: 'half' } : {}),
          // A key goes to the hub alone.
          redirect: 'manual',
          signal: signal ? AbortSignal.any([signal, limit.signal]) : limit.signal,
        })
        return await read(response, repeated)
      } catch (thrown) {
        signal?.throwIfAborted()
        if (limit.signal.aborted) failure = timedOut(outgoing, ms)
        else failure = thrown instanceof MortiseError ? afterAnswer(thrown) : failureOf(thrown, outgoing)
      } finally {
        clearTimeout(timer)
      }
      const { error, maybeDone } = failure
      repeated ||= maybeDone
      const wait = Math.max((error.retryAfter ?? 0) * 1000, pauseBefore(tried))
      const again = error.retryable && worth(error) && !once && (repeatable || !maybeDone)
      if (!again || tried >= retries || performance.now() + wait >= deadline) throw error
      await pause(wait, signal)
    }
  }
