/** Connectors: what can be connected here, what it takes, and what it can do. */
import type { FastifyInstance } from 'fastify'
import type { Action } from '../../core/action.ts'
import { connectorsOf, shown } from '../connectors.ts'
import { queryOf } from '../query.ts'
import { actionOf, type ByAction, type ByConnector, connectorOf } from './look-up.ts'
import { toMetadata } from './map.ts'
import type { Served } from './served.ts'

export const connectorRoutes = (app: FastifyInstance, served: Served): void => {
  const { hub } = served
  const { catalogue } = hub.context
  const reading = { preHandler: served.may('integrations:read') }

  // GET /integrations is the other dialect's, too: it answers what both say (`nango/integrations.ts`).
  for (const path of ['/connectors', '/connectors/available', '/api/connectors'])
    app.get(path, reading, async request => {
      const connectors = await connectorsOf(hub.context, request)
      return { connectors, data: connectors }
    })
  app.get<ByConnector>('/connectors/:connector', reading, async request => {
    const connector = shown(...(await connectorOf(served, request)))
    return { ...connector, connector }
  })
  app.get<ByConnector>('/connectors/:connector/credentials/metadata', reading, async request => {
    const [integration, provider] = await connectorOf(served, request)
    return { metadata: toMetadata(integration.key, provider) }
  })

  app.get<ByConnector>('/connectors/:connector/resources', reading, async request => {
    const [, provider] = await connectorOf(served, request)
    const names = [...new Set(catalogue.actions(provider.id).map(action => action.resource))].sort()
    const resources = names.map(name => ({ id: name, name }))
    return { resources, data: resources }
  })
  const line = (action: Action) => ({
    id: action.id,
    displayName: action.title,
    description: action.description,
    resource: action.resource,
    aliases: [...action.aliases],
  })
  app.get<ByConnector>('/connectors/:connector/actions', reading, async request => {
    const [, provider] = await connectorOf(served, request)
    const resource = queryOf(request).get('resource')
    const actions = catalogue
      .actions(provider.id)
      .filter(action => resource === null || action.resource === resource)
      .map(line)
    return { actions, data: actions }
  })

  app.get<ByAction>('/connectors/:connector/actions/:action', reading, async request => {
    const [, provider] = await connectorOf(served, request)
    const action = actionOf(hub, provider, request.params.action)
    return {
      action: {
        ...line(action),
        method: action.method,
        path: action.path,
        docs: action.docs,
        parameters: action.parameters.map(each => ({ ...each })),
        ...(action.body ? { requestBody: action.body } : {}),
      },
    }
  })
}
