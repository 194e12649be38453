/** The table of this dialect's routes: what all of them share, and the rooms that they stand in. */
import type { FastifyInstance } from 'fastify'
import { MortiseError } from '../../core/errors.ts'
import type { Hub } from '../../core/hub.ts'
import { endUserNamed, ownUser } from '../../core/users.ts'
import { type Access, authenticate, requireScope } from '../auth.ts'
import { noteHub } from '../pass.ts'
import { queryOf } from '../query.ts'
import { errorOf } from '../thrown.ts'
import { connectionRoutes } from './connections.ts'
import { connectorRoutes } from './connectors.ts'
import { credentialRoutes } from './credentials.ts'
import { diagnoseRoute } from './diagnose.ts'
import { embeddedRoutes } from './embedded.ts'
import { toError } from './errors.ts'
import { executeRoutes } from './execute.ts'
import { bodyOf, text } from './input.ts'
import { pageRoutes } from './page.ts'
import { pageCalls } from './page-calls.ts'
import { passthroughRoutes } from './passthrough.ts'
import { recordRoutes } from './records.ts'
import type { Served } from './served.ts'
import { startPage } from './start.ts'
import { userRoutes } from './users.ts'
import { answerVersion } from './version.ts'
import { workflowRoutes } from './workflows.ts'

export const alloyRoutes =
  (hub: Hub, access: Access, shownToken: (token: string) => string) =>
  async (app: FastifyInstance): Promise<void> => {
    const { publicUrl } = hub.context
    app.setErrorHandler((thrown, request, reply) => {
      const error = errorOf(thrown, request, hub.context.log)
      const { status, body } = toError(error, publicUrl, request.id)
      noteHub(request, reply)
      if (status === 401) reply.header('www-authenticate', 'Bearer')
      if (error.details.retryAfter) reply.header('retry-after', String(error.details.retryAfter))
      return reply.code(status).send(body)
    })
    // Clients send the type of a body with no body.
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, given, done) => {
      try {
        done(null, given === '' ? undefined : JSON.parse(String(given)))
      } catch {
        done(new MortiseError('invalid_request', 'The body is not JSON.'), undefined)
      }
    })
    // One of them sends the type of a form with none.
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, given, done) =>
      given === ''
        ? done(null, undefined)
        : done(new MortiseError('invalid_request', 'The body must be JSON.'), undefined),
    )
    app.addHook('onRequest', answerVersion)
    startPage(app, hub, access)
    pageRoutes(app, hub, access, shownToken)

    const served: Served = {
      hub,
      environment: request => hub.context.environmentOf(request.caller.environmentId),
      may: scope => async request => requireScope(request.caller, scope),
      async user(request, inPath, body) {
        const environment = await served.environment(request)
        return (await served.named(request, inPath, body)) ?? ownUser(environment)
      },
      async named(request, inPath, body = bodyOf(request.body)) {
        // A template without its value would otherwise stand for everybody's user.
        if (inPath?.trim() === '')
          throw new MortiseError('invalid_request', 'The path has no user. Write me if the user of the key is meant.', {
            reason: 'end_user_unknown',
            parameter: 'userId',
            received: '',
          })
        const header = request.headers['x-alloy-userid']
        const sources: [value: string | undefined, source: string][] = [
          [inPath, 'in the path'],
          [text(body, 'userId'), 'userId in the body'],
          [queryOf(request).get('userId') ?? undefined, 'userId in the query'],
          [typeof header === 'string' ? header : undefined, 'the header x-alloy-userid'],
        ]
        const [value, source = ''] = sources.find(([each]) => each !== undefined && each !== '') ?? []
        if (value === undefined) return undefined
        return endUserNamed(hub.context, await served.environment(request), value, source)
      },
      warn(reply, warnings) {
        if (warnings.length === 0) return {}
        const plain = warnings
          .join(' ')
          .replace(/[^\x20-\x7e]/g, '?')
          .slice(0, 1000)
        reply.header('warning', `299 mortise "${plain.replace(/["\\]/g, "'")}"`)
        return { warnings: [...warnings] }
      },
    }

    await app.register(async page => pageCalls(page, served, access))
    await app.register(async api => {
      api.addHook('onRequest', async request => {
        const token = request.headers['x-alloy-user-token']
        if (token !== undefined)
          throw new MortiseError(
            'unauthenticated',
            'x-alloy-user-token is for pages, at /sdk/start. Here send: Authorization: Bearer <secret key>, from your back end.',
            { reason: 'jwt_malformed' },
          )
        request.caller = await authenticate(request, access)
      })
      userRoutes(api, served)
      connectorRoutes(api, served)
      embeddedRoutes(api, served)
      workflowRoutes(api, served)
      executeRoutes(api, served)
      passthroughRoutes(api, served)
      recordRoutes(api, served)
      credentialRoutes(api, served)
      connectionRoutes(api, served)
      diagnoseRoute(api, served)
    })
  }
