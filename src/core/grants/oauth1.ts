/** OAuth 1.0a (RFC 5849): temporary credentials, the owner's approval, the token. Pure functions but for the nonce. */
import { type Credential, Secret } from '../credential.ts'
import { MortiseError } from '../errors.ts'
import { newNonce } from '../ids.ts'
import { type CallRequest, type CallResponse, isOutage, retryAfter, type Signable, type Signer } from '../ports.ts'
import type { OAuth1Provider } from '../provider.ts'
import { expandUrl } from '../template.ts'
import { denied } from './authorization-answer.ts'
import { type Client, valuesOf } from './authorization-code.ts'
import type { AuthorizationParams } from './authorization-params.ts'

type Client1 = Client<OAuth1Provider>

/** A token with its secret: the temporary one, or the one that is kept. */
export interface Pair {
  readonly token: string
  readonly secret: string
}

/** What the provider sends the browser back with. */
export interface Return1 {
  readonly oauthToken?: string | undefined
  readonly oauthVerifier?: string | undefined
  /** RFC 5849 has no word for a refusal. Some send `denied` with the token, some `oauth_problem` with a code. */
  readonly denied?: string | undefined
  readonly oauthProblem?: string | undefined
}

/** The request with its signature, made with the client's secret and, where there is one, the token's (§3). */
export const signedRequest = (
  signer: Signer,
  client: Client1,
  request: CallRequest,
  pair: Pair | undefined,
  more: Pick<Signable['oauth'], 'oauth_callback' | 'oauth_verifier'> = {},
): CallRequest => {
  const isForm = Object.entries(request.headers).some(
    ([name, value]) => name.toLowerCase() === 'content-type' && /^application\/x-www-form-urlencoded\b/i.test(value),
  )
  const oauth: Signable['oauth'] = {
    oauth_consumer_key: client.integration.clientId,
    oauth_nonce: newNonce(),
    oauth_signature_method: client.provider.signature,
    oauth_timestamp: Math.floor(signer.clock.now().getTime() / 1000),
    oauth_version: '1.0',
    ...(pair ? { oauth_token: pair.token } : {}),
    ...more,
  }
  const { method, url, body } = request
  const authorization = signer.sign1(
    { method, url, oauth, ...(isForm && body !== undefined ? { form: body } : {}) },
    client.secret,
    pair && new Secret(pair.secret),
  )
  return { ...request, headers: { ...request.headers, authorization } }
}

/** §2.1. `callback` is where the browser is to come back to, with our state in its query. */
export const temporaryRequest = (signer: Signer, client: Client1, callback: string): CallRequest =>
  signedRequest(signer, client, bare(client, client.provider.temporary), undefined, { oauth_callback: callback })

/** §2.3. */
export const tokenRequest = (signer: Signer, client: Client1, temporary: Pair, verifier: string): CallRequest =>
  signedRequest(signer, client, bare(client, client.provider.token), temporary, { oauth_verifier: verifier })

const bare = (client: Client1, { url, method }: OAuth1Provider['token']): CallRequest => ({
  method,
  url: expandUrl(client.provider, url, valuesOf(client)).href,
  headers: {},
  sandbox: client.integration.sandbox,
})

/**
 * The temporary credentials (§2.1). An answer that does not confirm the callback comes from a server of before 1.0a: it
 * would send no verifier, and so could not tell the one who approved from the one who began.
 */
export const readTemporary = (provider: OAuth1Provider, response: CallResponse, now: Date): Pair => {
  const { name } = provider
  if (response.status >= 400 && response.status < 500 && !isOutage(response.status))
    throw new MortiseError(
      'integration_misconfigured',
      `${name} refused to begin with status ${response.status}. The operator must check the integration's key and secret, that ${name} knows its callback URL, and this machine's clock.`,
      { providerStatus: response.status },
    )
  const { pair, form } = readPair(provider, response, now, 'temporary credentials')
  if (form.get('oauth_callback_confirmed') === 'true') return pair
  throw new MortiseError(
    'provider_invalid_response',
    `${name} did not confirm the callback (RFC 5849 §2.1), so who comes back could not be trusted.`,
    { providerStatus: response.status },
  )
}

/** Where the browser is sent (§2.2). The token is set last. `params`: besides the definition's; null takes one away. */
export const ownerUrl = (
  client: Client1,
  temporary: Pair,
  { scopes, params }: { readonly scopes: readonly string[]; readonly params: AuthorizationParams },
): URL => {
  const { authorize } = client.provider
  const url = expandUrl(client.provider, authorize.url, valuesOf(client))
  for (const [name, value] of Object.entries(authorize.params ?? {})) url.searchParams.set(name, value)
  for (const [name, value] of Object.entries(params))
    if (value === null) url.searchParams.delete(name)
    else url.searchParams.set(name, value)
  if (authorize.scopes && scopes.length > 0)
    url.searchParams.set(authorize.scopes.param, scopes.join(authorize.scopes.separator))
  url.searchParams.set('oauth_token', temporary.token)
  return url
}

/** The verifier (§2.2). The token that comes with it must be the one that this attempt sent off. */
export const readReturn = (temporary: Pair, back: Return1): string => {
  if (back.oauthProblem !== undefined) throw denied(back.oauthProblem)
  if (back.denied !== undefined) throw denied('access_denied')
  const { oauthToken, oauthVerifier } = back
  if (!oauthToken || !oauthVerifier)
    throw new MortiseError(
      'provider_invalid_response',
      'The provider sent neither a token with its verifier nor an error. Start again from the app.',
      { reason: 'code_missing' },
    )
  if (oauthToken === temporary.token) return oauthVerifier
  throw new MortiseError(
    'provider_rejected',
    'The token that came back is not the one that this attempt was begun with. Start again from the app.',
  )
}

/** The token credentials (§2.3). They have no expiry. */
export const readToken = (provider: OAuth1Provider, response: CallResponse, now: Date): Credential => {
  const { pair, form } = readPair(provider, response, now, 'token')
  return {
    kind: 'oauth1',
    accessToken: new Secret(pair.token),
    tokenSecret: new Secret(pair.secret),
    raw: new Secret(Object.fromEntries(form)),
  }
}

/** An answer of either endpoint: a form, whatever its type says. No message repeats anything of it. */
const readPair = (provider: OAuth1Provider, response: CallResponse, now: Date, what: string) => {
  const { name } = provider
  const { status } = response
  if (isOutage(status)) {
    const wait = retryAfter(response.headers['retry-after'], now)
    throw new MortiseError(
      'provider_unavailable',
      `${name} answered ${status} when asked for ${what}; trying again later can help.`,
      { providerStatus: status, sent: true, ...(wait === undefined ? {} : { retryAfter: wait }) },
    )
  }
  if (status >= 400)
    throw new MortiseError('provider_rejected', `${name} refused the request for ${what} with status ${status}.`, {
      providerStatus: status,
    })
  const form = new URLSearchParams(response.body)
  const [token, secret] = [form.get('oauth_token'), form.get('oauth_token_secret')]
  if (status >= 300 || !token || secret === null)
    throw new MortiseError(
      'provider_invalid_response',
      `${name} answered the request for ${what} with status ${status} and without a token and its secret.`,
      { providerStatus: status },
    )
  return { pair: { token, secret }, form }
}
