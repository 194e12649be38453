/** GET /diagnose: what could be in the way of a flow. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { diagnose } from '../../core/diagnose.ts'
import { badParameter } from '../../core/errors.ts'
import { queryOf } from '../query.ts'
import type { Served } from './served.ts'
import { currentVersion } from './version.ts'

/**
 * `?userId=&connectorId=&redirectUri=` name what is to be looked at; `?time=` or the header `Date` is the caller's clock.
 */
export const diagnoseRoute = (app: FastifyInstance, served: Served): void => {
  const { context } = served.hub
  app.get('/diagnose', async (request: FastifyRequest) => {
    const query = queryOf(request)
    const given = (name: string) => query.get(name) ?? undefined
    const asked = given('time') ?? request.headers.date
    const time = asked === undefined ? undefined : new Date(asked)
    if (time && Number.isNaN(time.getTime()))
      throw badParameter('time', 'time must be a time like 2026-11-21T10:00:00Z.')
    const header = request.headers['x-alloy-userid']
    const user = given('userId') ?? (typeof header === 'string' ? header : undefined)
    const [connector, redirectUri] = [given('connectorId'), given('redirectUri')]
    const checks = await diagnose(context, await served.environment(request), {
      granted: request.caller.scopes,
      ...(user === undefined ? {} : { user }),
      ...(connector === undefined ? {} : { connector }),
      ...(redirectUri === undefined ? {} : { redirectUri }),
      ...(time === undefined ? {} : { time }),
    })
    return {
      ok: checks.every(each => each.ok),
      version: currentVersion,
      baseUrl: context.publicUrl,
      time: context.clock.now().toISOString(),
      checks,
    }
  })
}
