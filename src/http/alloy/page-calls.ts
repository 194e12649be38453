/**
 * What pages call by fetch with the JWT of their user, in `x-alloy-user-token`; back ends call the same with a key. A JWT
 * tells what its own user has connected, and nothing else.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { EndUser } from '../../core/end-user.ts'
import type { Scope } from '../../core/environment.ts'
import type { Integration } from '../../core/integration.ts'
import { rowUserId } from '../../core/users.ts'
import { withVersion } from '../asks.ts'
import { type Access, authenticate, checkBrowserOrigin, requireScope } from '../auth.ts'
import { shown } from '../connectors.ts'
import { corsFor } from '../cors.ts'
import { checkJwt } from '../jwt.ts'
import { appOf } from './look-up.ts'
import type { Served } from './served.ts'
import { noWorkflow } from './workflows.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whose JWT was sent in place of a key. */
    jwtUser: EndUser | undefined
  }
}

const lists = ['/workflows', '/integrations']
const acts = ['/workflows/activate', '/workflows/deactivate']
/** Routes that a JWT opens. */
export const takesJwt: ReadonlySet<string> = new Set([...lists, ...acts, '/integrations/:integration'])

/** What a JWT may do here. */
const scopes: ReadonlySet<Scope> = new Set<Scope>(['connections:read', 'integrations:read'])

export const pageCalls = (app: FastifyInstance, served: Served, access: Access): void => {
  const { hub } = served
  const { storage, catalogue, dev } = hub.context

  const cors = corsFor(app, hub, ['GET', 'PUT'], 'content-type, x-alloy-user-token')
  app.decorateRequest('jwtUser', undefined)
  app.addHook('onRequest', cors.hook)
  app.addHook('onRequest', async request => {
    if (request.method === 'OPTIONS') return
    const token = request.headers['x-alloy-user-token']
    if (token === undefined) {
      request.caller = await authenticate(request, access)
      requireScope(request.caller, 'connections:read')
      return
    }
    const { environment, user } = await checkJwt(hub.context, typeof token === 'string' ? token : undefined)
    checkBrowserOrigin(request, access, await storage.allowed(environment.id, 'origin'), dev)
    request.jwtUser = user
    request.caller = { id: `jwt ${user.id}`, environmentId: environment.id, scopes }
  })
  const userOf = async (request: FastifyRequest): Promise<EndUser> =>
    request.jwtUser ?? (await served.user(request, undefined, {}))

  // The other dialect lists its own at the same path; this one's clients name a version.
  const here = { constraints: withVersion }
  for (const path of [...acts, '/workflows']) cors(path)
  for (const path of ['/integrations', '/integrations/:integration']) cors(path, here)

  app.get('/workflows', async request => {
    await userOf(request)
    return { data: [] }
  })
  for (const path of acts) app.put(path, () => Promise.reject(noWorkflow()))

  const toIntegration = async (request: FastifyRequest, all: readonly Integration[]) => {
    const filter = { endUserId: rowUserId(await userOf(request)) }
    const rows = await storage.connections(request.caller.environmentId, filter)
    const connected = new Set(rows.filter(row => row.status === 'connected').map(row => row.integrationKey))
    return all.flatMap(each => {
      const provider = catalogue.get(each.provider)
      if (!provider) return []
      // `app` until 2024-03, `primaryConnector` since.
      const [app, primaryConnector, installed] = [provider.name, provider.name, connected.has(each.key)]
      return [{ ...shown(each, provider), app, primaryConnector, installed, workflows: [], credentials: [each.key] }]
    })
  }
  app.get('/integrations', here, async request => {
    const data = await toIntegration(request, await storage.integrations(request.caller.environmentId))
    return { data, connectors: data }
  })
  app.get<{ Params: { integration: string } }>('/integrations/:integration', here, async request => {
    const integration = await appOf(hub, await served.environment(request), request.params.integration)
    const [data] = await toIntegration(request, [integration])
    return { data }
  })
}
