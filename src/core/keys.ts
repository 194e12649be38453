/** Secret keys: made, shown once, kept as a digest, and found by a map on that digest. */
import { didYouMean } from './alike.ts'
import { Secret } from './credential.ts'
import { everyScope, type NewKey, type Scope, scopes, usualScopes } from './environment.ts'
import { MortiseError } from './errors.ts'
import { newId, newKeyText, sha256, wellFormedKey } from './ids.ts'
import { type Soon, soon } from './soon.ts'
import type { Storage } from './storage.ts'

export const secretKeyPrefix = 'mortise_sk_'
export const publicKeyPrefix = 'mortise_pk_'
export const hmacKeyPrefix = 'mortise_hk_'

/** Who calls: an environment, and what the key lets it do. */
export interface Caller {
  /** The key's id; what it is called where there is none. Redeeming is bound to it. */
  readonly id: string
  readonly environmentId: number
  readonly scopes: ReadonlySet<Scope>
}

export const newSecretKey = (environmentId: number, name: string, granted: readonly Scope[], now: Date): NewKey => {
  const secret = newKeyText(secretKeyPrefix)
  return {
    secret: new Secret(secret),
    key: {
      environmentId,
      id: newId(now),
      name,
      hash: sha256(secret),
      hint: secret.slice(0, secretKeyPrefix.length + 4),
      scopes: granted,
      createdAt: now,
    },
  }
}

/** The scopes named, checked; the usual ones where none is. */
export const parseScopes = (names: readonly string[]): readonly Scope[] => {
  for (const name of names)
    if (!(scopes as readonly string[]).includes(name))
      throw new MortiseError(
        'invalid_request',
        `There is no scope "${name}"${didYouMean(name, scopes)}; the scopes are ${scopes.join(', ')}.`,
      )
  return names.length === 0 ? usualScopes : (names as readonly Scope[])
}

/** What a key may do, in a word where that is the usual. */
export const scopesText = (granted: readonly Scope[]): string =>
  granted.length === usualScopes.length && usualScopes.every(scope => granted.includes(scope))
    ? 'all'
    : granted.length === scopes.length
      ? 'all, admin'
      : granted.join(', ')

/** The keys as they were at one moment. */
export interface Keys {
  /** The caller that a secret key stands for. Throws `unauthenticated` (unknown, revoked or mistyped). */
  find(secret: string): Caller
  /** No secret key was ever made, in any environment: the hub may be open on loopback. One that was revoked keeps it shut. */
  readonly unused: boolean
}

export interface Keyring {
  /**
   * As they are now: at once, while nothing has changed and the storage knows it. Throws (or rejects) where the storage
   * does not answer.
   */
  now(): Soon<Keys>
}

/**
 * The map of living keys, reloaded only when the storage says that another process may have written.
 * `configured`: a key from the settings, for one environment, with every scope.
 */
export const createKeyring = (
  storage: Storage,
  configured: { secret: Secret; environmentId: number } | undefined,
): Keyring => {
  const read = async (): Promise<Keys> => {
    const keys = await storage.keys()
    const living = keys.filter(key => key.revokedAt === undefined)
    const callers = new Map<string, Caller>(
      living.map(key => [key.hash, { id: key.id, environmentId: key.environmentId, scopes: new Set(key.scopes) }]),
    )
    if (configured)
      callers.set(sha256(configured.secret.reveal()), {
        id: 'configured',
        environmentId: configured.environmentId,
        scopes: everyScope,
      })
    return {
      find(secret) {
        const caller = callers.get(sha256(secret))
        if (caller) return caller
        throw unknownKey(secret)
      },
      unused: keys.length === 0 && configured === undefined,
    }
  }
  let last: { readonly epoch: number; keys: Soon<Keys> } | undefined
  /** Each caller gets what was read at the epoch that it asked for, or later: never an older one that came in late. */
  const at = (epoch: number): Soon<Keys> => {
    if (last?.epoch === epoch) return last.keys
    const reading = read()
    const mine: NonNullable<typeof last> = { epoch, keys: reading }
    last = mine
    reading.then(
      keys => {
        mine.keys = keys
      },
      () => {
        if (last === mine) last = undefined
      },
    )
    return reading
  }
  return { now: () => soon(storage.epoch(), at) }
}

const unknownKey = (secret: string): MortiseError => {
  const mistyped = secret.startsWith(secretKeyPrefix) && !wellFormedKey(secretKeyPrefix, secret)
  return new MortiseError(
    'unauthenticated',
    mistyped
      ? 'The secret key is mistyped or cut short: its checksum does not match. Copy it again, whole.'
      : "The secret key is not known here, or was revoked. The hub's operator can make one: npx mortise key create",
    { reason: mistyped ? 'key_mistyped' : 'key_unknown' },
  )
}
