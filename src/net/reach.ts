/**
 * Where calls may go: the one address policy, of buffered calls and of streams. A host is resolved once, every address is
 * checked, and the connection goes to a checked one, so that no second look-up can lead elsewhere.
 */
import { lookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { MortiseError } from '../core/errors.ts'
import { isLoopbackHost } from '../core/loopback.ts'
import type { Gone } from '../core/ports.ts'
import { isPublic } from './address.ts'

/** The addresses of a name. */
export type Resolve = (name: string) => Promise<readonly string[]>

export interface ReachOptions {
  /** The one origin where sandboxed integrations are played, given by `dev`; without it there are none. */
  readonly sandboxOrigin?: string
  /** `host` or `host:port` names that the operator allows although they are not public. */
  readonly allowedHosts: readonly string[]
  /** Given by `dev` alone: a call to the operator's own app may go to a loopback name, by http too. */
  readonly ownAppHere?: boolean
  /** What looks names up, where not the machine's own resolver. */
  readonly resolve?: Resolve
}

export interface Reach {
  /** The operator names its host. */
  isAllowed(url: URL): boolean
  /** The sandbox plays https://HOST/PATH at ORIGIN/HOST/PATH. */
  toSandbox(url: string): string
  /**
   * The addresses that a connection may go to. Throws `integration_misconfigured` where one of them may not be reached, and
   * `provider_unavailable` for a name that cannot be resolved.
   */
  addressesOf(url: URL, operator: boolean): Promise<readonly string[]>
}

export const createReach = (options: ReachOptions): Reach => {
  const { sandboxOrigin, allowedHosts, ownAppHere = false, resolve = byMachine } = options
  const isAllowed = (url: URL) => allowedHosts.includes(url.host) || allowedHosts.includes(url.hostname)
  const find = async (name: string, host: string): Promise<readonly string[]> => {
    const unknown = (cause?: unknown) =>
      new MortiseError('provider_unavailable', `The name ${host} cannot be resolved.`, { sent: false, cause })
    const addresses = await resolve(name).catch(cause => Promise.reject(unknown(cause)))
    if (addresses.length === 0) throw unknown()
    return addresses
  }
  return {
    isAllowed,
    toSandbox(text) {
      if (sandboxOrigin === undefined)
        throw new MortiseError('integration_misconfigured', 'Sandbox integrations work in dev only.', { sent: false })
      const { host, pathname, search } = new URL(text)
      return `${sandboxOrigin}/${host}${pathname}${search}`
    },
    async addressesOf(url, operator) {
      const name = url.hostname.replace(/^\[|\]$/g, '')
      // localhost is both families, whatever the machine's own hosts file says of the name.
      if (operator && ownAppHere && isLoopbackHost(url.hostname)) return isIP(name) ? [name] : ['127.0.0.1', '::1']
      const addresses = isIP(name) ? [name] : await find(name, url.hostname)
      if (!isAllowed(url) && !addresses.every(isPublic))
        throw new MortiseError(
          'integration_misconfigured',
          `${url.host} leads to an address on this machine or a private network. If it should, the operator must name it in MORTISE_ALLOWED_HOSTS.`,
          { sent: false },
        )
      if (url.protocol !== 'https:' && !isAllowed(url))
        throw new MortiseError(
          'integration_misconfigured',
          `${url.host} is not https. The operator must name it in MORTISE_ALLOWED_HOSTS, or mend the provider file.`,
          { sent: false },
        )
      return addresses
    },
  }
}

const byMachine: Resolve = async name => (await lookup(name, { all: true })).map(each => each.address)

/** What the work gives; or, where the signal comes first, the error that it means. */
export const unless = <T>(signal: Gone, error: () => MortiseError, work: Promise<T>): Promise<T> =>
  new Promise((done, fail) => {
    const end = () => fail(error())
    if (signal.aborted) end()
    signal.addEventListener('abort', end, { once: true })
    work.then(done, fail).finally(() => signal.removeEventListener('abort', end))
  })

/** A look-up counts against a time limit, too. */
export const inTime = <T>(work: Promise<T>, deadline: AbortSignal, url: URL): Promise<T> =>
  unless(
    deadline,
    () => new MortiseError('provider_unavailable', `The name ${url.host} was not resolved in time.`, { sent: false }),
    work,
  )

/** Whatever the name says by now, a checked address is used: the first that answers. */
export const pinned =
  (addresses: readonly string[]): LookupFunction =>
  (_name, options, answer) => {
    const all = addresses.map(address => ({ address, family: isIP(address) }))
    if (options.all) answer(null, all)
    else answer(null, all[0]?.address ?? '', all[0]?.family)
  }
