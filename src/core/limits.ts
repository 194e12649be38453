/** How long a provider is waited for, and how much passes: each as the operator set it for an integration, or the usual. Pure. */
import { MortiseError } from './errors.ts'
import type { CallRequest, StreamAnswer, StreamRequest } from './ports.ts'

export interface Limits {
  /** From the end of a request to the beginning of its answer; for an action, the whole call. */
  readonly firstByteSeconds?: number
  /** Without a byte, of a body under way. */
  readonly idleSeconds?: number
  /** Of the body of a request. */
  readonly requestBytes?: number
  /** Of the body of an answer, as it comes: compressed perhaps. */
  readonly answerBytes?: number
}

/** What each may be at most; at least it is 1. */
export const mostOf: Readonly<Record<keyof Limits, number>> = {
  firstByteSeconds: 3600,
  idleSeconds: 3600,
  requestBytes: 1_000_000_000_000,
  answerBytes: 1_000_000_000_000,
}

/** null: the usual. What is not named stays. */
export type LimitsChange = { readonly [K in keyof Limits]?: number | null | undefined }

export const changedLimits = (before: Limits | undefined, change: LimitsChange | null): Limits | undefined => {
  if (change === null) return undefined
  const named = Object.entries(change).filter(([, value]) => value !== undefined)
  const next = Object.fromEntries(
    Object.entries({ ...before, ...Object.fromEntries(named) }).filter(([, value]) => value !== null),
  )
  return Object.keys(next).length === 0 ? undefined : next
}

/** Milliseconds that the proxy waits. */
const usual = 60_000
/** Bytes of an answer that an action takes at most, since it is kept whole. */
const mostKept = 10_000_000

type Limited = { readonly limits?: Limits }

export const ofStream = ({ limits }: Limited): Pick<StreamRequest, 'firstByte' | 'idle' | 'limit'> => ({
  firstByte: limits?.firstByteSeconds === undefined ? usual : limits.firstByteSeconds * 1000,
  idle: limits?.idleSeconds === undefined ? usual : limits.idleSeconds * 1000,
  limit: limits?.answerBytes,
})

/** An action has the room's own time, unless one is set. */
export const ofCall = ({ limits }: Limited): Pick<CallRequest, 'timeout' | 'limit'> => ({
  limit: Math.min(limits?.answerBytes ?? mostKept, mostKept),
  ...(limits?.firstByteSeconds === undefined ? {} : { timeout: limits.firstByteSeconds * 1000 }),
})

/** Throws `invalid_request` for a body that is longer than the integration lets pass. */
export const checkLength = ({ limits }: Limited, bytes: number | undefined): void => {
  const most = limits?.requestBytes
  if (most === undefined || bytes === undefined || bytes <= most) return
  throw new MortiseError(
    'invalid_request',
    `The body has more than ${most} bytes, which is the limit of this integration. Send less, or ask its operator to raise requestBytes.`,
    { reason: 'body_too_large' },
  )
}

/** Pieces of a body whose length is not known before its end: what is too long fails on its way, and is never sent whole. */
export const withinLength = (limited: Limited, pieces: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> =>
  limited.limits?.requestBytes === undefined ? pieces : counted(limited, pieces)

async function* counted(limited: Limited, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.length
    checkLength(limited, bytes)
    yield piece
  }
}

/** Throws `provider_invalid_response` for an answer that says itself that it is too long, before anything of it is handed on. */
export const checkAnswer = ({ limits }: Limited, method: string, { status, headers, body }: StreamAnswer): void => {
  const most = limits?.answerBytes
  // These have the length of a body that does not come.
  if (most === undefined || method === 'HEAD' || status === 304) return
  if (!(Number(headers['content-length'] ?? 0) > most)) return
  body.cancel()
  throw new MortiseError(
    'provider_invalid_response',
    `The answer has more than ${most} bytes, which is the limit of this integration. Ask for less, or its operator to raise answerBytes.`,
    { sent: true },
  )
}
