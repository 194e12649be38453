/** Rows for the tests of storage. */
import assert from 'node:assert/strict'
import type { Attempt, Outcome } from '../src/core/attempt.ts'
import { type Connection, toReadRow } from '../src/core/connection.ts'
import type { EndUser } from '../src/core/end-user.ts'
import type { Environment, SecretKey } from '../src/core/environment.ts'
import type { Integration } from '../src/core/integration.ts'
import type { Draft, Storage } from '../src/core/storage.ts'

export interface Opened {
  readonly storage: Storage
  /** Another one on the same data, as another process would have. */
  readonly second?: Storage
  close(): Promise<void>
}

/** A time some seconds after a fixed one. */
export const at = (seconds: number): Date => new Date(1_800_000_000_000 + seconds * 1000)
export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

export const environment = (id: number, over: Partial<Environment> = {}): Environment => ({
  id,
  name: `env-${id}`,
  publicKey: `pk-${id}`,
  wrappedKey: bytes(id % 256, 0, 255),
  tellsLatest: false,
  createdAt: at(id % 1000),
  ...over,
})
export const key = (environmentId: number, id: string, over: Partial<SecretKey> = {}): SecretKey => ({
  environmentId,
  id,
  name: `key ${id}`,
  hash: `hash-${environmentId}-${id}`,
  hint: 'mortise_sk_abcd',
  scopes: ['connections:read', 'proxy'],
  createdAt: at(0),
  ...over,
})
export const integration = (environmentId: number, name: string, over: Partial<Integration> = {}): Integration => ({
  environmentId,
  id: `i-${name}`,
  key: name,
  provider: 'github',
  clientId: `client of ${environmentId}`,
  clientSecret: bytes(1, 2, 3),
  scopes: ['read'],
  settings: { host: 'git.example.com' },
  sandbox: false,
  createdAt: at(0),
  updatedAt: at(0),
  ...over,
})
export const attempt = (environmentId: number, stateHash: string, over: Partial<Attempt> = {}): Attempt => ({
  environmentId,
  stateHash,
  browserHash: 'browser',
  integrationKey: 'github',
  integrationId: 'i-github',
  provider: 'github',
  endUserId: '',
  trust: 'public',
  duplicate: false,
  scopes: [],
  config: {},
  redirectUri: 'https://hub.example/oauth/callback',
  issuerAlways: false,
  dialect: 'nango',
  createdAt: at(0),
  expiresAt: at(600),
  ...over,
})
export const connection = (environmentId: number, id: string, over: Partial<Connection> = {}): Connection => ({
  environmentId,
  number: Number.parseInt(id, 36),
  id,
  integrationKey: 'github',
  provider: 'github',
  connectionId: `named ${id}`,
  endUserId: '',
  kind: 'oauth2',
  trust: 'proven',
  status: 'connected',
  access: bytes(10, 0, 255),
  obtainedAt: at(0),
  credentialRevision: 1,
  config: {},
  metadata: {},
  facts: {},
  tags: {},
  createdAt: at(0),
  updatedAt: at(0),
  ...over,
})
export const full: Partial<Connection> = {
  status: 'reauthorization_required',
  statusReason: 'refused',
  account: { id: 'w1', name: 'Ünïcode', personId: 'p1', personName: 'Ann' },
  renewal: bytes(20),
  expiresAt: at(60),
  scopes: ['a', 'b'],
  config: { subdomain: 'acme' },
  metadata: { set: { deep: [1, null, 'x'] } },
  facts: { got: true },
}
export const failed: Outcome = { ok: false, code: 'provider_rejected', reason: 'token_exchange', message: 'No.' }
export const succeeded = (row: Connection): Outcome => ({
  ok: true,
  connectionId: row.connectionId,
  integrationKey: row.integrationKey,
  repaired: row.credentialRevision > 1,
})

/** Authorizes a row as core does: a found one is kept and its revision moved. */
export const draft = (row: Connection, find: Draft['find'], stateHash = 'state', refreshAt?: Date): Draft => ({
  environmentId: row.environmentId,
  integrationKey: row.integrationKey,
  find,
  decide: found => ({
    connection: found
      ? { ...row, ...identity(found.connection), credentialRevision: found.connection.credentialRevision + 1 }
      : row,
    accountKey: find && 'accountKey' in find ? find.accountKey : found?.accountKey,
    refreshAt,
  }),
  attempt: { stateHash, outcome: succeeded },
})
const identity = ({ id, number, connectionId, createdAt }: Connection) => ({ id, number, connectionId, createdAt })

export const add = (storage: Storage, row: Connection, accountKey?: string): Promise<Connection> =>
  storage.authorize(draft(row, accountKey === undefined ? undefined : { accountKey, endUserId: row.endUserId }, 'none'))

export const get = (storage: Storage, row: Connection): Promise<Connection | undefined> =>
  storage.connection(row.environmentId, row.integrationKey, row.connectionId)

/** An environment with one connection in it, `a`; and that it is read. */
export const fill = async (storage: Storage): Promise<Storage> => {
  await storage.addEnvironment(environment(1))
  await storage.addIntegration(integration(1, 'github'))
  await add(storage, connection(1, 'a'))
  return storage
}
export const read = async (storage: Storage): Promise<void> =>
  assert.deepEqual(await get(storage, connection(1, 'a')), connection(1, 'a'))
export const hot = async (storage: Storage): Promise<void> => {
  const { environmentId, integrationKey, connectionId } = connection(1, 'a')
  const row = await storage.hot(environmentId, integrationKey, connectionId, true)
  assert.deepEqual({ ...row }, toReadRow(connection(1, 'a'), true))
}
export const both = async (storage: Storage): Promise<void> => {
  await Promise.all([read(storage), hot(storage)])
}

/** An end user. */
export const person = (environmentId: number, id: string, over: Partial<EndUser> = {}): EndUser => ({
  environmentId,
  id,
  username: `name of ${id}`,
  createdAt: at(0),
  updatedAt: at(0),
  ...over,
})

/** The same numbers each time. */
export const numbers = (seed: number) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}
