/** S1 in a browser: begin a sign-in, and finish it when the provider sends the browser back. */
import type { Request, Response } from 'express'
import { messageOf } from './alloy-http.ts'
import { ownOrigin, paramsOf, searchOf, sendFailure, wantsHtml } from './answers.ts'
import { noCode, notBegunHere, readCallback } from './callback.ts'
import { getConfig } from './config.ts'
import { connectionIdOf, isOf, latestOf, nonePicked } from './connections.ts'
import { AlloyOAuthFlow, type OAuthStart } from './oauth-flow.ts'
import { disconnect, outcomeOf } from './outcome.ts'
import { type Attempt, newState, type Sessions } from './sessions.ts'
import { sendConnected, sendFound, sendNothing, sendSorry, sendStranger, toEnv } from './sign-in-pages.ts'

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
  sessions.begin(request, response, { state, connectorId, credentialId: started.credentialId })
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
  const params = paramsOf(request)
  const callback = readCallback(params, state => sessions.own(request, state) !== undefined)
  const page = wantsHtml(request)
  switch (callback.kind) {
    case 'provider':
      // The hub's redirect URI at the provider is this address: the hub finishes what it began.
      response.redirect(`${getConfig().alloyBaseUrl}/oauth/callback${searchOf(request)}`)
      return
    case 'error': {
      const attempt = callback.state === undefined ? undefined : sessions.own(request, callback.state)
      if (attempt !== undefined) attempt.used = true
      const error = `OAuth error: ${callback.error}`
      if (page) sendSorry(response, 400, error)
      else sendFailure(response, 400, { error, suggestion: 'Begin again at /connect/notion.' })
      return
    }
    case 'code': {
      const attempt = sessions.own(request, callback.state)
      if (attempt?.connectionId !== undefined) return succeed(attempt.connectionId, response, page)
      if (attempt === undefined || attempt.used) return refuse(response, page)
      // Before it is redeemed: the same code is not redeemed twice.
      attempt.used = true
      return redeem(attempt, callback.code, response, page)
    }
    case 'stranger':
    case 'nothing': {
      const [state, ...more] = params.getAll('state')
      const single = more.length === 0 ? state : undefined
      const foreign = single === undefined ? undefined : sessions.foreign(request, single)
      if (foreign !== undefined) return refuse(response, page, await undo(foreign))
      if (callback.kind === 'stranger') return refuse(response, page)
      const own = single === undefined ? undefined : sessions.own(request, single)
      return showOutcome(own ?? sessions.newest(request), response, page)
    }
  }
}

/** SECURITY.md: where another browser comes back, the sign-in ends, and what it connected is deleted. */
const undo = async (attempt: Attempt): Promise<string | undefined> => {
  // Its own browser was back with the code: this is only a copy of the address.
  if (attempt.connectionId !== undefined) return undefined
  attempt.used = true
  return disconnect(new AlloyOAuthFlow(), attempt)
}

const refuse = (response: Response, page: boolean, undone?: string): void => {
  if (page) sendStranger(response, 'browser', undone)
  else
    sendFailure(response, 403, {
      error: notBegunHere,
      ...(undone === undefined ? {} : { details: undone }),
      suggestion: 'Begin at /connect/notion in this browser.',
    })
}

const succeed = (connectionId: string, response: Response, page: boolean): void => {
  if (page) sendConnected(response, connectionId, toEnv(connectionId, getConfig().alloyBaseUrl))
  else response.json({ success: true, connectionId })
}

const redeem = async (attempt: Attempt, code: string, response: Response, page: boolean): Promise<void> => {
  try {
    const { connectionId } = await new AlloyOAuthFlow().handleOAuthCallback(attempt.connectorId, code, attempt.state)
    attempt.connectionId = connectionId
    console.log(`Connection established: ${connectionId}`)
    succeed(connectionId, response, page)
  } catch (error) {
    const message = messageOf(error)
    if (page) sendSorry(response, 500, `Failed to complete OAuth: ${message}`)
    else sendFailure(response, 500, { error: message, details: 'The code was not exchanged for a connection.' })
  }
}

/** No code came. How this browser's sign-in stands is asked first; a connection that was there before is only then told. */
const showOutcome = async (attempt: Attempt | undefined, response: Response, page: boolean): Promise<void> => {
  let sentence: string | undefined
  try {
    // It stays as it is: nothing shows that this browser, and no other, was the one that approved.
    const outcome = attempt && (await outcomeOf(new AlloyOAuthFlow(), attempt.connectorId, attempt.credentialId))
    if (outcome?.kind === 'connected') return succeed(outcome.connectionId, response, page)
    if (outcome?.kind === 'not-connected') sentence = outcome.sentence
  } catch (error) {
    sentence = messageOf(error)
  }
  return showLatest(response, page, sentence)
}

/** S2: a server that sends no code has made a connection all the same. `sentence`: why it was not this sign-in. */
const showLatest = async (response: Response, page: boolean, sentence: string | undefined): Promise<void> => {
  let why: string | undefined
  try {
    const rows = (await new AlloyOAuthFlow().listConnections()).filter(each => isOf('notion', each))
    const latest = latestOf(rows)
    const connectionId = latest && connectionIdOf(latest)
    if (latest && connectionId !== undefined) {
      const { alloyBaseUrl } = getConfig()
      const said = sentence === undefined ? undefined : sentence.replace(/[.\s]*$/, '.')
      if (page) sendFound(response, latest, rows.length, toEnv(connectionId, alloyBaseUrl), said)
      else
        response.json({
          success: true,
          connectionId,
          message: `${noCode}. ${said === undefined ? 'This is the latest connection.' : `${said} This is an older one.`}`,
        })
      return
    }
    if (rows.length > 0) why = nonePicked
  } catch (error) {
    why = `The connections could not be listed: ${messageOf(error)}`
  }
  const details = [sentence, why].filter(each => each !== undefined).join(' ') || undefined
  if (page) sendNothing(response, details)
  else
    sendFailure(response, 400, {
      error: noCode,
      details: details ?? 'There is no Notion connection yet.',
      suggestion: 'Begin at /connect/notion, and approve at Notion.',
    })
}
