/** What the verbs of core share: the ports, and the few look-ups that need two of them. */

import type { Action } from './action.ts'
import { Secret } from './credential.ts'
import type { Environment } from './environment.ts'
import { MortiseError } from './errors.ts'
import type { Tellings } from './event.ts'
import type { Integration } from './integration.ts'
import type { Call, Clock, Log, Seal, Sealer, Sign, Sign1, SignAws, Stream } from './ports.ts'
import type { Provider } from './provider.ts'
import { type RefreshTiming, refreshTiming } from './refresh-timing.ts'
import type { Soon } from './soon.ts'
import type { Storage } from './storage.ts'

/** Provider definitions, loaded and validated. */
export interface Catalogue {
  get(id: string): Provider | undefined
  /** By id. */
  list(): readonly Provider[]
  /**
   * A provider's actions in the order of its file, read at first use; none where there is no file. Throws
   * `integration_misconfigured` for a file with a mistake.
   */
  actions(provider: string): readonly Action[]
  /** By its id or an alias. */
  action(provider: string, idOrAlias: string): Action | undefined
}

export interface World {
  readonly storage: Storage
  readonly catalogue: Catalogue
  readonly call: Call
  readonly stream: Stream
  readonly seal: Seal
  readonly sign: Sign
  readonly tellings: Tellings
  readonly sign1: Sign1
  readonly signAws: SignAws
  readonly clock: Clock
  readonly log: Log
  /** The hub's own address, without a trailing slash: `https://connect.example.com`. */
  readonly publicUrl: string
  /** In `dev`, any loopback URL may be returned to; in `serve`, only what an environment lists. */
  readonly dev: boolean
  /** Whether integrations may be marked for the sandbox: never in `serve`. */
  readonly maySandbox: boolean
  /** Of refreshes, where not the usual. */
  readonly timing?: RefreshTiming
}

export interface Context extends Required<World> {
  /** What every provider is told, and must have registered. */
  readonly redirectUri: string
  /** At once, but for the first who asks. */
  sealerOf(environmentId: number): Soon<Sealer>
  providerOf(integration: Pick<Integration, 'provider' | 'key'>): Provider
  clientSecretOf(integration: Integration): Promise<Secret>
  environmentOf(id: number): Promise<Environment>
  /** Called after a commit that made a delivery due. A running hub then sends it at once; a command leaves it to the hub. */
  wake(): void
}

export const createContext = (world: World, wake: () => void): Context => {
  // An environment's data key never changes, so its sealer is made once.
  const sealers = new Map<number, Sealer>()
  const context: Context = {
    timing: refreshTiming,
    ...world,
    wake,
    redirectUri: `${world.publicUrl}/oauth/callback`,
    async environmentOf(id) {
      const environment = (await world.storage.environments()).find(each => each.id === id)
      if (!environment) throw new MortiseError('not_found', 'There is no such environment.')
      return environment
    },
    sealerOf(environmentId) {
      return (
        sealers.get(environmentId) ??
        context.environmentOf(environmentId).then(environment => {
          const sealer = world.seal.environment(environmentId, environment.wrappedKey)
          sealers.set(environmentId, sealer)
          return sealer
        })
      )
    },
    providerOf(integration) {
      const provider = world.catalogue.get(integration.provider)
      if (provider) return provider
      throw new MortiseError(
        'integration_misconfigured',
        `The integration ${integration.key} uses the provider ${integration.provider}, which has no definition here. The operator must add it to MORTISE_PROVIDERS_DIR or remove the integration.`,
      )
    },
    async clientSecretOf(integration) {
      const sealer = await context.sealerOf(integration.environmentId)
      return new Secret(sealer.open(['integrations', integration.id, 'client_secret'], integration.clientSecret))
    },
  }
  return context
}
