/** What a figure is, and what becomes of its numbers. */
import type { World } from './world.ts'

/** One line of the table. */
export interface Line {
  readonly what: string
  readonly ours: string
  readonly rival: string
  /** Ours by the rival's: of what was counted. */
  readonly ratio?: number
  /** The same by the CPU time that each needs. */
  readonly byCpu?: number
  readonly target?: Target
}

/** What must hold of the ratio (of both, where there are two), or of `value`. */
export interface Target {
  readonly atLeast?: number
  readonly atMost?: number
  readonly value?: number
  readonly unit?: string
}

export interface Figure {
  readonly name: string
  readonly help: string
  run(world: World): Promise<Line[]>
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low = Number.NaN, high = low] = [sorted[sorted.length % 2 === 1 ? middle : middle - 1], sorted[middle]]
  return (low + high) / 2
}

/** Undefined where nothing was demanded. */
export const isMet = ({ ratio, byCpu, target }: Line): boolean | undefined => {
  if (!target) return undefined
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = target
  const measured = target.value === undefined ? [ratio, byCpu] : [target.value]
  return measured.every(each => each === undefined || (each >= atLeast && each <= atMost))
}

const text = (target: Target | undefined): string => {
  if (!target) return ''
  const { atLeast, atMost, unit = '' } = target
  return [atLeast === undefined ? '' : `≥ ${atLeast}${unit}`, atMost === undefined ? '' : `≤ ${atMost}${unit}`]
    .filter(Boolean)
    .join(', ')
}

export const header = ['Figure', 'Ours', 'Rival', 'Ratio', 'By CPU', 'Target', 'Met']

export const cells = (line: Line): string[] => {
  const met = isMet(line)
  return [
    line.what,
    line.ours,
    line.rival,
    line.ratio?.toFixed(2) ?? '',
    line.byCpu?.toFixed(2) ?? '',
    text(line.target),
    met === undefined ? '' : met ? 'yes' : 'no',
  ]
}

export const perSecond = (count: number): string => `${Math.round(count).toLocaleString('en')}/s`
export const ms = (milliseconds: number): string =>
  `${milliseconds < 10 ? milliseconds.toFixed(2) : Math.round(milliseconds)} ms`
