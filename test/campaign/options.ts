/** What a campaign is, and how it is asked for on the command line. */
import { parseArgs } from 'node:util'
import type { RefreshTiming } from '../../src/core/refresh-timing.ts'

export interface CampaignOptions {
  readonly engine: 'sqlite' | 'postgres'
  readonly seed: number
  readonly processes: number
  readonly connections: number
  /** Tokens that must end and be renewed before it is over. */
  readonly expiries: number
  /** Seconds an access token lives. */
  readonly lifetime: number
  /** Mean milliseconds between two faults, until each has been there once; five times as many from then on. */
  readonly every: number
  /** Milliseconds for which SQLite's write lock is held. */
  readonly lock: number
  /** Milliseconds after which it is given up. */
  readonly atMost: number
  readonly timing: RefreshTiming
}

export const full = {
  processes: 4,
  connections: 200,
  expiries: 10_000,
  lifetime: 3,
  every: 700,
  lock: 5000,
  atMost: 1_200_000,
}
export const short = {
  processes: 4,
  connections: 40,
  expiries: 300,
  lifetime: 2,
  every: 400,
  lock: 2500,
  atMost: 60_000,
}

/** As the real ones to each other, and short. */
export const campaignTiming: RefreshTiming = {
  urgent: 1000,
  breaker: [300, 1500],
  call: 1000,
  lease: 2000,
  straggler: 300,
  landing: 1200,
  patience: 6000,
  poll: [20, 200],
}

export const help = `npm run faults [-- options]

Runs four hubs on one database against a provider that rotates refresh tokens and ends a connection when one is used
twice; kills and stops the hubs at every step of a refresh, loses and delays answers, moves clocks, and takes the database
away. It fails if a refresh token was spent twice without need, if a connection died that was not provably ambiguous and
flagged as such, or if something newer was overwritten.

  --short           under a minute, as npm test runs it
  --engine NAME     sqlite, postgres, or both (default: both)
  --seed N          replays the faults of an earlier run (default: by chance; printed)
  --expiries N      how many tokens must end and be renewed (default: ${full.expiries}; short: ${short.expiries})
  --connections N   (default: ${full.connections}; short: ${short.connections})
  --without GUARD   takes a guard away first, and must fail: see --guards
  --guards          lists the guards
  --slow            only the part with a provider that takes 15 seconds, at the real times
  --help            this text
`

export interface Asked {
  readonly engines: readonly ('sqlite' | 'postgres')[]
  readonly options: Omit<CampaignOptions, 'engine'>
  readonly short: boolean
  readonly slow: boolean
  readonly without: string | undefined
  readonly guards: boolean
  readonly help: boolean
}

/** Throws a sentence for what does not fit. */
export const readOptions = (args: readonly string[]): Asked => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false },
      engine: { type: 'string', default: 'both' },
      seed: { type: 'string' },
      expiries: { type: 'string' },
      connections: { type: 'string' },
      without: { type: 'string' },
      guards: { type: 'boolean', default: false },
      slow: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (!['sqlite', 'postgres', 'both'].includes(values.engine))
    throw new Error(`--engine is sqlite, postgres or both, not ${values.engine}.`)
  const whole = (name: 'seed' | 'expiries' | 'connections', otherwise: number): number => {
    const text = values[name]
    if (text === undefined) return otherwise
    if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} is a whole number from 1 on, not ${text}.`)
    return Number(text)
  }
  const size = values.short ? short : full
  return {
    engines: values.engine === 'both' ? ['sqlite', 'postgres'] : [values.engine as 'sqlite' | 'postgres'],
    options: {
      ...size,
      seed: whole('seed', 1 + Math.floor(Math.random() * 999_999_998)),
      expiries: whole('expiries', size.expiries),
      connections: whole('connections', size.connections),
      timing: campaignTiming,
    },
    short: values.short,
    slow: values.slow,
    without: values.without,
    guards: values.guards,
    help: values.help,
  }
}

/** The same numbers from 0 to 1 for the same seed (mulberry32). */
export const chance = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
