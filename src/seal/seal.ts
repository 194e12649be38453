/**
 * AES-256-GCM (NIST SP 800-38D) with a fresh 96-bit nonce for each blob. A data key per environment, wrapped by the root
 * key. A blob says which key sealed it, and its additional data binds it to its environment, table, row and field.
 *
 * Blob: version (1 byte) · key id (8) · nonce (12) · tag (16) · ciphertext.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hash, type KeyObject, randomBytes } from 'node:crypto'
import type { Secret } from '../core/credential.ts'
import { MortiseError, SetupError } from '../core/errors.ts'
import type { Place, Seal } from '../core/ports.ts'
import type { Storage } from '../core/storage.ts'

const version = 1
const header = 1 + 8 + 12 + 16
const tagged = { authTagLength: 16 } as const

interface Key {
  readonly id: Buffer
  /** As bytes it would be made anew for each value. */
  readonly secret: KeyObject
}

/**
 * A part of additional data, a character for each byte: its length in four bytes, then its text as UTF-8. So no two lists
 * of parts make the same bytes.
 */
const part = (text: string): string => {
  const bytes = Buffer.byteLength(text) === text.length ? text : Buffer.from(text).toString('latin1')
  const { length } = bytes
  return String.fromCharCode(length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255) + bytes
}

const additional = (...parts: readonly string[]): Buffer => Buffer.from(parts.map(part).join(''), 'latin1')

/** Random bytes for many nonces: asked for one by one, they cost more than the cipher. None is given twice. */
let pool = Buffer.alloc(0)
const newNonce = (): Buffer => {
  if (pool.length === 0) pool = randomBytes(256 * 12)
  const nonce = pool.subarray(0, 12)
  pool = pool.subarray(12)
  return nonce
}

const encrypt = (key: Key, aad: Buffer, plain: Buffer): Buffer => {
  const nonce = newNonce()
  const cipher = createCipheriv('aes-256-gcm', key.secret, nonce, tagged)
  cipher.setAAD(aad)
  const text = cipher.update(plain)
  // Makes the tag; of this mode it has no bytes to add.
  cipher.final()
  // In memory of its own, which goes to the thread that writes without a copy.
  const blob = Buffer.allocUnsafeSlow(header + text.length)
  blob[0] = version
  blob.set(key.id, 1)
  blob.set(nonce, 9)
  blob.set(cipher.getAuthTag(), 21)
  blob.set(text, header)
  return blob
}

const decrypt = (key: Key, aad: Buffer, blob: Uint8Array): Buffer => {
  let known = blob.length >= header && blob[0] === version
  for (let at = 0; at < 8; at++) known &&= blob[1 + at] === key.id[at]
  if (!known) throw new Error('not sealed with this key')
  const decipher = createDecipheriv('aes-256-gcm', key.secret, blob.subarray(9, 21), tagged)
  decipher.setAAD(aad)
  decipher.setAuthTag(blob.subarray(21, header))
  const text = decipher.update(blob.subarray(header))
  // Throws unless the tag is right; of this mode it has no bytes to add.
  decipher.final()
  return text
}

const rootKey = (secret: Secret<Buffer>): Key => ({
  id: hash('sha256', Buffer.concat([Buffer.from('mortise root key id'), secret.reveal()]), 'buffer').subarray(0, 8),
  secret: createSecretKey(secret.reveal()),
})

export const createSeal = (root: Secret<Buffer>): Seal => {
  const rootAs = rootKey(root)
  const wrapping = (environmentId: number) => additional('data key', String(environmentId))
  return {
    newKey: environmentId => encrypt(rootAs, wrapping(environmentId), randomBytes(8 + 32)),
    environment(environmentId, wrappedKey) {
      const opened = decrypt(rootAs, wrapping(environmentId), wrappedKey)
      const key: Key = { id: opened.subarray(0, 8), secret: createSecretKey(opened.subarray(8)) }
      const start = part(String(environmentId))
      const aad = ([table, row, field]: Place) => Buffer.from(start + part(table) + part(row) + part(field), 'latin1')
      return {
        seal: (place, plain) => encrypt(key, aad(place), Buffer.from(plain)),
        open(place, blob) {
          try {
            return decrypt(key, aad(place), blob).toString()
          } catch (cause) {
            throw new MortiseError('internal', `A sealed value does not open at ${place.join('/')}.`, { cause })
          }
        },
      }
    },
  }
}

const mark = 'root key check'

/** Whether the database holds data sealed under some root key already. */
export const isSealed = async (storage: Storage): Promise<boolean> => (await storage.marked(mark)) !== undefined

/**
 * Proves that the root key is the one that the data was sealed under; on a new database, writes the check value.
 * Throws a sentence for the operator.
 */
export const proveRootKey = async (storage: Storage, root: Secret<Buffer>): Promise<void> => {
  const key = rootKey(root)
  const stored = await storage.mark(mark, encrypt(key, additional(mark), Buffer.from(mark)))
  try {
    if (decrypt(key, additional(mark), stored).toString() === mark) return
  } catch {}
  throw new SetupError(
    'The root key is not the one that this database was sealed under. Set MORTISE_ROOT_KEY or MORTISE_ROOT_KEY_FILE to the right one; nothing was changed.',
  )
}
