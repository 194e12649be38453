/** The sealed secret that a connection holds, and the wrapper that keeps secrets out of logs. */
import { inspect } from 'node:util'

/** Prints `[secret]` everywhere; `.reveal()` opens it and is easy to search for. */
export class Secret<T = string> {
  readonly #value: T
  constructor(value: T) {
    this.#value = value
  }
  reveal(): T {
    return this.#value
  }
  toString(): string {
    return '[secret]'
  }
  toJSON(): string {
    return '[secret]'
  }
  [inspect.custom](): string {
    return '[secret]'
  }
}

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** How a credential came: from an authorization flow, or given as it is: a key, a token, a user name with its password. */
export const keyKinds = ['apiKey', 'bearer', 'basic'] as const
export type KeyKind = (typeof keyKinds)[number]
export type CredentialKind = 'oauth2' | 'oauth1' | KeyKind

/** Given as it is, and not by a flow. */
export const isKey = (kind: CredentialKind): kind is KeyKind => kind !== 'oauth2' && kind !== 'oauth1'

/** A credential as the provider last gave it (RFC 6749 §5.1), or as the end user gave it. */
export interface Credential {
  readonly kind: CredentialKind
  /** The token or key; for `basic`, `user:password`. */
  readonly accessToken: Secret
  /** Of OAuth 1 alone: what requests are signed with. It is never sent. */
  readonly tokenSecret?: Secret
  /** Absent where the provider gives none. */
  readonly refreshToken?: Secret
  /** Absent where the access token does not expire, or nobody knows when. */
  readonly expiresAt?: Date
  /** Scopes granted, where the provider says. */
  readonly scopes?: readonly string[]
  /** The latest token answer, whole; of a given credential, what was given. */
  readonly raw: Secret<JsonObject>
}

/** The first of the paths that leads to a value that is neither missing nor null. */
export const pick = (from: Json | undefined, paths: string | readonly string[] | undefined): Json | undefined => {
  for (const path of typeof paths === 'string' ? [paths] : (paths ?? [])) {
    let at: Json | undefined = from
    for (const key of path.split('.')) {
      if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) {
        at = undefined
        break
      }
      at = (at as JsonObject)[key]
    }
    if (at !== undefined && at !== null) return at
  }
  return undefined
}

/**
 * Like `pick`, for ids and names: numbers become text; empty text and other things count as missing, so that the next
 * path is tried.
 */
export const pickText = (from: Json | undefined, paths: string | readonly string[] | undefined): string | undefined => {
  for (const path of typeof paths === 'string' ? [paths] : (paths ?? [])) {
    const value = pick(from, path)
    if (typeof value === 'number') return String(value)
    if (typeof value === 'string' && value !== '') return value
  }
  return undefined
}
