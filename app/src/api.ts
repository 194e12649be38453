/** The JSON routes under /api. */
import { Router } from 'express'
import { alloyHttp } from './alloy-http.ts'
import { ownOrigin, sendFailure, sendThrown, wantsPage } from './answers.ts'
import { getConfig, isLoopback, ownUser, setting } from './config.ts'
import { type ConnectionRow, connectionIdOf, isOf, isUsable, latestOf } from './connections.ts'
import { connectorsOf } from './connectors.ts'
import { diagnose } from './diagnose.ts'
import { AlloyOAuthFlow } from './oauth-flow.ts'
import { sendChecks, sendConnections, sendSettings, sendToken } from './pages.ts'
import type { Sessions } from './sessions.ts'
import { begin } from './sign-in.ts'
import { fetchToken } from './token.ts'
import type { SeenConnections } from './webhook.ts'

/** A row under all its names, so that nobody prints `undefined`; one name for whether it is the latest, where that is known. */
const named = ({ latest, ...row }: ConnectionRow, isLatest = latest) => {
  const id = connectionIdOf(row)
  const mark = isLatest === undefined ? {} : { isLatest }
  return { ...row, id, connectionId: id, credentialId: id, name: row.name ?? null, ...mark }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

export const apiRoutes = (sessions: Sessions, seen: SeenConnections): Router => {
  const api = Router({ caseSensitive: true, strict: true })

  api.get('/health', (_request, response) => {
    response.json({ success: true, status: 'ok' })
  })

  api.get('/config/check', (request, response) => {
    const state = (value: string | undefined) => (value ? 'set' : 'missing')
    try {
      const config = getConfig()
      const settings = {
        ALLOY_BASE_URL: config.alloyBaseUrl,
        ALLOY_API_KEY: config.alloyApiKey === '' ? 'missing (a hub on this machine may need none)' : 'set',
        ALLOY_USER_ID: config.alloyUserId === ownUser ? 'me (the owner of the key)' : 'set',
        CONNECTION_ID: state(config.connectionId),
        ALLOY_WEBHOOK_SECRET: state(setting('ALLOY_WEBHOOK_SECRET')),
      }
      if (wantsPage(request)) sendSettings(response, settings)
      else response.json({ success: true, config: settings, local: isLoopback(config.alloyBaseUrl) })
    } catch (error) {
      sendThrown(request, response, 'The configuration is not complete', error)
    }
  })

  api.get('/diagnose', async (request, response) => {
    const checks = await diagnose(seen)
    if (wantsPage(request)) sendChecks(response, checks)
    else response.json({ success: checks.every(each => each.ok), checks })
  })

  api.get('/connections', async (request, response) => {
    try {
      const config = getConfig()
      const rows = await new AlloyOAuthFlow(config).listConnections()
      const latest = latestOf(rows)
      if (wantsPage(request)) return sendConnections(response, rows, latest, config.alloyBaseUrl)
      response.json({
        success: true,
        connections: rows.map(each => named(each, each === latest)),
        count: rows.length,
        latest: latest ? named(latest, true) : null,
      })
    } catch (error) {
      sendThrown(request, response, 'Failed to list the connections', error)
    }
  })

  api.get('/connections/notion/check', async (request, response) => {
    try {
      const rows = (await new AlloyOAuthFlow().listConnections()).filter(each => isOf('notion', each))
      const latest = latestOf(rows)
      response.json({
        success: true,
        connected: latest !== undefined && isUsable(latest),
        connectionId: latest ? connectionIdOf(latest) : null,
        name: latest?.name ?? null,
        status: latest?.status ?? null,
        count: rows.length,
      })
    } catch (error) {
      sendThrown(request, response, 'Failed to check the Notion connection', error)
    }
  })

  api.get('/connections/:id', async (request, response) => {
    try {
      const flow = new AlloyOAuthFlow()
      const row = await flow.getConnection(request.params.id)
      response.json({ success: true, connection: named(row) })
    } catch (error) {
      sendThrown(request, response, 'Connection not found', error)
    }
  })

  api.get('/connectors', async (request, response) => {
    try {
      const config = getConfig()
      const http = alloyHttp({ baseUrl: config.alloyBaseUrl, apiKey: config.alloyApiKey })
      const connectors = connectorsOf((await http.get('/connectors')).data)
      response.json({ success: true, connectors, count: connectors.length })
    } catch (error) {
      sendThrown(request, response, 'Failed to list the connectors', error)
    }
  })

  api.post('/alloy/token', async (request, response) => {
    try {
      const jwt = await fetchToken(getConfig())
      if (wantsPage(request)) sendToken(response, jwt)
      else response.json({ success: true, token: jwt.token, expiresAt: jwt.expiresAt?.toISOString() ?? null })
    } catch (error) {
      sendThrown(request, response, 'Failed to get a JWT token', error)
    }
  })

  api.post('/oauth/initiate', async (request, response) => {
    const body: Record<string, unknown> = request.body ?? {}
    const connectorId = text(body['connectorId'])
    if (connectorId === undefined) {
      sendFailure(response, 400, {
        error: 'connectorId is missing',
        suggestion: 'Send {"connectorId":"notion"} as JSON. GET /api/connectors lists the others.',
      })
      return
    }
    const redirectUri = text(body['redirectUri']) ?? `${ownOrigin(request)}/oauth/callback`
    try {
      const { oauthUrl, credentialId, state } = await begin(sessions, request, response, connectorId, redirectUri)
      response.json({ success: true, oauthUrl, credentialId: credentialId ?? null, redirectUri, state })
    } catch (error) {
      sendThrown(request, response, 'Failed to initiate OAuth flow', error)
    }
  })

  return api
}
