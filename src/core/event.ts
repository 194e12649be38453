/**
 * Events: what happened in an environment. Deliveries: telling its webhook endpoint of one, until it was heard. The
 * wire is Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { type Connection, shownId } from './connection.ts'
import { shownUserId } from './end-user.ts'
import { newId } from './ids.ts'

/** What an endpoint may subscribe to. A new type is one more line here, and a function below that writes its body. */
export const eventTypes = ['connection.created'] as const
export type EventType = (typeof eventTypes)[number]

/** What the test button sends. Every endpoint gets it, whatever it subscribes to. */
export const testType = 'webhook.test'

/** Where an environment is told of its events: one endpoint each. */
export interface WebhookEndpoint {
  readonly environmentId: number
  readonly url: string
  /** Sealed: `whsec_` and 32 random bytes in base64. Stays when URL or events change. */
  readonly secret: Uint8Array
  /** Sealed: the one before the last rotation. It signs besides the new one until then, so that nothing is missed. */
  readonly previous?: { readonly secret: Uint8Array; readonly until: Date }
  readonly events: readonly EventType[]
  /** Moves with every change: a change that was made on an older one is refused. Starts at 1. */
  readonly revision: number
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** `pending`: not heard yet, and tried again. `failed`: given up; a person may send it again. */
export type DeliveryStatus = 'pending' | 'delivered' | 'failed'

export interface Delivery {
  readonly environmentId: number
  /** 24 hex digits; the `webhook-id`, the same in every try, by which a receiver knows one that it has had already. */
  readonly id: string
  readonly type: EventType | typeof testType
  /** The exact JSON text that is signed and sent. */
  readonly body: string
  readonly status: DeliveryStatus
  /** How often it was claimed to be sent. Only grows. */
  readonly tries: number
  /** Not tried before then. */
  readonly availableAt: Date
  /** Somebody is sending it until then, unless their process died. */
  readonly claimedUntil?: Date
  readonly createdAt: Date
  readonly deliveredAt?: Date
  /** Where the last try went, without query. */
  readonly sentTo?: string
  /** What the receiver answered to the last try, if it did. */
  readonly lastStatus?: number
  /** Why the last try failed: a sentence for the operator. Nothing of the receiver's body is kept. */
  readonly lastError?: string
}

/** An event as it goes to storage. */
export type NewEvent = Pick<Delivery, 'id' | 'type' | 'body' | 'createdAt'>

const newEvent = (type: NewEvent['type'], data: Record<string, string>, now: Date): NewEvent => ({
  id: newId(now),
  type,
  body: JSON.stringify({ type, data }),
  createdAt: now,
})

/** What `Storage.authorize` writes with a connection: `connection.created` for a new one, nothing for a repaired one. */
export const connectionEvents =
  (now: Date) =>
  (written: Connection, created: boolean): readonly NewEvent[] =>
    created
      ? [
          newEvent(
            'connection.created',
            {
              connectionId: shownId(written),
              userId: shownUserId(written.environmentId, written.endUserId),
              integrationId: written.integrationKey,
            },
            now,
          ),
        ]
      : []

export const testEvent = (now: Date): NewEvent => newEvent(testType, {}, now)
