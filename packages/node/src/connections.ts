/** Connections: the links of end users to their accounts; and one of them, with all that is done through it. */
import { type Actions, actionsOf, type WalkPath, walkPathOf } from './actions.ts'
import type { Connection, ConnectionChange, Credential, Metadata, NewConnection, Tested } from './api.ts'
import type { Hub, Query } from './call.ts'
import { badRequest } from './errors.ts'
import { type List, list } from './list.ts'
import { type ProviderFetch, proxyOf } from './proxy.ts'
import type { CallOptions } from './send.ts'

export interface TokenOptions extends CallOptions {
  /** Renew it first, whatever life it has left. */
  readonly force?: boolean | undefined
}

export interface CredentialOptions extends TokenOptions {
  /** Show the refresh token too. Do not use it: the hub does. */
  readonly refreshToken?: boolean | undefined
}

/** Everywhere: `id` is the connection's id, or your own name for it where that is unique. */
export interface Connections {
  /** Newest first. Never their tokens. */
  list(query?: Query<'GET /connections'>, options?: CallOptions): List<Connection>
  get(id: string, options?: CallOptions): Promise<Connection>
  /** Makes a connection of a credential that you have: a key, or tokens that another hub held. */
  add(connection: NewConnection, options?: CallOptions): Promise<Connection>
  /** What is not sent stays. */
  change(id: string, change: ConnectionChange, options?: CallOptions): Promise<Connection>
  /** With its credential. The provider is told to end the grant, where it can be. */
  delete(id: string, options?: CallOptions): Promise<void>
  /** A token that works now: send it as the provider wants it, read it for each use, and keep it nowhere. */
  token(id: string, options?: TokenOptions): Promise<string>
  /** The same with all that there is of it; what a Basic or an OAuth 1.0a connection has is read here. */
  credential(id: string, options?: CredentialOptions): Promise<Credential>
  /** In place of what was there. */
  setMetadata(id: string, metadata: Metadata, options?: CallOptions): Promise<Connection>
  /** Its first level: names that are not sent stay. */
  mergeMetadata(id: string, metadata: Metadata, options?: CallOptions): Promise<Connection>
  /** Asks the provider whether it works. What does not is an error. */
  test(id: string, options?: CallOptions): Promise<Tested>
}

/** One connection. Nothing is asked until something is called. */
export interface OneConnection {
  readonly id: string
  get(options?: CallOptions): Promise<Connection>
  change(change: ConnectionChange, options?: CallOptions): Promise<Connection>
  delete(options?: CallOptions): Promise<void>
  token(options?: TokenOptions): Promise<string>
  credential(options?: CredentialOptions): Promise<Credential>
  setMetadata(metadata: Metadata, options?: CallOptions): Promise<Connection>
  mergeMetadata(metadata: Metadata, options?: CallOptions): Promise<Connection>
  test(options?: CallOptions): Promise<Tested>
  /** Calls of the provider's API, with the connection's credential and without your seeing it. */
  readonly proxy: ProviderFetch
  /** The provider's operations by name. */
  readonly actions: Actions
  /** A list of the provider's by its path, page after page, to its end. */
  readonly walk: WalkPath
}

const tokenIn = (credential: Credential): string => {
  if (credential.kind === 'oauth2') return credential.accessToken
  if (credential.kind === 'apiKey' || credential.kind === 'bearer') return credential.key
  throw badRequest(
    'id',
    `The credential is of the kind ${credential.kind}, which is no single token: read credential().`,
  )
}

export const connectionsOf = (hub: Hub): Connections => {
  const byId = (id: string) => ({ params: { id } })
  const credential: Connections['credential'] = (id, { force, refreshToken, ...options } = {}) =>
    hub.call('GET /connections/{id}/credential', { ...byId(id), query: { force, refreshToken } }, options)
  return {
    list: (query, options) => list(hub, 'GET /connections', { query }, options),
    get: (id, options) => hub.call('GET /connections/{id}', byId(id), options),
    add: (body, options) => hub.call('POST /connections', { body }, options),
    change: (id, body, options) => hub.call('PATCH /connections/{id}', { ...byId(id), body }, options),
    delete: (id, options) => hub.call('DELETE /connections/{id}', byId(id), options),
    credential,
    token: async (id, options) => tokenIn(await credential(id, options)),
    setMetadata: (id, body, options) => hub.call('PUT /connections/{id}/metadata', { ...byId(id), body }, options),
    mergeMetadata: (id, body, options) => hub.call('PATCH /connections/{id}/metadata', { ...byId(id), body }, options),
    test: (id, options) => hub.call('POST /connections/{id}/test', byId(id), options),
  }
}

export const oneConnection = (hub: Hub, connections: Connections, id: string): OneConnection => ({
  id,
  get: options => connections.get(id, options),
  change: (change, options) => connections.change(id, change, options),
  delete: options => connections.delete(id, options),
  token: options => connections.token(id, options),
  credential: options => connections.credential(id, options),
  setMetadata: (metadata, options) => connections.setMetadata(id, metadata, options),
  mergeMetadata: (metadata, options) => connections.mergeMetadata(id, metadata, options),
  test: options => connections.test(id, options),
  proxy: proxyOf(hub, id),
  actions: actionsOf(hub, id),
  walk: walkPathOf(hub, id),
})
