/** Our configured clients at providers. */
import * as z from 'zod'
import { didYouMean } from '../../core/alike.ts'
import type { Context } from '../../core/context.ts'
import { Secret } from '../../core/credential.ts'
import type { Environment } from '../../core/environment.ts'
import { badParameter, MortiseError } from '../../core/errors.ts'
import { newNonce } from '../../core/ids.ts'
import type { Integration } from '../../core/integration.ts'
import { changeIntegration, removeIntegration } from '../../core/integrations.ts'
import { addIntegration } from '../../core/setup.ts'
import { toIntegration } from './map.ts'
import { pageOf, paging } from './page.ts'
import { route } from './route.ts'
import { integrationChange, integrationList, integrationShape, newIntegration } from './shapes.ts'

const byKey = z.strictObject({ key: z.string().meta({ description: 'The name of the integration' }) })

/** By its key alone: what is changed or removed is not guessed. */
const integrationOf = async (context: Context, environment: Environment, key: string): Promise<Integration> => {
  const found = await context.storage.integration(environment.id, key)
  if (found) return found
  const keys = (await context.storage.integrations(environment.id)).map(each => each.key)
  const given = key.slice(0, 100)
  throw new MortiseError(
    'not_found',
    `There is no integration "${given}" in the environment "${environment.name}"${didYouMean(given, keys)}; there are: ${keys.join(', ') || 'none yet'}.`,
    { reason: 'integration_unknown' },
  )
}

export const integrationRoutes = [
  route({
    method: 'GET',
    path: '/integrations',
    id: 'listIntegrations',
    tag: 'Integrations',
    summary: 'List the integrations',
    scope: 'integrations:read',
    status: 200,
    query: z.strictObject(paging),
    answer: integrationList,
    async work({ hub, environment, query }) {
      const { data, next } = pageOf(await hub.context.storage.integrations(environment.id), each => each.key, query)
      return { data: data.map(each => toIntegration(each, hub.context)), next }
    },
  }),
  route({
    method: 'POST',
    path: '/integrations',
    id: 'addIntegration',
    tag: 'Integrations',
    summary: 'Add an integration',
    about: 'Then register `redirectUri` of the answer at the provider.',
    scope: 'integrations:write',
    status: 201,
    fails: ['conflict'],
    body: newIntegration,
    answer: integrationShape,
    async work({ hub, caller, environment, body }) {
      const { key, provider = key, sandbox = false, displayName, limits, scopes, settings, redirectUri } = body
      const clientId = body.clientId ?? (sandbox ? `sandbox-${key}` : undefined)
      const clientSecret = body.clientSecret ?? (sandbox ? newNonce() : undefined)
      if (clientId === undefined)
        throw badParameter('clientId', 'clientId is missing: send it as the provider shows it for your app.')
      if (clientSecret === undefined)
        throw badParameter('clientSecret', 'clientSecret is missing: send it as the provider shows it for your app.')
      const added = await addIntegration(hub.context, environment, {
        key,
        provider,
        clientId,
        clientSecret: new Secret(clientSecret),
        ...(scopes === undefined ? {} : { scopes }),
        ...(settings === undefined ? {} : { settings }),
        ...(redirectUri === undefined ? {} : { redirectUri }),
        ...(displayName === undefined ? {} : { displayName }),
        ...(limits ? { limits } : {}),
        sandbox,
      })
      hub.context.log.info('added an integration', { key: added.key, provider: added.provider, by: caller.id })
      return toIntegration(added, hub.context)
    },
  }),
  route({
    method: 'GET',
    path: '/integrations/{key}',
    id: 'getIntegration',
    tag: 'Integrations',
    summary: 'Show an integration',
    scope: 'integrations:read',
    status: 200,
    fails: ['not_found'],
    params: byKey,
    answer: integrationShape,
    work: async ({ hub, environment, params }) =>
      toIntegration(await integrationOf(hub.context, environment, params.key), hub.context),
  }),
  route({
    method: 'PATCH',
    path: '/integrations/{key}',
    id: 'changeIntegration',
    tag: 'Integrations',
    summary: 'Change an integration',
    about:
      'What is not sent stays. Connections keep their credentials; a new client secret is used from the next refresh on.',
    scope: 'integrations:write',
    status: 200,
    fails: ['not_found', 'conflict'],
    params: byKey,
    body: integrationChange,
    answer: integrationShape,
    async work({ hub, caller, environment, params, body }) {
      const { key, displayName, limits, clientId, clientSecret, scopes } = body
      const changed = await changeIntegration(hub.context, await integrationOf(hub.context, environment, params.key), {
        ...(key === undefined ? {} : { key }),
        ...(displayName === undefined ? {} : { displayName }),
        ...(limits === undefined ? {} : { limits }),
        ...(clientId === undefined ? {} : { clientId }),
        ...(clientSecret === undefined ? {} : { clientSecret: new Secret(clientSecret) }),
        ...(scopes ? { scopes } : {}),
      })
      hub.context.log.info('changed an integration', { key: changed.key, by: caller.id })
      return toIntegration(changed, hub.context)
    },
  }),
  route({
    method: 'DELETE',
    path: '/integrations/{key}',
    id: 'removeIntegration',
    tag: 'Integrations',
    summary: 'Remove an integration',
    about: 'Only one that no connection stands on.',
    scope: 'integrations:write',
    status: 204,
    fails: ['not_found', 'conflict'],
    params: byKey,
    async work({ hub, caller, environment, params }) {
      const { key } = await integrationOf(hub.context, environment, params.key)
      await removeIntegration(hub.context, environment, key)
      hub.context.log.info('removed an integration', { key, by: caller.id })
      return undefined
    },
  }),
]
