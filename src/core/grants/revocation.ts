/** Token revocation (RFC 7009, and what providers have instead): pure functions, no I/O. */
import type { Credential } from '../credential.ts'
import { credentialHeader } from '../credential-header.ts'
import type { CallRequest } from '../ports.ts'
import { expandUrl } from '../template.ts'
import { basic, type Client, inBody, valuesOf } from './authorization-code.ts'

/** §2.1. Undefined where the definition has no such endpoint, or the credential has not the token that it takes. */
export const revocationRequest = (client: Client, credential: Credential): CallRequest | undefined => {
  const { revoke } = client.provider
  const token = revoke?.token === 'refresh' ? credential.refreshToken : credential.accessToken
  if (!revoke || !token || credential.kind !== 'oauth2') return undefined
  const params: Record<string, string> =
    revoke.client === 'bearer'
      ? {}
      : { ...(revoke.client === 'body' ? inBody(client) : {}), [revoke.param]: token.reveal() }
  const url = expandUrl(client.provider, revoke.url, valuesOf(client))
  const bodiless = revoke.method === 'GET' || Object.keys(params).length === 0
  if (revoke.method === 'GET') for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value)
  const json = revoke.body === 'json'
  return {
    method: revoke.method,
    url: url.href,
    headers: {
      accept: 'application/json',
      ...(bodiless ? {} : { 'content-type': json ? 'application/json' : 'application/x-www-form-urlencoded' }),
      ...revoke.headers,
      ...(revoke.client === 'basic' ? { authorization: basic(client) } : {}),
      ...(revoke.client === 'bearer' ? credentialHeader(client.provider, credential) : {}),
    },
    ...(bodiless ? {} : { body: json ? JSON.stringify(params) : new URLSearchParams(params).toString() }),
    sandbox: client.integration.sandbox,
  }
}
