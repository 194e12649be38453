/** The provider's way back, shared by all dialects: RFC 6749 §4.1.2, RFC 5849 §2.2. */
import type { FastifyInstance } from 'fastify'
import type { Hub } from '../core/hub.ts'
import { conclude } from '../core/open-session.ts'
import { type Access, isKeyless } from './auth.ts'
import { nonceIn } from './cookies.ts'
import type { Return } from './open.ts'
import { sendDone, sendFailure, sendOutcome } from './pages.ts'
import { queryOf } from './query.ts'
import { statusOf } from './status.ts'
import { errorOf } from './thrown.ts'

/** By dialect. */
type Returns = Readonly<Record<string, Return>>

export const callbackRoute = (app: FastifyInstance, hub: Hub, access: Access, returns: Returns): void => {
  const secure = access.publicUrl.protocol === 'https:'
  app.get('/oauth/callback', async (request, reply) => {
    const query = queryOf(request)
    // A parameter sent twice is ambiguous (RFC 6749 §3.1) and counts as not sent.
    const single = (name: string) => {
      const values = query.getAll(name)
      return values.length === 1 ? values[0] : undefined
    }
    try {
      const { attempt, outcome } = await hub.finish({
        state: single('state'),
        code: single('code'),
        error: single('error'),
        iss: query.has('iss') ? (single('iss') ?? '') : undefined,
        oauthToken: single('oauth_token'),
        oauthVerifier: single('oauth_verifier'),
        denied: single('denied'),
        oauthProblem: single('oauth_problem'),
        nonceOf: stateHash => nonceIn(request.headers.cookie, stateHash, secure),
      })
      const concluded = await conclude(hub.context, attempt, outcome)
      const toReturn = returns[attempt.dialect]
      if (attempt.returnTo !== undefined && toReturn)
        return reply.redirect(toReturn(attempt.returnTo, outcome, concluded), 302)
      const provider = hub.context.catalogue.get(attempt.provider)?.name ?? attempt.provider
      if (concluded?.session.opens === 'page') return sendDone(reply, { outcome, provider })
      const keyNeeded = !(await isKeyless(access))
      return sendOutcome(reply, { outcome, provider, publicUrl: hub.context.publicUrl, keyNeeded })
    } catch (thrown) {
      const error = errorOf(thrown, request, hub.context.log)
      return sendFailure(reply, error, statusOf[error.code], error.details.reason ?? error.code)
    }
  })
}
