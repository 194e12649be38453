/**
 * The pages for the operator: Connections, and Settings. Plain forms, no script needed. A browser signs in with a secret
 * key by HTTP Basic (RFC 7617) and sees the environment of that key.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { MortiseError, toMortiseError } from '../../core/errors.ts'
import type { Hub } from '../../core/hub.ts'
import type { Caller } from '../../core/keys.ts'
import { type Access, authenticate, isKeyless, requireScope } from '../auth.ts'
import { queryOf } from '../query.ts'
import { errorOf } from '../thrown.ts'
import { apiKeyPages } from './api-keys.ts'
import { connectionPage } from './connection.ts'
import { connectionsPage } from './connections.ts'
import { embeddedPages } from './embedded.ts'
import { type Pages, sendFramed, sendProblem, sendSignIn, signInPath } from './frame.ts'
import { checkOwnForm } from './own-form.ts'
import { webhookPages } from './webhooks.ts'

/**
 * Whether a route is one of these pages: a browser opens it, under the public URL only. `/connections/*` is an API's,
 * whose callers have other names for the hub.
 */
export const isDashboard = (route: string): boolean => /^\/(connections(\/:.*)?|settings(\/.*)?)$/.test(route)

export const dashboardRoutes =
  (hub: Hub, access: Access) =>
  async (app: FastifyInstance): Promise<void> => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, text, done) =>
      done(null, new URLSearchParams(String(text))),
    )
    app.addHook('onRequest', async (request, reply) => {
      // Without a referrer at all, a browser sends `Origin: null` with a form (Fetch §3.2), which proves nothing.
      reply.header('referrer-policy', 'same-origin')
      if (request.method !== 'GET') checkOwnForm(request, access)
      request.caller = await callerOf(request, access)
    })
    app.setErrorHandler((thrown, request, reply) => {
      const error = errorOf(thrown, request, hub.context.log)
      return error.code === 'unauthenticated' ? sendSignIn(reply, error) : sendProblem(reply, error)
    })

    const pages: Pages = {
      hub,
      access,
      environment: request => hub.context.environmentOf(request.caller.environmentId),
      may: scope => ({ preHandler: async request => requireScope(request.caller, scope) }),
      keyless: () => isKeyless(access),
      async send(request, reply, page) {
        const environment = await pages.environment(request)
        return sendFramed(reply, page, { environment, callerId: request.caller.id, keyless: await pages.keyless() })
      },
    }
    connectionsPage(app, pages)
    connectionPage(app, pages)
    app.get('/settings', (_request, reply) => reply.redirect('/settings/webhooks', 303))
    webhookPages(app, pages)
    apiKeyPages(app, pages)
    embeddedPages(app, pages)

    // The browser keeps a key until it is refused; then it asks for another.
    app.get(signInPath, async (request, reply) => {
      if (queryOf(request).get('not') === request.caller.id && !(await isKeyless(access)))
        throw new MortiseError('unauthenticated', 'Give another key than the one before.', { reason: 'key_missing' })
      return reply.redirect('/connections', 303)
    })
  }

/** A public key or a JWT is refused like any wrong key, so that the browser asks again. */
const callerOf = async (request: FastifyRequest, access: Access): Promise<Caller> => {
  try {
    return await authenticate(request, access)
  } catch (thrown) {
    const { code, message, details } = toMortiseError(thrown)
    if (code === 'forbidden') throw new MortiseError('unauthenticated', message, details)
    throw thrown
  }
}
