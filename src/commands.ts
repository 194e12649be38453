/** The commands of `mortise`, one entry each. They open the storage directly, so that `serve` can be set up. */
import { readFileSync } from 'node:fs'
import {
  type Command,
  config,
  day,
  envOption,
  inEnvironment,
  type Options,
  one,
  table,
  text,
  texts,
  UsageError,
  withRooms,
} from './command.ts'
import { doctorCommands } from './commands-doctor.ts'
import { moveCommands } from './commands-move.ts'
import { webhookCommands } from './commands-webhook.ts'
import { Secret } from './core/credential.ts'
import { type AllowKind, scopes } from './core/environment.ts'
import { MortiseError } from './core/errors.ts'
import { newNonce } from './core/ids.ts'
import { renewJwtKey } from './core/jwt-key.ts'
import { parseScopes } from './core/keys.ts'
import { addEnvironment, addIntegration, addKey, keysOf, normaliseAllowed, setHmac } from './core/setup.ts'
import { readSecret } from './prompt.ts'

export { type Command, type Options, UsageError } from './command.ts'

export const version: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version

const allow = (kind: AllowKind) => (args: readonly string[], options: Options) =>
  inEnvironment(options, async (rooms, environment) => {
    const url = normaliseAllowed(kind, one(args, kind === 'redirect' ? 'a URL' : 'an origin'))
    if (options['remove'] === true) {
      if (!(await rooms.storage.disallow(environment.id, kind, url)))
        throw new MortiseError('not_found', `${url} is not on the list of the environment "${environment.name}".`)
      console.log(`Removed ${url} from the environment "${environment.name}".`)
      return
    }
    await rooms.storage.allow(environment.id, kind, url)
    console.log(
      kind === 'redirect'
        ? `Flows of the environment "${environment.name}" may now return to ${url} (with any query).`
        : `Pages of ${url} are no longer refused by the browser routes of the environment "${environment.name}".`,
    )
  })

