/** Routes that a page of another origin calls by fetch: CORS for those origins that an environment lists. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import type { Hub } from '../core/hub.ts'
import { mayAsk } from './auth.ts'

interface Cors {
  /** Answers what a browser asks before the request itself. */
  (path: string, options?: RouteShorthandOptions): void
  hook(request: FastifyRequest, reply: FastifyReply): Promise<void>
}

export const corsFor = (
  app: FastifyInstance,
  { context }: Hub,
  methods: readonly string[],
  headers = 'authorization, content-type',
): Cors => {
  const hook = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { origin } = request.headers
    reply.header('vary', 'Origin')
    // Which environment it is, is known only from what is sent.
    if (origin === undefined || !(await mayAsk(context, origin))) return
    reply.headers({ 'access-control-allow-origin': origin, 'cross-origin-resource-policy': 'cross-origin' })
  }
  const answer = (path: string, options: RouteShorthandOptions = {}) => {
    app.options(path, options, async (request, reply) => {
      await hook(request, reply)
      return reply
        .code(204)
        .headers({
          'access-control-allow-methods': methods.join(', '),
          'access-control-allow-headers': headers,
          'access-control-max-age': '600',
        })
        .send()
    })
  }
  return Object.assign(answer, { hook })
}
