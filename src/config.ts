/** Every setting: name, default, whether it is secret, one line of help. An unknown MORTISE_* stops the start. */
import { resolve } from 'node:path'
import { alike } from './core/alike.ts'
import { Secret } from './core/credential.ts'
import { SetupError } from './core/errors.ts'
import { isLoopbackHost, parseUrl } from './core/loopback.ts'

/** `docs/configuration.md` is held equal to this by a test. */
export const settings = {
  MORTISE_HOST: { default: 'localhost', help: 'Address to listen on. localhost means both loopback families.' },
  MORTISE_PORT: { default: '3003', help: 'Port to listen on. In dev the sandbox takes the next one.' },
  MORTISE_PUBLIC_URL: {
    default: 'http://localhost:<port>',
    help: 'Where browsers find the hub: scheme, host and port, no path. https unless it is loopback.',
  },
  MORTISE_ALSO_KNOWN_AS: {
    default: '',
    help: 'Comma-separated further origins under which clients find the hub, like https://app.example.com: where DNS maps the hosts that they have written into them.',
  },
  MORTISE_DATA_DIR: { default: './data', help: 'Folder for the database and, in dev, the root key file.' },
  MORTISE_DATABASE_URL: {
    default: '<data dir>/mortise.db',
    secret: true,
    help: 'Path of the SQLite database, or the URL of a Postgres database: postgres://user:password@host:5432/database.',
  },
  MORTISE_SECRET_KEY: {
    default: '',
    secret: true,
    help: 'A secret key of the environment dev, at least 32 characters, besides those made with `npx mortise key create`.',
  },
  MORTISE_ROOT_KEY: {
    default: '',
    secret: true,
    help: 'The root key that seals everything: 32 random bytes in base64.',
  },
  MORTISE_ROOT_KEY_FILE: { default: '<data dir>/root.key in dev', help: 'A file that holds the root key.' },
  MORTISE_PASSPHRASE_FILE: { default: '', help: 'A file that holds the passphrase of `mortise export` and `import`.' },
  MORTISE_PROVIDERS_DIR: { default: '', help: "A folder with the operator's own provider files." },
  MORTISE_BASIC_AUTH: {
    default: '',
    secret: true,
    help: 'user:password that may call the API of the environment dev by HTTP Basic.',
  },
  MORTISE_ALLOWED_HOSTS: {
    default: '',
    help: "Comma-separated host or host:port names that may live on a private or loopback address and be called by plain http; a host without a port allows every port. Any key with the scope proxy can send any connection's credential there.",
  },
  MORTISE_URL: {
    default: 'the public URL',
    help: 'Of commands that call a hub: where it is. Like --url.',
  },
  MORTISE_API_KEY: {
    default: '',
    secret: true,
    help: 'Of commands that call a hub: the secret key that they send.',
  },
  MORTISE_LOG_LEVEL: { default: 'warn in dev, info in serve', help: 'One of info, warn, error, silent.' },
} as const satisfies Record<string, { default: string; secret?: boolean; help: string }>

type SettingName = keyof typeof settings
export type Mode = 'dev' | 'serve' | 'command'

export interface Config {
  readonly mode: Mode
  readonly host: string
  readonly port: number
  readonly publicUrl: URL
  /** Origins of the hub besides. */
  readonly alsoKnownAs: readonly string[]
  readonly dataDir: string
  /** The URL of a Postgres database holds its password. */
  readonly database: Secret
  readonly secretKey?: Secret
  readonly rootKey?: Secret
  readonly rootKeyFile?: string
  readonly passphraseFile?: string
  readonly providersDir?: string
  readonly basicAuth?: { readonly user: string; readonly password: Secret }
  readonly allowedHosts: readonly string[]
  /** Of commands that call a hub, where it is not the public URL. */
  readonly url?: URL
  readonly apiKey?: Secret
  readonly logLevel: string
}

export const logLevels = ['info', 'warn', 'error', 'silent']

