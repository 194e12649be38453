/** The verbs as a Fastify app. Each dialect is a plugin with its own authentication and error handler. */
import { randomUUID } from 'node:crypto'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { MortiseError } from '../core/errors.ts'
import type { Hub } from '../core/hub.ts'
import type { Keys } from '../core/keys.ts'
import { isLoopbackHost } from '../core/loopback.ts'
import { soon } from '../core/soon.ts'
import { linkPath } from './alloy/embedded.ts'
import { toReturn as alloyReturn } from './alloy/map.ts'
import { framePaths } from './alloy/page.ts'
import { takesJwt } from './alloy/page-calls.ts'
import { alloyRoutes } from './alloy/routes.ts'
import { dialect as alloy } from './alloy/served.ts'
import { withoutVersion } from './alloy/version.ts'
import { referencePage } from './api/reference.ts'
import { apiRoutes, prefix, routes } from './api/routes.ts'
import { dialect as own, toReturn as ownReturn, startPage, startPath } from './api/start.ts'
import { constraints } from './asks.ts'
import { type Access, checkLocal, checkOwnPage, hostOf, isFurtherHost, isKeyless, mayBeKeyless } from './auth.ts'
import { callbackRoute } from './callback.ts'
import { dashboardRoutes, isDashboard } from './dashboard/routes.ts'
import { hook } from './hook.ts'
import { dialect as nango } from './nango/connect.ts'
import { socketWords, toReturn } from './nango/map.ts'
import { toConnectPage } from './nango/page.ts'
import { nangoRoutes } from './nango/routes.ts'
import { bearerToken, shownToken } from './nango/starter.ts'
import { tellOutcome } from './nango/tell.ts'
import { sendHome, sendNotFound, sendPlainHome } from './pages.ts'
import { proxied } from './pass.ts'
import { dialect as page, pageReturn, type Scripts, sdkRoutes } from './sdk.ts'
import { createSockets, type Upgrade } from './socket.ts'
import { staticRoutes } from './static.ts'
import { statusOf } from './status.ts'
import { errorOf } from './thrown.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** For the server's event of that name: a page opens a socket. */
    upgrade: Upgrade
  }
}

/** No route has a JSON schema: zod checks what comes in. So the compilers for those are no part of the start. */
const noSchema = () => {
  throw new Error('A route with a JSON schema needs the compilers that createApp leaves out.')
}

/** Steps of a flow: a provider or an app sends the browser there. They look at its origin themselves, or at its cookie. */
const stepsOfFlow = new Set([
  '/oauth/connect/:key',
  '/oauth/callback',
  '/api/strategy/connector/:connector/authorize',
  // The SDK's: each carries a JWT or the token of a session, and looks at its origin itself.
  '/sdk/alloy.js',
  '/sdk/mortise.js',
  '/sdk/start',
  '/sdk/open',
  '/sdk/outcome',
  startPath,
  '/connect/session',
  '/connect/telemetry',
  // The page behind a connect link, in a frame of an app perhaps. It holds nothing; what it asks for takes its token.
  '/connect',
  '/connect/',
  '/connect/choices',
  '/connect/start',
  // The other client's pages in a frame, and behind a link; each carries a JWT.
  ...framePaths,
  linkPath,
  '/api-auth/api-key/:key',
  '/api-auth/basic/:key',
])

/** A request with the token of a connect session is one too, as is what a browser asks before it; not a proxied OPTIONS. */
const isStep = (request: FastifyRequest, route: string): boolean =>
  stepsOfFlow.has(route) ||
  (request.method === 'OPTIONS' && !request.routeOptions.config.proxies) ||
  bearerToken(request) !== undefined ||
  (takesJwt.has(route) && request.headers['x-alloy-user-token'] !== undefined)

/** Routes that a person's browser opens: under another loopback name they are first sent to the public URL. */
const forBrowsers = new Set([
  '/',
  '/oauth/connect/:key',
  '/oauth/callback',
  '/api/strategy/connector/:connector/authorize',
  '/sdk/open',
  startPath,
  '/connect',
  '/connect/',
  '/connect/start',
  '/docs',
  '/docs/:page',
  ...framePaths,
  linkPath,
])

/** Of these, what a client opens in a frame under the host that it knows, and hears from under that name alone. */
const framed = new Set<string>(framePaths)

const nothing = {}

