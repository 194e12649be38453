/** The body of a proxied request: a small one is kept, so that it can be sent again; a large one passes and is gone. */
import type { Json } from './credential.ts'
import type { Integration } from './integration.ts'
import { checkLength, withinLength } from './limits.ts'

/** Bytes of a body that are kept. */
const most = 64 * 1024

export type PassBody =
  | Uint8Array
  /** Sent as JSON. */
  | { readonly json: Json }
  /** As it comes; `length`: its bytes, where they are known. */
  | { readonly pieces: AsyncIterable<Uint8Array>; readonly length?: number }

export interface KeptBody {
  /** For one try; undefined where there is none. */
  take(): Uint8Array | AsyncIterable<Uint8Array> | undefined
  /** Bytes, of one that comes in pieces. */
  readonly length: number | undefined
  /** Whether all of it is there to be taken again. */
  again(): boolean
}

const none: KeptBody = { take: () => undefined, length: undefined, again: () => true }

/** Throws `invalid_request` for one that is longer than the integration lets pass. */
export const keepBody = (body: PassBody | undefined, integration: Pick<Integration, 'limits'>): KeptBody => {
  if (body === undefined) return none
  if ('json' in body) return keepBody(Buffer.from(JSON.stringify(body.json)), integration)
  checkLength(integration, body.length)
  if (body instanceof Uint8Array) return { take: () => body, length: undefined, again: () => true }
  const { length } = body
  const pieces = length === undefined ? withinLength(integration, body.pieces) : body.pieces
  const kept: Uint8Array[] = []
  let size = 0
  let state: 'fresh' | 'under way' | 'whole' = 'fresh'
  if (length !== undefined && length > most)
    return {
      take() {
        state = 'under way'
        return pieces
      },
      length,
      again: () => state === 'fresh',
    }
  const copying = async function* () {
    for await (const piece of pieces) {
      size += piece.length
      if (size <= most) kept.push(piece)
      else kept.length = 0
      yield piece
    }
    if (size <= most) state = 'whole'
  }
  return {
    take() {
      if (state === 'whole') return Buffer.concat(kept)
      state = 'under way'
      return copying()
    },
    length,
    again: () => state !== 'under way',
  }
}
