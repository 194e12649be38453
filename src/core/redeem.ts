/** What became of a connect session, told to the one who made it. */
import type { Connection } from './connection.ts'
import type { Context } from './context.ts'
import { MortiseError, type Reason } from './errors.ts'
import { sha256 } from './ids.ts'
import type { Caller } from './keys.ts'
import { attemptName, type ConnectSession } from './session.ts'

/** How long a code, and its session, may be redeemed after the end user has come back, in milliseconds. */
const codeLife = 10 * 60_000

/** What an app may redeem: the code, the session's id, or the state. */
export type Redeemable =
  | { readonly code: string; readonly state?: string }
  | { readonly sessionId: string; readonly state?: string }
  | { readonly state: string }

export interface Redeemed {
  readonly session: ConnectSession
  readonly connection: Connection
  /** A state was sent that is not the one the hub made: nothing rests on it, but the app should know. */
  readonly stateDiffers: boolean
}

/**
 * What became of a session, for the caller who made it, for ten minutes: again and again the same answer, and never a
 * call to the provider. Throws `invalid_request` (code_unknown, code_other_caller, code_expired, code_pending,
 * state_differs) or how the attempt failed.
 */
export const redeem = async (
  context: Context,
  caller: Pick<Caller, 'environmentId' | 'id'>,
  integrationKey: string,
  given: Redeemable,
  /** The end user that the caller names, if it names one. */
  endUserId?: string,
): Promise<Redeemed> => {
  const { storage, clock } = context
  const session = await storage.session(
    caller.environmentId,
    'code' in given
      ? { codeHash: sha256(given.code) }
      : 'sessionId' in given
        ? { id: given.sessionId }
        : { stateHash: sha256(given.state), caller: caller.id },
  )
  const what = 'code' in given ? 'code' : 'sessionId' in given ? 'credential id' : 'state'
  const refuse = (reason: Reason, message: string) => new MortiseError('invalid_request', message, { reason })
  if (!session)
    throw refuse(
      'code_unknown',
      `The hub gave no such ${what}, or it is long past. Send the one that came to your redirect URI, whole and once decoded; the provider's own code never reaches your app.`,
    )
  if (session.caller !== caller.id)
    throw refuse(
      'code_other_caller',
      `This ${what} belongs to a flow that another key began, and only that key may redeem it.`,
    )
  if (endUserId !== undefined && session.endUserId !== endUserId)
    throw refuse(
      'code_other_user',
      `This ${what} belongs to a flow for another end user than the one named. Keep the state in the session of the browser that you send off, and refuse another one that comes back.`,
    )
  if (!('code' in given) && !('sessionId' in given) && (await storage.countSessions(session)) > 1)
    throw refuse(
      'code_unknown',
      'Several flows were begun with this state, so it names none. Send the code or the credentialId; and give each flow a state of its own.',
    )
  if (session.integrationKey !== integrationKey)
    throw refuse('code_unknown', `This ${what} belongs to a flow for ${session.integrationKey}, not ${integrationKey}.`)
  if (session.finishedAt && clock.now().getTime() - session.finishedAt.getTime() > codeLife)
    throw refuse(
      'code_expired',
      `This ${what} was good for ten minutes after the end user came back, which are over. The connection may be there nevertheless: list the end user's connections, or start a new flow.`,
    )
  if (session.connectionRow === undefined) throw notConnected(session, clock.now())
  const stateDiffers = given.state !== undefined && sha256(given.state) !== session.stateHash
  if (stateDiffers && session.stateGiven)
    throw refuse(
      'state_differs',
      'The state is not the one that this flow was begun with. Check it against the session of the browser that came back, and refuse that browser.',
    )
  const connection = await storage.connectionById(session.environmentId, session.connectionRow)
  if (connection) return { session, connection, stateDiffers }
  throw new MortiseError('not_found', 'The connection that this flow made has been deleted since.', {
    reason: 'connection_deleted',
  })
}

/** How a session stands that has made no connection, as an error. */
export const notConnected = (session: ConnectSession, now: Date): MortiseError => {
  const { outcome } = session
  if (outcome && !outcome.ok)
    return new MortiseError(
      outcome.code,
      `The attempt ${attemptName(session)} did not end well: ${outcome.message}`,
      outcome.reason ? { reason: outcome.reason } : {},
    )
  const where =
    session.expiresAt <= now
      ? 'was never finished, and its half hour is over. Start a new flow.'
      : session.browserHash === undefined
        ? 'is waiting for the end user to open its link.'
        : 'is under way: the end user is at the provider.'
  return new MortiseError('invalid_request', `The attempt ${attemptName(session)} ${where}`, {
    reason: 'code_pending',
  })
}
