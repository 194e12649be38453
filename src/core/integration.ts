/** An integration: our configured client at a provider, named by the operator. */
import type { Environment } from './environment.ts'
import { MortiseError } from './errors.ts'
import type { Limits } from './limits.ts'

export interface Integration {
  readonly environmentId: number
  /** 24 hex digits; the row's place in seals. */
  readonly id: string
  /** The operator's name for it: `github`, `notion-eu`. */
  readonly key: string
  /** The provider definition's id. */
  readonly provider: string
  readonly clientId: string
  /** Sealed. */
  readonly clientSecret: Uint8Array
  /** What it asks for; a connect link may only narrow it. */
  readonly scopes: readonly string[]
  /** Values for the definition's `settings`. */
  readonly settings: Readonly<Record<string, string>>
  /** What the provider is told to send the browser to, where that is the app: it then sends the browser on to ours. */
  readonly redirectUri?: string
  /** What people call it, where that is not the provider's name. */
  readonly displayName?: string
  /** Where they are not the usual ones. */
  readonly limits?: Limits
  /** Played by the sandbox. Only `dev` makes these. */
  readonly sandbox: boolean
  readonly createdAt: Date
  readonly updatedAt: Date
}

export const unknownIntegration = (key: string, environment: Pick<Environment, 'name'>): MortiseError =>
  new MortiseError(
    'not_found',
    `There is no integration "${key}" in the environment "${environment.name}". Its operator can add it: npx mortise integrations add ${key} --provider …`,
    { reason: 'integration_unknown' },
  )

/** What an integration's name may be: it stands in URLs and in `provider_config_key`. */
export const integrationKey = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,99}$/
