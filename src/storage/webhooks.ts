/** The part of the storage port that is about webhooks. */
import type { Kysely } from 'kysely'
import { type Delivery, type NewEvent, testType, type WebhookEndpoint, type WebhookStyle } from '../core/event.ts'
import type { WebhookStorage } from '../core/storage-webhooks.ts'
import type { Engine } from './engine.ts'
import { date, optional, same, type Tables } from './tables.ts'

export const toEndpoint = (row: Tables['webhook_endpoints']): WebhookEndpoint => ({
  environmentId: row.environment_id,
  url: row.url,
  secret: row.secret,
  ...(row.previous_secret === null || row.previous_until === null
    ? {}
    : { previous: { secret: row.previous_secret, until: date(row.previous_until) } }),
  events: JSON.parse(row.events_json),
  style: row.style as WebhookEndpoint['style'],
  revision: row.revision,
  createdAt: date(row.created_at),
  updatedAt: date(row.updated_at),
})

export const fromEndpoint = (endpoint: WebhookEndpoint): Tables['webhook_endpoints'] => ({
  environment_id: endpoint.environmentId,
  url: endpoint.url,
  secret: endpoint.secret,
  previous_secret: endpoint.previous?.secret ?? null,
  previous_until: endpoint.previous?.until.getTime() ?? null,
  events_json: JSON.stringify(endpoint.events),
  style: endpoint.style,
  revision: endpoint.revision,
  created_at: endpoint.createdAt.getTime(),
  updated_at: endpoint.updatedAt.getTime(),
})

const toDelivery = (row: Tables['deliveries']): Delivery => ({
  environmentId: row.environment_id,
  id: row.id,
  type: row.type as Delivery['type'],
  body: row.body,
  style: row.style as Delivery['style'],
  ...optional('url', row.url, same),
  status: row.status as Delivery['status'],
  tries: row.tries,
  availableAt: date(row.available_at),
  ...optional('claimedUntil', row.claimed_until, date),
  createdAt: date(row.created_at),
  ...optional('deliveredAt', row.delivered_at, date),
  ...optional('sentTo', row.sent_to, same),
  ...optional('lastStatus', row.last_status, same),
  ...optional('lastError', row.last_error, same),
})

const fromEvent = (environmentId: number, event: NewEvent, style: WebhookStyle): Tables['deliveries'] => ({
  environment_id: environmentId,
  id: event.id,
  type: event.type,
  body: style === 'standard' ? event.body : event.others[style],
  style,
  url: event.url ?? null,
  status: 'pending',
  tries: 0,
  available_at: event.createdAt.getTime(),
  claimed_until: null,
  sent_to: null,
  last_status: null,
  last_error: null,
  created_at: event.createdAt.getTime(),
  delivered_at: null,
})

/** Writes a delivery for each event that the environment's endpoint subscribes to, within the caller's transaction. */
export const addDeliveries = async (
  tx: Kysely<Tables>,
  environmentId: number,
  events: readonly NewEvent[],
): Promise<void> => {
  if (events.length === 0) return
  const endpoint = await tx
    .selectFrom('webhook_endpoints')
    .select(['events_json', 'style'])
    .where('environment_id', '=', environmentId)
    .executeTakeFirst()
  const wanted: readonly string[] = endpoint ? [...JSON.parse(endpoint.events_json), testType] : []
  const style = (endpoint?.style ?? 'standard') as WebhookStyle
  const rows = events.filter(event => wanted.includes(event.type)).map(event => fromEvent(environmentId, event, style))
  if (rows.length > 0) await tx.insertInto('deliveries').values(rows).execute()
}

