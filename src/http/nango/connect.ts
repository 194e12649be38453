/** `GET /oauth/connect/:key`: starts a flow in the browser, for a link, a page, or the vendor's own browser client. */
import type { FastifyInstance } from 'fastify'
import type { Start } from '../../core/asked.ts'
import { failed } from '../../core/attempt.ts'
import { Secret } from '../../core/credential.ts'
import { MortiseError, badParameter as wrong } from '../../core/errors.ts'
import { noteFailedStart } from '../../core/failed-start.ts'
import type { Hub } from '../../core/hub.ts'
import { openChosen } from '../../core/open-session.ts'
import type { OwnClient } from '../../core/own-client.ts'
import { type Access, checkBrowserOrigin } from '../auth.ts'
import { attemptCookie, nonceIn } from '../cookies.ts'
import { sendFailure } from '../pages.ts'
import { queryOf } from '../query.ts'
import { errorOf } from '../thrown.ts'
import { errorType, toError } from './errors.ts'
import { returnParameters, toReturn } from './map.ts'
import { checkNames, flag, grouped, list, paramsIn, single } from './query.ts'
import { refuseBesideSession, type Starter, starterOf } from './starter.ts'
import { tellFailure } from './tell.ts'

/** The name under which attempts of this dialect are kept. */
export const dialect = 'nango'

const known = new Set([
  'public_key',
  'connect_session_token',
  'connection_id',
  'api_redirect_url',
  'scopes',
  'user_scope',
  'hmac',
  'allow_duplicate',
  'ws_client_id',
])
const groups = ['params', 'authorization_params', 'credentials']

export const connectRoute = (app: FastifyInstance, hub: Hub, access: Access): void => {
  const { context } = hub
  const { storage, dev, publicUrl, log } = context
  const secure = publicUrl.startsWith('https:')

  app.get<{ Params: { key: string } }>('/oauth/connect/:key', async (request, reply) => {
    const query = queryOf(request)
    // The document prints the path with the colon of its placeholder.
    const integrationKey = request.params.key.replace(/^:/, '')
    let starter: Starter | undefined
    let returnTo: string | undefined
    try {
      starter = await starterOf(hub, access, query)
      const { environment, session } = starter
      checkBrowserOrigin(request, access, await storage.allowed(environment.id, 'origin'), dev)
      const asked = single(query, 'api_redirect_url')
      if (asked !== undefined) {
        refuseReserved(asked)
        // From here on the caller hears of failures at its own URL.
        returnTo = await hub.checkReturn(environment, asked)
      }
      checkNames(query, known, groups)
      const ask = { ...askOf(query), integrationKey, ...(returnTo === undefined ? {} : { returnTo }) }
      if (session) {
        refuseBesideSession(query)
        const nonceOf = (name: string) => nonceIn(request.headers.cookie, name, secure)
        const { started, cookie } = await openChosen(context, session, ask, nonceOf)
        reply.header('set-cookie', [attemptCookie(cookie, secure), attemptCookie(started, secure)])
        return await reply.redirect(started.url, 302)
      }
      const connectionId = single(query, 'connection_id')
      const started = await hub.start({
        ...ask,
        environment,
        ...(connectionId === undefined ? {} : { connectionId }),
        trust: await hub.trust(environment, integrationKey, connectionId ?? '', single(query, 'hmac')),
        dialect,
      })
      return await reply.header('set-cookie', attemptCookie(started, secure)).redirect(started.url, 302)
    } catch (thrown) {
      const error = errorOf(thrown, request, log)
      const environment = starter?.environment ?? access.firstEnvironment
      const listener = query.get('ws_client_id')
      if (listener !== null) {
        const connectionId = query.get('connection_id') ?? undefined
        const about = { environmentId: environment.id, integrationKey, connectionId, listener, dialect }
        await noteFailedStart(context, about, error).catch(failure =>
          log.error('a failure was not noted', { err: failure }),
        )
      }
      if (returnTo !== undefined) return reply.redirect(toReturn(returnTo, failed(error)), 302)
      const type = errorType(error.code, error.details.reason)
      return sendFailure(
        reply,
        error,
        toError(error).status,
        type,
        await tellFailure(hub, environment, error.message, type),
      )
    }
  })
}

/** What a link and a session may both ask for. */
const askOf = (query: URLSearchParams): Omit<Start, 'environment' | 'integrationKey' | 'trust' | 'dialect'> => {
  const scopes = list(query, 'scopes')
  const userScopes = list(query, 'user_scope')
  const listener = single(query, 'ws_client_id')
  const ownClient = ownClientIn(query)
  const added = Object.entries(grouped(query, 'authorization_params', 1000))
  return {
    params: paramsIn(query),
    duplicate: flag(query, 'allow_duplicate'),
    ...(scopes ? { scopes } : {}),
    ...(userScopes && userScopes.length > 0 ? { userScopes } : {}),
    // The vendor's browser client writes `undefined` for a parameter that is to go.
    authorizationParams: Object.fromEntries(added.map(([name, value]) => [name, value === 'undefined' ? null : value])),
    ...(ownClient ? { ownClient } : {}),
    ...(listener ? { listener } : {}),
  }
}

const overrides = ['oauth_client_id_override', 'oauth_client_secret_override', 'oauth_refresh_token_override'] as const

/**
 * `credentials[…]`: the end user's own client. It is in the query because the vendor's browser client puts it there; it is
 * sealed at once, the answer is a redirect, and no log of ours has a query.
 */
const ownClientIn = (query: URLSearchParams): OwnClient | undefined => {
  const given = grouped(query, 'credentials', 4000)
  const unknown = Object.keys(given).find(name => !overrides.some(each => each === name))
  if (unknown !== undefined)
    throw wrong(
      `credentials[${unknown}]`,
      `There is no credentials[${unknown}] here; there are ${overrides.join(', ')}.`,
    )
  const [id, secret, refreshToken] = overrides.map(name => given[name])
  if (id === undefined && secret === undefined && refreshToken === undefined) return undefined
  if (!id || !secret)
    throw wrong(
      `credentials[${id ? overrides[1] : overrides[0]}]`,
      `A client of one's own needs both credentials[${overrides[0]}] and credentials[${overrides[1]}].`,
    )
  return { id, secret: new Secret(secret), ...(refreshToken ? { refreshToken: new Secret(refreshToken) } : {}) }
}

const refuseReserved = (url: string): void => {
  const own = returnParameters.find(name => URL.canParse(url) && new URL(url).searchParams.has(name))
  if (own !== undefined)
    throw new MortiseError('invalid_request', `api_redirect_url carries ${own} already, which the hub adds itself.`, {
      reason: 'redirect_not_allowed',
    })
}
