/** The answer of a token endpoint → a credential, or an error that says whose turn it is. Pure. */
import { type Credential, type Json, type JsonObject, pick, pickText, Secret } from '../credential.ts'
import { MortiseError } from '../errors.ts'
import { type CallResponse, isOutage, retryAfter } from '../ports.ts'
import type { OAuth2Provider } from '../provider.ts'

export const asObject = (text: string): JsonObject | undefined => {
  try {
    const value: Json = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Some answer as a form unless asked otherwise, and some do whatever they are asked; a form is only a fallback. */
const asForm = (response: CallResponse): JsonObject | undefined =>
  response.headers['content-type']?.includes('application/x-www-form-urlencoded')
    ? Object.fromEntries(new URLSearchParams(response.body))
    : undefined

/**
 * An error code as RFC 6749 §5.2 allows it, without spaces: a sentence may quote the token. What is longer or stranger is
 * not repeated, unless the definition itself names it.
 */
const errorCode = ({ token, refresh }: OAuth2Provider, answer: JsonObject | undefined): string | undefined => {
  const code = pickText(answer, token.answer.error)
  if (code === undefined) return undefined
  const named = refresh?.permanent.includes(code) || refresh?.transient.includes(code)
  return named || /^[\x21\x23-\x5b\x5d-\x7e]{1,80}$/.test(code) ? code : undefined
}

/** Client errors of RFC 6749 §5.2 (and the names two providers use): the operator must act, not the end user. */
const clientErrors = new Set([
  'invalid_client',
  'unauthorized_client',
  'incorrect_client_credentials',
  'invalid_client_id',
  'bad_client_secret',
  'redirect_uri_mismatch',
])

/**
 * Reads a token answer (RFC 6749 §5.1, §5.2). An `error` counts whatever the status is: GitHub and Slack send theirs
 * with 200. Throws `integration_misconfigured` (client refused), `provider_rejected` (the grant refused; the code in
 * `details.providerCode`), `provider_unavailable` (429, 5xx) or `provider_invalid_response`. No message repeats
 * anything of the answer but its error code.
 */
export const readTokenAnswer = (provider: OAuth2Provider, response: CallResponse, now: Date): Credential => {
  const answer = asObject(response.body) ?? asForm(response)
  const at = provider.token.answer
  const accessToken = pickText(answer, at.accessToken)
  const code = errorCode(provider, answer)
  const refused =
    response.status >= 400 || answer?.['ok'] === false || (code !== undefined && accessToken === undefined)
  if (refused) throw refusal(provider, response, code, now)
  if (answer === undefined || accessToken === undefined)
    throw new MortiseError(
      'provider_invalid_response',
      `${provider.name} answered the token request with status ${response.status} and no access token.`,
      { providerStatus: response.status },
    )
  const expiresAt = expiry(provider, answer, now)
  const refreshToken = provider.refresh ? pickText(answer, at.refreshToken) : undefined
  const scope = pick(answer, at.scope)
  const granted = Array.isArray(scope) ? scope.filter(each => typeof each === 'string') : undefined
  return {
    kind: 'oauth2',
    accessToken: new Secret(accessToken),
    ...(refreshToken === undefined ? {} : { refreshToken: new Secret(refreshToken) }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(granted
      ? { scopes: granted }
      : typeof scope === 'string'
        ? { scopes: scope.split(/[ ,]+/).filter(Boolean) }
        : {}),
    raw: new Secret(answer),
  }
}

/** The answer does not say when the token ends; `token.lifetime` is only what is known of such tokens. */
export const isSilent = (provider: OAuth2Provider, answer: JsonObject): boolean =>
  pick(answer, provider.token.answer.expiresIn) === undefined

/** `expires_in` may be text (Microsoft's v1, some form answers); nonsense is an error, not "never". */
const expiry = (provider: OAuth2Provider, answer: JsonObject, now: Date): Date | undefined => {
  const given = pick(answer, provider.token.answer.expiresIn)
  const isNumber = typeof given === 'number' || (typeof given === 'string' && /^\d+(\.\d+)?$/.test(given))
  const seconds = given === undefined ? provider.token.lifetime : isNumber ? Number(given) : Number.NaN
  if (seconds === undefined) return undefined
  if (!Number.isFinite(seconds) || seconds < 0)
    throw new MortiseError(
      'provider_invalid_response',
      `${provider.name} sent an expires_in that is not a number of seconds.`,
    )
  // Slack and others say 0 where a token does not expire; RFC 6749 has no meaning for it.
  return seconds === 0 ? undefined : new Date(now.getTime() + Math.min(seconds, 1e10) * 1000)
}

/** Nothing was done, and the same request may work later (RFC 6749 §4.1.2.1 has the first, RFC 8628 §3.5 the second). */
const transientErrors = new Set(['temporarily_unavailable', 'slow_down'])

const refusal = (
  provider: OAuth2Provider,
  response: CallResponse,
  code: string | undefined,
  now: Date,
): MortiseError => {
  const details = { providerStatus: response.status, ...(code === undefined ? {} : { providerCode: code }) }
  const said = code === undefined ? `status ${response.status}` : `"${code}"`
  const later = code !== undefined && (transientErrors.has(code) || provider.refresh?.transient.includes(code) === true)
  if (isOutage(response.status) || later) {
    const wait = retryAfter(response.headers['retry-after'], now)
    return new MortiseError(
      'provider_unavailable',
      `${provider.name}'s token endpoint answered ${later ? said : response.status}; trying again later can help.`,
      {
        ...details,
        sent: true,
        unspent: later || response.status === 429 || provider.refresh?.unspent.includes(response.status) === true,
        ...(wait === undefined ? {} : { retryAfter: wait }),
      },
    )
  }
  if (code !== undefined && clientErrors.has(code))
    return new MortiseError(
      'integration_misconfigured',
      `${provider.name} refused the integration's client with ${said}. The operator must check its client id, client secret and redirect URI.`,
      details,
    )
  return new MortiseError('provider_rejected', `${provider.name} refused the token request with ${said}.`, details)
}
