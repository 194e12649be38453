/**
 * A credential that the provider refuses though it should live: it is renewed once, and never twice for the same refusal.
 * Those who are refused at once share one look.
 */
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib'
import { connectionUnknown } from './connection.ts'
import type { Context } from './context.ts'
import { type Json, pickText } from './credential.ts'
import type { StreamAnswer } from './ports.ts'
import type { Provider } from './provider.ts'
import { readRow } from './read.ts'
import type { Refresher } from './refresh.ts'
import { type Sender, senderOfRead } from './sender.ts'
import { type Soon, soon } from './soon.ts'
import { askedAs, tryOut } from './try-out.ts'

export interface Mend {
  /**
   * Whether an answer says that the credential has expired, as the definition tells; else any 401 of one that can be
   * renewed. `body` is asked for only where the definition looks at it.
   */
  isExpiry(sender: Sender, status: number, body: () => Soon<Json | undefined>): Soon<boolean>
  /** The sender with another credential than it had, or undefined where there is none to be had. */
  mend(sender: Sender): Promise<Sender | undefined>
}

/** Milliseconds after it was given, in which a credential that is refused is not taken to have expired. */
const tooYoung = 60_000

export const createMend = (context: Context, refresher: Refresher): Mend => {
  const underWay = new Map<string, Promise<Sender | undefined>>()

  const look = async (sender: Sender): Promise<Sender | undefined> => {
    const { storage, clock } = context
    const { environmentId, integrationKey, connectionId } = sender
    const row = await storage.connection(environmentId, integrationKey, connectionId)
    if (!row) throw connectionUnknown(connectionId, integrationKey)
    const read = await readRow(context, refresher, row)
    const isNew = (of: typeof read) => of.credential.accessToken.reveal() !== sender.credential.accessToken.reveal()
    // Another has renewed it since it was read.
    if (isNew(read)) return senderOfRead(context, read)
    // Its own word for it needs no second one.
    const told = sender.client.provider.api.expired !== undefined
    // Where the provider can be asked whether it takes the credential at all, a refusal for another reason spends nothing.
    if (!told && askedAs(sender.client.provider, sender.credential.kind)) {
      const alive = await tryOut(context, refresher, row)
      return isNew(alive) ? senderOfRead(context, alive) : undefined
    }
    if (clock.now().getTime() - row.obtainedAt.getTime() < tooYoung) return undefined
    return senderOfRead(context, await readRow(context, refresher, await refresher.renew(row, 'dead')))
  }

  return {
    isExpiry(sender, status, body) {
      if (!sender.renewable) return false
      const { expired } = sender.client.provider.api
      return expired ? says(expired, status, body) : status === 401
    },
    mend(sender) {
      const key = `${sender.environmentId}:${sender.id}`
      const joined = underWay.get(key)
      if (joined) return joined
      // The provider's own answer tells the caller more than what became of the look.
      const found = look(sender)
        .catch(() => undefined)
        .finally(() => underWay.delete(key))
      underWay.set(key, found)
      return found
    },
  }
}

type Expired = NonNullable<Provider['api']['expired']>

/** Whether an answer is one of those that the definition names. */
const says = (expired: Expired, status: number, body: () => Soon<Json | undefined>): Soon<boolean> => {
  const fitting = expired.filter(each => each.status === status)
  if (fitting.length === 0) return false
  if (fitting.some(each => each.codes === undefined)) return true
  return soon(body(), found => fitting.some(({ path, codes }) => codes?.includes(pickText(found, path) ?? '')))
}

/** What the body of an answer under way holds, as far as it is JSON and short; it is looked at, and stays. */
export const peeked = async ({ headers, body }: StreamAnswer): Promise<Json | undefined> => {
  const { bytes, whole } = await body.peek()
  return whole ? jsonIn(bytes, headers['content-encoding']) : undefined
}

const jsonIn = (bytes: Uint8Array, encoding: StreamAnswer['headers'][string] | undefined): Json | undefined => {
  try {
    const options = { maxOutputLength: 1_000_000 }
    const plain =
      encoding === 'gzip'
        ? gunzipSync(bytes, options)
        : encoding === 'br'
          ? brotliDecompressSync(bytes, options)
          : encoding === 'deflate'
            ? inflateSync(bytes, options)
            : bytes
    return JSON.parse(Buffer.from(plain).toString()) as Json
  } catch {
    return undefined
  }
}
