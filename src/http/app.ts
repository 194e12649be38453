/** The verbs as a Fastify app. Each dialect is a plugin with its own authentication and error handler. */
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { toMortiseError } from '../core/errors.ts'
import type { Hub } from '../core/hub.ts'
import { isLoopbackHost, parseUrl } from '../core/loopback.ts'
import { type Access, checkLocal, isKeyless } from './auth.ts'
import { callbackRoute } from './callback.ts'
import { toReturn } from './nango/map.ts'
import { dialect as nango, nangoRoutes } from './nango/routes.ts'
import { sendHome, sendPlainHome } from './pages.ts'
import { staticRoutes } from './static.ts'
import { statusOf } from './status.ts'

/** Routes that a person's browser opens: under another loopback name they are first sent to the public URL. */
const forBrowsers = new Set(['/', '/oauth/connect/:key', '/oauth/callback', '/docs/:page'])

export const createApp = async (hub: Hub, access: Access): Promise<FastifyInstance> => {
  const app = fastify({
    routerOptions: { maxParamLength: 1000, ignoreTrailingSlash: true },
    // A HEAD must not begin or finish a flow.
    exposeHeadRoutes: false,
    bodyLimit: 1_000_000,
    // A URL that does not decode never reaches a route.
    frameworkErrors: (error, _request, reply) => {
      ;(reply as FastifyReply)
        .code(400)
        .send({ error: { code: 'invalid_request', message: `The URL is malformed: ${error.message}` } })
    },
  })
  const { log, dev, storage } = hub.context

  app.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-resource-policy': 'same-origin',
    })
    const route = request.routeOptions.url ?? ''
    if (route === '/health' || route === '/ready') return
    if (await isKeyless(access)) checkLocal(request)
    const host = parseUrl(`http://${request.headers.host ?? ''}`)
    const elsewhere = host && isLoopbackHost(host.hostname) && host.host !== access.publicUrl.host
    if (elsewhere && isLoopbackHost(access.publicUrl.hostname) && forBrowsers.has(route))
      await reply.redirect(access.publicUrl.origin + request.url, 307)
  })
  app.setErrorHandler((thrown, request, reply) => {
    if (isClientError(thrown))
      return reply.code(thrown.statusCode).send({ error: { code: 'invalid_request', message: thrown.message } })
    const error = toMortiseError(thrown)
    if (error.code === 'internal')
      log.error('a request failed', { err: error.cause ?? error, route: request.routeOptions.url })
    return reply.code(statusOf[error.code]).send({ error: { code: error.code, message: error.message } })
  })
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({
      error: {
        code: 'not_found',
        message: `The hub has no ${request.method} route at this path. Open / in a browser, or read /docs/core-concepts.`,
      },
    }),
  )

  app.get('/health', async () => ({ result: 'ok' }))
  app.get('/ready', async (_request, reply) => {
    try {
      await storage.ping()
      return { result: 'ok' }
    } catch (error) {
      log.error('the storage does not answer', { err: error })
      return reply.code(503).send({ result: 'storage does not answer' })
    }
  })
  app.get('/', async (_request, reply) => {
    if (!dev) return sendPlainHome(reply)
    const environment = await hub.context.environmentOf(access.firstEnvironment.id)
    const integrations = await storage.integrations(environment.id)
    return sendHome(reply, {
      environment,
      integrations: integrations.map(each => ({ ...each, definition: hub.context.catalogue.get(each.provider) })),
      keyNeeded: !(await isKeyless(access)),
    })
  })
  staticRoutes(app)
  callbackRoute(app, hub, access, { [nango]: toReturn })
  await app.register(nangoRoutes(hub, access))
  return app
}

/** What Fastify itself refuses: a malformed URL, a body too large. */
const isClientError = (thrown: unknown): thrown is Error & { statusCode: number } =>
  thrown instanceof Error &&
  'statusCode' in thrown &&
  Number(thrown.statusCode) >= 400 &&
  Number(thrown.statusCode) < 500
