/** config → rooms → core → listen; graceful stop. The only wiring. */
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { classicScript } from '@mortise/web/script'
import { pino } from 'pino'
import { loadCatalogue } from './catalogue/catalogue.ts'
import type { Config } from './config.ts'
import type { Secret } from './core/credential.ts'
import type { Environment } from './core/environment.ts'
import { SetupError } from './core/errors.ts'
import { createHub, type Hub } from './core/hub.ts'
import { createKeyring, type Keyring } from './core/keys.ts'
import { isLoopbackHost } from './core/loopback.ts'
import type { Clock, Log } from './core/ports.ts'
import type { RefreshTiming } from './core/refresh-timing.ts'
import { ensureFirstEnvironment } from './core/setup.ts'
import type { Storage } from './core/storage.ts'
import { createApp } from './http/app.ts'
import { type Access, isKeyless } from './http/auth.ts'
import type { Scripts } from './http/sdk.ts'
import { startLoop } from './loop/loop.ts'
import { createCall } from './net/call.ts'
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

/** What tests replace: the time, and where the log goes. */
export interface Overrides {
  readonly clock?: Clock
  readonly logTo?: number
  /** Of refreshes, shorter than usual. */
  readonly timing?: RefreshTiming
  /** Milliseconds between looks for refreshes that are due; 0: they are left to the reads. */
  readonly lookForDue?: number
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
  const storage = await openStorage(database)
  try {
    const root = given ?? (await newRootKey(config, storage))
    await proveRootKey(storage, root)
    const clock = overrides.clock ?? { now: () => new Date() }
    const hub = createHub({
      storage,
      catalogue,
      call: createCall({
        allowedHosts: config.allowedHosts,
        ownAppHere: config.mode === 'dev',
        ...(sandboxOrigin === undefined ? {} : { sandboxOrigin }),
      }),
      seal: createSeal(root),
      sign: signWebhook,
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

export interface Running {
  readonly rooms: Rooms
  readonly access: Access
  readonly keyless: boolean
  /** Finishes what is in flight, then closes the rooms. */
  stop(): Promise<void>
}

/** Listens. In `serve`, refuses to start insecurely and says what to set. */
export const startHub = async (
  config: Config,
  sandboxOrigin?: string,
  overrides: Overrides = {},
  beforeListening: (rooms: Rooms) => Promise<void> = async () => {},
): Promise<Running> => {
  const onLoopback = isLoopbackHost(config.host)
  if (config.mode === 'dev' && !onLoopback)
    throw new SetupError(`mortise dev listens on loopback only, and MORTISE_HOST is ${config.host}. Use: mortise serve`)
  const rooms = await openRooms(config, sandboxOrigin, overrides)
  const { hub, keyring, firstEnvironment, storage, log } = rooms
  try {
    const access: Access = {
      keyring,
      firstEnvironment,
      ...(config.basicAuth ? { basicAuth: config.basicAuth } : {}),
      publicUrl: config.publicUrl,
      onLoopback,
    }
    await checkReach(config, rooms, access)
    if (config.mode === 'serve') await checkNoSandbox(rooms)
    const app = await createApp(hub, access, readScripts())
    await beforeListening(rooms)
    const listening = await listen(app, config)
    const loop = startLoop(
      () => hub.sweep(),
      60_000,
      error => log.error('a sweep failed', { err: error }),
    )
    const deliveries = startLoop(
      () => hub.deliver(),
      5_000,
      error => log.error('claiming deliveries failed', { err: error }),
    )
    const every = overrides.lookForDue ?? 5_000
    const refreshes = startLoop(
      async () => {
        if (every > 0) await hub.refreshDue()
      },
      every || 60_000,
      error => log.error('claiming refreshes failed', { err: error }),
    )
    hub.onRefreshDue(refreshes.poke)
    hub.onDelivery(deliveries.poke)
    deliveries.poke()
    log.info('listening', { host: config.host, port: config.port })
    return {
      rooms,
      access,
      keyless: await isKeyless(access),
      async stop() {
        const closed = listening.close()
        // Answers those who wait for an outcome.
        await app.close()
        await closed
        await loop.stop()
        await deliveries.stop()
        await refreshes.stop()
        await hub.settle()
        await storage.close()
      },
    }
  } catch (error) {
    await storage.close()
    throw error
  }
}

/** The browser SDK as a module, and as the classic script that is made of it. */
const readScripts = (): Scripts => {
  const module = readFileSync(new URL(import.meta.resolve('@mortise/web')), 'utf8')
  return { 'mortise.js': module, 'alloy.js': classicScript(module) }
}

interface Listening {
  /** Accepts nothing new, and waits for the requests in flight. */
  close(): Promise<void>
}

/** `localhost` is both loopback families, whatever the machine's own hosts file says of the name. */
const listen = async (app: Awaited<ReturnType<typeof createApp>>, config: Config): Promise<Listening> => {
  await app.ready()
  const hosts = config.host === 'localhost' ? ['127.0.0.1', '::1'] : [config.host]
  const servers: Server[] = []
  const close = async () => {
    await Promise.all(servers.map(closeServer))
  }
  for (const host of hosts) {
    const server = createServer((request, response) => app.routing(request, response))
    server.on('upgrade', app.upgrade)
    try {
      server.listen(config.port, host)
      await once(server, 'listening')
      servers.push(server)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // A machine without IPv6 has no ::1.
      if (host === '::1' && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) continue
      await close()
      if (code === 'EADDRINUSE')
        throw new SetupError(
          `Port ${config.port} is in use, perhaps by another hub. Stop it, or set MORTISE_PORT to a free port.`,
        )
      if (code === 'EACCES')
        throw new SetupError(`Port ${config.port} may only be used by root. Set MORTISE_PORT to one above 1023.`)
      if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
        throw new SetupError(`MORTISE_HOST ${config.host} is not an address of this machine.`)
      throw error
    }
  }
  return { close }
}

const closeServer = async (server: Server): Promise<void> => {
  const closed = once(server, 'close')
  server.close()
  // A connection that is kept alive becomes idle only after its last answer.
  const timer = setInterval(() => server.closeIdleConnections(), 20)
  await closed
  clearInterval(timer)
}

/** Without any key, nothing but this machine may be able to reach the hub. */
const checkReach = async (config: Config, { keyring }: Rooms, access: Access): Promise<void> => {
  if (config.basicAuth !== undefined || !(await keyring.now()).unused || (await isKeyless(access))) return
  const reach = access.onLoopback
    ? `MORTISE_PUBLIC_URL ${config.publicUrl.origin} is not loopback`
    : `MORTISE_HOST ${config.host} is reachable from other machines`
  throw new SetupError(
    `${reach}, and no key is configured: anyone could read every token. Make one first: npx mortise key create${config.mode === 'dev' ? ' (or leave MORTISE_PUBLIC_URL unset)' : ''}`,
  )
}

const checkNoSandbox = async ({ storage }: Rooms): Promise<void> => {
  for (const environment of await storage.environments())
    for (const integration of await storage.integrations(environment.id))
      if (integration.sandbox)
        throw new SetupError(
          `The integration ${integration.key} of the environment ${environment.name} is a sandbox one, made by mortise dev. Use another MORTISE_DATA_DIR for production, or remove it: npx mortise integrations remove ${integration.key} --env ${environment.name}`,
        )
}
