/** Routes that list, import, change and delete connections; those of old clients beside them. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { changeConnection, checkWebhookUrl, connectionNamed, disconnect, setMetadata } from '../../core/change.ts'
import { connectionUnknown, toReadRow } from '../../core/connection.ts'
import { type JsonObject, Secret } from '../../core/credential.ts'
import { badParameter as wrong } from '../../core/errors.ts'
import { type Given, give, kindsOf } from '../../core/give.ts'
import { openTexts } from '../../core/sealed.ts'
import { personTags, toTags } from '../../core/tags.ts'
import { knowEndUser, type Told } from '../../core/users.ts'
import { forPrograms } from '../asks.ts'
import { queryOf } from '../query.ts'
import {
  bareMetadata,
  type CredentialsBody,
  type EndUserBody,
  type ImportBody,
  importBody,
  metadataBody,
  oldImportBody,
  patchBody,
} from './bodies.ts'
import { bodyOf } from './body.ts'
import { Refusal, refusedAs } from './errors.ts'
import { listRoute } from './lists.ts'
import { toCurrentConnection } from './map.ts'
import { checkNames, inHeader, inPath, keyIn, plain, single, withoutKey } from './query.ts'
import type { ByRest, Served } from './served.ts'

const keyNamed = new Set(['provider_config_key'])

export const connectionRoutes = async (app: FastifyInstance, served: Served): Promise<void> => {
  const { hub } = served
  const { context } = hub
  // A browser that asks there finds the page Connections.
  const programs = { constraints: forPrograms, config: { program: true } }

  await served.withKey(app, 'connections:read', api => {
    api.get('/connections', programs, listRoute(served, 2026))
    api.get('/connection', listRoute(served, 2023))
  })

  await served.withKey(app, 'connections:write', api => {
    api.post('/connections', { config: { program: true } }, async (request, reply) => {
      const text = await importOne(request, bodyOf(importBody, request.body))
      return reply.code(201).header('content-type', 'application/json; charset=utf-8').send(text)
    })
    api.post('/connection', async (request, reply) => {
      const body = bodyOf(oldImportBody, request.body)
      const { provider_config_key, connection_id, metadata, connection_config } = body
      await importOne(request, {
        provider_config_key,
        connection_id,
        credentials: flatCredentials(body),
        ...(metadata ? { metadata } : {}),
        ...(connection_config ? { connection_config } : {}),
      })
      return reply.code(201).send(request.body)
    })

    api.patch<ByRest>('/connections/*', async request => {
      const query = queryOf(request)
      checkNames(query, keyNamed, [])
      const row = await found(request, keyIn(query), idIn(request))
      const { end_user, tags, webhook_url_override } = bodyOf(patchBody, request.body)
      await changeConnection(context, row, {
        ...(end_user ? { endUser: toldOf(end_user) } : {}),
        ...(tags ? { tags } : {}),
        ...(webhook_url_override === undefined ? {} : { webhookUrlOverride: webhook_url_override }),
      })
      return { success: true }
    })

    const remove = async (request: FastifyRequest<ByRest>, query: URLSearchParams) => {
      try {
        const row = await found(request, keyIn(query), idIn(request))
        if (!(await disconnect(context, row))) throw connectionUnknown(row.connectionId, row.integrationKey)
        return { success: true }
      } catch (thrown) {
        throw refusedAs(400, 'unknown_connection', thrown, 'connection_unknown')
      }
    }
    api.delete<ByRest>('/connections/*', request => {
      const query = queryOf(request)
      checkNames(query, keyNamed, [])
      return remove(request, query)
    })
    api.delete<ByRest>('/connection/*', request => remove(request, queryOf(request)))

    for (const [method, how, status] of [
      ['POST', 'set', 201],
      ['PATCH', 'merge', 200],
    ] as const) {
      const write = async (
        request: FastifyRequest,
        key: string,
        ids: readonly string[],
        metadata: JsonObject,
      ): Promise<void> => {
        try {
          await setMetadata(context, request.caller.environmentId, key, ids, metadata, how)
        } catch (thrown) {
          throw refusedAs(404, 'unknown_connection', thrown, 'connection_unknown')
        }
      }
      const ofMany = async (request: FastifyRequest, reply: FastifyReply) => {
        const body = bodyOf(metadataBody, request.body)
        const ids = [body.connection_id].flat()
        await write(request, body.provider_config_key, [...new Set(ids)], body.metadata)
        return reply.code(status).send(body)
      }
      api.route({ method, url: '/connections/metadata', handler: ofMany })
      api.route({ method, url: '/connection/metadata', handler: ofMany })
      // Of one, its id in the path: a greedy route, because an id may hold slashes.
      api.route<ByRest>({
        method,
        url: '/connection/*',
        async handler(request, reply) {
          const id = /^(.+)\/metadata$/s.exec(request.params['*'])?.[1]
          if (id === undefined)
            throw new Refusal(404, 'not_found', `There is no ${method} route here but /connection/<id>/metadata.`)
          const key = single(queryOf(request), 'provider_config_key') ?? inHeader(request, 'Provider-Config-Key')
          if (key === '')
            throw withoutKey('Name the integration: ?provider_config_key=… or the header Provider-Config-Key.')
          const metadata = bodyOf(bareMetadata, request.body)
          await write(request, plain('provider_config_key', key), [inPath('connection_id', id)], metadata)
          return reply.code(status).send(metadata)
        },
      })
    }
  })

  const found = (request: FastifyRequest, key: string, id: string) =>
    connectionNamed(context, request.caller.environmentId, key, id)

  /** Writes it, and answers it whole, as JSON. */
  const importOne = async (request: FastifyRequest, body: ImportBody): Promise<string> => {
    const { environmentId } = request.caller
    const integration = await context.storage.integration(environmentId, body.provider_config_key)
    if (!integration)
      throw new Refusal(
        404,
        'not_found',
        `There is no integration "${body.provider_config_key.slice(0, 100)}" here. GET /integrations lists those that there are; POST /integrations adds one.`,
      )
    const kinds = kindsOf(context.providerOf(integration))
    const tags = body.tags && toTags(body.tags)
    const url = body.webhook_url_override
    if (url !== undefined) checkWebhookUrl(url)
    const user = body.end_user && (await knowEndUser(context, environmentId, toldOf(body.end_user)))
    const connection = await give(context, {
      environmentId,
      integration,
      endUserId: user?.id,
      given: givenOf(body.credentials, kinds.includes('apiKey') ? 'apiKey' : 'bearer'),
      params: configOf(body.connection_config ?? {}),
      paramName: name => `connection_config.${name}`,
      duplicate: true,
      ...(body.connection_id === undefined ? {} : { connectionId: body.connection_id }),
      ...(body.metadata ? { metadata: body.metadata } : {}),
      ...(tags || user ? { tags: { ...tags, ...(user ? personTags(user) : {}) } } : {}),
      ...(url === undefined ? {} : { webhookUrlOverride: url }),
    })
    const owner =
      connection.endUserId === ''
        ? undefined
        : await context.storage.endUser(environmentId, { id: connection.endUserId })
    const row = toReadRow(connection, true, owner)
    const credential = openTexts(await context.sealerOf(environmentId), row)
    const { integrationKey, connectionId } = connection
    const mayRead = request.caller.scopes.has('credentials:read')
    return toCurrentConnection({ integrationKey, connectionId, row, credential }, mayRead, 'Z')
  }
}

