/** mortise config: what the settings come to, and where each came from. */
import { type Command, config, jsonOption, show, table } from './command.ts'
import { settings } from './config.ts'

/** What a setting comes to where it was not set, as far as that follows from others. */
const effective = (): Readonly<Record<string, string>> => {
  const { publicUrl, dataDir, rootKeyFile, url, logLevel } = config('command')
  return {
    MORTISE_PUBLIC_URL: publicUrl.origin,
    MORTISE_DATA_DIR: dataDir,
    MORTISE_DATABASE_URL: `${dataDir}/mortise.db`,
    MORTISE_ROOT_KEY_FILE: rootKeyFile ?? `${dataDir}/root.key, in dev`,
    MORTISE_URL: (url ?? publicUrl).origin,
    MORTISE_LOG_LEVEL: process.env['MORTISE_LOG_LEVEL'] ? logLevel : settings.MORTISE_LOG_LEVEL.default,
  }
}

/** A database's URL tells more than its password. */
const masked = (name: string, value: string): string =>
  name === 'MORTISE_DATABASE_URL' ? value.replace(/^(\w+:\/\/[^:@/]*):[^@]*@/, '$1:[secret]@') : '[secret]'

export const configCommands: readonly Command[] = [
  {
    name: 'config',
    takes: '[--json]',
    help: 'Show each setting: its value, and whether it was set or is the default. Secrets are not shown.',
    options: jsonOption,
    run(_args, options) {
      const known = effective()
      const rows = Object.entries(settings).map(([name, each]) => {
        const given = process.env[name]?.trim()
        const secret = 'secret' in each
        return given
          ? { name, value: secret ? masked(name, given) : given, from: 'the environment' }
          : { name, value: known[name] ?? (secret ? '' : each.default), from: 'the default' }
      })
      show(options, rows, () =>
        table([
          ['SETTING', 'VALUE', 'FROM'],
          ...rows.map(({ name, value, from }) => [name, value || 'not set', value ? from : '']),
        ]),
      )
    },
  },
]
