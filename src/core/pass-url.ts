/** Where a proxied request goes: the definition's base and the caller's path, and why that cannot lead elsewhere. */
import type { Caller } from './action-request.ts'
import { checkPath, pathBelow } from './api-path.ts'
import { badParameter, MortiseError } from './errors.ts'
import { valuesOf } from './grants/authorization-code.ts'
import { isSecureUrl, parseUrl } from './loopback.ts'
import type { Provider } from './provider.ts'
import { expandUrl, isNamedHost } from './template.ts'
import { keptUrl, sameUrl } from './url-param.ts'

/** Whether an operator's allow-list names the host of a URL. */
export type Allows = (url: URL) => boolean

/** Of definitions that spell out their base, which is on the way of every call: parsed once. */
const spelled = new WeakMap<Provider, URL>()

/** The definition's base for this caller. Nobody changes it. */
const ownBase = (caller: Caller): URL => {
  const { provider } = caller
  const known = spelled.get(provider)
  if (known) return known
  const url = expandUrl(provider, provider.api.base, valuesOf(caller))
  if (!provider.api.base.includes('${')) spelled.set(provider, url)
  return url
}

/** `given`: a caller's base URL in place of the definition's, '' or absent for none. */
export const baseOf = (caller: Caller, given: string | undefined, allows: Allows): URL => {
  const own = ownBase(caller)
  if (given === undefined || given === '') return own
  const url = /^https?:\/\/[^\s\\@?#]+$/i.test(given) ? parseUrl(given) : undefined
  if (url?.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw badParameter(
      'baseUrl',
      'The base URL must be an absolute https: URL of a host and perhaps a path, without a user, a query or a fragment.',
    )
  checkPath(url.pathname)
  if (isNamed(caller, url, own) || allows(url)) return url
  throw new MortiseError(
    'invalid_request',
    `${url.host} is not a host that the definition of ${caller.provider.name} names for its API. Use one of those that it names (${[own.host, ...caller.provider.api.hosts].join(', ')}); the operator can allow another in MORTISE_ALLOWED_HOSTS.`,
    { reason: 'host_not_named', parameter: 'baseUrl' },
  )
}

/** The URL as it is sent: the caller's path and query stand in it letter for letter. */
export const joined = (base: URL, path: string, query: string): string => {
  if (!/^(\?[!-~]*)?$/.test(query) || query.includes('#'))
    throw badParameter('query', 'The query must be plain ASCII, percent-encoded.')
  const text = `${base.origin}${pathBelow(base, path)}${query}`
  const url = keptUrl(text)
  if (url.origin !== base.origin || url.username !== '' || url.hash !== '')
    throw badParameter('path', 'The path does not make a URL of the provider.')
  return text
}

const isNamed = ({ provider }: Caller, url: URL, base: URL): boolean =>
  isSecureUrl(url) &&
  (url.origin === base.origin ||
    (url.protocol === 'https:' && url.port === '' && isNamedHost(url.hostname, provider.api.hosts)))

/**
 * The credential may travel to the origin of `api.base` (https, or http on this machine where the definition says so), to
 * `api.hosts` by https on the usual port, and to the base that a caller gave and that passed `baseOf`.
 */
export const mayGo = (caller: Caller, url: URL, given?: URL): boolean =>
  (given !== undefined && url.origin === given.origin) || isNamed(caller, url, ownBase(caller))

/** Throws `integration_misconfigured` before a byte is sent. */
export const assertNamed = (caller: Caller, text: string, given?: URL): void => {
  const url = sameUrl(text)
  if (mayGo(caller, url, given)) return
  throw new MortiseError(
    'integration_misconfigured',
    `${url.host} is not a host that the definition of ${caller.provider.name} names for its API, so the credential was not sent there. The operator must mend the provider file.`,
    { sent: false },
  )
}
