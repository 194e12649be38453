/** config → rooms → core → listen; graceful stop. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { Config } from './config.ts'
import { SetupError } from './core/errors.ts'
import { isLoopbackHost } from './core/loopback.ts'
import { createApp } from './http/app.ts'
import { type Access, isKeyless } from './http/auth.ts'
import { classicScript } from './http/classic-script.ts'
import type { Scripts } from './http/sdk.ts'
import { startLoop } from './loop/loop.ts'
import { renewApart, renewHere } from './renew.ts'
import { type Overrides, openRooms, type Rooms, type Stopping } from './rooms.ts'
import { isShared } from './storage/open.ts'

export interface Running {
  readonly rooms: Rooms
  readonly access: Access
  readonly keyless: boolean
  /** Finishes what is in flight, as far as that ends in time, then closes the rooms. */
  stop(): Promise<void>
}

/** A container has ten seconds by default, or thirty. A provider has twenty for an answer that is no proxied one. */
const stopping: Stopping = { grace: 5_000, longest: 25_000 }

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
      alsoKnownAs: config.alsoKnownAs,
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
    const apart = overrides.renews === 'apart' && isShared(config.database.reveal())
    const refreshes = apart ? renewApart(rooms) : renewHere(rooms, overrides.lookForDue)
    hub.onDelivery(deliveries.poke)
    deliveries.poke()
    log.info('listening', { host: config.host, port: config.port })
    return {
      rooms,
      access,
      keyless: await isKeyless(access),
      async stop() {
        const closed = listening.close()
        const { grace, longest } = overrides.stopping ?? stopping
        const timers = [setTimeout(() => void hub.cutOff(), grace), setTimeout(() => listening.cutOff(), longest)]
        // Answers those who wait for an outcome.
        await app.close()
        await closed
        for (const timer of timers) clearTimeout(timer)
        await hub.cutOff()
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
  /** Waits no longer. */
  cutOff(): void
}

/** Bytes. One browser client writes the source of its page's callback into an address. */
const maxHeaderSize = 64 * 1024

/** `localhost` is both loopback families, whatever the machine's own hosts file says of the name. */
const listen = async (app: Awaited<ReturnType<typeof createApp>>, config: Config): Promise<Listening> => {
  await app.ready()
  const hosts = config.host === 'localhost' ? ['127.0.0.1', '::1'] : [config.host]
  const servers: Server[] = []
  const close = async () => {
    await Promise.all(servers.map(closeServer))
  }
  for (const host of hosts) {
    const server = createServer({ maxHeaderSize }, (request, response) => app.routing(request, response))
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
  return {
    close,
    cutOff() {
      for (const server of servers) server.closeAllConnections()
    },
  }
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
  const [setting, reach] = !access.onLoopback
    ? ['MORTISE_HOST', `MORTISE_HOST ${config.host} is reachable from other machines`]
    : access.alsoKnownAs.length > 0
      ? ['MORTISE_ALSO_KNOWN_AS', `MORTISE_ALSO_KNOWN_AS names ${access.alsoKnownAs.join(', ')}`]
      : ['MORTISE_PUBLIC_URL', `MORTISE_PUBLIC_URL ${config.publicUrl.origin} is not loopback`]
  throw new SetupError(
    `${reach}, and no key is configured: anyone could read every token. Make one first: npx mortise key create${config.mode === 'dev' ? ` (or leave ${setting} unset)` : ''}`,
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
