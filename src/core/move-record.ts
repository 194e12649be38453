/**
 * The records that an environment is moved as: plain JSON, what is sealed opened. Each kind is a table of its noun's fields;
 * the compiler holds that none is left out, so whoever adds a field to a noun says here how it is moved.
 */
import type { Connection, DeletedConnection } from './connection.ts'
import type { Json, JsonObject } from './credential.ts'
import type { EndUser } from './end-user.ts'
import type { AllowKind, Environment, SecretKey } from './environment.ts'
import { MortiseError } from './errors.ts'
import type { WebhookEndpoint } from './event.ts'
import type { Integration } from './integration.ts'
import type { Place, Sealer } from './ports.ts'
import type { StoredRefresh } from './storage-move.ts'

/** Dates go as milliseconds, what is sealed as the text in it. */
type Kind<T> = T extends Date
  ? 'date'
  : T extends Uint8Array
    ? 'sealed'
    : T extends string
      ? 'text'
      : T extends number
        ? 'number'
        : T extends boolean
          ? 'flag'
          : 'json'

/** How each field is moved; `?` where it may be absent; `stays` where it is not moved. */
type Fields<T> = {
  readonly [K in Exclude<keyof T, 'environmentId'>]-?:
    | (Record<string, never> extends Pick<T, K> ? `${Kind<NonNullable<T[K]>>}?` : Kind<T[K]>)
    | 'stays'
}

const environment: Fields<Environment> = {
  id: 'number',
  name: 'text',
  publicKey: 'text',
  // The key of another root key. What it sealed is sealed anew.
  wrappedKey: 'stays',
  hmacKey: 'sealed?',
  jwtKey: 'sealed?',
  tellsLatest: 'flag',
  // It is frozen where it was, not where it goes.
  frozenAt: 'stays',
  createdAt: 'date',
}

const allowed: Fields<{ kind: AllowKind; url: string }> = { kind: 'text', url: 'text' }

const key: Fields<SecretKey> = {
  id: 'text',
  name: 'text',
  hash: 'text',
  hint: 'text',
  scopes: 'json',
  createdAt: 'date',
  revokedAt: 'date?',
}

const integration: Fields<Integration> = {
  id: 'text',
  key: 'text',
  provider: 'text',
  clientId: 'text',
  clientSecret: 'sealed',
  scopes: 'json',
  settings: 'json',
  redirectUri: 'text?',
  displayName: 'text?',
  limits: 'json?',
  sandbox: 'flag',
  createdAt: 'date',
  updatedAt: 'date',
}

/** The endpoint with the secret before the last rotation beside the one that stands. */
export type FlatEndpoint = Omit<WebhookEndpoint, 'previous'> & {
  readonly previousSecret?: Uint8Array
  readonly previousUntil?: Date
}

const endpoint: Fields<FlatEndpoint> = {
  url: 'text',
  secret: 'sealed',
  previousSecret: 'sealed?',
  previousUntil: 'date?',
  events: 'json',
  style: 'text',
  revision: 'number',
  createdAt: 'date',
  updatedAt: 'date',
}

const endUser: Fields<EndUser> = {
  id: 'text',
  username: 'text',
  fullName: 'text?',
  email: 'text?',
  tags: 'json?',
  organization: 'json?',
  createdAt: 'date',
  updatedAt: 'date',
}

const connection: Fields<Connection> = {
  number: 'number',
  id: 'text',
  integrationKey: 'text',
  provider: 'text',
  connectionId: 'text',
  endUserId: 'text',
  status: 'text',
  statusReason: 'text?',
  statusCause: 'text?',
  account: 'json?',
  name: 'text?',
  kind: 'text',
  trust: 'text',
  access: 'sealed',
  renewal: 'sealed?',
  client: 'sealed?',
  tags: 'json',
  webhookUrlOverride: 'text?',
  expiresAt: 'date?',
  obtainedAt: 'date',
  checkedAt: 'date?',
  credentialRevision: 'number',
  scopes: 'json?',
  config: 'json',
  metadata: 'json',
  facts: 'json',
  createdAt: 'date',
  updatedAt: 'date',
}

const refresh: Fields<StoredRefresh> = {
  dueAt: 'date?',
  markDigest: 'text?',
  markFirstAt: 'date?',
  markAt: 'date?',
  probes: 'number',
  failures: 'number',
  failedAt: 'date?',
  waitUntil: 'date?',
  restoredRevision: 'number?',
}

const deleted: Fields<DeletedConnection> = {
  id: 'text',
  integrationKey: 'text',
  connectionId: 'text',
  endUserId: 'text',
  deletedAt: 'date',
  mergedInto: 'text?',
}

