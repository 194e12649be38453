/** The same reads with few connections and with a million. */
import { type Figure, type Line, perSecond } from '../figure.ts'
import { rotate } from '../rounds.ts'
import { type Engine, engines, type World } from '../world.ts'
import { loaded, served } from './read.ts'

const named = (count: number): string => count.toLocaleString('en')

const lines = async (world: World, engine: Engine): Promise<Line[]> => {
  const sizes = world.quick ? [1000, 20_000] : [1000, 100_000, 1_000_000]
  const hubs = []
  for (const size of sizes) {
    const { place } = await world.filled(engine, size)
    const hub = await world.startHub(place)
    const [read] = await served(hub, place)
    if (!read) throw new Error('The hub serves no read.')
    hubs.push({ size, hub, path: read.path, candidate: loaded(world, named(size), hub, place, read.path, size) })
  }
  const rounds = await rotate(
    world,
    `read of many on ${engine}`,
    hubs.map(each => each.candidate),
    world.quick ? 3 : 9,
  )
  await Promise.all(hubs.map(each => each.hub.stop()))
  const [least, ...more] = hubs
  if (!least) return []
  const shown = (size: number) =>
    `${perSecond(rounds.perSecond(named(size)))} (${rounds.cpu(named(size)).toFixed(1)} µs) of ${named(size)}`
  return more.map(({ size, path }) => ({
    what: `read on ${engine}, GET ${path[0]}…, of ${named(size)}`,
    ours: shown(size),
    rival: shown(least.size),
    ratio: rounds.ratio(named(size), named(least.size)),
    byCpu: rounds.byCpu(named(size), named(least.size)),
    target: { atLeast: 0.8 },
  }))
}

export const scale: Figure = {
  name: 'scale',
  help: 'The same reads with 1 thousand, 100 thousand and 1 million connections.',
  async run(world) {
    // Sealing and writing a million takes a while: both engines at once, on both cores.
    const largest = world.quick ? 20_000 : 1_000_000
    await Promise.all(engines(world).map(engine => world.filled(engine, largest)))
    const found = []
    for (const engine of engines(world)) found.push(...(await lines(world, engine)))
    return found
  },
}
