/**
 * The JWT of an end user, for the browser SDK (RFC 7519, RFC 8725): HS256 under the environment's own key, one hour,
 * `{user: {_id}}`. The environment stands in `kid`, so that its key can be found; nothing is believed before the
 * signature is checked.
 */
import type { Context } from '../core/context.ts'
import { type EndUser, shownUserId } from '../core/end-user.ts'
import type { Environment } from '../core/environment.ts'
import { MortiseError, type Reason } from '../core/errors.ts'
import { jwtKeyOf } from '../core/jwt-key.ts'
import { ownUser } from '../core/users.ts'

/** Seconds. */
const life = 60 * 60

/** What it is for (RFC 8725 §3.9): nothing else that this key may come to sign is one. */
const audience = 'mortise:page'

// Loaded when first asked for: the hub starts without it.
const jose = () => import('jose')

const keyOf = async (context: Context, environmentId: number): Promise<Uint8Array> =>
  new TextEncoder().encode((await jwtKeyOf(context, environmentId)).reveal())

export const issueJwt = async (
  context: Context,
  environment: Environment,
  user: EndUser,
): Promise<{ token: string; expiresAt: Date }> => {
  const { SignJWT } = await jose()
  const issued = Math.floor(context.clock.now().getTime() / 1000)
  const token = await new SignJWT({ user: { _id: user.id } })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: environment.id.toString(36) })
    .setAudience(audience)
    .setIssuedAt(issued)
    .setExpirationTime(issued + life)
    .sign(await keyOf(context, environment.id))
  return { token, expiresAt: new Date((issued + life) * 1000) }
}

const refuse = (reason: Reason, message: string) => new MortiseError('unauthenticated', message, { reason })

/** The end user that a JWT stands for. Throws `unauthenticated`: missing, malformed (a key!), of another hub, expired. */
export const checkJwt = async (
  context: Context,
  token: string | undefined,
): Promise<{ environment: Environment; user: EndUser }> => {
  const ask = 'Your back end gets one from GET /users/{id}/token and hands it to the page.'
  if (token === undefined || token === '') throw refuse('jwt_missing', `The request carries no JWT. ${ask}`)
  if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token))
    throw refuse(
      'jwt_malformed',
      `That is no JWT${token.includes('.') ? '' : ', and looks like an API key, which must never be in a page. Revoke it if it was'}. ${ask}`,
    )
  const { jwtVerify, decodeProtectedHeader, errors } = await jose()
  const unknown = () => refuse('jwt_malformed', `The JWT is not one of this hub's. ${ask}`)
  let environment: Environment
  let payload: Readonly<Record<string, unknown>>
  try {
    const { kid } = decodeProtectedHeader(token)
    environment = await context.environmentOf(Number.parseInt(kid ?? '', 36))
    const key = await keyOf(context, environment.id)
    const options = {
      audience,
      algorithms: ['HS256'],
      currentDate: context.clock.now(),
      requiredClaims: ['exp', 'iat'],
    }
    payload = (await jwtVerify(token, key, options)).payload
  } catch (error) {
    if (error instanceof errors.JWTExpired)
      throw refuse('jwt_expired', 'The JWT has expired; it is good for one hour. Get a new one for the page.')
    if (error instanceof MortiseError || error instanceof errors.JOSEError || error instanceof TypeError)
      throw unknown()
    throw error
  }
  const id = (payload['user'] as { _id?: unknown } | undefined)?._id
  if (typeof id !== 'string') throw unknown()
  if (id === shownUserId(environment.id, '')) return { environment, user: ownUser(environment) }
  const user = await context.storage.endUser(environment.id, { id })
  if (user) return { environment, user }
  throw refuse('jwt_malformed', 'The user of this JWT has been deleted.')
}
