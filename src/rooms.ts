/** config → rooms → core: what listens, what renews and what the commands run on. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { loadCatalogue } from './catalogue/catalogue.ts'
import type { Config } from './config.ts'
import type { Secret } from './core/credential.ts'
import type { Environment } from './core/environment.ts'
import { SetupError } from './core/errors.ts'
import { createHub, type Hub } from './core/hub.ts'
import { createKeyring, type Keyring } from './core/keys.ts'
import type { Clock, Log } from './core/ports.ts'
import type { RefreshTiming } from './core/refresh-timing.ts'
import { ensureFirstEnvironment } from './core/setup.ts'
import type { Storage } from './core/storage.ts'
import { connectionsTelling } from './http/nango/webhook.ts'
import { signAws } from './net/aws.ts'
import { createCall } from './net/call.ts'
import { sign1 } from './net/oauth1.ts'
import type { Resolve } from './net/reach.ts'
import { createStream } from './net/stream.ts'
import { signWebhook } from './net/webhook.ts'
import { makeRootKeyFile, parseRootKey, readRootKeyFile } from './seal/root-key.ts'
import { createSeal, isSealed, proveRootKey } from './seal/seal.ts'
import { databaseFile, isPostgres, makeFolder, openStorage } from './storage/open.ts'

/** A hub with its rooms open, not listening yet. */
export interface Rooms {
  readonly hub: Hub
  readonly storage: Storage
  readonly keyring: Keyring
  readonly firstEnvironment: Environment
  readonly log: Log
}

/** `to`: a file descriptor; standard error unless told. */
const createLog = (level: string, to = 2): Log => {
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: to, sync: true }),
  )
  return {
    info: (phrase, fields = {}) => logger.info(fields, phrase),
    warn: (phrase, fields = {}) => logger.warn(fields, phrase),
    error: (phrase, fields = {}) => logger.error(fields, phrase),
  }
}

const makeOne =
  'Make one with `openssl rand -base64 32` and set MORTISE_ROOT_KEY, or MORTISE_ROOT_KEY_FILE to a file that holds it.'

/** The root key that the settings name, or that stands in the data folder: `dev` makes one there, commands find it. */
const givenRootKey = (config: Config): Secret<Buffer> | undefined => {
  if (config.rootKey) return parseRootKey(config.rootKey.reveal(), 'MORTISE_ROOT_KEY')
  if (config.rootKeyFile === undefined)
    return config.mode === 'serve' ? undefined : readRootKeyFile(join(config.dataDir, 'root.key'))
  const key = readRootKeyFile(config.rootKeyFile)
  if (key) return key
  throw new SetupError(`MORTISE_ROOT_KEY_FILE names ${config.rootKeyFile}, which does not exist. ${makeOne}`)
}

/** Only `dev` makes a key, and only for data that has none: data whose key is gone never gets another. */
const newRootKey = async (config: Config, storage: Storage): Promise<Secret<Buffer>> => {
  const file = join(config.dataDir, 'root.key')
  if (config.mode === 'serve') throw new SetupError(`There is no root key to open the data with. ${makeOne}`)
  if (await isSealed(storage))
    throw new SetupError(
      `The database is sealed under a root key, but its file ${file} is gone. Put it back from your backup, or set MORTISE_ROOT_KEY; without it the credentials cannot be opened, and another key is not made in its place.`,
    )
  if (config.mode !== 'dev') throw new SetupError(`There is no root key to seal credentials with. ${makeOne}`)
  makeFolder(config.dataDir)
  return makeRootKeyFile(file)
}

/** Milliseconds after the word to stop. */
export interface Stopping {
  /** Then proxied calls are cut off. */
  readonly grace: number
  /** Then every connection is, whoever it waits for. */
  readonly longest: number
}

/** What tests replace: the time, and where the log goes. */
export interface Overrides {
  /** What looks names up. */
  readonly resolve?: Resolve
  readonly clock?: Clock
  readonly logTo?: number
  /** Of refreshes, shorter than usual. */
  readonly timing?: RefreshTiming
  /** Milliseconds between looks for refreshes that are due; 0: they are left to the reads. */
  readonly lookForDue?: number
  /** How long calls under way may last once the hub stops. */
  readonly stopping?: Stopping
  /** `apart`: what is due is renewed on a thread of its own, which reads its settings in the environment. */
  readonly renews?: 'apart'
  /** `here`: nothing is read on this thread that could wait for a write, so SQLite needs no thread for those. */
  readonly writes?: 'here'
}

/** Opens the rooms. `sandboxOrigin` is given by `dev` alone. */
export const openRooms = async (config: Config, sandboxOrigin?: string, overrides: Overrides = {}): Promise<Rooms> => {
  const log = createLog(config.logLevel, overrides.logTo)
  if (config.providersDir !== undefined && !statSync(config.providersDir, { throwIfNoEntry: false })?.isDirectory())
    throw new SetupError(`MORTISE_PROVIDERS_DIR names ${config.providersDir}, which is no folder.`)
  const catalogue = loadCatalogue(config.providersDir)
  const given = givenRootKey(config)
  const database = config.database.reveal()
  const absent = !isPostgres(database) && !existsSync(databaseFile(database))
  if (!given && config.mode !== 'dev' && absent)
    throw new SetupError(
      config.mode === 'serve'
        ? `There is no root key to seal credentials with. ${makeOne}`
        : `There is no root key and no database in ${config.dataDir}. Run this in the folder where the hub was started, or set MORTISE_DATA_DIR. For a new hub: ${makeOne} To try things out, run \`npm start\` once: it makes one.`,
    )
  const storage = await openStorage(database, overrides.writes)
  try {
    const root = given ?? (await newRootKey(config, storage))
    await proveRootKey(storage, root)
    const clock = overrides.clock ?? { now: () => new Date() }
    const reachable = {
      allowedHosts: config.allowedHosts,
      ownAppHere: config.mode === 'dev',
      ...(overrides.resolve ? { resolve: overrides.resolve } : {}),
      ...(sandboxOrigin === undefined ? {} : { sandboxOrigin }),
    }
    const hub = createHub({
      storage,
      catalogue,
      call: createCall(reachable),
      stream: createStream(reachable),
      seal: createSeal(root),
      sign: signWebhook,
      tellings: { connections: connectionsTelling },
      sign1,
      signAws,
      clock,
      log,
      publicUrl: config.publicUrl.origin,
      dev: config.mode === 'dev',
      maySandbox: config.mode !== 'serve',
      ...(overrides.timing ? { timing: overrides.timing } : {}),
    })
    const firstEnvironment = await ensureFirstEnvironment(hub.context)
    const configured = config.secretKey && { secret: config.secretKey, environmentId: firstEnvironment.id }
    return { hub, storage, keyring: createKeyring(storage, configured), firstEnvironment, log }
  } catch (error) {
    await storage.close()
    throw error
  }
}
