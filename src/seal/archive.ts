/**
 * Lines of text as one file, sealed to a passphrase. The key is made by scrypt (RFC 7914) from the passphrase and a salt of
 * the file's own. The text goes in chunks of AES-256-GCM, in the manner of STREAM (https://eprint.iacr.org/2015/189): a
 * chunk's number, and whether it is the last one, stand in its nonce and are authenticated with it, and so is the file's
 * header. So a chunk that was changed, moved, doubled or left out is noticed, one of another file too, and a file that was
 * cut short at any place.
 *
 * File: header · chunks. Header: magic (16 bytes) · version (1) · log2 N, r, p of scrypt (1 each) · salt (16) · check (16).
 * Chunk: 1 if it is the last one, else 0 (1 byte) · length of the ciphertext (4) · tag (16) · ciphertext.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import type { Secret } from '../core/credential.ts'
import { MortiseError } from '../core/errors.ts'

const magic = Buffer.from('mortise archive\n')
const version = 1
/** What a new file takes: 128 MiB, and a third of a second. */
const cost = { log2N: 17, r: 8, p: 1 }
/** What a file may ask for at most: one that was tampered with shall not take all memory. */
const mostLog2N = 20
const headerLength = magic.length + 4 + 16 + 16
/** Bytes of text in a chunk, but for the last. */
const chunkLength = 64 * 1024
const tagged = { authTagLength: 16 } as const

/** What somebody who tries passphrases by the million does not get to. */
const shortest = 12

interface Keys {
  readonly header: Buffer
  readonly key: Buffer
}

/** The header without its check value. */
const plainHeader = (log2N: number, r: number, p: number, salt: Buffer): Buffer =>
  Buffer.concat([magic, Buffer.of(version, log2N, r, p), salt])

/** `plain`: a header without its check value, which is what tells a wrong passphrase before any chunk is looked at. */
const keysOf = async (passphrase: Secret, plain: Buffer): Promise<Keys> => {
  const [log2N = 0, r = 0, p = 0] = plain.subarray(magic.length + 1)
  const salt = plain.subarray(magic.length + 4)
  const bytes = await new Promise<Buffer>((done, fail) => {
    const options = { N: 2 ** log2N, r, p, maxmem: 256 * 2 ** log2N * r }
    // One text however the keyboard composed it.
    const text = passphrase.reveal().normalize('NFKC')
    scrypt(text, salt, 64, options, (error, made) => (error ? fail(error) : done(made)))
  })
  const check = createHmac('sha256', bytes.subarray(32)).update(plain).digest().subarray(0, 16)
  return { header: Buffer.concat([plain, check]), key: bytes.subarray(0, 32) }
}

/** Nonce and authenticated data of a chunk. The key is this file's alone, so its chunks may be counted. */
const placed = ({ header }: Keys, index: number, last: boolean) => {
  const place = Buffer.alloc(12)
  place.writeUInt32BE(index, 7)
  place[11] = last ? 1 : 0
  return { nonce: place, aad: Buffer.concat([header, place]) }
}

export interface ArchiveWriter {
  /** A line of text, without its end. */
  line(text: string): Promise<void>
  /** The last line. Without it, the file is one that was cut short. */
  end(text: string): Promise<void>
}

/** Begins an archive. `write` is given its bytes, one piece after the other. */
export const createArchive = async (
  passphrase: Secret,
  write: (bytes: Uint8Array) => Promise<void>,
): Promise<ArchiveWriter> => {
  if (passphrase.reveal().length < shortest)
    throw new MortiseError(
      'invalid_request',
      `The passphrase must have at least ${shortest} characters: whoever has the file can try as many as they like. Make one with: openssl rand -base64 24`,
    )
  const keys = await keysOf(passphrase, plainHeader(cost.log2N, cost.r, cost.p, randomBytes(16)))
  let pieces: Buffer[] = []
  let length = 0
  let index = 0
  const chunk = async (plain: Buffer, last: boolean): Promise<void> => {
    const { nonce, aad } = placed(keys, index++, last)
    const cipher = createCipheriv('aes-256-gcm', keys.key, nonce, tagged)
    cipher.setAAD(aad)
    const text = Buffer.concat([cipher.update(plain), cipher.final()])
    const head = Buffer.alloc(5)
    head[0] = last ? 1 : 0
    head.writeUInt32BE(text.length, 1)
    await write(Buffer.concat([head, cipher.getAuthTag(), text]))
  }
  const add = async (text: string): Promise<void> => {
    const bytes = Buffer.from(text)
    pieces.push(bytes)
    length += bytes.length
    if (length <= chunkLength) return
    let rest = Buffer.concat(pieces)
    for (; rest.length > chunkLength; rest = rest.subarray(chunkLength))
      await chunk(rest.subarray(0, chunkLength), false)
    pieces = [rest]
    length = rest.length
  }
  await write(keys.header)
  return {
    line: text => add(`${text}\n`),
    async end(text) {
      await add(text)
      await chunk(Buffer.concat(pieces), true)
    },
  }
}

