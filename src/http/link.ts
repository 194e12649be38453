/** A link that an app sent its end user to: the browser that follows it first opens the session, and goes to the provider. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { MortiseError } from '../core/errors.ts'
import type { Hub } from '../core/hub.ts'
import { sessionOf } from '../core/open-session.ts'
import { type Access, checkBrowserOrigin } from './auth.ts'
import { openHere, type Return } from './open.ts'
import { sendFailure } from './pages.ts'
import { queryOf } from './query.ts'
import { statusOf } from './status.ts'
import { errorOf } from './thrown.ts'

/** `?token=`. `toReturn`: how the dialect of the link words its way back. */
export const openLink = async (
  hub: Hub,
  access: Access,
  toReturn: Return,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const { context } = hub
  try {
    const session = await sessionOf(context, queryOf(request).get('token') ?? '')
    checkBrowserOrigin(request, access, await context.storage.allowed(session.environmentId, 'origin'), context.dev)
    if (session.opens !== 'link')
      throw new MortiseError('session_expired', 'This flow is opened by the page that began it, not by a link.', {
        reason: 'session_unknown',
      })
    return await openHere(hub, session, toReturn, request, reply)
  } catch (thrown) {
    const error = errorOf(thrown, request, context.log)
    return sendFailure(reply, error, statusOf[error.code], error.details.reason ?? error.code)
  }
}
