/** Core → wire. Pure. */
import { type Connection, shownId } from '../../core/connection.ts'
import type { Context } from '../../core/context.ts'
import { type EndUser, shownUserId } from '../../core/end-user.ts'
import type { SecretKey } from '../../core/environment.ts'
import { kindsOf } from '../../core/give.ts'
import type { Integration } from '../../core/integration.ts'
import type { Provider, ProviderInput } from '../../core/provider.ts'
import type { Reading } from '../../core/read.ts'
import { type ConnectSession, sessionStatus } from '../../core/session.ts'
import type {
  ConnectionShape,
  CredentialShape,
  IntegrationShape,
  KeyShape,
  ProviderShape,
  SessionShape,
} from './shapes.ts'

export const toKey = (key: SecretKey): KeyShape => ({
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

export const toProvider = (provider: Provider): ProviderShape => ({
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
): IntegrationShape => ({
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
): SessionShape => {
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

export const toConnection = (row: Connection, user: EndUser | undefined): ConnectionShape => ({
  id: shownId(row),
  connectionId: row.connectionId,
  integration: row.integrationKey,
  provider: row.provider,
  kind: row.kind,
  status: row.status,
  statusReason: row.statusReason ?? null,
  name: row.name ?? null,
  endUser: user ? { id: user.id, username: user.username, fullName: user.fullName ?? null } : null,
  account: row.account
    ? {
        id: row.account.id,
        name: row.account.name ?? null,
        personId: row.account.personId ?? null,
        personName: row.account.personName ?? null,
      }
    : null,
  scopes: row.scopes ? [...row.scopes] : null,
  config: { ...row.config },
  metadata: row.metadata,
  facts: row.facts,
  refreshable: row.renewal !== undefined,
  expiresAt: row.expiresAt?.toISOString() ?? null,
  obtainedAt: row.obtainedAt.toISOString(),
  checkedAt: row.checkedAt?.toISOString() ?? null,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
})

export const toCredential = (kind: Connection['kind'], { credential, row }: Reading): CredentialShape => {
  const texts = credential.reveal()
  const token: string = JSON.parse(texts.accessToken)
  if (kind === 'basic') {
    const colon = token.indexOf(':')
    return { kind, username: token.slice(0, colon), password: token.slice(colon + 1) }
  }
  if (kind !== 'oauth2') return { kind, key: token }
  return {
    kind,
    accessToken: token,
    refreshToken: texts.refreshToken === undefined ? null : JSON.parse(texts.refreshToken),
    expiresAt: row.expiresAt === null ? null : new Date(row.expiresAt).toISOString(),
    raw: JSON.parse(texts.raw),
  }
}