/** Reads the settings of an environment. Throws a SetupError that names the setting and what to do. */
export const readConfig = (env: Readonly<Record<string, string | undefined>>, mode: Mode): Config => {
  for (const name of Object.keys(env))
    if (name.startsWith('MORTISE_') && !Object.hasOwn(settings, name))
      throw new SetupError(`${name} is not a setting${hint(name)}. The settings are listed by: npx mortise --help`)
  const get = (name: SettingName): string | undefined => {
    const value = env[name]?.trim()
    return value === '' ? undefined : value
  }
  const host = (get('MORTISE_HOST') ?? 'localhost').replace(/^\[(.*)\]$/, '$1')
  const port = Number(get('MORTISE_PORT') ?? '3003')
  if (!Number.isInteger(port) || port < 1 || port > 65534)
    throw new SetupError('MORTISE_PORT must be a port number from 1 to 65534.')
  const dataDir = resolve(get('MORTISE_DATA_DIR') ?? './data')
  const secretKey = get('MORTISE_SECRET_KEY')
  if (secretKey !== undefined && !/^[\x21-\x7e]{32,200}$/.test(secretKey))
    throw new SetupError(
      'MORTISE_SECRET_KEY must have 32 to 200 visible ASCII characters. Make one with: openssl rand -hex 32',
    )
  const [rootKey, rootKeyFile] = [get('MORTISE_ROOT_KEY'), get('MORTISE_ROOT_KEY_FILE')]
  if (rootKey !== undefined && rootKeyFile !== undefined)
    throw new SetupError('Set MORTISE_ROOT_KEY or MORTISE_ROOT_KEY_FILE, not both.')
  const passphraseFile = get('MORTISE_PASSPHRASE_FILE')
  const providersDir = get('MORTISE_PROVIDERS_DIR')
  const basic = get('MORTISE_BASIC_AUTH')
  const url = get('MORTISE_URL')
  // Whoever writes it for a hub means the other one.
  if (mode !== 'command' && url !== undefined && get('MORTISE_PUBLIC_URL') === undefined)
    throw new SetupError(
      'MORTISE_URL is for commands that call a hub (did you mean MORTISE_PUBLIC_URL?). Unset it here, or set MORTISE_PUBLIC_URL.',
    )
  const apiKey = get('MORTISE_API_KEY')
  if (apiKey !== undefined && !/^[\x21-\x7e]{1,500}$/.test(apiKey))
    throw new SetupError('MORTISE_API_KEY must be a secret key, as `npx mortise key create` prints it.')
  const logLevel = get('MORTISE_LOG_LEVEL') ?? (mode === 'serve' ? 'info' : 'warn')
  if (!logLevels.includes(logLevel)) throw new SetupError(`MORTISE_LOG_LEVEL must be one of ${logLevels.join(', ')}.`)
  return {
    mode,
    host,
    port,
    publicUrl: hubUrl('MORTISE_PUBLIC_URL', get('MORTISE_PUBLIC_URL') ?? `http://localhost:${port}`),
    alsoKnownAs: list(get('MORTISE_ALSO_KNOWN_AS')).map(each => hubUrl('MORTISE_ALSO_KNOWN_AS', each).origin),
    dataDir,
    database: new Secret(get('MORTISE_DATABASE_URL') ?? resolve(dataDir, 'mortise.db')),
    ...(secretKey === undefined ? {} : { secretKey: new Secret(secretKey) }),
    ...(rootKey === undefined ? {} : { rootKey: new Secret(rootKey) }),
    ...(rootKeyFile === undefined ? {} : { rootKeyFile: resolve(rootKeyFile) }),
    ...(passphraseFile === undefined ? {} : { passphraseFile: resolve(passphraseFile) }),
    ...(providersDir === undefined ? {} : { providersDir: resolve(providersDir) }),
    ...(basic === undefined ? {} : { basicAuth: basicAuth(basic) }),
    allowedHosts: list(get('MORTISE_ALLOWED_HOSTS')).map(each => each.toLowerCase()),
    ...(url === undefined ? {} : { url: hubUrl('MORTISE_URL', url) }),
    ...(apiKey === undefined ? {} : { apiKey: new Secret(apiKey) }),
    logLevel,
  }
}

const list = (text = ''): string[] =>
  text
    .split(',')
    .map(each => each.trim())
    .filter(Boolean)

const hubUrl = (name: SettingName, given: string): URL => {
  const url = parseUrl(given)
  if (
    !url ||
    !/^https?:$/.test(url.protocol) ||
    url.pathname !== '/' ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== '' ||
    url.password !== ''
  )
    throw new SetupError(`${name} must be scheme, host and port only, like https://connect.example.com`)
  if (url.protocol !== 'https:' && !isLoopbackHost(url.hostname))
    throw new SetupError(
      `${name} is ${url.origin}, but off this machine it must be https: tokens and cookies would travel in the clear. Put TLS in front and set it to https://…`,
    )
  return url
}

const basicAuth = (text: string): { user: string; password: Secret } => {
  const [, user = '', password = ''] = /^([^:]+):(.+)$/.exec(text) ?? []
  if (password.length < 12)
    throw new SetupError('MORTISE_BASIC_AUTH must be user:password, with a password of at least 12 characters.')
  return { user, password: new Secret(password) }
}

/** The setting that was probably meant: the one most alike, or else one that shares a word. */
const hint = (name: string): string => {
  const own = (text: string) => text.replace(/^MORTISE_/, '')
  const names = Object.keys(settings)
  const words = own(name).split('_')
  const near =
    names.find(each => own(each) === alike(own(name), names.map(own))) ??
    names.find(each =>
      own(each)
        .split('_')
        .some(word => words.includes(word)),
    )
  return near ? ` (did you mean ${near}?)` : ''
}
