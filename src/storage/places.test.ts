import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPlaces } from './places.ts'

const place = (n: number) => ({ createdAt: new Date(n), id: `id-${n}` })

const begin = () => {
  let now = 0
  return {
    places: createPlaces(() => now),
    wait: (ms: number) => {
      now += ms
    },
  }
}

test('a place is known of its own list alone, half a second from when its page was asked', () => {
  const { places, wait } = begin()
  const note = places.reading()
  wait(400)
  note(1, { search: 'x', tags: { a: 'b' } }, 100, { ...place(1), status: 'connected' } as never)
  assert.deepEqual(places.at(1, { tags: { a: 'b' }, search: 'x' }, 100), place(1))
  for (const [environmentId, filter, skip] of [
    [2, { search: 'x', tags: { a: 'b' } }, 100],
    [1, { search: 'x' }, 100],
    [1, {}, 100],
    [1, { search: 'x', tags: { a: 'b' } }, 200],
  ] as const)
    assert.equal(places.at(environmentId, filter, skip), undefined)
  wait(99)
  assert.ok(places.at(1, { search: 'x', tags: { a: 'b' } }, 100))
  wait(1)
  assert.equal(places.at(1, { search: 'x', tags: { a: 'b' } }, 100), undefined)
})

test('a write voids all places, and the one of a page that was read while it went on', () => {
  const { places } = begin()
  places.reading()(1, {}, 100, place(1))
  const late = places.reading()
  places.forget()
  assert.equal(places.at(1, {}, 100), undefined)
  late(1, {}, 100, place(2))
  assert.equal(places.at(1, {}, 100), undefined)
  places.reading()(1, {}, 100, place(3))
  assert.deepEqual(places.at(1, {}, 100), place(3))
})

test('a thousand places are known, and the oldest give way', () => {
  const { places } = begin()
  for (let n = 0; n < 1000; n++) places.reading()(1, {}, n, place(n))
  places.reading()(1, {}, 0, place(0))
  places.reading()(1, {}, 1000, place(1000))
  assert.deepEqual(places.at(1, {}, 0), place(0))
  assert.equal(places.at(1, {}, 1), undefined)
  assert.deepEqual(places.at(1, {}, 2), place(2))
})
