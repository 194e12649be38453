/** An attempt: one run of an authorization flow, from the start page to the provider's callback. */
import type { ErrorCode, MortiseError, Reason } from './errors.ts'

/** How far the one who started it is trusted: a bare public key may create, or repair the same proven account. */
export type Trust = 'public' | 'proven'

export interface Attempt {
  readonly environmentId: number
  /** SHA-256 of the state, hex: the state itself is never stored. */
  readonly stateHash: string
  /** SHA-256 of the browser's cookie nonce, hex. */
  readonly browserHash: string
  readonly integrationKey: string
  /** The integration's row when it started: one that was removed and added anew cannot finish it. */
  readonly integrationId: string
  readonly provider: string
  /** What the caller named it; absent where the hub mints the id. */
  readonly connectionId?: string
  readonly endUserId: string
  /** The connect session that it is a try of. */
  readonly sessionId?: string
  /** What the caller wants the connection to be called. */
  readonly name?: string
  readonly trust: Trust
  /** A second connection to the same account was asked for. */
  readonly duplicate: boolean
  readonly scopes: readonly string[]
  readonly config: Readonly<Record<string, string>>
  /** Exactly what was sent to the provider. */
  readonly redirectUri: string
  /** The issuer that an `iss` must equal, and whether it must be there (RFC 9207). OAuth 1 has none. */
  readonly issuer?: string
  readonly issuerAlways: boolean
  /** Sealed: the PKCE verifier, or of OAuth 1 the temporary credentials. Absent where the provider forbids PKCE. */
  readonly verifier?: Uint8Array
  /** Sealed: the end user's own client at the provider, in place of the integration's. Wiped with the verifier. */
  readonly client?: Uint8Array
  /** The row of the connection that it is to repair, and none other. */
  readonly repairs?: string
  /** SHA-256 of the name under which a page waits on a socket to be told how it ended, hex. */
  readonly listener?: string
  /** When that page was told. */
  readonly toldAt?: Date
  /** Where the browser goes at the end, and which dialect words the answer; without it, a page tells. */
  readonly returnTo?: string
  readonly dialect: string
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly takenAt?: Date
  readonly outcome?: Outcome
}

/** How an attempt ended. */
export type Outcome =
  | {
      readonly ok: true
      readonly connectionId: string
      readonly integrationKey: string
      readonly repaired: boolean
      /** What a person calls the account: workspace and name, where the provider says. */
      readonly account?: string
    }
  | { readonly ok: false; readonly code: ErrorCode; readonly reason?: Reason; readonly message: string }

export const failed = (error: MortiseError): Outcome => ({
  ok: false,
  code: error.code,
  ...(error.details.reason ? { reason: error.details.reason } : {}),
  message: error.message,
})
