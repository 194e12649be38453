/** What every route of this dialect that takes a key is handed. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Environment, Scope } from '../../core/environment.ts'
import type { Hub } from '../../core/hub.ts'
import type { Caller } from '../../core/keys.ts'
import { soon } from '../../core/soon.ts'
import { type Access, authenticate, requireScope } from '../auth.ts'
import { hook } from '../hook.ts'

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller
  }
}

export interface Served {
  readonly hub: Hub
  readonly environment: (request: FastifyRequest) => Promise<Environment>
  /** Routes that a secret key with this scope may call. */
  readonly withKey: (app: FastifyInstance, scope: Scope, routes: (api: FastifyInstance) => void) => Promise<void>
}

export const createServed = (hub: Hub, access: Access): Served => ({
  hub,
  environment: request => hub.context.environmentOf(request.caller.environmentId),
  async withKey(app, scope, routes) {
    await app.register(async api => {
      api.addHook(
        'onRequest',
        hook(request =>
          soon(authenticate(request, access), caller => {
            request.caller = caller
            requireScope(caller, scope)
          }),
        ),
      )
      routes(api)
    })
  },
})

/** Greedy: a connection id may hold slashes, and clients do not encode it. */
export interface ByRest {
  Params: { '*': string }
}
