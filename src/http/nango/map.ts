/** Wire ↔ core. Pure. */
import type { Outcome } from '../../core/attempt.ts'
import { type Connection, mergedMetadataText } from '../../core/connection.ts'
import type { Reading } from '../../core/read.ts'
import type { Untold } from '../../core/storage.ts'
import { isoTime } from '../iso.ts'
import { errorType } from './errors.ts'
import type { ConnectionsShape } from './shapes.ts'

const text = (value: string): string => JSON.stringify(value)

/**
 * The whole Connection object of the 2023 document, as JSON: what is JSON already is spliced in, which costs a tenth of
 * parsing it and writing it again. `withCredentials`: whether the caller's key may see them.
 */
export const toConnection = (reading: Reading, withCredentials: boolean): string => {
  const { integrationKey, connectionId, row } = reading
  const credentials = withCredentials ? toCredentials(reading, true) : '{}'
  return `{"id":${row.number},"created_at":"${isoTime(row.createdAt)}Z","updated_at":"${isoTime(row.updatedAt)}Z","provider_config_key":${text(integrationKey)},"connection_id":${text(connectionId)},"credentials":${credentials},"connection_config":${row.config},"account_id":0,"metadata":${mergedMetadataText(row)}}`
}

/** The same of 2026. */
export const toCurrentConnection = (reading: Reading, withCredentials: boolean): string => {
  const { integrationKey, connectionId, row } = reading
  const credentials = withCredentials ? toCredentials(reading, false) : '{}'
  return `{"id":${row.number},"connection_id":${text(connectionId)},"provider_config_key":${text(integrationKey)},"provider":${text(row.provider)},"errors":[],"end_user":${toEndUser(row.endUserId)},"tags":{},"metadata":${mergedMetadataText(row)},"connection_config":${row.config},"webhook_url_override":null,"created_at":"${isoTime(row.createdAt)}+00:00","updated_at":"${isoTime(row.updatedAt)}+00:00","last_fetched_at":null,"credentials":${credentials}}`
}

const toEndUser = (id: string): string =>
  id === '' ? 'null' : `{"id":${text(id)},"display_name":null,"email":null,"tags":null,"organization":null}`

const toCredentials = (
  { row, credential }: Pick<Reading, 'row' | 'credential'>,
  /** The document has an `access_token` of either grant, and an expiry only beside a refresh token. */
  of2023: boolean,
): string => {
  const texts = credential.reveal()
  if (row.kind === 'basic') {
    const pair: string = JSON.parse(texts.accessToken)
    const colon = pair.indexOf(':')
    return `{"type":"BASIC","username":${text(pair.slice(0, colon))},"password":${text(pair.slice(colon + 1))}}`
  }
  if (row.kind === 'oauth1')
    return `{"type":"OAUTH1",${of2023 ? `"access_token":${texts.accessToken},` : ''}"oauth_token":${texts.accessToken},"oauth_token_secret":${texts.tokenSecret},"raw":${texts.raw}}`
  if (row.kind !== 'oauth2') return `{"type":"API_KEY","apiKey":${texts.accessToken}}`
  const refreshToken = texts.refreshToken === undefined ? '' : `,"refresh_token":${texts.refreshToken}`
  const hidden = of2023 && texts.refreshToken === undefined
  const expiry = row.expiresAt === null || hidden ? '' : `,"expires_at":"${isoTime(row.expiresAt)}Z"`
  return `{"type":"OAUTH2","access_token":${texts.accessToken}${refreshToken}${expiry},"raw":${texts.raw}}`
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

/** What a page is told on its socket. */
export const socketWords = {
  hello: (name: string): string => JSON.stringify({ message_type: 'connection_ack', ws_client_id: name }),
  ended: ({ integrationKey, connectionId, outcome }: Untold): string =>
    JSON.stringify(
      outcome.ok
        ? {
            message_type: 'success',
            provider_config_key: outcome.integrationKey,
            connection_id: outcome.connectionId,
            is_pending: false,
          }
        : {
            message_type: 'error',
            provider_config_key: integrationKey,
            connection_id: connectionId ?? '',
            error_type: errorType(outcome.code, outcome.reason),
            error_desc: outcome.message,
          },
    ),
  tooLate: (): string =>
    JSON.stringify({
      message_type: 'error',
      provider_config_key: '',
      connection_id: '',
      error_type: 'state_err',
      error_desc: 'The end user did not finish within a quarter of an hour. Start again.',
    }),
}
