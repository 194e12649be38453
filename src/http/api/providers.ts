/** What can be integrated. */
import * as z from 'zod'
import { didYouMean } from '../../core/alike.ts'
import type { Context } from '../../core/context.ts'
import { MortiseError } from '../../core/errors.ts'
import { categories, type Provider } from '../../core/provider.ts'
import { toProvider } from './map.ts'
import { pageOf, paging } from './page.ts'
import { route } from './route.ts'
import { providerList, providerShape } from './shapes.ts'

export const providerNamed = ({ catalogue }: Context, given: string): Provider => {
  const provider = catalogue.get(given)
  if (provider) return provider
  const id = given.slice(0, 80)
  const near = didYouMean(
    id,
    catalogue.list().map(each => each.id),
  )
  throw new MortiseError('not_found', `There is no provider "${id}"${near}. GET /api/v1/providers lists them.`)
}

export const providerRoutes = [
  route({
    method: 'GET',
    path: '/providers',
    id: 'listProviders',
    tag: 'Providers',
    summary: 'List the providers',
    scope: 'integrations:read',
    status: 200,
    query: z.strictObject({
      ...paging,
      category: z.enum(categories).optional().meta({ description: 'Only those of this category' }),
      search: z.string().max(100).optional().meta({ description: 'Only those whose id or name has this in it' }),
    }),
    answer: providerList,
    async work({ hub, query }) {
      const { category, search = '' } = query
      const wanted = search.toLowerCase()
      const all = hub.context.catalogue
        .list()
        .filter(each => category === undefined || each.categories.includes(category))
        .filter(each => each.id.includes(wanted) || each.name.toLowerCase().includes(wanted))
      const { data, next } = pageOf(all, each => each.id, query)
      return { data: data.map(toProvider), next }
    },
  }),
  route({
    method: 'GET',
    path: '/providers/{id}',
    id: 'getProvider',
    tag: 'Providers',
    summary: 'Show a provider',
    scope: 'integrations:read',
    status: 200,
    fails: ['not_found'],
    params: z.strictObject({ id: z.string().meta({ description: 'Its id, like github' }) }),
    answer: providerShape,
    work: async ({ hub, params }) => toProvider(providerNamed(hub.context, params.id)),
  }),
]
