/** Two processes on one SQLite file, each with its load on a core of its own, beside one of them alone. */
import type { Same } from '../bare.ts'
import type { Child } from '../child.ts'
import { type Figure, perSecond } from '../figure.ts'
import type { Load, Loaded } from '../load.ts'
import { rotate, type Slice } from '../rounds.ts'
import { otherCore, ownCore } from '../world.ts'
import { concurrency, countOf, served } from './read.ts'

interface Server {
  readonly port: number
  readonly pid: number
}

export const two: Figure = {
  name: 'two',
  help: 'Two processes on one SQLite file, on two cores, beside one; and two bare servers, to see what the machine allows.',
  async run(world) {
    const count = countOf(world)
    const { place } = await world.filled('SQLite', count)
    const cores = [ownCore, otherCore]
    const hubs = [await world.startHub(place), await world.startHub(place, { core: otherCore })]
    const [read] = hubs[0] ? await served(hubs[0], place) : []
    if (!read) throw new Error('The hub serves no read.')
    const bares: Child<Same, number>[] = cores.map(core => world.child('bare.ts', core))
    const loads: Child<Load, Loaded>[] = cores.map(core => world.child('load.ts', core))
    const bareServers: Server[] = []
    for (const bare of bares) bareServers.push({ pid: bare.pid, port: await bare.ask(read.same) })
    const { path } = read
    const together =
      (servers: readonly Server[]) =>
      async (milliseconds: number): Promise<Slice> => {
        const slices = await Promise.all(
          servers.map(({ port, pid }, core) =>
            loads[core]?.ask({
              ...{ port, pid, path, headers: place.headers, prefix: 'c', count, sockets: concurrency, milliseconds },
            }),
          ),
        )
        return { perSecond: slices.reduce((sum, each) => sum + (each?.perSecond ?? 0), 0) }
      }
    const candidates = [
      { name: 'one', run: together(hubs.slice(0, 1)) },
      { name: 'two', run: together(hubs) },
      { name: 'bare one', run: together(bareServers.slice(0, 1)) },
      { name: 'bare two', run: together(bareServers) },
    ]
    const rounds = await rotate(world, 'two processes on one file', candidates, world.quick ? 3 : 9)
    await Promise.all([...hubs, ...bares, ...loads].map(each => each.stop()))
    const line = (what: string, more: string, fewer: string) => ({
      what,
      ours: `two: ${perSecond(rounds.perSecond(more))}`,
      rival: `one: ${perSecond(rounds.perSecond(fewer))}`,
      ratio: rounds.ratio(more, fewer),
    })
    return [
      { ...line(`processes that read one SQLite file, GET ${path[0]}…`, 'two', 'one'), target: { atLeast: 1.6 } },
      line('the same with node:http alone: what the machine allows', 'bare two', 'bare one'),
    ]
  },
}
