/** What the starter of a flow asks for, and how far it may. */
import type { Trust } from './attempt.ts'
import { connectionId as connectionIdRule, rowIdIn } from './connection.ts'
import type { Environment } from './environment.ts'
import { badParameter, MortiseError } from './errors.ts'
import { type AuthorizationParams, checkAuthorizationParams } from './grants/authorization-params.ts'
import type { Integration } from './integration.ts'
import type { OwnClient } from './own-client.ts'
import type { Provider } from './provider.ts'

export interface Start {
  readonly environment: Environment
  readonly integrationKey: string
  /** The caller's name for the connection; without it the hub mints one, or finds the account's. */
  readonly connectionId?: string
  readonly trust: Trust
  readonly duplicate: boolean
  /** Without one the connection is the environment's own. */
  readonly endUserId?: string
  /** The connect session that this is a try of. */
  readonly sessionId?: string
  /** What the connection is to be called. */
  readonly name?: string
  /** The one connection that it is to repair, by its row's id. */
  readonly repairs?: string
  readonly params: Readonly<Record<string, string>>
  /** Narrows the integration's scopes; undefined: all of them. */
  readonly scopes?: readonly string[]
  /** What the app's back end asks for by its key, in place of the integration's scopes: it may be more. */
  readonly scopesByKey?: readonly string[]
  /** Scopes that act for the person, where a provider tells them from those of the app. */
  readonly userScopes?: readonly string[]
  readonly authorizationParams?: AuthorizationParams
  readonly ownClient?: OwnClient
  /** The name under which a page waits on a socket to be told. */
  readonly listener?: string
  /** Already checked by `checkReturn`. */
  readonly returnTo?: string
  readonly dialect: string
}

/** What the caller names and tells: nothing that is the provider's, or the hub's, to say. */
export const checkGiven = (provider: Provider, ask: Pick<Start, 'connectionId' | 'params' | 'trust'>): void => {
  if (ask.connectionId !== undefined && !connectionIdRule.test(ask.connectionId))
    throw badParameter('connection_id', 'connection_id must be 1 to 255 characters, without control characters.')
  for (const name of Object.keys(ask.params))
    if (Object.hasOwn(provider.config, name))
      throw badParameter(
        `params[${name}]`,
        `params[${name}] is what ${provider.name} itself tells; it cannot be given.`,
      )
  // What looks like an id of the hub's would stand in the way of the one that has it, or had it.
  if (ask.trust === 'public' && ask.connectionId !== undefined && rowIdIn(ask.connectionId) !== undefined)
    throw badParameter(
      'connection_id',
      'connection_id has the form of an id that the hub gives. Use a name of your own.',
    )
}

/** A link may only narrow what the integration asks for: it is made by whoever holds the public key. */
export const scopesOf = (
  integration: Integration,
  { scopes: asked, scopesByKey }: Pick<Start, 'scopes' | 'scopesByKey'>,
): readonly string[] => {
  const most = scopesByKey ?? integration.scopes
  if (asked === undefined) return most
  // Asked for nothing, many providers grant their own default, which may be more.
  if (asked.length === 0 && most.length > 0)
    throw badParameter('scopes', 'scopes names none. Leave it out to ask for all that the integration does.')
  const beyond = asked.filter(scope => !most.includes(scope))
  if (beyond.length === 0) return asked
  throw badParameter(
    'scopes',
    `scopes may only narrow what the integration ${integration.key} asks for (${most.join(', ') || 'nothing'}); it names more: ${beyond.join(', ')}.`,
  )
}

/** What goes into the URL besides what the definition says. More than the operator set up takes a proven starter. */
export const authorizationParamsOf = (
  provider: Provider,
  ask: Pick<Start, 'authorizationParams' | 'userScopes' | 'ownClient' | 'trust'>,
): AuthorizationParams => {
  const given = ask.authorizationParams ?? {}
  checkAuthorizationParams(provider, given, name => `authorization_params[${name}]`)
  const more = ask.ownClient ? 'a client of its own' : ask.userScopes ? 'user scopes' : undefined
  if (more !== undefined && ask.trust === 'public')
    throw new MortiseError(
      'forbidden',
      `A public key alone may not ask for ${more}: anyone has it. The app must begin the flow with a connect session, or add an HMAC to the link.`,
      { reason: 'public_key_limit' },
    )
  return ask.userScopes ? { ...given, user_scope: ask.userScopes.join(',') } : given
}
