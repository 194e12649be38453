/** The links of end users to their accounts. */
import * as z from 'zod'
import { changeConnection, checkWebhookUrl, disconnect, setMetadata } from '../../core/change.ts'
import type { Connection } from '../../core/connection.ts'
import { type JsonObject, Secret } from '../../core/credential.ts'
import { badParameter, type ErrorCode } from '../../core/errors.ts'
import { findConnection, findIntegration } from '../../core/find.ts'
import { checkKind, type Given, give } from '../../core/give.ts'
import type { Hub } from '../../core/hub.ts'
import type { Cursor } from '../../core/storage.ts'
import { personTags, toTags } from '../../core/tags.ts'
import { endUserNamed, rowUserId } from '../../core/users.ts'
import { requireScope } from '../auth.ts'
import { paramsOf } from '../params.ts'
import { endUserOf, toTold } from './end-user.ts'
import { toConnection, toCredential } from './map.ts'
import { fromCursor, limitOf, paging, strangeCursor, toCursor } from './page.ts'
import { route } from './route.ts'
import {
  type ConnectionShape,
  connectionChange,
  connectionList,
  connectionShape,
  credentialShape,
  metadataShape,
  newConnection,
  testedShape,
} from './shapes.ts'

export const byId = z.strictObject({
  id: z.string().min(1).max(300).meta({
    description: 'Its id, or your own name for it where that is unique; percent-encoded',
  }),
})

/** What finding one may answer: the name may be that of a session that has made none. */
export const found: readonly ErrorCode[] = ['not_found', 'authorization_denied', 'session_expired']
/** What renewing its credential may. */
export const refreshing: readonly ErrorCode[] = [
  'reauthorization_required',
  'integration_misconfigured',
  'provider_rejected',
  'provider_unavailable',
  'provider_invalid_response',
]

const shown = async ({ context }: Hub, row: Connection): Promise<ConnectionShape> => {
  const { environmentId, endUserId } = row
  const endUser = endUserId === '' ? undefined : await context.storage.endUser(environmentId, { id: endUserId })
  return toConnection({ ...row, renewable: row.renewal !== undefined, ...(endUser ? { endUser } : {}) })
}

/** It was parsed from JSON, so it is some. */
export const toJson = (given: Record<string, unknown>): JsonObject => given as JsonObject

const toGiven = (credential: z.infer<typeof newConnection>['credential']): Given => {
  if (credential.kind === 'basic')
    return { kind: 'basic', username: credential.username, password: new Secret(credential.password) }
  if (credential.kind === 'oauth1')
    return { kind: 'oauth1', token: new Secret(credential.token), tokenSecret: new Secret(credential.tokenSecret) }
  if (credential.kind !== 'oauth2') return { kind: credential.kind, key: new Secret(credential.key) }
  const { accessToken, refreshToken, expiresAt, scopes, raw } = credential
  return {
    kind: 'oauth2',
    accessToken: new Secret(accessToken),
    ...(refreshToken === undefined ? {} : { refreshToken: new Secret(refreshToken) }),
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }),
    ...(scopes ? { scopes } : {}),
    ...(raw ? { raw: new Secret(toJson(raw)) } : {}),
  }
}

const metadataRoutes = (method: 'PUT' | 'PATCH', id: string, summary: string, about: string, how: 'set' | 'merge') => [
  route({
    method,
    path: '/connections/{id}/metadata',
    id,
    tag: 'Connections',
    summary,
    about,
    scope: 'connections:write',
    status: 200,
    fails: found,
    params: byId,
    body: metadataShape,
    answer: connectionShape,
    async work({ hub, environment, params, body }) {
      const { context } = hub
      const row = await findConnection(context, environment.id, params.id)
      await setMetadata(context, environment.id, row.integrationKey, [row.connectionId], toJson(body), how)
      return shown(hub, await findConnection(context, environment.id, row.id))
    },
  }),
]

/** `plan:pro` → its name and its value. */
const tagIn = (text: string): [name: string, value: string] => {
  const [, name, value] = /^([^:]+):(.*)$/s.exec(text) ?? []
  if (name !== undefined && value !== undefined) return [name, value]
  throw badParameter('tag', `tag is name:value, not "${text.slice(0, 80)}".`)
}

