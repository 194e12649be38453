/** A sign-in that a terminal began: a server of one route that waits for the browser to come back. */
import { fileURLToPath } from 'node:url'
import express, { type Request, type Response } from 'express'
import { messageOf } from './alloy-http.ts'
import { paramsOf, searchOf } from './answers.ts'
import { noCode, notBegunHere, readCallback } from './callback.ts'
import type { AppConfig } from './config.ts'
import { type ConnectionRow, connectionIdOf, isOf, latestOf, nonePicked } from './connections.ts'
import { headers, loopbackNamesOnly } from './guard.ts'
import { isPortTaken, type Listening, listenOnLoopback } from './listen.ts'
import { AlloyOAuthFlow } from './oauth-flow.ts'
import { outcomeOf } from './outcome.ts'
import { newState } from './sessions.ts'
import { inEnv, sendConnected, sendFound, sendNothing, sendSorry, sendStranger, stillWaiting } from './sign-in-pages.ts'

export interface SignIn {
  readonly oauthUrl: string
  readonly redirectUri: string
  readonly port: number
  /** The connection's ID. Rejects where the sign-in failed. */
  readonly connectionId: Promise<string>
  close(): Promise<void>
}

export interface Terminal {
  /** Is told what came that did not end the sign-in. */
  readonly say: (line: string) => void
  /** Writes the connection's ID down, before the page says that it is written. */
  readonly keep: (connectionId: string) => void
}

export const beginSignIn = async (config: AppConfig, port: number, { say, keep }: Terminal): Promise<SignIn> => {
  const flow = new AlloyOAuthFlow(config)
  const { promise: connectionId, resolve, reject } = Promise.withResolvers<string>()
  connectionId.catch(() => {})
  let state: string | undefined
  let credentialId: string | undefined
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
        sendStranger(response, 'terminal')
        return
      case 'error': {
        const error = `OAuth error: ${callback.error}`
        if (callback.state === undefined) say(error)
        else after(() => reject(new Error(error)))
        sendSorry(response, 400, error, 'terminal')
        return
      }
      case 'code':
        state = undefined
        try {
          const made = await flow.handleOAuthCallback('notion', callback.code, callback.state)
          kept(made.connectionId)
          after(() => resolve(made.connectionId))
          sendConnected(response, made.connectionId, inEnv(made.connectionId))
        } catch (error) {
          after(() => reject(error))
          sendSorry(
            response,
            500,
            error instanceof NotKept ? error.message : `Failed to complete OAuth: ${messageOf(error)}`,
            'terminal',
          )
        }
        return
      case 'nothing':
        return lookFor(response, after)
    }
  }

  const kept = (id: string): void => {
    try {
      keep(id)
    } catch (error) {
      const why = messageOf(error)
      const line = why.includes(id) ? '' : `. Add this line to it yourself: CONNECTION_ID=${id}`
      throw new NotKept(`${id} is connected, but .env could not be written: ${why}${line}`, { cause: error })
    }
  }

  /** S2: no code came. The server may know what this sign-in made; or a connection that was not there before is the one. */
  const lookFor = async (response: Response, after: (end: () => void) => void): Promise<void> => {
    const outcome = await outcomeOf(flow, 'notion', credentialId)
    if (outcome.kind === 'connected') {
      try {
        kept(outcome.connectionId)
        after(() => resolve(outcome.connectionId))
        sendConnected(response, outcome.connectionId, inEnv(outcome.connectionId))
      } catch (error) {
        after(() => reject(error))
        sendSorry(response, 500, messageOf(error), 'terminal')
      }
      return
    }
    const said = outcome.kind === 'not-connected' ? outcome.sentence : undefined
    if (said !== undefined) say(said)
    let rows: ConnectionRow[]
    try {
      rows = await notionRows()
    } catch (error) {
      say(messageOf(error))
      sendNothing(response, `The connections could not be listed: ${messageOf(error)}`, 'terminal')
      return
    }
    // A server that knows this sign-in has said that it made none: what is new is another's.
    const made = said === undefined ? latestOf(rows.filter(each => !before.has(connectionIdOf(each)))) : undefined
    const latest = made ?? latestOf(rows)
    const id = latest && connectionIdOf(latest)
    if (latest === undefined || id === undefined) {
      say(`${noCode}. ${rows.length > 0 ? nonePicked : 'There is no Notion connection yet.'}`)
      sendNothing(response, said ?? (rows.length > 0 ? nonePicked : undefined), 'terminal')
      return
    }
    if (made === undefined) {
      say(`${noCode}, and no new connection. To use the latest one that you have, an older one: CONNECTION_ID=${id}`)
      sendFound(response, latest, rows.length, stillWaiting(id), said)
      return
    }
    say(`${noCode}. A new connection is there all the same.`)
    try {
      kept(id)
      after(() => resolve(id))
      sendFound(response, latest, rows.length, inEnv(id))
    } catch (error) {
      after(() => reject(error))
      sendSorry(response, 500, messageOf(error), 'terminal')
    }
  }

  const app = express()
  app.disable('x-powered-by')
  app.use(headers, loopbackNamesOnly)
  app.use(express.static(fileURLToPath(new URL('../public', import.meta.url)), { index: false }))
  app.get('/oauth/callback', answer)
  app.use((_request: Request, response: Response) => {
    sendSorry(
      response,
      404,
      'There is nothing at this address: a sign-in in a terminal waits at /oauth/callback.',
      'terminal',
    )
  })

  const listening = await listenNear(app, port)
  const redirectUri = `http://localhost:${listening.port}/oauth/callback`
  try {
    const ours = newState()
    const started = await flow.initiateOAuthFlow('notion', redirectUri, { state: ours })
    state = started.state ?? ours
    credentialId = started.credentialId
    return { ...started, redirectUri, port: listening.port, connectionId, close: () => listening.close() }
  } catch (error) {
    await listening.close()
    throw error
  }
}

class NotKept extends Error {}

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
