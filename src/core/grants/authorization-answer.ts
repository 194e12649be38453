/** What a provider sends the browser back with (RFC 6749 §4.1.2, RFC 9207). Pure. */
import type { Attempt } from '../attempt.ts'
import { MortiseError } from '../errors.ts'

/** RFC 9207 §2.4: what is sent is compared; what is advertised must be sent. */
export const checkIssuer = (attempt: Attempt, iss: string | undefined): void => {
  const wrong = (message: string) => new MortiseError('provider_rejected', message, { reason: 'issuer_mismatch' })
  if (iss === undefined) {
    if (attempt.issuerAlways)
      throw wrong(
        'The answer names no issuer although this provider always does; it may come from somewhere else. Start again from the app.',
      )
    return
  }
  // The issuer is the origin that was asked where the definition names none: with its slash it is the same.
  if (iss !== attempt.issuer && iss !== `${attempt.issuer}/`)
    throw wrong('The answer comes from another issuer than the one asked (RFC 9207). Start again from the app.')
}

/** LinkedIn's name for it is the second; the others are of OAuth 1 (https://oauth.pbworks.com/ProblemReporting). */
const declined = new Set(['access_denied', 'user_cancelled_authorize', 'user_refused', 'permission_denied'])

/** A refusal, in our words. */
export const denied = (error: string): MortiseError => {
  const code = /^[\w.-]{1,80}$/.test(error) ? error : 'an unreadable error'
  if (declined.has(code))
    return new MortiseError(
      'authorization_denied',
      'The authorization was declined at the provider. Start again from the app to change that.',
      {
        providerCode: code,
      },
    )
  const operator = ['unauthorized_client', 'invalid_scope', 'unsupported_response_type', 'invalid_request']
  if (operator.includes(code))
    return new MortiseError(
      'integration_misconfigured',
      `The provider refused to authorize: ${code}. The operator must check the integration's client and scopes.`,
      {
        providerCode: code,
      },
    )
  return new MortiseError(
    code === 'server_error' || code === 'temporarily_unavailable' ? 'provider_unavailable' : 'provider_rejected',
    `The provider refused to authorize: ${code}. Start again from the app.`,
    { providerCode: code },
  )
}
