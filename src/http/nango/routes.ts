/** The table of this dialect's routes. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { badParameter as wrong } from '../../core/errors.ts'
import type { Hub } from '../../core/hub.ts'
import type { Caller } from '../../core/keys.ts'
import type { Reading, TextOptions } from '../../core/read.ts'
import { soon } from '../../core/soon.ts'
import { forPrograms } from '../asks.ts'
import { type Access, authenticate, requireScope } from '../auth.ts'
import { hook } from '../hook.ts'
import { queryOf } from '../query.ts'
import { errorOf } from '../thrown.ts'
import { connectRoute } from './connect.ts'
import { toError } from './errors.ts'
import { toConnection, toConnections, toCurrentConnection } from './map.ts'
import { pageRoutes } from './page.ts'
import { flag, single, unknownParameter } from './query.ts'
import { sessionRoutes } from './sessions.ts'

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller
  }
}

export const nangoRoutes =
  (hub: Hub, access: Access) =>
  async (app: FastifyInstance): Promise<void> => {
    app.setErrorHandler((thrown, request, reply) => {
      const error = errorOf(thrown, request, hub.context.log)
      const { status, body } = toError(error)
      if (status === 401) reply.header('www-authenticate', 'Bearer')
      if (error.details.retryAfter) reply.header('retry-after', String(error.details.retryAfter))
      return reply.code(status).send(body)
    })

    await app.register(async api => {
      api.addHook(
        'onRequest',
        hook(request =>
          soon(authenticate(request, access), caller => {
            request.caller = caller
            requireScope(request.caller, 'connections:read')
          }),
        ),
      )

      api.get('/connection', async request => {
        const query = queryOf(request)
        const id = single(query, 'connectionId') ?? single(query, 'connection_id')
        return toConnections(await hub.list(request.caller.environmentId, id === undefined ? {} : { connectionId: id }))
      })

      api.get<OneConnection>('/connection/*', (request, reply) => {
        const query = queryOf(request)
        const options = { withRefreshToken: true, force: flag(query, 'force_refresh') }
        return answer(request, reply, query, options, toConnection)
      })

      // A browser that asks there finds the page of a connection.
      api.get<OneConnection>('/connections/*', { constraints: forPrograms }, (request, reply) => {
        const query = queryOf(request)
        for (const name of query.keys()) if (!asked.has(name)) throw unknownParameter(name, asked)
        // Of an app that has no such tokens: it is looked at, and means nothing.
        flag(query, 'refresh_github_app_jwt_token')
        const options = { withRefreshToken: flag(query, 'refresh_token'), force: flag(query, 'force_refresh') }
        return answer(request, reply, query, options, toCurrentConnection)
      })

      const answer = async (
        request: FastifyRequest<OneConnection>,
        reply: FastifyReply,
        query: URLSearchParams,
        options: TextOptions,
        toText: (reading: Reading, withCredentials: boolean) => string,
      ) => {
        const id = request.params['*']
        if (id === '') throw wrong('connection_id', 'The connection id is missing from the path.')
        const key = single(query, 'provider_config_key')
        if (key === undefined || key === '')
          throw wrong(
            'provider_config_key',
            'provider_config_key is missing: add ?provider_config_key=<the integration>, for example github.',
          )
        const { caller } = request
        const reading = await hub.readTexts(caller.environmentId, key, id, options)
        reply.header('content-type', 'application/json; charset=utf-8')
        return toText(reading, caller.scopes.has('credentials:read'))
      }
    })

    connectRoute(app, hub, access)
    sessionRoutes(app, hub, access)
    await pageRoutes(app, hub, access)
  }

/** Greedy: a connection id may hold slashes, and clients do not encode it. */
interface OneConnection {
  Params: { '*': string }
}

/** What `GET /connections/:id` may be asked with. */
const asked = new Set(['provider_config_key', 'force_refresh', 'refresh_token', 'refresh_github_app_jwt_token'])