/** Where a page ended, as its cursor holds it. */
const toPlace = ({ createdAt, id }: Cursor): string => `${createdAt.getTime()}.${id}`
const fromPlace = (cursor: string): Cursor => {
  const [, at, id] = /^(\d{1,15})\.([0-9a-f]{24})$/.exec(fromCursor(cursor)) ?? []
  if (at !== undefined && id !== undefined) return { createdAt: new Date(Number(at)), id }
  throw strangeCursor()
}

export const connectionRoutes = [
  route({
    method: 'GET',
    path: '/connections',
    id: 'listConnections',
    tag: 'Connections',
    summary: 'List the connections, newest first',
    about: 'Narrowed by each parameter that is sent. Never their tokens.',
    scope: 'connections:read',
    status: 200,
    fails: ['not_found'],
    query: z.strictObject({
      ...paging,
      integration: z.array(z.string()).optional().meta({ description: 'Through any of these; may be repeated' }),
      endUser: z
        .string()
        .optional()
        .meta({ description: "Of this end user, by id or username; `me` for the environment's own" }),
      organization: z
        .string()
        .optional()
        .meta({ description: "Of end users of this organization, by your app's name for it" }),
      tag: z.array(z.string()).optional().meta({ description: '`name:value`; with all of these; may be repeated' }),
      search: z.string().min(1).max(255).optional().meta({
        description: "Part of your name for it, or of its end user's name, full name or e-mail",
      }),
    }),
    answer: connectionList,
    async work({ hub, environment, query }) {
      const { context } = hub
      const keys = query.integration?.map(async name => (await findIntegration(context, environment, name)).key)
      const user =
        query.endUser === undefined
          ? undefined
          : await endUserNamed(context, environment, query.endUser, 'endUser in the query')
      const limit = limitOf(query)
      const rows = await context.storage.listConnections(
        environment.id,
        {
          ...(keys ? { integrationKeys: await Promise.all(keys) } : {}),
          ...(user ? { endUserId: rowUserId(user) } : {}),
          ...(query.organization === undefined ? {} : { organizationId: query.organization }),
          ...(query.tag ? { tags: toTags(Object.fromEntries(query.tag.map(tagIn)), 'tag') } : {}),
          ...(query.search === undefined ? {} : { search: query.search }),
        },
        // One more tells whether there is a next page.
        { limit: limit + 1, ...(query.cursor === undefined ? {} : { after: fromPlace(query.cursor) }) },
      )
      const data = rows.slice(0, limit)
      const last = data.at(-1)
      return { data: data.map(toConnection), next: last && rows.length > limit ? toCursor(toPlace(last)) : null }
    },
  }),
  route({
    method: 'GET',
    path: '/connections/{id}',
    id: 'getConnection',
    tag: 'Connections',
    summary: 'Show a connection',
    about: 'Never its tokens.',
    scope: 'connections:read',
    status: 200,
    fails: found,
    params: byId,
    answer: connectionShape,
    work: async ({ hub, caller, params }) =>
      shown(hub, await findConnection(hub.context, caller.environmentId, params.id)),
  }),
  route({
    method: 'GET',
    path: '/connections/{id}/credential',
    id: 'getCredential',
    tag: 'Connections',
    summary: 'Get a credential that works now',
    about:
      'A token near its end is renewed first. One that only the end user can repair is `reauthorization_required`: begin a connect session. Needs `credentials:read` too.',
    scope: 'connections:read',
    status: 200,
    fails: [...found, ...refreshing],
    params: byId,
    query: z.strictObject({
      force: z.boolean().optional().meta({ description: 'Renew it first, whatever life it has left' }),
      refreshToken: z
        .boolean()
        .optional()
        .meta({ description: 'Show the refresh token too. Do not use it: the hub does' }),
    }),
    answer: credentialShape,
    async work({ hub, caller, params, query }) {
      requireScope(caller, 'credentials:read')
      const row = await findConnection(hub.context, caller.environmentId, params.id)
      const reading = await hub.readTexts(caller.environmentId, row.integrationKey, row.connectionId, {
        force: query.force === true,
        withRefreshToken: query.refreshToken === true,
      })
      return toCredential(row.kind, reading)
    },
  }),
  route({
    method: 'PATCH',
    path: '/connections/{id}',
    id: 'changeConnection',
    tag: 'Connections',
    summary: 'Change whose it is, its tags, or where you are told of it',
    about: 'What is not sent stays.',
    scope: 'connections:write',
    status: 200,
    fails: found,
    params: byId,
    body: connectionChange,
    answer: connectionShape,
    async work({ hub, environment, params, body }) {
      const row = await findConnection(hub.context, environment.id, params.id)
      const { endUser, tags, webhookUrlOverride } = body
      const told =
        endUser === undefined
          ? undefined
          : typeof endUser === 'object'
            ? toTold(endUser)
            : { username: (await endUserOf(hub.context, environment, endUser)).username }
      await changeConnection(hub.context, row, {
        ...(told ? { endUser: told } : {}),
        ...(tags ? { tags } : {}),
        ...(webhookUrlOverride === undefined ? {} : { webhookUrlOverride }),
      })
      return shown(hub, await findConnection(hub.context, environment.id, row.id))
    },
  }),
  ...metadataRoutes('PUT', 'setMetadata', 'Set the metadata', 'In place of what was there.', 'set'),
  ...metadataRoutes(
    'PATCH',
    'mergeMetadata',
    'Merge into the metadata',
    'Its first level: names that are not sent stay.',
    'merge',
  ),
  route({
    method: 'POST',
    path: '/connections',
    id: 'addConnection',
    tag: 'Connections',
    summary: 'Make a connection of a credential that you have',
    about:
      'A key, or tokens that another hub held. A key is tried at the provider, and one that is refused is not kept. A refresh token that rotates must be used by one hub only.',
    scope: 'connect:write',
    status: 201,
    fails: ['not_found', 'conflict', 'integration_misconfigured', 'provider_rejected', 'provider_unavailable'],
    body: newConnection,
    answer: connectionShape,
    async work({ hub, environment, body }) {
      const { context } = hub
      const integration = await findIntegration(context, environment, body.integration)
      const tags = body.tags && toTags(body.tags)
      if (body.webhookUrlOverride !== undefined) checkWebhookUrl(body.webhookUrlOverride)
      const given = toGiven(body.credential)
      checkKind(context.providerOf(integration), given.kind)
      const user = body.endUser === undefined ? undefined : await endUserOf(context, environment, body.endUser)
      const made = await give(context, {
        environmentId: environment.id,
        integration,
        endUserId: user && rowUserId(user),
        given,
        params: paramsOf(body.params, context.providerOf(integration)),
        duplicate: body.allowDuplicate === true,
        ...(body.connectionId === undefined ? {} : { connectionId: body.connectionId }),
        ...(body.name === undefined ? {} : { name: body.name }),
        ...(body.metadata ? { metadata: toJson(body.metadata) } : {}),
        ...(tags || user ? { tags: { ...tags, ...(user && rowUserId(user) !== '' ? personTags(user) : {}) } } : {}),
        ...(body.webhookUrlOverride === undefined ? {} : { webhookUrlOverride: body.webhookUrlOverride }),
      })
      return shown(hub, made)
    },
  }),
  route({
    method: 'POST',
    path: '/connections/{id}/test',
    id: 'testConnection',
    tag: 'Connections',
    summary: 'Try whether it works',
    about:
      'The provider is asked whose account it is; a token near its end is renewed first. What does not work is an error.',
    scope: 'proxy',
    status: 200,
    fails: [...found, ...refreshing],
    params: byId,
    answer: testedShape,
    async work({ hub, caller, params }) {
      const row = await findConnection(hub.context, caller.environmentId, params.id)
      const tested = await hub.test(row)
      const asked = tested.checkedAt?.getTime() !== row.checkedAt?.getTime()
      return { ok: true as const, asked, connection: await shown(hub, tested) }
    },
  }),
  route({
    method: 'DELETE',
    path: '/connections/{id}',
    id: 'deleteConnection',
    tag: 'Connections',
    summary: 'Delete a connection, with its credential',
    about: 'The provider is told to end the grant, where it can be and nobody else has that account.',
    scope: 'connections:write',
    status: 204,
    fails: found,
    params: byId,
    async work({ hub, caller, params }) {
      const { log } = hub.context
      const row = await findConnection(hub.context, caller.environmentId, params.id)
      await disconnect(hub.context, row)
      log.info('deleted', { provider: row.provider, id: row.id, by: caller.id })
      return undefined
    },
  }),
]
