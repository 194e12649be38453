/**
 * A connect session: a short-lived permission for one browser to create or repair one connection. Made by the app's back
 * end (with a key) or by a page (with a JWT), opened by the end user's browser, and ended by what became of it.
 */
import type { Outcome } from './attempt.ts'
import type { AuthorizationParams } from './grants/authorization-params.ts'
import type { Tags } from './tags.ts'

/** What the app's back end fixed for one integration; the page cannot change it. */
export interface Fixed {
  readonly params?: Readonly<Record<string, string>>
  readonly authorizationParams?: AuthorizationParams
  /** In place of the integration's. */
  readonly scopes?: readonly string[]
  readonly userScopes?: readonly string[]
  /** Where a page explains to the end user how to connect it. */
  readonly docs?: string
}

/** Of a session that leaves the choice of the integration to the end user: it may make a connection of each. */
export interface Choice {
  /** Keys of integrations. Absent: any of the environment. */
  readonly allowed?: readonly string[]
  /** By the key of an integration. */
  readonly fixed: Readonly<Record<string, Fixed>>
  /** What the connections that it makes are tagged with, besides those that are there. */
  readonly tags?: Tags
  readonly webhookUrlOverride?: string
}

export interface ConnectSession {
  readonly environmentId: number
  /** 24 hex digits; the id of the connection's row, where it makes a new one. */
  readonly id: string
  /** SHA-256 of the token, hex: the token itself is never stored. */
  readonly tokenHash: string
  /** '' where the end user chooses, see `choice`. */
  readonly integrationKey: string
  readonly choice?: Choice
  /** The row of the connection that it is to repair, and none other. */
  readonly repairs?: string
  /** '' is the environment's own user. */
  readonly endUserId: string
  /** Who made it: only they may redeem its code. */
  readonly caller: string
  /**
   * How it is opened. `link`: whoever follows the link first; the app must look at the state before it redeems the code.
   * `page`: by a form that a page of an allowed origin sends, so that a link in a mail opens nothing. `token`: by whoever
   * shows its token with each request; the one who comes first with a browser keeps it.
   */
  readonly opens: 'link' | 'page' | 'token'
  readonly dialect: string
  readonly duplicate: boolean
  readonly params: Readonly<Record<string, string>>
  /** What the caller wants the connection to be called. */
  readonly name?: string
  readonly returnTo?: string
  /** The app's own state, echoed on the way back; sealed. */
  readonly state?: Uint8Array
  readonly stateHash?: string
  /** The app gave it, so what it sends later must equal it. Otherwise the hub made it for the app to look at. */
  readonly stateGiven: boolean
  /** SHA-256 of the nonce in the browser that opened it, hex. */
  readonly browserHash?: string
  readonly codeHash?: string
  /** Sealed, so that a callback which is reloaded returns with the same one. */
  readonly code?: Uint8Array
  /** The row that it made or repaired. */
  readonly connectionRow?: string
  readonly outcome?: Outcome
  readonly finishedAt?: Date
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** The name of a session for people: `cred_` is how its id is written before there is a connection. */
export const attemptName = (session: Pick<ConnectSession, 'id'>): string => `cred_${session.id}`

/** One word for how a session stands. */
export const sessionStatus = (session: ConnectSession, now: Date): 'connected' | 'failed' | 'expired' | 'pending' =>
  session.connectionRow !== undefined
    ? 'connected'
    : session.outcome
      ? 'failed'
      : session.expiresAt <= now
        ? 'expired'
        : 'pending'
