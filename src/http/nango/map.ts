/** Wire ↔ core. Pure. */
import type { Outcome } from '../../core/attempt.ts'
import { type Connection, mergedMetadata } from '../../core/connection.ts'
import type { Credential } from '../../core/credential.ts'
import type { Read } from '../../core/read.ts'
import { errorType } from './errors.ts'
import type { ConnectionShape, ConnectionsShape } from './shapes.ts'

/** The whole Connection object. `withCredentials`: whether the caller's key may see them. */
export const toConnection = ({ connection, credential }: Read, withCredentials: boolean): ConnectionShape => ({
  id: connection.number,
  created_at: connection.createdAt.toISOString(),
  updated_at: connection.updatedAt.toISOString(),
  provider_config_key: connection.integrationKey,
  connection_id: connection.connectionId,
  credentials: withCredentials ? toCredentials(credential) : {},
  connection_config: { ...connection.config },
  account_id: 0,
  metadata: mergedMetadata(connection),
})

const toCredentials = (credential: Credential): ConnectionShape['credentials'] => {
  const secret = credential.accessToken.reveal()
  if (credential.kind === 'basic') {
    const colon = secret.indexOf(':')
    return { type: 'BASIC', username: secret.slice(0, colon), password: secret.slice(colon + 1) }
  }
  if (credential.kind !== 'oauth2') return { type: 'API_KEY', apiKey: secret }
  return {
    type: 'OAUTH2',
    access_token: secret,
    ...(credential.refreshToken
      ? {
          refresh_token: credential.refreshToken.reveal(),
          ...(credential.expiresAt ? { expires_at: credential.expiresAt.toISOString() } : {}),
        }
      : {}),
    raw: credential.raw.reveal(),
  }
}

export const toConnections = (connections: readonly Connection[]): ConnectionsShape => ({
  connections: connections.map(each => ({
    connection_id: each.connectionId,
    provider: each.integrationKey,
    created: each.createdAt.toISOString(),
  })),
})

/** What the hub adds to `api_redirect_url`; a URL that carries one of these already would be ambiguous. */
export const returnParameters = ['connection_id', 'provider_config_key', 'message_type', 'error_type', 'error_desc']

/** The URL that a finished flow returns to: its own query as it was, ours after it. */
export const toReturn = (returnTo: string, outcome: Outcome): string => {
  const added = new URLSearchParams(
    outcome.ok
      ? { connection_id: outcome.connectionId, provider_config_key: outcome.integrationKey }
      : { message_type: 'error', error_type: errorType(outcome.code, outcome.reason), error_desc: outcome.message },
  )
  return `${returnTo}${returnTo.includes('?') ? '&' : '?'}${added}`
}
