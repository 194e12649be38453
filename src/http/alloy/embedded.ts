/** What the vendor's embedded API knows of credentials: its apps, a link or a key without any page, and the link to our page. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { shownId } from '../../core/connection.ts'
import type { EndUser } from '../../core/end-user.ts'
import { badParameter } from '../../core/errors.ts'
import type { Integration } from '../../core/integration.ts'
import { requireScope } from '../auth.ts'
import { connectorsOf } from '../connectors.ts'
import { issueJwt } from '../jwt.ts'
import { queryOf } from '../query.ts'
import { giveAsked, linkAsked } from './flows.ts'
import { bodyOf, kindOf, objectIn, readNewCredential, text } from './input.ts'
import { appOf } from './look-up.ts'
import { toCredentialMetadata } from './map.ts'
import type { Served } from './served.ts'

type ByApp = { Params: { app: string } }

export const embeddedRoutes = (app: FastifyInstance, served: Served): void => {
  const { hub } = served
  const { storage, catalogue, publicUrl } = hub.context
  const reading = { preHandler: served.may('integrations:read') }
  const starting = { preHandler: served.may('connect:write') }

  for (const path of ['/apps', '/metadata/apps'])
    app.get(path, reading, async request => ({ data: await connectorsOf(hub.context, request) }))

  app.get('/metadata/credentials', reading, async request => {
    const all = await storage.integrations(request.caller.environmentId)
    return {
      data: all.flatMap(({ key, provider }) => {
        const definition = catalogue.get(provider)
        return definition ? [toCredentialMetadata(key, definition)] : []
      }),
    }
  })
  app.get<ByApp>('/metadata/credentials/:app', reading, request => metadataOf(served, request, request.params.app))

  app.post('/headless/credentials', starting, async (request, reply) => {
    const body = bodyOf(request.body)
    const environment = await served.environment(request)
    const credential = objectIn(body, 'credential')
    const type = credential && text(credential, 'type', 'app', 'connector')
    const data = credential && objectIn(credential, 'data')
    if (type === undefined || data === undefined)
      throw badParameter(
        'credential',
        'credential must be {"type": "<app>", "data": {…}}, where data holds an API key, a user name and a password, or the tokens of an import.',
      )
    const integration = await appOf(hub, environment, type)
    const provider = hub.context.providerOf(integration)
    const kind = kindOf(data, provider)
    const name = text(body, 'name') ?? text(credential ?? {}, 'name')
    const asked = { authenticationType: kind, data, ...(name === undefined ? {} : { name }) }
    const ask = readNewCredential(integration.key, asked, Object.keys(provider.params))
    if (!ask.given)
      throw badParameter(
        'credential.data',
        `${provider.name} is connected by a flow, or by its tokens: data must hold ${kind === 'oauth1' ? 'oauthToken and oauthTokenSecret' : 'accessToken, and refreshToken where there is one'}. For a flow: GET /headless/oauthUrl?app=${integration.key}&userId=…`,
      )
    const user = await served.user(request, undefined, body)
    const id = shownId(await giveAsked(hub, { environment, integration, user }, ask, ask.given))
    return { success: true, credentialId: id, connectionId: id, ...served.warn(reply, ask.warnings) }
  })

  for (const path of ['/headless/oauthUrl', '/headless/oauthurl'])
    app.get(path, starting, async (request, reply) => {
      const query = queryOf(request)
      const name = query.get('app') || query.get('connectorName') || query.get('credentialName')
      if (!name)
        throw badParameter('app', 'app is missing: what is to be connected, as /metadata/credentials names it.')
      const integration = await appOf(hub, await served.environment(request), name)
      return oauthLink(served, request, reply, integration, await served.user(request, undefined, {}))
    })

  app.get<{ Params: { user: string; integration: string } }>(
    '/users/:user/integrations/:integration/install-url',
    starting,
    async request => {
      const environment = await served.environment(request)
      const { key } = await appOf(hub, environment, request.params.integration)
      const user = await served.user(request, request.params.user, {})
      const { token, expiresAt } = await issueJwt(hub.context, environment, user, 'link')
      const query = new URLSearchParams({
        integrationId: key,
        token,
        forgeMode: 'engaged',
        alwaysShowCredentials: 'true',
      })
      return { url: `${publicUrl}${linkPath}?${query}`, expiresAt: expiresAt.toISOString() }
    },
  )
}

/** Where such a link leads. */
export const linkPath = '/embedded-install'

export const metadataOf = async (served: Served, request: FastifyRequest, app: string) => {
  const integration = await appOf(served.hub, await served.environment(request), app)
  return { data: toCredentialMetadata(integration.key, served.hub.context.providerOf(integration)) }
}

/** What is no parameter of the provider's in the query of such a link. */
const ownNames = ['app', 'connectorName', 'credentialName', 'integrationId', 'userId', 'redirectUri', 'state']

/** A link for one end user. What the provider asks for stands in the query, under the names that its metadata has. */
export const oauthLink = async (
  served: Served,
  request: FastifyRequest,
  reply: FastifyReply,
  integration: Integration,
  user: EndUser,
) => {
  requireScope(request.caller, 'connect:write')
  const { hub } = served
  const environment = await served.environment(request)
  const provider = hub.context.providerOf(integration)
  const entries = [...queryOf(request)].filter(([, value]) => value !== '')
  const own = Object.fromEntries(entries.filter(([name]) => ['redirectUri', 'state'].includes(name)))
  const data = Object.fromEntries(entries.filter(([name]) => !ownNames.includes(name)))
  const asked = { ...own, authenticationType: provider.auth, data }
  // A token in a query is in somebody's log already; nothing is imported from here.
  const { given, ...ask } = readNewCredential(integration.key, asked, Object.keys(provider.params))
  if (given) throw badParameter('data', 'A link begins a flow; tokens go by POST /headless/credentials.')
  const { oauthUrl, credentialId, expiresAt } = await linkAsked(
    hub,
    { environment, integration, user },
    { ...ask, given: undefined },
    request.caller.id,
  )
  // The vendor's documents have it at the top, its client's own types within data.
  return { oauthUrl, data: { oauthUrl }, credentialId, expiresAt, ...served.warn(reply, ask.warnings) }
}
