/** What can be connected in an environment: both dialects list it, at one path even. */
import type { FastifyRequest } from 'fastify'
import type { Context } from '../core/context.ts'
import { badParameter } from '../core/errors.ts'
import type { Integration } from '../core/integration.ts'
import { categories, type Provider } from '../core/provider.ts'
import { iconOf } from './icon.ts'
import { queryOf } from './query.ts'

export const shown = (integration: Integration, provider: Provider) => ({
  id: integration.key,
  connectorId: integration.key,
  integrationId: integration.key,
  name: provider.name,
  provider: provider.id,
  category: [...provider.categories],
  icon: iconOf(provider.name),
  sandbox: integration.sandbox,
})

/** Those of the caller's environment, of one category where the query names it. */
export const connectorsOf = async ({ storage, catalogue }: Context, request: FastifyRequest) => {
  const category = queryOf(request).get('category')
  if (category !== null && !categories.some(each => each === category))
    throw badParameter(
      'category',
      `There is no category "${category.slice(0, 80)}"; there are ${categories.join(', ')}.`,
    )
  const all = await storage.integrations(request.caller.environmentId)
  return all.flatMap(integration => {
    const provider = catalogue.get(integration.provider)
    return provider && (category === null || provider.categories.some(each => each === category))
      ? [shown(integration, provider)]
      : []
  })
}
