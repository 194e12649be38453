/** Every core code → status and body of this dialect, and the error types of its flows. Total. */
import { type ErrorCode, MortiseError, type Reason } from '../../core/errors.ts'
import type { ErrorShape } from './shapes.ts'

const byCode: Record<ErrorCode, [status: number, code: string]> = {
  invalid_request: [400, 'invalid_query_params'],
  unauthenticated: [401, 'unknown_account'],
  forbidden: [403, 'forbidden'],
  not_found: [404, 'not_found'],
  conflict: [409, 'conflict'],
  rate_limited: [429, 'too_many_request'],
  authorization_denied: [400, 'callback_err'],
  session_expired: [400, 'state_err'],
  reauthorization_required: [400, 'invalid_credentials'],
  integration_misconfigured: [400, 'provider_config_err'],
  provider_rejected: [400, 'invalid_credentials'],
  provider_unavailable: [424, 'invalid_credentials'],
  provider_invalid_response: [424, 'invalid_credentials'],
  internal: [500, 'server_error'],
}

/** Where one of our causes has a name of its own there. */
const byReason: Partial<Record<Reason, [status: number, code: string]>> = {
  key_missing: [401, 'missing_auth_header'],
  key_malformed: [401, 'malformed_auth_header'],
  key_mistyped: [401, 'invalid_secret_key_format'],
  integration_unknown: [400, 'unknown_provider_config'],
  public_key_missing: [401, 'missing_public_key'],
  public_key_unknown: [401, 'invalid_public_key'],
  session_token_malformed: [401, 'invalid_connect_session_token_format'],
  session_token_unknown: [401, 'unknown_connect_session_token'],
  integration_not_allowed: [400, 'integration_not_allowed'],
  public_key_limit: [400, 'invalid_query_params'],
  kind_unknown: [400, 'invalid_auth_mode'],
  key_refused: [400, 'connection_test_failed'],
}

/** One mistake in a query or a body. */
export interface Problem {
  readonly code: string
  readonly message: string
  readonly path: readonly (string | number)[]
}

/** An error whose status and code are this dialect's own, because the route says what it means there. */
export class Refusal extends MortiseError {
  readonly status: number
  readonly wire: string
  readonly problems: readonly Problem[]
  readonly payload: unknown
  constructor(
    status: number,
    wire: string,
    message: string,
    problems: readonly Problem[] = [],
    payload?: unknown,
    details?: MortiseError['details'],
  ) {
    super('invalid_request', message, details)
    this.status = status
    this.wire = wire
    this.problems = problems
    this.payload = payload
  }
}

/** What is thrown for a thing that is not there, under the status and code that a route has for it. */
export const refusedAs = (status: number, wire: string, thrown: unknown, reason: Reason): unknown =>
  thrown instanceof MortiseError && thrown.details.reason === reason
    ? new Refusal(status, wire, thrown.message)
    : thrown

/** `inBody`: what is wrong with the request is wrong in its body. */
export const toError = (error: MortiseError, inBody = false): { status: number; body: ErrorShape } => {
  const { message, details, code } = error
  if (error instanceof Refusal) {
    const { status, wire, problems, payload } = error
    const errors = problems.length === 0 ? {} : { errors: problems }
    return {
      status,
      body: { error: { code: wire, message, ...errors, ...(payload === undefined ? {} : { payload }) } },
    }
  }
  const [status, wire] = (details.reason && byReason[details.reason]) ?? byCode[code]
  const named = code === 'invalid_request' && details.parameter !== undefined
  return {
    status,
    body: {
      error: {
        code: code === 'invalid_request' && inBody ? 'invalid_body' : wire,
        message,
        ...(named ? { errors: [{ code: 'custom', message, path: [details.parameter] }] } : {}),
        ...(status === 401 ? { payload: {} } : {}),
      },
    },
  }
}

/** `error_type` of a flow that failed, in the words of that vendor's own clients. */
export const errorType = (code: ErrorCode, reason: Reason | undefined): string =>
  (reason && typeByReason[reason]) ?? typeByCode[code]

const typeByReason: Partial<Record<Reason, string>> = {
  parameter: 'url_param_err',
  redirect_not_allowed: 'url_param_err',
  integration_unknown: 'unknown_config_key',
  public_key_missing: 'missing_public_key',
  public_key_unknown: 'invalid_public_key',
  session_token_malformed: 'invalid_connect_session_token_format',
  session_token_unknown: 'unknown_connect_session_token',
  integration_not_allowed: 'integration_not_allowed',
  public_key_limit: 'url_param_err',
  hmac_missing: 'missing_hmac',
  hmac_invalid: 'invalid_hmac',
  connection_taken: 'connection_validation_failed',
  state_missing: 'state_err',
  state_unknown: 'state_err',
  state_expired: 'state_err',
  state_used: 'state_err',
  other_browser: 'state_cookie_err',
  issuer_mismatch: 'callback_err',
  code_missing: 'callback_err',
  token_exchange: 'token_err',
}

const typeByCode: Record<ErrorCode, string> = {
  invalid_request: 'url_param_err',
  unauthenticated: 'invalid_public_key',
  forbidden: 'connection_validation_failed',
  not_found: 'unknown_config_key',
  conflict: 'connection_validation_failed',
  rate_limited: 'unknown_err',
  authorization_denied: 'callback_err',
  session_expired: 'state_err',
  reauthorization_required: 'token_err',
  integration_misconfigured: 'provider_config_err',
  provider_rejected: 'callback_err',
  provider_unavailable: 'callback_err',
  provider_invalid_response: 'callback_err',
  internal: 'unknown_err',
}
