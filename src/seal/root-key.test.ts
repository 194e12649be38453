import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { SetupError } from '../core/errors.ts'
import { makeRootKeyFile, parseRootKey, readRootKeyFile } from './root-key.ts'

const bytes = Buffer.from(Array.from({ length: 32 }, (_, at) => 255 - at * 3))

const folderOf = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'mortise-root-key-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

suite('a root key', () => {
  test('is 32 bytes in base64 or base64url, padded or not, with white space around', () => {
    for (const text of [
      bytes.toString('base64'),
      bytes.toString('base64').replace('=', ''),
      bytes.toString('base64url'),
      `  ${bytes.toString('base64')}\n`,
    ])
      assert.deepEqual(parseRootKey(text, 'MORTISE_ROOT_KEY').reveal(), bytes)
  })

  test('is refused in any other form, without a word of it in the message', () => {
    for (const text of [
      '',
      ' ',
      'planted',
      bytes.toString('hex'),
      bytes.subarray(1).toString('base64'),
      Buffer.concat([bytes, bytes]).toString('base64'),
      Buffer.concat([bytes, Buffer.of(1)]).toString('base64'),
      `${bytes.toString('base64').slice(0, 20)} ${bytes.toString('base64').slice(20)}`,
      `${bytes.toString('base64').slice(0, -2)}!=`,
      `"${bytes.toString('base64')}"`,
      `${bytes.toString('base64')}=`,
    ])
      assert.throws(
        () => parseRootKey(text, 'MORTISE_ROOT_KEY'),
        (error: unknown) => {
          assert.ok(error instanceof SetupError)
          assert.match(error.message, /^MORTISE_ROOT_KEY holds no root key\. .*openssl rand -base64 32$/)
          assert.ok(text.trim() === '' || !inspect(error).includes(text))
          return true
        },
        text,
      )
  })

  test('does not print', () => {
    const key = parseRootKey(bytes.toString('base64'), 'x')
    for (const told of [inspect(key, { showHidden: true }), String(key), JSON.stringify({ key })])
      assert.ok(told.includes('[secret]') && !told.includes('ff fc') && !told.includes('255'))
  })
})

suite('a root key file', () => {
  test('is read where it is, and is undefined where it is not', t => {
    const folder = folderOf(t)
    const path = join(folder, 'root.key')
    assert.equal(readRootKeyFile(path), undefined)
    writeFileSync(path, `${bytes.toString('base64')}\n`)
    assert.deepEqual(readRootKeyFile(path)?.reveal(), bytes)
  })

  test('that holds something else is refused by its path, without its text', t => {
    const path = join(folderOf(t), 'root.key')
    for (const text of ['', 'planted-key-text']) {
      writeFileSync(path, text)
      assert.throws(
        () => readRootKeyFile(path),
        (error: unknown) => {
          assert.ok(error instanceof SetupError)
          assert.ok(error.message.includes(path) && !inspect(error).includes('planted-key-text'))
          return true
        },
      )
    }
  })

  test('that cannot be read is refused, not taken for missing', t => {
    const path = join(folderOf(t), 'root.key')
    mkdirSync(path)
    assert.throws(() => readRootKeyFile(path), /root\.key cannot be read/)
  })

  test('is made with a key that it gives back, for its owner only', t => {
    const path = join(folderOf(t), 'root.key')
    const before = process.umask(0)
    try {
      const made = makeRootKeyFile(path)
      assert.equal(made.reveal().length, 32)
      assert.deepEqual(readRootKeyFile(path)?.reveal(), made.reveal())
    } finally {
      process.umask(before)
    }
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  test('is different each time, and never replaces a file', t => {
    const folder = folderOf(t)
    const [one, other] = [join(folder, 'one.key'), join(folder, 'other.key')]
    assert.notDeepEqual(makeRootKeyFile(one).reveal(), makeRootKeyFile(other).reveal())
    const text = readFileSync(one, 'utf8')
    assert.throws(() => makeRootKeyFile(one), { code: 'EEXIST' })
    assert.equal(readFileSync(one, 'utf8'), text)
    writeFileSync(join(folder, 'empty.key'), '')
    assert.throws(() => makeRootKeyFile(join(folder, 'empty.key')), { code: 'EEXIST' })
  })
})
