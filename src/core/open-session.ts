/** Making a connect session, opening it in the end user's browser, and what it returns with. */

import type { Start } from './asked.ts'
import type { Attempt, Outcome } from './attempt.ts'
import { type Started, start } from './connect.ts'
import type { Context } from './context.ts'
import type { Environment } from './environment.ts'
import { MortiseError, type Reason } from './errors.ts'
import { environmentOfToken, newId, newNonce, newToken, sha256 } from './ids.ts'
import type { Choice, ConnectSession, Fixed } from './session.ts'

/** How long a session may wait to be opened and finished, in milliseconds. */
const sessionLife = 30 * 60_000

/** How often a session may be tried: each try is a row and a cookie. */
const mostAttempts = 10

export interface NewSession {
  readonly environment: Environment
  /** '' where the end user chooses. */
  readonly integrationKey: string
  readonly choice?: Choice
  /** The row that it is to repair. */
  readonly repairs?: string
  readonly endUserId: string
  readonly caller: string
  readonly opens: ConnectSession['opens']
  readonly dialect: string
  readonly duplicate: boolean
  readonly params: Readonly<Record<string, string>>
  readonly name?: string
  /** Already checked by `checkReturn`. */
  readonly returnTo?: string
  /** The app's; without one the hub makes it. */
  readonly state?: string
}

export const createSession = async (
  context: Context,
  ask: NewSession,
): Promise<{ session: ConnectSession; token: string; state: string }> => {
  const now = context.clock.now()
  const { environment, state: given, ...rest } = ask
  const id = newId(now)
  const token = newToken(environment.id)
  const state = given ?? newNonce()
  const sealer = await context.sealerOf(environment.id)
  const session: ConnectSession = {
    ...rest,
    environmentId: environment.id,
    id,
    tokenHash: sha256(token),
    state: sealer.seal(['connect_sessions', id, 'state'], state),
    stateHash: sha256(state),
    stateGiven: given !== undefined,
    createdAt: now,
    expiresAt: new Date(now.getTime() + sessionLife),
  }
  await context.storage.addSession(session)
  return { session, token, state }
}

const expired = (reason: Reason, message: string): MortiseError =>
  new MortiseError('session_expired', message, { reason })

export const findSession = async (context: Context, token: string): Promise<ConnectSession | undefined> => {
  const environmentId = environmentOfToken(token)
  return environmentId === undefined ? undefined : context.storage.session(environmentId, { tokenHash: sha256(token) })
}

/** The session that a token opens. Throws `session_expired`. */
export const sessionOf = async (context: Context, token: string): Promise<ConnectSession> => {
  const session = await findSession(context, token)
  if (session) return session
  throw expired('session_unknown', 'The hub knows no such link, or it is long past. Start again from the app.')
}

/** What names the cookie of a session, as an attempt's is named by its state. */
export const sessionCookieName = (session: Pick<ConnectSession, 'id'>): string => sha256(`session ${session.id}`)

export interface Opened {
  readonly started: Started
  /** The cookie that keeps the session to this browser. */
  readonly cookie: Pick<Started, 'stateHash' | 'nonce'>
}

/**
 * Opens a session in the browser that asks, and starts an attempt there. The first browser keeps it: another one is
 * refused, so that a link which was followed already leads nobody into somebody else's session. The same browser may
 * open it again (a second click, a way back from the provider).
 */
export const openSession = async (
  context: Context,
  session: ConnectSession,
  nonceOf: (name: string) => string | undefined,
): Promise<Opened> => {
  if (session.connectionRow !== undefined)
    throw expired('session_used', 'This link has done its work: the account is connected. Go back to the app.')
  const cookie = await admit(context, session, nonceOf)
  const environment = await context.environmentOf(session.environmentId)
  const ask: Start = {
    environment,
    integrationKey: session.integrationKey,
    trust: 'proven',
    duplicate: session.duplicate,
    params: session.params,
    endUserId: session.endUserId,
    sessionId: session.id,
    ...(session.repairs === undefined ? {} : { repairs: session.repairs }),
    ...(session.name === undefined ? {} : { name: session.name }),
    ...(session.returnTo === undefined ? {} : { returnTo: session.returnTo }),
    dialect: session.dialect,
  }
  return { started: await start(context, ask), cookie }
}

/** What the end user chose, and what the page adds. What the app's back end fixed stands, whatever the page says. */
export interface Chosen
  extends Pick<
    Start,
    | 'integrationKey'
    | 'duplicate'
    | 'params'
    | 'scopes'
    | 'userScopes'
    | 'authorizationParams'
    | 'ownClient'
    | 'listener'
    | 'returnTo'
  > {}

