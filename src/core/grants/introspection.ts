/** Token introspection (RFC 7662): when an access token ends, where its answer was silent. Pure functions, no I/O. */
import { pick, type Secret } from '../credential.ts'
import type { CallRequest, CallResponse } from '../ports.ts'
import type { Provider } from '../provider.ts'
import { expandUrl } from '../template.ts'
import { basic, type Client, inBody, valuesOf } from './authorization-code.ts'
import { asObject } from './token-answer.ts'

/** §2.1. Undefined where the definition has no such endpoint. */
export const introspectionRequest = (client: Client, accessToken: Secret): CallRequest | undefined => {
  const { introspect } = client.provider
  if (!introspect) return undefined
  const params = { token: accessToken.reveal(), token_type_hint: 'access_token' }
  return {
    method: 'POST',
    url: expandUrl(client.provider, introspect.url, valuesOf(client)).href,
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      ...(introspect.client === 'basic' ? { authorization: basic(client) } : {}),
    },
    body: new URLSearchParams(introspect.client === 'body' ? { ...inBody(client), ...params } : params).toString(),
    sandbox: client.integration.sandbox,
  }
}

/** §2.2: `exp`, in seconds since 1970. Undefined for a token that is not active, and for an answer that does not say. */
export const readIntrospection = (provider: Provider, response: CallResponse): Date | undefined => {
  const answer = response.status === 200 ? asObject(response.body) : undefined
  const end = pick(answer, provider.introspect?.expiresAt)
  return answer?.['active'] === true && typeof end === 'number' && end > 0 && end < 1e11
    ? new Date(end * 1000)
    : undefined
}
