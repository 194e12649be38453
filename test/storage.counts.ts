/** The part of the storage contract on far pages: counts find the rows that a walk from the start would. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '../src/core/connection.ts'
import type { ListFilter, Storage } from '../src/core/storage.ts'
import { later } from './harness.ts'
import type { Begin } from './storage.connections.ts'
import { add, at, connection, integration, numbers, person } from './storage.fixtures.ts'

const keys = ['github', 'other', 'third'] as const

export const countContract = (begin: Begin): void => {
  test('a page far down a list is the one that is there, whatever came, went and moved meanwhile', async t => {
    const { storage, second } = await begin(t)
    for (const key of keys.slice(1)) await storage.addIntegration(integration(1, key))
    await storage.addEndUser(person(1, 'ada'))
    const random = numbers(20_261_127)
    const one = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
    const rows = new Map<string, Connection>()
    // What another environment has counts for nothing here.
    const others = Array.from({ length: 1300 }, (_, n) => connection(2, `o${n}`, { createdAt: at(-n * 1000) }))
    await storage.restoreConnections(
      2,
      others.map(each => ({ connection: each })),
      () => 'write',
    )
    let count = 0
    // Of one moment, of seconds, of hours and of years, so that each length of a span has to tell them apart.
    const made = (): Connection => {
      const age = one([0, 900, 50_000, 40_000_000, 900_000_000]) * random()
      const id = `c${String(count++).padStart(5, '0')}`
      const endUserId = random() < 0.05 ? 'ada' : ''
      const integrationKey = random() < 0.93 ? 'github' : one(keys)
      return connection(1, id, { createdAt: at(-Math.floor(age)), integrationKey, endUserId })
    }
    const restore = async (of: Storage, some: readonly Connection[]) => {
      for (const row of some) rows.set(row.id, row)
      await of.restoreConnections(
        1,
        some.map(each => ({ connection: each })),
        () => 'write',
      )
    }
    const remove = async (of: Storage, row: Connection) => {
      rows.delete(row.id)
      assert.equal(await of.deleteConnection(1, row.id, at(0)), true)
    }
    const look = async (told: string) => {
      const sorted = [...rows.values()].sort(
        (a, b) => b.createdAt.getTime() - a.createdAt.getTime() || (a.id < b.id ? 1 : -1),
      )
      const filters: readonly ListFilter[] = [
        {},
        { integrationKeys: ['github'] },
        { integrationKeys: ['third', 'github'] },
      ]
      for (const filter of filters) {
        const all = sorted.filter(each => filter.integrationKeys?.includes(each.integrationKey) ?? true)
        const skips = [9999, 10_000, 10_001, all.length - 3, all.length - 1, all.length, all.length + 5000]
        const some = Array.from({ length: 12 }, () => 9990 + Math.floor(random() * (all.length - 9990)))
        for (const skip of [...skips, ...some]) {
          const found = await one([storage, second]).listConnections(1, filter, { limit: 3, skip })
          const ids = all.slice(skip, skip + 3).map(each => each.id)
          assert.deepEqual(
            found.map(each => each.id),
            ids,
            `${told}: ${JSON.stringify(filter)}, ${skip} of ${all.length}`,
          )
        }
      }
    }
    assert.deepEqual(await storage.listConnections(1, {}, { limit: 3, skip: 10_000 }), [])
    await restore(storage, Array.from({ length: 12_000 }, made))
    await look('come')
    await storage.sweepCounts()
    await look('swept')
    for (let n = 0; n < 60; n++) await remove(one([storage, second]), one([...rows.values()]))
    await add(second, made()).then(row => rows.set(row.id, row))
    await look('some gone')
    // A backup of one that is there, which was made at another time and through another integration.
    const moved = Array.from({ length: 40 }, () => ({ ...made(), id: one([...rows.keys()]) }))
    await restore(
      storage,
      moved.map(each => ({ ...each, number: rows.get(each.id)?.number ?? 0 })),
    )
    await look('some moved')
    // While some come and others go, two sweep again and again.
    let ended = false
    const sweeping = [storage, second].map(async each => {
      for (; !ended; await later(0)) await each.sweepCounts()
    })
    const going = [...rows.values()].slice(0, 120)
    await Promise.all([
      ...going.map((row, n) => remove(n % 2 ? storage : second, row)),
      ...Array.from({ length: 60 }, made).map(async (row, n) => {
        rows.set(row.id, await add(n % 2 ? storage : second, row))
      }),
    ])
    ended = true
    await Promise.all(sweeping)
    await look('come and gone while it was swept')
    await storage.sweepCounts()
    await look('swept at last')
    assert.equal(await storage.deleteEndUser(1, 'ada', at(0)), true)
    for (const row of rows.values()) if (row.endUserId === 'ada') rows.delete(row.id)
    await look('one person gone with theirs')
  })
}
