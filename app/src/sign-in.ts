/** S1 in a browser: begin a sign-in, and finish it when the provider sends the browser back. */
import type { Request, Response } from 'express'
import { messageOf } from './alloy-http.ts'
import { ownOrigin, paramsOf, searchOf, sendFailure, wantsHtml } from './answers.ts'
import { noCode, notBegunHere, readCallback } from './callback.ts'
import { getConfig } from './config.ts'
import { connectionIdOf, isOf, latestOf } from './connections.ts'
import { AlloyOAuthFlow, type OAuthStart } from './oauth-flow.ts'
import { sendConnected, sendFound, sendNothing, sendSorry, sendStranger } from './pages.ts'
import { newState, type Sessions } from './sessions.ts'

/** Asks for the URL to send the browser to, and ties its state to this browser. */
export const begin = async (
  sessions: Sessions,
  request: Request,
  response: Response,
  connectorId: string,
  redirectUri: string,
): Promise<OAuthStart & { readonly state: string }> => {
  const ours = newState()
  const started = await new AlloyOAuthFlow().initiateOAuthFlow(connectorId, redirectUri, { state: ours })
  const state = started.state ?? ours
  sessions.begin(request, response, state, connectorId)
  return { ...started, state }
}

export const connectNotion = async (sessions: Sessions, request: Request, response: Response): Promise<void> => {
  try {
    const redirectUri = `${ownOrigin(request)}/oauth/callback`
    const { oauthUrl } = await begin(sessions, request, response, 'notion', redirectUri)
    response.redirect(oauthUrl)
  } catch (error) {
    sendSorry(response, 500, `Failed to initiate OAuth flow: ${messageOf(error)}`)
  }
}

export const finish = async (sessions: Sessions, request: Request, response: Response): Promise<void> => {
  const callback = readCallback(paramsOf(request), state => sessions.holds(request, state))
  const page = wantsHtml(request)
  switch (callback.kind) {
    case 'provider':
      // The hub's redirect URI at the provider is this address: the hub finishes what it began.
      response.redirect(`${getConfig().alloyBaseUrl}/oauth/callback${searchOf(request)}`)
      return
    case 'stranger':
      if (page) sendStranger(response)
      else sendFailure(response, 403, { error: notBegunHere, suggestion: 'Begin at /connect/notion in this browser.' })
      return
    case 'error': {
      if (callback.state !== undefined) sessions.take(request, callback.state)
      const error = `OAuth error: ${callback.error}`
      if (page) sendSorry(response, 400, error)
      else sendFailure(response, 400, { error, suggestion: 'Begin again at /connect/notion.' })
      return
    }
    case 'nothing':
      return showLatest(response, page)
    case 'code':
      // Gone before it is redeemed: the same code is not redeemed twice.
      return redeem(sessions.take(request, callback.state) ?? 'notion', callback, response, page)
  }
}

const redeem = async (
  connectorId: string,
  { code, state }: { code: string; state: string },
  response: Response,
  page: boolean,
): Promise<void> => {
  try {
    const { connectionId } = await new AlloyOAuthFlow().handleOAuthCallback(connectorId, code, state)
    console.log(`Connection established: ${connectionId}`)
    if (page) sendConnected(response, connectionId)
    else response.json({ success: true, connectionId })
  } catch (error) {
    const message = messageOf(error)
    if (page) sendSorry(response, 500, `Failed to complete OAuth: ${message}`)
    else sendFailure(response, 500, { error: message, details: 'The code was not exchanged for a connection.' })
  }
}

/** S2: a server that sends no code has made a connection all the same. */
const showLatest = async (response: Response, page: boolean): Promise<void> => {
  let why: string | undefined
  try {
    const rows = (await new AlloyOAuthFlow().listConnections()).filter(each => isOf('notion', each))
    const latest = latestOf(rows)
    const connectionId = latest && connectionIdOf(latest)
    if (latest && connectionId !== undefined) {
      if (page) sendFound(response, latest, rows.length)
      else response.json({ success: true, connectionId, message: `${noCode}. This is the latest connection.` })
      return
    }
  } catch (error) {
    why = `The connections could not be listed: ${messageOf(error)}`
  }
  if (page) sendNothing(response, why)
  else
    sendFailure(response, 400, {
      error: noCode,
      details: why ?? 'There is no Notion connection yet.',
      suggestion: 'Begin at /connect/notion, and approve at Notion.',
    })
}
