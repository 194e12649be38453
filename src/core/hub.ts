/** The hub: its world handed in once, its verbs handed out. */

import type { Action } from './action.ts'
import type { ActionInput } from './action-request.ts'
import type { Start } from './asked.ts'
import { createBackground } from './background.ts'
import { type Callback, type Finished, finish, type Started, start } from './connect.ts'
import type { Connection } from './connection.ts'
import { type Context, createContext, type World } from './context.ts'
import type { Environment } from './environment.ts'
import { MortiseError } from './errors.ts'
import { equal, hmacSha256 } from './ids.ts'
import { createMend } from './mend.ts'
import { createNotifier } from './notify.ts'
import { pass } from './pass.ts'
import type { PassAnswer, PassRequest } from './pass-request.ts'
import { paramOf } from './place.ts'
import { type Read, type Reading, type ReadOptions, read, readTexts, type TextOptions } from './read.ts'
import { createRefresher } from './refresh.ts'
import { checkReturn } from './return-url.ts'
import { type ActionAnswer, runAction } from './run-action.ts'
import { createSenders, type Sought } from './sender.ts'
import { hmacKeyOf } from './setup.ts'
import { sweep } from './sweep.ts'
import { tryOut } from './try-out.ts'
import { type Walked, type WalkOptions, walk } from './walk.ts'

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
  checkReturn(environment: Environment, returnTo: string, byKey?: boolean): Promise<string>
  start(ask: Start): Promise<Started>
  finish(callback: Callback): Promise<Finished>
  read(environmentId: number, integrationKey: string, connectionId: string, options?: ReadOptions): Promise<Read>
  /** The same for who answers in JSON, as texts to splice. */
  readTexts(
    environmentId: number,
    integrationKey: string,
    connectionId: string,
    options?: TextOptions,
  ): Promise<Reading>
  /** Runs an action of the provider with a connection's credential; its answer, an error too, comes back as it is. */
  execute(row: Connection, action: Action, input: ActionInput): Promise<ActionAnswer>
  /** Walks the list that an action gives, page by page, as it is taken. */
  walk(
    row: Connection,
    action: Action,
    input: ActionInput,
    options: Omit<WalkOptions, 'hidden'>,
  ): AsyncGenerator<Walked, void>
  /** Any call of the provider's API with a connection's credential: its answer comes back as it is, without being kept. */
  proxy(connection: Sought, request: PassRequest): Promise<PassAnswer>
  /** Uses a connection once, and answers its row as it is then. Throws what is wrong with it. */
  test(row: Connection): Promise<Connection>
  sweep(): Promise<void>
  /** Claims the deliveries that are due and sends them; answers when they are on their way. */
  deliver(): Promise<void>
  /** Claims the connections whose refresh is due and begins to renew them; answers when that is under way. */
  refreshDue(): Promise<void>
  /** `listener` is called when more is due than could be claimed. */
  onRefreshDue(listener: () => void): void
  /** `listener` is called after each commit that made a delivery due. */
  onDelivery(listener: () => void): void
  /** Waits for refreshes and deliveries under way. */
  settle(): Promise<void>
  /** Cuts off the proxied calls under way; none begins any more. */
  cutOff(): Promise<void>
}

export const createHub = (world: World): Hub => {
  let wake = () => {}
  const context = createContext(world, () => wake())
  const refresher = createRefresher(context)
  const notifier = createNotifier(context)
  const senders = createSenders(context, refresher)
  const mend = createMend(context, refresher)
  let wakeBackground = () => {}
  const background = createBackground(context, refresher, () => wakeBackground())
  const hmac = async (environment: Environment, integrationKey: string, connectionId: string) => {
    const key = await hmacKeyOf(context, environment)
    return key && hmacSha256(key.reveal(), `${integrationKey}:${connectionId}`)
  }
  const run: Hub['execute'] = (row, action, input) => runAction(context, senders, mend, row, action, input)
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
    checkReturn: (environment, returnTo, byKey) => checkReturn(context, environment, returnTo, byKey),
    start: ask => start(context, ask),
    finish: callback => finish(context, callback),
    read: (environmentId, integrationKey, connectionId, options) =>
      read(context, refresher, environmentId, integrationKey, connectionId, options),
    readTexts: (environmentId, integrationKey, connectionId, options) =>
      readTexts(context, refresher, environmentId, integrationKey, connectionId, options),
    execute: run,
    walk(row, action, input, options) {
      let first = true
      // A walk takes its time: whoever is disconnected meanwhile is not read on.
      const page = async (input: ActionInput) => {
        const now = first ? row : await world.storage.connectionById(row.environmentId, row.id)
        first = false
        if (now) return run(now, action, input)
        throw new MortiseError('not_found', 'The connection was deleted while its list was read.', {
          reason: 'connection_deleted',
        })
      }
      const provider = context.providerOf({ provider: row.provider, key: row.integrationKey })
      return walk(provider, action, input, { ...options, hidden: paramOf(provider, row) }, page)
    },
    proxy: (connection, request) => pass(context, senders, mend, connection, request),
    test: async row => (await tryOut(context, refresher, row)).connection,
    sweep: () => sweep(context),
    deliver: () => notifier.deliver(),
    refreshDue: () => background.refresh(),
    onRefreshDue(listener) {
      wakeBackground = listener
    },
    onDelivery(listener) {
      wake = listener
    },
    async settle() {
      await background.settle()
      await refresher.settle()
      await notifier.settle()
    },
    cutOff: () => world.stream.close(),
  }
}
