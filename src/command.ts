/** What every command is made of: its shape, its options, and the rooms that it opens. */
import { type ParseArgsOptionsConfig, styleText } from 'node:util'
import { type Config, type Mode, readConfig } from './config.ts'
import type { Environment } from './core/environment.ts'
import { environmentNamed, firstEnvironment } from './core/setup.ts'
import type { Rooms } from './rooms.ts'

/** The words of the command line were wrong: exit code 2. */
export class UsageError extends Error {}

/** No hub answers: exit code 5. */
export class UnreachableError extends Error {}

/** The provider refused what it was asked: exit code 6. */
export class RefusedError extends Error {}

/** A person stopped it: exit code 130, as a shell has it for Ctrl+C. */
export class StoppedError extends Error {}

/** `docs/cli.md` is held equal to this by a test. */
export const exitCodes = {
  0: 'It is done.',
  1: 'It failed: the sentence says why, and who must do what.',
  2: 'The words of the command were wrong.',
  3: 'There is no such thing.',
  4: 'The key is missing, wrong, or may not do this.',
  5: 'No hub answers there.',
  6: 'The provider answered with an error; its answer is printed.',
  130: 'It was stopped with Ctrl+C.',
} as const

/** An option, with what it is for. */
type Option = ParseArgsOptionsConfig[string] & { readonly about?: string }

export interface Command {
  /** After `mortise`. */
  readonly name: string
  /** What follows the name. */
  readonly takes: string
  readonly help: string
  readonly options?: Readonly<Record<string, Option>>
  /** Whether words follow the name, besides options. */
  readonly words?: true
  /** Options that may stand without their value, and the value that they then have. */
  readonly bare?: Readonly<Record<string, string>>
  readonly run: (args: readonly string[], options: Options) => Promise<void> | void
}

export type Options = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>

export const envOption = {
  env: { type: 'string', about: 'Another environment than dev' },
} as const satisfies Record<string, Option>
export const jsonOption = {
  json: { type: 'boolean', about: 'JSON, for programs' },
} as const satisfies Record<string, Option>
export const text = (value: Options[string]): string | undefined => (typeof value === 'string' ? value : undefined)
export const texts = (value: Options[string]): string[] => (Array.isArray(value) ? value.map(String) : [])

export const config = (mode: Mode): Config => readConfig(process.env, mode)

export const withRooms = async <T>(work: (rooms: Rooms) => Promise<T>): Promise<T> => {
  // Not loaded for the commands, and the help, that need no rooms.
  const { openRooms } = await import('./rooms.ts')
  const rooms = await openRooms(config('command'))
  try {
    return await work(rooms)
  } finally {
    await rooms.storage.close()
  }
}

/** With the environment that `--env` names, or the first. */
export const inEnvironment = (options: Options, work: (rooms: Rooms, environment: Environment) => Promise<void>) =>
  withRooms(async rooms =>
    work(rooms, await environmentNamed(rooms.hub.context, text(options['env']) ?? firstEnvironment)),
  )

export const one = (args: readonly string[], what: string): string => {
  const [value] = args
  if (value === undefined || args.length > 1) throw new UsageError(`Give ${what}.`)
  return value
}

/** `NAME=VALUE`, each. */
export const pairs = (option: string, given: Options[string]): Record<string, string> =>
  Object.fromEntries(
    texts(given).map(pair => {
      const [, name, value] = /^([^=]+)=(.*)$/s.exec(pair) ?? []
      if (name === undefined || value === undefined) throw new UsageError(`--${option} is NAME=VALUE, not "${pair}".`)
      return [name, value] as const
    }),
  )

/** What comes from elsewhere may hold what a terminal would obey. */
export const plain = (cell: string): string => cell.replaceAll(/\p{Cc}/gu, '?')

/** Coloured on a terminal only, and not where NO_COLOR is set. */
const styled = (style: Parameters<typeof styleText>[0], line: string): string =>
  styleText(style, line, { stream: process.stdout })

export const good = (line: string): string => styled('green', line)
export const bad = (line: string): string => styled('red', line)

const lines = (rows: readonly (readonly string[])[]): string[] => {
  const cells = rows.map(row => row.map(plain))
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map(row => row[column]?.length ?? 0))) ?? []
  return cells.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** Names and what they stand for. */
export const fields = (rows: readonly (readonly [name: string, value: string])[]): void => {
  for (const line of lines(rows)) console.log(line)
}

/** Rows under a head. */
export const table = ([head = [], ...rows]: readonly (readonly string[])[]): void => {
  const [first = '', ...rest] = lines([head, ...rows])
  console.log(styled('bold', first))
  for (const line of rest) console.log(line)
}

/** For programs as it is, where they ask; or else for people. */
export const show = (options: Options, value: unknown, forPeople: () => void): void => {
  if (options['json'] === true) console.log(JSON.stringify(value, undefined, 2))
  else forPeople()
}

export const day = (date: Date): string => date.toISOString().slice(0, 16).replace('T', ' ')
/** The same of a time as JSON has it. */
export const dayOf = (time: string | null): string => (time === null ? '' : day(new Date(time)))
