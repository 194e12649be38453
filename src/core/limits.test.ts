/** Limits of an integration, and the usual ones. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changedLimits, ofCall, ofStream } from './limits.ts'

test('what is not set is as usual; an action takes 10 MB at most', () => {
  assert.deepEqual(ofStream({}), { firstByte: 60_000, idle: 60_000, limit: undefined })
  assert.deepEqual(ofStream({ limits: { firstByteSeconds: 1, idleSeconds: 2, answerBytes: 3 } }), {
    firstByte: 1000,
    idle: 2000,
    limit: 3,
  })
  assert.deepEqual(ofCall({}), { limit: 10_000_000 })
  assert.deepEqual(ofCall({ limits: { answerBytes: 5, firstByteSeconds: 40 } }), { limit: 5, timeout: 40_000 })
  assert.deepEqual(ofCall({ limits: { answerBytes: 20_000_000 } }), { limit: 10_000_000 })
})

test('a change names what it changes; with none left there are none', () => {
  assert.deepEqual(changedLimits({ idleSeconds: 1 }, { requestBytes: 2 }), { idleSeconds: 1, requestBytes: 2 })
  assert.deepEqual(changedLimits({ idleSeconds: 1 }, { idleSeconds: undefined }), { idleSeconds: 1 })
  assert.equal(changedLimits({ idleSeconds: 1 }, { idleSeconds: null }), undefined)
  assert.equal(changedLimits({ idleSeconds: 1 }, null), undefined)
  assert.equal(changedLimits(undefined, {}), undefined)
})
