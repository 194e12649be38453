/** Where a credential stands in a request, as the definition says: `api.placement`, or that of a key's own kind. */
import { type Credential, isKey, Secret } from './credential.ts'
import { MortiseError } from './errors.ts'
import { type Client, valuesOf } from './grants/authorization-code.ts'
import { hmacSha256 } from './ids.ts'
import type { Signer, StreamHeaders } from './ports.ts'
import type { Provider } from './provider.ts'
import type { Placement } from './provider-api.ts'
import type { Soon } from './soon.ts'
import { expandPlain } from './template.ts'
import { afterOrigin, queryWithout } from './url-param.ts'

type Body = string | Uint8Array | AsyncIterable<Uint8Array>

export interface Placeable {
  readonly method: string
  readonly url: string
  /** Lower-case names. */
  readonly headers: StreamHeaders
  readonly body?: Body | undefined
}

export const placementOf = (provider: Provider, credential: Pick<Credential, 'kind'>): Placement | undefined => {
  const kind = isKey(credential.kind) ? provider.keys?.kinds[credential.kind] : undefined
  // A kind that names its own header is shown there.
  return (
    kind?.placement ?? (kind?.header === undefined && kind?.prefix === undefined ? provider.api.placement : undefined)
  )
}

/** The parameter that carries the credential, where it stands in the query: what a provider tells of URLs may repeat it. */
export const paramOf = (provider: Provider, credential: Pick<Credential, 'kind'>): string | undefined => {
  const placement = credential.kind === 'oauth1' ? undefined : placementOf(provider, credential)
  return placement?.in === 'query' ? placement.param : undefined
}

const unable = (provider: Provider, what: string): MortiseError =>
  new MortiseError('integration_misconfigured', `${provider.name} ${what}.`, { sent: false })

/** Name and password of a key that has both; of another, nothing and the key. */
const halves = ({ kind, accessToken }: Credential): { readonly id: string; readonly secret: string } => {
  const text = accessToken.reveal()
  const colon = kind === 'basic' ? text.indexOf(':') : -1
  return { id: text.slice(0, Math.max(colon, 0)), secret: text.slice(colon + 1) }
}

/** The request with the credential in it. Throws `invalid_request` for a body that it can have no place in. */
export const place = <R extends Placeable>(
  signer: Signer,
  client: Pick<Client, 'provider' | 'integration' | 'config'>,
  credential: Credential,
  placement: Placement,
  request: R,
): Soon<R> => {
  const { provider } = client
  const values = valuesOf(client)
  const url = new URL(request.url)
  const withHeaders = (more: Readonly<Record<string, string>>): R => ({
    ...request,
    headers: { ...request.headers, ...more },
  })
  switch (placement.in) {
    case 'query': {
      const name = encodeURIComponent(placement.param)
      // What the caller sends under that name does not stand; the rest stays as it is written.
      const rest = queryWithout(url.search.slice(1), placement.param)
      const query = `${rest}${rest && '&'}${name}=${encodeURIComponent(credential.accessToken.reveal())}`
      return { ...request, url: `${request.url.split('?')[0]}?${query}` }
    }
    case 'basic': {
      const token = credential.accessToken.reveal()
      const other = expandPlain(provider, placement.other, values)
      const pair = placement.token === 'user' ? `${token}:${other}` : `${other}:${token}`
      return withHeaders({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` })
    }
    case 'body': {
      const type = String(request.headers['content-type'] ?? 'application/json')
      const text = wholeText(provider, request.body)
      const token = credential.accessToken.reveal()
      if (/^application\/x-www-form-urlencoded\b/i.test(type)) {
        const form = new URLSearchParams(text)
        form.set(placement.field, token)
        return { ...request, body: asGiven(request.body, form.toString()) }
      }
      return {
        ...withHeaders({ 'content-type': type }),
        body: asGiven(request.body, JSON.stringify({ ...objectIn(provider, text), [placement.field]: token })),
      }
    }
    case 'hmac': {
      const { id, secret } = halves(credential)
      const ms = signer.clock.now().getTime()
      const time = String(placement.timestamp?.unit === 'milliseconds' ? ms : Math.floor(ms / 1000))
      const signed = expandPlain(provider, placement.message, values, {
        method: request.method,
        path: afterOrigin(request.url, url),
        timestamp: time,
        ...(placement.message.includes('${body}') ? { body: wholeText(provider, request.body) } : {}),
      })
      return withHeaders({
        [placement.header.toLowerCase()]: placement.prefix + hmacSha256(secret, signed, placement.encoding),
        ...(placement.timestamp ? { [placement.timestamp.header.toLowerCase()]: time } : {}),
        ...(placement.id === undefined ? {} : { [placement.id.toLowerCase()]: id }),
      })
    }
    case 'sigv4': {
      const { id, secret } = halves(credential)
      if (id === '')
        throw unable(
          provider,
          'signs with an access key id and a secret access key, and the connection has no pair of these',
        )
      const region = expandPlain(provider, placement.region, values)
      const { body } = request
      const whole = body === undefined || typeof body === 'string' || body instanceof Uint8Array
      const signing = signer.signAws({
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: whole ? body : 'unsigned',
        service: placement.service,
        region,
        at: signer.clock.now(),
        keyId: id,
        secret: new Secret(secret),
      })
      return signing.then(withHeaders)
    }
  }
}

const wholeText = (provider: Provider, body: Body | undefined): string => {
  if (body === undefined) return ''
  if (typeof body === 'string') return body
  if (body instanceof Uint8Array) {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
    } catch {
      throw new MortiseError(
        'invalid_request',
        `Calls of ${provider.name} carry the credential in the body or sign it as text, so a body must be UTF-8.`,
        { sent: false },
      )
    }
  }
  throw new MortiseError(
    'invalid_request',
    `Calls of ${provider.name} carry the credential in the body or sign it, so a body must come whole: with its Content-Length, of at most 64 kB.`,
    { sent: false },
  )
}

const objectIn = (provider: Provider, text: string): object => {
  try {
    const value: unknown = text === '' ? {} : JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  } catch {}
  throw new MortiseError(
    'invalid_request',
    `Calls of ${provider.name} carry the credential in the body, so the body must be a JSON object or a form.`,
    { sent: false },
  )
}

/** Bytes for who gave bytes. */
const asGiven = (given: Body | undefined, text: string): Body => (typeof given === 'string' ? text : Buffer.from(text))
