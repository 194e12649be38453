/** The query of a request, as it was sent: repeated parameters stay repeated. */
import type { FastifyRequest } from 'fastify'

export const queryOf = (request: FastifyRequest): URLSearchParams => new URL(request.url, 'http://hub').searchParams
