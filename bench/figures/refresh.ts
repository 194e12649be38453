/** How many refreshes one process sustains, the provider's calls included; and what a storm of them does to reads. */
import { setTimeout } from 'node:timers/promises'
import type { Child } from '../child.ts'
import { type Figure, type Line, median, ms, perSecond } from '../figure.ts'
import type { Load, Loaded } from '../load.ts'
import type { Told } from '../provider.ts'
import type { Refreshing } from '../refresher.ts'
import { type Engine, engines, otherCore, ownCore, providerDelay, type World } from '../world.ts'
import { concurrency, countOf, served } from './read.ts'

/** Waits until the provider has been asked so many times since it began to count. */
const counted = async (world: World, many: number): Promise<Told> => {
  for (const end = performance.now() + 120_000; ; await setTimeout(20)) {
    const told = await world.provider.ask({ count: true })
    if (told.count >= many) return told
    if (performance.now() > end)
      throw new Error(`The provider was asked ${told.count} times in two minutes, and not ${many}.`)
  }
}

const rateOf = ({ count, first, last }: Told): number => (count * 1000) / (last - first)

export const refresh: Figure = {
  name: 'refresh',
  help: `Refreshes per second of one process in the background, of a provider that takes ${providerDelay} ms.`,
  async run(world) {
    const found: Line[] = []
    for (const engine of engines(world)) {
      const many = world.quick ? 500 : 2000
      const place = await world.place(engine)
      const environmentId = await world.seed(place, 'r', many)
      await world.seed(place, 'b', many)
      const hub = await world.startHub(place)
      const bare: Child<Refreshing, number> = world.child('refresher.ts', ownCore)
      const ours: number[] = []
      const rivals: number[] = []
      const { tokenUrl } = world
      for (let round = 0; round < 3; round++) {
        world.say(`refreshes on ${engine}: round ${round + 1} of 3`)
        await world.provider.ask({ restart: true })
        await world.makeDue(place, 'r', many)
        ours.push(rateOf(await counted(world, many)))
        rivals.push(await bare.ask({ database: place.database, environmentId, prefix: 'b', count: many, tokenUrl }))
      }
      await Promise.all([hub.stop(), bare.stop()])
      const rate = median(ours)
      found.push({
        what: `refreshes of one process on ${engine}, of a provider that takes ${providerDelay} ms`,
        ours: perSecond(rate),
        rival: `its call and one durable update ${perSecond(median(rivals))}`,
        ratio: median(ours.map((each, round) => each / (rivals[round] ?? Number.NaN))),
        ...(engine === 'Postgres' ? { target: { atLeast: 300, value: rate, unit: '/s' } } : {}),
      })
    }
    return found
  },
}

/** Per second: reads of fresh tokens, and others that become due. Half of what one process must sustain. */
const [reading, storming] = [500, 150]
/** Seconds. */
const stormLasts = 10

const stormOn = async (world: World, engine: Engine): Promise<Line> => {
  const count = countOf(world)
  const { place } = await world.filled(engine, count)
  const many = storming * stormLasts
  await world.seed(place, 's', many)
  const hub = await world.startHub(place)
  const [read] = await served(hub, place)
  if (!read) throw new Error('The hub serves no read.')
  const reader: Child<Load, Loaded> = world.child('load.ts', otherCore)
  const reads = (seconds: number) =>
    reader.ask({
      ...{ port: hub.port, pid: hub.pid, path: read.path, headers: place.headers, prefix: 'c', count },
      ...{ sockets: concurrency, rate: reading, milliseconds: seconds * 1000 },
    })
  const [atRest, inStorm, rates]: [Loaded[], Loaded[], number[]] = [[], [], []]
  const rounds = world.quick ? 1 : 3
  // The first reads and refreshes compile what the others run: they are no part of it.
  for (let round = 0; round <= rounds; round++) {
    world.say(`storm on ${engine}: ${round === 0 ? 'warming up' : `round ${round} of ${rounds}`}`)
    const calm = await reads(5)
    await world.provider.ask({ restart: true })
    await world.makeDue(place, 's', many, storming)
    const stormy = await reads(stormLasts)
    const told = await counted(world, many)
    if (round === 0) continue
    atRest.push(calm)
    inStorm.push(stormy)
    rates.push(rateOf(told))
  }
  await Promise.all([hub.stop(), reader.stop()])
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
