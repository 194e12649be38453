/** The web application of the documents, put together. */
import { fileURLToPath } from 'node:url'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { messageOf } from './alloy-http.ts'
import { ownOrigin, sendFailure, wantsHtml } from './answers.ts'
import { apiRoutes } from './api.ts'
import { getConfig, setting } from './config.ts'
import { obstacle } from './diagnose.ts'
import { headers, hostOf, loopbackNamesOnly, ownPagesOnly } from './guard.ts'
import { sendHome } from './pages.ts'
import { Sessions } from './sessions.ts'
import { connectNotion, finish } from './sign-in.ts'
import { sendSorry } from './sign-in-pages.ts'
import { receiveWebhook, SeenConnections } from './webhook.ts'

export const createApp = (): Express => {
  const app = express()
  const sessions = new Sessions()
  const seen = new SeenConnections()
  app.disable('x-powered-by')
  // The guards compare paths as they are written.
  app.enable('case sensitive routing')
  app.enable('strict routing')
  app.set('query parser', 'simple')
  app.use(headers)

  // A signed webhook may come through a tunnel, whose name its Host is.
  app.use('/webhook/alloy', (request, response, next) =>
    setting('ALLOY_WEBHOOK_SECRET') === undefined ? loopbackNamesOnly(request, response, next) : next(),
  )
  app.post('/webhook/alloy', ownPagesOnly, express.raw({ type: () => true }), (request, response) =>
    receiveWebhook(request, response, seen),
  )

  app.use(loopbackNamesOnly, ownPagesOnly)
  app.use(express.static(fileURLToPath(new URL('../public', import.meta.url)), { index: false }))
  app.use(express.json(), express.urlencoded({ extended: false }))

  // A session's cookie belongs to one name of this machine: that of the redirect URI.
  app.get(['/', '/connect/notion'], (request, response, next) => {
    if (hostOf(request)?.hostname === 'localhost') next()
    else response.redirect(ownOrigin(request) + request.originalUrl)
  })
  app.get('/', async (_request, response) => {
    const config = getConfig()
    sendHome(response, config, await obstacle(config))
  })
  app.get('/connect/notion', (request, response) => connectNotion(sessions, request, response))
  app.get('/oauth/callback', (request, response) => finish(sessions, request, response))
  app.post(['/oauth/callback', '/api/oauth/callback'], (request, response) => finish(sessions, request, response))
  app.use('/api', apiRoutes(sessions, seen))

  app.use((request: Request, response: Response) => {
    const error = 'There is nothing at this address.'
    if (wantsHtml(request)) sendSorry(response, 404, error)
    else sendFailure(response, 404, { error, suggestion: 'app/README.md lists the routes.' })
  })
  app.use((thrown: unknown, request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(thrown)
    const failure = failureOf(thrown)
    const status = failure ? statusIn(thrown) : 500
    if (wantsHtml(request))
      sendSorry(response, status, failure ? `${failure.error} ${failure.suggestion}` : messageOf(thrown))
    else sendFailure(response, status, failure ?? { error: messageOf(thrown) })
  })
  return app
}

/** What was wrong with a request that express could not read, or undefined where it is no fault of the request. */
const failureOf = (thrown: unknown): { error: string; suggestion: string } | undefined => {
  const status = statusIn(thrown)
  if (status < 400 || status > 499) return undefined
  const type = thrown instanceof Error && 'type' in thrown ? thrown.type : undefined
  if (type === 'entity.parse.failed')
    return {
      error: 'The body of this request is not JSON.',
      suggestion: 'Send JSON, such as {"connectorId":"notion"}, or a form under its own Content-Type.',
    }
  if (status === 413)
    return {
      error: 'The body of this request is too large.',
      suggestion: 'Send only what app/README.md lists for this route.',
    }
  return {
    error: 'This request cannot be read.',
    suggestion: 'Check its address, its Content-Type and its encoding.',
  }
}

/** What express's own parsers throw has a status. */
const statusIn = (thrown: unknown): number =>
  thrown instanceof Error && 'status' in thrown && typeof thrown.status === 'number' ? thrown.status : 500
