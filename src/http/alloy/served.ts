/** What the routes of this dialect share. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { EndUser } from '../../core/end-user.ts'
import type { Environment, Scope } from '../../core/environment.ts'
import type { Hub } from '../../core/hub.ts'
import type { Body } from './input.ts'

/** The name under which sessions and attempts of this dialect are kept. */
export const dialect = 'alloy'

/** What every route of the dialect is given. */
export interface Served {
  readonly hub: Hub
  /** The environment of the request's key. */
  environment(request: FastifyRequest): Promise<Environment>
  /** Refuses a key that lacks the scope. */
  may(scope: Scope): (request: FastifyRequest) => Promise<void>
  /** The end user that the request names: in the path, the body, the query or `x-alloy-userid`; or else the key's own. */
  user(request: FastifyRequest, inPath?: string, body?: Body): Promise<EndUser>
  /** The same, but undefined where the request names nobody. */
  named(request: FastifyRequest, inPath?: string, body?: Body): Promise<EndUser | undefined>
  /** Things that are no error and that the caller should know: in the body, and as a header (RFC 7234 §5.5). */
  warn(reply: FastifyReply, warnings: readonly string[]): { warnings?: string[] }
}
