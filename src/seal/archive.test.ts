import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import { Secret } from '../core/credential.ts'
import { createArchive, openArchive } from './archive.ts'

// The key of the same passphrase, salt and cost is made once: it takes a third of a second, and is asked for fifty times.
const real = crypto.scrypt
const made = new Map<string, Promise<Buffer>>()
crypto.scrypt = ((text, salt, length, options, done) => {
  const asked = `${text} ${Buffer.from(salt as Buffer).toString('hex')} ${JSON.stringify(options)}`
  const key =
    made.get(asked) ??
    new Promise<Buffer>((found, fail) =>
      real(text, salt, length, options, (error, bytes) => (error ? fail(error) : found(bytes))),
    )
  made.set(asked, key)
  key.then(
    bytes => {
      done(null, Buffer.from(bytes))
    },
    (error: Error) => {
      done(error, Buffer.alloc(0))
    },
  )
}) as typeof crypto.scrypt
syncBuiltinESMExports()

const passphrase = new Secret('a long passphrase, ünïcode')

/** An archive of these lines, and where its chunks begin. */
const make = async (lines: readonly string[], secret = passphrase, ended = true) => {
  const pieces: Buffer[] = []
  const archive = await createArchive(secret, async bytes => void pieces.push(Buffer.from(bytes)))
  for (const line of lines.slice(0, -1)) await archive.line(line)
  if (ended) await archive.end(lines.at(-1) ?? '')
  return pieces
}

/** Gives the bytes in pieces that are no chunks. */
const source = (bytes: Buffer, piece = 1000) =>
  async function* () {
    for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece)
  }

/** The lines, or how the reading ended after those that came. */
const read = async (bytes: Buffer, secret = passphrase): Promise<string[]> => {
  const lines: string[] = []
  try {
    for await (const line of (await openArchive(secret, source(bytes))).lines()) lines.push(line)
  } catch (error) {
    lines.push(`! ${(error as Error).message}`)
  }
  return lines
}

const last = async (bytes: Buffer, secret = passphrase) => (await read(bytes, secret)).at(-1) ?? ''

const long = Array.from({ length: 40 }, (_, n) => `${n} ünïcode `.repeat(700))
const parts = await make(long)

test('the lines come back as they were, also where a character lies across two chunks; nothing of them shows', async () => {
  const whole = Buffer.concat(parts)
  assert.ok(parts.length > 5, `${parts.length} pieces`)
  assert.deepEqual(await read(whole), long)
  assert.ok(!whole.includes('code'))
  assert.deepEqual(await read(Buffer.concat(await make(['']))), [''])
  assert.deepEqual(await read(Buffer.concat(await make(['a', '', 'b']))), ['a', '', 'b'])
  const archive = await openArchive(passphrase, source(whole))
  for (let round = 0; round < 2; round++) {
    let count = 0
    for await (const _ of archive.lines()) count++
    assert.equal(count, 40)
  }
})

test('two archives of the same lines have nothing in common', async () => {
  const other = await make(long)
  for (const [index, part] of parts.entries())
    assert.ok(index === 0 || !part.subarray(5).equals(other[index]?.subarray(5) ?? part.subarray(5)))
})

test('a wrong passphrase is told before any line', async () => {
  const whole = Buffer.concat(parts)
  assert.deepEqual(await read(whole, new Secret('a long passphrase')), [
    '! The passphrase does not open this file (or its first bytes were changed). Give the one that it was exported with.',
  ])
  // The same text, composed otherwise.
  assert.equal((await read(whole, new Secret('a long passphrase, ünïcode'.normalize('NFD')))).length, 40)
  await assert.rejects(make(['a'], new Secret('too short')), /at least 12 characters/)
})

test('a byte that was changed is noticed, wherever it is', async () => {
  const whole = Buffer.concat(parts)
  const places = [0, 16, 17, 18, 19, 25, 45, 52, 53, 56, 60, 80, 70_000, whole.length - 1]
  for (const at of places) {
    const changed = Buffer.from(whole)
    changed[at] = (changed[at] ?? 0) ^ 1
    assert.match(await last(changed), /^! /, `byte ${at}`)
  }
})

test('a file that was cut short is noticed, at every boundary of a chunk and between them', async () => {
  for (let kept = 1; kept < parts.length; kept++) {
    const cut = Buffer.concat(parts.slice(0, kept))
    assert.match(await last(cut), /^! The file was cut short/)
    if (kept > 1) assert.match(await last(cut.subarray(0, -7)), /^! The file was cut short/)
  }
  assert.match(await last(Buffer.concat(parts).subarray(0, 40)), /^! This is no file/)
  // Its writer was killed: all lines but the last are there.
  assert.match(await last(Buffer.concat(await make(long, passphrase, false))), /^! The file was cut short/)
})

test('chunks that were swapped, doubled, left out or taken from another file are noticed', async () => {
  const [header, first, second, ...more] = parts
  assert.ok(header && first && second)
  const other = await make(long)
  const changed =
    '! The file was changed since it was made. Copy the file again from where it was made, or make another.'
  const tried = {
    swapped: [header, second, first, ...more],
    doubled: [header, first, first, second, ...more],
    'left out': [header, second, ...more],
    'of another': [header, other[1] ?? first, second, ...more],
    "another's header": [other[0] ?? header, first, second, ...more],
    'the last one early': [header, first, parts.at(-1) ?? first],
  }
  for (const [name, pieces] of Object.entries(tried)) assert.equal(await last(Buffer.concat(pieces)), changed, name)
  assert.match(await last(Buffer.concat([...parts, parts.at(-1) ?? first])), /^! The file goes on after its end/)
  // The mark of the last one is part of what is authenticated.
  const ended = Buffer.from(first)
  ended[0] = 1
  assert.equal(await last(Buffer.concat([header, ended])), changed)
})

test('a file that is another thing, or asks for too much memory, is refused', async () => {
  assert.match(await last(Buffer.from('{}')), /^! This is no file/)
  const whole = Buffer.concat(parts)
  const changed = (at: number, value: number) => {
    const copy = Buffer.from(whole)
    copy[at] = value
    return last(copy)
  }
  assert.match(await changed(16, 2), /^! A newer Mortise/)
  assert.match(await changed(17, 30), /^! The beginning of the file was changed/)
  assert.match(await changed(17, 4), /^! The beginning of the file was changed/)
})
