/**
 * Connections that are kept alive, a pool for each origin and the addresses that it was pinned to. A name is looked up
 * again after half a minute; where it leads elsewhere by then, its old pool takes nothing new.
 */
import type { Pool } from 'undici'
import { MortiseError } from '../core/errors.ts'
import { pinned, type Reach } from './reach.ts'

/** Milliseconds for which the addresses of a name are believed. */
const believed = 30_000
/** Pools at most; the one whose name was looked up longest ago goes first. */
const most = 256
/** Connections of a pool at most. */
const connections = 256
/** Milliseconds for a connection to stand. */
const connectTimeout = 10_000

export interface Pools {
  /** At once, but for the first who asks in a while. Throws as `addressesOf`. */
  of(url: URL): Pool | Promise<Pool>
  ofSandbox(origin: string): Pool
  close(): Promise<void>
}

interface Entry {
  readonly pool: Pool
  readonly addresses: string
  until: number
}

export const createPools = async (reach: Reach): Promise<Pools> => {
  // In the bundle it has a default export and no other.
  const { Pool, buildConnector } = (await import('undici')).default
  const entries = new Map<string, Entry>()
  const looking = new Map<string, Promise<Pool>>()
  let sandbox: Pool | undefined

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
          // A literal address is never looked up, so what the connection really leads to is compared.
          if (addresses && !addresses.some(each => isSame(each, socket.remoteAddress ?? ''))) {
            socket.destroy()
            const host = options.hostname
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

  const keep = (origin: string, pool: Pool, addresses: string): Pool => {
    entries.delete(origin)
    entries.set(origin, { pool, addresses, until: performance.now() + believed })
    for (const [oldest, { pool: old }] of entries) {
      if (entries.size <= most) break
      entries.delete(oldest)
      void old.close()
    }
    return pool
  }

  const look = async (url: URL): Promise<Pool> => {
    const addresses = [...(await reach.addressesOf(url, false))].sort()
    const key = addresses.join()
    const known = entries.get(url.origin)
    if (known?.addresses === key) return keep(url.origin, known.pool, key)
    // What is under way there ends as it would.
    void known?.pool.close()
    return keep(url.origin, poolTo(url.origin, addresses), key)
  }

  return {
    of(url) {
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
      sandbox ??= poolTo(origin, undefined)
      return sandbox
    },
    async close() {
      const all = [...entries.values()].map(each => each.pool)
      entries.clear()
      await Promise.all([...all, ...(sandbox ? [sandbox] : [])].map(pool => pool.destroy()))
    },
  }
}

/** A socket may tell an IPv4 address as one mapped into IPv6. */
const isSame = (address: string, remote: string): boolean => remote === address || remote === `::ffff:${address}`
