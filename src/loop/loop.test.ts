import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { startLoop } from './loop.ts'

/** Lets every promise that is settled be heard. */
const settle = () => new Promise<void>(done => setImmediate(done))
const unexpected = (error: unknown) => assert.fail(String(error))

suite('the loop', () => {
  test('sweeps once each interval, and not before the first', async t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    let sweeps = 0
    const loop = startLoop(async () => void sweeps++, 1000, unexpected)
    t.mock.timers.tick(999)
    assert.equal(sweeps, 0)
    for (let round = 1; round <= 3; round++) {
      t.mock.timers.tick(round === 1 ? 1 : 1000)
      await settle()
      assert.equal(sweeps, round)
    }
    await loop.stop()
  })

  test('runs one sweep at a time, however long it takes', async t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    let [started, end] = [0, () => {}]
    const sweep = () => {
      started++
      return new Promise<void>(done => {
        end = done
      })
    }
    const loop = startLoop(sweep, 1000, unexpected)
    t.mock.timers.tick(5000)
    await settle()
    assert.equal(started, 1)
    end()
    await settle()
    t.mock.timers.tick(1000)
    assert.equal(started, 2)
    end()
    await loop.stop()
  })

  test('reports a sweep that fails, and the next one comes', async t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const failures: unknown[] = []
    let sweeps = 0
    const loop = startLoop(
      async () => {
        if (sweeps++ === 0) throw new Error('database is gone')
      },
      1000,
      error => failures.push(error),
    )
    t.mock.timers.tick(1000)
    await settle()
    assert.deepEqual(failures, [new Error('database is gone')])
    t.mock.timers.tick(1000)
    await settle()
    assert.equal(sweeps, 2)
    assert.equal(failures.length, 1)
    await loop.stop()
  })

  test('when stopped waits for the sweep under way, and begins no other', async t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    let [sweeps, stopped, end] = [0, false, () => {}]
    const loop = startLoop(
      () => {
        sweeps++
        return new Promise<void>(done => {
          end = done
        })
      },
      1000,
      unexpected,
    )
    t.mock.timers.tick(1000)
    const stop = loop.stop().then(() => {
      stopped = true
    })
    await settle()
    assert.equal(stopped, false)
    end()
    await stop
    t.mock.timers.tick(10_000)
    await settle()
    assert.equal(sweeps, 1)
  })

  test('sweeps at once when it is poked, and once more after the sweep that was under way', async t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const ends: (() => void)[] = []
    const loop = startLoop(() => new Promise<void>(done => ends.push(done)), 1000, unexpected)
    loop.poke()
    assert.equal(ends.length, 1)
    for (let n = 0; n < 3; n++) loop.poke()
    await settle()
    assert.equal(ends.length, 1)
    ends[0]?.()
    await settle()
    assert.equal(ends.length, 2)
    ends[1]?.()
    await settle()
    assert.equal(ends.length, 2)
    loop.poke()
    loop.poke()
    const stopped = loop.stop()
    ends[2]?.()
    await stopped
    loop.poke()
    await settle()
    assert.equal(ends.length, 3, 'none begins after the stop')
  })

  test('stops at once where nothing is under way, as often as it is told, even when the last sweep failed', async t => {
    t.mock.timers.enable({ apis: ['setInterval'] })
    const failures: unknown[] = []
    const loop = startLoop(
      () => Promise.reject('no'),
      1000,
      error => failures.push(error),
    )
    t.mock.timers.tick(1000)
    await settle()
    await loop.stop()
    await loop.stop()
    t.mock.timers.tick(1000)
    await settle()
    assert.deepEqual(failures, ['no'])
  })
})
