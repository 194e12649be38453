/** Who begins a flow in a browser: a page that has the public key, or one that was given the token of a connect session. */
import type { FastifyRequest } from 'fastify'
import type { Environment } from '../../core/environment.ts'
import { badParameter, MortiseError } from '../../core/errors.ts'
import type { Hub } from '../../core/hub.ts'
import { findSession } from '../../core/open-session.ts'
import type { ConnectSession } from '../../core/session.ts'
import { type Access, isKeyless } from '../auth.ts'
import { single } from './query.ts'

export interface Starter {
  readonly environment: Environment
  /** Absent: it is the public key, which anyone has. */
  readonly session?: ConnectSession
}

const prefix = 'nango_connect_session_'

/** A session's token as this dialect writes it. */
export const shownToken = (token: string): string => prefix + token

/** The page where the end user of a session picks what to connect. */
export const connectLink = (publicUrl: string, token: string): string =>
  `${publicUrl}/connect/?session_token=${shownToken(token)}`

/** The session of a token as this dialect writes it. Throws `unauthenticated`, for one that is over too. */
export const sessionOfToken = async ({ context }: Hub, text: string): Promise<ConnectSession> => {
  const token = text.startsWith(prefix) ? text.slice(prefix.length) : ''
  if (!/^[0-9a-f]{64}$/.test(token))
    throw new MortiseError(
      'unauthenticated',
      `The token of a connect session is ${prefix} and 64 hex digits. Your back end gets one by POST /connect/sessions.`,
      { reason: 'session_token_malformed' },
    )
  const session = await findSession(context, token)
  if (session?.opens === 'token' && session.expiresAt > context.clock.now()) return session
  throw new MortiseError(
    'unauthenticated',
    'The connect session is not known here, or it is over: it is good for half an hour. Your back end gets a new one by POST /connect/sessions.',
    { reason: 'session_token_unknown' },
  )
}

/** The token in the header `Authorization: Bearer nango_connect_session_…`. */
export const bearerToken = (request: FastifyRequest): string | undefined =>
  /^bearer\s+(nango_connect_session_\S*)\s*$/i.exec(request.headers.authorization ?? '')?.[1]

/** Throws `unauthenticated`. A session says more than a public key, so it stands where both are sent. */
export const starterOf = async (
  hub: Hub,
  access: Access,
  query: URLSearchParams,
  bearer?: string,
): Promise<Starter> => {
  const token = bearer ?? single(query, 'connect_session_token')
  if (token !== undefined) {
    const session = await sessionOfToken(hub, token)
    return { session, environment: await hub.context.environmentOf(session.environmentId) }
  }
  const publicKey = single(query, 'public_key')
  if (publicKey !== undefined) return { environment: await hub.environmentByPublicKey(publicKey) }
  // As it is now: the HMAC may have been switched on since the hub started.
  if (await isKeyless(access)) return { environment: await hub.context.environmentOf(access.firstEnvironment.id) }
  throw new MortiseError(
    'unauthenticated',
    'public_key is missing from the link (`npx mortise env show` prints it), and so is connect_session_token.',
    { reason: 'public_key_missing' },
  )
}

/** What a session says by itself, and a page must not. */
export const refuseBesideSession = (query: URLSearchParams): void => {
  if (query.has('connection_id'))
    throw badParameter(
      'connection_id',
      'connection_id cannot be given with a connect session: the hub names the connection, and a session made by POST /connect/sessions/reconnect says which one to repair.',
    )
}
