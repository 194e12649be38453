import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBody } from './body.ts'

test('what comes right within the word that more is wanted is read', { timeout: 1000 }, async () => {
  const piece = Buffer.alloc(64 * 1024, 'x')
  let left = 3
  const body = createBody({
    pause() {},
    resume() {
      if (left-- > 0) body.push(piece)
      else body.end()
    },
    abort() {},
  })
  body.push(piece)
  let count = 0
  for await (const each of body) count += each.length
  assert.equal(count, 4 * piece.length)
})
