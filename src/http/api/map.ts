/** Core → wire. Pure. */
import type * as z from 'zod'
import { shownId } from '../../core/connection.ts'
import type { Context } from '../../core/context.ts'
import { shownUserId } from '../../core/end-user.ts'
import type { SecretKey } from '../../core/environment.ts'
import { kindsOf } from '../../core/give.ts'
import type { Integration } from '../../core/integration.ts'
import type { Provider, ProviderInput } from '../../core/provider.ts'
import { type ConnectSession, sessionStatus } from '../../core/session.ts'
import type { integrationShape, keyShape, providerShape, sessionShape } from './shapes.ts'

export const toKey = (key: SecretKey): z.infer<typeof keyShape> => ({
  id: key.id,
  name: key.name,
  begins: key.hint,
  scopes: [...key.scopes],
  createdAt: key.createdAt.toISOString(),
  revokedAt: key.revokedAt?.toISOString() ?? null,
})

const toInputs = (inputs: Readonly<Record<string, ProviderInput>>) =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, { title, kind, example, default: usual }]) => [
      name,
      { title, kind, required: usual === undefined, default: usual ?? null, example: example ?? null },
    ]),
  )

export const toProvider = (provider: Provider): z.infer<typeof providerShape> => ({
  id: provider.id,
  name: provider.name,
  categories: [...provider.categories],
  auth: provider.auth,
  kinds: [...kindsOf(provider)],
  refreshes: provider.refresh !== undefined,
  scopes: [...(provider.authorize.scopes?.default ?? [])],
  params: toInputs(provider.params),
  settings: toInputs(provider.settings),
  apiBase: provider.api.base,
  docs: [...provider.docs],
})

export const toIntegration = (
  integration: Integration,
  { redirectUri }: Pick<Context, 'redirectUri'>,
): z.infer<typeof integrationShape> => ({
  key: integration.key,
  provider: integration.provider,
  clientId: integration.clientId,
  scopes: [...integration.scopes],
  settings: { ...integration.settings },
  redirectUri: integration.redirectUri ?? redirectUri,
  forwardTo: integration.redirectUri === undefined ? null : redirectUri,
  sandbox: integration.sandbox,
  createdAt: integration.createdAt.toISOString(),
  updatedAt: integration.updatedAt.toISOString(),
})

/** `connection`: the id of the one that it made, if it is there still. */
export const toSession = (
  session: ConnectSession,
  now: Date,
  connection: Parameters<typeof shownId>[0] | undefined,
): z.infer<typeof sessionShape> => {
  const { outcome } = session
  return {
    id: session.id,
    status: sessionStatus(session, now),
    opened: session.browserHash !== undefined,
    integration: session.integrationKey,
    endUser: shownUserId(session.environmentId, session.endUserId),
    connection: connection ? shownId(connection) : null,
    error:
      outcome && !outcome.ok ? { code: outcome.code, reason: outcome.reason ?? null, message: outcome.message } : null,
    createdAt: session.createdAt.toISOString(),
    expiresAt: session.expiresAt.toISOString(),
    finishedAt: session.finishedAt?.toISOString() ?? null,
  }
}
