/** A credential ↔ its two sealed parts: reading needs only the first, renewing both. */

import type { Connection, ReadRow } from './connection.ts'
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
  const secrets = [credential.accessToken, credential.tokenSecret].flatMap(each => each?.reveal() ?? [])
  const access = sealer.seal(['connections', id, 'access'], JSON.stringify([...secrets, bare.raw]))
  if (token === undefined) return { access }
  const renewal: Renewal = { token, ...('path' in bare ? { path: bare.path } : {}) }
  return { access, renewal: sealer.seal(['connections', id, 'renewal'], JSON.stringify(renewal)) }
}

const openPart = (sealer: Sealer, row: Pick<ReadRow, 'id' | 'renewal'>): Renewal | undefined =>
  row.renewal ? JSON.parse(sealer.open(['connections', row.id, 'renewal'], row.renewal)) : undefined

export const openRenewal = (sealer: Sealer, row: Pick<Connection, 'id' | 'renewal'>): Secret | undefined => {
  const renewal = openPart(sealer, row)
  return renewal && new Secret(renewal.token)
}

/**
 * A credential as the JSON texts that its parts were sealed as: who answers in JSON splices them, and parses nothing that
 * it has no need to.
 */
export interface CredentialTexts {
  /** With its quotes. */
  readonly accessToken: string
  /** Of OAuth 1; with its quotes too. */
  readonly tokenSecret?: string
  readonly raw: string
  readonly refreshToken?: string
}

/** Where a JSON string ends, after its closing quote. */
const endOfString = (text: string, start: number): number => {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let at = end - 1
    while (text[at] === '\\') at--
    // Escaped by an odd number of backslashes, it is part of the string.
    if ((end - at) % 2 === 1) return end + 1
  }
}

/** The credential as texts. Its renewal part is opened only where the row was read with it. */
export const openTexts = (sealer: Sealer, row: Pick<ReadRow, 'id' | 'access' | 'renewal'>): Secret<CredentialTexts> => {
  // ["the token",{the answer}], or ["the token","its secret",{the answer}]
  const text = sealer.open(['connections', row.id, 'access'], row.access)
  const end = endOfString(text, 1)
  const accessToken = text.slice(1, end)
  if (text[end + 1] === '"') {
    const endOfSecret = endOfString(text, end + 1)
    const tokenSecret = text.slice(end + 1, endOfSecret)
    return new Secret({ accessToken, tokenSecret, raw: text.slice(endOfSecret + 1, -1) })
  }
  const raw = text.slice(end + 1, -1)
  const renewal = openPart(sealer, row)
  if (renewal === undefined) return new Secret({ accessToken, raw })
  return new Secret({ accessToken, raw: wholeText(raw, renewal), refreshToken: JSON.stringify(renewal.token) })
}

/** The answer with the refresh token back where it stood. */
const wholeText = (raw: string, { token, path }: Renewal): string => {
  if (path === undefined) return raw
  // At the top it was the one key of its name, and comes last, as in an object to which it is given.
  if (/^[a-z]\w*$/i.test(path))
    return `${raw.slice(0, -1)}${raw === '{}' ? '' : ','}"${path}":${JSON.stringify(token)}}`
  const answer: JsonObject = JSON.parse(raw)
  makeWhole(answer, path, token)
  return JSON.stringify(answer)
}

const makeWhole = (raw: JsonObject, path: string, token: string): void => {
  const [holder, key] = holderOf(raw, path)
  if (holder) holder[key] = token
}

/** The whole credential, its answer made whole again. */
export const openCredential = (sealer: Sealer, row: Connection): Credential => {
  const parts: [string, JsonObject] | [string, string, JsonObject] = JSON.parse(
    sealer.open(['connections', row.id, 'access'], row.access),
  )
  const [accessToken, tokenSecret, raw] = parts.length === 3 ? parts : [parts[0], undefined, parts[1]]
  const renewal = openPart(sealer, row)
  if (renewal?.path !== undefined) makeWhole(raw, renewal.path, renewal.token)
  return {
    kind: row.kind,
    accessToken: new Secret(accessToken),
    ...(tokenSecret === undefined ? {} : { tokenSecret: new Secret(tokenSecret) }),
    ...(renewal ? { refreshToken: new Secret(renewal.token) } : {}),
    ...(row.expiresAt ? { expiresAt: row.expiresAt } : {}),
    ...(row.scopes ? { scopes: row.scopes } : {}),
    raw: new Secret(raw),
  }
}
