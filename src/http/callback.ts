/** The provider's way back, shared by all dialects: RFC 6749 §4.1.2, RFC 5849 §2.2. */
import type { FastifyInstance } from 'fastify'
import type { Attempt, Outcome } from '../core/attempt.ts'
import type { Hub } from '../core/hub.ts'
import { conclude } from '../core/open-session.ts'
import { type Access, isKeyless } from './auth.ts'
import { nonceIn } from './cookies.ts'
import type { Html } from './html.ts'
import type { Return } from './open.ts'
import { sendDone, sendFailure, sendOutcome } from './pages.ts'
import { queryOf } from './query.ts'
import { statusOf } from './status.ts'
import { errorOf } from './thrown.ts'

/** By dialect. */
type Returns = Readonly<Record<string, Return>>

/** By dialect: the script by which a flow's last page tells whoever opened its window. */
type Tells = Readonly<Record<string, (hub: Hub, attempt: Attempt, outcome: Outcome) => Promise<Html>>>

export const callbackRoute = (app: FastifyInstance, hub: Hub, access: Access, returns: Returns, tells: Tells): void => {
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
      const tell = await tells[attempt.dialect]?.(hub, attempt, outcome)
      if (attempt.listener !== undefined)
        return sendDone(reply, { outcome, provider, tell, closes: await wasTold(hub, attempt) })
      if (concluded && concluded.session.opens !== 'link')
        return sendDone(reply, { outcome, provider, tell, closes: true })
      const keyNeeded = !(await isKeyless(access))
      return sendOutcome(reply, { outcome, provider, publicUrl: hub.context.publicUrl, keyNeeded, tell })
    } catch (thrown) {
      const error = errorOf(thrown, request, hub.context.log)
      return sendFailure(reply, error, statusOf[error.code], error.details.reason ?? error.code)
    }
  })
}

/** How long the last page waits for whoever waits for it, and how often it looks, in milliseconds. */
const patience = 3000
const beat = 100

/**
 * Whether the page that waits on a socket, perhaps of another process, has been told. This one stays until then: a window
 * that is gone first looks to its opener like one that a person closed.
 */
const wasTold = async ({ context }: Hub, { environmentId, stateHash }: Attempt): Promise<boolean> => {
  for (const until = performance.now() + patience; ; ) {
    const now = await context.storage.attempt(environmentId, stateHash)
    if (now?.toldAt !== undefined) return true
    if (performance.now() > until) return false
    await new Promise(done => setTimeout(done, beat))
  }
}
