/** What core needs of the world. Each port is implemented by one room and handed to `createHub`. */
import type { Secret } from './credential.ts'

/** The time. Injected, so that tests need no sleeps. */
export interface Clock {
  now(): Date
}

/** A fixed phrase and fields: no bodies, no query strings, no secrets. */
export interface Log {
  info(phrase: string, fields?: Record<string, unknown>): void
  warn(phrase: string, fields?: Record<string, unknown>): void
  error(phrase: string, fields?: Record<string, unknown>): void
}

export interface CallRequest {
  readonly method: string
  /** The provider's real URL, even for a sandboxed integration. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** The integration is played by the sandbox: the room maps the host there. */
  readonly sandbox: boolean
  /** Where it goes was set by the operator for their own app (a webhook): in `dev`, that may be on this machine. */
  readonly operator?: true
  /** On `performance.now()`: once it has passed, nothing is sent any more. Looked at when the first byte would go out. */
  readonly sendBefore?: number
  /** Milliseconds for the whole call, where not the room's own. */
  readonly timeout?: number
  /** Bytes of an answer that are taken, where not the room's own. */
  readonly limit?: number
}

/** Too many requests, or the server's own fault: the same request may work later. */
export const isOutage = (status: number): boolean => status === 429 || status >= 500

/** Seconds to wait, as an answer's Retry-After says (RFC 9110 §10.2.3: seconds, or a date). */
export const retryAfter = (header: string | undefined, now: Date): number | undefined => {
  if (header === undefined) return undefined
  const seconds = /^\d+$/.test(header) ? Number(header) : Math.ceil((Date.parse(header) - now.getTime()) / 1000)
  return seconds > 0 ? seconds : undefined
}

export interface CallResponse {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * One bounded, buffered request to a provider (token endpoints, identity): a time limit, a size limit, no redirects
 * followed, and only to addresses that the operator's policy allows.
 * Throws `provider_unavailable` with `details.sent` (false: no byte left us), `provider_invalid_response` for an answer
 * that is too large, `integration_misconfigured` for an address that is not allowed.
 */
export interface Call {
  send(request: CallRequest): Promise<CallResponse>
  /** Where a browser finds a provider's page: the URL itself, or the sandbox's copy of it. */
  page(url: string, sandbox: boolean): string
}

export interface StreamRequest {
  readonly method: string
  /** The provider's real URL, even for a sandboxed integration. What follows its origin is sent letter for letter. */
  readonly url: string
  /** Lower-case names. */
  readonly headers: StreamHeaders
  /** Whole, or piece by piece as it comes: then no faster than it is taken. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined
  /** Bytes of a body that comes piece by piece, where they are known. */
  readonly length?: number | undefined
  /** The integration is played by the sandbox: the room maps the host there. */
  readonly sandbox: boolean
  /** Milliseconds from the end of the request to the beginning of its answer. */
  readonly firstByte: number
  /** Milliseconds without a byte, of a request or an answer that comes piece by piece. */
  readonly idle: number
  /** Bytes of an answer that are taken. */
  readonly limit?: number | undefined
  /** Tells that the caller is gone. */
  readonly signal?: Gone | undefined
}

/** An AbortSignal, or what has as much of one. */
export interface Gone {
  readonly aborted: boolean
  addEventListener(event: 'abort', hear: () => void, options: { readonly once: true }): void
  removeEventListener(event: 'abort', hear: () => void): void
}

export type StreamHeaders = Readonly<Record<string, string | readonly string[]>>

/** What takes an answer's body, as a writable does. */
export interface Sink {
  /** false: nothing more until `resume`. */
  write(piece: Uint8Array): boolean
  end(last?: Uint8Array): void
  /** It broke off. */
  fail(error: Error): void
}

/** A body under way. Until somebody takes it, 64 kB are kept of it, and the sender waits. It is taken once. */
export interface StreamBody extends AsyncIterable<Uint8Array> {
  to(sink: Sink): void
  resume(): void
  /** Its beginning, which stays: whole, if there are no more than 64 kB of it. */
  peek(): Promise<{ readonly bytes: Uint8Array; readonly whole: boolean }>
  /** It is not wanted any more: the provider is cut off. */
  cancel(): void
}

export interface StreamAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: StreamHeaders
  readonly body: StreamBody
}

