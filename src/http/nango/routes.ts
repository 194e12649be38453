/** The table of this dialect's routes. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { toReadRow } from '../../core/connection.ts'
import { Secret } from '../../core/credential.ts'
import { MortiseError, badParameter as wrong } from '../../core/errors.ts'
import type { Hub } from '../../core/hub.ts'
import type { Reading, TextOptions } from '../../core/read.ts'
import { forPrograms } from '../asks.ts'
import type { Access } from '../auth.ts'
import { noteHub } from '../pass.ts'
import { queryOf } from '../query.ts'
import { errorOf } from '../thrown.ts'
import { jsonBodies } from './body.ts'
import { connectRoute } from './connect.ts'
import { connectionRoutes } from './connections.ts'
import { Refusal, toError } from './errors.ts'
import { integrationRoutes } from './integrations.ts'
import { keyRoutes } from './keys.ts'
import { toConnection, toCurrentConnection } from './map.ts'
import { pageRoutes } from './page.ts'
import { providerRoutes } from './providers.ts'
import { proxyRoutes } from './proxy.ts'
import { flag, inPath, plain, single, unknownParameter } from './query.ts'
import { type ByRest, createServed } from './served.ts'
import { sessionRoutes } from './sessions.ts'

export const nangoRoutes =
  (hub: Hub, access: Access) =>
  async (app: FastifyInstance): Promise<void> => {
    app.setErrorHandler((thrown, request, reply) => {
      const error = refusalOf(thrown) ?? errorOf(thrown, request, hub.context.log)
      const { status, body } = toError(
        error,
        request.body !== undefined && !queryOf(request).has(error.details.parameter ?? ''),
      )
      noteHub(request, reply)
      if (status === 401) reply.header('www-authenticate', 'Bearer')
      if (error.details.retryAfter) reply.header('retry-after', String(error.details.retryAfter))
      return reply.code(status).send(body)
    })

    jsonBodies(app)
    const served = createServed(hub, access)
    await connectionRoutes(app, served)
    await integrationRoutes(app, served)
    await providerRoutes(app, served)
    await proxyRoutes(app, served)

    await served.withKey(app, 'connections:read', api => {
      api.get<ByRest>('/connection/*', (request, reply) => {
        const query = queryOf(request)
        const options = { withRefreshToken: true, force: flag(query, 'force_refresh') }
        return answer(request, reply, query, options, toConnection)
      })

      // A browser that asks there finds the page of a connection.
      api.get<ByRest>('/connections/*', { constraints: forPrograms }, (request, reply) => {
        const query = queryOf(request)
        for (const name of query.keys()) if (!asked.has(name)) throw unknownParameter(name, asked)
        // Of an app that has no such tokens: it is looked at, and means nothing.
        flag(query, 'refresh_github_app_jwt_token')
        const options = { withRefreshToken: flag(query, 'refresh_token'), force: flag(query, 'force_refresh') }
        return answer(request, reply, query, options, toCurrentConnection)
      })

      const answer = async (
        request: FastifyRequest<ByRest>,
        reply: FastifyReply,
        query: URLSearchParams,
        options: TextOptions,
        toText: (reading: Reading, withCredentials: boolean) => string,
      ) => {
        const id = inPath('connection_id', request.params['*'])
        const key = single(query, 'provider_config_key')
        if (key === undefined || key === '')
          throw wrong(
            'provider_config_key',
            'provider_config_key is missing: add ?provider_config_key=<the integration>, for example github.',
          )
        plain('provider_config_key', key)
        const { caller } = request
        const reading = await hub
          .readTexts(caller.environmentId, key, id, options)
          .catch(async thrown => Promise.reject(await withConnection(hub, caller.environmentId, key, id, thrown)))
        reply.header('content-type', 'application/json; charset=utf-8')
        return toText(reading, caller.scopes.has('credentials:read'))
      }
    })

    connectRoute(app, hub, access)
    await sessionRoutes(app, hub, access)
    await keyRoutes(app, hub, access)
    await pageRoutes(app, hub, access)
  }

/** What `GET /connections/:id` may be asked with. */
const asked = new Set(['provider_config_key', 'force_refresh', 'refresh_token', 'refresh_github_app_jwt_token'])

/** What Fastify refuses of a body, as this dialect says it. */
const refusalOf = (thrown: unknown): Refusal | undefined => {
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined
  if (status === 415)
    return new Refusal(415, 'invalid_content_type', 'Send the body as JSON, with content-type: application/json.')
  if (status === 413) return new Refusal(413, 'invalid_body', 'The body is too large: it may have a megabyte.')
  return undefined
}

/** What went wrong with a credential is told beside the connection that it is of, its credential left out. */
const withConnection = async (hub: Hub, environmentId: number, key: string, id: string, thrown: unknown) => {
  if (!(thrown instanceof MortiseError) || thrown.code === 'not_found' || thrown.code === 'internal') return thrown
  const { storage } = hub.context
  const row = await storage.connection(environmentId, key, id)
  if (!row) return thrown
  const user = row.endUserId === '' ? undefined : await storage.endUser(environmentId, { id: row.endUserId })
  const { status, body } = toError(thrown)
  const nothing = new Secret({ accessToken: '""', raw: '{}' })
  const reading = { integrationKey: key, connectionId: id, row: toReadRow(row, false, user), credential: nothing }
  const payload = { connection: JSON.parse(toCurrentConnection(reading, false)) }
  return new Refusal(status, body.error.code, thrown.message, [], payload, thrown.details)
}
