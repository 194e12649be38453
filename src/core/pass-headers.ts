/** Which headers travel through the hub, and which end here. Pure. */
import type { StreamHeaders } from './ports.ts'
import { withoutParam } from './url-param.ts'

/** As Node gives them: lower-case names. */
export type GivenHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** Whether a header of this name, in lower case, ends at the hub. */
type Ends = (name: string) => boolean

/** The names that come are few: what was found of one is remembered. */
const remembering = (ends: Ends): Ends => {
  const known = new Map<string, boolean>()
  return name => {
    const found = known.get(name)
    if (found !== undefined) return found
    const ending = ends(name)
    if (known.size < 500 && name.length < 50) known.set(name, ending)
    return ending
  }
}

const oneOf = (names: ReadonlySet<string>, beginnings: readonly string[]): Ends =>
  remembering(name => names.has(name) || beginnings.some(each => name.startsWith(each)))

/** Of one hop (RFC 9110 §7.6.1). */
const ofHop = ['connection', 'http2-settings', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']

/** Of the caller and the hub: who the caller is, and what its own proxies say of it. */
const ofCaller = new Set([
  ...ofHop,
  'authorization',
  'cdn-loop',
  'content-length',
  'cookie',
  'cookie2',
  'expect',
  'fastly-client-ip',
  'fly-client-ip',
  'forwarded',
  'host',
  'true-client-ip',
  'via',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-nf-client-connection-ip',
  'x-original-forwarded-for',
  'x-original-host',
  'x-real-ip',
  'x-vercel-forwarded-for',
])
const beginningsOfCaller = [
  ':',
  'cf-',
  'cloudfront-',
  'mortise-',
  'proxy-',
  'x-appengine-',
  'x-azure-',
  'x-envoy-',
  'x-forwarded-',
  'x-vercel-ip-',
]

/** Of a caller's header, whichever way the call goes. */
export const endsHere: Ends = oneOf(ofCaller, beginningsOfCaller)

/**
 * Of an answer, what speaks to a browser about the origin that it comes from: that would be the hub. What would let a cache
 * keep it: two connections are asked under one URL. And what a server in front of the hub would obey, for which the hub is its
 * own application: a file of its disk or another URL in place of the answer.
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
  'x-sendfile',
  'x-sendfile2',
  'x-sourcemap',
  'x-xss-protection',
])
const beginningsOfOrigin = [
  'access-control-',
  'attribution-reporting-',
  'cross-origin-',
  'mortise-',
  'proxy-',
  'sec-session-',
  'secure-session-',
  'x-accel-',
  'x-lighttpd-',
  'x-litespeed-',
  'x-reproxy-',
]
const ofTheOrigin = oneOf(ofOrigin, beginningsOfOrigin)

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
  ends: Ends,
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
    if (value !== undefined && !ends(name) && !further?.has(name)) kept[name] = value
  }
  return kept
}

/** Of the connection between the hub and the provider; a cookie is of it, too. */
const ofConnection = oneOf(new Set([...ofHop, 'set-cookie', 'set-cookie2']), ['proxy-'])

/**
 * The provider's headers where they are told in a body, so that no browser or cache takes them for the hub's. `hidden`: the
 * parameter that carries the credential in a query (`paramOf`), which stands in no URL that comes back.
 */
export const told = (headers: Readonly<Record<string, string>>, hidden?: string): Record<string, string> =>
  hiding(without(headers, ofConnection), hidden, withoutParam)

/** The caller's headers that travel to the provider. */
export const travelling = (headers: GivenHeaders): Record<string, string | readonly string[]> =>
  without(headers, endsHere)

/** The provider's headers that travel to the caller. A place is told as a whole URL: a part of one would be of the hub. */
export const returning = (
  headers: StreamHeaders,
  from: string,
  hidden?: string,
): Record<string, string | readonly string[]> => {
  const kept: Record<string, string | readonly string[]> = without(headers, ofTheOrigin)
  const { location } = kept
  const whole = (each: string): string => URL.parse(each, from)?.href ?? each
  if (location !== undefined) kept['location'] = typeof location === 'string' ? whole(location) : location.map(whole)
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
