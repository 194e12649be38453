import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBreaker } from './breaker.ts'

const begin = () => {
  let now = 1_000_000
  const breaker = createBreaker({ now: () => new Date(now) }, [10_000, 120_000])
  const fail = (times: number) => {
    for (let n = 0; n < times; n++) breaker.failed('a')
  }
  return {
    breaker,
    fail,
    forward: (ms: number) => {
      now += ms
    },
  }
}

test('five failures in a row shut it, for its host alone; an answer in between does not count them', () => {
  const { breaker, fail } = begin()
  fail(4)
  assert.equal(breaker.ask('a'), undefined)
  breaker.answered('a')
  fail(4)
  assert.equal(breaker.ask('a'), undefined)
  fail(1)
  assert.equal(breaker.ask('a'), 10_000)
  assert.equal(breaker.shut('a'), 10_000)
  assert.equal(breaker.ask('b'), undefined)
})

test('then one call tries, and the others wait for it; each failure doubles the time, up to two minutes', () => {
  const { breaker, fail, forward } = begin()
  fail(5)
  for (const wait of [20_000, 40_000, 80_000, 120_000, 120_000]) {
    forward(breaker.ask('a') ?? 0)
    assert.equal(breaker.shut('a'), undefined)
    assert.equal(breaker.ask('a'), undefined)
    assert.equal(breaker.ask('a'), 1000)
    breaker.failed('a')
    assert.equal(breaker.ask('a'), wait)
  }
  forward(120_000)
  assert.equal(breaker.ask('a'), undefined)
  breaker.answered('a')
  assert.equal(breaker.ask('a'), undefined)
  assert.equal(breaker.ask('a'), undefined)
})

test('calls that were under way when it shut do not keep it shut for longer', () => {
  const { breaker, fail, forward } = begin()
  fail(5)
  forward(9000)
  fail(30)
  assert.equal(breaker.ask('a'), 1000)
})

test('whoever was let in and did not ask lets the next one in', () => {
  const { breaker, fail, forward } = begin()
  fail(5)
  forward(10_000)
  assert.equal(breaker.ask('a'), undefined)
  breaker.left('a')
  assert.equal(breaker.ask('a'), undefined)
})

test('a clock that is set back keeps nobody out', () => {
  const { breaker, fail, forward } = begin()
  fail(5)
  forward(-3_600_000)
  assert.equal(breaker.ask('a'), undefined)
})
