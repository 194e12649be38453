/** The refresh token grant (RFC 6749 §6): pure functions, no I/O. */
import { type Credential, pick, type Secret } from '../credential.ts'
import { MortiseError, toMortiseError } from '../errors.ts'
import type { CallRequest, CallResponse } from '../ports.ts'
import type { OAuth2Provider } from '../provider.ts'
import { type Client, tokenRequest } from './authorization-code.ts'
import { readTokenAnswer } from './token-answer.ts'

/**
 * What a failed refresh says of the refresh token. `dead`: only the end user can repair it. `unspent`: it is as good as
 * before, whatever was wrong: nothing was sent, or a complete answer refused to do anything. `ambiguous`: it may have been
 * spent, and with it what the provider gave in its place was lost.
 */
export type Verdict = 'dead' | 'unspent' | 'ambiguous'

export const verdictOf = ({ code, details }: MortiseError): Verdict => {
  if (code === 'reauthorization_required') return 'dead'
  if (details.sent === false || details.unspent === true) return 'unspent'
  if (code !== 'provider_rejected' && code !== 'integration_misconfigured') return 'ambiguous'
  const { providerStatus: status = 0, providerCode: reply = '' } = details
  // A 408 says that the server gave up waiting, and server_error that it broke; whether it had begun, neither says. Nor
  // does an error of the provider's own that comes with 200, of which some (Slack's internal_error) come half-way.
  const refused = status >= 400 && status !== 408 && reply !== 'server_error'
  return refused || code === 'integration_misconfigured' || refusals.has(reply) ? 'unspent' : 'ambiguous'
}

/** RFC 6749 §5.2, but for invalid_grant and those of the client: the request was looked at, and nothing done. */
const refusals = new Set(['invalid_request', 'unsupported_grant_type', 'invalid_scope'])

export const refreshRequest = (client: Client<OAuth2Provider>, refreshToken: Secret): CallRequest =>
  tokenRequest(client, client.provider.refresh?.url ?? client.provider.token.url, {
    grant_type: 'refresh_token',
    refresh_token: refreshToken.reveal(),
    ...client.provider.refresh?.params,
  })

/**
 * Reads the answer. A reply without a new refresh token keeps the old one (RFC 6749 §6). An answer
 * that is silent about the expiry means the life of before (`lifetime`, milliseconds). A refusal that means the grant
 * itself is dead (`invalid_grant`, or what the definition names) becomes `reauthorization_required`; all else stays what
 * it was, so that an outage is never mistaken for a revocation.
 */
export const readRefreshAnswer = (
  provider: OAuth2Provider,
  response: CallResponse,
  now: Date,
  before: Pick<Credential, 'refreshToken' | 'scopes'> & { readonly lifetime?: number },
): Credential => {
  let fresh: Credential
  try {
    fresh = readTokenAnswer(provider, response, now)
  } catch (thrown) {
    const error = toMortiseError(thrown)
    const code = error.details.providerCode
    const dead = code !== undefined && (code === 'invalid_grant' || provider.refresh?.permanent.includes(code))
    if (error.code !== 'provider_rejected' || !dead) throw error
    throw new MortiseError(
      'reauthorization_required',
      `${provider.name} no longer accepts this connection's refresh token (${code}); the end user must connect the account again.`,
      { ...error.details, reason: 'refresh_refused' },
    )
  }
  const refreshToken = fresh.refreshToken ?? before.refreshToken
  const scopes = fresh.scopes ?? before.scopes
  const silent = pick(fresh.raw.reveal(), provider.token.answer.expiresIn) === undefined
  const expiresAt =
    fresh.expiresAt ?? (silent && before.lifetime !== undefined ? new Date(now.getTime() + before.lifetime) : undefined)
  return {
    ...fresh,
    ...(refreshToken ? { refreshToken } : {}),
    ...(scopes ? { scopes } : {}),
    ...(expiresAt ? { expiresAt } : {}),
  }
}
