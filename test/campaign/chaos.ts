/** What goes wrong in a campaign, in an order that its seed decides. */
import { DatabaseSync } from 'node:sqlite'
import { later } from '../harness.ts'
import type { CampaignOptions } from './options.ts'
import type { Stage } from './stage.ts'

export interface Scene extends Pick<Stage, 'fleet' | 'sandbox' | 'ledger' | 'calm' | 'postgres' | 'database'> {
  readonly options: CampaignOptions
  readonly random: () => number
}

export const steps = ['sought', 'leased', 'looked', 'marked', 'answered', 'written', 'ended']

interface Trouble {
  readonly name: string
  /** How often it comes, to the others. */
  readonly weight: number
  run(stage: Scene): Promise<void>
}

const some = <T>(random: () => number, of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
const process_ = ({ random, options }: Scene): number => Math.floor(random() * options.processes)

/** The provider misbehaves for a while. */
const provider = (name: string, weight: number, set: (stage: Scene) => number): Trouble => ({
  name,
  weight,
  async run(stage) {
    await later(set(stage))
    stage.calm()
  },
})

const troubles: readonly Trouble[] = [
  ...steps.map(
    (step): Trouble => ({
      name: `killed at ${step}`,
      weight: 1,
      async run(stage) {
        stage.fleet.tell(process_(stage), { arm: 'kill', step })
      },
    }),
  ),
  {
    name: 'killed at any time',
    weight: 1,
    async run(stage) {
      stage.fleet.kill(process_(stage))
    },
  },
  ...steps.slice(0, -1).map(
    (step): Trouble => ({
      name: `stopped at ${step}, past its lease`,
      weight: 1,
      async run(stage) {
        stage.fleet.tell(process_(stage), { arm: 'stop', step })
      },
    }),
  ),
  {
    name: 'stopped at any time, past its lease',
    weight: 1,
    async run(stage) {
      stage.fleet.stop(process_(stage))
    },
  },
  provider('answers lost', 3, ({ sandbox, random }) => {
    sandbox.set('rotating', { loseReply: { times: 1 + Math.floor(random() * 3) } })
    return 400
  }),
  provider('slow answers', 2, ({ sandbox, options }) => {
    sandbox.set('rotating', { delayMs: options.timing.call * 0.7 })
    return 800
  }),
  provider('answers too late', 1, ({ sandbox, options, ledger }) => {
    sandbox.set('rotating', { delayMs: options.timing.call * 1.5 })
    ledger.hold(true)
    return 300
  }),
  provider('answers 503', 2, ({ sandbox, random }) => {
    sandbox.set('rotating', { fail: { status: 503, times: 1 + Math.floor(random() * 4) } })
    return 400
  }),
  provider('answers 429', 1, ({ sandbox }) => {
    sandbox.set('rotating', { fail: { status: 429, headers: { 'retry-after': '1' }, times: 3 } })
    return 300
  }),
  {
    name: 'clock moved',
    weight: 2,
    async run(stage) {
      const n = process_(stage)
      const { lifetime } = stage.options
      stage.fleet.tell(n, { offset: some(stage.random, [-3, -1, 1, 3]) * lifetime * 1000 })
      await later(1500)
      stage.fleet.tell(n, { offset: 0 })
    },
  },
  {
    name: 'database taken away',
    weight: 1,
    async run({ options, postgres, database }) {
      if (postgres) {
        await postgres.stop()
        await later(options.lock / 5)
        await postgres.start()
        return
      }
      const other = new DatabaseSync(database, { timeout: 0 })
      try {
        while (!begun(other)) await later(10)
        await later(options.lock)
        other.exec('COMMIT')
      } finally {
        other.close()
      }
    },
  },
]

/** Has the write lock; not while a hub has it. */
const begun = (db: DatabaseSync): boolean => {
  try {
    db.exec('BEGIN IMMEDIATE')
    return true
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== 5) throw error
    return false
  }
}

export const chaos = (stage: Scene) => {
  const { random, options } = stage
  const tally = new Map<string, number>()
  const running = new Map<string, Promise<void>>()
  let over = false
  // Each kind once, in some order, and from then on by weight: no run misses one.
  const first = [...troubles]
  const next = (): Trouble => {
    if (first.length > 0) return first.splice(Math.floor(random() * first.length), 1)[0] as Trouble
    // As often in the list as it weighs.
    return some(
      random,
      troubles.flatMap(each => Array<Trouble>(each.weight).fill(each)),
    )
  }
  const done = (async () => {
    while (!over) {
      const trouble = next()
      tally.set(trouble.name, (tally.get(trouble.name) ?? 0) + 1)
      // They overlap, but for the same one twice.
      const before = running.get(trouble.name)
      running.set(
        trouble.name,
        (before ?? Promise.resolve()).then(() => trouble.run(stage)),
      )
      await later(options.every * (first.length > 0 ? 1 : 5) * 2 * random())
    }
  })()
  return {
    async stop() {
      over = true
      await done
      await Promise.all(running.values())
    },
    count: () => [...tally.values()].reduce((sum, each) => sum + each, 0),
    tally: () => [...tally].map(([name, count]) => `${name} ${count}`).join(', '),
    missed: () => first.map(each => each.name),
  }
}
