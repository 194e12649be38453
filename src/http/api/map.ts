/** Core → wire. Pure. */
import type { Action } from '../../core/action.ts'
import type { Attempt, Outcome } from '../../core/attempt.ts'
import { type Connection, type ListedConnection, shownId } from '../../core/connection.ts'
import type { Context } from '../../core/context.ts'
import { type EndUser, shownUserId } from '../../core/end-user.ts'
import type { SecretKey } from '../../core/environment.ts'
import { errorTable } from '../../core/errors.ts'
import { kindsOf } from '../../core/give.ts'
import type { Integration } from '../../core/integration.ts'
import { paginationOf } from '../../core/pages.ts'
import type { Provider, ProviderInput } from '../../core/provider.ts'
import type { Reading } from '../../core/read.ts'
import { type ConnectSession, sessionStatus } from '../../core/session.ts'
import type { Walked } from '../../core/walk.ts'
import type { ActionShape, WalkLine } from './action-shapes.ts'
import type {
  AttemptShape,
  ConnectionShape,
  CredentialShape,
  IntegrationShape,
  KeyShape,
  PersonShape,
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
  displayName: integration.displayName ?? null,
  limits: {
    firstByteSeconds: integration.limits?.firstByteSeconds ?? null,
    idleSeconds: integration.limits?.idleSeconds ?? null,
    requestBytes: integration.limits?.requestBytes ?? null,
    answerBytes: integration.limits?.answerBytes ?? null,
  },
  clientId: integration.clientId,
  scopes: [...integration.scopes],
  settings: { ...integration.settings },
  redirectUri: integration.redirectUri ?? redirectUri,
  forwardTo: integration.redirectUri === undefined ? null : redirectUri,
  sandbox: integration.sandbox,
  createdAt: integration.createdAt.toISOString(),
  updatedAt: integration.updatedAt.toISOString(),
})

const toFailure = (outcome: Outcome | undefined) =>
  outcome && !outcome.ok ? { code: outcome.code, reason: outcome.reason ?? null, message: outcome.message } : null

export const toAttempt = (attempt: Attempt, now: Date): AttemptShape => {
  const { outcome } = attempt
  return {
    status: outcome ? (outcome.ok ? 'connected' : 'failed') : attempt.expiresAt <= now ? 'expired' : 'pending',
    integration: attempt.integrationKey,
    scopes: [...attempt.scopes],
    error: toFailure(outcome),
    startedAt: attempt.createdAt.toISOString(),
    expiresAt: attempt.expiresAt.toISOString(),
    returnedAt: attempt.takenAt?.toISOString() ?? null,
  }
}

/** `connection`: the id of the one that it made, if it is there still. */
export const toSession = (
  session: ConnectSession,
  now: Date,
  connection: Parameters<typeof shownId>[0] | undefined,
): SessionShape => {
  return {
    id: session.id,
    status: sessionStatus(session, now),
    opened: session.browserHash !== undefined,
    integration: session.integrationKey || null,
    endUser: shownUserId(session.environmentId, session.endUserId),
    connection: connection ? shownId(connection) : null,
    error: toFailure(session.outcome),
    createdAt: session.createdAt.toISOString(),
    expiresAt: session.expiresAt.toISOString(),
    finishedAt: session.finishedAt?.toISOString() ?? null,
  }
}

const toPerson = (user: EndUser): PersonShape => ({
  id: user.id,
  username: user.username,
  fullName: user.fullName ?? null,
  email: user.email ?? null,
  tags: { ...user.tags },
  organization: user.organization ? { id: user.organization.id, name: user.organization.name ?? null } : null,
})

export const toConnection = (row: ListedConnection): ConnectionShape => ({
  id: shownId(row),
  connectionId: row.connectionId,
  integration: row.integrationKey,
  provider: row.provider,
  kind: row.kind,
  status: row.status,
  statusReason: row.statusReason ?? null,
  name: row.name ?? null,
  endUser: row.endUser ? toPerson(row.endUser) : null,
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
  tags: { ...row.tags },
  metadata: row.metadata,
  facts: row.facts,
  webhookUrlOverride: row.webhookUrlOverride ?? null,
  refreshable: row.renewable,
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
  if (kind === 'oauth1') return { kind, token, tokenSecret: JSON.parse(texts.tokenSecret ?? 'null') }
  if (kind !== 'oauth2') return { kind, key: token }
  return {
    kind,
    accessToken: token,
    refreshToken: texts.refreshToken === undefined ? null : JSON.parse(texts.refreshToken),
    expiresAt: row.expiresAt === null ? null : new Date(row.expiresAt).toISOString(),
    raw: JSON.parse(texts.raw),
  }
}

export const toAction = (provider: Provider, action: Action): ActionShape => ({
  id: action.id,
  aliases: [...action.aliases],
  title: action.title,
  description: action.description,
  resource: action.resource,
  method: action.method,
  path: action.path,
  docs: action.docs,
  parameters: action.parameters.map(({ name, in: place, required, description, schema }) => ({
    name,
    in: place,
    required,
    description,
    schema,
  })),
  body: action.body ?? null,
  paginated: paginationOf(provider, action) !== undefined,
})

/** One line of a walk. */
export const toLine = (walked: Walked): WalkLine => {
  if ('item' in walked) return walked
  if ('end' in walked) return { end: { ...walked.end, next: walked.end.next ?? null } }
  const { error, answer, next, ...counts } = walked.failed
  return {
    error: {
      code: error.code,
      message: error.message,
      reason: error.details.reason ?? null,
      actor: errorTable[error.code].who,
      status: answer?.status ?? null,
      headers: answer ? { ...answer.headers } : null,
      body: answer?.body ?? null,
      ...counts,
      next: next ?? null,
    },
  }
}
