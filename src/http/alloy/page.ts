/**
 * The pages that the vendor's browser client opens in a frame, with the JWT of its user in the address, and the page behind
 * a link of `install-url`. The JWT is exchanged for a connect session before the page is sent; its script clears the address.
 * What else stands there (the source of the app's callback, among others) is not looked at, and no log of ours has it.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { EndUser } from '../../core/end-user.ts'
import type { Environment } from '../../core/environment.ts'
import { badParameter, MortiseError } from '../../core/errors.ts'
import type { Hub } from '../../core/hub.ts'
import { createSession } from '../../core/open-session.ts'
import { categories } from '../../core/provider.ts'
import { rowUserId } from '../../core/users.ts'
import type { Access } from '../auth.ts'
import { type Opened, sendConnectPage, tellOrigins } from '../connect-page.ts'
import { checkJwt } from '../jwt.ts'
import { queryOf } from '../query.ts'
import { statusOf } from '../status.ts'
import { errorOf } from '../thrown.ts'
import { linkPath } from './embedded.ts'
import { appOf } from './look-up.ts'
import { dialect } from './served.ts'

const frames = { '/authenticate-app': 'authenticate', '/forge-install': 'install' } as const
/** Pages in a frame. */
export const framePaths = Object.keys(frames)

/** `shownToken`: a session's token as the routes take it that the connect page calls. */
export const pageRoutes = (
  app: FastifyInstance,
  hub: Hub,
  access: Access,
  shownToken: (token: string) => string,
): void => {
  const { context } = hub
  const { storage, log } = context

  const sessionFor = async (query: URLSearchParams, environment: Environment, user: EndUser): Promise<string> => {
    const allowed = await named(query, environment)
    const { token } = await createSession(context, {
      environment,
      integrationKey: '',
      choice: { fixed: {}, ...(allowed ? { allowed } : {}) },
      endUserId: rowUserId(user),
      caller: `jwt ${user.id}`,
      opens: 'token',
      dialect,
      duplicate: false,
      params: {},
    })
    return shownToken(token)
  }

  /** The integrations that the address names: one, those of a category, or all (undefined). */
  const named = async (query: URLSearchParams, environment: Environment): Promise<string[] | undefined> => {
    const one = query.get('integrationId') || query.get('app')
    if (one) return [(await appOf(hub, environment, one)).key]
    if (query.has('id'))
      throw new MortiseError(
        'not_found',
        'This hub runs no workflows. The app must name what to connect: integrationId.',
      )
    const category = query.get('category')?.toLowerCase()
    if (!category) return undefined
    const known = categories.find(each => each === category)
    if (!known)
      throw badParameter(
        'category',
        `There is no category "${category.slice(0, 80)}"; there are ${categories.join(', ')}.`,
      )
    const all = await storage.integrations(environment.id)
    return all.filter(each => context.catalogue.get(each.provider)?.categories.includes(known)).map(each => each.key)
  }

  for (const [path, tells] of Object.entries(frames))
    app.get(path, async (request, reply) => {
      const query = queryOf(request)
      const about = { tells, hidden: query.get('hide') === 'true' }
      try {
        mustBeFrame(request)
        const { environment, user } = await checkJwt(context, query.get('token') ?? undefined)
        const session = await sessionFor(query, environment, user)
        const origins = await tellOrigins(context, environment.id)
        return await sendConnectPage(reply, 200, context, access, [environment.id], { ...about, session, origins })
      } catch (thrown) {
        const error = errorOf(thrown, request, log)
        const ids = (await storage.environments()).map(({ id }) => id)
        const origins = (await Promise.all(ids.map(id => tellOrigins(context, id)))).flat()
        const failed: Opened = { ...about, failed: error.message, origins: [...new Set(origins)] }
        return sendConnectPage(reply, statusOf[error.code], context, access, ids, failed)
      }
    })

  app.get(linkPath, async (request, reply) => {
    const query = queryOf(request)
    // Reloaded: the tab has the session, the address nothing any more, and a form must show its origin.
    if (!query.has('token'))
      return sendConnectPage(reply.header('referrer-policy', 'strict-origin'), 200, context, access, [])
    const alone = { origins: [], hidden: false }
    try {
      const { environment, user } = await checkJwt(context, query.get('token') ?? undefined, 'link')
      const session = await sessionFor(query, environment, user)
      return await sendConnectPage(reply, 200, context, access, [], { ...alone, session })
    } catch (thrown) {
      const error = errorOf(thrown, request, log)
      return sendConnectPage(reply, statusOf[error.code], context, access, [], { ...alone, failed: error.message })
    }
  })
}

/** In a window of its own it is a link that somebody sent, whose account would then be connected for another user. */
const mustBeFrame = (request: FastifyRequest): void => {
  const dest = request.headers['sec-fetch-dest']
  if (dest === undefined || dest === 'iframe') return
  throw new MortiseError('forbidden', 'This page is opened in a frame, by a page of the app.', {
    reason: 'origin_not_allowed',
  })
}
