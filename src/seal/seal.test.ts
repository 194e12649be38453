import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { suite, test } from 'node:test'
import { inspect } from 'node:util'
import { Secret } from '../core/credential.ts'
import { SetupError } from '../core/errors.ts'
import type { Place } from '../core/ports.ts'
import { openSqlite } from '../storage/sqlite.ts'
import { createSeal, isSealed, proveRootKey } from './seal.ts'

const root = new Secret(randomBytes(32))
const seal = createSeal(root)
const wrapped = seal.newKey(1)
const sealer = seal.environment(1, wrapped)
const place: Place = ['connections', 'row-1', 'access']
const internal = { code: 'internal' }

suite('a sealed value', () => {
  test('opens at its place', () => {
    for (const plain of ['', 'x', 'gho_token', '日本語 🔑 \u0000', 'long '.repeat(50_000)])
      assert.equal(sealer.open(place, sealer.seal(place, plain)), plain)
  })

  test('opens with another sealer of the same environment and key', () => {
    const again = createSeal(new Secret(Buffer.from(root.reveal()))).environment(1, wrapped)
    assert.equal(again.open(place, sealer.seal(place, 'token')), 'token')
  })

  test('of earlier still opens: the bytes that bind it to its place are the same', () => {
    const earlier = createSeal(new Secret(Buffer.alloc(32, 7))).environment(
      1,
      Buffer.from(
        'AcdU3RwXwKfRV0qUBHeGPPYvsEz8ubMqp1tVg53BS+kMMOLkiRZ3ZgODOtiKouy8xOCXW91BTrob9XMz9AfUIgwCAL+sBmIe84KQXgM=',
        'base64',
      ),
    )
    for (const [at, blob] of [
      [
        ['connections', '0123456789abcdef01234567', 'access'],
        'Af0on0uLYJWVaW87xcm/ZyQpAMmfNWabjk/aTOm0RwncyVx1ATtJRmW23fkR',
      ],
      [['täble', 'röw', 'x'.repeat(300)], 'Af0on0uLYJWVc25TteCBJLwEHfOmDWO9zHe4Izotn0VevlM2XpYfRbPz4Zds'],
    ] as const)
      assert.equal(earlier.open(at, Buffer.from(blob, 'base64')), 'plain ü')
  })

  test('opens as a view into a greater buffer, as a database may give it', () => {
    const blob = sealer.seal(place, 'token')
    const padded = new Uint8Array(blob.length + 20)
    padded.set(blob, 13)
    assert.equal(sealer.open(place, padded.subarray(13, 13 + blob.length)), 'token')
  })

  test('does not open in another table, row or field', () => {
    const blob = sealer.seal(place, 'token')
    for (const other of [
      ['attempts', 'row-1', 'access'],
      ['connections', 'row-2', 'access'],
      ['connections', 'row-1', 'renewal'],
      ['connections', '', 'access'],
      ['connection', 'srow-1', 'access'],
      ['connectionsrow-1', '', 'access'],
      ['connections', 'row-1a', 'ccess'],
    ] as const)
      assert.throws(() => sealer.open(other, blob), internal, other.join('/'))
  })

  test('does not open in another environment', () => {
    const blob = sealer.seal(place, 'token')
    assert.throws(() => seal.environment(2, seal.newKey(2)).open(place, blob), internal)
    assert.throws(() => seal.environment(1, seal.newKey(1)).open(place, blob), internal)
  })

  test('does not open with any one bit flipped', () => {
    const blob = sealer.seal(place, 'token')
    for (let bit = 0; bit < blob.length * 8; bit++) {
      const flipped = Uint8Array.from(blob)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.throws(() => sealer.open(place, flipped), internal, `bit ${bit}`)
    }
  })

  test('does not open cut short or made longer', () => {
    const blob = sealer.seal(place, 'token')
    for (let length = 0; length < blob.length; length++)
      assert.throws(() => sealer.open(place, blob.slice(0, length)), internal, `${length} bytes`)
    assert.throws(() => sealer.open(place, Buffer.concat([blob, Buffer.of(0)])), internal)
  })

  test('is the only thing that opens: a plain value is refused', () => {
    for (const plain of ['', 'gho_token', 'x'.repeat(200), '{"token":"x"}', '\u0001'.repeat(80)])
      assert.throws(() => sealer.open(place, Buffer.from(plain)), internal)
  })

  test('has a fresh nonce each time', () => {
    const blobs = Array.from({ length: 2000 }, () => Buffer.from(sealer.seal(place, 'token')))
    assert.equal(new Set(blobs.map(blob => blob.subarray(9, 21).toString('hex'))).size, 2000)
    assert.equal(new Set(blobs.map(blob => blob.subarray(37).toString('hex'))).size, 2000)
  })

  test('is not repeated in the error when it does not open, nor is the key', () => {
    const blob = sealer.seal(place, 'planted-token')
    blob[blob.length - 1] = (blob[blob.length - 1] ?? 0) ^ 1
    assert.throws(
      () => sealer.open(place, blob),
      error => {
        const told = inspect(error, { depth: 9, showHidden: true })
        assert.ok(told.includes('connections/row-1/access'))
        assert.ok(!told.includes('planted-token'))
        return true
      },
    )
  })
})

suite('a data key', () => {
  test('is new for each environment and each call', () => {
    const keys = [seal.newKey(1), seal.newKey(1), seal.newKey(2)].map(key => Buffer.from(key).toString('hex'))
    assert.equal(new Set(keys).size, 3)
  })

  test('is wrapped for its own environment', () => {
    assert.throws(() => seal.environment(2, wrapped))
    assert.throws(() => seal.environment(11, seal.newKey(1)))
  })

  test('does not open under another root key', () => {
    assert.throws(() => createSeal(new Secret(randomBytes(32))).environment(1, wrapped))
  })

  test('does not open with any one bit flipped', () => {
    for (let bit = 0; bit < wrapped.length * 8; bit++) {
      const flipped = Uint8Array.from(wrapped)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      assert.throws(() => seal.environment(1, flipped), `bit ${bit}`)
    }
  })
})

suite('the proof of the root key', () => {
  test('writes its check value once, and takes the right key ever after', async t => {
    const storage = openSqlite(':memory:')
    t.after(() => storage.close())
    assert.equal(await isSealed(storage), false)
    await proveRootKey(storage, root)
    assert.equal(await isSealed(storage), true)
    const written = await storage.marked('root key check')
    await proveRootKey(storage, root)
    await proveRootKey(storage, new Secret(Buffer.from(root.reveal())))
    assert.deepEqual(await storage.marked('root key check'), written)
  })

  test('refuses another key, and changes nothing', async t => {
    const storage = openSqlite(':memory:')
    t.after(() => storage.close())
    await proveRootKey(storage, root)
    const written = await storage.marked('root key check')
    const wrong = new Secret(randomBytes(32))
    await assert.rejects(proveRootKey(storage, wrong), error => {
      assert.ok(error instanceof SetupError)
      assert.match(error.message, /not the one that this database was sealed under/)
      assert.ok(!inspect(error).includes(wrong.reveal().toString('base64')))
      return true
    })
    assert.deepEqual(await storage.marked('root key check'), written)
    await proveRootKey(storage, root)
  })

  test('refuses a check value that is no seal', async t => {
    const storage = openSqlite(':memory:')
    t.after(() => storage.close())
    await storage.mark('root key check', Buffer.from('root key check'))
    await assert.rejects(proveRootKey(storage, root), SetupError)
  })
})
