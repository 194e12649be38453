/** Rows of environments with their lists and keys, and rows ↔ core's nouns. */
import type { Environment, SecretKey } from '../core/environment.ts'
import { date, optional, same } from './columns.ts'

export interface EnvironmentTables {
  environments: {
    id: number
    name: string
    public_key: string
    wrapped_key: Uint8Array
    hmac_key: Uint8Array | null
    jwt_key: Uint8Array | null
    tells_latest: number
    frozen_at: number | null
    created_at: number
  }
  allowed_urls: { environment_id: number; kind: string; url: string }
  secret_keys: {
    environment_id: number
    id: string
    name: string
    hash: string
    hint: string
    scopes_json: string
    created_at: number
    revoked_at: number | null
  }
}

export const fromEnvironment = (environment: Environment): EnvironmentTables['environments'] => ({
  id: environment.id,
  name: environment.name,
  public_key: environment.publicKey,
  wrapped_key: environment.wrappedKey,
  hmac_key: environment.hmacKey ?? null,
  jwt_key: environment.jwtKey ?? null,
  tells_latest: environment.tellsLatest ? 1 : 0,
  frozen_at: environment.frozenAt?.getTime() ?? null,
  created_at: environment.createdAt.getTime(),
})

export const toEnvironment = (row: EnvironmentTables['environments']): Environment => ({
  id: row.id,
  name: row.name,
  publicKey: row.public_key,
  wrappedKey: row.wrapped_key,
  ...optional('hmacKey', row.hmac_key, same),
  ...optional('jwtKey', row.jwt_key, same),
  tellsLatest: row.tells_latest === 1,
  ...optional('frozenAt', row.frozen_at, date),
  createdAt: date(row.created_at),
})

export const toSecretKey = (row: EnvironmentTables['secret_keys']): SecretKey => ({
  environmentId: row.environment_id,
  id: row.id,
  name: row.name,
  hash: row.hash,
  hint: row.hint,
  scopes: JSON.parse(row.scopes_json),
  createdAt: date(row.created_at),
  ...optional('revokedAt', row.revoked_at, date),
})
