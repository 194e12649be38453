/** What comes in one turn of the event loop, handed on together when it ends. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gathering } from './gather.ts'

test('who comes in one turn goes on when it ends, in order, and who comes then goes on in the next', async () => {
  const seen: string[] = []
  const gather = gathering<() => void>(all => {
    for (const step of all) step()
  })
  const step = (name: string) => new Promise<void>(done => gather(() => done(void seen.push(name))))
  const first = [step('a'), Promise.resolve().then(() => step('b'))]
  gather(() => gather(() => seen.push('next')))
  setImmediate(() => seen.push('the turn is over'))
  await Promise.all(first)
  assert.deepEqual(seen, ['a', 'b'])
  await new Promise(setImmediate)
  assert.deepEqual(seen, ['a', 'b', 'the turn is over', 'next'])
})