/** Runs until a signal; the second one ends it at once. */
const untilStopped = (stop: () => Promise<void>): void => {
  let stopping = false
  const end = async () => {
    if (stopping) process.exit(1)
    stopping = true
    await stop()
    process.exit(0)
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
}

export const commands: readonly Command[] = [
  {
    name: 'dev',
    takes: '',
    help: 'Run the hub and the sandbox on this machine, nothing configured.',
    run: async () => {
      const settings = config('dev')
      const { startDev } = await import('./dev.ts')
      const { devScreen } = await import('./screen.ts')
      const running = await startDev(settings)
      console.log(await devScreen(version, settings, running))
      untilStopped(() => running.stop())
    },
  },
  {
    name: 'serve',
    takes: '',
    help: 'Run the hub in production: no sandbox; refuses to start insecurely.',
    run: async () => {
      const { startHub } = await import('./main.ts')
      const running = await startHub(config('serve'), undefined, { renews: 'apart' })
      untilStopped(() => running.stop())
    },
  },
  {
    name: 'key create',
    takes: '[--name NAME] [--scope SCOPE]… [--env ENV]',
    help: 'Make a secret key and print it, once. Without --scope it may do everything.',
    options: { ...envOption, name: { type: 'string' }, scope: { type: 'string', multiple: true } },
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
    takes: '[--env ENV]',
    help: 'List the secret keys: never the keys themselves.',
    options: envOption,
    run: (_args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        const keys = await keysOf(rooms.hub.context, environment)
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
            key.scopes.length === scopes.length ? 'all' : key.scopes.join(','),
            day(key.createdAt),
            key.revokedAt ? day(key.revokedAt) : '',
          ]),
        ])
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
  {
    name: 'env show',
    takes: '[--env ENV]',
    options: envOption,
    help: 'Show an environment: public key, allow-lists, HMAC, integrations.',
    run: (_args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        const { storage } = rooms
        const [redirects, origins] = [
          await storage.allowed(environment.id, 'redirect'),
          await storage.allowed(environment.id, 'origin'),
        ]
        const integrations = await storage.integrations(environment.id)
        const keys = (await keysOf(rooms.hub.context, environment)).filter(key => key.revokedAt === undefined)
        table([
          ['Environment', environment.name],
          ...(environment.frozenAt ? [['Frozen', `since ${day(environment.frozenAt)}, to be moved`]] : []),
          ['Public key', environment.publicKey],
          ['Secret keys', String(keys.length)],
          ['HMAC of connect links', environment.hmacKey ? 'required' : 'off'],
          [
            'May return to',
            redirects.join(', ') ||
              'nothing yet (in dev: any loopback URL, and any that a call with a key names): npx mortise env allow-redirect <url>',
          ],
          ['Pages of', origins.join(', ') || 'no other origin'],
          [
            'Integrations',
            integrations.map(each => each.key).join(', ') || 'none yet: npx mortise integrations add <key> …',
          ],
          ['Redirect URI', `${rooms.hub.context.redirectUri}  (register it at each provider)`],
        ])
      }),
  },
  {
    name: 'env create',
    words: true,
    takes: 'NAME',
    help: 'Make another environment: its own keys, integrations, connections and lists.',
    run: args =>
      withRooms(async rooms => {
        const environment = await addEnvironment(rooms.hub.context, one(args, 'a name'))
        console.log(`Made the environment "${environment.name}", with the public key ${environment.publicKey}`)
      }),
  },
  {
    name: 'env allow-redirect',
    words: true,
    takes: 'URL [--remove] [--env ENV]',
    help: 'Let finished flows return to this URL.',
    options: { ...envOption, remove: { type: 'boolean' } },
    run: allow('redirect'),
  },
  {
    name: 'env allow-origin',
    words: true,
    takes: 'ORIGIN [--remove] [--env ENV]',
    help: 'Let scripts of pages of this origin call the browser routes.',
    options: { ...envOption, remove: { type: 'boolean' } },
    run: allow('origin'),
  },
  {
    name: 'env hmac',
    words: true,
    takes: 'on|off [--env ENV]',
    help: 'Demand an HMAC in connect links (prints its new key, once), or stop to.',
    options: envOption,
    run: (args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        const wanted = one(args, 'on or off')
        if (wanted !== 'on' && wanted !== 'off') throw new UsageError(`Give on or off, not "${wanted}".`)
        const secret = await setHmac(rooms.hub.context, environment, wanted === 'on')
        if (!secret) return console.log(`Connect links of the environment "${environment.name}" need no HMAC.`)
        console.log(secret.reveal())
        console.error(
          `\nThis is the HMAC key of the environment "${environment.name}". It is shown this once. Every connect link now needs hmac=hex(HMAC-SHA256(key, "integration:connection_id")).`,
        )
      }),
  },
  {
    name: 'env renew-jwt-key',
    takes: '[--env ENV]',
    help: 'Make a new key for the JWTs of end users: those given out stop working at once.',
    options: envOption,
    run: (_args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        await renewJwtKey(rooms.hub.context, environment)
        console.log(`No JWT of the environment "${environment.name}" that was given out works any more.`)
      }),
  },
  {
    name: 'integrations add',
    words: true,
    takes:
      'KEY [--provider PROVIDER] --client-id ID|--sandbox [--scope SCOPE]… [--setting NAME=VALUE]… [--redirect-uri URL] [--env ENV]',
    help: 'Add your client at a provider. The client secret is asked for, or read from standard input. With --sandbox, mortise dev plays the provider from its next start on.',
    options: {
      ...envOption,
      provider: { type: 'string' },
      'client-id': { type: 'string' },
      sandbox: { type: 'boolean' },
      scope: { type: 'string', multiple: true },
      setting: { type: 'string', multiple: true },
      'redirect-uri': { type: 'string' },
    },
    run: async (args, options) => {
      const key = one(args, 'the name of the integration, for example github')
      const sandbox = options['sandbox'] === true
      const clientId = text(options['client-id']) ?? (sandbox ? `sandbox-${key}` : undefined)
      if (clientId === undefined) throw new UsageError('Give --client-id, as the provider shows it for your app.')
      const pairs = texts(options['setting']).map(pair => {
        const [, name, value] = /^([^=]+)=(.*)$/.exec(pair) ?? []
        if (name === undefined || value === undefined) throw new UsageError(`--setting is NAME=VALUE, not "${pair}".`)
        return [name, value] as const
      })
      const clientSecret = sandbox ? new Secret(newNonce()) : await readSecret('Client secret: ')
      await inEnvironment(options, async (rooms, environment) => {
        const scopes = texts(options['scope'])
        const hosted = text(options['redirect-uri'])
        const added = await addIntegration(rooms.hub.context, environment, {
          key,
          provider: text(options['provider']) ?? key,
          clientId,
          clientSecret,
          ...(scopes.length > 0 ? { scopes } : {}),
          settings: Object.fromEntries(pairs),
          ...(hosted === undefined ? {} : { redirectUri: hosted }),
          sandbox,
        })
        console.log(
          `Added the integration "${added.key}" (${added.provider}; scopes: ${added.scopes.join(', ') || 'none'}).`,
        )
        if (sandbox) console.log('The sandbox plays it from the next start of mortise dev on.')
        else if (added.redirectUri === undefined)
          console.log(`Register this redirect URI at the provider: ${rooms.hub.context.redirectUri}`)
        else
          console.log(
            `The provider sends the browser to ${added.redirectUri}; there, send it on to ${rooms.hub.context.redirectUri} with the same query.`,
          )
      })
    },
  },
  {
    name: 'integrations list',
    takes: '[--env ENV]',
    help: 'List the integrations.',
    options: envOption,
    run: (_args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        const all = await rooms.storage.integrations(environment.id)
        if (all.length === 0)
          return console.log(
            `The environment "${environment.name}" has no integration. Add one with: npx mortise integrations add <key> …`,
          )
        table([
          ['KEY', 'PROVIDER', 'CLIENT ID', 'SCOPES', ''],
          ...all.map(each => [
            each.key,
            each.provider,
            each.clientId,
            each.scopes.join(','),
            each.sandbox ? 'sandbox' : '',
          ]),
        ])
      }),
  },
  {
    name: 'integrations remove',
    words: true,
    takes: 'KEY [--env ENV]',
    help: 'Remove an integration that no connection stands on.',
    options: envOption,
    run: (args, options) =>
      inEnvironment(options, async (rooms, environment) => {
        const key = one(args, 'the key of the integration')
        const result = await rooms.storage.removeIntegration(environment.id, key)
        if (result === 'unknown')
          throw new MortiseError(
            'not_found',
            `There is no integration "${key}" in the environment "${environment.name}".`,
          )
        if (result === 'in use')
          throw new MortiseError(
            'conflict',
            `Connections stand on the integration "${key}", so it stays. For production, use another MORTISE_DATA_DIR.`,
          )
        console.log(`Removed the integration "${key}".`)
      }),
  },
  ...webhookCommands,
  ...moveCommands,
  ...doctorCommands,
  {
    name: 'provider check',
    words: true,
    takes: '[FOLDER]…',
    help: "Check provider and actions files: Mortise's own, those of MORTISE_PROVIDERS_DIR, or the folders given.",
    run: async args => {
      const { checkActions, ownFolder, problemText, readFolders } = await import('./catalogue/catalogue.ts')
      const own = process.env['MORTISE_PROVIDERS_DIR']
      const folders = args.length > 0 ? args : [ownFolder, ...(own ? [own] : [])]
      const { providers, problems } = readFolders(folders)
      const actions = checkActions(folders)
      for (const problem of [...problems, ...actions.problems]) console.error(problemText(problem))
      const praise = (count: number, what: string) =>
        console.log(`${count} ${what} file${count === 1 ? '' : 's'}, no mistake.`)
      if (problems.length > 0 || actions.problems.length > 0) process.exitCode = 1
      else {
        praise(providers.length, 'provider')
        if (actions.count > 0) praise(actions.count, 'actions')
      }
    },
  },
]
