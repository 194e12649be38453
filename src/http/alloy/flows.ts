/** Beginning a flow by a link, and taking what is given in place of one: the routes of both families do it. */
import type { Connection } from '../../core/connection.ts'
import type { EndUser } from '../../core/end-user.ts'
import type { Environment } from '../../core/environment.ts'
import { MortiseError } from '../../core/errors.ts'
import { checkKind, type Given, give } from '../../core/give.ts'
import type { Hub } from '../../core/hub.ts'
import type { Integration } from '../../core/integration.ts'
import { createSession } from '../../core/open-session.ts'
import { attemptName } from '../../core/session.ts'
import { rowUserId } from '../../core/users.ts'
import type { NewCredential } from './input.ts'
import { returnParameters } from './map.ts'
import { dialect } from './served.ts'

interface For {
  readonly environment: Environment
  readonly integration: Integration
  readonly user: EndUser
}

export const giveAsked = (
  { context }: Hub,
  { environment, integration, user }: For,
  ask: NewCredential,
  given: Given,
): Promise<Connection> =>
  give(context, {
    environmentId: environment.id,
    integration,
    endUserId: rowUserId(user),
    given,
    params: ask.params,
    duplicate: ask.duplicate,
    ...(ask.name === undefined ? {} : { name: ask.name }),
    ...(ask.id === undefined ? {} : { id: ask.id }),
    ...(ask.createdAt === undefined ? {} : { createdAt: ask.createdAt }),
  })

/** A link to the hub's start page, for the caller's end user. */
export const linkAsked = async (
  hub: Hub,
  { environment, integration, user }: For,
  ask: NewCredential,
  caller: string,
): Promise<{ oauthUrl: string; credentialId: string; state: string; expiresAt: string }> => {
  checkKind(hub.context.providerOf(integration), ask.kind)
  const returnTo = ask.redirectUri === undefined ? undefined : await hub.checkReturn(environment, ask.redirectUri, true)
  if (returnTo !== undefined) refuseReserved(returnTo)
  const { session, token, state } = await createSession(hub.context, {
    environment,
    integrationKey: integration.key,
    endUserId: rowUserId(user),
    caller,
    opens: 'link',
    dialect,
    duplicate: ask.duplicate,
    params: ask.params,
    ...(ask.name === undefined ? {} : { name: ask.name }),
    ...(returnTo === undefined ? {} : { returnTo }),
    ...(ask.state === undefined ? {} : { state: ask.state }),
  })
  const query = new URLSearchParams({ userId: user.id })
  if (returnTo !== undefined) query.set('redirectUri', returnTo)
  query.set('token', token)
  return {
    oauthUrl: `${hub.context.publicUrl}/api/strategy/connector/${encodeURIComponent(integration.key)}/authorize?${query}`,
    credentialId: attemptName(session),
    state,
    expiresAt: session.expiresAt.toISOString(),
  }
}

const refuseReserved = (url: string): void => {
  const own = returnParameters.find(name => new URL(url).searchParams.has(name))
  if (own !== undefined)
    throw new MortiseError('invalid_request', `redirectUri carries ${own} already, which the hub adds itself.`, {
      reason: 'redirect_not_allowed',
      parameter: 'redirectUri',
    })
}
