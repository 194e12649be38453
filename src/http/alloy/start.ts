/** The hub's own start page of a flow that an app began: `oauthUrl` leads here. */
import type { FastifyInstance } from 'fastify'
import { MortiseError } from '../../core/errors.ts'
import type { Hub } from '../../core/hub.ts'
import { sessionOf } from '../../core/open-session.ts'
import { type Access, checkBrowserOrigin } from '../auth.ts'
import { openHere } from '../open.ts'
import { sendFailure } from '../pages.ts'
import { queryOf } from '../query.ts'
import { errorOf } from '../thrown.ts'
import { toError } from './errors.ts'
import { toReturn } from './map.ts'

export const startPage = (app: FastifyInstance, hub: Hub, access: Access): void => {
  const { context } = hub
  app.get<{ Params: { connector: string } }>('/api/strategy/connector/:connector/authorize', async (request, reply) => {
    try {
      const token = queryOf(request).get('token') ?? ''
      const session = await sessionOf(context, token)
      checkBrowserOrigin(request, access, await context.storage.allowed(session.environmentId, 'origin'), context.dev)
      if (session.opens !== 'link')
        throw new MortiseError('session_expired', 'This flow is opened by the page that began it, not by a link.', {
          reason: 'session_unknown',
        })
      return await openHere(hub, session, toReturn, request, reply)
    } catch (thrown) {
      const error = errorOf(thrown, request, context.log)
      const { status } = toError(error, context.publicUrl, request.id)
      return sendFailure(reply, error, status, error.details.reason ?? error.code)
    }
  })
}
