/** Wire ↔ core. Pure. */
import type { Outcome } from '../../core/attempt.ts'
import { type ListedConnection, mergedMetadata, mergedMetadataText, type ReadRow } from '../../core/connection.ts'
import type { Reading } from '../../core/read.ts'
import type { Untold } from '../../core/storage.ts'
import { isoTime } from '../iso.ts'
import { errorType } from './errors.ts'

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

/** The same of 2026. `zone`: how its times end; those of an import are told otherwise than those that are read. */
export const toCurrentConnection = (reading: Reading, withCredentials: boolean, zone = '+00:00'): string => {
  const { integrationKey, connectionId, row } = reading
  const credentials = withCredentials ? toCredentials(reading, false) : '{}'
  return `{"id":${row.number},"connection_id":${text(connectionId)},"provider_config_key":${text(integrationKey)},"provider":${text(row.provider)},"errors":[],"end_user":${toEndUser(row)},"tags":${row.tags},"metadata":${mergedMetadataText(row)},"connection_config":${row.config},"webhook_url_override":${orNull(row.webhookUrlOverride)},"created_at":"${isoTime(row.createdAt)}${zone}","updated_at":"${isoTime(row.updatedAt)}${zone}","last_fetched_at":null,"credentials":${credentials}}`
}

const orNull = (value: string | null): string => (value === null ? 'null' : text(value))

const toEndUser = (row: ReadRow): string => {
  if (row.username === null) return 'null'
  const organization =
    row.organizationId === null
      ? 'null'
      : `{"id":${text(row.organizationId)},"display_name":${orNull(row.organizationName)}}`
  return `{"id":${text(row.username)},"display_name":${orNull(row.fullName)},"email":${orNull(row.email)},"tags":${row.userTags ?? 'null'},"organization":${organization}}`
}

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

/** One of a list, as JSON. In 2023 its `provider` is the integration's key. */
export const toListed = (row: ListedConnection, year: 2023 | 2026): string => {
  const { endUser } = row
  return JSON.stringify({
    id: row.number,
    connection_id: row.connectionId,
    provider_config_key: row.integrationKey,
    provider: year === 2023 ? row.integrationKey : row.provider,
    // There is no log to look into; the row's id is what the hub's own log calls it.
    errors: row.status === 'connected' ? [] : [{ type: 'auth', log_id: row.id }],
    end_user: endUser
      ? {
          id: endUser.username,
          display_name: endUser.fullName ?? null,
          email: endUser.email ?? null,
          tags: endUser.tags ?? null,
          organization: endUser.organization
            ? { id: endUser.organization.id, display_name: endUser.organization.name ?? null }
            : null,
        }
      : null,
    tags: row.tags,
    metadata: mergedMetadata(row),
    created: `${isoTime(row.createdAt.getTime())}${year === 2023 ? 'Z' : '+00:00'}`,
  })
}

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
