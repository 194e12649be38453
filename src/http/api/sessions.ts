/** Connect sessions: making one, and how it stands. */
import * as z from 'zod'
import { createChoice } from '../../core/choice.ts'
import type { Connection } from '../../core/connection.ts'
import type { Environment } from '../../core/environment.ts'
import { badParameter, MortiseError } from '../../core/errors.ts'
import { findConnection, findIntegration } from '../../core/find.ts'
import type { Hub } from '../../core/hub.ts'
import { createSession } from '../../core/open-session.ts'
import type { Provider } from '../../core/provider.ts'
import type { ConnectSession } from '../../core/session.ts'
import { rowUserId } from '../../core/users.ts'
import { dialect as picking } from '../nango/connect.ts'
import { connectLink, shownToken } from '../nango/starter.ts'
import { paramsOf } from '../params.ts'
import { dialect as page } from '../sdk.ts'
import { endUserOf } from './end-user.ts'
import { toAttempt, toSession } from './map.ts'
import { pageOf, paging } from './page.ts'
import { route } from './route.ts'
import { attemptList, type MadeSessionShape, madeSession, newSession, sessionShape } from './shapes.ts'
import { dialect, linkOf, returnParameters } from './start.ts'

const shown = async ({ context }: Hub, session: ConnectSession) => {
  const { storage, clock } = context
  const row =
    session.connectionRow === undefined
      ? undefined
      : await storage.connectionById(session.environmentId, session.connectionRow)
  return toSession(session, clock.now(), row)
}

/** What was given for the params when it was connected, so that nobody is asked again. */
const givenBefore = (row: Connection | undefined, provider: Provider): Record<string, string> =>
  Object.fromEntries(Object.entries(row?.config ?? {}).filter(([name]) => Object.hasOwn(provider.params, name)))

const sessionNamed = async ({ context }: Hub, environmentId: number, id: string): Promise<ConnectSession> => {
  const session = await context.storage.session(environmentId, { id })
  if (session) return session
  throw new MortiseError(
    'not_found',
    `There is no connect session "${id.slice(0, 80)}" in this environment, or it is long past. Make one: POST /api/v1/connect-sessions`,
    { reason: 'session_unknown' },
  )
}

/** A session that leaves the choice to the end user, on the page that the Connections API has for that. */
const offer = async (
  hub: Hub,
  caller: string,
  environment: Environment,
  { integrations, endUser, ...others }: z.infer<typeof newSession> & { integrations: readonly string[] },
): Promise<MadeSessionShape> => {
  const { context } = hub
  const [beside] = Object.entries(others).find(([, value]) => value !== undefined) ?? []
  if (beside !== undefined)
    throw badParameter(
      beside,
      `${beside} does not go with integrations: the end user chooses. Leave it out, or name one integration.`,
    )
  const found = await Promise.all(integrations.map(name => findIntegration(context, environment, name)))
  const user = await endUserOf(context, environment, endUser)
  const { session, token } = await createChoice(context, {
    environment,
    caller,
    dialect: picking,
    choice: { allowed: [...new Set(found.map(each => each.key))], fixed: {} },
    ...(rowUserId(user) === '' ? {} : { endUser: user }),
  })
  return { ...(await shown(hub, session)), token: shownToken(token), link: connectLink(context.publicUrl, token) }
}

const byId = z.strictObject({ id: z.string().meta({ description: 'The id of the session' }) })

export const sessionRoutes = [
  route({
    method: 'POST',
    path: '/connect-sessions',
    id: 'addConnectSession',
    tag: 'Connect sessions',
    summary: 'Begin to connect an account',
    about:
      'Hand `token` to the page that opens it with the browser SDK; or, with `opens: "link"`, send the browser to `link`. It is good for half an hour and one connection; with `integrations`, for one of each that the end user picks. Ask how it stands until it is connected or failed.',
    scope: 'connect:write',
    status: 201,
    fails: ['not_found', 'integration_misconfigured'],
    body: newSession,
    answer: madeSession,
    async work({ hub, caller, environment, body }) {
      const { context } = hub
      if (body.integrations) return offer(hub, caller.id, environment, { ...body, integrations: body.integrations })
      const repaired =
        body.connection === undefined ? undefined : await findConnection(context, environment.id, body.connection)
      const named = body.integration ?? repaired?.integrationKey
      if (named === undefined)
        throw badParameter(
          'integration',
          'integration is missing in the body: which account is to be connected, like notion.',
        )
      const integration = await findIntegration(context, environment, named)
      if (repaired && repaired.integrationKey !== integration.key)
        throw badParameter(
          'connection',
          `The connection is one through ${repaired.integrationKey}, not ${integration.key}. Leave integration out.`,
        )
      const user = await endUserOf(context, environment, body.endUser ?? repaired?.endUserId)
      if (repaired && rowUserId(user) !== repaired.endUserId)
        throw badParameter('endUser', 'The connection belongs to another end user. Leave endUser out.')
      const returnTo = body.returnTo === undefined ? undefined : await hub.checkReturn(environment, body.returnTo, true)
      const opens = body.opens ?? 'page'
      const provider = context.providerOf(integration)
      const own = returnParameters.find(name => returnTo !== undefined && new URL(returnTo).searchParams.has(name))
      if (own !== undefined && opens === 'link')
        throw badParameter('returnTo', `returnTo carries ${own} already, which the hub adds itself.`)
      const { session, token } = await createSession(context, {
        environment,
        integrationKey: integration.key,
        endUserId: rowUserId(user),
        caller: caller.id,
        opens,
        dialect: opens === 'page' ? page : dialect,
        duplicate: body.allowDuplicate === true,
        params: paramsOf(body.params ?? givenBefore(repaired, provider), provider),
        ...(repaired ? { repairs: repaired.id } : {}),
        ...(body.name === undefined ? {} : { name: body.name }),
        ...(returnTo === undefined ? {} : { returnTo }),
      })
      return { ...(await shown(hub, session)), token, link: opens === 'page' ? null : linkOf(context.publicUrl, token) }
    },
  }),
  route({
    method: 'GET',
    path: '/connect-sessions/{id}',
    id: 'getConnectSession',
    tag: 'Connect sessions',
    summary: 'How it stands',
    about: 'A session is kept for a while after its end; the connection that it made stays.',
    scope: 'connect:write',
    status: 200,
    fails: ['not_found'],
    params: byId,
    answer: sessionShape,
    work: async ({ hub, environment, params }) => shown(hub, await sessionNamed(hub, environment.id, params.id)),
  }),
  route({
    method: 'GET',
    path: '/connect-sessions/{id}/attempts',
    id: 'listAttempts',
    tag: 'Connect sessions',
    summary: 'List its attempts',
    about: 'Each time that the link was followed, or the page began, is one.',
    scope: 'connect:write',
    status: 200,
    fails: ['not_found'],
    params: byId,
    query: z.strictObject(paging),
    answer: attemptList,
    async work({ hub, environment, params, query }) {
      const session = await sessionNamed(hub, environment.id, params.id)
      const all = await hub.context.storage.attemptsOf(environment.id, session.id)
      // Later ones first.
      const last = (each: (typeof all)[number]) => `${1e15 - each.createdAt.getTime()} ${each.stateHash}`
      const { data, next } = pageOf(all, last, query)
      return { data: data.map(each => toAttempt(each, hub.context.clock.now())), next }
    },
  }),
]
