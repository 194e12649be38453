/** The query of a request, as it was sent: repeated parameters stay repeated. */
import type { FastifyRequest } from 'fastify'

export const queryOf = ({ url }: Pick<FastifyRequest, 'url'>): URLSearchParams => {
  const start = url.indexOf('?')
  const end = url.indexOf('#')
  // What follows # is no query, even if a ? is in it.
  if (start === -1 || (end !== -1 && end < start)) return new URLSearchParams()
  return new URLSearchParams(url.slice(start + 1, end === -1 ? undefined : end))
}
