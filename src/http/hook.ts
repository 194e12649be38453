/** Hooks on the way of every request. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Soon } from '../core/soon.ts'

/** An `onRequest` hook that goes on at once where its work is done at once: no promise, no turn of the queue. */
export const hook =
  (work: (request: FastifyRequest, reply: FastifyReply) => Soon<void>) =>
  (request: FastifyRequest, reply: FastifyReply, done: () => void): Promise<void> | undefined => {
    const working = work(request, reply)
    if (working) return working
    done()
    return undefined
  }
