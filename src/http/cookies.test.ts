import assert from 'node:assert/strict'
import { test } from 'node:test'
import { attemptCookie, nonceIn } from './cookies.ts'

const started = { stateHash: '0123456789abcdef0123456789abcdef', nonce: 'the-nonce' }
const name = 'mortise_0123456789abcdef'

test('on loopback: for the whole host, for twenty minutes, out of reach of scripts, and not with requests of other sites', () => {
  assert.equal(attemptCookie(started, false), `${name}=the-nonce; Path=/; Max-Age=1200; HttpOnly; SameSite=Lax`)
})

test('under TLS: for this very host and TLS only (RFC 6265bis §4.1.3.2)', () => {
  assert.equal(
    attemptCookie(started, true),
    `__Host-${name}=the-nonce; Path=/; Max-Age=1200; HttpOnly; SameSite=Lax; Secure`,
  )
})

test('the nonce is read from the cookie of that attempt and that name, among others', () => {
  const header = `a=b; x${name}=two; __Host-${name}=three;${name}=one; mortise_fedcba9876543210=four`
  assert.equal(nonceIn(header, started.stateHash, false), 'one')
  assert.equal(nonceIn(header, started.stateHash, true), 'three')
  assert.equal(nonceIn(header, 'fedcba9876543210', false), 'four')
  // A page on plain http may have planted a cookie: it has not the prefix.
  assert.equal(nonceIn(`${name}=planted`, started.stateHash, true), undefined)
  assert.equal(nonceIn('a=b', started.stateHash, false), undefined)
  assert.equal(nonceIn(undefined, started.stateHash, false), undefined)
})
