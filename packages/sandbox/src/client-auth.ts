import { type Incoming, text } from './http.ts'
import { type Play, type Refused, same } from './registry.ts'
import type { Client } from './types.ts'

/** How the caller names itself, before anything is checked. */
export interface Presented {
  readonly basic?: { readonly id: string; readonly secret: string } | 'malformed'
  readonly id?: string
  readonly secret?: string
}

const formDecode = (value: string): string => decodeURIComponent(value.replaceAll('+', ' '))

/** RFC 6749 §2.3.1: id and secret are each form-urlencoded before they are joined and base64-encoded. */
const parseBasic = (header: string): NonNullable<Presented['basic']> => {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(header)?.[1]
  if (encoded === undefined) return 'malformed'
  const pair = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  if (colon < 0) return 'malformed'
  try {
    return { id: formDecode(pair.slice(0, colon)), secret: formDecode(pair.slice(colon + 1)) }
  } catch {
    return 'malformed'
  }
}

export const presented = (request: Incoming): Presented => {
  const header = request.headers['authorization']
  const id = text(request.body, 'client_id')
  const secret = text(request.body, 'client_secret')
  return {
    ...(header !== undefined && /^basic\b/i.test(header) ? { basic: parseBasic(header) } : {}),
    ...(id === undefined ? {} : { id }),
    ...(secret === undefined ? {} : { secret }),
  }
}

/** The id the caller claims, for finding out whom it means. */
export const claimedId = (sent: Presented): string | undefined =>
  typeof sent.basic === 'object' ? sent.basic.id : sent.id

/** The client, by the documented method and no other. */
export const authenticate = (
  play: Play,
  documented: 'basic' | 'body' | 'either',
  request: Incoming,
): { client: Client } | Refused => {
  const sent = presented(request)
  const basic = sent.basic !== undefined
  const refuse = (refusal: Refused['refusal'], why: string): Refused => ({ refusal, why, basic })

  // RFC 6749 §2.3: a client must not use more than one method in a request.
  if (basic && sent.secret !== undefined) return refuse('invalid_request', 'two ways of client authentication at once')
  if (sent.basic === 'malformed') return refuse('invalid_client', 'the Basic credentials are malformed')
  if (!basic && request.headers['authorization'] !== undefined) {
    return refuse('invalid_client', 'the Authorization header is not Basic')
  }
  if (basic && documented === 'body') return refuse('invalid_client', 'the client authenticates in the body here')
  if (!basic && documented === 'basic') return refuse('invalid_client', 'the client authenticates with HTTP Basic here')

  const id = claimedId(sent)
  const secret = sent.basic ? sent.basic.secret : sent.secret
  if (id === undefined || secret === undefined) return refuse('invalid_client', 'client credentials are missing')
  if (basic && sent.id !== undefined && sent.id !== id) return refuse('invalid_request', 'two different client ids')
  const client = play.clients.get(id)
  // Compared also for an unknown client, so that it takes as long.
  const right = same(secret, client?.clientSecret ?? 'no such client')
  if (!client || !right) return refuse('invalid_client', 'unknown client or wrong secret')
  return { client }
}