export const createApp = async (hub: Hub, access: Access, scripts: Scripts): Promise<FastifyInstance> => {
  const app = fastify({
    // Routes read the query as it was sent, see `queryOf`: nobody else parses it.
    routerOptions: { maxParamLength: 1000, querystringParser: () => nothing, constraints },
    // A HEAD must not begin or finish a flow.
    exposeHeadRoutes: false,
    // Told to the caller and written in the log, so that one leads to the other; nobody else chooses it.
    genReqId: () => randomUUID(),
    // Where a dialect's clients put its version.
    rewriteUrl(request) {
      const { url, version } = withoutVersion(request.url ?? '/')
      if (version !== undefined) request.headers['x-api-version'] = version
      return toConnectPage(url)
    },
    bodyLimit: 1_000_000,
    schemaController: { compilersFactory: { buildValidator: noSchema, buildSerializer: noSchema } },
    // A URL that does not decode never reaches a route.
    frameworkErrors: (error, _request, reply) => {
      ;(reply as FastifyReply)
        .code(400)
        .send({ error: { code: 'invalid_request', message: `The URL is malformed: ${error.message}` } })
    },
  })
  for (const method of proxied) if (!app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true })
  const { log, dev, storage } = hub.context

  const mayBeOpen = mayBeKeyless(access)
  const onLoopback = isLoopbackHost(access.publicUrl.hostname)
  const check = (request: FastifyRequest, reply: FastifyReply, route: string, keys?: Keys) => {
    request.keys = keys
    if (keys?.unused) {
      checkLocal(request)
      if (!isStep(request, route)) checkOwnPage(request, access)
    }
    const page = forBrowsers.has(route) || (isDashboard(route) && !request.routeOptions.config.program)
    const host = page ? hostOf(request) : undefined
    // Cookies are kept by host, and the provider sends the browser back to the public URL.
    if (isFurtherHost(access, host)) {
      if (!framed.has(route)) reply.redirect(access.publicUrl.origin + request.url, 307)
      return
    }
    if (!onLoopback || !page) return
    if (!host || !isLoopbackHost(host.hostname))
      throw new MortiseError('forbidden', `This hub's pages are at ${access.publicUrl.origin} only.`)
    if (host.host !== access.publicUrl.host) reply.redirect(access.publicUrl.origin + request.url, 307)
  }
  app.decorateRequest('keys', undefined)
  app.addHook(
    'onRequest',
    hook((request, reply) => {
      reply.headers({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cross-origin-resource-policy': 'same-origin',
      })
      const route = request.routeOptions.url ?? ''
      if (route === '/health' || route === '/ready') return
      // An absolute target would name a second host (RFC 9112 §3.2.2).
      if (!request.raw.url?.startsWith('/'))
        throw new MortiseError('invalid_request', 'The request target must be a path.')
      if (!mayBeOpen) return check(request, reply, route)
      return soon(access.keyring.now(), keys => check(request, reply, route, keys))
    }),
  )
  app.setErrorHandler((thrown, request, reply) => {
    const error = errorOf(thrown, request, log)
    return reply.code(statusOf[error.code]).send({ error: { code: error.code, message: error.message } })
  })
  app.setNotFoundHandler((request, reply) => {
    if (request.headers.accept?.includes('text/html')) return sendNotFound(reply)
    const message = `The hub has no ${request.method} route at this path. Those that it has: /docs/sdk-reference (connections), /docs/oauth-flow-guide (connectors, credentials, users). Workflows and unified models are not served.`
    // Clients of either dialect find the sentence where they look for it.
    return reply.code(404).send({ message, code: 'NOT_FOUND', error: { code: 'not_found', message } })
  })

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
    const rows = integrations.map(async each => ({
      integration: each,
      definition: hub.context.catalogue.get(each.provider),
      hmac: await hub.hmac(environment, each.key, ''),
    }))
    return sendHome(reply, { environment, rows: await Promise.all(rows), keyNeeded: !(await isKeyless(access)) })
  })
  const sockets = createSockets(hub, access, socketWords)
  app.decorate('upgrade', sockets.upgrade)
  app.addHook('preClose', async () => sockets.close())
  staticRoutes(app)
  referencePage(app, routes)
  startPage(app, hub, access)
  callbackRoute(
    app,
    hub,
    access,
    { [nango]: toReturn, [alloy]: alloyReturn, [page]: pageReturn, [own]: ownReturn },
    { [nango]: tellOutcome },
  )
  await app.register(nangoRoutes(hub, access))
  await app.register(alloyRoutes(hub, access, shownToken))
  await app.register(sdkRoutes(hub, access, scripts))
  await app.register(apiRoutes(hub, access), { prefix })
  await app.register(dashboardRoutes(hub, access))
  return app
}