/**
 * A request whose body and answer pass through without being kept. Its compression is left alone, no redirect is followed,
 * and it goes only to addresses that the operator's policy allows. Throws as `Call` does; `provider_unavailable` has the
 * reason `provider_slow` where the time ran out, and `hub_stopping` once it is closed. What fails later fails the body.
 */
export interface Stream {
  send(request: StreamRequest): Promise<StreamAnswer>
  /** The operator names this host in the allow-list: a base URL that a caller gives may lead there. */
  isAllowed(url: URL): boolean
  /** Cuts off what is under way; nothing begins any more. */
  close(): Promise<void>
}

/**
 * Seals and opens for one environment, with that environment's data key. `place` names where the blob is kept: a blob
 * opens only at the place it was sealed for, so one moved to another row, field or environment does not.
 */
export interface Sealer {
  seal(place: Place, plain: string): Uint8Array
  /** Throws `internal` for a blob that was tampered with, moved, or never sealed. */
  open(place: Place, blob: Uint8Array): string
}

/**
 * Signs a webhook by Standard Webhooks: the value of `webhook-signature`, one signature for each secret (`whsec_` and
 * base64). `at` goes beside it as `webhook-timestamp`, in whole seconds, and `id` as `webhook-id`.
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export type Sign = (secrets: readonly Secret[], id: string, at: Date, body: string) => string

/** How a request is signed (RFC 5849 §3.4); HMAC-SHA256 is what came after HMAC-SHA1, made the same way. */
export const signatureMethods = ['HMAC-SHA1', 'HMAC-SHA256', 'PLAINTEXT'] as const

/** A request that is to be signed: what of it the signature covers (RFC 5849 §3.4.1). */
export interface Signable {
  readonly method: string
  /** The provider's real URL as it is sent, with its query. */
  readonly url: string
  /** The body, where it is a form; no other body is covered. */
  readonly form?: string
  /** What the header carries besides the signature (§3.1). The time is in seconds since 1970. */
  readonly oauth: {
    readonly oauth_consumer_key: string
    readonly oauth_nonce: string
    readonly oauth_signature_method: (typeof signatureMethods)[number]
    readonly oauth_timestamp: number
    readonly oauth_version?: '1.0'
    readonly oauth_token?: string
    readonly oauth_callback?: string
    readonly oauth_verifier?: string
  }
}

/**
 * Signs a request by OAuth 1.0a: the value of its `Authorization` header (RFC 5849 §3.5.1). Without a token the secret of
 * one is absent. https://www.rfc-editor.org/rfc/rfc5849
 */
export type Sign1 = (request: Signable, clientSecret: Secret, tokenSecret: Secret | undefined) => string

/** A request that is to be signed by AWS Signature Version 4. */
export interface SignableAws {
  readonly method: string
  readonly url: string
  readonly headers: StreamHeaders
  /** `unsigned`: it comes piece by piece, and the signature does not cover it. */
  readonly body: string | Uint8Array | 'unsigned' | undefined
  readonly service: string
  readonly region: string
  readonly at: Date
  readonly keyId: string
  readonly secret: Secret
}

/** The headers that a request gains. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html */
export type SignAws = (request: SignableAws) => Promise<Record<string, string>>

/** What a request is signed with besides secrets. */
export interface Signer {
  readonly sign1: Sign1
  readonly signAws: SignAws
  readonly clock: Clock
}

/** Table, row id and field. */
export type Place = readonly [table: string, row: string, field: string]

export interface Seal {
  /** A new data key, wrapped by the root key, for a new environment. */
  newKey(environmentId: number): Uint8Array
  /** The sealer of an environment, given its wrapped data key. */
  environment(environmentId: number, wrappedKey: Uint8Array): Sealer
}
