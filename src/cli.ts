/** mortise …: finds the command that the words name, runs it, and ends with a code that means something. */
import { parseArgs } from 'node:util'
import {
  type Command,
  exitCodes,
  type Options,
  RefusedError,
  StoppedError,
  UnreachableError,
  UsageError,
} from './command.ts'
import { commands, version } from './commands.ts'
import { settings } from './config.ts'
import { didYouMean } from './core/alike.ts'
import { MortiseError, SetupError } from './core/errors.ts'

const usage = (command: Command): string =>
  `  mortise ${command.name}${command.takes ? ` ${command.takes}` : ''}\n      ${command.help}`

const help = (): string => {
  const names = Object.entries(settings).map(
    ([name, each]) => `  ${name}\n      ${each.help}${each.default ? ` Default: ${each.default}` : ''}`,
  )
  return `Mortise ${version}: connects accounts, seals credentials, keeps tokens fresh.

Commands (in this folder, run them by npx)
${commands.map(usage).join('\n')}
  mortise help COMMAND, mortise --help, mortise --version

Exit codes
${Object.entries(exitCodes)
  .map(([code, means]) => `  ${code.padStart(3)}  ${means}`)
  .join('\n')}

Settings (environment variables)
${names.join('\n')}
`
}

/** One command: what it takes, and each option. */
const helpOn = (command: Command): string => {
  const options = Object.entries(command.options ?? {}).flatMap(([name, { about }]) =>
    about === undefined ? [] : [`  --${name.padEnd(14)}  ${about}`],
  )
  const listed = options.length === 0 ? '' : `\n\n${options.join('\n')}`
  return `mortise ${command.name} ${command.takes}\n\n${command.help}${listed}`
}

const commandOf = (words: readonly string[]): Command | undefined =>
  commands
    .toSorted((a, b) => b.name.length - a.name.length)
    .find(each => each.name.split(' ').every((word, index) => words[index] === word))

const parsed = (command: Command, args: readonly string[]): { values: Options; positionals: string[] } => {
  const options = { ...command.options, help: { type: 'boolean', short: 'h' } } as const
  const given = args.map(arg => {
    const bare = arg.startsWith('--') ? command.bare?.[arg.slice(2)] : undefined
    return bare === undefined ? arg : `${arg}=${bare}`
  })
  try {
    return parseArgs({ args: given, options, allowPositionals: true })
  } catch (error) {
    const { message } = error as Error
    const unknown = /^Unknown option '--?([^']+)'/.exec(message)?.[1]
    const near = unknown === undefined ? '' : didYouMean(unknown, Object.keys(options)).replace('mean ', 'mean --')
    throw new UsageError(
      `${message.split('. ')[0]?.replace(/\.$/, '')}${near}.\nUsage: npx mortise ${command.name} ${command.takes}`,
    )
  }
}

const run = async (given: readonly string[]): Promise<void> => {
  if (given.includes('--version') || given[0] === '-v') return console.log(version)
  const argv = given[0] === 'help' ? [...given.slice(1), '--help'] : given
  const command = commandOf(argv)
  if (!command) {
    const [word] = argv.filter(each => !each.startsWith('-'))
    const group = commands.filter(each => each.name.startsWith(`${word} `))
    const asked = argv.includes('--help') || argv.includes('-h')
    if (argv.length === 0 || (asked && word === undefined)) return console.log(help())
    if (asked && group.length > 0) return console.log(group.map(usage).join('\n'))
    const words = argv
      .filter(each => !each.startsWith('-'))
      .slice(0, 2)
      .join(' ')
    const near =
      group.length > 0
        ? `There are: ${group.map(each => `npx mortise ${each.name}`).join(', ')}.`
        : 'See: npx mortise --help'
    throw new UsageError(
      `There is no command "${words}"${didYouMean(
        words,
        commands.map(each => each.name),
      )}. ${near}`,
    )
  }
  const { values, positionals } = parsed(command, argv.slice(command.name.split(' ').length))
  if (values['help']) return console.log(helpOn(command))
  const [stray] = command.words ? [] : positionals
  if (stray !== undefined)
    throw new UsageError(
      `mortise ${command.name} takes no "${stray}".\nUsage: npx mortise ${command.name} ${command.takes}`,
    )
  await command.run(positionals, values)
}

const codeOf = (error: unknown): keyof typeof exitCodes => {
  if (error instanceof UsageError) return 2
  if (error instanceof UnreachableError) return 5
  if (error instanceof RefusedError) return 6
  if (error instanceof StoppedError) return 130
  if (!(error instanceof MortiseError)) return 1
  return error.code === 'not_found' ? 3 : error.code === 'unauthenticated' || error.code === 'forbidden' ? 4 : 1
}

/** What a person is told in a sentence; anything else is a mistake of ours, with its stack. */
const expected = [UsageError, UnreachableError, RefusedError, StoppedError, SetupError, MortiseError]

try {
  await run(process.argv.slice(2))
} catch (error) {
  const told = expected.some(kind => error instanceof kind)
  console.error(told ? `mortise: ${(error as Error).message}` : error)
  process.exitCode = codeOf(error)
}
