/** The server SDK of a Mortise hub. */
import { createHub, type Place } from './call.ts'
import { type Connections, connectionsOf, type OneConnection, oneConnection } from './connections.ts'
import { MortiseError } from './errors.ts'
import { type CallOptions, checkLimits, createSend, type Limits, usualLimits } from './send.ts'
import { type ConnectSessions, sessionsOf } from './sessions.ts'
import {
  type Environments,
  environmentOf,
  environmentsOf,
  type Integrations,
  integrationsOf,
  type Keys,
  keysOf,
  type Providers,
  providersOf,
  type TheEnvironment,
} from './setup.ts'
import { version } from './version.ts'

export interface MortiseOptions extends Omit<CallOptions, 'signal'> {
  /** Where the hub is; `MORTISE_URL` unless told. */
  readonly url?: string | URL | undefined
  /** A secret key; `MORTISE_API_KEY` unless told. A hub on this machine that has no key yet needs none. */
  readonly key?: string | undefined
  /** In place of the global one, which keeps its connections open. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

const misconfigured = (parameter: string, message: string): MortiseError =>
  new MortiseError('not_configured', message, { whoMustAct: 'caller', retryable: false, parameter })

/** Without its slash. A hub may stand below a path. */
const urlOf = (given: string | URL | undefined): string => {
  const text = String(given ?? '').trim()
  if (text === '')
    throw misconfigured('url', "The hub's URL is missing: give url, or set MORTISE_URL, like http://localhost:3003.")
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol))
    throw misconfigured('url', "The hub's URL is no http or https address, like https://connect.example.com.")
  if (url.username || url.password || url.search || url.hash)
    throw misconfigured(
      'url',
      "The hub's URL has a user, a query or a # in it. Give its address alone, and the key as key.",
    )
  return url.href.replace(/\/+$/, '')
}

/** Never repeated: not even what is wrong with it tells what it is. */
const keyOf = (given: unknown): string | undefined => {
  if (given === undefined || given === '') return undefined
  if (typeof given === 'string' && /^[\x21-\x7e]+$/.test(given)) return given
  throw misconfigured(
    'key',
    'The key has a blank, a line break or a strange character in it. Give it as `npx mortise key create` prints it.',
  )
}

const namesOf: ReadonlySet<string> = new Set(['url', 'key', 'fetch', ...Object.keys(usualLimits)])

/** A hub, with one of its keys. One is enough for a whole program; it holds nothing that must be closed. */
export class Mortise {
  /** Where the hub is. The key is held where nothing prints it. */
  readonly url: string
  readonly connections: Connections
  readonly connectSessions: ConnectSessions
  readonly integrations: Integrations
  readonly providers: Providers
  readonly environment: TheEnvironment
  readonly environments: Environments
  readonly keys: Keys
  /** One connection, by its id or as it was listed. Nothing is asked until something is called. */
  readonly connection: (connection: string | { readonly id: string }) => OneConnection

  constructor(options: MortiseOptions = {}) {
    const strange = Object.keys(options).find(name => !namesOf.has(name))
    if (strange !== undefined)
      throw misconfigured(strange, `There is no option ${strange}; there are ${[...namesOf].join(', ')}.`)
    checkLimits(options)
    const usual: Limits = { ...usualLimits, ...limitsIn(options) }
    const place: Place = {
      url: urlOf(options.url ?? process.env['MORTISE_URL']),
      key: keyOf(options.key ?? process.env['MORTISE_API_KEY']),
      userAgent: `mortise-node/${version}`,
    }
    // Looked up when it is called: a program may put its own in its place later.
    const fetch = options.fetch ?? ((...asked: Parameters<typeof globalThis.fetch>) => globalThis.fetch(...asked))
    const hub = createHub(place, createSend(usual, fetch))
    this.url = place.url
    this.connections = connectionsOf(hub)
    this.connectSessions = sessionsOf(hub)
    this.integrations = integrationsOf(hub)
    this.providers = providersOf(hub)
    this.environment = environmentOf(hub)
    this.environments = environmentsOf(hub)
    this.keys = keysOf(hub)
    this.connection = given => oneConnection(hub, this.connections, typeof given === 'string' ? given : given.id)
  }
}

/** Those that are told; one that is there and undefined is left out. */
const limitsIn = (options: MortiseOptions): Partial<Limits> =>
  Object.fromEntries(
    Object.entries(options).filter(([name, value]) => Object.hasOwn(usualLimits, name) && value !== undefined),
  )

export type * from './actions.ts'
export type * from './api.ts'
export type { Connections, CredentialOptions, OneConnection, TokenOptions } from './connections.ts'
export {
  type Actor,
  type ErrorCode,
  type HubErrorCode,
  isMortiseError,
  type LocalErrorCode,
  MortiseError,
} from './errors.ts'
export type { List, Page } from './list.ts'
export type { ProviderFetch, ProxyInit } from './proxy.ts'
export type { CallOptions } from './send.ts'
export type { ConnectSessions, WaitOptions } from './sessions.ts'
export type { Environments, Integrations, Keys, Providers, TheEnvironment } from './setup.ts'
export {
  type ConnectionCreated,
  type Delivery,
  type Incoming,
  verifyWebhook,
  type WebhookEvent,
  type WebhookTest,
} from './webhooks.ts'
