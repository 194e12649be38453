/** The table of this dialect's routes. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { didYouMean } from '../../core/alike.ts'
import { failed } from '../../core/attempt.ts'
import { toReadRow } from '../../core/connection.ts'
import { Secret } from '../../core/credential.ts'
import type { Environment } from '../../core/environment.ts'
import { MortiseError, badParameter as wrong } from '../../core/errors.ts'
import type { Hub } from '../../core/hub.ts'
import type { Reading, TextOptions } from '../../core/read.ts'
import { forPrograms } from '../asks.ts'
import { type Access, checkBrowserOrigin, isKeyless } from '../auth.ts'
import { attemptCookie } from '../cookies.ts'
import { sendFailure } from '../pages.ts'
import { queryOf } from '../query.ts'
import { errorOf } from '../thrown.ts'
import { jsonBodies } from './body.ts'
import { connectionRoutes } from './connections.ts'
import { errorType, Refusal, toError } from './errors.ts'
import { integrationRoutes } from './integrations.ts'
import { returnParameters, toConnection, toCurrentConnection, toReturn } from './map.ts'
import { providerRoutes } from './providers.ts'
import { type ByRest, createServed } from './served.ts'

/** The name under which attempts of this dialect are kept. */
export const dialect = 'nango'

export const nangoRoutes =
  (hub: Hub, access: Access) =>
  async (app: FastifyInstance): Promise<void> => {
    app.setErrorHandler((thrown, request, reply) => {
      const error = refusalOf(thrown) ?? errorOf(thrown, request, hub.context.log)
      const { status, body } = toError(
        error,
        request.body !== undefined && !queryOf(request).has(error.details.parameter ?? ''),
      )
      if (status === 401) reply.header('www-authenticate', 'Bearer')
      if (error.details.retryAfter) reply.header('retry-after', String(error.details.retryAfter))
      return reply.code(status).send(body)
    })

    jsonBodies(app)
    const served = createServed(hub, access)
    await connectionRoutes(app, served)
    await integrationRoutes(app, served)
    await providerRoutes(app, served)

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
        const id = request.params['*']
        if (id === '') throw wrong('connection_id', 'The connection id is missing from the path.')
        const key = single(query, 'provider_config_key')
        if (key === undefined || key === '')
          throw wrong(
            'provider_config_key',
            'provider_config_key is missing: add ?provider_config_key=<the integration>, for example github.',
          )
        const { caller } = request
        const reading = await hub
          .readTexts(caller.environmentId, key, id, options)
          .catch(async thrown => Promise.reject(await withConnection(hub, caller.environmentId, key, id, thrown)))
        reply.header('content-type', 'application/json; charset=utf-8')
        return toText(reading, caller.scopes.has('credentials:read'))
      }
    })

    app.get<{ Params: { key: string } }>('/oauth/connect/:key', async (request, reply) => {
      const query = queryOf(request)
      let returnTo: string | undefined
      try {
        const environment = await starter(hub, access, query)
        const { storage, dev, publicUrl } = hub.context
        checkBrowserOrigin(request, access, await storage.allowed(environment.id, 'origin'), dev)
        const asked = single(query, 'api_redirect_url')
        if (asked !== undefined) {
          refuseReserved(asked)
          // From here on the caller hears of failures at its own URL.
          returnTo = await hub.checkReturn(environment, asked)
        }
        // The document prints the path with the colon of its placeholder.
        const integrationKey = request.params.key.replace(/^:/, '')
        const connectionId = single(query, 'connection_id')
        const scopes = single(query, 'scopes')
        const started = await hub.start({
          environment,
          integrationKey,
          ...(connectionId === undefined ? {} : { connectionId }),
          trust: await hub.trust(environment, integrationKey, connectionId ?? '', single(query, 'hmac')),
          duplicate: flag(query, 'allow_duplicate'),
          params: paramsOf(query),
          ...(scopes === undefined ? {} : { scopes: scopes.split(/[ ,]+/).filter(Boolean) }),
          ...(returnTo === undefined ? {} : { returnTo }),
          dialect,
        })
        return await reply
          .header('set-cookie', attemptCookie(started, publicUrl.startsWith('https:')))
          .redirect(started.url, 302)
      } catch (thrown) {
        const error = errorOf(thrown, request, hub.context.log)
        if (returnTo !== undefined) return reply.redirect(toReturn(returnTo, failed(error)), 302)
        return sendFailure(reply, error, toError(error).status, errorType(error.code, error.details.reason))
      }
    })
  }

/** What `GET /connections/:id` may be asked with. */
const asked = new Set(['provider_config_key', 'force_refresh', 'refresh_token', 'refresh_github_app_jwt_token'])

const unknownParameter = (name: string, known: ReadonlySet<string>, more = ''): MortiseError =>
  wrong(
    name,
    `${name.slice(0, 80)} is not a parameter here${didYouMean(name.slice(0, 80), [...known])}; there are ${[...known].join(', ')}${more}.`,
  )

const known = new Set(['public_key', 'connection_id', 'api_redirect_url', 'scopes', 'hmac', 'allow_duplicate'])

/** A parameter that may be given once. */
const single = (query: URLSearchParams, name: string): string | undefined => {
  const [value, ...more] = query.getAll(name)
  if (more.length > 0) throw wrong(name, `${name} is given more than once.`)
  return value
}

const flag = (query: URLSearchParams, name: string): boolean => {
  const value = single(query, name)
  if (value === undefined || value === 'false') return false
  if (value === 'true') return true
  throw wrong(name, `${name} must be true or false.`)
}

const paramsOf = (query: URLSearchParams): Record<string, string> => {
  const params: Record<string, string> = {}
  for (const name of query.keys()) {
    if (known.has(name)) continue
    const key = /^params\[([A-Za-z][\w-]{0,63})\]$/.exec(name)?.[1]
    if (key === undefined) throw unknownParameter(name, known, ' and params[…]')
    const value = single(query, name) ?? ''
    if (!/^[^\p{Cc}]{0,255}$/u.test(value))
      throw wrong(name, `${name} must be at most 255 characters, without control characters.`)
    // Defined, not assigned: a name such as __proto__ is a name like any other.
    Object.defineProperty(params, key, { value, enumerable: true })
  }
  if (Object.keys(params).length > 20) throw wrong('params', 'There are more than 20 params[…].')
  return params
}

/** The environment that the link's public key stands for; without one, the keyless hub's own. */
const starter = async (hub: Hub, access: Access, query: URLSearchParams): Promise<Environment> => {
  const publicKey = single(query, 'public_key')
  if (publicKey !== undefined) return hub.environmentByPublicKey(publicKey)
  // As it is now: the HMAC may have been switched on since the hub started.
  if (await isKeyless(access)) return hub.context.environmentOf(access.firstEnvironment.id)
  throw new MortiseError('unauthenticated', 'public_key is missing from the link. `npx mortise env show` prints it.', {
    reason: 'public_key_missing',
  })
}

const refuseReserved = (url: string): void => {
  const own = returnParameters.find(name => URL.canParse(url) && new URL(url).searchParams.has(name))
  if (own !== undefined)
    throw new MortiseError('invalid_request', `api_redirect_url carries ${own} already, which the hub adds itself.`, {
      reason: 'redirect_not_allowed',
    })
}

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
