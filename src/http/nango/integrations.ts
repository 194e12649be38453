/** Routes on integrations, and those of old clients, which call them configurations. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Secret } from '../../core/credential.ts'
import { MortiseError } from '../../core/errors.ts'
import type { Integration } from '../../core/integration.ts'
import { changeIntegration, integrationNamed, removeIntegration } from '../../core/integrations.ts'
import { addIntegration } from '../../core/setup.ts'
import { requireScope } from '../auth.ts'
import { connectorsOf } from '../connectors.ts'
import { iconOf } from '../icon.ts'
import { queryOf } from '../query.ts'
import { configBody, integrationPatchBody, newIntegrationBody } from './bodies.ts'
import { bodyOf } from './body.ts'
import { Refusal, refusedAs } from './errors.ts'
import { authMode } from './providers.ts'
import { checkNames, flag, inPath } from './query.ts'
import type { Served } from './served.ts'

interface ByKey {
  Params: { key: string }
}

const included = ['webhook', 'credentials'] as const

/** What is separated by commas, blanks let be. */
const scopesIn = (text: string): string[] =>
  text
    .split(',')
    .map(scope => scope.trim())
    .filter(Boolean)

export const integrationRoutes = async (app: FastifyInstance, served: Served): Promise<void> => {
  const { context } = served.hub
  const { storage, catalogue } = context

  const toIntegration = (each: Integration) => ({
    unique_key: each.key,
    provider: each.provider,
    display_name: each.displayName ?? catalogue.get(each.provider)?.name ?? each.provider,
    logo: iconOf(catalogue.get(each.provider)?.name ?? each.provider),
    forward_webhooks: false,
    created_at: each.createdAt.toISOString(),
    updated_at: each.updatedAt.toISOString(),
  })
  const credentialsOf = async (each: Integration) => ({
    type: authMode[context.providerOf(each).auth],
    client_id: each.clientId,
    client_secret: (await context.clientSecretOf(each)).reveal(),
    scopes: each.scopes.join(','),
    webhook_secret: null,
  })
  const named = async (request: FastifyRequest, key: string): Promise<Integration> => {
    try {
      return await integrationNamed(context, await served.environment(request), inPath('unique_key', key))
    } catch (thrown) {
      throw refusedAs(404, 'not_found', thrown, 'integration_unknown')
    }
  }
  const remove = async (request: FastifyRequest, key: string): Promise<void> => {
    try {
      await removeIntegration(context, await served.environment(request), inPath('unique_key', key))
    } catch (thrown) {
      throw refusedAs(404, 'not_found', thrown, 'integration_unknown')
    }
  }
  /** A key that is taken is a mistake in the body there, not a conflict. */
  const taken = (thrown: unknown): unknown =>
    thrown instanceof MortiseError && thrown.details.reason === 'integration_taken'
      ? new Refusal(400, 'invalid_body', thrown.message, [
          { code: 'custom', message: 'Unique key already exists', path: ['uniqueKey'] },
        ])
      : thrown

  await served.withKeyOrSession(app, 'integrations:read', (api, preflight) => {
    preflight('/integrations')
    // The other dialect asks at the same path for its connectors, so each is answered in the words of both.
    api.get('/integrations', async request => {
      checkNames(queryOf(request), new Set(['category']), [])
      const connectors = new Map((await connectorsOf(context, request)).map(each => [each.id, each]))
      const narrowed = queryOf(request).has('category')
      const { allowed } = request.choice ?? {}
      const all = await storage.integrations(request.caller.environmentId)
      const data = all.flatMap(each => {
        const connector = connectors.get(each.key)
        const may = allowed === undefined || allowed.includes(each.key)
        return may && (connector || !narrowed) ? [{ ...connector, ...toIntegration(each) }] : []
      })
      return { data, connectors: data }
    })
  })

  await served.withKey(app, 'integrations:read', api => {
    api.get<ByKey>('/integrations/:key', async request => {
      const query = queryOf(request)
      checkNames(query, new Set(['include']), [])
      const include = query.getAll('include')
      for (const each of include)
        if (!(included as readonly string[]).includes(each))
          throw new Refusal(400, 'invalid_query_params', `include must be ${included.join(' or ')}.`, [
            { code: 'invalid_value', message: `${each.slice(0, 80)} cannot be included.`, path: ['include'] },
          ])
      const integration = await named(request, request.params.key)
      const withCredentials = include.includes('credentials')
      if (withCredentials) requireScope(request.caller, 'credentials:read')
      return {
        data: {
          ...toIntegration(integration),
          // This hub takes no webhooks of providers.
          ...(include.includes('webhook') ? { webhook_url: null } : {}),
          ...(withCredentials ? { credentials: await credentialsOf(integration) } : {}),
        },
      }
    })
    api.get('/config', async request => {
      const all = await storage.integrations(request.caller.environmentId)
      return { configs: all.map(each => ({ unique_key: each.key, provider: each.provider })) }
    })
    api.get<ByKey>('/config/:key', async request => {
      const integration = await named(request, request.params.key)
      const withCredentials = flag(queryOf(request), 'include_creds')
      if (withCredentials) requireScope(request.caller, 'credentials:read')
      const { client_id, client_secret, scopes } = withCredentials
        ? await credentialsOf(integration)
        : { client_id: undefined, client_secret: undefined, scopes: undefined }
      return {
        config: {
          unique_key: integration.key,
          provider: integration.provider,
          syncs: [],
          actions: [],
          ...(withCredentials ? { client_id, client_secret, scopes } : {}),
        },
      }
    })
  })

  /** The credentials must be of the kind that the provider takes. */
  const checkType = (type: string | undefined, providerId: string): void => {
    const provider = catalogue.get(providerId)
    if (type === undefined || !provider || authMode[provider.auth] === type) return
    throw new Refusal(
      400,
      'invalid_body',
      `${provider.name} takes credentials of the type ${authMode[provider.auth]}.`,
      [{ code: 'invalid_value', message: `must be ${authMode[provider.auth]}`, path: ['credentials', 'type'] }],
    )
  }

  await served.withKey(app, 'integrations:write', api => {
    const add = async (request: FastifyRequest, ask: Parameters<typeof addIntegration>[2]): Promise<Integration> => {
      try {
        return await addIntegration(context, await served.environment(request), ask)
      } catch (thrown) {
        throw taken(thrown)
      }
    }
    const change = async (integration: Integration, ask: Parameters<typeof changeIntegration>[2]) => {
      try {
        return await changeIntegration(context, integration, ask)
      } catch (thrown) {
        throw taken(thrown)
      }
    }
    api.post('/integrations', async request => {
      const body = bodyOf(newIntegrationBody, request.body)
      const { type, client_id, client_secret, scopes } = body.credentials
      checkType(type, body.provider)
      const integration = await add(request, {
        key: body.unique_key,
        provider: body.provider,
        clientId: client_id,
        clientSecret: new Secret(client_secret),
        ...(scopes === undefined ? {} : { scopes: scopesIn(scopes) }),
        ...(body.display_name === undefined ? {} : { displayName: body.display_name }),
        ...(body.integration_config ? { settings: body.integration_config } : {}),
      })
      return { data: toIntegration(integration) }
    })
    api.patch<ByKey>('/integrations/:key', async request => {
      const integration = await named(request, request.params.key)
      const body = bodyOf(integrationPatchBody, request.body)
      const { type, client_id, client_secret, scopes } = body.credentials ?? {}
      checkType(type, integration.provider)
      const changed = await change(integration, {
        ...(body.unique_key === undefined ? {} : { key: body.unique_key }),
        ...(body.display_name === undefined ? {} : { displayName: body.display_name }),
        ...(client_id === undefined ? {} : { clientId: client_id }),
        ...(client_secret === undefined ? {} : { clientSecret: new Secret(client_secret) }),
        ...(scopes === undefined ? {} : { scopes: scopesIn(scopes) }),
      })
      return { data: toIntegration(changed) }
    })
    api.delete<ByKey>('/integrations/:key', async request => {
      await remove(request, request.params.key)
      return { success: true }
    })

    api.post('/config', async request => {
      const body = bodyOf(configBody, request.body)
      if (body.provider === undefined) throw new Refusal(400, 'invalid_body', 'provider is missing from the body.')
      const { key, provider } = await add(request, {
        key: body.provider_config_key,
        provider: body.provider,
        clientId: body.oauth_client_id,
        clientSecret: new Secret(body.oauth_client_secret),
        ...(body.oauth_scopes === undefined ? {} : { scopes: scopesIn(body.oauth_scopes) }),
      })
      return { config: { unique_key: key, provider } }
    })
    api.put('/config', async request => {
      const body = bodyOf(configBody, request.body)
      const { key, provider } = await change(await named(request, body.provider_config_key), {
        clientId: body.oauth_client_id,
        clientSecret: new Secret(body.oauth_client_secret),
        ...(body.oauth_scopes === undefined ? {} : { scopes: scopesIn(body.oauth_scopes) }),
      })
      return { config: { unique_key: key, provider } }
    })
    api.delete<ByKey>('/config/:key', async (request, reply) => {
      await remove(request, request.params.key)
      return reply.code(204).send()
    })
  })
}
