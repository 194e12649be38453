/** What every route of this dialect that takes a key is handed. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Environment, Scope } from '../../core/environment.ts'
import type { Hub } from '../../core/hub.ts'
import type { Caller } from '../../core/keys.ts'
import type { Choice } from '../../core/session.ts'
import { soon } from '../../core/soon.ts'
import { type Access, authenticate, requireScope } from '../auth.ts'
import { corsFor } from '../cors.ts'
import { hook } from '../hook.ts'
import { bearerToken, sessionOfToken } from './starter.ts'

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller
    /** Of the connect session whose token was sent in place of a key. */
    choice: Choice | undefined
  }
}

export interface Served {
  readonly hub: Hub
  readonly environment: (request: FastifyRequest) => Promise<Environment>
  /** Routes that a secret key with this scope may call. */
  readonly withKey: (app: FastifyInstance, scope: Scope, routes: (api: FastifyInstance) => void) => Promise<void>
  /** Routes that a page with the token of a connect session may call too: of the environment, within what that allows. */
  readonly withKeyOrSession: (
    app: FastifyInstance,
    scope: Scope,
    routes: (api: FastifyInstance, preflight: (path: string) => void) => void,
  ) => Promise<void>
}

export const createServed = (hub: Hub, access: Access): Served => {
  const byKey = (request: FastifyRequest, scope: Scope) =>
    soon(authenticate(request, access), caller => {
      request.caller = caller
      requireScope(caller, scope)
    })
  return {
    hub,
    environment: request => hub.context.environmentOf(request.caller.environmentId),
    async withKey(app, scope, routes) {
      await app.register(async api => {
        api.addHook(
          'onRequest',
          hook(request => byKey(request, scope)),
        )
        routes(api)
      })
    },
    async withKeyOrSession(app, scope, routes) {
      await app.register(async api => {
        const cors = corsFor(api, hub, ['GET'])
        api.addHook('onRequest', async (request, reply) => {
          await cors.hook(request, reply)
          if (request.method === 'OPTIONS') return
          const token = bearerToken(request)
          if (token === undefined) return byKey(request, scope)
          const { environmentId, caller, choice } = await sessionOfToken(hub, token)
          request.caller = { id: caller, environmentId, scopes: new Set([scope]) }
          request.choice = choice
        })
        routes(api, cors)
      })
    },
  }
}

/** Greedy: a connection id may hold slashes, and clients do not encode it. */
export interface ByRest {
  Params: { '*': string }
}
