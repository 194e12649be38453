/** A sign-in that a terminal began: a server of one route that waits for the browser to come back. */
import { fileURLToPath } from 'node:url'
import express, { type Request, type Response } from 'express'
import { messageOf } from './alloy-http.ts'
import { paramsOf, searchOf } from './answers.ts'
import { noCode, notBegunHere, readCallback } from './callback.ts'
import type { AppConfig } from './config.ts'
import { type ConnectionRow, connectionIdOf, isOf, latestOf } from './connections.ts'
import { headers, loopbackNamesOnly } from './guard.ts'
import { isPortTaken, type Listening, listenOnLoopback } from './listen.ts'
import { AlloyOAuthFlow } from './oauth-flow.ts'
import { sendConnected, sendFound, sendNothing, sendSorry, sendStranger } from './pages.ts'
import { newState } from './sessions.ts'

export interface SignIn {
  readonly oauthUrl: string
  readonly redirectUri: string
  readonly port: number
  /** The connection's ID. Rejects where the sign-in failed. */
  readonly connectionId: Promise<string>
  close(): Promise<void>
}

/** `say` is told what came that did not end the sign-in. */
export const beginSignIn = async (config: AppConfig, port: number, say: (line: string) => void): Promise<SignIn> => {
  const flow = new AlloyOAuthFlow(config)
  const { promise: connectionId, resolve, reject } = Promise.withResolvers<string>()
  connectionId.catch(() => {})
  let state: string | undefined
  const isOurs = (given: string) => given === state
  const notionRows = async () => (await flow.listConnections()).filter(each => isOf('notion', each))
  // What was there before: a server that sends no code shows by the list what it made.
  const before = new Set((await notionRows()).map(connectionIdOf))

  const answer = async (request: Request, response: Response): Promise<void> => {
    /** Ends the sign-in when the browser has its page. */
    const after = (end: () => void) => response.once('close', end)
    const callback = readCallback(paramsOf(request), isOurs)
    switch (callback.kind) {
      case 'provider':
        response.redirect(`${config.alloyBaseUrl}/oauth/callback${searchOf(request)}`)
        return
      case 'stranger':
        say(notBegunHere)
        sendStranger(response)
        return
      case 'error': {
        const error = `OAuth error: ${callback.error}`
        if (callback.state === undefined) say(error)
        else after(() => reject(new Error(error)))
        sendSorry(response, 400, error)
        return
      }
      case 'code':
        state = undefined
        try {
          const made = await flow.handleOAuthCallback('notion', callback.code, callback.state)
          after(() => resolve(made.connectionId))
          sendConnected(response, made.connectionId)
        } catch (error) {
          after(() => reject(error))
          sendSorry(response, 500, `Failed to complete OAuth: ${messageOf(error)}`)
        }
        return
      case 'nothing':
        return lookFor(response, after)
    }
  }

  /** S2: no code came. A connection that was not there before is the one. */
  const lookFor = async (response: Response, after: (end: () => void) => void): Promise<void> => {
    let rows: ConnectionRow[]
    try {
      rows = await notionRows()
    } catch (error) {
      say(messageOf(error))
      sendNothing(response, `The connections could not be listed: ${messageOf(error)}`)
      return
    }
    const made = latestOf(rows.filter(each => !before.has(connectionIdOf(each))))
    const latest = made ?? latestOf(rows)
    const id = latest && connectionIdOf(latest)
    if (latest === undefined || id === undefined) {
      say(`${noCode}, and there is no Notion connection yet.`)
      sendNothing(response, undefined)
      return
    }
    say(
      made
        ? `${noCode}. A new connection is there all the same.`
        : `${noCode}, and no new connection. To use the latest one that you have: CONNECTION_ID=${id}`,
    )
    if (made) after(() => resolve(id))
    sendFound(response, latest, rows.length)
  }

  const app = express()
  app.disable('x-powered-by')
  app.use(headers, loopbackNamesOnly)
  app.use(express.static(fileURLToPath(new URL('../public', import.meta.url)), { index: false }))
  app.get('/oauth/callback', answer)
  app.use((_request: Request, response: Response) => {
    sendSorry(response, 404, 'There is nothing at this address: a sign-in in a terminal waits at /oauth/callback.')
  })

  const listening = await listenNear(app, port)
  const redirectUri = `http://localhost:${listening.port}/oauth/callback`
  try {
    const ours = newState()
    const started = await flow.initiateOAuthFlow('notion', redirectUri, { state: ours })
    state = started.state ?? ours
    return { ...started, redirectUri, port: listening.port, connectionId, close: () => listening.close() }
  } catch (error) {
    await listening.close()
    throw error
  }
}

/** On the port, or on the next one that is free. */
const listenNear = async (app: express.Express, port: number): Promise<Listening> => {
  for (let next = port; next <= Math.min(port + 10, 65535); next++) {
    try {
      return await listenOnLoopback(app, next)
    } catch (error) {
      if (!isPortTaken(error)) throw error
    }
  }
  return listenOnLoopback(app, 0)
}
