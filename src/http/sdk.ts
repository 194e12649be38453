/**
 * What the browser SDK calls, from pages of other origins: it begins a session, opens it, and hears how it ended. Every
 * call carries a JWT or the token of a session; nothing rests on cookies or on who sends it.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { shownId } from '../core/connection.ts'
import { badParameter, MortiseError } from '../core/errors.ts'
import { findIntegration } from '../core/find.ts'
import type { Hub } from '../core/hub.ts'
import { createSession, sessionOf } from '../core/open-session.ts'
import type { ConnectSession } from '../core/session.ts'
import { rowUserId } from '../core/users.ts'
import { type Access, checkBrowserOrigin } from './auth.ts'
import { corsFor } from './cors.ts'
import { checkJwt } from './jwt.ts'
import { openHere } from './open.ts'
import { sendFailure, sendOnward } from './pages.ts'
import { paramsOf } from './params.ts'
import { statusOf } from './status.ts'
import { errorOf } from './thrown.ts'

/** The SDK's two forms, by the name that they are served under. */
export type Scripts = Readonly<Record<'alloy.js' | 'mortise.js', string>>

/** The name under which sessions of a page are kept. */
export const dialect = 'page'

/** A page that was left comes back with this; its script then asks how it ended. */
export const pageReturn = (returnTo: string): string => `${returnTo}${returnTo.includes('?') ? '&' : '?'}mortise=done`

/** How long an answer may be waited for, and how often the outcome is looked up meanwhile, in milliseconds. */
const patience = 25_000
const beat = 250

/** How many may wait at once: for one session (a page and its reloads), and for all of this process. */
const mostForOne = 3
const mostInAll = 500

