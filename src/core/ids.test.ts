import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { challenge, equal, hmacSha256, newId, newKeyText, newNonce, newNumber, sha256, wellFormedKey } from './ids.ts'
import { hmacKeyPrefix, publicKeyPrefix, secretKeyPrefix } from './keys.ts'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

suite('keys', () => {
  test('are well formed under their own prefix, in both lengths, and under no other', () => {
    for (let round = 0; round < 200; round++) {
      const [long, short] = [newKeyText(secretKeyPrefix), newKeyText(publicKeyPrefix, 16)]
      assert.match(long, /^mortise_sk_[0-9A-Za-z]{49}$/)
      assert.match(short, /^mortise_pk_[0-9A-Za-z]{28}$/)
      assert.ok(wellFormedKey(secretKeyPrefix, long))
      assert.ok(wellFormedKey(publicKeyPrefix, short))
      assert.ok(!wellFormedKey(publicKeyPrefix, long))
      assert.ok(!wellFormedKey(secretKeyPrefix, long.replace(secretKeyPrefix, hmacKeyPrefix)))
    }
  })

  test('differ each time', () => {
    const made = new Set(Array.from({ length: 1000 }, () => newKeyText(secretKeyPrefix)))
    assert.equal(made.size, 1000)
  })

  test('with any one character changed are not well formed', () => {
    const key = newKeyText(secretKeyPrefix)
    for (let at = 0; at < key.length; at++)
      for (const character of `${alphabet}_- \n`) {
        if (key[at] === character) continue
        const changed = key.slice(0, at) + character + key.slice(at + 1)
        assert.ok(!wellFormedKey(secretKeyPrefix, changed), `character ${at} as ${JSON.stringify(character)}`)
      }
  })

  test('with two neighbours swapped, one missing or one too many are not well formed', () => {
    const key = newKeyText(secretKeyPrefix)
    for (let at = 0; at < key.length; at++) {
      assert.ok(!wellFormedKey(secretKeyPrefix, key.slice(0, at) + key.slice(at + 1)), `without ${at}`)
      const [a = '', b = ''] = [key[at], key[at + 1]]
      if (a !== b && b !== '')
        assert.ok(!wellFormedKey(secretKeyPrefix, key.slice(0, at) + b + a + key.slice(at + 2)), `swapped ${at}`)
    }
    for (const text of [
      '',
      secretKeyPrefix,
      `${key}0`,
      `0${key}`,
      `${key}\n`,
      key.toLowerCase(),
      `${secretKeyPrefix}é`,
    ])
      assert.ok(!wellFormedKey(secretKeyPrefix, text))
  })
})

suite('ids', () => {
  test('a number is a positive safe integer', () => {
    let greatest = 0
    for (let round = 0; round < 10_000; round++) {
      const number = newNumber()
      assert.ok(Number.isSafeInteger(number) && number >= 1, String(number))
      greatest = Math.max(greatest, number)
    }
    // Of ten thousand, all below half the range would be a sign of missing bits.
    assert.ok(greatest > 2 ** 52)
  })

  test('an id is 24 hex digits, and later seconds sort after earlier ones', () => {
    const [early, late] = [newId(new Date(1_700_000_000_000)), newId(new Date(1_700_000_001_000))]
    assert.match(early, /^[0-9a-f]{24}$/)
    assert.equal(early.slice(0, 8), (1_700_000_000).toString(16))
    assert.ok(early < late)
    assert.notEqual(newId(new Date(0)), newId(new Date(0)))
    assert.match(newId(new Date(0)), /^00000000[0-9a-f]{16}$/)
  })

  test('a nonce is 43 base64url characters, as long as a PKCE verifier must be', () => {
    const made = new Set(Array.from({ length: 1000 }, newNonce))
    assert.equal(made.size, 1000)
    for (const nonce of made) assert.match(nonce, /^[A-Za-z0-9_-]{43}$/)
  })
})

suite('digests', () => {
  test('the PKCE challenge is that of RFC 7636 appendix B', () => {
    assert.equal(
      challenge('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'),
      'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    )
  })

  test('SHA-256 is that of FIPS 180-4, HMAC-SHA256 that of RFC 4231', () => {
    assert.equal(sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    assert.equal(
      hmacSha256('Jefe', 'what do ya want for nothing?'),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    )
  })

  test('texts are equal only when they are the same', () => {
    assert.equal(equal('abc', 'abc'), true)
    assert.equal(equal('', ''), true)
    for (const [a, b] of [
      ['abc', 'abd'],
      ['abc', 'ab'],
      ['', 'a'],
      ['a', 'A'],
    ] as const)
      assert.equal(equal(a, b), false)
  })
})
