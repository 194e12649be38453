/** Records of a provider by their name, for callers who know no actions: what each does is in the action files. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Action } from '../../core/action.ts'
import { didYouMean } from '../../core/alike.ts'
import { type Json, pick } from '../../core/credential.ts'
import { MortiseError } from '../../core/errors.ts'
import { findConnection, findIntegration } from '../../core/find.ts'
import { rowUserId } from '../../core/users.ts'
import { queryOf } from '../query.ts'
import { executed } from './execute.ts'
import { bodyOf } from './input.ts'
import { latestOf } from './map.ts'
import type { Served } from './served.ts'

type Of = { Params: { user: string; integration: string; entity: string; record?: string } }
type Kind = Action['records'][number]

export const recordRoutes = (app: FastifyInstance, served: Served): void => {
  const { hub } = served
  const { catalogue, storage, dev } = hub.context
  const calling = { preHandler: served.may('proxy') }

  /** What the provider's file says of such records. */
  const chosen = (provider: string, as: Kind['as'], entity: string): [Action, Kind] => {
    const all = catalogue
      .actions(provider)
      .flatMap(action => action.records.map((record): [Action, Kind] => [action, record]))
      .filter(([, record]) => record.as === as)
    const found = all.find(([, record]) => record.entity === entity)
    if (found) return found
    const names = all.map(([, record]) => record.entity)
    throw new MortiseError(
      'not_found',
      `${provider} has no "${entity.slice(0, 80)}" to ${as} here${didYouMean(entity.slice(0, 80), names)}; it has: ${names.join(', ') || 'none'}. Its actions do the rest: GET /connectors/${provider}/actions`,
      { reason: 'action_unknown' },
    )
  }

  const run = async (request: FastifyRequest<Of>, reply: FastifyReply, as: Kind['as']) => {
    const { user: name, integration: key, entity, record: id } = request.params
    const environment = await served.environment(request)
    const integration = await findIntegration(hub.context, environment, key)
    const [action, record] = chosen(integration.provider, as, entity)
    const endUserId = rowUserId(await served.user(request, name, {}))
    const within = { endUserId, integrationKey: integration.key }
    const named = queryOf(request).get('connectionId')
    const rows = named === null ? await storage.connections(environment.id, within) : []
    const latest = latestOf(rows, dev)
    const row =
      named === null
        ? rows.find(each => latest.has(each.id))
        : await findConnection(hub.context, environment.id, named, within)
    if (!row)
      throw new MortiseError(
        'not_found',
        `This user has not connected ${integration.key} yet. Begin with POST /connectors/${integration.key}/credentials.`,
        { reason: 'no_connections' },
      )
    const given = as === 'list' ? {} : (bodyOf(request.body) as Record<string, Json>)
    const done = await hub.execute(row, action, {
      ...(record.id === undefined || id === undefined ? {} : { path: { [record.id]: id } }),
      ...(action.body ? { body: { ...record.body, ...given } } : {}),
      names: { path: 'path', query: 'query', body: 'body', headers: 'headers' },
    })
    if (done.status >= 400 || done.failure !== undefined) return executed(hub, done, row, reply)
    return { data: record.items === undefined ? done.body : (pick(done.body, record.items) ?? []) }
  }

  const path = '/users/:user/integrations/:integration/data/:entity'
  app.get<Of>(path, calling, (request, reply) => run(request, reply, 'list'))
  app.post<Of>(path, calling, (request, reply) => run(request, reply, 'create'))
  app.put<Of>(`${path}/:record`, calling, (request, reply) => run(request, reply, 'update'))
}
