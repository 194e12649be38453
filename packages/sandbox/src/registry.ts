import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Account, Answer, ApiCall, Expectation } from './expectation.ts'
import { strict, strict1 } from './generic.ts'
import { below, compile, type Match, match, type Template } from './match.ts'
import type { Store } from './store.ts'
import type { Call, Client, Recorded, SandboxOptions, Switches } from './types.ts'

export interface Route {
  readonly play: Play
  readonly kind: 'temporary' | 'authorize' | 'token' | 'revoke' | 'introspect' | 'api'
  readonly methods: readonly string[]
  readonly template: Template
  /** Token routes: which of the expectation's calls this is. */
  readonly token?: 'code' | 'refresh'
  readonly api?: ApiCall
}

/** One provider being played. */
export interface Play {
  readonly provider: string
  readonly name: string
  /** Without an expectation of its own. */
  readonly generic: boolean
  readonly expectation: Expectation
  readonly clients: Map<string, Client>
  readonly routes: readonly Route[]
  /** For what none of the routes is. */
  readonly unplayed?: Route
}

export interface Found extends Match {
  readonly route: Route
}

const MAX_CALLS = 1000

const keep = <T>(list: T[], item: T): void => {
  list.push(item)
  if (list.length > MAX_CALLS) list.splice(0, list.length - MAX_CALLS)
}

const nameOf = ({ provider, name }: Expectation): string =>
  name ??
  provider.replace(/(^|[-_])([a-z])/g, (_, gap: string, letter: string) => `${gap && ' '}${letter.toUpperCase()}`)

/** Whatever it is, to a live token it goes well. */
const neutral = (play: () => Play, url: string): Route => ({
  get play() {
    return play()
  },
  kind: 'api',
  methods: [],
  template: compile(url),
  api: { method: '*', url, answer: () => ({ status: 200, body: {} }) },
})

const play = (expectation: Expectation, generic: boolean, clients = new Map<string, Client>()): Play => {
  const routes: Route[] = []
  const base = { provider: expectation.provider, name: nameOf(expectation), generic, expectation, clients, routes }
  const { unplayed } = expectation
  const made: Play = unplayed === undefined ? base : { ...base, unplayed: neutral(() => made, unplayed) }
  const add = (
    kind: Route['kind'],
    methods: readonly string[],
    url: string,
    more?: Pick<Route, 'token' | 'api'>,
  ): void => {
    routes.push({ play: made, kind, methods, template: compile(url), ...more })
  }
  const { oauth1 } = expectation
  if (oauth1) add('temporary', oauth1.methods, oauth1.temporary)
  add('authorize', ['GET', 'POST'], expectation.authorize.url)
  add('token', oauth1?.methods ?? ['POST'], expectation.code.url, { token: 'code' })
  if (expectation.refresh) add('token', ['POST'], expectation.refresh.url, { token: 'refresh' })
  if (expectation.revoke) add('revoke', [expectation.revoke.method.toUpperCase()], expectation.revoke.url)
  if (expectation.introspect) add('introspect', ['POST'], expectation.introspect.url)
  for (const api of expectation.api) add('api', [api.method.toUpperCase()], api.url, { api })
  return made
}

const sha256 = (value: string): Buffer => createHash('sha256').update(value).digest()

/** In constant time: neither the length nor the first difference shows. */
export const same = (a: string, b: string): boolean => timingSafeEqual(sha256(a), sha256(b))

const checkClient = (client: Client): void => {
  if (client.clientId === '') throw new Error(`A client of ${client.provider} needs a client id.`)
  if (client.clientSecret === '') throw new Error(`The client ${client.clientId} of ${client.provider} needs a secret.`)
  for (const uri of client.redirectUris) {
    // RFC 6749 §3.1.2: an absolute URI without a fragment; a URI has no other characters than these.
    if (!URL.canParse(uri) || uri.includes('#') || /[^\x21-\x7e]/.test(uri)) {
      throw new Error(`Not an absolute redirect URI without a fragment: ${JSON.stringify(uri)}`)
    }
  }
}

export class Registry {
  readonly store: Store
  readonly now: () => number
  readonly calls: Call[] = []
  readonly requests: Recorded[] = []
  readonly #watch: SandboxOptions['watch']
  readonly #plays = new Map<string, Play>()
  readonly #switches = new Map<string, Switches>()

