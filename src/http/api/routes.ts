/** Our own API, `/api/v1`: the table of its routes, and what holds for all of them. */
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { alike } from '../../core/alike.ts'
import { MortiseError } from '../../core/errors.ts'
import type { Hub } from '../../core/hub.ts'
import { soon } from '../../core/soon.ts'
import { type Access, authenticate, requireScope } from '../auth.ts'
import { hook } from '../hook.ts'
import { noteHub } from '../pass.ts'
import { statusOf } from '../status.ts'
import { errorOf } from '../thrown.ts'
import { actionRoutes } from './actions.ts'
import { connectionRoutes } from './connections.ts'
import { environmentRoutes } from './environments.ts'
import { toError } from './errors.ts'
import { integrationRoutes } from './integrations.ts'
import { keyRoutes } from './keys.ts'
import { openapi } from './openapi.ts'
import { providerRoutes } from './providers.ts'
import { proxyRoute, proxyRoutes } from './proxy.ts'
import { referencePath } from './reference.ts'
import { Lines, type Route } from './route.ts'
import { sessionRoutes } from './sessions.ts'

export const prefix = '/api/v1'

/** Every route. */
export const routes: readonly Route[] = [
  ...integrationRoutes,
  ...sessionRoutes,
  ...connectionRoutes,
  ...proxyRoutes,
  ...providerRoutes,
  ...actionRoutes,
  ...environmentRoutes,
  ...keyRoutes,
]

export const apiRoutes =
  (hub: Hub, access: Access) =>
  async (app: FastifyInstance): Promise<void> => {
    app.addHook(
      'onRequest',
      hook((request, reply) => {
        reply.header('x-request-id', request.id)
      }),
    )
    app.setErrorHandler((thrown, request, reply) => {
      const error = errorOf(thrown, request, hub.context.log)
      // One that was refused before any route has none yet.
      reply.header('x-request-id', request.id)
      noteHub(request, reply)
      if (error.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer')
      if (error.details.retryAfter) reply.header('retry-after', String(error.details.retryAfter))
      return reply.code(statusOf[error.code]).send(toError(error, request.id))
    })
    app.setNotFoundHandler((request, reply) => {
      const path = request.url.split('?')[0]?.slice(prefix.length, prefix.length + 200) ?? ''
      return reply.code(404).send(toError(noRoute(request.method, path), request.id))
    })
    // What a route takes no body for often comes with the header of one.
    app.removeContentTypeParser('application/json')
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
      try {
        const body: unknown = text === '' ? undefined : JSON.parse(String(text))
        done(isDeeper(body, deepest) ? tooDeep() : null, body)
      } catch (thrown) {
        done(thrown instanceof RangeError ? tooDeep() : new MortiseError('invalid_request', 'The body is not JSON.'))
      }
    })

    app.get('/', (request, reply) =>
      request.headers.accept?.includes('text/html')
        ? reply.redirect(referencePath, 303)
        : reply.send({
            reference: hub.context.publicUrl + referencePath,
            openapi: `${hub.context.publicUrl}${prefix}/openapi.json`,
          }),
    )
    app.get('/openapi.json', (_request, reply) => reply.send(openapi(routes)))

    const stop = new AbortController()
    const streams = new Set<Readable>()
    const streamed = (lines: Lines): Readable => {
      const stream = Readable.from(texts(lines))
      streams.add(stream)
      return stream.once('close', () => streams.delete(stream))
    }
    app.addHook('preClose', async () => {
      stop.abort()
      // Who does not read would keep the hub from ending.
      for (const stream of streams) setTimeout(() => stream.destroy(), patience).unref()
    })

    await app.register(async api => {
      api.addHook(
        'onRequest',
        hook(request =>
          soon(authenticate(request, access), caller => {
            request.caller = caller
          }),
        ),
      )
      await proxyRoute(api, hub)
      for (const each of routes.filter(({ passes }) => !passes))
        api.route({
          method: each.method,
          url: each.path.replaceAll(/\{(\w+)\}/g, ':$1'),
          onRequest: hook(request => requireScope(request.caller, each.scope)),
          handler: async (request, reply) => {
            const answer = await each.serve(hub, access, request, stop.signal)
            if (answer instanceof Lines)
              return reply.code(each.status).type('application/x-ndjson').send(streamed(answer))
            return reply.code(each.status).send(answer)
          },
        })
    })
  }

/** Milliseconds that a reader of lines has to take the last ones, when the hub stops. */
const patience = 5000

async function* texts({ each }: Lines): AsyncGenerator<string> {
  for await (const line of each) yield `${JSON.stringify(line)}\n`
}

/** Levels of a body. What is deeper could not be written as JSON again: that goes level by level too. */
const deepest = 100

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some(each => isDeeper(each, levels - 1)))

const tooDeep = () => new MortiseError('invalid_request', `The body is nested deeper than ${deepest} levels.`)

const noRoute = (method: string, path: string): MortiseError => {
  const here = routes.filter(each => new RegExp(`^${each.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path))
  if (here.length > 0)
    return new MortiseError(
      'not_found',
      `${prefix}${path} takes ${here.map(each => each.method).join(', ')}, not ${method}.`,
    )
  const paths = [...new Set(routes.map(each => each.path))]
  const near = alike(
    path,
    paths.filter(each => each.split('/').length === path.split('/').length),
  )
  const meant = near === undefined ? '' : ` (did you mean ${prefix}${near}?)`
  return new MortiseError(
    'not_found',
    `There is no ${method} ${prefix}${path}${meant}. ${referencePath} lists what there is.`,
  )
}
