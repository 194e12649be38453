/** Rounds of short slices, in which everyone has a turn and the first is another one each time. */
import { median } from './figure.ts'
import type { World } from './world.ts'

export interface Slice {
  readonly perSecond: number
  /** Microseconds of CPU time for each of what was counted, where that is known. */
  readonly cpu?: number
}

export interface Candidate {
  readonly name: string
  run(milliseconds: number): Promise<Slice>
}

/** What each did in each round. */
export interface Rounds {
  perSecond(name: string): number
  cpu(name: string): number
  /** The median of the rounds, each compared by itself: what else the machine does hits all of a round alike. */
  ratio(ours: string, rival: string): number
  /** By the CPU time that each needs: as if each had the core for itself, without the load beside it. */
  byCpu(ours: string, rival: string): number
}

/** Milliseconds for which each is loaded before anything counts: by then what is to be compiled has been. */
const warmUp = 4000

export const rotate = async (
  world: Pick<World, 'say' | 'quick'>,
  what: string,
  candidates: readonly Candidate[],
  rounds: number,
): Promise<Rounds> => {
  const slices = new Map<string, Slice[]>(candidates.map(({ name }) => [name, []]))
  if (!world.quick) {
    world.say(`${what}: warming up`)
    for (const { run } of candidates) await run(warmUp)
  }
  for (let round = 0; round < rounds; round++) {
    world.say(`${what}: round ${round + 1} of ${rounds}`)
    for (let turn = 0; turn < candidates.length; turn++) {
      const candidate = candidates[(round + turn) % candidates.length]
      if (candidate) slices.get(candidate.name)?.push(await candidate.run(1000))
    }
  }
  const of = (name: string): readonly Slice[] => slices.get(name) ?? []
  const compared = (ours: string, rival: string, compare: (ours: Slice, rival: Slice) => number) =>
    median(
      of(ours).flatMap((slice, round) => {
        const other = of(rival)[round]
        return other ? [compare(slice, other)] : []
      }),
    )
  return {
    perSecond: name => median(of(name).map(each => each.perSecond)),
    cpu: name => median(of(name).map(each => each.cpu ?? Number.NaN)),
    ratio: (ours, rival) => compared(ours, rival, (a, b) => a.perSecond / b.perSecond),
    byCpu: (ours, rival) => compared(ours, rival, (a, b) => (b.cpu ?? Number.NaN) / (a.cpu ?? Number.NaN)),
  }
}