  constructor(expectations: readonly Expectation[], store: Store, now: () => number, watch?: SandboxOptions['watch']) {
    this.#watch = watch
    this.store = store
    this.now = now
    for (const expectation of expectations) {
      if (this.#plays.has(expectation.provider)) throw new Error(`Two expectations for ${expectation.provider}.`)
      this.#plays.set(expectation.provider, play(expectation, false))
    }
  }

  get plays(): readonly Play[] {
    return [...this.#plays.values()]
  }

  play(provider: string): Play | undefined {
    return this.#plays.get(provider)
  }

  register(client: Client): void {
    checkClient(client)
    const known = this.#plays.get(client.provider)
    if (known && !known.generic) {
      known.clients.set(client.clientId, client)
      return
    }
    if (!client.endpoints) {
      throw new Error(`There is no expectation for ${client.provider}: register it with its endpoints.`)
    }
    const { authorizeUrl, tokenUrl, temporaryUrl } = client.endpoints
    const others = [...(known?.clients.values() ?? [])].filter(other => other.clientId !== client.clientId)
    const moved = others.find(o => o.endpoints?.authorizeUrl !== authorizeUrl || o.endpoints?.tokenUrl !== tokenUrl)
    if (moved) throw new Error(`${client.provider} is registered with other endpoints by the client ${moved.clientId}.`)
    const clients = new Map(known?.clients).set(client.clientId, client)
    const expectation =
      temporaryUrl === undefined
        ? strict(client.provider, authorizeUrl, tokenUrl)
        : strict1(client.provider, temporaryUrl, authorizeUrl, tokenUrl)
    this.#plays.set(client.provider, play(expectation, true, clients))
  }

  /** Every route whose URL this is, whatever the method, the most literal first. */
  find(host: string, path: string): Found[] {
    const found: Found[] = []
    for (const { routes } of this.#plays.values()) {
      for (const route of routes) {
        const matched = match(route.template, host, path)
        if (matched) found.push({ route, ...matched })
      }
    }
    const holes = (f: Found): number => f.route.template.pathNames.length + f.route.template.hostNames.length
    return found.sort((a, b) => holes(a) - holes(b))
  }

  /** Those that record, and whose API this URL is in. */
  unplayed(host: string, path: string): Found[] {
    return this.plays.flatMap(({ provider, unplayed: route }) => {
      const matched = route && this.switches(provider).record ? below(route.template, host, path) : undefined
      return route && matched ? [{ route, ...matched }] : []
    })
  }

  /** The providers that have some URL on this host. */
  at(host: string): Play[] {
    return this.plays.filter(p => p.routes.some(route => route.template.host.test(host)))
  }

  switches(provider: string): Switches {
    return this.#switches.get(provider) ?? {}
  }

  set(provider: string, switches: Switches): void {
    const known = this.#plays.get(provider)
    if (!known) throw new Error(`The sandbox does not play ${provider}.`)
    const { autoApprove } = switches
    if (typeof autoApprove === 'string' && !known.expectation.accounts.some(a => a.id === autoApprove)) {
      throw new Error(`${provider} has no account ${autoApprove}.`)
    }
    this.#switches.set(provider, { ...this.#switches.get(provider), ...switches })
  }

  reset(provider?: string): void {
    if (provider === undefined) this.#switches.clear()
    else this.#switches.delete(provider)
  }

  /** Takes one use of a switch that counts. */
  take<K extends 'fail' | 'loseReply'>(provider: string, key: K): Switches[K] | undefined {
    const switches = this.switches(provider)
    const value = switches[key]
    if (!value || (value.times !== undefined && value.times <= 0)) return undefined
    if (value.times !== undefined) {
      this.#switches.set(provider, { ...switches, [key]: { ...value, times: value.times - 1 } })
    }
    return value
  }

  log(call: Call, refreshToken: string | undefined): void {
    this.#watch?.(call, refreshToken)
    keep(this.calls, call)
  }

  record(request: Recorded): void {
    keep(this.requests, request)
  }

  /** The people to choose from; at least one is needed to approve anything. */
  account(owner: Play, id: string | undefined): Account | undefined {
    return owner.expectation.accounts.find(account => account.id === id)
  }
}

export const secret = (prefix = ''): string => prefix + randomBytes(32).toString('base64url')

/** RFC 6749 §5.2, for what an expectation's `errors` does not name. */
const STANDARD = {
  invalid_client: { status: 401, error: 'invalid_client' },
  invalid_request: { status: 400, error: 'invalid_request' },
  invalid_code: { status: 400, error: 'invalid_grant' },
  redirect_mismatch: { status: 400, error: 'invalid_grant' },
  bad_verifier: { status: 400, error: 'invalid_grant' },
  invalid_refresh_token: { status: 400, error: 'invalid_grant' },
  unsupported_grant_type: { status: 400, error: 'unsupported_grant_type' },
} as const

export interface Refused {
  readonly refusal: keyof typeof STANDARD
  readonly why: string
  /** The client tried HTTP Basic. */
  readonly basic?: boolean
}

export const refusal = (expectation: Expectation, refused: Refused): Answer => {
  const standard = STANDARD[refused.refusal]
  const answer: Answer = expectation.errors?.[refused.refusal] ?? {
    status: standard.status,
    body: { error: standard.error, error_description: refused.why },
  }
  const challenged = Object.keys(answer.headers ?? {}).some(name => name.toLowerCase() === 'www-authenticate')
  if (answer.status !== 401 || !refused.basic || challenged) return answer
  return { ...answer, headers: { ...answer.headers, 'www-authenticate': 'Basic realm="sandbox"' } }
}
