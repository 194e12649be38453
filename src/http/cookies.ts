/** One cookie per attempt, so that two tabs work: named after the attempt, holding its nonce. */
import type { Started } from '../core/connect.ts'

/** Outlives the attempt a little, so that a reloaded callback can still be answered. Seconds. */
const life = 20 * 60

/** `__Host-` (RFC 6265bis §4.1.3.2) wherever TLS is; on loopback there is none. */
const nameOf = (stateHash: string, secure: boolean): string =>
  `${secure ? '__Host-' : ''}mortise_${stateHash.slice(0, 16)}`

/** Lax: the provider's redirect is a top-level navigation from another site. */
export const attemptCookie = (started: Pick<Started, 'stateHash' | 'nonce'>, secure: boolean): string =>
  `${nameOf(started.stateHash, secure)}=${started.nonce}; Path=/; Max-Age=${life}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`

export const nonceIn = (header: string | undefined, stateHash: string, secure: boolean): string | undefined => {
  const name = `${nameOf(stateHash, secure)}=`
  return header
    ?.split(';')
    .map(each => each.trim())
    .find(each => each.startsWith(name))
    ?.slice(name.length)
}
