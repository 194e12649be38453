/** mortise …: finds the command that the words name, runs it, and ends with a code that means something. */
import { parseArgs } from 'node:util'
import { type Command, commands, type Options, UsageError, version } from './commands.ts'
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
  mortise --help, mortise --version

Settings (environment variables)
${names.join('\n')}
`
}

const run = async (argv: readonly string[]): Promise<void> => {
  if (argv.includes('--version') || argv[0] === '-v') return console.log(version)
  const command = commands
    .toSorted((a, b) => b.name.length - a.name.length)
    .find(each => each.name.split(' ').every((word, index) => argv[index] === word))
  if (!command) {
    const group = commands.filter(each => each.name.startsWith(`${argv[0]} `))
    const asked = argv.includes('--help') || argv.includes('-h')
    if (argv.length === 0 || argv[0] === 'help' || (asked && group.length === 0)) return console.log(help())
    if (asked) return console.log(group.map(usage).join('\n'))
    const given = argv.slice(0, 2).join(' ')
    const near =
      group.length > 0
        ? `There are: ${group.map(each => `npx mortise ${each.name}`).join(', ')}.`
        : 'See: npx mortise --help'
    throw new UsageError(
      `There is no command "${given}"${didYouMean(
        given,
        commands.map(each => each.name),
      )}. ${near}`,
    )
  }
  let parsed: { values: Options; positionals: string[] }
  try {
    parsed = parseArgs({
      args: argv.slice(command.name.split(' ').length),
      options: { ...command.options, help: { type: 'boolean', short: 'h' } },
      allowPositionals: true,
    })
  } catch (error) {
    throw new UsageError(
      `${(error as Error).message.split('. ')[0]}.\nUsage: npx mortise ${command.name} ${command.takes}`,
    )
  }
  const [stray] = command.words ? [] : parsed.positionals
  if (stray !== undefined)
    throw new UsageError(
      `mortise ${command.name} takes no "${stray}".\nUsage: npx mortise ${command.name} ${command.takes}`,
    )
  if (parsed.values['help']) return console.log(`mortise ${command.name} ${command.takes}\n\n${command.help}`)
  await command.run(parsed.positionals, parsed.values)
}

try {
  await run(process.argv.slice(2))
} catch (error) {
  const expected = error instanceof UsageError || error instanceof SetupError || error instanceof MortiseError
  console.error(expected ? `mortise: ${error.message}` : error)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
