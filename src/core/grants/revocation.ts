/** Token revocation (RFC 7009), and what providers have in its place: the end of a grant. Pure functions, no I/O. */
import { type Credential, pickText } from '../credential.ts'
import { credentialHeader } from '../credential-header.ts'
import { MortiseError } from '../errors.ts'
import { type CallRequest, type CallResponse, isOutage } from '../ports.ts'
import type { Provider } from '../provider.ts'
import { expandUrl } from '../template.ts'
import { basic, type Client, inBody, valuesOf } from './authorization-code.ts'
import { asObject } from './token-answer.ts'

/** §2.1. Undefined where the definition has no such call. Without a refresh token, the access token is named. */
export const revocationRequest = (client: Client, credential: Credential): CallRequest | undefined => {
  const { revoke, api } = client.provider
  if (!revoke) return undefined
  const token = (revoke.token === 'refresh' ? credential.refreshToken : undefined) ?? credential.accessToken
  // A call made with the token itself says with it which one is meant, unless the definition names a parameter too.
  const param = revoke.param ?? (revoke.client === 'bearer' ? undefined : 'token')
  const params = {
    ...(revoke.client === 'body' ? inBody(client) : {}),
    ...(revoke.client === 'id' ? { client_id: client.integration.clientId } : {}),
    ...(param === undefined ? {} : { [param]: token.reveal() }),
    ...revoke.params,
  }
  const url = expandUrl(client.provider, revoke.url, valuesOf(client))
  const silent = Object.keys(params).length === 0
  if (revoke.method === 'GET') for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value)
  const hasBody = revoke.method !== 'GET' && !silent
  return {
    method: revoke.method,
    url: url.href,
    headers: {
      accept: 'application/json',
      ...(hasBody
        ? { 'content-type': revoke.body === 'json' ? 'application/json' : 'application/x-www-form-urlencoded' }
        : {}),
      ...(revoke.client === 'bearer' ? api.headers : {}),
      ...revoke.headers,
      ...(revoke.client === 'basic' ? { authorization: basic(client) } : {}),
      ...(revoke.client === 'bearer' ? credentialHeader(client.provider, credential) : {}),
    },
    ...(hasBody
      ? { body: revoke.body === 'json' ? JSON.stringify(params) : new URLSearchParams(params).toString() }
      : {}),
    sandbox: client.integration.sandbox,
  }
}

/**
 * §2.2: any 2xx, also for a token that was dead before; but an error in it is one (Slack sends its own with 200). Throws
 * `provider_unavailable` (429, 5xx: the same request may work later) or `provider_rejected` (`details.providerCode`).
 */
export const readRevocation = (provider: Provider, { status, body }: CallResponse): void => {
  const answer = asObject(body)
  const code = pickText(answer, ['error', 'error.code', 'error.type'])
  const refused = status >= 300 || answer?.['ok'] === false || code !== undefined
  if (!refused) return
  // The provider knows it no longer, which is what was wanted: of a refresh token nothing is left then. (An access token
  // may merely have expired.)
  if (code === 'invalid_token' && provider.revoke?.token === 'refresh') return
  const shown = code !== undefined && /^[\w.-]{1,80}$/.test(code) ? code : undefined
  throw new MortiseError(
    isOutage(status) ? 'provider_unavailable' : 'provider_rejected',
    `${provider.name} did not end the grant: it answered ${shown === undefined ? `status ${status}` : `"${shown}"`}. Whoever owns the account can end it in its settings there.`,
    { providerStatus: status, sent: true, ...(shown === undefined ? {} : { providerCode: shown }) },
  )
}
