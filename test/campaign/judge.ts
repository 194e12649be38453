/** What must not have happened, found out from what the provider saw and what the hubs wrote down. */
import type { Gap } from './fleet.ts'
import type { Step } from './hub.ts'
import type { Token, Use } from './ledger.ts'
import type { CampaignOptions } from './options.ts'

export interface Evidence {
  readonly steps: readonly Step[]
  readonly gaps: readonly Gap[]
  readonly timing: CampaignOptions['timing']
}

/** One refresh of a connection in one process: from its mark to what it came to. */
interface Attempt {
  readonly pid: number
  readonly markedAt: number
  readonly probe: boolean
  written: boolean
  /** When the call ended, in whatever way. */
  answeredAt: number | undefined
}

/** The attempts of each connection, in their order. */
export const attemptsOf = (steps: readonly Step[]): Map<string, Attempt[]> => {
  const all = new Map<string, Attempt[]>()
  for (const { id, pid, step, at, probe } of [...steps].sort((a, b) => a.at - b.at)) {
    const mine = all.get(id) ?? []
    all.set(id, mine)
    if (step === 'marked') mine.push({ pid, markedAt: at, probe, written: false, answeredAt: undefined })
    const open = mine.findLast(each => each.pid === pid)
    if (step === 'written' && open) open.written = true
    if (step === 'answered' && open) open.answeredAt ??= at
  }
  return all
}

/**
 * What is wrong with the uses of a refresh token of the connection `id`. Presented again after it was spent, it must have
 * been as a probe that the hub had recorded; and its first use must be one whose answer was never written, because the
 * campaign took the answer or the process away.
 */
export const faultsOf = (id: string, token: Token, attempts: readonly Attempt[], evidence: Evidence): string[] => {
  const wrong: string[] = []
  const spent = token.uses.find(use => use.outcome === 'ok')
  for (const use of token.uses) {
    if (use.outcome !== 'invalid_refresh_token') continue
    const attempt = attemptAt(use, attempts, evidence)
    if (!attempt?.probe) wrong.push(`double spend: ${id} sent a refresh token again that was spent, and not as a probe`)
    if (spent && !isAmbiguous(spent, attempts, evidence))
      wrong.push(
        `false probe: ${id} probed a refresh token although its answer had arrived and was not taken away\n${storyOf(id, spent, use, evidence)}`,
      )
  }
  return wrong
}

/** What happened between two uses of a token, and who was held up then. */
const storyOf = (id: string, spent: Use, again: Use, { steps, gaps }: Evidence): string => {
  const [from, to] = [spent.at - 1500, again.at + 1500]
  const mine = steps.filter(each => each.id === id && each.at >= from && each.at <= to).sort((a, b) => a.at - b.at)
  const pids = new Set(mine.map(each => each.pid))
  return [
    ...mine.map(each => `${each.at - spent.at} ms: ${each.step}${each.probe ? ' as a probe' : ''} in ${each.pid}`),
    `0 ms: spent; ${again.at - spent.at} ms: sent again`,
    ...gaps
      .filter(gap => pids.has(gap.pid) && gap.to >= from && gap.from <= to)
      .map(gap => `${gap.pid} was away from ${gap.from - spent.at} to ${gap.to - spent.at} ms`),
  ]
    .map(each => `    ${each}`)
    .join('\n')
}

const attemptAt = (use: Use, attempts: readonly Attempt[], { timing }: Evidence): Attempt | undefined =>
  attempts.findLast(each => each.markedAt <= use.at && use.at - each.markedAt <= timing.call + timing.lease)

/** The answer to this use may not have been written, by the campaign's doing. */
export const isAmbiguous = (use: Use, attempts: readonly Attempt[], evidence: Evidence): boolean => {
  const attempt = attemptAt(use, attempts, evidence)
  if (!attempt || attempt.written) return false
  if (use.harmed !== undefined) return true
  // It ran out of time, on a machine that had none to spare.
  if (attempt.answeredAt !== undefined && attempt.answeredAt - attempt.markedAt >= evidence.timing.call) return true
  const end = use.at + evidence.timing.call + evidence.timing.lease
  return evidence.gaps.some(gap => gap.pid === attempt.pid && gap.from <= end && gap.to >= attempt.markedAt)
}
