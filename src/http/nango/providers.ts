/** Routes on the catalogue: what can be connected. */
import type { FastifyInstance } from 'fastify'
import type { Provider } from '../../core/provider.ts'
import { iconOf } from '../icon.ts'
import { queryOf } from '../query.ts'
import { Refusal } from './errors.ts'
import { checkNames, single } from './query.ts'
import type { Served } from './served.ts'

/** What an auth mode is called there. */
export const authMode: Readonly<Record<Provider['auth'], string>> = {
  oauth2: 'OAUTH2',
  oauth1: 'OAUTH1',
}

/** A definition's template in the words of this dialect. */
const template = (text: string): string => text.replaceAll('${config.', '${connectionConfig.')

const toProvider = (provider: Provider) => {
  const { authorize, token } = provider
  const params = Object.entries(provider.params)
  return {
    name: provider.id,
    display_name: provider.name,
    logo_url: iconOf(provider.name),
    auth_mode: authMode[provider.auth],
    categories: provider.categories,
    docs: provider.docs[0],
    authorization_url: template(authorize.url),
    token_url: template(token.url),
    ...(authorize.scopes
      ? { scope_separator: authorize.scopes.separator, default_scopes: authorize.scopes.default }
      : {}),
    proxy: { base_url: template(provider.api.base) },
    ...(params.length === 0
      ? {}
      : {
          connection_config: Object.fromEntries(
            params.map(([name, input]) => [
              name,
              {
                type: 'string',
                title: input.title,
                ...(input.example === undefined ? {} : { example: input.example }),
                ...(input.default === undefined ? {} : { default_value: input.default }),
                optional: input.default !== undefined,
              },
            ]),
          ),
        }),
  }
}

export const providerRoutes = async (app: FastifyInstance, served: Served): Promise<void> => {
  const { catalogue } = served.hub.context

  await served.withKeyOrSession(app, 'integrations:read', (api, preflight) => {
    preflight('/providers')
    preflight('/providers/:provider')
    api.get('/providers', async request => {
      const query = queryOf(request)
      checkNames(query, new Set(['search']), [])
      const asked = single(query, 'search')?.toLowerCase() ?? ''
      const fits = ({ id, name }: Provider) => id.includes(asked) || name.toLowerCase().includes(asked)
      return {
        data: catalogue.list().filter(fits).map(toProvider),
      }
    })
    api.get<{ Params: { provider: string } }>('/providers/:provider', async request => {
      const { provider } = request.params
      const found = catalogue.get(provider)
      if (found) return { data: toProvider(found) }
      throw new Refusal(
        404,
        'not_found',
        `Unknown provider ${provider.slice(0, 100)}. GET /providers lists those that there are.`,
      )
    })
  })

  // Those of scripts that a hub of theirs would run; this one runs none.
  await served.withKey(app, 'connections:read', api => void api.get('/environment-variables', async () => []))

  // As a file that pages read: by id, and without a key.
  app.get('/providers.json', async () => Object.fromEntries(catalogue.list().map(each => [each.id, toProvider(each)])))
}
