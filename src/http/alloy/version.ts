/** Versions of this dialect: named in a header, in the path, or not at all. All are served; the answer says which. */
import type { FastifyReply, FastifyRequest } from 'fastify'

export const currentVersion = '2025-09'
const earlier = ['2025-06', '2024-03', '2024-02', '2023-12', '2023-06', '2023-03', '2023-01']

/** Only before what this dialect serves: no other route has a second address. */
const inPath =
  /^\/(20\d\d-\d\d)(?=\/(api|apps|connectors|credentials|diagnose|events|headless|installations|integrations|metadata|one|passthrough|run|users|workflows)(\/|\?|$))/

/** The path without its version, and the version. */
export const withoutVersion = (url: string): { url: string; version: string | undefined } => {
  const version = inPath.exec(url)?.[1]
  return { url: version === undefined ? url : url.slice(version.length + 1), version }
}

export const answerVersion = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
  const header = request.headers['x-api-version']
  const asked = typeof header === 'string' ? header : undefined
  const known = asked === undefined || asked === currentVersion || earlier.includes(asked)
  reply.header('x-api-version', known ? (asked ?? currentVersion) : currentVersion)
  if (!known)
    reply.header('warning', `299 mortise "There is no such version of this API; ${currentVersion} was served."`)
}
