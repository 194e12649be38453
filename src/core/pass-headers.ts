/** Which headers travel through the hub, and which end here. Pure. */
import type { StreamHeaders } from './ports.ts'
import { withoutParam } from './url-param.ts'

/** As Node gives them: lower-case names. */
export type GivenHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** Of one hop (RFC 9110 §7.6.1). */
const ofHop = ['connection', 'http2-settings', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']

/** Of the caller and the hub: who the caller is, and what its own proxies say of it. */
const ofCaller = new Set([
  ...ofHop,
  'authorization',
  'content-length',
  'cookie',
  'cookie2',
  'expect',
  'forwarded',
  'host',
  'via',
  'x-real-ip',
])
const beginningsOfCaller = ['mortise-', 'proxy-', 'x-forwarded-', ':']

/** Whether a caller's header of this name, in lower case, ends at the hub, whichever way the call goes. */
export const endsHere = (name: string): boolean =>
  ofCaller.has(name) || beginningsOfCaller.some(each => name.startsWith(each))

/**
 * Of an answer, what speaks to a browser about the origin that it comes from: that would be the hub. And what would let a
 * cache keep it: two connections are asked under one URL.
 */
const ofOrigin = new Set([
  ...ofHop,
  'accept-ch',
  'activate-storage-access',
  'age',
  'alt-svc',
  'alt-used',
  'cache-control',
  'cdn-cache-control',
  'clear-site-data',
  'content-security-policy',
  'content-security-policy-report-only',
  'critical-ch',
  'document-policy',
  'expect-ct',
  'expires',
  'feature-policy',
  'integrity-policy',
  'nel',
  'origin-agent-cluster',
  'origin-trial',
  'permissions-policy',
  'pragma',
  'public-key-pins',
  'public-key-pins-report-only',
  'referrer-policy',
  'refresh',
  'report-to',
  'reporting-endpoints',
  'service-worker-allowed',
  'set-cookie',
  'set-cookie2',
  'set-login',
  'sourcemap',
  'speculation-rules',
  'strict-transport-security',
  'supports-loading-mode',
  'surrogate-control',
  'timing-allow-origin',
  'use-as-dictionary',
  'x-content-type-options',
  'x-frame-options',
  'x-sourcemap',
  'x-xss-protection',
])
const beginningsOfOrigin = ['access-control-', 'cross-origin-', 'mortise-', 'proxy-']

/** What an answer gains: a provider's page never runs in the hub's origin, and nobody keeps it. */
export const gained = {
  'cache-control': 'no-store',
  'content-security-policy': 'sandbox',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const

const without = <V extends string | readonly string[]>(
  headers: Readonly<Record<string, V | undefined>>,
  names: ReadonlySet<string>,
  beginnings: readonly string[],
): Record<string, V> => {
  const kept: Record<string, V> = {}
  const named = headers['connection']
  // Whoever sent it says of these that they end at the next hop.
  const further =
    named === undefined
      ? undefined
      : new Set(
          String(named)
            .toLowerCase()
            .split(/[\s,]+/),
        )
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || names.has(name) || further?.has(name)) continue
    if (beginnings.some(each => name.startsWith(each))) continue
    kept[name] = value
  }
  return kept
}

/** Of the connection between the hub and the provider; a cookie is of it, too. */
const ofConnection = new Set([...ofHop, 'set-cookie', 'set-cookie2'])

/**
 * The provider's headers where they are told in a body, so that no browser or cache takes them for the hub's. `hidden`: the
 * parameter that carries the credential in a query (`paramOf`), which stands in no URL that comes back.
 */
export const told = (headers: Readonly<Record<string, string>>, hidden?: string): Record<string, string> =>
  hiding(without(headers, ofConnection, ['proxy-']), hidden, withoutParam)

/** The caller's headers that travel to the provider. */
export const travelling = (headers: GivenHeaders): Record<string, string | readonly string[]> =>
  without(headers, ofCaller, beginningsOfCaller)

/** The provider's headers that travel to the caller. A place is told as a whole URL: a part of one would be of the hub. */
export const returning = (
  headers: StreamHeaders,
  from: string,
  hidden?: string,
): Record<string, string | readonly string[]> => {
  const kept: Record<string, string | readonly string[]> = without(headers, ofOrigin, beginningsOfOrigin)
  const { location } = kept
  if (typeof location === 'string') kept['location'] = URL.parse(location, from)?.href ?? location
  return hiding(kept, hidden, (value, param) =>
    typeof value === 'string' ? withoutParam(value, param) : value.map(each => withoutParam(each, param)),
  )
}

const hiding = <V>(
  headers: Record<string, V>,
  hidden: string | undefined,
  hide: (value: V, param: string) => V,
): Record<string, V> =>
  hidden === undefined
    ? headers
    : Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, hide(value, hidden)]))
