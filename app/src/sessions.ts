/** Browser sessions, in memory: which sign-ins each browser has begun. */
import { randomBytes } from 'node:crypto'
import type { Request, Response } from 'express'

interface Attempt {
  readonly connectorId: string
  readonly until: number
}

type Session = Map<string, Attempt>

const cookieName = 'app_session'
/** How long a sign-in may take. Milliseconds. */
const patience = 15 * 60_000
const mostSessions = 1000
const mostAttempts = 20

/** 256 random bits: no one guesses it. */
export const newState = (): string => randomBytes(32).toString('base64url')

export class Sessions {
  readonly #sessions = new Map<string, Session>()
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Ties a state to this browser, and to no other. */
  begin(request: Request, response: Response, state: string, connectorId: string): void {
    let session = this.#of(request)
    if (session === undefined) {
      session = new Map()
      const id = newState()
      this.#sessions.set(id, session)
      // Lax: the way back from the provider is a navigation from another site.
      response.cookie(cookieName, id, { httpOnly: true, sameSite: 'lax', path: '/' })
    }
    session.set(state, { connectorId, until: this.#now() + patience })
    dropOldest(session, mostAttempts)
    dropOldest(this.#sessions, mostSessions)
  }

  holds(request: Request, state: string): boolean {
    const attempt = this.#of(request)?.get(state)
    return attempt !== undefined && attempt.until > this.#now()
  }

  /** The connector that a state was for. The state is gone afterwards: it serves once. */
  take(request: Request, state: string): string | undefined {
    if (!this.holds(request, state)) return undefined
    const session = this.#of(request)
    const attempt = session?.get(state)
    session?.delete(state)
    return attempt?.connectorId
  }

  #of(request: Request): Session | undefined {
    const cookies = (request.headers.cookie ?? '').split(';').map(each => each.trim())
    const id = cookies.find(each => each.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1)
    return id === undefined ? undefined : this.#sessions.get(id)
  }
}

const dropOldest = (map: Map<string, unknown>, most: number): void => {
  for (const key of map.keys()) {
    if (map.size <= most) return
    map.delete(key)
  }
}
