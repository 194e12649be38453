import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isoTime } from './iso.ts'

test('is what Date writes, without its Z', () => {
  const times = [0, -1, 1, 999, 59_999, 86_399_999, 86_400_000, 951_868_799_999, 1_796_000_000_123, 253_402_300_799_999]
  // Every third day of some years, at another time each: more days than are kept.
  for (let time = -2_000_000_000_000; time < 3_000_000_000_000; time += 259_245_678) times.push(time)
  for (const time of times) assert.equal(`${isoTime(time)}Z`, new Date(time).toISOString())
})
