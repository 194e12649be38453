/** What happened, as this dialect tells a webhook endpoint of it: https://nango.dev/docs/implementation-guides/platform/webhooks-from-nango */
import { createHash, createHmac } from 'node:crypto'
import type { CredentialKind } from '../../core/credential.ts'
import type { EventType, Happened, Telling } from '../../core/event.ts'

const operations: Readonly<Record<EventType, 'creation' | 'override' | 'refresh'>> = {
  'connection.created': 'creation',
  'connection.repaired': 'override',
  'connection.reauthorization_required': 'refresh',
}

const modes: Readonly<Record<CredentialKind, string>> = {
  oauth2: 'OAUTH2',
  oauth1: 'OAUTH1',
  apiKey: 'API_KEY',
  bearer: 'API_KEY',
  basic: 'BASIC',
}

const toAuth = ({ type, connection, environment, endUser, why }: Happened) => ({
  from: 'nango',
  type: 'auth',
  connectionId: connection.connectionId,
  authMode: modes[connection.kind],
  providerConfigKey: connection.integrationKey,
  provider: connection.provider,
  environment,
  operation: operations[type],
  success: why === undefined,
  tags: connection.tags,
  ...(endUser
    ? {
        endUser: {
          endUserId: endUser.username,
          ...(endUser.email === undefined ? {} : { endUserEmail: endUser.email }),
          ...(endUser.organization ? { organizationId: endUser.organization.id } : {}),
          tags: endUser.tags ?? {},
        },
      }
    : {}),
  ...(why ? { error: { type: why.cause, description: why.message } } : {}),
})

/** Its keys in order, at every depth. */
const sorted = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]))
}

export const connectionsTelling: Telling = {
  body: (happened, environment) =>
    JSON.stringify(sorted(happened ? toAuth(happened) : { from: 'nango', type: 'test', environment })),
  headers: ([newest], body) => {
    const key = newest?.reveal() ?? ''
    return {
      // What old clients look at. Who can, checks the other.
      'x-nango-signature': createHash('sha256')
        .update(key + body)
        .digest('hex'),
      'x-nango-hmac-sha256': createHmac('sha256', key).update(body).digest('hex'),
    }
  },
}
