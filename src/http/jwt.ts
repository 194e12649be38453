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

/**
 * What a JWT is for (RFC 8725 §3.9), and how long, in seconds. `page`: what a page of the app holds. `link`: a link that the
 * app's back end sends somebody; no page can make one of what it holds.
 */
const lives = { page: 60 * 60, link: 7 * 24 * 60 * 60 }
type Purpose = keyof typeof lives
const audienceOf = (purpose: Purpose): string => `mortise:${purpose}`

// Loaded when first asked for: the hub starts without it.
const jose = () => import('jose')

const keyOf = async (context: Context, environmentId: number): Promise<Uint8Array> =>
  new TextEncoder().encode((await jwtKeyOf(context, environmentId)).reveal())

export const issueJwt = async (
  context: Context,
  environment: Environment,
  user: EndUser,
  purpose: Purpose = 'page',
): Promise<{ token: string; expiresAt: Date }> => {
  const { SignJWT } = await jose()
  const issued = Math.floor(context.clock.now().getTime() / 1000)
  const expires = issued + lives[purpose]
  const token = await new SignJWT({ user: { _id: user.id } })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: environment.id.toString(36) })
    .setAudience(audienceOf(purpose))
    .setIssuedAt(issued)
    .setExpirationTime(expires)
    .sign(await keyOf(context, environment.id))
  return { token, expiresAt: new Date(expires * 1000) }
}

const refuse = (reason: Reason, message: string) => new MortiseError('unauthenticated', message, { reason })

/** The end user that a JWT stands for. Throws `unauthenticated`: missing, malformed (a key!), of another hub, expired. */
export const checkJwt = async (
  context: Context,
  token: string | undefined,
  purpose: Purpose = 'page',
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
      audience: audienceOf(purpose),
      algorithms: ['HS256'],
      currentDate: context.clock.now(),
      requiredClaims: ['exp', 'iat'],
    }
    payload = (await jwtVerify(token, key, options)).payload
  } catch (error) {
    if (error instanceof errors.JWTExpired)
      throw refuse(
        'jwt_expired',
        purpose === 'link'
          ? 'This link has expired; it is good for a week. Ask the app for a new one.'
          : 'The JWT has expired; it is good for one hour. Get a new one for the page.',
      )
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
