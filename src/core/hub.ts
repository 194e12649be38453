/** The hub: its world handed in once, its verbs handed out. */
import { type Callback, type Finished, finish, type Start, type Started, start } from './connect.ts'
import type { Connection } from './connection.ts'
import { type Context, createContext, type World } from './context.ts'
import type { Environment } from './environment.ts'
import { MortiseError } from './errors.ts'
import { equal, hmacSha256 } from './ids.ts'
import { type Read, read } from './read.ts'
import { createRefresher } from './refresh.ts'
import { checkReturn } from './return-url.ts'
import { hmacKeyOf } from './setup.ts'
import { sweep } from './sweep.ts'

export interface Hub {
  readonly context: Context
  /** The environment that a public key stands for. Throws `unauthenticated`. */
  environmentByPublicKey(publicKey: string): Promise<Environment>
  /**
   * How far the starter of a flow is trusted: `proven` with a right HMAC. Throws `unauthenticated` if the environment
   * demands one and it is missing or wrong (hex HMAC-SHA256 of `integration:connection_id`).
   */
  trust(
    environment: Environment,
    integrationKey: string,
    connectionId: string,
    hmac: string | undefined,
  ): Promise<'public' | 'proven'>
  /** The HMAC that a connect link needs, where the environment demands one. */
  hmac(environment: Environment, integrationKey: string, connectionId: string): Promise<string | undefined>
  /** The URL as it will be sent. Throws `invalid_request` for one that is not allowed. */
  checkReturn(environment: Environment, returnTo: string): Promise<string>
  start(ask: Start): Promise<Started>
  finish(callback: Callback): Promise<Finished>
  read(environmentId: number, integrationKey: string, connectionId: string): Promise<Read>
  list(environmentId: number, filter: { connectionId?: string }): Promise<Connection[]>
  sweep(): Promise<void>
  /** Waits for refreshes under way. */
  settle(): Promise<void>
}

export const createHub = (world: World): Hub => {
  const context = createContext(world)
  const refresher = createRefresher(context)
  const hmac = async (environment: Environment, integrationKey: string, connectionId: string) => {
    const key = await hmacKeyOf(context, environment)
    return key && hmacSha256(key.reveal(), `${integrationKey}:${connectionId}`)
  }
  return {
    context,
    async environmentByPublicKey(publicKey) {
      const found = (await world.storage.environments()).find(each => equal(each.publicKey, publicKey))
      if (found) return found
      throw new MortiseError(
        'unauthenticated',
        'The public key is not known here. `npx mortise env show` prints the right one.',
        {
          reason: 'public_key_unknown',
        },
      )
    },
    hmac,
    async trust(environment, integrationKey, connectionId, given) {
      const right = await hmac(environment, integrationKey, connectionId)
      if (right === undefined) {
        if (given === undefined) return 'public'
        throw new MortiseError(
          'unauthenticated',
          'The link carries an HMAC, but the environment has no HMAC key. Its operator can make one: npx mortise env hmac on',
          {
            reason: 'hmac_invalid',
          },
        )
      }
      if (given === undefined)
        throw new MortiseError(
          'unauthenticated',
          'The environment demands an HMAC in connect links: the app must add hmac=hex(HMAC-SHA256(key, "integration:connection_id")).',
          {
            reason: 'hmac_missing',
          },
        )
      if (equal(right, given.toLowerCase())) return 'proven'
      throw new MortiseError(
        'unauthenticated',
        'The HMAC of the link is wrong: it must be the hex HMAC-SHA256 of "integration:connection_id" under the environment\'s HMAC key.',
        {
          reason: 'hmac_invalid',
        },
      )
    },
    checkReturn: (environment, returnTo) => checkReturn(context, environment, returnTo),
    start: ask => start(context, ask),
    finish: callback => finish(context, callback),
    read: (environmentId, integrationKey, connectionId) =>
      read(context, refresher, environmentId, integrationKey, connectionId),
    list: (environmentId, filter) => world.storage.connections(environmentId, filter),
    sweep: () => sweep(context),
    settle: () => refresher.settle(),
  }
}