/** What is moved with each record of a kind, besides its noun's fields. */
interface Nouns {
  environment: Environment
  allowed: { readonly environmentId: number; readonly kind: AllowKind; readonly url: string }
  key: SecretKey
  integration: Integration
  endpoint: FlatEndpoint
  endUser: EndUser
  connection: Connection
  refresh: StoredRefresh
  deleted: DeletedConnection
}
export type RecordKind = keyof Nouns

const tables: { readonly [K in RecordKind]: Readonly<Record<string, string>> } = {
  environment,
  allowed,
  key,
  integration,
  endpoint,
  endUser,
  connection,
  refresh,
  deleted,
}

/** Table and column of a sealed field, where it is not that of the field's own name. */
const columns: Readonly<Record<string, readonly [table: string, column: string]>> = {
  'environment.hmacKey': ['environments', 'hmac_key'],
  'environment.jwtKey': ['environments', 'jwt_key'],
  'integration.clientSecret': ['integrations', 'client_secret'],
  'endpoint.secret': ['webhook_endpoints', 'secret'],
  'endpoint.previousSecret': ['webhook_endpoints', 'previous_secret'],
  'connection.access': ['connections', 'access'],
  'connection.renewal': ['connections', 'renewal'],
  'connection.client': ['connections', 'client'],
}

/** A field as its table has it, taken apart once and not with every record. */
interface Field {
  readonly field: string
  readonly is: string
  readonly optional: boolean
  readonly sealedAt: readonly [table: string, column: string] | undefined
}

const fieldsOf = ([kind, table]: readonly [string, Readonly<Record<string, string>>]): [string, readonly Field[]] => [
  kind,
  Object.entries(table).flatMap(([field, how]) => {
    if (how === 'stays') return []
    const sealedAt = columns[`${kind}.${field}`]
    if (how.startsWith('sealed') !== (sealedAt !== undefined))
      throw new Error(`It is not known where ${kind}.${field} is sealed.`)
    return [{ field, is: how.replace('?', ''), optional: how.endsWith('?'), sealedAt }]
  }),
]
const moved = Object.fromEntries(Object.entries(tables).map(fieldsOf)) as Readonly<Record<RecordKind, readonly Field[]>>

/** The same place in both hubs, as the environment keeps its id and every row its own. */
const placeOf = ([table, column]: readonly [string, string], environmentId: number, id: unknown): Place => [
  table,
  typeof id === 'string' ? id : String(environmentId),
  column,
]

/** A noun as a record of its kind. */
export const toRecord = <K extends RecordKind>(
  kind: K,
  noun: Nouns[K],
  sealer: Sealer,
  environmentId: number,
): JsonObject => {
  const from = noun as unknown as Readonly<Record<string, unknown>>
  const record: Record<string, Json> = {}
  for (const { field, sealedAt } of moved[kind]) {
    const value = from[field]
    if (value === undefined) continue
    record[field] =
      value instanceof Date
        ? value.getTime()
        : sealedAt
          ? sealer.open(placeOf(sealedAt, environmentId, from['id']), value as Uint8Array)
          : (value as Json)
  }
  return record
}

const types: Readonly<Record<string, string>> = {
  date: 'number',
  number: 'number',
  text: 'string',
  sealed: 'string',
  flag: 'boolean',
  json: 'object',
}

/**
 * The noun that a record was made of, in this environment and sealed for it. Throws `invalid_request` for a field that is
 * not known, which only a newer version has, and for one that is missing or something else.
 */
export const fromRecord = <K extends RecordKind>(
  kind: K,
  record: JsonObject,
  sealer: Sealer,
  environmentId: number,
): Nouns[K] => {
  const fields = tables[kind]
  for (const unknown of Object.keys(record))
    if (!Object.hasOwn(fields, unknown))
      throw new MortiseError(
        'invalid_request',
        `The file holds "${unknown}" of a ${kind}, which this Mortise does not know: a newer one made it. Import it with that version.`,
      )
  const noun: Record<string, unknown> = kind === 'environment' || kind === 'refresh' ? {} : { environmentId }
  for (const { field, is, optional, sealedAt } of moved[kind]) {
    const value = record[field]
    if (value === undefined && optional) continue
    if (typeof value !== types[is] || value === null)
      throw new MortiseError('invalid_request', `The file holds no usable "${field}" of a ${kind}.`)
    noun[field] =
      is === 'date'
        ? new Date(value as number)
        : sealedAt
          ? sealer.seal(placeOf(sealedAt, environmentId, record['id']), value as string)
          : value
  }
  return noun as unknown as Nouns[K]
}
