import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPace } from './pace.ts'

test('one goes on in each turn of the event loop, in their order, and others come between', async () => {
  const pace = createPace()
  const order: string[] = []
  const each = (name: string) => pace().then(() => order.push(name))
  let turns = 0
  const count = () => {
    order.push(`turn ${++turns}`)
    if (turns < 4) setImmediate(count)
  }
  const all = ['a', 'b', 'c'].map(each)
  setImmediate(count)
  await Promise.all(all)
  assert.deepEqual(order.slice(0, 5), ['a', 'turn 1', 'b', 'turn 2', 'c'])
  await each('d')
  assert.equal(order.at(-1), 'd')
})
