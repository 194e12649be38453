/** Deliveries of the hub, checked: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { MortiseError } from './errors.ts'

/** An end user has connected an account, and there was no such connection before. */
export interface ConnectionCreated {
  readonly type: 'connection.created'
  readonly data: { readonly connectionId: string; readonly userId: string; readonly integrationId: string }
}

/** Sent on demand: `npx mortise webhook test`. */
export interface WebhookTest {
  readonly type: 'webhook.test'
  readonly data: Readonly<Record<string, never>>
}

/** A newer hub may send other types: answer those with a 2xx too, and do nothing. */
export type WebhookEvent = ConnectionCreated | WebhookTest

/** What was sent, and under which id: the same in every try of one delivery, so keep it and skip what you have seen. */
export type Delivery = WebhookEvent & { readonly id: string; readonly sentAt: Date }

export interface Incoming {
  /** Byte for byte as it came: parsing it and writing it again changes it. */
  readonly body: string | Uint8Array
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>
  /** Begins with `whsec_`. While it is rotated, the new one and the old one, or either. */
  readonly secret: string | readonly string[]
  /** How far its time may be from now; five minutes unless told. */
  readonly toleranceSeconds?: number | undefined
  readonly now?: Date | undefined
}

const invalid = (reason: string, message: string): MortiseError =>
  new MortiseError('webhook_invalid', message, { whoMustAct: 'caller', retryable: false, reason })

const headerOf = (headers: Incoming['headers'], name: string): string => {
  const value =
    headers instanceof Headers
      ? headers.get(name)
      : Object.entries(headers).find(([each]) => each.toLowerCase() === name)?.[1]
  if (typeof value === 'string' && value !== '') return value
  throw invalid('header_missing', `The header ${name} is missing: this is no delivery of a hub. Answer 401.`)
}

const keyOf = (secret: unknown): Buffer => {
  const text = typeof secret === 'string' ? secret : ''
  if (/^whsec_[A-Za-z0-9+/]{16,}={0,2}$/.test(text)) return Buffer.from(text.slice('whsec_'.length), 'base64')
  throw new MortiseError(
    'not_configured',
    'The webhook secret is missing or malformed: it begins with whsec_, as `npx mortise webhook set` prints it.',
    { whoMustAct: 'caller', retryable: false, parameter: 'secret' },
  )
}

/** Throws `webhook_invalid` for what the hub did not sign, or not lately: answer that with 401, and do nothing. */
export const verifyWebhook = (incoming: Incoming): Delivery => {
  const { body, headers, secret, toleranceSeconds = 300, now = new Date() } = incoming
  if (!(Number.isFinite(toleranceSeconds) && toleranceSeconds >= 0))
    throw new MortiseError('not_configured', 'toleranceSeconds is a number of seconds, from 0 on.', {
      whoMustAct: 'caller',
      retryable: false,
      parameter: 'toleranceSeconds',
    })
  if (typeof body !== 'string' && !(body instanceof Uint8Array))
    throw new MortiseError(
      'not_configured',
      'body is what came, as text or bytes, and not parsed: a parsed one cannot be checked.',
      {
        whoMustAct: 'caller',
        retryable: false,
        parameter: 'body',
      },
    )
  const keys = (typeof secret === 'string' ? [secret] : [...(secret ?? [])]).map(keyOf)
  if (keys.length === 0) keyOf(undefined)
  const id = headerOf(headers, 'webhook-id')
  const timestamp = headerOf(headers, 'webhook-timestamp')
  const given = headerOf(headers, 'webhook-signature')
    .split(' ')
    .filter(each => each.startsWith('v1,'))
    .map(each => Buffer.from(each.slice('v1,'.length), 'base64'))
  // Every pair is compared, and each compared whole: how long it takes tells nothing.
  let signed = false
  for (const key of keys) {
    const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
    for (const each of given) if (each.length === expected.length && timingSafeEqual(each, expected)) signed = true
  }
  if (!signed)
    throw invalid(
      'signature',
      'The signature is not of this body and this secret. Answer 401; if it stays, compare the secret.',
    )
  const sentAt = new Date(/^\d{1,12}$/.test(timestamp) ? Number(timestamp) * 1000 : Number.NaN)
  // Not a number is not near.
  if (!(Math.abs(sentAt.getTime() - now.getTime()) <= toleranceSeconds * 1000))
    throw invalid(
      'timestamp',
      'The delivery is older than is allowed, or of the future: it may be one that somebody kept. Answer 401.',
    )
  try {
    const { type, data } = JSON.parse(typeof body === 'string' ? body : Buffer.from(body).toString()) as WebhookEvent
    return { type, data, id, sentAt } as Delivery
  } catch {
    throw invalid('body', 'The body is signed, and no JSON.')
  }
}
