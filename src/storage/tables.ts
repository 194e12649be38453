/** Rows as the database holds them, and rows ↔ core's nouns. Times are milliseconds, flags 0 or 1. */
import type { Attempt } from '../core/attempt.ts'
import { accountKeyOf, type Connection, type CredentialRow, type ReadRow } from '../core/connection.ts'
import type { Integration } from '../core/integration.ts'
import { date, optional, same } from './columns.ts'
import type { EnvironmentTables } from './tables-environments.ts'
import type { PeopleTables } from './tables-people.ts'
import type { RefreshTables } from './tables-refreshes.ts'
import type { SessionTables } from './tables-sessions.ts'
import type { WebhookTables } from './tables-webhooks.ts'

export { date, optional, same } from './columns.ts'
export { fromEnvironment, toEnvironment, toSecretKey } from './tables-environments.ts'

export interface Tables extends EnvironmentTables, PeopleTables, RefreshTables, SessionTables, WebhookTables {
  marks: { name: string; value: Uint8Array }
  changes: { name: string; revision: number }
  integrations: {
    environment_id: number
    key: string
    id: string
    provider: string
    client_id: string
    client_secret: Uint8Array
    scopes_json: string
    settings_json: string
    redirect_uri: string | null
    display_name: string | null
    limits_json: string | null
    sandbox: number
    created_at: number
    updated_at: number
  }
  attempts: {
    environment_id: number
    state_hash: string
    browser_hash: string
    integration_key: string
    integration_id: string
    provider: string
    connection_id: string | null
    end_user_id: string
    trust: string
    duplicate: number
    scopes_json: string
    config_json: string
    redirect_uri: string
    issuer: string | null
    issuer_always: number
    verifier: Uint8Array | null
    return_to: string | null
    dialect: string
    created_at: number
    expires_at: number
    taken_at: number | null
    outcome_json: string | null
    session_id: string | null
    name: string | null
    client: Uint8Array | null
    repairs: string | null
    listener: string | null
    told_at: number | null
  }
  connections: {
    environment_id: number
    id: string
    number: number
    integration_key: string
    connection_id: string
    provider: string
    end_user_id: string
    account_key: string | null
    account_ref: string | null
    account_json: string | null
    status: string
    status_reason: string | null
    status_cause: string | null
    access_part: Uint8Array
    renewal_part: Uint8Array | null
    client: Uint8Array | null
    expires_at: number | null
    obtained_at: number
    credential_revision: number
    scopes_json: string | null
    config_json: string
    metadata_json: string
    facts_json: string
    kind: string
    name: string | null
    trust: string
    checked_at: number | null
    tags_json: string
    webhook_url_override: string | null
    created_at: number
    updated_at: number
  }
}

/**
 * Named one by one for the hot read: a statement that was prepared before a newer process adds a column stays valid. The
 * type holds that none is left out.
 */
const everyColumn: Readonly<Record<keyof Tables['connections'], true>> = {
  environment_id: true,
  id: true,
  number: true,
  integration_key: true,
  connection_id: true,
  provider: true,
  end_user_id: true,
  account_key: true,
  account_ref: true,
  account_json: true,
  status: true,
  status_reason: true,
  status_cause: true,
  access_part: true,
  renewal_part: true,
  client: true,
  expires_at: true,
  obtained_at: true,
  credential_revision: true,
  scopes_json: true,
  config_json: true,
  metadata_json: true,
  facts_json: true,
  kind: true,
  trust: true,
  checked_at: true,
  name: true,
  tags_json: true,
  webhook_url_override: true,
  created_at: true,
  updated_at: true,
}
/** Of a statement on the way of every proxied call, in the same way. */
const everyIntegrationColumn: Readonly<Record<keyof Tables['integrations'], true>> = {
  environment_id: true,
  id: true,
  key: true,
  provider: true,
  client_id: true,
  client_secret: true,
  scopes_json: true,
  settings_json: true,
  redirect_uri: true,
  display_name: true,
  limits_json: true,
  sandbox: true,
  created_at: true,
  updated_at: true,
}
export const integrationColumns = Object.keys(everyIntegrationColumn) as (keyof Tables['integrations'])[]
export const connectionColumns = Object.keys(everyColumn) as (keyof Tables['connections'])[]

