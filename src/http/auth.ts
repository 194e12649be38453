/**
 * Who may call. Three modes: a Bearer secret key; Basic (`key:` as old clients send it, or the configured user and
 * password); and, on loopback with no key anywhere, no header at all.
 */
import type { FastifyRequest } from 'fastify'
import type { Context } from '../core/context.ts'
import type { Secret } from '../core/credential.ts'
import { type Environment, everyScope, type Scope } from '../core/environment.ts'
import { MortiseError } from '../core/errors.ts'
import { equal } from '../core/ids.ts'
import { type Caller, type Keyring, type Keys, publicKeyPrefix } from '../core/keys.ts'
import { isLoopbackHost, parseUrl } from '../core/loopback.ts'
import { type Soon, soon } from '../core/soon.ts'

export interface Access {
  readonly keyring: Keyring
  /** The environment of the keyless hub, of MORTISE_BASIC_AUTH and of MORTISE_SECRET_KEY. */
  readonly firstEnvironment: Environment
  readonly basicAuth?: { readonly user: string; readonly password: Secret }
  readonly publicUrl: URL
  /** Further origins under which the operator has clients find it. */
  readonly alsoKnownAs: readonly string[]
  /** Whether every address that the hub listens on is loopback. */
  readonly onLoopback: boolean
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The keys as they were when the request came in, where it had to be asked then whether there are any. */
    keys: Keys | undefined
  }
}

/** What the first checks look at: an upgrade to a socket has it too. */
type Headed = Pick<FastifyRequest, 'headers'>

/** Whether the hub is open while it has no key: nothing is configured, and nothing but this machine can reach it. */
export const mayBeKeyless = (access: Access): boolean =>
  access.onLoopback &&
  access.basicAuth === undefined &&
  access.alsoKnownAs.length === 0 &&
  isLoopbackHost(access.publicUrl.hostname)

/** Open: no key was ever made, and nothing but this machine can reach the hub. */
export const isKeyless = async (access: Access): Promise<boolean> =>
  mayBeKeyless(access) && (await access.keyring.now()).unused

/** Whether pages of an origin are the hub's own. */
export const isOwnOrigin = ({ publicUrl, alsoKnownAs }: Access, origin: string): boolean =>
  origin === publicUrl.origin || alsoKnownAs.includes(origin)

/** Whether a request came to one of the hub's further hosts. */
export const isFurtherHost = ({ alsoKnownAs }: Access, host: URL | undefined): boolean =>
  host !== undefined && alsoKnownAs.some(each => new URL(each).host === host.host)

const refuse = (message: string) => new MortiseError('forbidden', message, { reason: 'keyless_refused' })

/** The Host that the request names, if that is nothing but a host. */
export const hostOf = (request: Headed): URL | undefined => {
  const host = parseUrl(`http://${request.headers.host ?? ''}`)
  return host?.username === '' && host.password === '' && host.pathname === '/' && host.search === '' ? host : undefined
}

/**
 * What every request to a keyless hub must show, pages and API alike: that it comes from this machine, under a loopback
 * name (a rebinding name does not), and not through a proxy.
 */
export const checkLocal = (request: Headed): void => {
  if (!isLoopbackHost(hostOf(request)?.hostname ?? ''))
    throw refuse(
      'This hub has no key yet, so it answers only under a loopback name such as localhost. To open it up, make a key: npx mortise key create',
    )
  const forwarded = Object.keys(request.headers).find(
    name => name === 'forwarded' || name === 'via' || name.startsWith('x-forwarded-'),
  )
  if (forwarded !== undefined)
    throw refuse(
      `This hub has no key yet, so it does not answer through a proxy (the request carries ${forwarded}). Make a key first: npx mortise key create`,
    )
}

/** What else a request to a keyless hub must show, but for the steps of a flow: that no other web page sent it. */
export const checkOwnPage = (request: FastifyRequest, access: Access): void => {
  if (isOwnPage(request, access)) return
  throw refuse(
    'This hub has no key yet, so it does not answer other web pages. Call it from your back end, or make a key: npx mortise key create',
  )
}

