/** Rows of connection lists: one id under three names, three envelopes, and which one is the latest. */
import { AlloyError, type AlloyHttp, isObject } from './alloy-http.ts'

export interface ConnectionRow {
  readonly id?: string
  readonly connectionId?: string
  readonly credentialId?: string
  readonly name?: string
  readonly type?: string
  readonly status?: string
  readonly connectorId?: string
  readonly integrationId?: string
  readonly integration?: string
  readonly createdAt?: string
  readonly updatedAt?: string
  /** Set by a hub that says itself which one is the newest of its user and connector. */
  readonly latest?: boolean
}

/** One id, three names: a vendor's list has `credentialId` only. */
export const connectionIdOf = (row: ConnectionRow): string | undefined => row.credentialId || row.id || row.connectionId

/** The rows of a bare array, of `{data: […]}`, `{connections: […]}` or `{credentials: […]}`. */
export const rowsOf = (answer: unknown): ConnectionRow[] => {
  const list = isObject(answer) ? (answer['data'] ?? answer['connections'] ?? answer['credentials']) : answer
  return Array.isArray(list) ? list.filter(isObject) : []
}

/** `notion`, from whichever field says so: a vendor's list has `type: 'notion-oauth2'` only. */
export const integrationOf = (row: ConnectionRow): string | undefined =>
  row.connectorId || row.integrationId || row.integration || row.type?.replace(/-[^-]*$/, '')

export const isOf = (connectorId: string, row: ConnectionRow): boolean => integrationOf(row) === connectorId

/** Milliseconds. An id of 24 hex digits begins with its second, for rows without a date. */
const createdAt = (row: ConnectionRow): number => {
  const written = Date.parse(row.createdAt ?? '')
  if (!Number.isNaN(written)) return written
  const seconds = /^(?:conn_|cred_)?([0-9a-f]{8})[0-9a-f]{16}$/.exec(connectionIdOf(row) ?? '')?.[1]
  return seconds === undefined ? 0 : Number.parseInt(seconds, 16) * 1000
}

/**
 * The newest of those that the server marks. One that marks none of its rows picks none: a hub never picks what a bare
 * public key made. Where no row says anything, the newest by its date, wherever it stands in the list.
 */
export const latestOf = (rows: readonly ConnectionRow[]): ConnectionRow | undefined =>
  (rows.some(each => typeof each.latest === 'boolean') ? rows.filter(each => each.latest === true) : rows).reduce<
    ConnectionRow | undefined
  >((best, row) => (best === undefined || isNewer(row, best) ? row : best), undefined)

const isNewer = (a: ConnectionRow, b: ConnectionRow): boolean => {
  const difference = createdAt(a) - createdAt(b)
  if (difference !== 0) return difference > 0
  return (connectionIdOf(a) ?? '') > (connectionIdOf(b) ?? '')
}

/** Where there are rows, and no latest. */
export const nonePicked =
  'None of them is picked by itself, since whoever has the public key may have made it. Choose one by its ID: npm run list-connections'

/** Whether a row goes by this id, under any of its names and with or without a prefix. */
export const hasId = (row: ConnectionRow, id: string): boolean =>
  [row.id, row.connectionId, row.credentialId].some(each => each !== undefined && bare(each) === bare(id))

const bare = (id: string): string => id.replace(/^(?:conn|cred)_/, '')

/** A row that does not say it is unusable is usable: a vendor's list has no status. */
export const isUsable = (row: ConnectionRow): boolean =>
  row.status === undefined || row.status === 'connected' || row.status === 'active'

/** The bare array of S0; a server without that route has the list under `credentials`. */
export const fetchConnections = async (http: AlloyHttp, userId: string): Promise<ConnectionRow[]> => {
  const user = `/users/${encodeURIComponent(userId)}`
  try {
    return rowsOf((await http.get(`${user}/connections`)).data)
  } catch (error) {
    if (!(error instanceof AlloyError && error.status === 404)) throw error
    return rowsOf((await http.get(`${user}/credentials`)).data)
  }
}
