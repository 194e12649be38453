/** Ids, random values and digests. */
import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** A number from 1 to 2^53-1, random: no coordination between processes, and it fits a JSON number. */
export const newNumber = (): number => Number(randomBytes(8).readBigUInt64BE() & ((1n << 53n) - 1n)) || 1

/** 24 hex digits: four bytes of seconds, so that later sorts after earlier, then eight random bytes. */
export const newId = (now: Date): string =>
  Math.floor(now.getTime() / 1000)
    .toString(16)
    .padStart(8, '0') + randomBytes(8).toString('hex')

/** 256 random bits, base64url (43 characters): states, nonces, verifiers (RFC 7636 §4.1). */
export const newNonce = (): string => randomBytes(32).toString('base64url')

/** 64 hex digits: fourteen that say which environment, so that nobody looks for it elsewhere, and 200 random bits. */
export const newToken = (environmentId: number): string =>
  environmentId.toString(16).padStart(14, '0') + randomBytes(25).toString('hex')

/** The environment that a token says it is of; undefined for what is no token. */
export const environmentOfToken = (token: string): number | undefined => {
  const id = /^[0-9a-f]{64}$/.test(token) ? Number.parseInt(token.slice(0, 14), 16) : Number.NaN
  return Number.isSafeInteger(id) ? id : undefined
}

export const sha256 = (text: string): string => hash('sha256', text, 'hex')

/** The PKCE S256 challenge of a verifier (RFC 7636 §4.2). */
export const challenge = (verifier: string): string => hash('sha256', verifier, 'base64url')

export const hmacSha256 = (key: string, text: string, encoding: 'hex' | 'base64' = 'hex'): string =>
  createHmac('sha256', key).update(text).digest(encoding)

/** Compares two texts in a time that tells nothing of where they differ. */
export const equal = (a: string, b: string): boolean =>
  timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'))

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const base62 = (value: bigint, length: number): string => {
  let text = ''
  for (let rest = value; text.length < length; rest /= 62n) text = alphabet[Number(rest % 62n)] + text
  return text
}
const checksum = (text: string): string => base62(BigInt(crc32(text)), 6)

/** A key: prefix, random bits in base62, and six characters of CRC-32, so that a mistyped one is told from an unknown one. */
export const newKeyText = (prefix: string, bytes: 16 | 32 = 32): string => {
  const body = prefix + base62(BigInt(`0x${randomBytes(bytes).toString('hex')}`), bytes === 32 ? 43 : 22)
  return body + checksum(body)
}

/** Whether a text with that prefix has the length and checksum of a key. */
export const wellFormedKey = (prefix: string, text: string): boolean =>
  text.startsWith(prefix) &&
  /^[0-9A-Za-z]{28,49}$/.test(text.slice(prefix.length)) &&
  checksum(text.slice(0, -6)) === text.slice(-6)
