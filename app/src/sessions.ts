/** The sign-ins that browsers have begun, in memory, and which browser began each. */
import { randomBytes } from 'node:crypto'
import type { Request, Response } from 'express'

/** One sign-in, from its begin until it is forgotten. */
export interface Attempt {
  /** The session of the browser that began it: only that one may finish it. */
  readonly owner: string
  readonly state: string
  readonly connectorId: string
  /** The server's name for it. A vendor gives none. */
  readonly credentialId: string | undefined
  readonly until: number
  /** A code was redeemed for it, or another browser came back with it: a state serves once. */
  used: boolean
  /** What its own browser brought the code for. Shown again, never redeemed again. */
  connectionId?: string
}

const cookieName = 'app_session'
/**
 * How long a sign-in is remembered, in milliseconds. Longer than a hub's link can be opened and approved (40 minutes), so
 * that a browser which comes back late with another one's state is still known for what it is.
 */
const patience = 60 * 60_000
const mostAttempts = 10_000

/** 256 random bits: no one guesses it. */
export const newState = (): string => randomBytes(32).toString('base64url')

export class Sessions {
  /** By state, oldest first. */
  readonly #attempts = new Map<string, Attempt>()
  readonly #now: () => number

  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  /** Ties a state to this browser, and to no other. */
  begin(
    request: Request,
    response: Response,
    { state, connectorId, credentialId }: Pick<Attempt, 'state' | 'connectorId' | 'credentialId'>,
  ): void {
    this.#forget()
    let owner = sessionOf(request)
    if (owner === undefined || ![...this.#attempts.values()].some(each => each.owner === owner)) {
      owner = newState()
      // Lax: the way back from the provider is a navigation from another site.
      response.cookie(cookieName, owner, { httpOnly: true, sameSite: 'lax', path: '/' })
    }
    const until = this.#now() + patience
    this.#attempts.set(state, { owner, state, connectorId, credentialId, until, used: false })
  }

  /** The sign-in of this state, if this browser began it. */
  own(request: Request, state: string): Attempt | undefined {
    const attempt = this.#alive(state)
    return attempt?.owner === sessionOf(request) ? attempt : undefined
  }

  /** The sign-in of this state, if another browser began it. */
  foreign(request: Request, state: string): Attempt | undefined {
    const attempt = this.#alive(state)
    return attempt?.owner === sessionOf(request) ? undefined : attempt
  }

  /** What this browser began last and has not finished. */
  newest(request: Request): Attempt | undefined {
    const owner = sessionOf(request)
    return [...this.#attempts.values()].findLast(
      each => owner !== undefined && each.owner === owner && !each.used && each.until > this.#now(),
    )
  }

  #alive(state: string): Attempt | undefined {
    const attempt = this.#attempts.get(state)
    return attempt !== undefined && attempt.until > this.#now() ? attempt : undefined
  }

  #forget(): void {
    for (const [state, { until }] of this.#attempts) {
      if (until > this.#now() && this.#attempts.size < mostAttempts) return
      this.#attempts.delete(state)
    }
  }
}

const sessionOf = (request: Request): string | undefined => {
  const cookies = (request.headers.cookie ?? '').split(';').map(each => each.trim())
  return cookies.find(each => each.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1)
}
