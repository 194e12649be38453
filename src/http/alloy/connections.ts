/** Connections: lists in all three envelopes, one of them, its status, a test of it, and its end. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Connection } from '../../core/connection.ts'
import { MortiseError } from '../../core/errors.ts'
import { findConnection, findIntegration } from '../../core/find.ts'
import type { Hub } from '../../core/hub.ts'
import { rowUserId } from '../../core/users.ts'
import { queryOf } from '../query.ts'
import { latestOf, toConnection } from './map.ts'
import type { Served } from './served.ts'
import type { ConnectionShape } from './shapes.ts'

/** A row on the wire. `latest` is known where it stands in a list. */
export const shown = (hub: Hub, row: Connection, latest = true): ConnectionShape =>
  toConnection(row, {
    now: hub.context.clock.now(),
    provider: hub.context.catalogue.get(row.provider)?.name ?? row.provider,
    latest,
  })

type ByUser = { Params: { user: string } }
type ById = { Params: { id: string } }
type ByBoth = { Params: { user: string; id: string } }

export const connectionRoutes = (app: FastifyInstance, served: Served): void => {
  const { hub } = served
  const { storage, clock } = hub.context
  const reading = { preHandler: served.may('connections:read') }

  /** Of the user that the request names, newest first; narrowed by `?connectorId`. */
  const listed = async (request: FastifyRequest, user?: string, connector?: string): Promise<ConnectionShape[]> => {
    const endUserId = rowUserId(await served.user(request, user, {}))
    const query = queryOf(request)
    const named = connector ?? query.get('connectorId') ?? query.get('integrationId')
    const integration = named && (await findIntegration(hub.context, await served.environment(request), named))
    const filter = { endUserId, ...(integration ? { integrationKey: integration.key } : {}) }
    const rows = await storage.connections(request.caller.environmentId, filter)
    const latest = latestOf(rows)
    return rows.map(row => shown(hub, row, latest.has(row.id)))
  }

  app.get<ByUser>('/users/:user/connections', reading, request => listed(request, request.params.user))
  app.get<ByUser>('/users/:user/connections/latest', reading, async request => {
    const [latest] = await listed(request, request.params.user)
    if (latest) return latest
    throw new MortiseError(
      'not_found',
      "This user has no connection yet. Begin one with POST /connectors/{id}/credentials, by the browser SDK, or on the hub's start page, and wait until it is finished.",
      { reason: 'no_connections' },
    )
  })
  // Clients take the last of a list of credentials for the newest, and the first of a list of connections.
  const credentials = async (request: FastifyRequest<ByUser>) => ({
    data: (await listed(request, request.params.user)).reverse(),
  })
  for (const path of ['/users/:user/credentials', '/credentials/users/:user', '/api/users/:user/credentials'])
    app.get<ByUser>(path, reading, credentials)
  app.get<{ Params: { connector: string } }>('/connectors/:connector/credentials', reading, async request => {
    const all = (await listed(request, undefined, request.params.connector)).reverse()
    return { credentials: all, data: all }
  })

  app.get<{ Params: { user: string; integration: string } }>(
    '/users/:user/integrations/:integration/connection',
    reading,
    async request => {
      const { user, integration } = request.params
      const [latest] = await listed(request, user, integration)
      if (latest) return { ...latest, connected: latest.status === 'connected' }
      return {
        connected: false,
        status: 'disconnected',
        active: false,
        integrationId: integration,
        connectorId: integration,
        connectionId: null,
        message: `No connections available: this user has not connected ${integration} yet, or has disconnected it. Begin with POST /connectors/${integration}/credentials.`,
      }
    },
  )

  /** The connection of the path, which must be the user's where the path or the header names one. */
  const find = async (request: FastifyRequest, id: string, user?: string): Promise<Connection> => {
    const named = user ?? request.headers['x-alloy-userid']
    const within =
      typeof named === 'string' && named !== '' ? { endUserId: rowUserId(await served.user(request, named, {})) } : {}
    return findConnection(hub.context, request.caller.environmentId, id, within)
  }
  const isLatest = async (row: Connection): Promise<boolean> => {
    const filter = { endUserId: row.endUserId, integrationKey: row.integrationKey }
    return latestOf(await storage.connections(row.environmentId, filter)).has(row.id)
  }
  const show = async (row: Connection) => shown(hub, row, await isLatest(row))

  app.get<ById>('/credentials/:id', reading, async request => show(await find(request, request.params.id)))
  app.get<{ Params: { connector: string; id: string } }>(
    '/connectors/:connector/credentials/:id',
    reading,
    async request => show(await find(request, request.params.id)),
  )
  for (const path of ['/users/:user/credentials/:id', '/users/:user/connections/:id'])
    app.get<ByBoth>(path, reading, async request => show(await find(request, request.params.id, request.params.user)))

  // Whether it works is found out by using it: a token near its end is refreshed, and the provider asked who it is.
  app.post<ById>('/credentials/:id/test', { preHandler: served.may('proxy') }, async request => {
    const row = await find(request, request.params.id)
    const tested = await hub.test(row)
    return { ...(await show(tested)), ok: true, checkedAt: clock.now().toISOString() }
  })

  const remove = async (request: FastifyRequest, reply: FastifyReply, id: string, user?: string) => {
    const row = await find(request, id, user)
    await storage.deleteConnection(row.environmentId, row.id, clock.now())
    hub.context.log.info('deleted', { provider: row.provider, id: row.id })
    return reply.send({ success: true })
  }
  const deleting = { preHandler: served.may('connections:write') }
  app.delete<ById>('/credentials/:id', deleting, (request, reply) => remove(request, reply, request.params.id))
  app.delete<{ Params: { connector: string; id: string } }>(
    '/connectors/:connector/credentials/:id',
    deleting,
    (request, reply) => remove(request, reply, request.params.id),
  )
  for (const path of ['/users/:user/credentials/:id', '/users/:user/connections/:id'])
    app.delete<ByBoth>(path, deleting, (request, reply) =>
      remove(request, reply, request.params.id, request.params.user),
    )
}