export interface Archive {
  /**
   * The lines, from the first one: of each chunk once it was authenticated, so what was given before an error is true.
   * Throws `invalid_request` where the file was changed or cut short. May be called again.
   */
  lines(): AsyncGenerator<string>
}

const damaged = (what: string): MortiseError =>
  new MortiseError('invalid_request', `${what} Copy the file again from where it was made, or make another.`)

/** Bytes in the portions that are asked for. Undefined where fewer are left; `rest` then tells whether any are. */
const portions = (source: AsyncIterable<Uint8Array>) => {
  const pieces = source[Symbol.asyncIterator]()
  let kept = Buffer.alloc(0)
  return {
    async take(length: number): Promise<Buffer | undefined> {
      while (kept.length < length) {
        const next = await pieces.next()
        if (next.done) return undefined
        kept = Buffer.concat([kept, next.value])
      }
      const taken = kept.subarray(0, length)
      kept = kept.subarray(length)
      return taken
    },
    close: async () => void (await pieces.return?.()),
  }
}

/** Opens an archive; `read` gives its bytes from the start each time. Throws `invalid_request`, with who must do what. */
export const openArchive = async (passphrase: Secret, read: () => AsyncIterable<Uint8Array>): Promise<Archive> => {
  const beginning = portions(read())
  const header = await beginning.take(headerLength)
  await beginning.close()
  if (!header?.subarray(0, magic.length).equals(magic))
    throw new MortiseError('invalid_request', 'This is no file that `mortise export` made.')
  const [made = 0, log2N = 0, r = 0, p = 0] = header.subarray(magic.length)
  if (made !== version)
    throw new MortiseError('invalid_request', 'A newer Mortise made this file. Import it with that version.')
  if (log2N < cost.log2N || log2N > mostLog2N || r !== cost.r || p !== cost.p)
    throw damaged('The beginning of the file was changed.')
  const keys = await keysOf(passphrase, header.subarray(0, -16))
  if (!timingSafeEqual(keys.header, header))
    throw new MortiseError(
      'invalid_request',
      'The passphrase does not open this file (or its first bytes were changed). Give the one that it was exported with.',
    )
  return {
    async *lines() {
      const bytes = portions(read())
      const decoder = new TextDecoder('utf-8', { fatal: true })
      try {
        const again = await bytes.take(headerLength)
        if (!again?.equals(header)) throw damaged('The file was changed while it was read.')
        let kept = ''
        for (let index = 0; ; index++) {
          const head = await bytes.take(5 + 16)
          const length = head?.readUInt32BE(1) ?? 0
          if (length > chunkLength) throw damaged('The file was changed.')
          const sealed = head && (await bytes.take(length))
          if (!head || !sealed) throw damaged('The file was cut short: its end is missing.')
          const last = head[0] === 1
          const { nonce, aad } = placed(keys, index, last)
          const decipher = createDecipheriv('aes-256-gcm', keys.key, nonce, tagged)
          decipher.setAAD(aad)
          decipher.setAuthTag(head.subarray(5))
          const text = decipher.update(sealed)
          try {
            decipher.final()
          } catch {
            throw damaged('The file was changed since it was made.')
          }
          const lines = (kept + decoder.decode(text, { stream: !last })).split('\n')
          kept = lines.pop() ?? ''
          yield* lines
          if (!last) continue
          if (await bytes.take(1)) throw damaged('The file goes on after its end.')
          yield kept
          return
        }
      } finally {
        await bytes.close()
      }
    },
  }
}
