import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHeld } from './held.ts'

const silent = { info() {}, warn() {}, error() {} }
const a = { environmentId: 1, id: 'a' }

/** Writes fail until `mend`. */
const breakable = () => {
  let broken = true
  let [tries, ended] = [0, 0]
  return {
    mend: () => {
      broken = false
    },
    write: async () => {
      tries++
      if (broken) throw new Error('disk full')
    },
    after: async () => {
      ended++
    },
    counts: () => ({ tries, ended }),
  }
}

test('what cannot be written is told to who waits, and written all the same', async () => {
  const held = createHeld(silent, { patience: 200 })
  const { write, after, mend, counts } = breakable()
  await assert.rejects(held.land(a, write, after), /disk full/)
  await assert.rejects(held.landing(a) ?? Promise.resolve(), /disk full/)
  assert.equal(held.landing({ environmentId: 2, id: 'a' }), undefined)
  assert.equal(counts().ended, 0)
  mend()
  await held.settle()
  assert.equal(held.landing(a), undefined)
  assert.equal(counts().ended, 1)
  assert.ok(counts().tries >= 3)
})

test('settling waits for what is kept, however long it takes', async () => {
  const held = createHeld(silent, { patience: 10 })
  const { write, after, mend, counts } = breakable()
  await assert.rejects(held.land(a, write, after))
  setTimeout(mend, 300)
  await held.settle()
  assert.equal(counts().ended, 1)
})

test('a storage that does not answer at all is waited for no longer than one that fails', async () => {
  const held = createHeld(silent, { patience: 50 })
  let answer = () => {}
  const write = () =>
    new Promise<void>(done => {
      answer = done
    })
  await assert.rejects(
    held.land(a, write, async () => {}),
    /takes too long/,
  )
  answer()
  await held.settle()
})
