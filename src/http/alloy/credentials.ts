/** Credentials: beginning a flow, redeeming what it brought, giving a key, listing and deleting. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Connection, rowIdIn } from '../../core/connection.ts'
import { badParameter, MortiseError } from '../../core/errors.ts'
import { findIntegration } from '../../core/find.ts'
import type { Integration } from '../../core/integration.ts'
import { type Redeemable, redeem } from '../../core/redeem.ts'
import { attemptName, sessionStatus } from '../../core/session.ts'
import { rowUserId } from '../../core/users.ts'
import { shown } from './connections.ts'
import { giveAsked, linkAsked } from './flows.ts'
import { type Body, bodyOf, readNewCredential, text, warningsOf } from './input.ts'
import type { Served } from './served.ts'

type ByConnector = { Params: { connector: string } }

export const credentialRoutes = (app: FastifyInstance, served: Served): void => {
  const { hub } = served
  const { storage, clock } = hub.context
  const starting = { preHandler: served.may('connect:write') }

  app.post<ByConnector>('/connectors/:connector/credentials', starting, async (request, reply) => {
    const body = bodyOf(request.body)
    const environment = await served.environment(request)
    const integration = await chosen(request, text(body, 'authConfigId'))
    const provider = hub.context.providerOf(integration)
    const ask = readNewCredential(request.params.connector, body, Object.keys(provider.params), provider.auth)
    const user = await served.user(request, undefined, body)
    const about = { environment, integration, user }
    if (ask.given) return connected(await giveAsked(hub, about, ask, ask.given), served.warn(reply, ask.warnings))
    const link = await linkAsked(hub, about, ask, request.caller.id)
    return {
      oauthUrl: link.oauthUrl,
      credentialId: link.credentialId,
      state: link.state,
      status: 'pending',
      connectorId: integration.key,
      userId: user.id,
      expiresAt: link.expiresAt,
      ...served.warn(reply, ask.warnings),
    }
  })

  /** The integration of the path, or the one that `authConfigId` chooses at the same provider. */
  const chosen = async (request: FastifyRequest<ByConnector>, named: string | undefined): Promise<Integration> => {
    const environment = await served.environment(request)
    if (named === undefined) return findIntegration(hub.context, environment, request.params.connector)
    const all = await storage.integrations(environment.id)
    const found = all.find(each => each.key === named || each.id === named)
    const { connector } = request.params
    if (found && (found.provider === connector || found.key === connector)) return found
    const fitting = all.filter(each => each.provider === connector).map(each => each.key)
    throw badParameter(
      'authConfigId',
      `"${named.slice(0, 80)}" is no integration at ${connector.slice(0, 80)}; there are: ${fitting.join(', ') || 'none'}.`,
    )
  }

  app.post<ByConnector>('/connectors/:connector/credentials/callback', starting, async (request, reply) => {
    const body = bodyOf(request.body)
    const integration = await findIntegration(hub.context, await served.environment(request), request.params.connector)
    const given = redeemable(body)
    if (!given) throw await nothingGiven(request, integration)
    const user = await served.named(request, undefined, body)
    const { connection, session, stateDiffers } = await redeem(
      hub.context,
      request.caller,
      integration.key,
      given,
      user && rowUserId(user),
    )
    const sent = text(body, 'state')
    const warnings = [
      ...warningsOf(body, redeemed),
      ...(stateDiffers
        ? [
            'The state is not the one that this flow was begun with. Send your own at the start, and check it before you redeem a code.',
          ]
        : []),
      ...(session.stateGiven && sent === undefined
        ? [
            'This flow was begun with a state of yours, and none was sent: send it, and check it before you redeem a code.',
          ]
        : []),
    ]
    return connected(connection, { ...(sent === undefined ? {} : { state: sent }), ...served.warn(reply, warnings) })
  })

  /** Which attempt it may have been, and how that stands; its connection only where the environment lets that be told. */
  const nothingGiven = async (request: FastifyRequest, integration: Integration): Promise<MortiseError> => {
    const { environmentId, id: caller } = request.caller
    const latest = await storage.latestSession(environmentId, caller, integration.key)
    const ask = 'Send the code that came to your redirect URI; the credentialId or the state of the flow will do too.'
    if (!latest)
      return new MortiseError(
        'invalid_request',
        `There is no code, and this key has begun no flow for ${integration.key}. ${ask}`,
        {
          reason: 'code_missing',
          parameter: 'code',
        },
      )
    const status = sessionStatus(latest, clock.now())
    const { tellsLatest } = await served.environment(request)
    const made =
      tellsLatest && latest.connectionRow !== undefined
        ? await storage.connectionById(environmentId, latest.connectionRow)
        : undefined
    const which = made ? ` Its connection is ${shown(hub, made).connectionId}.` : ''
    return new MortiseError(
      'invalid_request',
      `There is no code. The latest attempt that this key began for ${integration.key} is ${attemptName(latest)}, of ${latest.createdAt.toISOString()}; its status: ${status}.${which} ${ask}`,
      { reason: 'code_missing', parameter: 'code' },
    )
  }

  const connected = (row: Connection, more: object) => ({ ...shown(hub, row), ...more })
}

/** The fields of an exchange. */
const redeemed = ['code', 'state', 'credentialId', 'connectionId', 'userId', 'connectorId']

const redeemable = (body: Body): Redeemable | undefined => {
  const [code, state, id] = [text(body, 'code'), text(body, 'state'), text(body, 'credentialId', 'connectionId')]
  if (code !== undefined) return { code, ...(state === undefined ? {} : { state }) }
  if (id !== undefined) {
    const sessionId = rowIdIn(id)
    if (sessionId === undefined)
      throw badParameter(
        'credentialId',
        'credentialId must be the one that the start of the flow answered: cred_ with 24 hex digits.',
      )
    return { sessionId, ...(state === undefined ? {} : { state }) }
  }
  return state === undefined ? undefined : { state }
}
