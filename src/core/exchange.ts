/** One call of a provider's token endpoint with a refresh token: a renewed credential, or what the failure means. */
import type { Breaker } from './breaker.ts'
import type { Connection } from './connection.ts'
import type { Context } from './context.ts'
import type { Secret } from './credential.ts'
import { MortiseError, toMortiseError } from './errors.ts'
import { type Client, valuesOf } from './grants/authorization-code.ts'
import { readRefreshAnswer, refreshRequest, type Verdict, verdictOf } from './grants/refresh-token.ts'
import { isSilent } from './grants/token-answer.ts'
import { type Integration, unknownIntegration } from './integration.ts'
import { clientOfRow } from './own-client.ts'
import { isOutage } from './ports.ts'
import type { OAuth2Provider } from './provider.ts'
import { sealCredential } from './sealed.ts'
import { expandUrl } from './template.ts'

export type Renewed = Parameters<Context['storage']['swapCredential']>[3]

/** Whom a connection's refresh token is sent to, and as whom. */
export interface Issuer extends Client<OAuth2Provider> {
  readonly integration: Integration
  /** Of the token endpoint, with its port. */
  readonly host: string
}

/** Throws `not_found` (integration_unknown), or `integration_misconfigured`. */
export const issuerOf = async (context: Context, row: Connection): Promise<Issuer> => {
  const integration = await context.storage.integration(row.environmentId, row.integrationKey)
  if (!integration) throw unknownIntegration(row.integrationKey, await context.environmentOf(row.environmentId))
  const { provider, ...client } = await clientOfRow(context, integration, row)
  if (provider.auth !== 'oauth2')
    throw new MortiseError(
      'integration_misconfigured',
      `The connection holds a refresh token, which the definition of ${provider.name} has no use for. The operator must mend the provider file.`,
      { sent: false },
    )
  const { host } = expandUrl(provider, provider.refresh?.url ?? provider.token.url, valuesOf(client))
  return { ...client, provider, host }
}

export type Exchanged =
  /** Must be written. `silent`: the provider did not say when it ends. */
  | { readonly renewed: Renewed; readonly silent: boolean }
  | { readonly error: MortiseError; readonly verdict: Verdict }
  /** The process was held up until it was too late to send anything. */
  | 'late'

/** Sends the refresh token, not after `sendBefore` (see `CallRequest`). The breaker has been asked, and is told. */
export const exchange = async (
  context: Context,
  breaker: Breaker,
  issuer: Issuer,
  row: Connection,
  refreshToken: Secret,
  sendBefore: number,
): Promise<Exchanged> => {
  const { provider, host } = issuer
  try {
    const sealer = await context.sealerOf(row.environmentId)
    const request = refreshRequest(issuer, refreshToken)
    const response = await context.call.send({ ...request, timeout: context.timing.call, sendBefore })
    if (isOutage(response.status) && response.status !== 429) breaker.failed(host)
    else breaker.answered(host)
    const now = context.clock.now()
    const lifetime = row.expiresAt && row.expiresAt.getTime() - row.obtainedAt.getTime()
    const credential = readRefreshAnswer(provider, response, now, {
      refreshToken,
      ...(row.scopes ? { scopes: row.scopes } : {}),
      ...(lifetime === undefined ? {} : { lifetime }),
    })
    const renewed = {
      ...sealCredential(sealer, row.id, credential, provider.token.answer.refreshToken),
      ...(credential.expiresAt ? { expiresAt: credential.expiresAt } : {}),
      ...(credential.scopes ? { scopes: credential.scopes } : {}),
      obtainedAt: now,
    }
    return { renewed, silent: isSilent(provider, credential.raw.reveal()) }
  } catch (thrown) {
    const error = toMortiseError(thrown)
    if (error.code === 'internal')
      context.log.error('a refresh failed inside the hub', { err: error.cause ?? error, id: row.id })
    if (error.details.sent === false && performance.now() > sendBefore) {
      breaker.left(host)
      return 'late'
    }
    if (error.code === 'provider_unavailable' && error.details.providerStatus === undefined) breaker.failed(host)
    else breaker.left(host)
    return { error, verdict: verdictOf(error) }
  }
}
