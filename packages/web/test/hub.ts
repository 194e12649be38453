/**
 * What the browser suite needs of a hub, and a small hub that speaks the SDK's contract with a provider beside it. The
 * small one is strict: it refuses what the SDK must not send. The real hub can be put in its place.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TestContext } from 'node:test'
import { classicScript } from '../../../src/http/classic-script.ts'
import { bodyOf, listen, type Place, sendHtml } from './servers.ts'

/** A page of a browser, as far as the provider's page needs one. */
interface Clickable {
  getByRole(role: 'button', options: { name: string }): { click(): Promise<void> }
  reload(): Promise<unknown>
}

export interface HubUnderTest extends Pick<Place, 'stop' | 'start'> {
  readonly origin: string
  /** A connector whose provider cuts the popup off from its opener, beside Notion, whose does not. */
  readonly coop?: string
  /** A JWT of an end user, alive for so many seconds; less than nothing: expired since. */
  token(seconds?: number): string | Promise<string>
  /** The token of a connect session, as an app's back end asks for one. */
  session(): string | Promise<string>
  /** What the person does at the provider. */
  approve(popup: Clickable): Promise<void>
  deny(popup: Clickable): Promise<void>
}

export type StartHub = (
  t: Pick<TestContext, 'after'>,
  options: { readonly appOrigin: string; readonly sessionLife?: number },
) => Promise<HubUnderTest>

interface Session {
  readonly connector: string
  readonly user: string
  readonly expiresAt: Date
  origin?: string
  returnTo?: string | undefined
  duplicate?: boolean | undefined
  opened?: boolean
  outcome?: Readonly<Record<string, unknown>>
  wake?: () => void
}

/** Says no in both shapes at once, as the hub does. */
class Refusal extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const text = readFileSync(new URL('../src/mortise.js', import.meta.url), 'utf8')
const scripts: Record<string, string> = { '/sdk/mortise.js': text, '/sdk/alloy.js': classicScript(text) }

