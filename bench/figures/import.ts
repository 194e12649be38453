/** `mortise import` of connections, beside what the peer takes for each by its API. */
import { join } from 'node:path'
import { type Figure, median, ms } from '../figure.ts'
import { type Engine, engines, type Place, type World } from '../world.ts'

const count = 10_000
/** What the peer takes for a thousand, in milliseconds, by one call of its running API each: as it was measured elsewhere. */
const peer = 11_300
/** How much faster it must be. */
const times = 50
const passphrase = 'a passphrase of the bench'

/** Milliseconds of the whole command, its process and its passphrase's key included, into a new database. */
const took = async (world: World, engine: Engine, file: string): Promise<number> => {
  const target = await world.place(engine)
  const began = performance.now()
  world.mortise(target, ['import', file, '--env', 'bench'], passphrase)
  return performance.now() - began
}

const exported = (world: World, place: Place, name: string): string => {
  const file = join(world.folder, `${name}.mortise`)
  world.mortise(place, ['export', file], passphrase)
  return file
}

export const importing: Figure = {
  name: 'import',
  help: 'mortise import of 10,000 connections: for each thousand, and the whole command.',
  async run(world) {
    const lines = []
    for (const engine of engines(world)) {
      const full = exported(world, (await world.filled(engine, count)).place, `${engine}-full`)
      const none = exported(world, await world.place(engine), `${engine}-none`)
      const [whole, base]: [number[], number[]] = [[], []]
      for (let round = 1; round <= (world.quick ? 3 : 7); round++) {
        world.say(`import on ${engine}: round ${round}`)
        whole.push(await took(world, engine, full))
        base.push(await took(world, engine, none))
      }
      // The peer's API runs already, so what it costs to begin is told apart.
      const perThousand = ((median(whole) - median(base)) / count) * 1000
      lines.push(
        {
          what: `import of 10,000 connections on ${engine}, for each 1,000`,
          ours: ms(perThousand),
          rival: `the peer, one call each: ${ms(peer)}`,
          ratio: peer / perThousand,
          target: { atLeast: times },
        },
        {
          what: `the same, the whole command, ${engine}`,
          ours: ms(median(whole)),
          rival: `of none: ${ms(median(base))}`,
        },
      )
    }
    return lines
  },
}
