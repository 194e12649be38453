/** Where the root key comes from: the environment, a file, or, at the first `dev` start only, a new file. */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { Secret } from '../core/credential.ts'
import { SetupError } from '../core/errors.ts'

const advice = 'It must be 32 random bytes in base64; make one with: openssl rand -base64 32'

/** 32 bytes from base64 or base64url text. Throws a sentence that names `where` and repeats nothing of the text. */
export const parseRootKey = (text: string, where: string): Secret<Buffer> => {
  const trimmed = text.trim()
  const bytes = Buffer.from(trimmed, 'base64')
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed) || bytes.length !== 32)
    throw new SetupError(`${where} holds no root key. ${advice}`)
  return new Secret(bytes)
}

/** The key in a file; undefined if there is no such file. */
export const readRootKeyFile = (path: string): Secret<Buffer> | undefined => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new SetupError(`The root key file ${path} cannot be read: ${(error as Error).message}`)
  }
  return parseRootKey(text, `The root key file ${path}`)
}

/** A new key in a new file that only its owner may read. Never replaces a file. */
export const makeRootKeyFile = (path: string): Secret<Buffer> => {
  const bytes = randomBytes(32)
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, `${bytes.toString('base64')}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  return new Secret(bytes)
}
