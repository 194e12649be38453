/** Parameters of the authorization URL that an app adds for itself: which it may, and which are the hub's. Pure. */
import { badParameter } from '../errors.ts'
import type { Provider } from '../provider.ts'

/** By name; null takes a parameter of the definition away. */
export type AuthorizationParams = Readonly<Record<string, string | null>>

/**
 * Set by the hub, or able to stand for what it sets: RFC 6749 §4.1.1, RFC 7636 §4.3, and a request object, which replaces
 * every other parameter (RFC 9101 §5). With another response mode the code would end up where a script can read it
 * (https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#ResponseModes).
 */
const own = new Set([
  'client_id',
  'client_secret',
  'redirect_uri',
  'state',
  'response_type',
  'response_mode',
  'code',
  'code_challenge',
  'code_challenge_method',
  'request',
  'request_uri',
])

const most = 20

/** Throws `invalid_request` that names the parameter. `nameOf`: how the caller knows it. Compared as some servers do, whatever the case. */
export const checkAuthorizationParams = (
  provider: Provider,
  params: AuthorizationParams,
  nameOf: (name: string) => string,
): void => {
  const scopes = provider.authorize.scopes?.param.toLowerCase()
  for (const [name, value] of Object.entries(params)) {
    const shown = nameOf(name.slice(0, 80))
    const lower = name.toLowerCase()
    // Of OAuth 1 (RFC 5849 §2), whatever the provider makes of them here.
    if (own.has(lower) || lower.startsWith('oauth_'))
      throw badParameter(shown, `${shown} cannot be given: ${lower} is what the hub itself sets. Leave it out.`)
    if (lower === scopes || /scopes?$/.test(lower))
      throw badParameter(shown, `${shown} cannot be given: scopes have parameters of their own. Leave it out.`)
    if (!/^[A-Za-z_][\w.:-]{0,63}$/.test(name)) throw badParameter(shown, `${shown} is no name of a parameter.`)
    if (value !== null && !/^[^\p{Cc}]{0,1000}$/u.test(value))
      throw badParameter(shown, `${shown} must be at most 1000 characters, without control characters.`)
  }
  if (Object.keys(params).length > most)
    throw badParameter(nameOf('…'), `There are more than ${most} of ${nameOf('…')}.`)
}