export const startSmallHub: StartHub = async (t, { appOrigin, sessionLife = 600_000 }) => {
  const sessions = new Map<string, Session>()
  const connections = new Map<string, string>()
  const secret = randomBytes(32)
  const sign = (head: string) => createHmac('sha256', secret).update(head).digest('base64url')

  const userOf = (jwt: string): string => {
    const [header = '', claims = '', signature = ''] = jwt.split('.')
    const expected = Buffer.from(sign(`${header}.${claims}`))
    const given = Buffer.from(signature)
    if (given.length !== expected.length || !timingSafeEqual(given, expected))
      throw new Refusal(401, 'unauthenticated', 'The JWT is not signed by this hub.')
    const { user, exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as {
      user: { _id: string }
      exp: number
    }
    if (exp * 1000 < Date.now()) throw new Refusal(401, 'unauthenticated', 'The JWT has expired.')
    return user._id
  }

  const newSession = (connector: string, user: string): [string, Session] => {
    const token = `1.${randomBytes(32).toString('base64url')}`
    const session = { connector, user, expiresAt: new Date(Date.now() + sessionLife) }
    sessions.set(token, session)
    return [token, session]
  }

  const sessionOf = (token: unknown): Session => {
    const session = sessions.get(String(token))
    if (!session) throw new Refusal(404, 'session_expired', 'The hub knows no such session.')
    return session
  }

  const start = (request: IncomingMessage, body: Record<string, unknown>) => {
    const strange = Object.keys(body).filter(
      key => !['connectorId', 'params', 'allowDuplicate', 'session', 'returnTo'].includes(key),
    )
    if (strange.length) throw new Refusal(400, 'invalid_request', `The hub knows no ${strange.join(', ')}.`)
    const returnTo = body['returnTo'] as string | undefined
    if (returnTo !== undefined && new URL(returnTo).origin !== appOrigin)
      throw new Refusal(400, 'invalid_request', `${returnTo} is not listed.`)
    let token = String(body['session'])
    let session: Session
    if (body['session'] === undefined) {
      const user = userOf(String(request.headers['x-alloy-user-token']))
      if (!['notion', 'cut-off'].includes(String(body['connectorId'])))
        throw new Refusal(404, 'not_found', `There is no connector "${String(body['connectorId'])}".`)
      ;[token, session] = newSession(String(body['connectorId']), user)
    } else {
      if (request.headers['x-alloy-user-token']) throw new Refusal(400, 'invalid_request', 'A session needs no JWT.')
      session = sessionOf(token)
    }
    session.returnTo = returnTo
    session.duplicate = body['allowDuplicate'] === true
    session.origin = request.headers.origin ?? ''
    return { session: token, url: `${origin}/sdk/open`, expiresAt: session.expiresAt.toISOString() }
  }

  /** Up to 25 seconds at the door. */
  const outcome = async (response: ServerResponse, session: Session) => {
    const left = Math.min(25_000, session.expiresAt.getTime() - Date.now())
    if (!session.outcome && left > 0)
      await new Promise<void>(done => {
        session.wake = done
        const timer = setTimeout(done, left)
        response.on('close', () => {
          clearTimeout(timer)
          done()
        })
      })
    if (session.outcome) return session.outcome
    if (session.expiresAt.getTime() <= Date.now())
      return { status: 'expired', message: 'Nobody finished the session in time. Start again from the app.' }
    return { status: 'pending' }
  }

  const finish = (session: Session, answer: string | null) => {
    const key = `${session.user} ${session.connector}${session.duplicate ? ` ${sessions.size}` : ''}`
    const connectionId = connections.get(key) ?? `conn_${randomBytes(12).toString('hex')}`
    if (answer === 'approve') connections.set(key, connectionId)
    session.outcome =
      answer === 'approve'
        ? {
            status: 'connected',
            connectionId,
            credentialId: connectionId.replace('conn', 'cred'),
            integrationId: session.connector,
          }
        : { status: 'failed', code: 'authorization_denied', message: 'The person declined at the provider.' }
    session.wake?.()
  }

  const json = (response: ServerResponse, status: number, body: object) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }

  const place = await listen(t, async (request, response) => {
    const url = new URL(request.url ?? '', 'http://hub')
    const script = scripts[url.pathname]
    if (script !== undefined) {
      response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8', 'access-control-allow-origin': '*' })
      return void response.end(script)
    }
    if (url.pathname === '/sdk/start' || url.pathname === '/sdk/outcome') {
      if (request.headers.origin === appOrigin) response.setHeader('access-control-allow-origin', appOrigin)
      if (request.method === 'OPTIONS') {
        response.setHeader('access-control-allow-headers', 'content-type, x-alloy-user-token')
        return void response.writeHead(204).end()
      }
      try {
        if (request.headers.cookie) throw new Refusal(400, 'invalid_request', 'A cookie was sent.')
        const body = JSON.parse(await bodyOf(request)) as Record<string, unknown>
        const answer =
          url.pathname === '/sdk/start' ? start(request, body) : await outcome(response, sessionOf(body['session']))
        return json(response, 200, answer)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        const { status, code, message } = error
        return json(response, status, { message, code, error: { code, message } })
      }
    }
    if (url.pathname === '/sdk/open' && request.method === 'POST') {
      const token = new URLSearchParams(await bodyOf(request)).get('session')
      const session = sessionOf(token)
      if (session.opened || request.headers.origin !== session.origin)
        return sendHtml(response, 403, `<h1>Opened from ${request.headers.origin}, started from ${session.origin}</h1>`)
      session.opened = true
      response.setHeader('set-cookie', `attempt=${token}; HttpOnly; SameSite=Lax; Path=/sdk/back`)
      // No redirect: the form-action of the app's policy would forbid the provider.
      response.setHeader('refresh', `0;url=${provider}/${session.connector}?state=${randomBytes(8).toString('hex')}`)
      return sendHtml(response, 200, '<p>To the provider</p>')
    }
    if (url.pathname === '/sdk/back') {
      const session = sessionOf(/attempt=([^;]+)/.exec(request.headers.cookie ?? '')?.[1])
      finish(session, url.searchParams.get('answer'))
      if (session.returnTo === undefined) return sendHtml(response, 200, '<h1>You can close this window</h1>')
      const back = new URL(session.returnTo)
      back.searchParams.set('mortise', 'done')
      return void response.writeHead(303, { location: back.href }).end()
    }
    sendHtml(response, 404, 'no such page')
  })
  const origin = `http://localhost:${place.port}`

  const beside = await listen(t, (request, response) => {
    if (request.url?.startsWith('/cut-off')) response.setHeader('cross-origin-opener-policy', 'same-origin')
    const button = (answer: string, name: string) => `<button name="answer" value="${answer}">${name}</button>`
    const buttons = button('approve', 'Approve') + button('deny', 'Deny')
    sendHtml(response, 200, `<form action="${origin}/sdk/back">${buttons}</form>`)
  })
  const provider = `http://localhost:${beside.port}`

  return {
    origin,
    coop: 'cut-off',
    token(seconds = 3600) {
      const now = Math.floor(Date.now() / 1000)
      const head = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url({ user: { _id: '69110206d6d6670fb17451f8' }, iat: now - 7200, exp: now + seconds })}`
      return `${head}.${sign(head)}`
    },
    session: () => newSession('notion', '69110206d6d6670fb17451f8')[0],
    approve: popup => popup.getByRole('button', { name: 'Approve' }).click(),
    deny: popup => popup.getByRole('button', { name: 'Deny' }).click(),
    stop: place.stop,
    start: place.start,
  }
}
