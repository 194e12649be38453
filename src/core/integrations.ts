/** The verbs that change integrations. `addIntegration` makes them (`setup.ts`). */
import type { Context } from './context.ts'
import type { Secret } from './credential.ts'
import type { Environment } from './environment.ts'
import { badParameter, MortiseError } from './errors.ts'
import { type Integration, integrationKey, unknownIntegration } from './integration.ts'
import { changedLimits, type LimitsChange } from './limits.ts'

export interface IntegrationChange {
  readonly key?: string
  readonly clientId?: string
  readonly clientSecret?: Secret
  readonly scopes?: readonly string[]
  /** null: the provider's name. */
  readonly displayName?: string | null
  /** null: the usual ones. */
  readonly limits?: LimitsChange | null
}

/** The integration, by its key. Throws `not_found` (integration_unknown). */
export const integrationNamed = async (
  context: Context,
  environment: Environment,
  key: string,
): Promise<Integration> => {
  const found = await context.storage.integration(environment.id, key)
  if (found) return found
  throw unknownIntegration(key, environment)
}

export const checkDisplayName = (name: string): string => {
  if (/^[^\p{Cc}]{1,255}$/u.test(name)) return name
  throw badParameter('display_name', 'display_name must be 1 to 255 characters, without control characters.')
}

/**
 * Sets what is given and nothing else; a new client secret is sealed in place of the old one. Throws `conflict` for a key
 * that is taken, or for another key while connections are found by the old one.
 */
export const changeIntegration = async (
  context: Context,
  integration: Integration,
  change: IntegrationChange,
): Promise<Integration> => {
  const { key = integration.key, clientId = integration.clientId, clientSecret } = change
  if (!integrationKey.test(key))
    throw badParameter(
      'unique_key',
      `"${key.slice(0, 100)}" can't name an integration: up to 100 letters, digits and . _ ~ -, beginning with a letter or digit.`,
    )
  if (clientId === '') throw badParameter('client_id', 'The client id is empty.')
  if (clientSecret?.reveal() === '') throw badParameter('client_secret', 'The client secret is empty.')
  const sealer = await context.sealerOf(integration.environmentId)
  const { displayName: before, limits: limitsBefore, ...rest } = integration
  const limits = change.limits === undefined ? limitsBefore : changedLimits(limitsBefore, change.limits)
  const displayName = change.displayName === undefined ? before : (change.displayName ?? undefined)
  const next: Integration = {
    ...rest,
    key,
    clientId,
    ...(clientSecret
      ? { clientSecret: sealer.seal(['integrations', integration.id, 'client_secret'], clientSecret.reveal()) }
      : {}),
    scopes: change.scopes ?? integration.scopes,
    ...(displayName === undefined ? {} : { displayName: checkDisplayName(displayName) }),
    ...(limits === undefined ? {} : { limits }),
    updatedAt: context.clock.now(),
  }
  const result = await context.storage.updateIntegration(integration.id, next)
  if (result === 'updated') return next
  if (result === 'unknown')
    throw unknownIntegration(integration.key, await context.environmentOf(integration.environmentId))
  throw new MortiseError(
    'conflict',
    result === 'taken'
      ? `There is an integration "${key}" in this environment already.`
      : `"${integration.key}" can't be renamed: connections are found by that name. Delete them first, or add another integration.`,
    { reason: result === 'taken' ? 'integration_taken' : 'integration_used', parameter: 'unique_key' },
  )
}

/** Throws `conflict` while connections stand on it: their end users would lose what they have connected. */
export const removeIntegration = async (context: Context, environment: Environment, key: string): Promise<void> => {
  const result = await context.storage.removeIntegration(environment.id, key)
  if (result === 'unknown') throw unknownIntegration(key, environment)
  if (result === 'in use')
    throw new MortiseError(
      'conflict',
      `Connections stand on the integration "${key}". Delete them first: their end users would have to connect again.`,
      { reason: 'integration_used' },
    )
}
