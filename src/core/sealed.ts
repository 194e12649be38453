/** A credential ↔ its two sealed parts: reading needs only the first, renewing both. */

import type { Connection } from './connection.ts'
import { type Credential, type JsonObject, pick, Secret } from './credential.ts'
import type { Sealer } from './ports.ts'

interface Renewal {
  readonly token: string
  /** Where it stood in the latest answer, if it did. */
  readonly path?: string
}

/** The object that a path's last key stands in, and that key. */
const holderOf = (raw: JsonObject, path: string): [JsonObject | undefined, string] => {
  const dot = path.lastIndexOf('.')
  const holder = dot === -1 ? raw : pick(raw, path.slice(0, dot))
  const key = path.slice(dot + 1)
  return [typeof holder === 'object' && holder !== null && !Array.isArray(holder) ? holder : undefined, key]
}

/** The answer without the refresh token, and the path it was taken from. The answer itself is left as it is. */
const without = (raw: JsonObject, token: string, paths: readonly string[]): { raw: JsonObject; path?: string } => {
  const path = paths.find(each => {
    const [holder, key] = holderOf(raw, each)
    return holder?.[key] === token
  })
  if (path === undefined) return { raw }
  const copy = structuredClone(raw)
  const [holder, key] = holderOf(copy, path)
  delete holder?.[key]
  return { raw: copy, path }
}

/** `refreshPath`: where the definition says a refresh token stands in an answer. */
export const sealCredential = (
  sealer: Sealer,
  id: string,
  credential: Credential,
  refreshPath: string | readonly string[],
): Pick<Connection, 'access' | 'renewal'> => {
  const token = credential.refreshToken?.reveal()
  const paths = typeof refreshPath === 'string' ? [refreshPath] : refreshPath
  const bare = token === undefined ? { raw: credential.raw.reveal() } : without(credential.raw.reveal(), token, paths)
  const access = sealer.seal(['connections', id, 'access'], JSON.stringify([credential.accessToken.reveal(), bare.raw]))
  if (token === undefined) return { access }
  const renewal: Renewal = { token, ...('path' in bare ? { path: bare.path } : {}) }
  return { access, renewal: sealer.seal(['connections', id, 'renewal'], JSON.stringify(renewal)) }
}

const openPart = (sealer: Sealer, row: Pick<Connection, 'id' | 'renewal'>): Renewal | undefined =>
  row.renewal && JSON.parse(sealer.open(['connections', row.id, 'renewal'], row.renewal))

export const openRenewal = (sealer: Sealer, row: Pick<Connection, 'id' | 'renewal'>): Secret | undefined => {
  const renewal = openPart(sealer, row)
  return renewal && new Secret(renewal.token)
}

/** The whole credential, its answer made whole again. */
export const openCredential = (sealer: Sealer, row: Connection): Credential => {
  const [accessToken, raw]: [string, JsonObject] = JSON.parse(
    sealer.open(['connections', row.id, 'access'], row.access),
  )
  const renewal = openPart(sealer, row)
  if (renewal?.path !== undefined) {
    const [holder, key] = holderOf(raw, renewal.path)
    if (holder) holder[key] = renewal.token
  }
  return {
    kind: row.kind,
    accessToken: new Secret(accessToken),
    ...(renewal ? { refreshToken: new Secret(renewal.token) } : {}),
    ...(row.expiresAt ? { expiresAt: row.expiresAt } : {}),
    ...(row.scopes ? { scopes: row.scopes } : {}),
    raw: new Secret(raw),
  }
}
