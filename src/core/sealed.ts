/** A credential ↔ its two sealed parts: reading needs only the first, renewing both. */

import type { Connection } from './connection.ts'
import { type Credential, type Json, type JsonObject, Secret } from './credential.ts'
import type { Sealer } from './ports.ts'

type Renewal = { token: string /** Where it stood in the latest answer, if it did. */; path?: string }

/** The answer without the refresh token, and the path it was taken from. The answer itself is left as it is. */
const without = (raw: JsonObject, token: string, paths: readonly string[]): { raw: JsonObject; path?: string } => {
  for (const path of paths) {
    const copy = structuredClone(raw)
    const [holder, key] = holderOf(copy, path)
    if (holder?.[key] === token) {
      delete holder[key]
      return { raw: copy, path }
    }
  }
  return { raw }
}

const holderOf = (raw: JsonObject, path: string): [JsonObject | undefined, string] => {
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  let at: Json | undefined = raw
  for (const key of keys)
    at = typeof at === 'object' && at !== null && Object.hasOwn(at, key) ? (at as JsonObject)[key] : undefined
  return [typeof at === 'object' && at !== null && !Array.isArray(at) ? at : undefined, last]
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

export const openRenewal = (sealer: Sealer, row: Pick<Connection, 'id' | 'renewal'>): Secret | undefined => {
  if (!row.renewal) return undefined
  const renewal: Renewal = JSON.parse(sealer.open(['connections', row.id, 'renewal'], row.renewal))
  return new Secret(renewal.token)
}

/** The whole credential, its answer made whole again. */
export const openCredential = (sealer: Sealer, row: Connection): Credential => {
  const [accessToken, raw]: [string, JsonObject] = JSON.parse(
    sealer.open(['connections', row.id, 'access'], row.access),
  )
  const renewal: Renewal | undefined = row.renewal
    ? JSON.parse(sealer.open(['connections', row.id, 'renewal'], row.renewal))
    : undefined
  if (renewal?.path !== undefined) {
    const [holder, key] = holderOf(raw, renewal.path)
    if (holder) holder[key] = renewal.token
  }
  return {
    accessToken: new Secret(accessToken),
    ...(renewal ? { refreshToken: new Secret(renewal.token) } : {}),
    ...(row.expiresAt ? { expiresAt: row.expiresAt } : {}),
    ...(row.scopes ? { scopes: row.scopes } : {}),
    raw: new Secret(raw),
  }
}
