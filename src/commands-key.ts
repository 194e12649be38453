/** The commands on secret keys. They open the storage directly, so that `serve` can be set up. */
import { type Command, day, envOption, inEnvironment, jsonOption, one, show, table, text, texts } from './command.ts'
import { MortiseError } from './core/errors.ts'
import { parseScopes, scopesText } from './core/keys.ts'
import { addKey, keysOf } from './core/setup.ts'

export const keyCommands: readonly Command[] = [
  {
    name: 'key create',
    takes: '[--name NAME] [--scope SCOPE]… [--env ENV]',
    help: 'Make a secret key and print it, once. Without --scope it may do everything in its environment.',
    options: {
      ...envOption,
      name: { type: 'string', about: 'To tell it from others' },
      scope: { type: 'string', multiple: true, about: 'What it may do; may be given several times' },
    },
    run: (_args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        const granted = parseScopes(texts(options['scope']))
        const wasOpen = (await rooms.keyring.now()).unused
        const made = await addKey(rooms.hub.context, environment, text(options['name']) ?? 'default', granted)
        console.log(made.secret.reveal())
        console.error(
          `\nThis is the secret key "${made.key.name}" (${made.key.id}) of the environment "${environment.name}". It is shown this once: put it where your back end reads its secrets.`,
        )
        if (wasOpen) console.error('From now on every call of the API needs a key, on this machine too.')
      }),
  },
  {
    name: 'key list',
    takes: '[--json] [--env ENV]',
    help: 'List the secret keys: never the keys themselves.',
    options: { ...envOption, ...jsonOption },
    run: (_args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        const keys = await keysOf(rooms.hub.context, environment)
        const shown = keys.map(({ id, name, hint, scopes, createdAt, revokedAt }) => ({
          id,
          name,
          begins: hint,
          scopes,
          createdAt,
          revokedAt: revokedAt ?? null,
        }))
        show(options, shown, () => {
          if (keys.length === 0)
            return console.log(
              `The environment "${environment.name}" has no secret key. Make one with: npx mortise key create`,
            )
          table([
            ['ID', 'NAME', 'BEGINS', 'SCOPES', 'CREATED', 'REVOKED'],
            ...keys.map(key => [
              key.id,
              key.name,
              `${key.hint}…`,
              scopesText(key.scopes).replaceAll(', ', ','),
              day(key.createdAt),
              key.revokedAt ? day(key.revokedAt) : '',
            ]),
          ])
        })
      }),
  },
  {
    name: 'key revoke',
    words: true,
    takes: 'ID [--env ENV]',
    help: 'Revoke a secret key, at once, in running hubs too.',
    options: envOption,
    run: (args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        const id = one(args, 'the id of the key, as `npx mortise key list` prints it')
        if (!(await rooms.storage.revokeKey(environment.id, id, new Date())))
          throw new MortiseError(
            'not_found',
            `The environment "${environment.name}" has no living key with the id ${id}; see: npx mortise key list`,
          )
        console.log(`Revoked ${id}.`)
      }),
  },
]
