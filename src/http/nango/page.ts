/**
 * The page behind `connect_link`, where an end user picks what to connect; an app also shows it in a frame (`openConnectUI`).
 * The page itself is the same for everyone and holds nothing. Its script has the token: from the link, whose address it
 * changes at once, or from the page around the frame. What it then asks for is below.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { badParameter, MortiseError } from '../../core/errors.ts'
import type { Hub } from '../../core/hub.ts'
import type { Integration } from '../../core/integration.ts'
import { isLoopbackHost, parseUrl } from '../../core/loopback.ts'
import { openChosen } from '../../core/open-session.ts'
import type { ConnectSession, Fixed } from '../../core/session.ts'
import { type Access, checkBrowserOrigin, isOwnOrigin } from '../auth.ts'
import { sendConnectPage } from '../connect-page.ts'
import { attemptCookie, nonceIn } from '../cookies.ts'
import { sendAgain, sendFailure, sendOnward } from '../pages.ts'
import { queryOf } from '../query.ts'
import { errorOf } from '../thrown.ts'
import { errorType, toError } from './errors.ts'
import { paramsIn, single } from './query.ts'
import { bearerToken, sessionOfToken } from './starter.ts'
import { tellFailure } from './tell.ts'

/** Where the page is, and the path to it that the vendor's browser client makes of a hub's address. */
export const connectPage = '/connect/'
const isForPage = /^\/\?(?:[^#]*&)?(?:apiURL|session_token)=/
/** The vendor's browser client opens `<hub>/?apiURL=…`; the hub's own start page has no such parameters. */
export const toConnectPage = (url: string): string => (isForPage.test(url) ? connectPage + url.slice(1) : url)

export const pageRoutes = async (app: FastifyInstance, hub: Hub, access: Access): Promise<void> => {
  const { context } = hub
  const { storage, dev, publicUrl, log } = context
  const secure = publicUrl.startsWith('https:')

  const send = async (_request: FastifyRequest, reply: FastifyReply) => {
    // The origin goes along, so that the form which begins a flow is seen to come from here; the rest of the address does not.
    reply.header('referrer-policy', 'strict-origin')
    // Whose session it will be is not known yet: any page may show it that any environment lists.
    return sendConnectPage(
      reply,
      200,
      context,
      access,
      (await storage.environments()).map(({ id }) => id),
    )
  }
  app.get('/connect', send)
  app.get(connectPage, send)

  /** The session of the page's token. `framedBy`: the page around it, which must be one of that environment's. */
  const sessionFor = async (request: FastifyRequest, token: string, framedBy?: string): Promise<ConnectSession> => {
    const session = await sessionOfToken(hub, token)
    const allowed = await storage.allowed(session.environmentId, 'origin')
    checkBrowserOrigin(request, access, allowed, dev)
    if (framedBy === undefined || framedBy === publicUrl || allowed.includes(framedBy)) return session
    const around = parseUrl(framedBy)
    if (dev && around && isLoopbackHost(around.hostname)) return session
    throw new MortiseError(
      'forbidden',
      `Pages of ${around?.origin ?? 'that origin'} may not show this page. The operator can allow them: npx mortise env allow-origin ${around?.origin ?? 'https://…'}`,
      { reason: 'origin_not_allowed' },
    )
  }

  app.get('/connect/choices', async request => {
    const query = queryOf(request)
    const token = bearerToken(request)
    if (token === undefined)
      throw new MortiseError('unauthenticated', 'The token of the session is missing.', { reason: 'key_missing' })
    const session = await sessionFor(request, token, single(query, 'origin'))
    const { allowed, fixed = {} } = session.choice ?? {}
    const integrations = await storage.integrations(session.environmentId)
    return {
      reconnecting: session.repairs !== undefined,
      choices: integrations
        .filter(({ key }) => allowed === undefined || allowed.includes(key))
        .map(each => toChoice(hub, each, Object.hasOwn(fixed, each.key) ? (fixed[each.key] ?? {}) : {})),
    }
  })

  await app.register(async forms => {
    // Here alone: what a form can send, any page can send.
    forms.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: 20_000 },
      (_request, text, done) => done(null, new URLSearchParams(String(text))),
    )
    // By a form, so that the token stands in no address.
    forms.post('/connect/start', async (request, reply) => {
      const form = request.body instanceof URLSearchParams ? request.body : new URLSearchParams()
      const { origin = publicUrl, 'sec-fetch-site': site } = request.headers
      // Of the same page under another name of the hub.
      if (site === 'cross-site' && origin !== publicUrl && isOwnOrigin(access, origin))
        return sendAgain(reply, '/connect/start', form)
      const integrationKey = single(form, 'integration') ?? ''
      let environmentId = access.firstEnvironment.id
      try {
        const session = await sessionFor(request, single(form, 'session_token') ?? '')
        environmentId = session.environmentId
        if (integrationKey === '') throw badParameter('integration', 'integration is missing: what is to be connected.')
        const listener = single(form, 'ws_client_id')
        const chosen = { integrationKey, params: paramsIn(form), duplicate: false, ...(listener ? { listener } : {}) }
        const nonceOf = (name: string) => nonceIn(request.headers.cookie, name, secure)
        const { started, cookie } = await openChosen(context, session, chosen, nonceOf)
        reply.header('set-cookie', [attemptCookie(cookie, secure), attemptCookie(started, secure)])
        // A redirect after a form is held back by the `form-action` of the page that sent it; this goes on by itself.
        return await sendOnward(reply, started.url)
      } catch (thrown) {
        const error = errorOf(thrown, request, log)
        const type = errorType(error.code, error.details.reason)
        const tell = await tellFailure(hub, { id: environmentId }, error.message, type)
        return sendFailure(reply, error, toError(error).status, type, tell)
      }
    })
  })
}

/** What the page shows of an integration: its name, and the ways to connect it, each with what it asks for. */
const toChoice = ({ context }: Hub, integration: Integration, fixed: Fixed) => {
  const provider = context.catalogue.get(integration.provider)
  const inputs = Object.entries(provider?.params ?? {})
    .filter(([name, input]) => input.default === undefined && fixed.params?.[name] === undefined)
    .map(([name, { title, example }]) => ({ name, title, example: example ?? '' }))
  const kinds = provider?.keys?.kinds ?? {}
  const key = kinds.apiKey ?? kinds.bearer
  return {
    key: integration.key,
    name: integration.displayName ?? provider?.name ?? integration.provider,
    ...(fixed.docs === undefined ? {} : { docs: fixed.docs }),
    inputs,
    ...(key ? { apiKey: key.title } : {}),
    ...(kinds.basic ? { basic: kinds.basic.title } : {}),
  }
}
