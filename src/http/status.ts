/** Statuses of the hub's own pages and routes; a dialect has its own table. Total. */
import type { ErrorCode } from '../core/errors.ts'

export const statusOf: Record<ErrorCode, number> = {
  invalid_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  rate_limited: 429,
  authorization_denied: 400,
  session_expired: 400,
  reauthorization_required: 409,
  integration_misconfigured: 502,
  provider_rejected: 502,
  provider_unavailable: 503,
  provider_invalid_response: 502,
  internal: 500,
}