/** Whether no page of another origin sent the request: it comes from a program, from an address bar, or from ours. */
const isOwnPage = (request: FastifyRequest, access: Access): boolean => {
  const { origin } = request.headers
  const site = request.headers['sec-fetch-site']
  const own = origin === undefined || isOwnOrigin(access, origin) || origin === `http://${request.headers.host}`
  return own && (site === undefined || site === 'same-origin' || site === 'none')
}

/**
 * Whether pages of this origin may ask at all, where it is not known yet for which environment: the hub's own, one that any
 * environment lists, in dev any on loopback.
 */
export const mayAsk = async ({ storage, dev, publicUrl }: Context, origin: string): Promise<boolean> => {
  if (origin === new URL(publicUrl).origin) return true
  const url = parseUrl(origin)
  if (dev && url && isLoopbackHost(url.hostname)) return true
  for (const environment of await storage.environments())
    if ((await storage.allowed(environment.id, 'origin')).includes(origin)) return true
  return false
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
  if (origin !== undefined && !isOwnOrigin(access, origin) && !allowed.includes(origin)) {
    const url = parseUrl(origin)
    if (!(dev && url && isLoopbackHost(url.hostname)))
      throw new MortiseError(
        'forbidden',
        `Pages of ${url?.origin ?? 'that origin'} may not start a flow here. The operator can allow them: npx mortise env allow-origin ${url?.origin ?? 'https://…'}`,
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

/** What the Authorization header presents. */
const presented = (
  request: FastifyRequest,
): { token: string; password: string; scheme: 'bearer' | 'basic' | 'none' } => {
  const header = request.headers.authorization ?? ''
  const [, scheme = '', value = ''] = /^(\S+)\s+(.*\S)\s*$/.exec(header) ?? []
  if (scheme.toLowerCase() === 'bearer') return { token: value, password: '', scheme: 'bearer' }
  if (scheme.toLowerCase() !== 'basic') return { token: header, password: '', scheme: 'none' }
  const [, token = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(value, 'base64').toString()) ?? []
  return { token, password, scheme: 'basic' }
}

/**
 * The caller of an API request: at once, where the keys are known. Throws (or rejects with) `unauthenticated` or
 * `forbidden`. `keys`: those of now, where the request has waited for its body.
 */
export const authenticate = (
  request: FastifyRequest,
  access: Access,
  keys: Soon<Keys> = request.keys ?? access.keyring.now(),
): Soon<Caller> => soon(keys, known => callerOf(request, access, known))

const callerOf = (request: FastifyRequest, access: Access, keys: Keys): Caller => {
  const first = (id: string): Caller => ({ id, environmentId: access.firstEnvironment.id, scopes: everyScope })
  const { token, password, scheme } = presented(request)
  // A keyless hub ignores a secret key. Where the request comes from was checked before any route.
  if (mayBeKeyless(access) && keys.unused) {
    const limited = limitOf(token)
    if (limited) throw limited
    return first('keyless')
  }
  if (request.headers.authorization === undefined)
    throw new MortiseError(
      'unauthenticated',
      'The request has no Authorization header. Send: Authorization: Bearer <secret key>',
      { reason: 'key_missing' },
    )
  if (scheme === 'none')
    throw new MortiseError('unauthenticated', 'The Authorization header must be: Bearer <secret key>, or Basic.', {
      reason: 'key_malformed',
    })
  // A browser sends Basic by itself, to whoever makes it ask.
  if (scheme === 'basic' && !isOwnPage(request, access))
    throw new MortiseError(
      'forbidden',
      'A page of another site sent this request with your sign-in. Call the API from a back end, with a Bearer key.',
      { reason: 'origin_not_allowed' },
    )
  const known = access.basicAuth
  if (scheme === 'basic' && known && equal(token, known.user) && equal(password, known.password.reveal()))
    return first('basic')
  if (token === '' || password !== '')
    throw new MortiseError(
      'unauthenticated',
      'Basic authentication needs the secret key as user and an empty password, or the user and password of MORTISE_BASIC_AUTH.',
      { reason: 'key_unknown' },
    )
  try {
    return keys.find(token)
  } catch (error) {
    throw limitOf(token) ?? error
  }
}

/** What is no secret key limits what may be done, even where no key is needed. */
const limitOf = (token: string): MortiseError | undefined => {
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
    `The secret key lacks the scope ${scope}. Make one that has it besides the others: npx mortise key create --scope ${scope} --scope …`,
    { reason: 'key_scope' },
  )
}
