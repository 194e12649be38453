/** From the start of the process to /ready, and what it holds in memory when nobody asks. */
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { type Figure, median, ms } from '../figure.ts'
import { engines, otherCore, ownCore, type Place, type World } from '../world.ts'

/** Milliseconds after which a hub is at rest. */
const rest = 1000

const megabytes = (count: number): string => `${count.toFixed(0)} MB`

const residentOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

const started = async (world: World, place: Place, fromSource: boolean) => {
  const hub = await world.startHub(place, { core: `${ownCore},${otherCore}`, fromSource })
  await setTimeout(rest)
  const memory = residentOf(hub.pid)
  await hub.stop()
  return { ready: hub.readyAfter, memory }
}

export const start: Figure = {
  name: 'start',
  help: 'Start to /ready, and resident memory at rest: the bundle beside the source.',
  async run(world) {
    const found = []
    for (const engine of engines(world)) {
      const { place } = await world.filled(engine, 1000)
      const rounds = world.quick ? 3 : 7
      const [built, source]: Awaited<ReturnType<typeof started>>[][] = [[], []]
      // The first start compiles for the others.
      for (const fromSource of [false, true]) await started(world, place, fromSource)
      for (let round = 0; round < rounds; round++) {
        world.say(`start on ${engine}: round ${round + 1} of ${rounds}`)
        built?.push(await started(world, place, false))
        source?.push(await started(world, place, true))
      }
      const of = (all: typeof built, what: 'ready' | 'memory') => median((all ?? []).map(each => each[what]))
      const line = (
        what: string,
        which: 'ready' | 'memory',
        shown: (value: number) => string,
        atMost: number,
        unit: string,
      ) => ({
        what: `${what}, ${engine}`,
        ours: shown(of(built, which)),
        rival: `from source ${shown(of(source, which))}`,
        target: { atMost, value: of(built, which), unit },
      })
      found.push(
        line('start to ready', 'ready', ms, 500, ' ms'),
        line('resident memory at rest', 'memory', megabytes, 110, ' MB'),
      )
    }
    return found
  },
}
