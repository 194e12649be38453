/** Whatever a route threw, as a MortiseError; what is nobody's fault but ours is logged with its cause. */
import type { FastifyRequest } from 'fastify'
import { MortiseError, toMortiseError } from '../core/errors.ts'
import type { Log } from '../core/ports.ts'

export const errorOf = (thrown: unknown, request: FastifyRequest, log: Log): MortiseError => {
  if (thrown instanceof Error && 'statusCode' in thrown && thrown.statusCode === 415)
    return new MortiseError('invalid_request', 'Send the body as JSON, with content-type: application/json.')
  // What Fastify itself refuses: a body too large, a content type that it does not know.
  if (thrown instanceof Error && 'statusCode' in thrown && Number(thrown.statusCode) < 500)
    return new MortiseError('invalid_request', thrown.message)
  const error = toMortiseError(thrown)
  if (error.code === 'internal')
    log.error('a request failed', {
      err: error.cause ?? error,
      route: request.routeOptions.url,
      requestId: request.id,
    })
  return error
}
