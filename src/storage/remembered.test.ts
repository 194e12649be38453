import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remembered } from './remembered.ts'

const begin = () => {
  const asked: { answer: (value: number) => void; fail: (error: Error) => void }[] = []
  let now = 0
  const ask = () => new Promise<number>((answer, fail) => asked.push({ answer, fail }))
  const value = remembered(ask, 500, () => now)
  return {
    asked,
    value,
    wait: (ms: number) => {
      now += ms
    },
  }
}

test('an answer is shared by all who come within its time, counted from the question', async () => {
  const { asked, value, wait } = begin()
  const first = value.get()
  wait(400)
  const second = value.get()
  asked[0]?.answer(1)
  assert.deepEqual(await Promise.all([first, second]), [1, 1])
  wait(99)
  assert.equal(await value.get(), 1)
  assert.equal(asked.length, 1)
  wait(1)
  const third = value.get()
  asked[1]?.answer(2)
  assert.equal(await third, 2)
})

test('nobody waits for a question that was asked too long ago', async () => {
  const { asked, value, wait } = begin()
  const slow = value.get()
  wait(500)
  const next = value.get()
  asked[1]?.answer(2)
  asked[0]?.answer(1)
  assert.deepEqual([await slow, await next, await value.get()], [1, 2, 2])
})

test('a failure is thrown to those who wait for it, and to nobody after', async () => {
  const { asked, value } = begin()
  const waiting = [value.get(), value.get()]
  asked[0]?.fail(new Error('gone'))
  for (const each of waiting) await assert.rejects(Promise.resolve(each), /gone/)
  const next = value.get()
  asked[1]?.answer(3)
  assert.equal(await next, 3)
})

test('what was forgotten is asked anew, and an answer that is on its way does not come back', async () => {
  const { asked, value } = begin()
  const early = value.get()
  value.forget()
  const late = value.get()
  asked[1]?.answer(2)
  asked[0]?.answer(1)
  assert.deepEqual([await early, await late, await value.get()], [1, 2, 2])
})

test('what is known is answered at once, and so is what is told at once, for one turn; a throw is kept for nobody', async () => {
  const { asked, value } = begin()
  const first = value.get()
  asked[0]?.answer(1)
  await first
  assert.equal(value.get(), 1)
  let calls = 0
  const direct = remembered(
    () => {
      if (++calls === 2) throw new Error('gone')
      return calls
    },
    0,
    () => 0,
  )
  const turn = () => new Promise(done => setImmediate(done))
  assert.deepEqual([direct.get(), direct.get()], [1, 1])
  await Promise.resolve()
  assert.equal(direct.get(), 1)
  await turn()
  assert.throws(() => direct.get(), /gone/)
  assert.equal(direct.get(), 3)
  direct.forget()
  assert.equal(direct.get(), 4)
})
