import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mayResend } from './resend.ts'

const timing = { call: 20_000, straggler: 5_000 }
const rules = {
  rotates: true,
  ahead: 0.15,
  margin: 300,
  survives: false,
  permanent: [],
  transient: [],
  unspent: [],
}
const mark = (age: number, firstAge = age, probes = 0) => ({ digest: 'd', age, firstAge, probes })

test('a refresh token that is not spent by its use may always be sent again', () => {
  assert.equal(mayResend(mark(1), { ...rules, rotates: false }, 60_000, timing), 'yes')
})

test('one that is accepted again for a while may be, while the call ends within it, counted from its first use', () => {
  const grace = { ...rules, grace: 60 }
  assert.equal(mayResend(mark(39_999), grace, 60_000, timing), 'yes')
  assert.equal(mayResend(mark(40_000), grace, 60_000, timing), 60_000)
  assert.equal(mayResend(mark(1, 40_000), grace, 60_000, timing), 60_000)
})

test('any other is not sent while the access token lives, nor while an answer may still come; then once, as a probe', () => {
  assert.equal(mayResend(mark(1_000_000), rules, 5000, timing), 5000)
  assert.equal(mayResend(mark(24_000), rules, 0, timing), 1000)
  assert.equal(mayResend(mark(1000, 24_000), rules, -5, timing), 24_000)
  assert.equal(mayResend(mark(25_000), rules, 0, timing), 'probe')
  assert.equal(mayResend(mark(25_000, 90_000, 3), rules, 0, timing), 'probe')
  // The database's clock was set back: nobody waits for longer than an answer can take.
  assert.equal(mayResend(mark(-3_600_000), rules, 0, timing), 25_000)
})
