/**
 * A hub of the campaign: a real one, `serve`, in a process of its own. It writes down each step of its refreshes before it
 * goes on, so that what it had done is known when it is killed; and it kills or stops itself at a step when told.
 */
import { channel } from 'node:diagnostics_channel'
import { openSync, writeSync } from 'node:fs'
import { readConfig } from '../../src/config.ts'
import { refreshTiming } from '../../src/core/refresh-timing.ts'
import { startHub } from '../../src/main.ts'

/** What the campaign tells a hub. */
export type Order =
  /** The next time that it comes to this step. */
  | { readonly arm: 'kill' | 'stop'; readonly step: string }
  /** Its clock is off by so many milliseconds from now on. */
  | { readonly offset: number }
  | { readonly end: true }

/** A line of what a hub wrote down. */
export interface Step {
  readonly at: number
  readonly pid: number
  readonly step: string
  readonly id: string
  readonly probe: boolean
}

const [timing, steps, lookForDue] = [
  process.env['CAMPAIGN_TIMING'],
  process.env['CAMPAIGN_STEPS'],
  process.env['CAMPAIGN_LOOK'],
]
for (const name of ['CAMPAIGN_TIMING', 'CAMPAIGN_STEPS', 'CAMPAIGN_LOOK']) delete process.env[name]

const file = openSync(steps ?? '', 'a')
let armed: { readonly arm: 'kill' | 'stop'; readonly step: string } | undefined
channel('mortise:refresh').subscribe(message => {
  const { step, id, probe } = message as Pick<Step, 'step' | 'id' | 'probe'>
  writeSync(file, `${JSON.stringify({ at: Date.now(), pid: process.pid, step, id, probe } satisfies Step)}\n`)
  if (armed?.step !== step) return
  const signal = armed.arm === 'kill' ? 'SIGKILL' : 'SIGSTOP'
  armed = undefined
  process.kill(process.pid, signal)
})

let offset = 0
const running = await startHub(readConfig(process.env, 'serve'), undefined, {
  clock: { now: () => new Date(Date.now() + offset) },
  timing: { ...refreshTiming, ...JSON.parse(timing ?? '{}') },
  lookForDue: Number(lookForDue ?? 250),
})

process.on('message', async (order: Order) => {
  if ('arm' in order) armed = order
  if ('offset' in order) offset = order.offset
  if ('end' in order) {
    await running.stop()
    process.exit(0)
  }
})
// An orphan ends with the campaign.
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
