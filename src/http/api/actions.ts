/** Calls of a provider's API by name, and lists walked to their end. */
import * as z from 'zod'
import type { Action } from '../../core/action.ts'
import type { ActionInput } from '../../core/action-request.ts'
import { didYouMean } from '../../core/alike.ts'
import type { Context } from '../../core/context.ts'
import { badParameter, MortiseError } from '../../core/errors.ts'
import { findConnection } from '../../core/find.ts'
import type { Provider } from '../../core/provider.ts'
import { listAction, mostItems, type Walked } from '../../core/walk.ts'
import { actionAnswer, actionInput, actionList, actionShape, walkInput, walkLine } from './action-shapes.ts'
import { byId, found, refreshing } from './connections.ts'
import { toAction, toLine } from './map.ts'
import { pageOf, paging } from './page.ts'
import { providerNamed } from './providers.ts'
import { Lines, route } from './route.ts'

const provider = z.string().meta({ description: 'The id of a provider, like notion' })
const action = z.string().min(1).max(200).meta({ description: 'The id of an action, or another name that it has' })

/** By its id or an alias. */
const actionNamed = ({ catalogue }: Context, { id, name }: Pick<Provider, 'id' | 'name'>, given: string): Action => {
  const known = catalogue.action(id, given)
  if (known) return known
  const all = catalogue.actions(id)
  const near = didYouMean(
    given.slice(0, 100),
    all.flatMap(each => [each.id, ...each.aliases]),
  )
  throw new MortiseError(
    'not_found',
    `${name} has no action "${given.slice(0, 100)}" here${near}. ${all.length === 0 ? 'It has no actions yet: its operator can add some, in a file of actions.' : `GET /api/v1/providers/${id}/actions lists all ${all.length}.`}`,
    { reason: 'action_unknown' },
  )
}

/** What a walk hands out, as lines. What goes wrong before the first is an error as always. */
const linesOf = async ({ log }: Context, walked: AsyncGenerator<Walked, void>): Promise<Lines> => {
  const first = await walked.next()
  const told = (each: Walked) => {
    // Nobody else hears of it: the answer was begun.
    if ('failed' in each && each.failed.error.code === 'internal')
      log.error('a walk failed', { err: each.failed.error.cause ?? each.failed.error })
    return toLine(each)
  }
  const lines = async function* () {
    if (first.done) return
    yield told(first.value)
    for await (const each of walked) yield told(each)
  }
  return new Lines(lines())
}

const usualMost = 1000

export const actionRoutes = [
  route({
    method: 'GET',
    path: '/providers/{id}/actions',
    id: 'listActions',
    tag: 'Actions',
    summary: "List a provider's actions",
    scope: 'integrations:read',
    status: 200,
    fails: ['not_found', 'integration_misconfigured'],
    params: z.strictObject({ id: provider }),
    query: z.strictObject({
      ...paging,
      resource: z.string().max(100).optional().meta({ description: 'Only those about this' }),
      search: z.string().max(100).optional().meta({ description: 'Only those with this in a name or in the title' }),
    }),
    answer: actionList,
    async work({ hub, params, query }) {
      const { catalogue } = hub.context
      const of = providerNamed(hub.context, params.id)
      const wanted = (query.search ?? '').toLowerCase()
      const fitting = catalogue
        .actions(of.id)
        .filter(each => query.resource === undefined || each.resource === query.resource)
        .filter(each => [each.id, each.title, ...each.aliases].some(name => name.toLowerCase().includes(wanted)))
      const { data, next } = pageOf(fitting, each => each.id, query)
      return { data: data.map(each => toAction(of, each)), next }
    },
  }),
  route({
    method: 'GET',
    path: '/providers/{id}/actions/{action}',
    id: 'getAction',
    tag: 'Actions',
    summary: 'Show an action: what it takes',
    scope: 'integrations:read',
    status: 200,
    fails: ['not_found', 'integration_misconfigured'],
    params: z.strictObject({ id: provider, action }),
    answer: actionShape,
    async work({ hub, params }) {
      const of = providerNamed(hub.context, params.id)
      return toAction(of, actionNamed(hub.context, of, params.action))
    },
  }),
  route({
    method: 'POST',
    path: '/connections/{id}/actions/{action}',
    id: 'runAction',
    tag: 'Actions',
    summary: 'Run an action',
    about:
      "What is given is held against the action first: a mistake is `invalid_request` with the field, and nothing is sent. The provider's answer comes as it is, its errors too, so look at `status` and `failure`. With `walk=true` a list in pages is read to its end, a line an item; the last line says how it ended.",
    scope: 'proxy',
    status: 200,
    fails: [...found, ...refreshing],
    params: z.strictObject({ ...byId.shape, action }),
    query: z.strictObject({
      walk: z.boolean().optional().meta({ description: 'Read all pages, as lines' }),
      max: walkInput.shape.max,
      from: walkInput.shape.from,
      items: walkInput.shape.items,
    }),
    body: actionInput,
    answer: actionAnswer,
    line: walkLine,
    async work({ hub, caller, params, query, body, stopping }) {
      const { walk, max = usualMost, from, items } = query
      const [stray] = Object.entries(query).filter(([name, value]) => name !== 'walk' && value !== undefined)
      if (walk !== true && stray)
        throw badParameter(stray[0], `${stray[0]} is of a walk: add walk=true, or leave it out.`)
      const row = await findConnection(hub.context, caller.environmentId, params.id)
      const of = hub.context.providerOf({ provider: row.provider, key: row.integrationKey })
      const named = actionNamed(hub.context, of, params.action)
      if (walk === true) return linesOf(hub.context, hub.walk(row, named, input(body), { max, from, items, stopping }))
      const { status, headers, body: answer, failure = null } = await hub.execute(row, named, input(body))
      return { status, headers: { ...headers }, body: answer, failure }
    },
  }),
  route({
    method: 'POST',
    path: '/connections/{id}/walk',
    id: 'walkList',
    tag: 'Actions',
    summary: 'Walk a list by its path',
    about: `A GET of the provider's API whose answer comes in pages, as its definition says: read to its end, or up to \`max\` (at most ${mostItems}), a line an item; the last line says how it ended. The next page is asked for when the lines before it were taken.`,
    scope: 'proxy',
    status: 200,
    fails: [...found, ...refreshing],
    params: byId,
    body: walkInput,
    line: walkLine,
    async work({ hub, caller, params, body, stopping }) {
      const { path, max = usualMost, from, items, ...given } = body
      const row = await findConnection(hub.context, caller.environmentId, params.id)
      const of = hub.context.providerOf({ provider: row.provider, key: row.integrationKey })
      const walked = hub.walk(row, listAction(of, path), input(given), { max, from, items, stopping })
      return linesOf(hub.context, walked)
    },
  }),
]

/** It was parsed from JSON, so all of it is some. */
const input = (given: z.infer<typeof actionInput>): ActionInput => given as ActionInput
