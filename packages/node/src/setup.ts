/** What an operator sets up: integrations, the environment, its keys; and the providers that there are. */
import type {
  Action,
  Environment,
  EnvironmentChange,
  EnvironmentLine,
  Integration,
  IntegrationChange,
  Key,
  MadeEnvironment,
  MadeKey,
  NewEnvironment,
  NewIntegration,
  NewKey,
  Provider,
} from './api.ts'
import type { Hub, Query } from './call.ts'
import { type List, list } from './list.ts'
import type { CallOptions } from './send.ts'

export interface Integrations {
  list(query?: Query<'GET /integrations'>, options?: CallOptions): List<Integration>
  get(key: string, options?: CallOptions): Promise<Integration>
  add(integration: NewIntegration, options?: CallOptions): Promise<Integration>
  change(key: string, change: IntegrationChange, options?: CallOptions): Promise<Integration>
  delete(key: string, options?: CallOptions): Promise<void>
}

export const integrationsOf = (hub: Hub): Integrations => ({
  list: (query, options) => list(hub, 'GET /integrations', { query }, options),
  get: (key, options) => hub.call('GET /integrations/{key}', { params: { key } }, options),
  add: (body, options) => hub.call('POST /integrations', { body }, options),
  change: (key, body, options) => hub.call('PATCH /integrations/{key}', { params: { key }, body }, options),
  delete: (key, options) => hub.call('DELETE /integrations/{key}', { params: { key } }, options),
})

export interface Providers {
  list(query?: Query<'GET /providers'>, options?: CallOptions): List<Provider>
  get(id: string, options?: CallOptions): Promise<Provider>
  /** Its operations by name, which connections run. */
  actions(id: string, query?: Query<'GET /providers/{id}/actions'>, options?: CallOptions): List<Action>
  /** What one of them takes. */
  action(id: string, action: string, options?: CallOptions): Promise<Action>
}

export const providersOf = (hub: Hub): Providers => ({
  list: (query, options) => list(hub, 'GET /providers', { query }, options),
  get: (id, options) => hub.call('GET /providers/{id}', { params: { id } }, options),
  actions: (id, query, options) => list(hub, 'GET /providers/{id}/actions', { params: { id }, query }, options),
  action: (id, action, options) =>
    hub.call('GET /providers/{id}/actions/{action}', { params: { id, action } }, options),
})

/** The tenant that the key belongs to. */
export interface TheEnvironment {
  get(options?: CallOptions): Promise<Environment>
  /** Its allow-lists: each is the whole new list. */
  change(change: EnvironmentChange, options?: CallOptions): Promise<Environment>
}

export const environmentOf = (hub: Hub): TheEnvironment => ({
  get: options => hub.call('GET /environment', {}, options),
  change: (body, options) => hub.call('PATCH /environment', { body }, options),
})

/** All tenants of the hub. Needs a key with the scope `admin`. */
export interface Environments {
  list(query?: Query<'GET /environments'>, options?: CallOptions): List<EnvironmentLine>
  /** With its first key, which is shown this once. */
  add(environment: NewEnvironment, options?: CallOptions): Promise<MadeEnvironment>
}

export const environmentsOf = (hub: Hub): Environments => ({
  list: (query, options) => list(hub, 'GET /environments', { query }, options),
  add: (body, options) => hub.call('POST /environments', { body }, options),
})

export interface Keys {
  list(query?: Query<'GET /keys'>, options?: CallOptions): List<Key>
  /** It is shown this once. */
  add(key: NewKey, options?: CallOptions): Promise<MadeKey>
  /** At once and for good. */
  revoke(id: string, options?: CallOptions): Promise<Key>
}

export const keysOf = (hub: Hub): Keys => ({
  list: (query, options) => list(hub, 'GET /keys', { query }, options),
  add: (body, options) => hub.call('POST /keys', { body }, options),
  revoke: (id, options) => hub.call('DELETE /keys/{id}', { params: { id } }, options),
})
