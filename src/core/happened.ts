/** What happened, as the events that are written with it. */
import { type Connection, type Flag, shownId } from './connection.ts'
import type { Context } from './context.ts'
import { shownUserId } from './end-user.ts'
import { type EventType, type Happened, type NewEvent, testType } from './event.ts'
import { newId } from './ids.ts'

const newEvent = (
  { tellings }: Context,
  environment: string,
  now: Date,
  happened: Happened | undefined,
  data: Readonly<Record<string, string>>,
): NewEvent => {
  const type = happened?.type ?? testType
  const url = happened?.connection.webhookUrlOverride
  return {
    id: newId(now),
    type,
    body: JSON.stringify({ type, data }),
    others: { connections: tellings.connections.body(happened, environment) },
    ...(url === undefined ? {} : { url }),
    createdAt: now,
  }
}

/** Whose a connection is, and where: read before the transaction that tells of it. */
const begin = async (
  context: Context,
  { environmentId, endUserId }: Pick<Connection, 'environmentId' | 'endUserId'>,
  now: Date,
) => {
  const environment = (await context.environmentOf(environmentId)).name
  const endUser = endUserId === '' ? undefined : await context.storage.endUser(environmentId, { id: endUserId })
  return (type: EventType, connection: Connection, why?: Flag): NewEvent => {
    const of = endUser?.id === connection.endUserId ? { endUser } : {}
    const happened = { type, connection, environment, ...of, ...(why ? { why } : {}) }
    return newEvent(context, environment, now, happened, {
      connectionId: shownId(connection),
      userId: shownUserId(connection.environmentId, connection.endUserId),
      integrationId: connection.integrationKey,
      ...(why ? { reason: why.cause } : {}),
    })
  }
}

/** What `Storage.authorize` writes with a connection: that it is new, or that one was repaired. */
export const connectionEvents = async (
  context: Context,
  of: Pick<Connection, 'environmentId' | 'endUserId'>,
  now: Date,
) => {
  const tell = await begin(context, of, now)
  return (written: Connection, created: boolean): readonly NewEvent[] => [
    tell(created ? 'connection.created' : 'connection.repaired', written),
  ]
}

/** What `Storage.flagConnection` writes: that only the end user can repair it. */
export const flagEvents = async (
  context: Context,
  connection: Connection,
  why: Flag,
  now: Date,
): Promise<readonly NewEvent[]> => [
  (await begin(context, connection, now))('connection.reauthorization_required', connection, why),
]

export const testEvent = (context: Context, environment: string, now: Date): NewEvent =>
  newEvent(context, environment, now, undefined, {})
