/** The end user's browser opens a connect session: it is kept to that browser and sent to the provider. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { failed, type Outcome } from '../core/attempt.ts'
import { toMortiseError } from '../core/errors.ts'
import type { Hub } from '../core/hub.ts'
import { type Concluded, openSession, stateOf } from '../core/open-session.ts'
import type { ConnectSession } from '../core/session.ts'
import { attemptCookie, nonceIn } from './cookies.ts'

/** How a dialect words the URL that a flow returns to. */
export type Return = (returnTo: string, outcome: Outcome, concluded: Concluded | undefined) => string

/**
 * Sends the browser to the provider. What goes wrong before that (an integration that is gone, a parameter that does not
 * fit) goes back to the app where there is one; a link that is not this browser's is thrown, and shown here.
 * `onward`: how the browser is sent, if not by a redirect.
 */
export const openHere = async (
  hub: Hub,
  session: ConnectSession,
  toReturn: Return,
  request: FastifyRequest,
  reply: FastifyReply,
  onward: (reply: FastifyReply, url: string) => FastifyReply = (to, url) => to.redirect(url, 302),
): Promise<FastifyReply> => {
  const secure = hub.context.publicUrl.startsWith('https:')
  try {
    const opened = await openSession(hub.context, session, name => nonceIn(request.headers.cookie, name, secure))
    reply.header('set-cookie', [attemptCookie(opened.cookie, secure), attemptCookie(opened.started, secure)])
    return onward(reply, opened.started.url)
  } catch (thrown) {
    const error = toMortiseError(thrown)
    if (session.returnTo === undefined || error.code === 'session_expired' || error.code === 'internal') throw error
    const concluded = { session, state: await stateOf(hub.context, session), code: undefined }
    return onward(reply, toReturn(session.returnTo, failed(error), concluded))
  }
}
