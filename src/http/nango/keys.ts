/** Credentials that an end user types in: no redirect, one POST by a page, and a call at the provider that shows they work. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import * as z from 'zod'
import { Secret } from '../../core/credential.ts'
import { MortiseError, type Reason } from '../../core/errors.ts'
import { type Given, give } from '../../core/give.ts'
import type { Hub } from '../../core/hub.ts'
import { type Integration, unknownIntegration } from '../../core/integration.ts'
import { checkEndUser, fixedFor } from '../../core/open-session.ts'
import { type Access, checkBrowserOrigin } from '../auth.ts'
import { corsFor } from '../cors.ts'
import { queryOf } from '../query.ts'
import { bodyOf } from './body.ts'
import { Refusal } from './errors.ts'
import { checkNames, flag, paramsIn, single } from './query.ts'
import { bearerToken, refuseBesideSession, starterOf } from './starter.ts'

const secret = z.string().min(1).max(10_000)
const apiKey = z.strictObject({ apiKey: secret })
// Either may be empty: some providers take a key as the user name, some as the password.
const basic = z.strictObject({
  username: z.string().max(1000).default(''),
  password: z.string().max(10_000).default(''),
})

const known = new Set(['public_key', 'connect_session_token', 'connection_id', 'hmac', 'allow_duplicate'])

interface ByKey {
  Params: { key: string }
}

export const keyRoutes = async (app: FastifyInstance, hub: Hub, access: Access): Promise<void> => {
  const { context } = hub
  const { storage, dev } = context

  await app.register(async keys => {
    const cors = corsFor(keys, hub, ['POST'])
    const route = (path: string, read: (body: unknown, integration: Integration) => Given) => {
      cors(path)
      keys.post<ByKey>(path, { onRequest: cors.hook }, async request => {
        try {
          return await take(request, read)
        } catch (thrown) {
          throw refusedHere(thrown)
        }
      })
    }
    route('/api-auth/api-key/:key', (body, integration) => {
      const { kinds } = context.providerOf(integration).keys ?? {}
      const key = new Secret(bodyOf(apiKey, body).apiKey)
      return { kind: kinds?.apiKey || !kinds?.bearer ? 'apiKey' : 'bearer', key }
    })
    route('/api-auth/basic/:key', body => {
      const { username, password } = bodyOf(basic, body ?? {})
      return { kind: 'basic', username, password: new Secret(password) }
    })
  })

  const take = async (request: FastifyRequest<ByKey>, read: (body: unknown, integration: Integration) => Given) => {
    const query = queryOf(request)
    const { environment, session } = await starterOf(hub, access, query, bearerToken(request))
    checkBrowserOrigin(request, access, await storage.allowed(environment.id, 'origin'), dev)
    checkNames(query, known, ['params'])
    const { key } = request.params
    const integration = await storage.integration(environment.id, key)
    if (!integration) throw unknownIntegration(key, environment)
    const common = { environmentId: environment.id, integration, duplicate: flag(query, 'allow_duplicate') }
    const given = read(request.body, integration)
    if (session) {
      refuseBesideSession(query)
      const fixed = fixedFor(session, key)
      await checkEndUser(context, session)
      const { tags, webhookUrlOverride } = session.choice ?? {}
      const made = await give(context, {
        ...common,
        given,
        endUserId: session.endUserId,
        params: { ...paramsIn(query), ...fixed.params },
        ...(session.repairs === undefined ? {} : { repairs: session.repairs }),
        ...(tags ? { moreTags: tags } : {}),
        ...(webhookUrlOverride === undefined ? {} : { webhookUrlOverride }),
      })
      return { connectionId: made.connectionId, providerConfigKey: made.integrationKey }
    }
    const connectionId = single(query, 'connection_id')
    const made = await give(context, {
      ...common,
      given,
      endUserId: '',
      params: paramsIn(query),
      trust: await hub.trust(environment, key, connectionId ?? '', single(query, 'hmac')),
      ...(connectionId === undefined ? {} : { connectionId }),
    })
    return { connectionId: made.connectionId, providerConfigKey: made.integrationKey }
  }
}

/** Where a cause has another status or code here than on the other routes. */
const byReason: Partial<Record<Reason, [status: number, code: string]>> = {
  integration_unknown: [404, 'unknown_provider_config'],
  kind_unknown: [400, 'invalid_auth_mode'],
  key_refused: [400, 'connection_test_failed'],
  connection_taken: [400, 'connection_validation_failed'],
  connection_deleted: [400, 'connection_validation_failed'],
}

const refusedHere = (thrown: unknown): unknown => {
  if (!(thrown instanceof MortiseError)) return thrown
  const { code, message, details } = thrown
  const own =
    details.reason === 'parameter'
      ? details.parameter?.startsWith('params[')
        ? ([400, 'connection_validation_failed'] as const)
        : ([400, 'invalid_query_params'] as const)
      : code === 'conflict'
        ? ([400, 'connection_validation_failed'] as const)
        : details.reason && byReason[details.reason]
  return own ? new Refusal(own[0], own[1], message, [], undefined, details) : thrown
}
