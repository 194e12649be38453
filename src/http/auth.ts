/**
 * Who may call. Three modes: a Bearer secret key; Basic (`key:` as old clients send it, or the configured user and
 * password); and, on loopback with no key anywhere, no header at all.
 */
import type { FastifyRequest } from 'fastify'
import type { Secret } from '../core/credential.ts'
import { type Environment, type Scope, scopes } from '../core/environment.ts'
import { MortiseError } from '../core/errors.ts'
import { equal } from '../core/ids.ts'
import { type Caller, type Keyring, publicKeyPrefix } from '../core/keys.ts'
import { isLoopbackHost, parseUrl } from '../core/loopback.ts'

export interface Access {
  readonly keyring: Keyring
  /** The environment of the keyless hub, of MORTISE_BASIC_AUTH and of MORTISE_SECRET_KEY. */
  readonly firstEnvironment: Environment
  readonly basicAuth?: { readonly user: string; readonly password: Secret }
  readonly publicUrl: URL
  /** Whether every address that the hub listens on is loopback. */
  readonly onLoopback: boolean
}

/** Open: no key is configured, and nothing but this machine can reach the hub. */
export const isKeyless = async (access: Access): Promise<boolean> =>
  access.onLoopback &&
  access.basicAuth === undefined &&
  isLoopbackHost(access.publicUrl.hostname) &&
  (await access.keyring.unused())

const refuse = (message: string) => new MortiseError('forbidden', message, { reason: 'keyless_refused' })

/**
 * What every request to a keyless hub must show, pages and API alike: that it comes from this machine, under a loopback
 * name (a rebinding name does not), and not through a proxy.
 */
export const checkLocal = (request: FastifyRequest): void => {
  const host = parseUrl(`http://${request.headers.host ?? ''}`)
  if (!host || !isLoopbackHost(host.hostname))
    throw refuse(
      'This hub has no key yet, so it answers only under a loopback name such as localhost. To open it up, make a key: mortise key create',
    )
  const forwarded = Object.keys(request.headers).find(
    name => name === 'forwarded' || name === 'via' || name.startsWith('x-forwarded-'),
  )
  if (forwarded !== undefined)
    throw refuse(
      `This hub has no key yet, so it does not answer through a proxy (the request carries ${forwarded}). Make a key first: mortise key create`,
    )
  const from = request.socket.remoteAddress?.replace(/^::ffff:/, '')
  if (from !== undefined && !isLoopbackHost(from))
    throw refuse('This hub has no key yet, so it answers this machine only. Make a key: mortise key create')
}

/** What else an API request must show: that no other web page sent it. */
const checkOwnPage = (request: FastifyRequest, access: Access): void => {
  const { origin } = request.headers
  const site = request.headers['sec-fetch-site']
  const own = origin === undefined || origin === access.publicUrl.origin || origin === `http://${request.headers.host}`
  if (!own || (site !== undefined && site !== 'same-origin' && site !== 'none'))
    throw refuse(
      'This hub has no key yet, so it does not answer other web pages. Call it from your back end, or make a key: mortise key create',
    )
}

/**
 * Whether a page of this origin may use a browser route (one that a public key opens): the hub's own, one that the
 * environment lists, in dev any on loopback. A navigation carries no Origin; a request that is neither is refused.
 */
export const checkBrowserOrigin = (
  request: FastifyRequest,
  access: Access,
  allowed: readonly string[],
  dev: boolean,
): void => {
  const { origin } = request.headers
  if (origin !== undefined && origin !== access.publicUrl.origin && !allowed.includes(origin)) {
    const url = parseUrl(origin)
    if (!(dev && url && isLoopbackHost(url.hostname)))
      throw new MortiseError(
        'forbidden',
        `Pages of ${url?.origin ?? 'that origin'} may not start a flow here. The operator can allow them: mortise env allow-origin ${url?.origin ?? 'https://…'}`,
        {
          reason: 'origin_not_allowed',
        },
      )
  }
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': dest, 'sec-fetch-site': site } = request.headers
  const crossSite = site !== undefined && site !== 'same-origin' && site !== 'none'
  if (crossSite && origin === undefined && (mode !== 'navigate' || dest !== 'document'))
    throw new MortiseError('forbidden', 'A flow starts in a window of its own, not in a frame or behind a page.', {
      reason: 'origin_not_allowed',
    })
}

const sessionToken = /^nango_connect_session_/
const jwt = /^[\w-]+\.[\w-]+\.[\w-]*$/

/** The caller of an API request. Throws `unauthenticated` or `forbidden`. */
export const authenticate = async (request: FastifyRequest, access: Access): Promise<Caller> => {
  const [, scheme = '', value = ''] = /^(\S+)\s+(.*\S)\s*$/.exec(request.headers.authorization ?? '') ?? []
  const limited = scheme.toLowerCase() === 'bearer' ? checkLimited(value) : undefined
  if (limited) throw limited
  if (await isKeyless(access)) {
    checkLocal(request)
    checkOwnPage(request, access)
    return { environmentId: access.firstEnvironment.id, scopes: new Set(scopes) }
  }
  if (request.headers.authorization === undefined)
    throw new MortiseError(
      'unauthenticated',
      'The request has no Authorization header. Send: Authorization: Bearer <secret key>',
      { reason: 'key_missing' },
    )
  if (scheme.toLowerCase() === 'bearer') return access.keyring.find(value)
  if (scheme.toLowerCase() === 'basic') {
    const [, user = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(value, 'base64').toString()) ?? []
    const known = access.basicAuth
    if (known && equal(user, known.user) && equal(password, known.password.reveal()))
      return { environmentId: access.firstEnvironment.id, scopes: new Set(scopes) }
    if (user !== '' && password === '') return access.keyring.find(user)
    throw new MortiseError(
      'unauthenticated',
      'Basic authentication needs the secret key as user and an empty password, or the user and password of MORTISE_BASIC_AUTH.',
      {
        reason: 'key_unknown',
      },
    )
  }
  throw new MortiseError('unauthenticated', 'The Authorization header must be: Bearer <secret key>, or Basic.', {
    reason: 'key_malformed',
  })
}

/** Things that are no secret key limit what may be done, even where no key is needed. */
const checkLimited = (token: string): MortiseError | undefined => {
  if (token.startsWith(publicKeyPrefix))
    return new MortiseError(
      'forbidden',
      'A public key starts flows in a browser; it reads nothing. Send a secret key instead.',
      { reason: 'key_scope' },
    )
  if (sessionToken.test(token) || jwt.test(token))
    return new MortiseError(
      'unauthenticated',
      'The session token or JWT is not known here. Send a secret key instead.',
      { reason: 'key_unknown' },
    )
  return undefined
}

export const requireScope = (caller: Caller, scope: Scope): void => {
  if (caller.scopes.has(scope)) return
  throw new MortiseError(
    'forbidden',
    `The secret key lacks the scope ${scope}. Make one that has it: mortise key create --scope ${scope}`,
    { reason: 'key_scope' },
  )
}
