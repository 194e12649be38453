/** Connections: lists in all three envelopes, one of them, its status, a test of it, and its end. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Connection } from '../../core/connection.ts'
import { MortiseError } from '../../core/errors.ts'
import { findConnection, findIntegration } from '../../core/find.ts'
import type { Hub } from '../../core/hub.ts'
import { rowUserId } from '../../core/users.ts'
import { queryOf } from '../query.ts'
import { metadataOf, oauthLink } from './embedded.ts'
import { appOf } from './look-up.ts'
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
type At = { readonly id: string; readonly user?: string; readonly connector?: string }

export const connectionRoutes = (app: FastifyInstance, served: Served): void => {
  const { hub } = served
  const { storage, clock, dev } = hub.context
  const reading = { preHandler: served.may('connections:read') }

  /** Of the user that the request names, newest first; narrowed by `?connectorId`. */
  const listed = async (request: FastifyRequest, user?: string, connector?: string): Promise<ConnectionShape[]> => {
    const endUserId = rowUserId(await served.user(request, user, {}))
    const query = queryOf(request)
    const named = connector ?? query.get('connectorId') ?? query.get('integrationId')
    const integration = named && (await findIntegration(hub.context, await served.environment(request), named))
    const filter = { endUserId, ...(integration ? { integrationKey: integration.key } : {}) }
    const rows = await storage.connections(request.caller.environmentId, filter)
    const latest = latestOf(rows, dev)
    return rows.map(row => shown(hub, row, latest.has(row.id)))
  }

  app.get<ByUser>('/users/:user/connections', reading, request => listed(request, request.params.user))
  app.get<ByUser>('/users/:user/connections/latest', reading, async request => {
    const all = await listed(request, request.params.user)
    const latest = all.find(each => each.latest)
    if (latest) return latest
    const through = queryOf(request).get('connectorId')?.slice(0, 80)
    throw new MortiseError(
      'not_found',
      `This user has no connection${through === undefined ? '' : ` through ${through}`} yet${all.length > 0 ? ', but what a bare public key made: name that by its id' : ''}. Begin one with POST /connectors/{id}/credentials, by the browser SDK, or on the hub's start page, and wait until it is finished.`,
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
      const latest = (await listed(request, user, integration)).find(each => each.latest)
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

  /** The connection of the path; it must be of the user and through the connector that the request names, if it does. */
  const find = async (request: FastifyRequest, at: At): Promise<Connection> => {
    const user = await served.named(request, at.user, {})
    const integration =
      at.connector === undefined
        ? undefined
        : await findIntegration(hub.context, await served.environment(request), at.connector)
    return findConnection(hub.context, request.caller.environmentId, at.id, {
      ...(user ? { endUserId: rowUserId(user) } : {}),
      ...(integration ? { integrationKey: integration.key } : {}),
    })
  }
  const isLatest = async (row: Connection): Promise<boolean> => {
    const filter = { endUserId: row.endUserId, integrationKey: row.integrationKey }
    return latestOf(await storage.connections(row.environmentId, filter), dev).has(row.id)
  }
  const show = async (row: Connection) => shown(hub, row, await isLatest(row))

  for (const path of one)
    app.get<{ Params: At }>(path, reading, async (request, reply) => {
      const at = request.params
      const row = await find(request, at).catch((thrown: unknown) => thrown)
      if (!(row instanceof Error)) return show(row as Connection)
      const noId = row instanceof MortiseError && row.details.reason === 'connection_malformed'
      if (!noId || at.connector !== undefined) throw row
      // Clients of 2023 have the name of an app there: they ask for its metadata, or for a link that connects it.
      const environment = await served.environment(request)
      const integration = await appOf(hub, environment, at.id).catch(() => Promise.reject(row))
      if (at.user === undefined) return metadataOf(served, request, integration.key)
      return oauthLink(served, request, reply, integration, await served.user(request, at.user, {}))
    })

  // Whether it works is found out by using it: a token near its end is refreshed, and the provider asked who it is.
  app.post<{ Params: At }>('/credentials/:id/test', { preHandler: served.may('proxy') }, async request => {
    const row = await find(request, request.params)
    const tested = await hub.test(row)
    // Where the provider cannot be asked, the token was renewed if it had to be, and that is all that is known.
    const asked = tested.checkedAt?.getTime() !== row.checkedAt?.getTime()
    return { ...(await show(tested)), ok: true, asked }
  })

  const deleting = { preHandler: served.may('connections:write') }
  for (const path of one)
    app.delete<{ Params: At }>(path, deleting, async request => {
      const row = await find(request, request.params)
      await storage.deleteConnection(row.environmentId, row.id, clock.now())
      hub.context.log.info('deleted', { provider: row.provider, id: row.id })
      return { success: true }
    })
}

/** One connection, wherever it is looked for. */
const one = [
  '/credentials/:id',
  '/connectors/:connector/credentials/:id',
  '/users/:user/credentials/:id',
  '/users/:user/connections/:id',
]