const idIn = (request: FastifyRequest<ByRest>): string => inPath('connection_id', request.params['*'])

const toldOf = ({ id, email, display_name, tags, organization }: EndUserBody): Told => ({
  username: id,
  ...(display_name === undefined ? {} : { fullName: display_name }),
  ...(email === undefined ? {} : { email }),
  ...(tags ? { tags } : {}),
  ...(organization
    ? {
        organization: {
          id: organization.id,
          ...(organization.display_name === undefined ? {} : { name: organization.display_name }),
        },
      }
    : {}),
})

const givenOf = (body: CredentialsBody, key: 'apiKey' | 'bearer'): Given => {
  if (body.type === 'BASIC') return { kind: 'basic', username: body.username, password: new Secret(body.password) }
  if (body.type === 'API_KEY') {
    const text = body.apiKey ?? body.api_key
    if (text === undefined) throw wrong('credentials.apiKey', 'credentials.apiKey is missing.')
    return { kind: key, key: new Secret(text) }
  }
  if (body.type === 'OAUTH1')
    return {
      kind: 'oauth1',
      token: new Secret(body.oauth_token),
      tokenSecret: new Secret(body.oauth_token_secret),
      ...(body.raw ? { raw: new Secret(body.raw) } : {}),
    }
  return {
    kind: 'oauth2',
    accessToken: new Secret(body.access_token),
    ...(body.refresh_token ? { refreshToken: new Secret(body.refresh_token) } : {}),
    ...(body.expires_at ? { expiresAt: body.expires_at } : {}),
    ...(body.raw ? { raw: new Secret(body.raw) } : {}),
  }
}

/** Which credential a flat body holds. */
const flatCredentials = (body: ReturnType<typeof oldImportBody.parse>): CredentialsBody => {
  const key = body.api_key ?? body.apiKey
  const { oauth_token, oauth_token_secret, raw } = body
  if (oauth_token !== undefined && oauth_token_secret !== undefined)
    return { type: 'OAUTH1', oauth_token, oauth_token_secret, raw }
  if (body.access_token !== undefined)
    return {
      type: 'OAUTH2',
      access_token: body.access_token,
      refresh_token: body.refresh_token,
      expires_at: body.expires_at,
      raw: body.raw,
    }
  if (key !== undefined) return { type: 'API_KEY', apiKey: key }
  if (body.username !== undefined) return { type: 'BASIC', username: body.username, password: body.password ?? '' }
  throw wrong(
    'access_token',
    'The body holds no credential: send access_token, oauth_token and oauth_token_secret, api_key, or username and password.',
  )
}

/** Plain texts; a number or a truth value is one, too. */
const configOf = (given: JsonObject): Record<string, string> => {
  const config: [string, string][] = []
  for (const [name, value] of Object.entries(given)) {
    if (value === null) continue
    if (typeof value === 'object' || String(value).length > 2000)
      throw wrong(`connection_config.${name}`, `connection_config.${name} must be a text of at most 2000 characters.`)
    config.push([name, String(value)])
  }
  return Object.fromEntries(config)
}
