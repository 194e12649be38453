/** Every core code → status and body of this dialect, in both shapes that its clients read. Total. */
import type { ErrorCode, MortiseError, Reason } from '../../core/errors.ts'
import type { ErrorShape } from './shapes.ts'

/** Never 422: the vendor's own client takes that for a success. */
const byCode: Record<ErrorCode, [status: number, code: string]> = {
  invalid_request: [400, 'INVALID_INPUT'],
  unauthenticated: [401, 'UNAUTHORIZED'],
  forbidden: [403, 'FORBIDDEN'],
  not_found: [404, 'NOT_FOUND'],
  conflict: [409, 'CONFLICT'],
  rate_limited: [429, 'RATE_LIMIT_EXCEEDED'],
  authorization_denied: [400, 'AUTHORIZATION_DENIED'],
  session_expired: [400, 'SESSION_EXPIRED'],
  reauthorization_required: [409, 'REAUTHORIZATION_REQUIRED'],
  integration_misconfigured: [502, 'CONNECTOR_MISCONFIGURED'],
  provider_rejected: [400, 'PROVIDER_REJECTED'],
  provider_unavailable: [503, 'PROVIDER_UNAVAILABLE'],
  provider_invalid_response: [502, 'PROVIDER_INVALID_RESPONSE'],
  internal: [500, 'INTERNAL_ERROR'],
}

interface Known {
  /** The words under which the documents know the problem. */
  readonly title?: string
  readonly code?: string
  /** The page that explains it. */
  readonly docs?: string
}

const guide = 'getting-connection-id#troubleshooting'
const flow = 'oauth-flow-guide#troubleshooting'
const code: Known = { title: 'Invalid authorization code', code: 'INVALID_CODE', docs: flow }

const byReason: Partial<Record<Reason, Known>> = {
  end_user_unknown: { title: 'userId must be a valid ID', docs: 'getting-connection-id#user-ids' },
  connection_unknown: { title: 'Connection ID not found', docs: guide },
  connection_deleted: { title: 'Connection not found', docs: guide },
  connection_malformed: { title: 'Invalid connection ID', docs: guide },
  connection_ambiguous: { title: 'Invalid connection ID', docs: guide },
  connection_of_other_user: { title: 'Invalid connection ID', docs: guide },
  expired_without_refresh: { title: 'Invalid connection ID', docs: guide },
  refresh_refused: { title: 'Invalid connection ID', docs: guide },
  no_connections: { title: 'No connections available', docs: guide },
  redirect_not_allowed: { title: 'Invalid redirect_uri', docs: flow },
  kind_unknown: { code: 'AUTHENTICATION_NOT_FOUND', docs: flow },
  action_unknown: { title: 'Action not found' },
  code_unknown: code,
  code_other_caller: code,
  code_other_user: code,
  code_expired: code,
  code_pending: code,
  code_missing: code,
  state_differs: { ...code, code: 'STATE_MISMATCH' },
  key_unknown: { title: 'Unauthorized, Wrong API Key' },
  key_malformed: { title: 'Invalid Authorization' },
  key_mistyped: { title: 'Invalid Authorization' },
  key_missing: { title: 'Invalid or missing authentication' },
}

/** `publicUrl`: where the hub's own pages are. */
export const toError = (
  error: MortiseError,
  publicUrl: string,
  requestId: string,
): { status: number; body: ErrorShape } => {
  const [status, general] = byCode[error.code]
  const { parameter, received, allowed, reason } = error.details
  const known = (reason && byReason[reason]) ?? {}
  const message = known.title === undefined ? error.message : `${known.title}: ${error.message}`
  const own = known.code ?? general
  const details =
    parameter === undefined
      ? []
      : [
          {
            properties: parameter,
            message: known.title ?? error.message,
            ...(received === undefined ? {} : { received }),
            ...(allowed === undefined ? {} : { allowed: [...allowed] }),
          },
        ]
  return {
    status,
    body: {
      message,
      code: own,
      error: {
        code: own,
        message,
        details,
        hint: error.message,
        docs: `${publicUrl}/docs/${known.docs ?? 'errors'}`,
        requestId,
      },
    },
  }
}

/** `error` of a redirect back (RFC 6749 §4.1.2.1). */
export const redirectError: Record<ErrorCode, string> = {
  invalid_request: 'invalid_request',
  unauthenticated: 'unauthorized_client',
  forbidden: 'access_denied',
  not_found: 'invalid_request',
  conflict: 'invalid_request',
  rate_limited: 'temporarily_unavailable',
  authorization_denied: 'access_denied',
  session_expired: 'access_denied',
  reauthorization_required: 'access_denied',
  integration_misconfigured: 'server_error',
  provider_rejected: 'server_error',
  provider_unavailable: 'temporarily_unavailable',
  provider_invalid_response: 'server_error',
  internal: 'server_error',
}
