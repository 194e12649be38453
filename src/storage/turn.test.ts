import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTurn } from './turn.ts'

const begin = (together?: (reads: () => void) => void) => {
  const seen: string[] = []
  const turn = createTurn(
    together ??
      (reads => {
        seen.push('begin')
        reads()
        seen.push('end')
      }),
  )
  const read = (name: string) =>
    turn(() => {
      seen.push(name)
      return name
    })
  return { seen, turn, read }
}

test('reads of one turn are made together, when it ends, and those of the next by themselves', async () => {
  const { seen, read } = begin()
  const first = [read('a'), Promise.resolve().then(() => read('b'))]
  assert.deepEqual(seen, [])
  assert.deepEqual(await Promise.all(first), ['a', 'b'])
  assert.equal(await read('c'), 'c')
  assert.deepEqual(seen, ['begin', 'a', 'b', 'end', 'begin', 'c', 'end'])
})

test('everyone takes one step before anyone takes the next', async () => {
  const { seen, read } = begin()
  const stepping = async (name: string) => {
    await read(name)
    seen.push(`${name}1`)
    await undefined
    seen.push(`${name}2`)
  }
  await Promise.all([stepping('a'), stepping('b')])
  assert.deepEqual(seen, ['begin', 'a', 'b', 'end', 'a1', 'b1', 'a2', 'b2'])
})

test('a read that fails fails alone', async () => {
  const { turn, read } = begin()
  const failing = turn(() => {
    throw new Error('broken')
  })
  const rejecting = turn(() => Promise.reject(new Error('lost')))
  const [a, broken, lost, b] = await Promise.allSettled([read('a'), failing, rejecting, read('b')])
  assert.deepEqual([a.status, b.status], ['fulfilled', 'fulfilled'])
  assert.match(String(broken.status === 'rejected' && broken.reason), /broken/)
  assert.match(String(lost.status === 'rejected' && lost.reason), /lost/)
})

test('where nothing can be read together, everyone hears of it, and the next turn begins anew', async () => {
  let closed = true
  const { read } = begin(reads => {
    if (closed) throw new Error('closed')
    reads()
  })
  for (const each of await Promise.allSettled([read('a'), read('b')]))
    assert.match(String(each.status === 'rejected' && each.reason), /closed/)
  closed = false
  assert.equal(await read('c'), 'c')
})

test('who reads the same in one turn shares the answer, also where it fails; the next turn reads anew', async () => {
  const { seen, turn } = begin()
  let times = 0
  const read = (name: string) =>
    turn(() => {
      seen.push(name)
      if (name === 'b') throw new Error('broken')
      return ++times
    }, name)
  const [first, second, b, again] = await Promise.allSettled([read('a'), read('a'), read('b'), read('b')])
  assert.deepEqual([first, second], [first, first])
  assert.deepEqual(first, { status: 'fulfilled', value: 1 })
  assert.deepEqual([b.status, again.status], ['rejected', 'rejected'])
  assert.deepEqual(seen, ['begin', 'a', 'b', 'end'])
  assert.equal(await read('a'), 2)
})