export const sdkRoutes =
  (hub: Hub, access: Access, scripts: Scripts) =>
  async (app: FastifyInstance): Promise<void> => {
    const { context } = hub
    const { storage, clock, dev, publicUrl } = context
    let stopping = false
    app.addHook('preClose', async () => {
      stopping = true
    })

    app.setErrorHandler((thrown, request, reply) => {
      const error = errorOf(thrown, request, context.log)
      const said = {
        code: error.code,
        message: error.message,
        ...(error.details.reason ? { reason: error.details.reason } : {}),
      }
      if (error.details.retryAfter) reply.header('retry-after', String(error.details.retryAfter))
      return reply.code(statusOf[error.code]).send({ message: error.message, code: error.code, error: said })
    })
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, text, done) =>
      done(null, Object.fromEntries(new URLSearchParams(String(text)))),
    )

    for (const [name, text] of Object.entries(scripts))
      app.get(`/sdk/${name}`, (_request, reply) =>
        reply
          .type('text/javascript; charset=utf-8')
          .headers({
            'cache-control': 'max-age=300',
            'cross-origin-resource-policy': 'cross-origin',
            'access-control-allow-origin': '*',
          })
          .send(text),
      )

    const cors = corsFor(app, hub, ['POST'], 'content-type, x-alloy-user-token')
    for (const path of ['/sdk/start', '/sdk/outcome']) cors(path)

    const allowed = async (request: FastifyRequest, environmentId: number) =>
      checkBrowserOrigin(request, access, await storage.allowed(environmentId, 'origin'), dev)

    app.post('/sdk/start', { onRequest: cors.hook }, async request => {
      const body = bodyOf(request.body)
      const given = text(body, 'session')
      if (given !== undefined) {
        const session = await sessionOf(context, given)
        await allowed(request, session.environmentId)
        if (session.opens !== 'page')
          throw new MortiseError('session_expired', 'This session is opened by its link, not by a page.')
        const asked = text(body, 'returnTo')
        if (asked !== undefined) {
          const returnTo = await hub.checkReturn(await context.environmentOf(session.environmentId), asked)
          if (!(await storage.setSessionReturn(session.environmentId, session.id, returnTo)))
            throw new MortiseError('session_expired', 'This session was opened already; ask for a new one.')
        }
        return started(session, given)
      }
      const header = request.headers['x-alloy-user-token']
      const { environment, user } = await checkJwt(context, typeof header === 'string' ? header : undefined)
      await allowed(request, environment.id)
      const named = text(body, 'userId')
      // Compared here, and not looked up: a page is told of no other user.
      if (named !== undefined && ![user.id, `user_${user.id}`, user.username].includes(named))
        throw new MortiseError('forbidden', 'The JWT is that of another user than the one named; leave userId out.', {
          reason: 'jwt_other_user',
        })
      const connectorId = text(body, 'connectorId')
      if (connectorId === undefined)
        throw badParameter('connectorId', "connectorId is missing: which account to connect, like 'notion'.")
      const integration = await findIntegration(context, environment, connectorId)
      const asked = text(body, 'returnTo')
      const returnTo = asked === undefined ? undefined : await hub.checkReturn(environment, asked)
      const { session, token } = await createSession(context, {
        environment,
        integrationKey: integration.key,
        endUserId: rowUserId(user),
        caller: `jwt ${user.id}`,
        opens: 'page',
        dialect,
        duplicate: body['allowDuplicate'] === true,
        params: paramsOf(body['params'], context.providerOf(integration)),
        ...(returnTo === undefined ? {} : { returnTo }),
      })
      return started(session, token)
    })
    const started = (session: ConnectSession, token: string) => ({
      session: token,
      url: `${publicUrl}/sdk/open`,
      expiresAt: session.expiresAt.toISOString(),
    })

    // By a form, so that the token stands in no URL, and the Origin tells which page sent it (Fetch §3.2).
    app.post('/sdk/open', async (request, reply) => {
      try {
        const session = await sessionOf(context, text(bodyOf(request.body), 'session') ?? '')
        const { origin } = request.headers
        if (origin === undefined || origin === 'null' || session.opens !== 'page')
          throw new MortiseError(
            'forbidden',
            'This flow must be opened by a page of the app, and the browser did not say which page it was. The page must not have the referrer policy no-referrer.',
            { reason: 'origin_not_allowed' },
          )
        await allowed(request, session.environmentId)
        // A redirect after a form is held back by the `form-action` of the page that sent it; this goes on by itself.
        return await openHere(hub, session, pageReturn, request, reply, sendOnward)
      } catch (thrown) {
        const error = errorOf(thrown, request, context.log)
        return sendFailure(reply, error, statusOf[error.code], error.details.reason ?? error.code)
      }
    })

    // Each wait is a look-up four times a second: so few for one session, and so many in all.
    const waiting = new Map<string, number>()
    app.post('/sdk/outcome', { onRequest: cors.hook }, async (request, reply) => {
      const session = await sessionOf(context, text(bodyOf(request.body), 'session') ?? '')
      await allowed(request, session.environmentId)
      if (session.opens !== 'page')
        throw new MortiseError('session_expired', 'This session is told to the app that began it, not to a page.')
      const mine = waiting.get(session.id) ?? 0
      const all = [...waiting.values()].reduce((sum, each) => sum + each, 0)
      if (mine >= mostForOne || all >= mostInAll)
        throw new MortiseError('rate_limited', 'Too many wait for an outcome already. Ask again in a moment.', {
          retryAfter: 2,
        })
      waiting.set(session.id, mine + 1)
      const until = performance.now() + patience
      try {
        for (let now: ConnectSession | undefined = session; ; ) {
          if (!now) return { status: 'expired', message: 'The session is over.' }
          const told = await outcomeOf(now)
          if (told.status !== 'pending' || performance.now() > until || stopping || reply.raw.destroyed) return told
          await new Promise(done => setTimeout(done, beat))
          now = await storage.session(session.environmentId, { id: session.id })
        }
      } finally {
        const left = (waiting.get(session.id) ?? 1) - 1
        if (left > 0) waiting.set(session.id, left)
        else waiting.delete(session.id)
      }
    })
    const outcomeOf = async (session: ConnectSession) => {
      const row =
        session.connectionRow === undefined
          ? undefined
          : await storage.connectionById(session.environmentId, session.connectionRow)
      if (row) {
        const id = shownId(row)
        return { status: 'connected', connectionId: id, credentialId: id, integrationId: row.integrationKey }
      }
      const { outcome } = session
      if (outcome && !outcome.ok)
        return { status: 'failed', code: outcome.reason ?? outcome.code, message: outcome.message }
      if (session.expiresAt <= clock.now())
        return { status: 'expired', message: 'The end user did not finish within half an hour.' }
      return { status: 'pending' }
    }
  }

const bodyOf = (body: unknown): Record<string, unknown> =>
  typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}

const text = (body: Record<string, unknown>, name: string): string | undefined => {
  const value = body[name]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string' && value.length < 10_000) return value
  throw badParameter(name, `${name} must be a text.`)
}
