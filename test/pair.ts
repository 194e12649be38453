/** Hubs that share one database and one provider, whose refresh tokens rotate and whose reuse ends everything. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { stringify } from 'yaml'
import { readConfig } from '../src/config.ts'
import type { Connection } from '../src/core/connection.ts'
import { Secret } from '../src/core/credential.ts'
import { type RefreshTiming, refreshTiming } from '../src/core/refresh-timing.ts'
import { addIntegration, setHmac } from '../src/core/setup.ts'
import type { Storage } from '../src/core/storage.ts'
import { type Running, startHub } from '../src/main.ts'
import { connect, freePorts, getJson, later, movableClock, startTestHub, type TestHub, tempFolder } from './harness.ts'

/** Short times, so that tests need not wait; each is still longer than what it must outlast. */
export const quick: RefreshTiming = {
  ...refreshTiming,
  call: 1000,
  lease: 2000,
  straggler: 100,
  landing: 1000,
  patience: 1500,
  poll: [20, 60],
}

/** A definition whose provider the sandbox plays as a strict server: rotation, and reuse revokes the whole grant. */
export const rotating = (refresh: Record<string, unknown> = {}) => ({
  name: 'Rotating',
  docs: ['https://rotating.example/docs'],
  auth: 'oauth2',
  api: { base: 'https://api.rotating.example' },
  authorize: { url: 'https://rotating.example/authorize', scopes: { default: ['all'] } },
  token: { url: 'https://rotating.example/token', client: 'basic' },
  refresh: { rotates: true, ...refresh },
})

export interface Member {
  readonly hub: Running['rooms']['hub']
  readonly storage: Running['rooms']['storage']
  read(id?: string, query?: Record<string, string>): Promise<Answer>
}

export interface Answer {
  readonly status: number
  /** '' where there is none. */
  readonly token: string
  readonly code: string
  readonly message: string
  readonly retryAfter: number
}

export interface Pair {
  readonly first: Member
  readonly second: Member
  readonly dev: TestHub
  readonly clock: ReturnType<typeof movableClock>
  readonly environmentId: number
  /** How the calls to refresh ended, at the provider. */
  outcomes(): string[]
  /** Runs a flow: a new connection, or the same one again. */
  connect(id?: string): Promise<void>
  row(id?: string): Promise<Connection>
}

export interface PairOptions {
  readonly refresh?: Record<string, unknown>
  readonly timing?: Partial<RefreshTiming>
  readonly database?: string
  readonly lookForDue?: number
  /** Seconds an access token lives. */
  readonly lifetime?: number
}

/** Two hubs, and a connection `a`. */
export const startPair = async (t: TestContext, options: PairOptions = {}): Promise<Pair> => {
  const clock = movableClock()
  const folder = tempFolder(t)
  const providers = join(folder, 'providers')
  mkdirSync(providers)
  writeFileSync(join(providers, 'rotating.yaml'), stringify(rotating(options.refresh)))
  const env = {
    MORTISE_DATABASE_URL: options.database ?? join(folder, 'mortise.db'),
    MORTISE_ROOT_KEY: randomBytes(32).toString('base64'),
    MORTISE_PROVIDERS_DIR: providers,
    MORTISE_LOG_LEVEL: 'silent',
  }
  const overrides = {
    clock,
    timing: { ...refreshTiming, ...quick, ...options.timing },
    lookForDue: options.lookForDue ?? 0,
  }
  const dev = await startTestHub(t, { ...overrides, env })
  const { firstEnvironment, hub } = dev.rooms
  await addIntegration(hub.context, firstEnvironment, {
    key: 'rotating',
    provider: 'rotating',
    clientId: 'client',
    clientSecret: new Secret('client secret'),
    sandbox: true,
  })
  dev.sandbox.register({
    provider: 'rotating',
    clientId: 'client',
    clientSecret: 'client secret',
    redirectUris: [hub.context.redirectUri],
    endpoints: { authorizeUrl: rotating().authorize.url, tokenUrl: rotating().token.url },
  })
  if (options.lifetime !== undefined) dev.sandbox.set('rotating', { lifetime: options.lifetime })
  // The account of this provider is not known, so only a link with an HMAC repairs a connection.
  await setHmac(hub.context, firstEnvironment, true)
  const port = await freePorts()
  const config = readConfig({ ...env, MORTISE_PORT: String(port), MORTISE_DATA_DIR: tempFolder(t) }, 'dev')
  const other = await startHub(config, dev.sandbox.origin, overrides)
  t.after(() => other.stop())

  const member = (running: Pick<Running, 'rooms'>, origin: string): Member => ({
    hub: running.rooms.hub,
    storage: running.rooms.storage,
    async read(id = 'a', query = {}) {
      const search = new URLSearchParams({ provider_config_key: 'rotating', ...query })
      const { status, body, headers } = await getJson<{
        credentials?: { access_token: string }
        error?: { code: string; message: string }
      }>(`${origin}/connection/${id}?${search}`)
      return {
        status,
        token: body.credentials?.access_token ?? '',
        code: body.error?.code ?? '',
        message: body.error?.message ?? '',
        retryAfter: Number(headers.get('retry-after') ?? 0),
      }
    },
  })
  const first = member(dev, dev.origin)
  const pair: Pair = {
    first,
    second: member(other, `http://localhost:${port}`),
    dev,
    clock,
    environmentId: firstEnvironment.id,
    outcomes: () => dev.sandbox.calls.filter(call => call.kind === 'refresh').map(call => call.outcome),
    async connect(id = 'a') {
      const hmac = (await hub.hmac(await hub.context.environmentOf(firstEnvironment.id), 'rotating', id)) ?? ''
      const { returned } = await connect(dev, 'rotating', { connection_id: id, hmac })
      assert.equal(returned.searchParams.get('connection_id'), id, returned.href)
    },
    async row(id = 'a') {
      const row = await first.storage.connection(firstEnvironment.id, 'rotating', id)
      assert.ok(row)
      return row
    },
  }
  await pair.connect()
  return pair
}

/** Until it is so; at most five seconds. */
export const until = async (so: () => boolean | Promise<boolean>, seconds = 5): Promise<void> => {
  for (const since = performance.now(); !(await so()); await later(5))
    assert.ok(performance.now() - since < seconds * 1000, `it did not come about in ${seconds} seconds`)
}

/** The first call of a method stops before it begins, until `go`; later ones pass. */
export const gate = (t: TestContext, storage: Storage, name: 'leaseRefresh' | 'markRefresh' | 'swapCredential') => {
  const method = storage[name] as (...given: unknown[]) => Promise<unknown>
  let go = () => {}
  const open = new Promise<void>(done => {
    go = done
  })
  let arrived = false
  t.mock.method(storage, name, (async (...given: unknown[]) => {
    if (!arrived) {
      arrived = true
      await open
    }
    return method.apply(storage, given)
  }) as never)
  return { go, arrived: () => until(() => arrived) }
}

/** Makes the storage refuse renewed credentials, as long as `broken` says. */
export const breakable = (t: TestContext, storage: Storage, broken: () => boolean): void => {
  const swap = storage.swapCredential
  t.mock.method(storage, 'swapCredential', async (...given: Parameters<typeof swap>) => {
    if (broken()) throw new Error('disk full')
    return swap.apply(storage, given)
  })
}
