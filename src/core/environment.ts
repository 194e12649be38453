/** An environment: a tenant. Every row, key and flow belongs to one; no call reaches another's. */
import type { Secret } from './credential.ts'

export interface Environment {
  readonly id: number
  readonly name: string
  /** May stand in a browser: starts flows, reads nothing. */
  readonly publicKey: string
  /** The data key, wrapped by the root key (see `Seal`). */
  readonly wrappedKey: Uint8Array
  /** Sealed. Present: browser starts with the public key must carry an HMAC. */
  readonly hmacKey?: Uint8Array
  /** Sealed. Signs the JWTs of end users; made when the first is asked for. */
  readonly jwtKey?: Uint8Array
  /** An exchange that names no attempt is told the connection of the latest one, not its status only. */
  readonly tellsLatest: boolean
  /** It is moved to another hub: since then nothing is connected, refreshed or changed here. */
  readonly frozenAt?: Date
  readonly createdAt: Date
}

/** What a key may do. */
export const scopes = [
  'connections:read',
  'credentials:read',
  'connections:write',
  'integrations:read',
  'integrations:write',
  'proxy',
  'connect:write',
] as const
export type Scope = (typeof scopes)[number]
export const everyScope: ReadonlySet<Scope> = new Set(scopes)

/** A secret key as it is stored: only its digest. */
export interface SecretKey {
  readonly environmentId: number
  readonly id: string
  readonly name: string
  /** SHA-256 of the key, hex. */
  readonly hash: string
  /** The first characters, to tell keys apart. */
  readonly hint: string
  readonly scopes: readonly Scope[]
  readonly createdAt: Date
  readonly revokedAt?: Date
}

/** A new key, shown once. */
export interface NewKey {
  readonly key: SecretKey
  readonly secret: Secret
}

/** URLs that an environment allows: where a finished flow may return to, and which web pages may call browser routes. */
export type AllowKind = 'redirect' | 'origin'
