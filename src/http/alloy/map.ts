/** Wire ↔ core. Pure. */

import type { Outcome } from '../../core/attempt.ts'
import { type Connection, type ListedConnection, shownId } from '../../core/connection.ts'
import { type CredentialKind, isKey } from '../../core/credential.ts'
import { type EndUser, shownUserId } from '../../core/end-user.ts'
import type { Concluded } from '../../core/open-session.ts'
import type { Provider } from '../../core/provider.ts'
import { iconOf } from '../icon.ts'
import { redirectError } from './errors.ts'
import type { ConnectionShape, UserShape } from './shapes.ts'

/** A whole row, or one of a list, which has nothing sealed. */
type Listed = Connection | ListedConnection

const isRenewable = (row: Listed): boolean => ('renewable' in row ? row.renewable : row.renewal !== undefined)

/** "Ada Lovelace's Notion" */
const nameOf = (row: Listed, provider: string): string =>
  row.name ?? (row.account ? `${row.account.personName ?? row.account.name ?? row.account.id}'s ${provider}` : provider)

const statusOf = (row: Listed, now: Date): ConnectionShape['status'] =>
  row.status !== 'connected'
    ? 'needs_reauth'
    : row.expiresAt && row.expiresAt <= now && !isRenewable(row)
      ? 'expired'
      : 'connected'

export const toConnection = (
  row: Listed,
  { now, provider, latest }: { now: Date; provider: string; latest: boolean },
): ConnectionShape => {
  const id = shownId(row)
  const status = statusOf(row, now)
  return {
    id,
    connectionId: id,
    credentialId: id,
    connectorId: row.integrationKey,
    integrationId: row.integrationKey,
    integration: row.integrationKey,
    type: `${row.provider}-${row.kind}`,
    name: nameOf(row, provider),
    userId: shownUserId(row.environmentId, row.endUserId),
    status,
    ...(row.statusReason === undefined ? {} : { statusReason: row.statusReason }),
    active: status === 'connected',
    ...(row.account ? { account: { id: row.account.id, name: row.account.name ?? row.account.id } } : {}),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
    lastCheckedAt: (row.checkedAt && row.checkedAt > row.obtainedAt ? row.checkedAt : row.obtainedAt).toISOString(),
    ...(row.expiresAt ? { expiresAt: row.expiresAt.toISOString() } : {}),
    latest,
  }
}

/**
 * The newest of each end user and connector. What anybody with the public key may have made is never picked by itself,
 * unless `everyone` who reaches the hub is on this machine (dev).
 */
export const latestOf = (rows: readonly Listed[], everyone: boolean): ReadonlySet<string> => {
  const newest = new Map<string, Listed>()
  for (const row of rows) {
    if (row.trust === 'public' && !everyone) continue
    const key = JSON.stringify([row.endUserId, row.integrationKey])
    const other = newest.get(key)
    const later = other && (row.createdAt.getTime() - other.createdAt.getTime() || (row.id > other.id ? 1 : -1))
    if (later === undefined || later > 0) newest.set(key, row)
  }
  return new Set([...newest.values()].map(row => row.id))
}

export const toUser = (user: EndUser): UserShape => ({
  userId: user.id,
  username: user.username,
  fullName: user.fullName ?? user.username,
})

/** What the hub adds to `redirectUri`; a URL that carries one of these already would be ambiguous. */
export const returnParameters = ['code', 'state', 'error', 'error_description', 'connectorId']

/** The URL that a finished flow returns to: its own query as it was, ours after it. */
export const toReturn = (returnTo: string, outcome: Outcome, concluded: Concluded | undefined): string => {
  const added = new URLSearchParams(
    outcome.ok ? {} : { error: redirectError[outcome.code], error_description: outcome.message },
  )
  if (concluded?.code !== undefined) added.set('code', concluded.code)
  if (concluded?.state !== undefined) added.set('state', concluded.state)
  if (concluded) added.set('connectorId', concluded.session.integrationKey)
  return `${returnTo}${returnTo.includes('?') ? '&' : '?'}${added}`
}

/** Every spelling of a type that was seen → ours. */
export const kindNamed = (text: string): CredentialKind | undefined =>
  kinds[text.toLowerCase().replace(/[^a-z0-9]/g, '')]

const kinds: Readonly<Record<string, CredentialKind>> = {
  oauth2: 'oauth2',
  oauth20: 'oauth2',
  oauth: 'oauth2',
  oauth1: 'oauth1',
  oauth10: 'oauth1',
  oauth10a: 'oauth1',
  apikey: 'apiKey',
  key: 'apiKey',
  bearer: 'bearer',
  bearertoken: 'bearer',
  httpbearer: 'bearer',
  token: 'bearer',
  basic: 'basic',
  basicauth: 'basic',
  httpbasic: 'basic',
}

/** What a caller must send to connect: one entry a credential type. */
export const toMetadata = (connectorId: string, provider: Provider) => {
  const properties = (kind: CredentialKind) => ({
    userId: { type: 'string', description: 'An id, a username or "me"; optional' },
    authenticationType: { const: kind },
    ...(!isKey(kind)
      ? { redirectUri: { type: 'string', format: 'uri' }, state: { type: 'string' } }
      : { fields: { type: 'object', properties: fieldsOf(kind), required: Object.keys(fieldsOf(kind)) } }),
    ...(Object.keys(provider.params).length === 0
      ? {}
      : {
          data: {
            type: 'object',
            properties: Object.fromEntries(
              Object.entries(provider.params).map(([name, input]) => [
                name,
                { type: 'string', title: input.title, ...(input.example ? { examples: [input.example] } : {}) },
              ]),
            ),
            required: Object.entries(provider.params)
              .filter(([, input]) => input.default === undefined)
              .map(([name]) => name),
          },
        }),
  })
  const fieldsOf = (kind: CredentialKind): Record<string, { type: string }> =>
    kind === 'basic'
      ? { username: { type: 'string' }, password: { type: 'string' } }
      : { [kind === 'bearer' ? 'token' : 'apiKey']: { type: 'string' } }
  const entry = (kind: CredentialKind, title: string) => ({
    authenticationType: kind,
    title,
    authConfigRequired: false,
    inputSchema: { type: 'object', properties: properties(kind), required: ['authenticationType'] },
    sampleInput: {
      connectorId,
      authenticationType: kind,
      ...(!isKey(kind)
        ? { redirectUri: 'http://localhost:3000/oauth/callback' }
        : { fields: Object.fromEntries(Object.keys(fieldsOf(kind)).map(name => [name, '…'])) }),
    },
  })
  return [
    entry(provider.auth, `${provider.name} (${provider.auth === 'oauth1' ? 'OAuth 1.0a' : 'OAuth 2.0'})`),
    ...Object.entries(provider.keys?.kinds ?? {}).map(([kind, each]) => entry(kind as CredentialKind, each.title)),
  ]
}

/** The same as the embedded family has it: what a flow asks for besides consent. Versions differ in what they call the app. */
export const toCredentialMetadata = (key: string, provider: Provider) => ({
  name: key,
  connector: key,
  icon: iconOf(provider.name),
  isOauth: !isKey(provider.auth),
  properties: Object.entries(provider.params).map(([name, input]) => ({
    name,
    displayName: input.title,
    ...(input.example === undefined ? {} : { description: `For example ${input.example}` }),
  })),
})