/** The column of each property of a ReadRow but its renewal part; the driver's row then is the noun, as it is. */
const columnOf: Readonly<Record<Exclude<keyof ReadRow, 'renewal'>, string>> = {
  id: 'connections.id',
  number: 'number',
  provider: 'provider',
  endUserId: 'end_user_id',
  status: 'status',
  kind: 'kind',
  access: 'access_part',
  // Not a boolean, which one engine has and the other has not.
  renewable: 'CASE WHEN renewal_part IS NULL THEN 0 ELSE 1 END',
  expiresAt: 'expires_at',
  obtainedAt: 'obtained_at',
  config: 'config_json',
  metadata: 'metadata_json',
  facts: 'facts_json',
  tags: 'connections.tags_json',
  webhookUrlOverride: 'webhook_url_override',
  username: 'username',
  fullName: 'full_name',
  email: 'email',
  userTags: 'end_users.tags_json',
  organizationId: 'organization_id',
  organizationName: 'organization_name',
  createdAt: 'connections.created_at',
  updatedAt: 'connections.updated_at',
}
const selected = (properties: Readonly<Partial<Record<keyof typeof columnOf, unknown>>>): string =>
  (Object.keys(properties) as (keyof typeof columnOf)[])
    .map(property => `${columnOf[property]} AS "${property}"`)
    .join(', ')

export const readColumns = selected(columnOf)
export const hotColumns = selected({
  id: true,
  provider: true,
  status: true,
  kind: true,
  access: true,
  renewable: true,
  expiresAt: true,
  obtainedAt: true,
  config: true,
} satisfies Record<keyof CredentialRow, true>)

export const toIntegration = (row: Tables['integrations']): Integration => ({
  environmentId: row.environment_id,
  id: row.id,
  key: row.key,
  provider: row.provider,
  clientId: row.client_id,
  clientSecret: row.client_secret,
  scopes: JSON.parse(row.scopes_json),
  settings: JSON.parse(row.settings_json),
  ...optional('redirectUri', row.redirect_uri, same),
  ...optional('displayName', row.display_name, same),
  ...optional('limits', row.limits_json, JSON.parse),
  sandbox: row.sandbox === 1,
  createdAt: date(row.created_at),
  updatedAt: date(row.updated_at),
})

export const fromIntegration = (integration: Integration): Tables['integrations'] => ({
  environment_id: integration.environmentId,
  key: integration.key,
  id: integration.id,
  provider: integration.provider,
  client_id: integration.clientId,
  client_secret: integration.clientSecret,
  scopes_json: JSON.stringify(integration.scopes),
  settings_json: JSON.stringify(integration.settings),
  redirect_uri: integration.redirectUri ?? null,
  display_name: integration.displayName ?? null,
  limits_json: integration.limits ? JSON.stringify(integration.limits) : null,
  sandbox: integration.sandbox ? 1 : 0,
  created_at: integration.createdAt.getTime(),
  updated_at: integration.updatedAt.getTime(),
})

export const fromAttempt = (attempt: Attempt): Tables['attempts'] => ({
  environment_id: attempt.environmentId,
  state_hash: attempt.stateHash,
  browser_hash: attempt.browserHash,
  integration_key: attempt.integrationKey,
  integration_id: attempt.integrationId,
  provider: attempt.provider,
  connection_id: attempt.connectionId ?? null,
  end_user_id: attempt.endUserId,
  trust: attempt.trust,
  duplicate: attempt.duplicate ? 1 : 0,
  scopes_json: JSON.stringify(attempt.scopes),
  config_json: JSON.stringify(attempt.config),
  redirect_uri: attempt.redirectUri,
  issuer: attempt.issuer ?? null,
  issuer_always: attempt.issuerAlways ? 1 : 0,
  verifier: attempt.verifier ?? null,
  return_to: attempt.returnTo ?? null,
  dialect: attempt.dialect,
  created_at: attempt.createdAt.getTime(),
  expires_at: attempt.expiresAt.getTime(),
  taken_at: attempt.takenAt?.getTime() ?? null,
  outcome_json: attempt.outcome ? JSON.stringify(attempt.outcome) : null,
  session_id: attempt.sessionId ?? null,
  name: attempt.name ?? null,
  client: attempt.client ?? null,
  repairs: attempt.repairs ?? null,
  listener: attempt.listener ?? null,
  told_at: attempt.toldAt?.getTime() ?? null,
})

