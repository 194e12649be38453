/**
 * Connections that are kept alive, a pool for each origin and the addresses that it was pinned to. A name is looked up
 * again after half a minute; where it leads elsewhere by then, its old pool takes nothing new.
 */
import type { Pool } from 'undici'
import { MortiseError } from '../core/errors.ts'
import { inTime, pinned, type Reach } from './reach.ts'

/** Milliseconds for which the addresses of a name are believed. */
const believed = 30_000
/** Pools at most; the one whose name was looked up longest ago goes first. */
const most = 256
/** Milliseconds for a connection to stand. */
const connectTimeout = 10_000

export interface PoolsOptions {
  /** Connections of an origin at most. */
  readonly connections?: number
  /** Milliseconds for a name to be looked up. */
  readonly lookUpWithin?: number
}

export interface Pools {
  /** At once, but for the first who asks in a while. Throws as `addressesOf`, and `provider_unavailable` once it is closed. */
  of(url: URL): Pool | Promise<Pool>
  ofSandbox(origin: string): Pool
  /** Cuts off what is under way; nothing begins any more. */
  close(): Promise<void>
}

/** What a call is told that the hub, on its way out, cuts off or does not begin. */
export const stopping = (sent: boolean): MortiseError =>
  new MortiseError('provider_unavailable', 'The hub is stopping. Make the call again.', {
    sent,
    reason: 'hub_stopping',
  })

interface Entry {
  readonly pool: Pool
  readonly addresses: string
  until: number
}

export const createPools = async (reach: Reach, options: PoolsOptions): Promise<Pools> => {
  const { connections = 256, lookUpWithin = 10_000 } = options
  // In the bundle it has a default export and no other.
  const { Pool, buildConnector } = (await import('undici')).default
  const entries = new Map<string, Entry>()
  const looking = new Map<string, Promise<Pool>>()
  /** Those that take nothing new, until what is under way there has ended. */
  const retired = new Set<Pool>()
  let sandbox: Pool | undefined
  let closed = false

  const poolTo = (origin: string, addresses: readonly string[] | undefined): Pool => {
    const plain = buildConnector({
      allowH2: false,
      timeout: connectTimeout,
      autoSelectFamily: true,
      ...(addresses ? { lookup: pinned(addresses) } : {}),
    })
    return new Pool(origin, {
      connections,
      connect: (options, answer) =>
        plain(options, (error, socket) => {
          if (error) return answer(error, null)
          const { remoteAddress } = socket
          const host = options.hostname
          // It has no address any more once the other side is gone.
          if (addresses && remoteAddress === undefined) {
            socket.destroy()
            const cause = new MortiseError('provider_unavailable', `${host} could not be reached.`, { sent: false })
            return answer(cause, null)
          }
          // A literal address is never looked up, so what the connection really leads to is compared.
          if (addresses && !addresses.some(each => isSame(each, remoteAddress ?? ''))) {
            socket.destroy()
            return answer(
              new MortiseError('integration_misconfigured', `${host} led to an address that was not checked.`, {
                sent: false,
              }),
              null,
            )
          }
          answer(null, socket)
        }),
    })
  }

  const retire = (pool: Pool): void => {
    retired.add(pool)
    void pool.close().finally(() => retired.delete(pool))
  }

  const keep = (origin: string, pool: Pool, addresses: string): Pool => {
    entries.delete(origin)
    entries.set(origin, { pool, addresses, until: performance.now() + believed })
    for (const [oldest, { pool: old }] of entries) {
      if (entries.size <= most) break
      entries.delete(oldest)
      retire(old)
    }
    return pool
  }

  const look = async (url: URL): Promise<Pool> => {
    const found = await inTime(reach.addressesOf(url, false), AbortSignal.timeout(lookUpWithin), url)
    if (closed) throw stopping(false)
    const addresses = [...found].sort()
    const key = addresses.join()
    const known = entries.get(url.origin)
    if (known?.addresses === key) return keep(url.origin, known.pool, key)
    // What is under way there ends as it would.
    if (known) retire(known.pool)
    return keep(url.origin, poolTo(url.origin, addresses), key)
  }

  return {
    of(url) {
      if (closed) throw stopping(false)
      const { origin } = url
      const known = entries.get(origin)
      if (known && known.until > performance.now()) return known.pool
      const asked = looking.get(origin)
      if (asked) return asked
      const found = look(url).finally(() => looking.delete(origin))
      looking.set(origin, found)
      return found
    },
    ofSandbox(origin) {
      if (closed) throw stopping(false)
      sandbox ??= poolTo(origin, undefined)
      return sandbox
    },
    async close() {
      closed = true
      const all = [...[...entries.values()].map(each => each.pool), ...retired, ...(sandbox ? [sandbox] : [])]
      entries.clear()
      sandbox = undefined
      await Promise.all(all.map(pool => pool.destroy(stopping(true))))
    },
  }
}

/** A socket may tell an IPv4 address as one mapped into IPv6. */
const isSame = (address: string, remote: string): boolean => remote === address || remote === `::ffff:${address}`
