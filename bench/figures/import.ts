/** `mortise import` of connections, from the start of its process to its end, beside the hub that the issue is measured by. */
import { join } from 'node:path'
import { type Figure, median } from '../figure.ts'
import { engines, type World } from '../world.ts'

/** What the peer takes for a thousand, in milliseconds, by one call of its API each: measured when this was asked for. */
const peer = 11_300
/** How much faster it must be. */
const times = 50
const passphrase = 'a passphrase of the bench'

const run = async (world: World, engine: 'SQLite' | 'Postgres', count: number, rounds: number): Promise<number> => {
  const { place } = await world.filled(engine, count)
  const file = join(world.folder, `${engine}.mortise`)
  world.mortise(place, ['export', file], passphrase)
  const took: number[] = []
  for (let round = 0; round < rounds; round++) {
    world.say(`import on ${engine}: round ${round + 1} of ${rounds}`)
    const target = await world.place(engine)
    const began = performance.now()
    const said = world.mortise(target, ['import', file, '--env', 'bench'], passphrase)
    took.push(((performance.now() - began) / count) * 1000)
    if (!said.includes(`${count.toLocaleString('en')} connections`)) throw new Error(`The import said: ${said}`)
  }
  return median(took)
}

export const importing: Figure = {
  name: 'import',
  help: 'mortise import of 10,000 connections, the start of its process included, for each thousand.',
  async run(world) {
    const lines = []
    for (const engine of engines(world)) {
      const perThousand = await run(world, engine, 10_000, world.quick ? 1 : 5)
      lines.push({
        what: `import of 10,000 connections on ${engine}, for each 1,000`,
        ours: `${Math.round(perThousand)} ms`,
        rival: `the peer, one call each: ${(peer / 1000).toFixed(1)} s`,
        ratio: peer / perThousand,
        target: { atLeast: times },
      })
    }
    return lines
  },
}