export const toAttempt = (row: Tables['attempts']): Attempt => ({
  environmentId: row.environment_id,
  stateHash: row.state_hash,
  browserHash: row.browser_hash,
  integrationKey: row.integration_key,
  integrationId: row.integration_id,
  provider: row.provider,
  ...optional('connectionId', row.connection_id, same),
  endUserId: row.end_user_id,
  ...optional('sessionId', row.session_id, same),
  ...optional('name', row.name, same),
  trust: row.trust as Attempt['trust'],
  duplicate: row.duplicate === 1,
  scopes: JSON.parse(row.scopes_json),
  config: JSON.parse(row.config_json),
  redirectUri: row.redirect_uri,
  ...optional('issuer', row.issuer, same),
  issuerAlways: row.issuer_always === 1,
  ...optional('verifier', row.verifier, same),
  ...optional('client', row.client, same),
  ...optional('repairs', row.repairs, same),
  ...optional('listener', row.listener, same),
  ...optional('toldAt', row.told_at, date),
  ...optional('returnTo', row.return_to, same),
  dialect: row.dialect,
  createdAt: date(row.created_at),
  expiresAt: date(row.expires_at),
  ...optional('takenAt', row.taken_at, date),
  ...optional('outcome', row.outcome_json, JSON.parse),
})

/** The columns that a new credential replaces. */
export const credentialColumns = (
  next: Pick<Connection, 'access' | 'renewal' | 'expiresAt' | 'obtainedAt' | 'scopes'>,
) => ({
  access_part: next.access,
  renewal_part: next.renewal ?? null,
  expires_at: next.expiresAt?.getTime() ?? null,
  obtained_at: next.obtainedAt.getTime(),
  scopes_json: next.scopes ? JSON.stringify(next.scopes) : null,
})

export const fromConnection = (row: Connection, accountKey: string | undefined): Tables['connections'] => ({
  environment_id: row.environmentId,
  id: row.id,
  number: row.number,
  integration_key: row.integrationKey,
  connection_id: row.connectionId,
  provider: row.provider,
  end_user_id: row.endUserId,
  account_key: accountKey ?? null,
  account_ref: accountKeyOf(row.account) ?? null,
  account_json: row.account ? JSON.stringify(row.account) : null,
  status: row.status,
  status_reason: row.statusReason ?? null,
  status_cause: row.statusCause ?? null,
  ...credentialColumns(row),
  client: row.client ?? null,
  credential_revision: row.credentialRevision,
  config_json: JSON.stringify(row.config),
  metadata_json: JSON.stringify(row.metadata),
  facts_json: JSON.stringify(row.facts),
  kind: row.kind,
  name: row.name ?? null,
  trust: row.trust,
  checked_at: row.checkedAt?.getTime() ?? null,
  tags_json: JSON.stringify(row.tags),
  webhook_url_override: row.webhookUrlOverride ?? null,
  created_at: row.createdAt.getTime(),
  updated_at: row.updatedAt.getTime(),
})

/** What a list reads of a row: all but what is sealed. */
export type ListRow = Omit<
  Tables['connections'],
  'access_part' | 'renewal_part' | 'client' | 'account_key' | 'account_ref'
>

const isSealed = (column: keyof Tables['connections']): column is Exclude<keyof Tables['connections'], keyof ListRow> =>
  ['access_part', 'renewal_part', 'client', 'account_key', 'account_ref'].includes(column)
export const listColumns = connectionColumns.flatMap(column =>
  isSealed(column) ? [] : [`connections.${column}` as const],
)

export const toConnection = (row: Tables['connections']): Connection => ({
  ...toListed(row),
  access: row.access_part,
  ...optional('renewal', row.renewal_part, same),
  ...optional('client', row.client, same),
})

export const toListed = (row: ListRow): Omit<Connection, 'access' | 'renewal' | 'client'> => ({
  environmentId: row.environment_id,
  id: row.id,
  number: row.number,
  integrationKey: row.integration_key,
  connectionId: row.connection_id,
  provider: row.provider,
  endUserId: row.end_user_id,
  ...optional('account', row.account_json, JSON.parse),
  kind: row.kind as Connection['kind'],
  ...optional('name', row.name, same),
  trust: row.trust as Connection['trust'],
  ...optional('checkedAt', row.checked_at, date),
  status: row.status as Connection['status'],
  ...optional('statusReason', row.status_reason, same),
  ...optional('statusCause', row.status_cause, cause => cause as NonNullable<Connection['statusCause']>),
  ...optional('expiresAt', row.expires_at, date),
  obtainedAt: date(row.obtained_at),
  credentialRevision: row.credential_revision,
  ...optional('scopes', row.scopes_json, JSON.parse),
  config: JSON.parse(row.config_json),
  metadata: JSON.parse(row.metadata_json),
  facts: JSON.parse(row.facts_json),
  tags: JSON.parse(row.tags_json),
  ...optional('webhookUrlOverride', row.webhook_url_override, same),
  createdAt: date(row.created_at),
  updatedAt: date(row.updated_at),
})
