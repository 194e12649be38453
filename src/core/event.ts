/**
 * Events: what happened in an environment. Deliveries: telling its webhook endpoint of one, until it was heard. The
 * wire is Standard Webhooks: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 * or, where the endpoint is of another style, that of the clients which it is for.
 */
import type { Connection, Flag } from './connection.ts'
import type { Secret } from './credential.ts'
import type { EndUser } from './end-user.ts'

/** What an endpoint may subscribe to. A new type is one more line here, and the data of its body in `happened.ts`. */
export const eventTypes = ['connection.created', 'connection.repaired', 'connection.reauthorization_required'] as const
export type EventType = (typeof eventTypes)[number]

/** How an endpoint is told: `standard` by Standard Webhooks, `connections` as clients of the Connections API expect it. */
export const webhookStyles = ['standard', 'connections'] as const
export type WebhookStyle = (typeof webhookStyles)[number]
type OtherStyle = Exclude<WebhookStyle, 'standard'>

/** What an endpoint subscribes to that names no events. */
export const usualEvents: Readonly<Record<WebhookStyle, readonly EventType[]>> = {
  standard: ['connection.created'],
  connections: eventTypes,
}

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
  readonly style: WebhookStyle
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
  readonly style: WebhookStyle
  /** Where it goes, if the connection has a URL of its own. */
  readonly url?: string
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

/** An event as it goes to storage. `others`: its body for an endpoint of another style than the standard one. */
export type NewEvent = Pick<Delivery, 'id' | 'type' | 'body' | 'url' | 'createdAt'> & {
  readonly others: Readonly<Record<OtherStyle, string>>
}

/** What happened to a connection. */
export interface Happened {
  readonly type: EventType
  readonly connection: Connection
  /** Its name. */
  readonly environment: string
  readonly endUser?: EndUser
  readonly why?: Flag
}

/** How endpoints of another style are told. Undefined: the test button was pressed. */
export interface Telling {
  body(happened: Happened | undefined, environment: string): string
  /** `secrets`: the newest first. */
  headers(secrets: readonly Secret[], body: string): Readonly<Record<string, string>>
}
export type Tellings = Readonly<Record<OtherStyle, Telling>>
