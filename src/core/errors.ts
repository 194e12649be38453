/**
 * The one error type and the one table of codes. A dialect's `errors.ts` turns every code into its own status and body;
 * anything thrown that is not a MortiseError becomes `internal`: logged with its cause, shown without.
 */

type Entry = {
  readonly who: 'caller' | 'end user' | 'operator' | 'provider' | 'us'
  readonly retry: boolean
  readonly sentence: string
}

/** Who must act, whether trying again can help, and one sentence. `docs/errors.md` is held equal to this by a test. */
export const errorTable = {
  invalid_request: {
    who: 'caller',
    retry: false,
    sentence: 'Something in the request is missing, malformed or not allowed.',
  },
  unauthenticated: { who: 'caller', retry: false, sentence: 'The request carries no valid key.' },
  forbidden: { who: 'caller', retry: false, sentence: 'The key or the origin of the request does not allow this.' },
  not_found: { who: 'caller', retry: false, sentence: 'There is no such thing in this environment.' },
  conflict: { who: 'caller', retry: false, sentence: 'It exists already, or is still in use.' },
  rate_limited: { who: 'caller', retry: true, sentence: 'Too many requests; wait before the next one.' },
  authorization_denied: {
    who: 'end user',
    retry: true,
    sentence: 'The end user or the provider declined the authorization.',
  },
  session_expired: {
    who: 'end user',
    retry: true,
    sentence: 'This authorization attempt cannot be finished; start a new one.',
  },
  reauthorization_required: {
    who: 'end user',
    retry: false,
    sentence: 'The credential no longer works and cannot be refreshed; the end user must connect the account again.',
  },
  integration_misconfigured: {
    who: 'operator',
    retry: false,
    sentence: 'The provider does not accept the integration as it is set up.',
  },
  provider_rejected: { who: 'provider', retry: false, sentence: 'The provider refused the request.' },
  provider_unavailable: { who: 'provider', retry: true, sentence: 'The provider could not be reached or is failing.' },
  provider_invalid_response: {
    who: 'provider',
    retry: true,
    sentence: 'The provider answered with something unusable.',
  },
  internal: { who: 'us', retry: true, sentence: 'Something went wrong inside the hub; its log has the cause.' },
} as const satisfies Record<string, Entry>

export type ErrorCode = keyof typeof errorTable

/** A finer cause, where a dialect or a page must tell one case of a code from another. */
export type Reason =
  | 'parameter'
  | 'body'
  | 'redirect_not_allowed'
  | 'integration_unknown'
  | 'integration_taken'
  | 'integration_used'
  | 'connection_unknown'
  | 'public_key_missing'
  | 'public_key_unknown'
  | 'public_key_limit'
  | 'integration_not_allowed'
  | 'hmac_missing'
  | 'hmac_invalid'
  | 'connection_taken'
  | 'connection_deleted'
  | 'connection_malformed'
  | 'connection_ambiguous'
  | 'connection_of_other_user'
  | 'no_connections'
  | 'end_user_unknown'
  | 'kind_unknown'
  | 'key_refused'
  | 'session_unknown'
  | 'session_token_malformed'
  | 'session_token_unknown'
  | 'session_over'
  | 'session_used'
  | 'code_unknown'
  | 'code_other_caller'
  | 'code_other_user'
  | 'code_expired'
  | 'code_pending'
  | 'state_differs'
  | 'action_unknown'
  | 'jwt_missing'
  | 'jwt_malformed'
  | 'jwt_expired'
  | 'jwt_other_user'
  | 'state_missing'
  | 'state_unknown'
  | 'state_expired'
  | 'state_used'
  | 'other_browser'
  | 'issuer_mismatch'
  | 'code_missing'
  | 'token_exchange'
  | 'key_missing'
  | 'key_malformed'
  | 'key_mistyped'
  | 'key_unknown'
  | 'key_scope'
  | 'keyless_refused'
  | 'origin_not_allowed'
  | 'expired_without_refresh'
  | 'refresh_refused'
  | 'refresh_ambiguous'
  | 'restored_copy'
  | 'refresh_waits'
  | 'environment_frozen'
  | 'provider_slow'
  | 'hub_stopping'
  | 'host_not_named'
  | 'body_too_large'

interface ErrorDetails {
  readonly reason?: Reason
  /** The parameter at fault. */
  readonly parameter?: string
  /** What was given, and what would be right, where both may be shown. */
  readonly received?: string
  readonly allowed?: readonly string[]
  /** What the provider said, cut short and free of secrets: its error code. */
  readonly providerCode?: string
  readonly providerStatus?: number
  /** Seconds after which to try again. */
  readonly retryAfter?: number
  /** For a failed call: whether any byte of the request may have reached the provider. */
  readonly sent?: boolean
  /** Of a refresh that failed: the provider's answer shows that the refresh token was not spent. */
  readonly unspent?: boolean
}

/** `message` is one or two sentences that say what is wrong and who must do what next; never a secret in it. */
export class MortiseError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails
  constructor(code: ErrorCode, message?: string, details: ErrorDetails & { cause?: unknown } = {}) {
    const { cause, ...rest } = details
    super(message ?? errorTable[code].sentence, cause === undefined ? undefined : { cause })
    this.name = 'MortiseError'
    this.code = code
    this.details = rest
  }
}

/** A parameter of the caller's that is missing, malformed or not allowed. */
export const badParameter = (parameter: string, message: string): MortiseError =>
  new MortiseError('invalid_request', message, { reason: 'parameter', parameter })

/** Whatever was thrown, as a MortiseError: unknown things become `internal` and keep their cause for the log. */
export const toMortiseError = (thrown: unknown): MortiseError =>
  thrown instanceof MortiseError ? thrown : new MortiseError('internal', undefined, { cause: thrown })

/** A mistake in how the hub is set up: it stops the start, and its sentence is printed without a stack. */
export class SetupError extends Error {}
