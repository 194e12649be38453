/** The two ends of a flow, which differ by the grant: where the browser is sent, and what its return is exchanged for. */
import type { Attempt } from './attempt.ts'
import type { Context } from './context.ts'
import type { Credential } from './credential.ts'
import { MortiseError, toMortiseError } from './errors.ts'
import { checkIssuer, denied } from './grants/authorization-answer.ts'
import { authorizeUrl, type Client, codeRequest } from './grants/authorization-code.ts'
import type { AuthorizationParams } from './grants/authorization-params.ts'
import {
  ownerUrl,
  type Pair,
  type Return1,
  readReturn,
  readTemporary,
  readToken,
  temporaryRequest,
  tokenRequest,
} from './grants/oauth1.ts'
import { readTokenAnswer } from './grants/token-answer.ts'
import { newNonce } from './ids.ts'
import type { CallRequest, CallResponse } from './ports.ts'

/** What the provider sends the browser back with, besides the state. */
export interface Returned extends Return1 {
  readonly code: string | undefined
  readonly error: string | undefined
  readonly iss: string | undefined
}

export interface Begun {
  readonly url: URL
  /** What the exchange will need and nobody may see: the PKCE verifier, or the temporary credentials. */
  readonly kept: string | undefined
  readonly issuer?: string
  readonly issuerAlways: boolean
}

interface Ask {
  readonly state: string
  readonly redirectUri: string
  readonly scopes: readonly string[]
  /** Already checked by `checkAuthorizationParams`. */
  readonly params: AuthorizationParams
}

/** Of OAuth 1 the provider is asked first, so that its outage or refusal is thrown here. */
export const begin = async (context: Context, client: Client, ask: Ask): Promise<Begun> => {
  const { provider } = client
  if (provider.auth === 'oauth1') {
    const signing = { ...client, provider }
    // The protocol has no state of its own. A query that the callback has comes back with it (RFC 5849 §2.2).
    const callback = `${ask.redirectUri}${ask.redirectUri.includes('?') ? '&' : '?'}state=${ask.state}`
    const response = await context.call.send(temporaryRequest(context, signing, callback))
    const temporary = readTemporary(provider, response, context.clock.now())
    return { url: ownerUrl(signing, temporary, ask), kept: JSON.stringify(temporary), issuerAlways: false }
  }
  const { pkce, issuer, issuerAlways } = provider.authorize
  const verifier = pkce === 'S256' ? newNonce() : undefined
  const url = authorizeUrl({ ...client, provider }, { ...ask, verifier })
  return { url, kept: verifier, issuer: issuer ?? url.origin, issuerAlways }
}

/** Where the end user declined, or the provider refused, that is thrown. `kept`: what `begin` wanted to be kept. */
export const obtain = async (
  context: Context,
  client: Client,
  attempt: Attempt,
  back: Returned,
  kept: string | undefined,
): Promise<Credential> => {
  const { provider } = client
  const now = () => context.clock.now()
  if (provider.auth === 'oauth1') {
    if (back.error !== undefined) throw denied(back.error)
    // Of OAuth 2 every attempt has an issuer.
    if (kept === undefined || attempt.issuer !== undefined)
      throw new MortiseError(
        'session_expired',
        `The definition of ${provider.name} was changed while this attempt ran. Start again from the app.`,
      )
    const temporary: Pair = JSON.parse(kept)
    const request = tokenRequest(context, { ...client, provider }, temporary, readReturn(temporary, back))
    return exchange(context, request, response => readToken(provider, response, now()))
  }
  checkIssuer(attempt, back.iss)
  if (back.error !== undefined) throw denied(back.error)
  if (back.code === undefined || back.code === '')
    throw new MortiseError(
      'provider_invalid_response',
      'The provider sent neither a code nor an error. Start again from the app.',
      { reason: 'code_missing' },
    )
  const { redirectUri } = attempt
  const request = codeRequest({ ...client, provider }, { code: back.code, redirectUri, verifier: kept })
  return exchange(context, request, response => readTokenAnswer(provider, response, now()))
}

const exchange = async (
  context: Context,
  request: CallRequest,
  read: (response: CallResponse) => Credential,
): Promise<Credential> => {
  try {
    return read(await context.call.send(request))
  } catch (thrown) {
    const error = toMortiseError(thrown)
    if (error.code === 'internal') throw error
    throw new MortiseError(error.code, error.message, { ...error.details, reason: 'token_exchange', cause: error })
  }
}