export const webhookStorage = ({ db, transact, skipLocked }: Engine): WebhookStorage => ({
  async endpoint(environmentId) {
    const row = await db
      .selectFrom('webhook_endpoints')
      .selectAll()
      .where('environment_id', '=', environmentId)
      .executeTakeFirst()
    return row && toEndpoint(row)
  },
  async putEndpoint(endpoint) {
    const row = fromEndpoint(endpoint)
    if (endpoint.revision === 1) {
      const added = await db
        .insertInto('webhook_endpoints')
        .values(row)
        .onConflict(on => on.doNothing())
        .executeTakeFirstOrThrow()
      return added.numInsertedOrUpdatedRows === 1n
    }
    const put = await db
      .updateTable('webhook_endpoints')
      .set(row)
      .where('environment_id', '=', endpoint.environmentId)
      .where('revision', '=', endpoint.revision - 1)
      .executeTakeFirstOrThrow()
    return put.numUpdatedRows === 1n
  },
  removeEndpoint: (environmentId, reason) =>
    transact(async tx => {
      const removed = await tx
        .deleteFrom('webhook_endpoints')
        .where('environment_id', '=', environmentId)
        .executeTakeFirstOrThrow()
      await tx
        .updateTable('deliveries')
        .set({ status: 'failed', claimed_until: null, last_error: reason })
        .where('environment_id', '=', environmentId)
        .where('status', '=', 'pending')
        .execute()
      return removed.numDeletedRows === 1n
    }),

  async addDelivery(environmentId, event, style) {
    await db
      .insertInto('deliveries')
      .values(fromEvent(environmentId, event, style))
      .execute()
  },
  async delivery(environmentId, id) {
    const row = await db
      .selectFrom('deliveries')
      .selectAll()
      .where('environment_id', '=', environmentId)
      .where('id', '=', id)
      .executeTakeFirst()
    return row && toDelivery(row)
  },
  async deliveries(environmentId, limit) {
    const rows = await db
      .selectFrom('deliveries')
      .selectAll()
      .where('environment_id', '=', environmentId)
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
      .execute()
    return rows.map(toDelivery)
  },
  async claimDeliveries(now, until, limit) {
    const due = (from: Kysely<Tables>) =>
      from
        .selectFrom('deliveries')
        .select(['environment_id', 'id'])
        .where('status', '=', 'pending')
        .where('available_at', '<=', now.getTime())
        .orderBy('available_at')
        .orderBy('id')
        .limit(limit)
    // Mostly there is nothing, and nothing to lock or to begin.
    const seen = await due(db).execute()
    if (seen.length === 0) return []
    // Looked for once more, because somebody else may have claimed them since; what this finds stays as it is until the end.
    const claims = db.transaction().setIsolationLevel('read committed')
    return claims.execute(async tx => {
      const claimed: Delivery[] = []
      for (const each of await skipLocked(due(tx)).execute()) {
        const row = await tx
          .updateTable('deliveries')
          .set(columns => ({
            tries: columns('tries', '+', 1),
            available_at: until.getTime(),
            claimed_until: until.getTime(),
          }))
          .where('environment_id', '=', each.environment_id)
          .where('id', '=', each.id)
          .returningAll()
          .executeTakeFirstOrThrow()
        claimed.push(toDelivery(row))
      }
      return claimed
    })
  },
  async endDelivery(environmentId, id, tries, end) {
    const ended = await db
      .updateTable('deliveries')
      .set({
        status: end.status,
        claimed_until: null,
        sent_to: end.sentTo ?? null,
        last_status: end.lastStatus ?? null,
        last_error: end.lastError ?? null,
        ...(end.status === 'pending' ? { available_at: end.at.getTime() } : {}),
        ...(end.status === 'delivered' ? { delivered_at: end.at.getTime() } : {}),
      })
      .where('environment_id', '=', environmentId)
      .where('id', '=', id)
      .where('tries', '=', tries)
      .where('status', '=', 'pending')
      .executeTakeFirstOrThrow()
    return ended.numUpdatedRows === 1n
  },
  async redeliver(environmentId, id, now) {
    const due = await db
      .updateTable('deliveries')
      .set({ status: 'pending', available_at: now.getTime(), claimed_until: null, delivered_at: null })
      .where('environment_id', '=', environmentId)
      .where('id', '=', id)
      .where(row => row.or([row('claimed_until', 'is', null), row('claimed_until', '<=', now.getTime())]))
      .returning('id')
      .executeTakeFirst()
    if (due) return true
    const beingSent = await db
      .selectFrom('deliveries')
      .select('id')
      .where('environment_id', '=', environmentId)
      .where('id', '=', id)
      .executeTakeFirst()
    return beingSent !== undefined
  },
  async sweepDeliveries(before) {
    const swept = await db
      .deleteFrom('deliveries')
      .where('created_at', '<', before.getTime())
      .where('status', '!=', 'pending')
      .executeTakeFirstOrThrow()
    return Number(swept.numDeletedRows)
  },
})
