/** The part of the storage port on webhooks: endpoints, and deliveries. Its contract as in `storage.ts`. */
import type { Delivery, DeliveryStatus, NewEvent, WebhookEndpoint, WebhookStyle } from './event.ts'

export interface WebhookStorage {
  endpoint(environmentId: number): Promise<WebhookEndpoint | undefined>
  /**
   * Writes the environment's one endpoint: a new one where its revision is 1, else over the one of the revision before.
   * false, and nothing is written, if another stands there: somebody was first.
   */
  putEndpoint(endpoint: WebhookEndpoint): Promise<boolean>
  /** Removes the endpoint, and gives up its pending deliveries with `reason`, at once. false if there is none. */
  removeEndpoint(environmentId: number, reason: string): Promise<boolean>

  /** A delivery that stands alone (the test). Those of events are written with what happened. */
  addDelivery(environmentId: number, event: NewEvent, style: WebhookStyle): Promise<void>
  delivery(environmentId: number, id: string): Promise<Delivery | undefined>
  /** Newest first. */
  deliveries(environmentId: number, limit: number): Promise<Delivery[]>
  /**
   * Claims up to `limit` pending deliveries of all environments that are due at `now`, the longest due first: each is
   * given to exactly one caller among all processes, counts as tried once more, and is not due again before `until`.
   * A caller whose process dies thus loses its claim, and the delivery is sent again: at least once, never twice at once
   * while callers end their claims before `until`.
   */
  claimDeliveries(now: Date, until: Date, limit: number): Promise<Delivery[]>
  /**
   * Records how the try ended that was claimed as number `tries`. false, and nothing is written, if that is no longer
   * its last try, or if it is not pending any more: a late answer never overwrites a later one.
   */
  endDelivery(environmentId: number, id: string, tries: number, end: DeliveryEnd): Promise<boolean>
  /**
   * Makes a delivery pending and due at `now`, whatever became of it; its tries count on. One that is being sent right
   * now is left alone. false if there is no such delivery.
   */
  redeliver(environmentId: number, id: string, now: Date): Promise<boolean>
  /** Removes deliveries that are over and were created before `before`; answers how many. Pending ones stay. */
  sweepDeliveries(before: Date): Promise<number>
}

export interface DeliveryEnd {
  readonly status: DeliveryStatus
  /** Now, for one that was delivered; the next try, for one that stays pending. */
  readonly at: Date
  readonly sentTo?: string
  readonly lastStatus?: number
  readonly lastError?: string
}
