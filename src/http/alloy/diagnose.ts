/** GET /diagnose: what could be in the way of a flow, looked at one by one, instead of guessed. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { scopes } from '../../core/environment.ts'
import { toMortiseError } from '../../core/errors.ts'
import { findIntegration } from '../../core/find.ts'
import { rowUserId } from '../../core/users.ts'
import { queryOf } from '../query.ts'
import type { Served } from './served.ts'
import { currentVersion } from './version.ts'

interface Check {
  readonly check: string
  readonly ok: boolean
  /** What was found, or what is wrong and who must do what. */
  readonly message: string
}

/** `?userId=&connectorId=&redirectUri=` name what is to be looked at; a look that fails does not stop the others. */
export const diagnoseRoute = (app: FastifyInstance, served: Served): void => {
  const { hub } = served
  const { context } = hub
  const look = async (check: string, work: () => Promise<string>): Promise<Check> => {
    try {
      return { check, ok: true, message: await work() }
    } catch (thrown) {
      const error = toMortiseError(thrown)
      if (error.code === 'internal') throw thrown
      return { check, ok: false, message: error.message }
    }
  }
  app.get('/diagnose', async (request: FastifyRequest) => {
    const query = queryOf(request)
    const environment = await served.environment(request)
    const missing = scopes.filter(scope => !request.caller.scopes.has(scope))
    const now = context.clock.now().toISOString()
    const connector = query.get('connectorId')
    const redirectUri = query.get('redirectUri')
    const checks: Check[] = [
      {
        check: 'key',
        ok: true,
        message: `The key opens the environment "${environment.name}"${missing.length === 0 ? ' and may do everything' : `; it lacks the scopes ${missing.join(', ')}`}.`,
      },
      await look('user', async () => {
        const user = await served.user(request)
        const rows = await context.storage.connections(environment.id, { endUserId: rowUserId(user) })
        return `The user is "${user.username}" (${user.id}), with ${rows.length} connection${rows.length === 1 ? '' : 's'}.`
      }),
      ...(connector === null
        ? []
        : [
            await look('connector', async () => {
              const integration = await findIntegration(context, environment, connector)
              const told = integration.redirectUri ?? context.redirectUri
              return `${context.providerOf(integration).name} is ready as "${integration.key}"; the provider must have this redirect URI: ${told}`
            }),
          ]),
      ...(redirectUri === null
        ? []
        : [
            await look('redirect', async () => {
              await hub.checkReturn(environment, redirectUri, true)
              return `A finished flow may return to ${redirectUri}.`
            }),
          ]),
      { check: 'clock', ok: true, message: `The hub's time is ${now}; a clock that differs by minutes breaks JWTs.` },
    ]
    return {
      ok: checks.every(each => each.ok),
      version: currentVersion,
      baseUrl: context.publicUrl,
      time: now,
      checks,
    }
  })
}
