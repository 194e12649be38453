/** How a credential is shown to the provider: the one place that opens it for a call of the API. */
import { type Credential, isKey } from './credential.ts'
import { MortiseError } from './errors.ts'
import { type Client, valuesOf } from './grants/authorization-code.ts'
import { signedRequest } from './grants/oauth1.ts'
import { place, placementOf } from './place.ts'
import type { CallRequest, Signer, StreamRequest } from './ports.ts'
import type { Provider } from './provider.ts'
import type { Soon } from './soon.ts'
import { expandPlain } from './template.ts'

/** The finished request with the credential on it: beside it in a header, or of OAuth 1 as a signature over it. */
export const withCredential = (
  signer: Signer,
  client: ClientInUse,
  credential: Credential,
  request: CallRequest,
): CallRequest => {
  const { provider } = client
  const { kind, accessToken, tokenSecret } = credential
  if (kind !== 'oauth1') {
    const placement = placementOf(provider, credential)
    if (!placement) return { ...request, headers: { ...request.headers, ...credentialHeader(provider, credential) } }
    const placed = place(signer, client, credential, placement, request)
    if (!(placed instanceof Promise)) return placed
    throw new MortiseError(
      'integration_misconfigured',
      `The definition of ${provider.name} asks for a call that is signed by SigV4, which only the proxy makes. The operator must mend the provider file.`,
      { sent: false },
    )
  }
  if (provider.auth !== 'oauth1' || tokenSecret === undefined)
    throw new MortiseError(
      'integration_misconfigured',
      `The connection holds a token of OAuth 1, which the definition of ${provider.name} no longer speaks. The operator must mend the provider file.`,
      { sent: false },
    )
  const { secret } = client
  if (!secret) throw new MortiseError('internal', undefined, { cause: new Error('signing without a secret') })
  const pair = { token: accessToken.reveal(), secret: tokenSecret.reveal() }
  return signedRequest(signer, { ...client, provider, secret }, request, pair)
}

/**
 * A request of the proxy with the credential on it. The definition's fixed headers stand where the caller sent none of that
 * name; the credential's stands always.
 */
export const withPlacedCredential = (
  signer: Signer,
  { client, credential }: { readonly client: ClientInUse; readonly credential: Credential },
  request: StreamRequest,
): Soon<StreamRequest> => {
  const { provider } = client
  const headers: Record<string, string | readonly string[]> = { 'user-agent': 'Mortise' }
  for (const [name, value] of Object.entries(provider.api.headers ?? {}))
    headers[name.toLowerCase()] = expandPlain(provider, value, valuesOf(client))
  Object.assign(headers, request.headers)
  if (credential.kind !== 'oauth1') {
    const placement = placementOf(provider, credential)
    if (placement) return place(signer, client, credential, placement, { ...request, headers })
    return { ...request, headers: Object.assign(headers, credentialHeader(provider, credential)) }
  }
  const { body } = request
  const type = headers['content-type']
  if (body !== undefined && !(body instanceof Uint8Array) && typeof type === 'string' && isForm(type))
    throw new MortiseError(
      'invalid_request',
      'A form is signed whole: send it with its Content-Length, of at most 64 kB.',
      { sent: false },
    )
  const { method, url, sandbox } = request
  const signed = withCredential(signer, client, credential, {
    method,
    url,
    sandbox,
    headers: typeof type === 'string' ? { 'content-type': type } : {},
    ...(body instanceof Uint8Array ? { body: Buffer.from(body).toString() } : {}),
  })
  return { ...request, headers: { ...headers, ...signed.headers } }
}

/** With its secret, where something is signed with that. */
export type ClientInUse = Pick<Client, 'provider' | 'integration' | 'config'> & { readonly secret?: Client['secret'] }

const isForm = (type: string): boolean => /^application\/x-www-form-urlencoded\b/i.test(type)

/** Name, in lower case, and value. A key that an end user gave may travel otherwise than a token (`keys.kinds`). */
export const credentialHeader = (provider: Provider, credential: Credential): Record<string, string> => {
  const { api } = provider
  const kind = isKey(credential.kind) ? provider.keys?.kinds[credential.kind] : undefined
  const secret = credential.accessToken.reveal()
  const basic = credential.kind === 'basic'
  const prefix = kind?.prefix ?? (basic ? 'Basic ' : api.prefix)
  const shown = basic ? Buffer.from(secret).toString('base64') : secret
  // A computed name in a literal is the slow way.
  const header: Record<string, string> = {}
  header[(kind?.header ?? api.header).toLowerCase()] = prefix + shown
  return header
}
