/** mortise doctor: what could be in the way, each with who must do what. */
import { bad, type Command, config, envOption, good, jsonOption, type Options, plain, show, text } from './command.ts'
import type { Config } from './config.ts'
import { diagnose } from './core/diagnose.ts'
import type { Environment } from './core/environment.ts'
import { SetupError, toMortiseError } from './core/errors.ts'
import type { Integration } from './core/integration.ts'
import { isLoopbackHost } from './core/loopback.ts'
import type { Provider } from './core/provider.ts'
import { environmentNamed, firstEnvironment, keysOf } from './core/setup.ts'
import type { Rooms } from './rooms.ts'

interface Look {
  readonly check: string
  readonly ok: boolean
  /** What was found, or what is wrong and who must do what. */
  readonly message: string
}

const found = (check: string, message: string): Look => ({ check, ok: true, message })
const wrong = (check: string, message: string): Look => ({ check, ok: false, message })

/** What a clock may differ by, in milliseconds: signatures and JWTs allow as much. */
const mostDrift = 5 * 60_000

const checkClock = (check: string, whose: string, dateHeader: string | null | undefined): Look[] => {
  const theirs = Date.parse(dateHeader ?? '')
  if (Number.isNaN(theirs)) return []
  const seconds = Math.round(Math.abs(theirs - Date.now()) / 1000)
  return seconds * 1000 <= mostDrift
    ? [found(check, `The clock of this machine and ${whose} differ by ${seconds} s.`)]
    : [
        wrong(
          check,
          `The clock of this machine and ${whose} differ by ${seconds} s; tokens would be refreshed too late and signatures refused. Set the clock by NTP.`,
        ),
      ]
}

/** Whether a hub runs where browsers look for it. */
const checkHub = async ({ publicUrl }: Config): Promise<Look[]> => {
  const url = publicUrl.origin
  const answer = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(3000) }).catch(() => undefined)
  if (answer?.ok) {
    await answer.body?.cancel()
    return [found('hub', `A hub answers at ${url}.`), ...checkClock('clock', "the hub's", answer.headers.get('date'))]
  }
  return [
    wrong(
      'hub',
      answer
        ? `What answers at ${url} is no hub that is ready (status ${answer.status}). Look at its log, or set MORTISE_PUBLIC_URL to where the hub is.`
        : `No hub answers at ${url}. Start one: npm start, or npx mortise serve; or set MORTISE_PUBLIC_URL and MORTISE_PORT to where it is.`,
    ),
  ]
}

const checkPublicUrl = ({ publicUrl, host }: Config): Look =>
  isLoopbackHost(publicUrl.hostname)
    ? isLoopbackHost(host)
      ? found('public url', `Browsers find the hub at ${publicUrl.origin}: on this machine only.`)
      : wrong(
          'public url',
          `MORTISE_HOST ${host} is reachable from other machines, but MORTISE_PUBLIC_URL is ${publicUrl.origin}, which is not. Set it to where browsers find the hub, with https.`,
        )
    : found('public url', `Browsers find the hub at ${publicUrl.origin}; TLS must end in front of it.`)

/** A URL of the provider that can be asked without knowing a connection. */
const reachable = (provider: Provider, settings: Readonly<Record<string, string>>): string | undefined =>
  [provider.token.url, provider.authorize.url, provider.api.base]
    .map(url => url.replaceAll(/\$\{settings\.(\w+)\}/g, (whole, name) => settings[name] ?? whole))
    .find(url => !url.includes('${'))

/** Any answer will do: it was reached. */
const checkProvider = async ({ hub }: Rooms, { key, settings }: Integration, provider: Provider): Promise<Look[]> => {
  const check = `provider of ${key}`
  const url = reachable(provider, settings)
  if (url === undefined)
    return [found(check, `${provider.name} has an address for each customer, so it was not tried.`)]
  const { host } = new URL(url)
  try {
    const { headers } = await hub.context.call.send({ method: 'GET', url, headers: {}, sandbox: false, timeout: 5000 })
    return [
      found(check, `${provider.name} answers at ${host}.`),
      ...checkClock(`clock of ${key}`, `that of ${host}`, headers['date']),
    ]
  } catch (thrown) {
    const error = toMortiseError(thrown)
    if (error.code === 'provider_invalid_response') return [found(check, `${provider.name} answers at ${host}.`)]
    return [
      wrong(
        check,
        `${provider.name} was not reached at ${host}: ${error.message} Look at DNS, at the firewall, and at MORTISE_ALLOWED_HOSTS.`,
      ),
    ]
  }
}

