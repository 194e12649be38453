/** Connect sessions: the app's back end makes one, and hands its token to a page. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { checkFixed, createChoice } from '../../core/choice.ts'
import type { Connection } from '../../core/connection.ts'
import type { Environment } from '../../core/environment.ts'
import { MortiseError } from '../../core/errors.ts'
import type { Hub } from '../../core/hub.ts'
import { knowEndUser } from '../../core/users.ts'
import { type Access, authenticate, requireScope } from '../auth.ts'
import { corsFor } from '../cors.ts'
import { bodyOf, inBody, wrongBody } from './body.ts'
import { dialect } from './connect.ts'
import type { Problem } from './errors.ts'
import { newReconnect, newSession, type SessionBody, tagsOf, toFixed, toSession, toTold } from './session-map.ts'
import { bearerToken, connectLink, sessionOfToken, shownToken } from './starter.ts'

export const sessionRoutes = async (app: FastifyInstance, hub: Hub, access: Access): Promise<void> => {
  const { context } = hub
  const { storage, publicUrl } = context

  app.post('/connect/sessions', async (request, reply) => {
    const caller = await mayMake(request, access)
    const environment = await context.environmentOf(caller.environmentId)
    const body = bodyOf(newSession, request.body)
    if (body.end_user === undefined && body.tags === undefined)
      throw wrongBody(
        ['end_user'],
        'end_user is missing: who is to connect an account, like {"end_user":{"id":"user-1"}}. Only a session with tags may be without.',
      )
    const keys = (await storage.integrations(environment.id)).map(each => each.key)
    for (const [index, key] of (body.allowed_integrations ?? []).entries())
      if (!keys.includes(key)) throw unknown(['allowed_integrations', index], key, keys)
    return make(reply, environment, caller.id, body, body.allowed_integrations, undefined)
  })

  app.post('/connect/sessions/reconnect', async (request, reply) => {
    const caller = await mayMake(request, access)
    const environment = await context.environmentOf(caller.environmentId)
    const body = bodyOf(newReconnect, request.body)
    const { integration_id: key, connection_id: id } = body
    const keys = (await storage.integrations(environment.id)).map(each => each.key)
    if (!keys.includes(key)) throw unknown(['integration_id'], key, keys)
    const connection = await storage.connection(environment.id, key, id)
    if (!connection)
      throw wrongBody(
        ['connection_id'],
        `There is no connection "${id}" through the integration "${key}". For an account that is not connected yet: POST /connect/sessions.`,
      )
    return make(reply, environment, caller.id, body, [key], connection)
  })

  const make = async (
    reply: FastifyReply,
    environment: Environment,
    caller: string,
    body: SessionBody,
    allowed: readonly string[] | undefined,
    repairs: Connection | undefined,
  ) => {
    const fixed = toFixed(body)
    for (const [key, each] of Object.entries(fixed))
      await inBody(
        [key in (body.integrations_config_defaults ?? {}) ? 'integrations_config_defaults' : 'overrides', key],
        () => checkFixed(context, environment, key, each),
      )
    const told = toTold(body)
    const tags = await inBody(['tags'], async () => tagsOf(body, undefined))
    const endUser = told && (await inBody(['end_user'], () => knowEndUser(context, environment.id, told)))
    const { session, token } = await inBody(['end_user'], async () =>
      createChoice(context, {
        environment,
        caller,
        dialect,
        choice: {
          ...(allowed === undefined ? {} : { allowed }),
          fixed,
          tags: { ...tagsOf(body, endUser), ...tags },
          ...(body.webhook_url_override === undefined ? {} : { webhookUrlOverride: body.webhook_url_override }),
        },
        ...(endUser ? { endUser } : {}),
        ...(repairs ? { repairs } : {}),
      }),
    )
    return reply.code(201).send({
      data: {
        token: shownToken(token),
        connect_link: connectLink(publicUrl, token),
        expires_at: session.expiresAt.toISOString(),
      },
    })
  }

  const cors = corsFor(app, hub, ['GET', 'DELETE', 'POST'])
  const shown = async (request: FastifyRequest) => {
    const token = bearerToken(request)
    if (token !== undefined) return sessionOfToken(hub, token)
    throw new MortiseError(
      'unauthenticated',
      'The token of a connect session is missing. Send: Authorization: Bearer nango_connect_session_…',
      { reason: 'key_missing' },
    )
  }
  cors('/connect/session')
  app.get('/connect/session', { onRequest: cors.hook }, async request => {
    const session = await shown(request)
    const user =
      session.endUserId === '' ? undefined : await storage.endUser(session.environmentId, { id: session.endUserId })
    return toSession(session, user)
  })
  app.delete('/connect/session', { onRequest: cors.hook }, async (request, reply) => {
    const session = await shown(request)
    await storage.deleteSession(session.environmentId, session.id)
    return reply.code(204).send()
  })
  // What people do on the vendor's own page. It is taken, so that the page does not complain, and dropped.
  cors('/connect/telemetry')
  await app.register(async drop => {
    drop.removeAllContentTypeParsers()
    drop.addContentTypeParser('*', (_request, body, done) => {
      body.resume()
      done(null)
    })
    drop.post('/connect/telemetry', { onRequest: cors.hook }, (_request, reply) => reply.code(204).send())
  })
}

const mayMake = async (request: FastifyRequest, access: Access) => {
  const caller = await authenticate(request, access, access.keyring.now())
  requireScope(caller, 'connect:write')
  return caller
}

const unknown = (path: Problem['path'], key: string, keys: readonly string[]) =>
  wrongBody(
    path,
    `There is no integration "${key.slice(0, 100)}"; there are ${keys.join(', ') || 'none'}. The operator can add it: npx mortise integrations add`,
  )
