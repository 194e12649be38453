/** Whose account a credential opens: asked of the provider where its definition says how. */
import type { Account } from './connection.ts'
import { type Credential, type CredentialKind, type Json, type JsonObject, pick, pickText } from './credential.ts'
import { withCredential } from './credential-header.ts'
import { MortiseError } from './errors.ts'
import { type Client, valuesOf } from './grants/authorization-code.ts'
import { type CallRequest, type CallResponse, isOutage, type Signer } from './ports.ts'
import { identityOf } from './provider.ts'
import { expandUrl } from './template.ts'

/** The identity call, or undefined where the token answer tells already. The catalogue has checked its host. */
export const identityRequest = (signer: Signer, client: Client, credential: Credential): CallRequest | undefined => {
  const { api } = client.provider
  const identity = identityOf(client.provider, credential.kind)
  if (!identity?.request) return undefined
  const { request } = identity
  return withCredential(signer, client, credential, {
    method: request.method,
    url: expandUrl(client.provider, request.url, valuesOf(client)).href,
    headers: {
      accept: 'application/json',
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...api.headers,
      ...request.headers,
    },
    ...(request.body === undefined ? {} : { body: request.body }),
    sandbox: client.integration.sandbox,
  })
}

export const readIdentityAnswer = (client: Client, response: CallResponse): Json => {
  let answer: Json | undefined
  try {
    answer = JSON.parse(response.body)
  } catch {}
  if (response.status >= 200 && response.status < 300 && answer !== undefined) return answer
  const outage = isOutage(response.status)
  throw new MortiseError(
    outage ? 'provider_unavailable' : 'provider_invalid_response',
    `${client.provider.name} gave a token, but answered ${response.status} when asked whose account it is. ${outage ? 'Trying again later can help.' : "The operator should check that the integration's scopes allow it."}`,
    { providerStatus: response.status },
  )
}

/**
 * The token answer with its ID token opened, where there is one. The claims came straight from the token endpoint over
 * TLS, so the signature need not be checked (OpenID Connect Core §3.1.3.7, point 6).
 */
const withClaims = (token: JsonObject): JsonObject => {
  const [, payload] = typeof token['id_token'] === 'string' ? token['id_token'].split('.') : []
  if (payload === undefined) return token
  try {
    return { ...token, id_token: JSON.parse(Buffer.from(payload, 'base64url').toString()) }
  } catch {
    return token
  }
}

/** The account, from the identity answer or, without one, from the token answer. Missing where the provider is silent. */
export const readAccount = (
  client: Client,
  token: JsonObject,
  answer: Json | undefined,
  kind: CredentialKind,
): Account | undefined => {
  const identity = identityOf(client.provider, kind)
  if (!identity) return undefined
  const told = withClaims(token)
  const from = (path: string | readonly string[] | undefined) => pickText(answer, path) ?? pickText(told, path)
  const id = from(identity.account)
  if (id === undefined) return undefined
  const [name, personId, personName] = [from(identity.accountName), from(identity.person), from(identity.personName)]
  return {
    id,
    ...(name === undefined ? {} : { name }),
    ...(personId === undefined ? {} : { personId }),
    ...(personName === undefined ? {} : { personName }),
    ...(identity.shared ? { shared: true } : {}),
  }
}

/** What the definition names for `metadata`. */
export const readFacts = (client: Client, token: JsonObject, answer: Json | undefined): JsonObject => {
  const facts: JsonObject = {}
  const told = withClaims(token)
  for (const [name, path] of Object.entries(client.provider.metadata)) {
    const value = pick(told, path) ?? pick(answer, path)
    if (value !== undefined) facts[name] = value
  }
  return facts
}
