/** What every command is made of: its shape, its options, and the rooms that it opens. */
import type { ParseArgsOptionsConfig } from 'node:util'
import { type Config, type Mode, readConfig } from './config.ts'
import type { Environment } from './core/environment.ts'
import { environmentNamed, firstEnvironment } from './core/setup.ts'
import type { Rooms } from './rooms.ts'

/** The words of the command line were wrong: exit code 2. */
export class UsageError extends Error {}

export interface Command {
  /** After `mortise`. */
  readonly name: string
  /** What follows the name. */
  readonly takes: string
  readonly help: string
  readonly options?: ParseArgsOptionsConfig
  /** Whether words follow the name, besides options. */
  readonly words?: true
  readonly run: (args: readonly string[], options: Options) => Promise<void> | void
}

export type Options = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>

export const envOption = { env: { type: 'string' } } as const
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

export const table = (rows: readonly (readonly string[])[]): void => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0))) ?? []
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}

export const day = (date: Date): string => date.toISOString().slice(0, 16).replace('T', ' ')
