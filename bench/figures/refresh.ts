/** How many refreshes one process sustains, the provider's calls included; and what a storm of them does to reads. */
import { setTimeout } from 'node:timers/promises'
import type { Child } from '../child.ts'
import { type Figure, type Line, median, ms, perSecond } from '../figure.ts'
import type { Load, Loaded } from '../load.ts'
import type { Refreshing } from '../refresher.ts'
import {
  type Engine,
  engines,
  otherCore,
  ownCore,
  type Place,
  providerDelay,
  type RunningHub,
  type World,
} from '../world.ts'
import { concurrency, count, type Path, served } from './read.ts'

/**
 * What begins a refresh of what is due. The hub renews on reads only; when it does so in the background, this becomes
 * 'background', and nobody reads them.
 */
const begunBy: 'reads' | 'background' = 'reads'

/** Waits until the provider was asked so many times more than before. */
const counted = async (world: World, before: number, more: number): Promise<number> => {
  for (const end = performance.now() + 120_000; performance.now() < end; await setTimeout(20)) {
    const { count, at } = await world.refreshes()
    if (count - before >= more) return at
  }
  throw new Error(
    `The provider was asked ${(await world.refreshes()).count - before} times, not ${more}, in two minutes.`,
  )
}

const readEach = (
  hub: RunningHub,
  { headers }: Place,
  path: Path,
  prefix: string,
  many: number,
  rate?: number,
): Load => ({
  ...{ port: hub.port, pid: hub.pid, path, headers, prefix, count: many, sockets: concurrency },
  ...(rate === undefined ? {} : { rate }),
})

/** Makes so many due, has them renewed, and answers how many that were in a second. */
const refreshed = async (
  world: World,
  place: Place,
  hub: RunningHub,
  path: Path,
  prefix: string,
  many: number,
): Promise<number> => {
  const { count: before } = await world.refreshes()
  await world.makeDue(place, prefix, many)
  const began = Date.now()
  if (begunBy === 'reads') await world.load.ask(readEach(hub, place, path, prefix, many))
  return (many * 1000) / ((await counted(world, before, many)) - began)
}

export const refresh: Figure = {
  name: 'refresh',
  help: `Refreshes per second of one process, with a provider that takes ${providerDelay} ms.`,
  async run(world) {
    const found: Line[] = []
    for (const engine of engines(world)) {
      const many = world.quick ? 500 : 2000
      const place = await world.place(engine)
      const environmentId = await world.seed(place, 'r', many)
      await world.seed(place, 'b', many)
      const hub = await world.startHub(place)
      const [read] = await served(hub, place, 'r0000000')
      if (!read) throw new Error('The hub serves no read.')
      const bare: Child<Refreshing, number> = world.child('refresher.ts', ownCore)
      const [ours, rivals]: number[][] = [[], []]
      for (let round = 0; round < 3; round++) {
        world.say(`refreshes on ${engine}: round ${round + 1} of 3`)
        ours?.push(await refreshed(world, place, hub, read.path, 'r', many))
        const tokenUrl = world.tokenUrl
        rivals?.push(await bare.ask({ database: place.database, environmentId, prefix: 'b', count: many, tokenUrl }))
      }
      await Promise.all([hub.stop(), bare.stop()])
      const rate = median(ours ?? [])
      found.push({
        what: `refreshes of one process on ${engine}, begun by ${begunBy}, provider's ${providerDelay} ms included`,
        ours: perSecond(rate),
        rival: `call and one durable update ${perSecond(median(rivals ?? []))}`,
        ratio: median((ours ?? []).map((each, round) => each / (rivals?.[round] ?? Number.NaN))),
        ...(engine === 'Postgres' ? { target: { atLeast: 300, value: rate, unit: '/s' } } : {}),
      })
    }
    return found
  },
}

/** Per second, in a storm: reads of fresh tokens, and refreshes of others. */
const [reading, storming, seconds] = [500, 150, 4]

const stormOn = async (world: World, engine: Engine): Promise<Line> => {
  const fresh = world.quick ? 10_000 : count
  const { place } = await world.filled(engine, fresh)
  const many = storming * seconds
  await world.seed(place, 's', many)
  const hub = await world.startHub(place)
  const [read] = await served(hub, place)
  if (!read) throw new Error('The hub serves no read.')
  const [reader, storm]: Child<Load, Loaded>[] = ['load.ts', 'load.ts'].map(file => world.child(file, otherCore))
  if (!reader || !storm) throw new Error('There is no load.')
  const reads = () =>
    reader.ask({
      ...readEach(hub, place, read.path, 'c', fresh, reading),
      milliseconds: seconds * 1000,
    })
  const [atRest, inStorm, rates]: [Loaded[], Loaded[], number[]] = [[], [], []]
  const total = world.quick ? 2 : 7
  // What is compiled by the first reads and refreshes is no part of it.
  for (let round = -1; round < total; round++) {
    if (round >= 0) world.say(`storm on ${engine}: round ${round + 1} of ${total}`)
    const calm = await reads()
    const { count: before } = await world.refreshes()
    await world.makeDue(place, 's', many)
    const began = Date.now()
    const [stormy] = await Promise.all([reads(), storm.ask(readEach(hub, place, read.path, 's', many, storming))])
    const ended = await counted(world, before, many)
    if (round < 0) continue
    atRest.push(calm)
    inStorm.push(stormy)
    rates.push((many * 1000) / (ended - began))
  }
  await Promise.all([hub, reader, storm].map(each => each.stop()))
  const shown = (all: readonly Loaded[]) =>
    `p50 ${ms(median(all.map(each => each.p50)))}, p99 ${ms(median(all.map(each => each.p99)))}`
  return {
    what: `${perSecond(reading)} reads of fresh tokens on ${engine} while ${perSecond(median(rates))} others are refreshed`,
    ours: shown(inStorm),
    rival: `at rest ${shown(atRest)}`,
    ratio: median(inStorm.map((each, round) => each.p99 / (atRest[round]?.p99 ?? Number.NaN))),
    target: { atMost: 1.5 },
  }
}

export const storm: Figure = {
  name: 'storm',
  help: 'p50 and p99 of reads of fresh tokens while others are refreshed, beside the same reads at rest.',
  async run(world) {
    const found = []
    for (const engine of engines(world)) found.push(await stormOn(world, engine))
    return found
  },
}
