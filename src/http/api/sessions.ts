/** Connect sessions: making one, and how it stands. */
import * as z from 'zod'
import { badParameter, MortiseError } from '../../core/errors.ts'
import { findIntegration } from '../../core/find.ts'
import type { Hub } from '../../core/hub.ts'
import { createSession } from '../../core/open-session.ts'
import type { ConnectSession } from '../../core/session.ts'
import { endUserNamed, rowUserId } from '../../core/users.ts'
import { paramsOf } from '../params.ts'
import { dialect as page } from '../sdk.ts'
import { toSession } from './map.ts'
import { route } from './route.ts'
import { madeSession, newSession, sessionShape } from './shapes.ts'
import { dialect, linkOf, returnParameters } from './start.ts'

const shown = async ({ context }: Hub, session: ConnectSession) => {
  const { storage, clock } = context
  const row =
    session.connectionRow === undefined
      ? undefined
      : await storage.connectionById(session.environmentId, session.connectionRow)
  return toSession(session, clock.now(), row)
}

export const sessionRoutes = [
  route({
    method: 'POST',
    path: '/connect-sessions',
    id: 'addConnectSession',
    tag: 'Connect sessions',
    summary: 'Begin to connect an account',
    about:
      'Hand `token` to the page that opens it with the browser SDK; or, with `opens: "link"`, send the browser to `link`. It is good for half an hour and one connection. Ask how it stands until it is connected or failed.',
    scope: 'connect:write',
    status: 201,
    fails: ['not_found'],
    body: newSession,
    answer: madeSession,
    async work({ hub, caller, environment, body }) {
      const { context } = hub
      const integration = await findIntegration(context, environment, body.integration)
      const user = await endUserNamed(context, environment, body.endUser, 'endUser in the body')
      const returnTo = body.returnTo === undefined ? undefined : await hub.checkReturn(environment, body.returnTo, true)
      const opens = body.opens ?? 'page'
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
        params: paramsOf(body.params, context.providerOf(integration)),
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
    params: z.strictObject({ id: z.string().meta({ description: 'The id of the session' }) }),
    answer: sessionShape,
    async work({ hub, environment, params }) {
      const session = await hub.context.storage.session(environment.id, { id: params.id })
      if (session) return shown(hub, session)
      throw new MortiseError(
        'not_found',
        `There is no connect session "${params.id.slice(0, 80)}" in this environment, or it is long past. Make one: POST /api/v1/connect-sessions`,
        { reason: 'session_unknown' },
      )
    },
  }),
]
