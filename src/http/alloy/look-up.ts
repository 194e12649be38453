/** The connector and the action that a path names. */
import type { FastifyRequest } from 'fastify'
import type { Action } from '../../core/action.ts'
import { didYouMean } from '../../core/alike.ts'
import type { Environment } from '../../core/environment.ts'
import { MortiseError } from '../../core/errors.ts'
import { findIntegration } from '../../core/find.ts'
import type { Hub } from '../../core/hub.ts'
import type { Integration } from '../../core/integration.ts'
import type { Provider } from '../../core/provider.ts'
import type { Served } from './served.ts'

export type ByConnector = { Params: { connector: string } }
export type ByAction = { Params: { connector: string; action: string } }

export const connectorOf = async (
  { hub, environment }: Served,
  request: FastifyRequest<ByConnector>,
): Promise<[Integration, Provider]> => {
  const integration = await findIntegration(hub.context, await environment(request), request.params.connector)
  return [integration, hub.context.providerOf(integration)]
}

/** The integration of an app, under any spelling of its name: clients write googleDrive for google-drive. */
export const appOf = async ({ context }: Hub, environment: Environment, name: string): Promise<Integration> => {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  const all = await context.storage.integrations(environment.id)
  const names = [...all.map(each => each.key), ...all.map(each => each.provider)]
  return findIntegration(context, environment, names.find(each => plain(each) === plain(name)) ?? name)
}

/** By its id or an alias. Throws `not_found` (action_unknown) with the nearest name. */
export const actionOf = (hub: Hub, provider: Provider, name: string): Action => {
  const { catalogue } = hub.context
  const action = catalogue.action(provider.id, name)
  if (action) return action
  const all = catalogue.actions(provider.id)
  const names = all.flatMap(each => [each.id, ...each.aliases])
  throw new MortiseError(
    'not_found',
    `${provider.name} has no action "${name.slice(0, 100)}" here${didYouMean(name, names)}. ${all.length === 0 ? 'It has no actions yet.' : `GET /connectors/${provider.id}/actions lists all ${all.length}.`}`,
    { reason: 'action_unknown' },
  )
}
