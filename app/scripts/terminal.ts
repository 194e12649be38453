/** How a command starts, asks, and ends: non-zero wherever it did not do what it is for. */
import { createInterface, type Interface } from 'node:readline'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { messageOf } from '../src/alloy-http.ts'

type Options = NonNullable<ParseArgsConfig['options']>

export interface Arguments {
  readonly words: readonly string[]
  readonly flags: Readonly<Record<string, string | boolean | undefined>>
}

/** Runs a command; `usage` is what --help prints, and `words` how many arguments it takes at most. */
export const run = async (
  usage: string,
  command: (given: Arguments) => Promise<void>,
  { options = {}, words = 0 }: { readonly options?: Options; readonly words?: number } = {},
): Promise<void> => {
  try {
    const { values, positionals } = parseArgs({
      options: { ...options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    })
    if (values['help'] === true) {
      console.log(usage)
      return
    }
    if (positionals.length > words) throw new Error(`"${positionals[words]}" is one argument too many.\n\n${usage}`)
    const flags: Record<string, string | boolean> = {}
    for (const [name, value] of Object.entries(values))
      if (typeof value === 'string' || typeof value === 'boolean') flags[name] = value
    await command({ words: positionals, flags })
  } catch (error) {
    console.error(`❌ ${messageOf(error)}`)
    process.exitCode = 1
  }
}

/** Asks on a terminal, and reads one line each from anything else. */
export class Questions {
  readonly #terminal: Interface
  readonly #lines: AsyncIterator<string>

  constructor() {
    // readline's own question() loses the lines of a pipe that come before the next question.
    this.#terminal = createInterface({ input: process.stdin })
    this.#lines = this.#terminal[Symbol.asyncIterator]()
  }

  /** The answer, trimmed; undefined where the input has ended. */
  async ask(question: string): Promise<string | undefined> {
    process.stdout.write(question)
    const { value, done } = await this.#lines.next()
    if (done || !process.stdin.isTTY) process.stdout.write('\n')
    return done ? undefined : String(value).trim()
  }

  close(): void {
    this.#terminal.close()
    process.stdin.unref?.()
  }
}
