/** End users and their JWTs. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { badParameter, toMortiseError } from '../../core/errors.ts'
import { addEndUser, deleteEndUser, ownUser, updateEndUser } from '../../core/users.ts'
import { issueJwt } from '../jwt.ts'
import { bodyOf, text } from './input.ts'
import { toUser } from './map.ts'
import type { Served } from './served.ts'
import { currentVersion } from './version.ts'

type ById = { Params: { user: string } }

export const userRoutes = (app: FastifyInstance, served: Served): void => {
  const { hub } = served
  const reading = { preHandler: served.may('connections:read') }
  const writing = { preHandler: served.may('connect:write') }

  const create = async (request: FastifyRequest) => {
    const body = bodyOf(request.body)
    const username = text(body, 'username')
    const fullName = text(body, 'fullName')
    if (username === undefined)
      throw badParameter('username', "username is missing: your app's own, unique name for the user.")
    const ask = { username, ...(fullName === undefined ? {} : { fullName }) }
    const user = await addEndUser(hub.context, request.caller.environmentId, ask)
    return { ...toUser(user) }
  }
  for (const path of ['/users', '/users/', '/one/users', '/one/users/']) app.post(path, writing, create)

  app.post('/users/batch', writing, async request => {
    const { users } = bodyOf(request.body)
    if (!Array.isArray(users)) throw badParameter('users', 'users must be a list of {username, fullName}.')
    const invalidUsers: object[] = []
    for (const each of users) {
      const { username, fullName } = bodyOf(each)
      try {
        if (typeof username !== 'string') throw badParameter('username', 'username is missing.')
        const full = typeof fullName === 'string' ? { fullName } : {}
        await addEndUser(hub.context, request.caller.environmentId, { username, ...full })
      } catch (thrown) {
        const error = toMortiseError(thrown)
        if (error.code === 'internal') throw error
        invalidUsers.push({ username, fullName, message: error.message })
      }
    }
    return { message: 'success', invalidUsers }
  })

  const list = async (request: FastifyRequest) => {
    const own = ownUser(await served.environment(request))
    const users = await hub.context.storage.endUsers(request.caller.environmentId)
    return { data: [own, ...users].map(toUser) }
  }
  for (const path of ['/users', '/users/', '/one/users', '/one/users/']) app.get(path, reading, list)

  for (const path of ['/users/:user', '/one/users/:user']) {
    app.get<ById>(path, reading, async request => toUser(await served.user(request, request.params.user)))
    app.put<ById>(path, writing, async request => {
      const body = bodyOf(request.body)
      const [username, fullName] = [text(body, 'username'), text(body, 'fullName')]
      if (username === undefined && fullName === undefined)
        throw badParameter('fullName', 'There is nothing to change: send fullName or username.')
      const user = await served.user(request, request.params.user, {})
      const next = { ...(username === undefined ? {} : { username }), ...(fullName === undefined ? {} : { fullName }) }
      return toUser(await updateEndUser(hub.context, user, next))
    })
    app.delete<ById>(path, { preHandler: served.may('connections:write') }, async request => {
      await deleteEndUser(hub.context, await served.user(request, request.params.user, {}))
      return { success: true }
    })
  }

  // GET is what works upstream, POST what one document prints; the path may carry a version.
  app.route<ById>({
    method: ['GET', 'POST'],
    url: '/users/:user/token',
    ...writing,
    handler: async (request: FastifyRequest<ById>, reply: FastifyReply) => {
      const environment = await served.environment(request)
      const user = await served.user(request, request.params.user, {})
      const { token, expiresAt } = await issueJwt(hub.context, environment, user)
      const canonical = `/users/${encodeURIComponent(request.params.user)}/token`
      reply.header('link', `<${hub.context.publicUrl}${canonical}>; rel="canonical"`)
      if (request.method !== 'GET' || request.originalUrl.split('?')[0] !== canonical)
        reply.header(
          'warning',
          `299 mortise "The canonical form is GET ${canonical} with x-api-version: ${currentVersion}"`,
        )
      return { token, expiresAt: expiresAt.toISOString() }
    },
  })
}
