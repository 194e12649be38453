/** The hub with the sandbox beside it: providers that run offline. Absent from the production image. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Sandbox, startSandbox } from '@mortise/sandbox'
import type { Config } from './config.ts'
import { Secret } from './core/credential.ts'
import { MortiseError, SetupError } from './core/errors.ts'
import { addIntegration } from './core/setup.ts'
import { type Running, startHub } from './main.ts'
import type { Overrides, Rooms } from './rooms.ts'
import { makeFolder } from './storage/open.ts'

/** The integrations that are ready at the first start. */
const sandboxProviders = ['notion', 'hubspot', 'salesforce', 'slack', 'google-drive', 'github']

export interface Dev extends Running {
  readonly sandbox: Sandbox
}

export const startDev = async (config: Config, overrides: Overrides = {}): Promise<Dev> => {
  makeFolder(config.dataDir)
  const sandbox = await listen(config, overrides)
  try {
    const running = await startHub(config, sandbox.origin, overrides, rooms => registerClients(rooms, sandbox))
    return {
      ...running,
      sandbox,
      async stop() {
        await running.stop()
        await sandbox.close()
      },
    }
  } catch (error) {
    await sandbox.close()
    throw error
  }
}

const listen = async (config: Config, { clock }: Overrides): Promise<Sandbox> => {
  try {
    return await startSandbox({
      port: config.port + 1,
      stateFile: join(config.dataDir, 'sandbox.json'),
      ...(clock ? { now: () => clock.now().getTime() } : {}),
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE')
      throw new SetupError(
        `Port ${config.port + 1}, which the sandbox needs, is in use: does another hub run at port ${config.port}? Stop it, or set MORTISE_PORT to a port that is free with the next one.`,
      )
    // Its state file does not read: the message names it.
    throw error instanceof Error ? new SetupError(error.message, { cause: error }) : error
  }
}

/** Makes the integrations that are missing, and tells the sandbox of every client that it plays for. */
const registerClients = async ({ hub, storage, firstEnvironment }: Rooms, sandbox: Sandbox): Promise<void> => {
  for (const provider of sandboxProviders) {
    if (await storage.integration(firstEnvironment.id, provider)) continue
    await addIntegration(hub.context, firstEnvironment, {
      key: provider,
      provider,
      clientId: `sandbox-${provider}`,
      clientSecret: new Secret(randomBytes(24).toString('base64url')),
      sandbox: true,
    }).catch(ignoreConflict)
  }
  for (const environment of await storage.environments())
    for (const integration of await storage.integrations(environment.id)) {
      if (!integration.sandbox) continue
      const definition = hub.context.providerOf(integration)
      sandbox.register({
        provider: integration.provider,
        clientId: integration.clientId,
        clientSecret: (await hub.context.clientSecretOf(integration)).reveal(),
        redirectUris: [hub.context.redirectUri],
        endpoints: {
          authorizeUrl: inSandbox(definition.authorize.url),
          tokenUrl: inSandbox(definition.token.url),
          ...(definition.auth === 'oauth1' ? { temporaryUrl: inSandbox(definition.temporary.url) } : {}),
        },
      })
    }
}

/** The sandbox's way to write a template. */
const inSandbox = (template: string): string => template.replace(/\$\{\w+\.(\w+)\}/g, '{$1}')

/** Another hub on the same data was first. */
const ignoreConflict = (error: unknown): void => {
  if (!(error instanceof MortiseError && error.code === 'conflict')) throw error
}
