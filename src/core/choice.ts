/** Sessions that leave the choice of the integration to the end user. */
import { checkGiven } from './asked.ts'
import type { Connection } from './connection.ts'
import type { Context } from './context.ts'
import type { EndUser } from './end-user.ts'
import type { Environment } from './environment.ts'
import { MortiseError } from './errors.ts'
import { checkAuthorizationParams } from './grants/authorization-params.ts'
import { unknownIntegration } from './integration.ts'
import { createSession } from './open-session.ts'
import type { Choice, ConnectSession, Fixed } from './session.ts'
import { checkInput } from './template.ts'

export interface NewChoice {
  readonly environment: Environment
  /** Whose key it is made with. */
  readonly caller: string
  readonly dialect: string
  readonly choice: Choice
  /** Absent: nobody in particular, or whose the connection to be repaired is. */
  readonly endUser?: EndUser
  readonly repairs?: Connection
}

/** Throws `conflict` where the connection to be repaired is another one's than the end user's. */
export const createChoice = (
  context: Context,
  ask: NewChoice,
): Promise<{ session: ConnectSession; token: string; state: string }> => {
  const { endUser, repairs, ...rest } = ask
  if (endUser && repairs && endUser.id !== repairs.endUserId)
    throw new MortiseError(
      'conflict',
      `The connection ${repairs.connectionId} is not that of the end user ${endUser.username}. Leave the end user out, or give the connection to them first.`,
    )
  return createSession(context, {
    ...rest,
    integrationKey: '',
    endUserId: endUser?.id ?? repairs?.endUserId ?? '',
    opens: 'token',
    duplicate: false,
    params: {},
    ...(repairs ? { repairs: repairs.id } : {}),
  })
}

/**
 * What an app's back end fixes for an integration, looked at when it does, so that it hears of a mistake and not its end user.
 * Throws `not_found` (integration_unknown) or `invalid_request`.
 */
export const checkFixed = async (
  context: Context,
  environment: Environment,
  integrationKey: string,
  { params = {}, authorizationParams = {} }: Fixed,
): Promise<void> => {
  const integration = await context.storage.integration(environment.id, integrationKey)
  if (!integration) throw unknownIntegration(integrationKey, environment)
  const provider = context.providerOf(integration)
  checkGiven(provider, { params, trust: 'proven' })
  for (const [name, value] of Object.entries(params)) {
    const input = Object.hasOwn(provider.params, name) ? provider.params[name] : undefined
    if (input) checkInput(name, input.kind, value)
  }
  checkAuthorizationParams(provider, authorizationParams, name => `authorization_params.${name}`)
}