/** The same for a session that leaves the choice to the end user. Throws `forbidden` (integration_not_allowed) too. */
export const openChosen = async (
  context: Context,
  session: ConnectSession,
  chosen: Chosen,
  nonceOf: (name: string) => string | undefined,
): Promise<Opened> => {
  const fixed = fixedFor(session, chosen.integrationKey)
  const cookie = await admit(context, session, nonceOf)
  const userScopes = fixed.userScopes ?? chosen.userScopes
  const ask: Start = {
    ...chosen,
    environment: await context.environmentOf(session.environmentId),
    trust: 'proven',
    duplicate: session.duplicate || chosen.duplicate,
    endUserId: session.endUserId,
    sessionId: session.id,
    ...(session.repairs === undefined ? {} : { repairs: session.repairs }),
    params: { ...chosen.params, ...fixed.params },
    authorizationParams: { ...chosen.authorizationParams, ...fixed.authorizationParams },
    ...(fixed.scopes ? { scopesByKey: fixed.scopes } : {}),
    ...(userScopes ? { userScopes } : {}),
    dialect: session.dialect,
  }
  return { started: await start(context, ask), cookie }
}

/** What the back end fixed for an integration. Throws `forbidden` for one that the session does not allow. */
export const fixedFor = ({ choice }: Pick<ConnectSession, 'choice'>, integrationKey: string): Fixed => {
  const { allowed, fixed } = choice ?? { allowed: [], fixed: {} }
  if (allowed === undefined || allowed.includes(integrationKey))
    return Object.hasOwn(fixed, integrationKey) ? (fixed[integrationKey] ?? {}) : {}
  throw new MortiseError(
    'forbidden',
    `This session does not allow the integration "${integrationKey.slice(0, 100)}"; it allows ${allowed.join(', ') || 'none'}. The app's back end says which, when it makes the session.`,
    { reason: 'integration_not_allowed' },
  )
}

/** Throws `session_expired` where the end user of the session is gone. */
export const checkEndUser = async (context: Context, session: ConnectSession): Promise<void> => {
  if (session.endUserId !== '' && !(await context.storage.endUser(session.environmentId, { id: session.endUserId })))
    throw expired('session_unknown', 'The user that this link was made for has been deleted. Start again from the app.')
}

/** Lets the browser in that comes first. Answers the cookie that keeps the session to it. */
const admit = async (
  context: Context,
  session: ConnectSession,
  nonceOf: (name: string) => string | undefined,
): Promise<Opened['cookie']> => {
  const name = sessionCookieName(session)
  const nonce = nonceOf(name) ?? newNonce()
  const now = context.clock.now()
  if (session.expiresAt <= now)
    throw expired('session_over', 'This link was good for half an hour, which is over. Start again from the app.')
  await checkEndUser(context, session)
  if ((await context.storage.countAttempts(session.environmentId, session.id)) >= mostAttempts)
    throw expired('session_over', 'This link was followed ten times without an end. Start again from the app.')
  if (!(await context.storage.bindSession(session.environmentId, session.id, sha256(nonce), now)))
    throw expired(
      'other_browser',
      'This link was opened in another browser and can only be used there. Start again from the app.',
    )
  return { stateHash: name, nonce }
}

/** What the app is told on the way back: the state that it gave, and a code where the session made a connection. */
export interface Concluded {
  readonly session: ConnectSession
  readonly state: string | undefined
  readonly code: string | undefined
}

/** The state that the app gave, or the hub made for it. */
export const stateOf = async (context: Context, session: ConnectSession): Promise<string | undefined> =>
  session.state &&
  (await context.sealerOf(session.environmentId)).open(['connect_sessions', session.id, 'state'], session.state)

/** Reads, or makes, what a finished attempt returns with. A page is told over its own channel and gets no code. */
export const conclude = async (
  context: Context,
  attempt: Attempt,
  outcome: Outcome,
): Promise<Concluded | undefined> => {
  const { environmentId, sessionId: id } = attempt
  const session = id === undefined ? undefined : await context.storage.session(environmentId, { id })
  if (!session) return undefined
  const sealer = await context.sealerOf(environmentId)
  const state = await stateOf(context, session)
  if (!outcome.ok || session.opens !== 'link') return { session, state, code: undefined }
  const fresh = newNonce()
  const kept = await context.storage.setSessionCode(environmentId, session.id, {
    code: sealer.seal(['connect_sessions', session.id, 'code'], fresh),
    codeHash: sha256(fresh),
  })
  return { session, state, code: kept && sealer.open(['connect_sessions', session.id, 'code'], kept) }
}
