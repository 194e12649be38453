import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { isFreshAt, nextTry, refreshAt } from './due.ts'
import type { OAuth2Provider } from './provider.ts'

const minute = 60_000
const google = loadCatalogue().get('google') as OAuth2Provider
const with_ = (refresh: Partial<NonNullable<OAuth2Provider['refresh']>>): OAuth2Provider => ({
  ...google,
  refresh: { ...(google.refresh as NonNullable<OAuth2Provider['refresh']>), ...refresh },
})
const at = (ms: number) => new Date(ms)

suite('a token is answered as it is', () => {
  const fresh = (life: number, left: number, over = {}, provider: OAuth2Provider | undefined = google) =>
    isFreshAt({ status: 'connected', expiresAt: life, obtainedAt: 0, renewable: true, ...over }, provider, life - left)

  test('until five minutes before its end, or a fifth of its life', () => {
    assert.deepEqual([fresh(60 * minute, 5 * minute + 1), fresh(60 * minute, 5 * minute)], [true, false])
    assert.deepEqual([fresh(5 * minute, minute + 1), fresh(5 * minute, minute)], [true, false])
    assert.deepEqual([fresh(60 * minute, 61_000, {}, with_({ margin: 60 })), fresh(60 * minute, 60_000)], [true, false])
    assert.equal(fresh(60 * minute, 5 * minute, {}, undefined), false)
  })
  test('to its end where it cannot be renewed, for ever where it has none, and never once it is flagged', () => {
    assert.deepEqual([fresh(minute, 1, { renewable: false }), fresh(minute, 0, { renewable: false })], [true, false])
    assert.equal(fresh(minute, -minute, { expiresAt: null }), true)
    assert.equal(fresh(60 * minute, 60 * minute, { status: 'reauthorization_required' }), false)
  })
})

suite('the background renews', () => {
  const row = (life: number | undefined) => ({
    renewal: new Uint8Array(1),
    obtainedAt: at(0),
    ...(life === undefined ? {} : { expiresAt: at(life) }),
  })
  const left = (life: number, provider = google, chance = 0) =>
    life - (refreshAt(row(life), provider, chance)?.getTime() ?? 0)

  test('at a share of the life, and always before a read would', () => {
    assert.equal(left(24 * 60 * minute), 3.6 * 60 * minute)
    assert.equal(left(60 * minute), 9 * minute)
    assert.equal(left(30 * minute), 7.5 * minute)
    assert.equal(left(60 * minute, with_({ ahead: 0.5 })), 30 * minute)
    for (const life of [1000, minute, 10 * minute, 60 * minute])
      for (const chance of [0, 0.5, 1]) assert.ok(left(life, google, chance) > Math.min(5 * minute, life / 5))
  })
  test('a little earlier by chance, so that not all come at once', () => {
    assert.equal(refreshAt(row(100 * minute), with_({ ahead: 0.2 }), 1)?.getTime(), 76 * minute)
    const times = new Set(Array.from({ length: 50 }, () => refreshAt(row(60 * minute), google)?.getTime()))
    assert.ok(times.size > 40)
  })
  test('in time for a refresh token that dies unused', () => {
    const idle = with_({ idle: 60 * 60 })
    assert.equal(refreshAt(row(undefined), idle, 0)?.getTime(), 30 * minute)
    assert.equal(refreshAt(row(10 * 60 * minute), idle, 0)?.getTime(), 30 * minute)
    assert.equal(refreshAt(row(30 * minute), idle, 0)?.getTime(), 22.5 * minute)
  })
  test('never where there is nothing to renew with, or no end is known', () => {
    const unknown = with_({})
    delete (unknown.refresh as { idle?: number }).idle
    assert.equal(refreshAt(row(undefined), unknown), undefined)
    assert.equal(refreshAt({ obtainedAt: at(0), expiresAt: at(minute) }, google), undefined)
    const { refresh: _, ...without } = google
    assert.equal(refreshAt(row(minute), without), undefined)
  })
})

suite('after a failure the next try comes', () => {
  const wait = (failures: number, urgent = false, over = {}) =>
    (nextTry({ held: false, failures, failedAt: at(1000), ...over }, urgent ? 10_000 : undefined)?.getTime() ?? 0) -
    1000

  test('by the table', () => {
    assert.deepEqual(
      [1, 2, 3, 4, 5, 6, 60].map(n => wait(n) / minute),
      [1, 5, 15, 60, 360, 360, 360],
    )
    assert.equal(nextTry({ held: false, failures: 0 }), undefined)
  })
  test('after ten seconds where nothing is left to serve', () => {
    assert.deepEqual([wait(1, true), wait(5, true)], [10_000, 10_000])
  })
  test('when the provider said, whoever asks', () => {
    for (const urgent of [true, false]) assert.equal(wait(3, urgent, { waitUntil: at(31_000) }), 30_000)
  })
})