const checkProviders = async (rooms: Rooms, environment: Environment): Promise<Look[]> => {
  const { context } = rooms.hub
  const all = await rooms.storage.integrations(environment.id)
  const looks = await Promise.all(
    all.map(async integration => {
      if (integration.sandbox) return []
      const provider = context.catalogue.get(integration.provider)
      if (provider) return checkProvider(rooms, integration, provider)
      return [
        wrong(
          `provider of ${integration.key}`,
          `The integration ${integration.key} uses the provider ${integration.provider}, which has no definition here. Set MORTISE_PROVIDERS_DIR to the folder that has it.`,
        ),
      ]
    }),
  )
  const played = all.filter(each => each.sandbox).length
  return [
    ...looks.flat(),
    ...(played > 0
      ? [found('sandbox', `${played} integration${played === 1 ? ' is' : 's are'} played by the sandbox.`)]
      : []),
  ]
}

const checkEnvironment = async (rooms: Rooms, options: Options): Promise<Look[]> => {
  const { context } = rooms.hub
  const environment = await environmentNamed(context, text(options['env']) ?? firstEnvironment)
  const keys = (await keysOf(context, environment)).filter(key => key.revokedAt === undefined)
  const integrations = await rooms.storage.integrations(environment.id)
  const [user, connector, redirectUri] = ['user', 'connector', 'redirect-uri'].map(name => text(options[name]))
  // A command judges as production does.
  const inDev = ' (mortise dev allows it by itself.)'
  const asked = await diagnose(context, environment, {
    ...(user === undefined ? {} : { user }),
    ...(connector === undefined ? {} : { connector }),
    ...(redirectUri === undefined ? {} : { redirectUri }),
  })
  return [
    found(
      'keys',
      keys.length === 0
        ? 'There is no secret key: only this machine may call the hub. For others: npx mortise key create'
        : `${keys.length} secret key${keys.length === 1 ? '' : 's'} may call the API of the environment "${environment.name}".`,
    ),
    integrations.length > 0
      ? found('integrations', `Integrations: ${integrations.map(each => each.key).join(', ')}.`)
      : wrong(
          'integrations',
          'There is no integration yet. Add one: npx mortise integrations add …, or start mortise dev once.',
        ),
    found('redirect uri', `Each provider must have this redirect URI registered: ${context.redirectUri}`),
    ...asked.map(({ check, ok, message }) => ({
      check,
      ok,
      message: `${message}${!ok && check === 'redirect' ? inDev : ''}`,
    })),
    ...(await checkProviders(rooms, environment)),
  ]
}

/** The root key, the database and its check value, and then what is in it: a look that fails does not stop the others. */
const checkRooms = async (settings: Config, options: Options): Promise<Look[]> => {
  const { openRooms } = await import('./rooms.ts')
  try {
    const rooms = await openRooms(settings)
    try {
      return [
        found('data', 'The database opens, and the root key is the one that it was sealed under.'),
        ...(await checkEnvironment(rooms, options)),
      ]
    } finally {
      await rooms.storage.close()
    }
  } catch (error) {
    if (error instanceof SetupError) return [wrong('data', error.message)]
    throw error
  }
}

export const doctorCommands: readonly Command[] = [
  {
    name: 'doctor',
    takes: '[--user USER] [--connector KEY] [--redirect-uri URL] [--json] [--env ENV]',
    help: 'Look at what could be in the way: settings, root key, database, clock, public URL, keys, hub, user, integration, redirect URI, and whether each provider is reached. Exit code 1 where something is.',
    options: {
      ...envOption,
      ...jsonOption,
      user: { type: 'string', about: 'An end user to look for' },
      connector: { type: 'string', about: 'An integration to look for' },
      'redirect-uri': { type: 'string', about: 'A URL that a finished flow is to return to' },
    },
    async run(_args, options) {
      const settings = config('command')
      const looks = [...(await checkRooms(settings, options)), checkPublicUrl(settings), ...(await checkHub(settings))]
      show(options, looks, () => {
        for (const { ok, message } of looks) console.log(`${ok ? good('ok  ') : bad('FAIL')}  ${plain(message)}`)
      })
      if (looks.some(look => !look.ok)) process.exitCode = 1
    },
  },
]
