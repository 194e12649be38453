/**
 * start → authorize → callback → connection. RFC 6749 §4.1, RFC 7636 (PKCE), RFC 9207 (iss), RFC 9700 (the floor); RFC 5849
 * for OAuth 1. What differs by the grant is in `handshake.ts`.
 */
import { authorizationParamsOf, checkGiven, type Start, scopesOf } from './asked.ts'
import { type Attempt, failed, type Outcome } from './attempt.ts'
import { accountKeyOf, accountLabel, type Connection, mayRepair, mintedId, repairedIsGone } from './connection.ts'
import type { Context } from './context.ts'
import { type Credential, type Json, pickText } from './credential.ts'
import { refreshAt } from './due.ts'
import { MortiseError, toMortiseError } from './errors.ts'
import { mustNotBeFrozen } from './frozen.ts'
import type { Client } from './grants/authorization-code.ts'
import { isSilent } from './grants/token-answer.ts'
import { begin, obtain, type Returned } from './handshake.ts'
import { connectionEvents } from './happened.ts'
import { identityRequest, readAccount, readFacts, readIdentityAnswer } from './identity.ts'
import { newId, newNonce, newNumber, sha256 } from './ids.ts'
import { unknownIntegration } from './integration.ts'
import { learnExpiry } from './learn-expiry.ts'
import { clientOf, openOwnClient, sealOwnClient } from './own-client.ts'
import { refreshPath } from './provider.ts'
import { sealCredential } from './sealed.ts'
import { fillInputs, keptOrigin } from './template.ts'

/** How long an attempt may take, in milliseconds. */
const attemptLife = 10 * 60_000

/** By then the calls that finish an attempt have answered or timed out, in milliseconds. */
const longestFinish = 2 * 60_000

export interface Started {
  /** Where to send the browser. */
  readonly url: string
  /** The cookie to set in that browser: named after `stateHash`, holding `nonce`. */
  readonly stateHash: string
  readonly nonce: string
}

export interface Callback extends Returned {
  readonly state: string | undefined
  /** What the browser's cookie for this attempt holds. */
  readonly nonceOf: (stateHash: string) => string | undefined
}

export interface Finished {
  readonly attempt: Attempt
  readonly outcome: Outcome
}

export const start = async (context: Context, ask: Start): Promise<Started> => {
  const { storage, clock } = context
  await mustNotBeFrozen(context, ask.environment.id)
  const integration = await storage.integration(ask.environment.id, ask.integrationKey)
  if (!integration) throw unknownIntegration(ask.integrationKey, ask.environment)
  const provider = context.providerOf(integration)
  checkGiven(provider, ask)
  const config = fillInputs(provider.params, ask.params, name => `params[${name}]`)
  const scopes = scopesOf(integration, ask)
  const params = authorizationParamsOf(provider, ask)
  const { ownClient: own } = ask

  const state = `${ask.environment.id.toString(36)}.${newNonce()}`
  const [stateHash, nonce] = [sha256(state), newNonce()]
  const redirectUri = integration.redirectUri ?? context.redirectUri
  const client = await clientOf(context, integration, config, own)
  const { url, kept, issuer, issuerAlways } = await begin(context, client, { state, redirectUri, scopes, params })
  const sealer = await context.sealerOf(ask.environment.id)
  const now = clock.now()
  await storage.addAttempt({
    environmentId: ask.environment.id,
    stateHash,
    browserHash: sha256(nonce),
    integrationKey: integration.key,
    integrationId: integration.id,
    provider: provider.id,
    ...(ask.connectionId === undefined ? {} : { connectionId: ask.connectionId }),
    endUserId: ask.endUserId ?? '',
    ...(ask.sessionId === undefined ? {} : { sessionId: ask.sessionId }),
    ...(ask.name === undefined ? {} : { name: ask.name }),
    trust: ask.trust,
    duplicate: ask.duplicate,
    scopes,
    config,
    redirectUri,
    ...(issuer === undefined ? {} : { issuer }),
    issuerAlways,
    ...(kept === undefined ? {} : { verifier: sealer.seal(['attempts', stateHash, 'verifier'], kept) }),
    ...(own === undefined ? {} : { client: sealOwnClient(sealer, 'attempts', stateHash, own) }),
    ...(ask.repairs === undefined ? {} : { repairs: ask.repairs }),
    ...(ask.listener === undefined ? {} : { listener: sha256(ask.listener) }),
    ...(ask.returnTo === undefined ? {} : { returnTo: ask.returnTo }),
    dialect: ask.dialect,
    createdAt: now,
    expiresAt: new Date(now.getTime() + attemptLife),
  })
  return { url: context.call.page(url.href, integration.sandbox), stateHash, nonce }
}

/**
 * Finishes the attempt that the state names: in the browser that began it, once. The same browser asking again is shown
 * the same outcome. Throws `session_expired` where there is no attempt to speak of (unknown, expired, another browser);
 * every other failure is the attempt's recorded outcome.
 */
export const finish = async (context: Context, callback: Callback): Promise<Finished> => {
  const { storage, clock } = context
  const expired = (reason: NonNullable<MortiseError['details']['reason']>, message: string): MortiseError =>
    new MortiseError('session_expired', message, { reason })
  if (callback.state === undefined)
    throw expired(
      'state_missing',
      'The provider sent no state, so the hub cannot tell which attempt this is. Start again from the app.',
    )
  const environmentId = Number.parseInt(/^([0-9a-z]{1,11})\.[\w-]{43}$/.exec(callback.state)?.[1] ?? '', 36)
  const stateHash = sha256(callback.state)
  const nonce = callback.nonceOf(stateHash)
  const taken =
    nonce !== undefined && Number.isSafeInteger(environmentId)
      ? await storage.takeAttempt(environmentId, stateHash, sha256(nonce), clock.now())
      : undefined
  if (!taken) {
    const attempt = Number.isSafeInteger(environmentId) ? await storage.attempt(environmentId, stateHash) : undefined
    if (!attempt) throw expired('state_unknown', 'The hub knows no such attempt. Start again from the app.')
    if (nonce === undefined || sha256(nonce) !== attempt.browserHash)
      throw expired(
        'other_browser',
        'This attempt was begun in another browser and can only be finished there. Start again from the app.',
      )
    if (attempt.outcome) return { attempt, outcome: attempt.outcome }
    if (attempt.takenAt) {
      const interrupted = clock.now().getTime() - attempt.takenAt.getTime() > longestFinish
      throw expired(
        'state_used',
        interrupted
          ? 'The hub was interrupted while it finished this attempt. Start again from the app.'
          : 'This attempt is being finished already. Reload the page in a moment.',
      )
    }
    throw expired('state_expired', 'This attempt took longer than ten minutes. Start again from the app.')
  }
  try {
    const outcome = await complete(context, taken, callback)
    return { attempt: taken, outcome }
  } catch (thrown) {
    const error = toMortiseError(thrown)
    if (error.code === 'internal') context.log.error('finishing an attempt failed', { err: error.cause ?? error })
    const outcome = failed(error)
    try {
      await storage.endAttempt(taken.environmentId, stateHash, outcome, clock.now())
    } catch (failure) {
      context.log.error('an outcome was not recorded', { err: failure })
    }
    return { attempt: taken, outcome }
  }
}

const complete = async (context: Context, attempt: Attempt, callback: Callback): Promise<Outcome> => {
  const { storage, clock } = context
  // A code that is exchanged gives what could not be kept.
  await mustNotBeFrozen(context, attempt.environmentId)
  const integration = await storage.integration(attempt.environmentId, attempt.integrationKey)
  if (!integration || integration.id !== attempt.integrationId)
    throw new MortiseError(
      'session_expired',
      'The integration was changed while this attempt ran. Start again from the app.',
    )
  const { sessionId } = attempt
  const session = sessionId === undefined ? undefined : await storage.session(attempt.environmentId, { id: sessionId })
  // It ends with its user, too.
  if (sessionId !== undefined && !session)
    throw new MortiseError(
      'session_expired',
      'The session of this attempt was ended meanwhile. Start again from the app.',
      { reason: 'session_over' },
    )
  const sealer = await context.sealerOf(attempt.environmentId)
  const own = attempt.client && openOwnClient(sealer, 'attempts', attempt.stateHash, attempt.client)
  const client = await clientOf(context, integration, attempt.config, own)
  const { provider } = client
  const kept = attempt.verifier && sealer.open(['attempts', attempt.stateHash, 'verifier'], attempt.verifier)
  const answered = await obtain(context, client, attempt, callback, kept)
  const before = provider.refresh && !answered.refreshToken ? own?.refreshToken : undefined
  const credential: Credential = before ? { ...answered, refreshToken: before } : answered
  const told = credential.raw.reveal()
  const known = { ...attempt.config, ...keptConfig(client, told) }
  const answer = await askIdentity(context, { ...client, config: known }, credential)
  const config = { ...keptConfig(client, answer), ...known }
  const account = readAccount(client, told, answer, credential.kind)
  const facts = readFacts(client, told, answer)
  const now = clock.now()

  const compose = (existing: Connection | undefined): Connection => {
    // A session is named before its connection is there, so the connection takes that name. One that leaves the choice to
    // the end user may make several.
    const id = existing?.id ?? (session?.choice ? undefined : session?.id) ?? newId(now)
    const name = attempt.name ?? existing?.name
    const webhookUrlOverride = session?.choice?.webhookUrlOverride ?? existing?.webhookUrlOverride
    return {
      environmentId: attempt.environmentId,
      number: existing?.number ?? newNumber(),
      id,
      integrationKey: integration.key,
      provider: provider.id,
      connectionId: existing?.connectionId ?? attempt.connectionId ?? mintedId(id),
      endUserId: existing?.endUserId ?? attempt.endUserId,
      kind: credential.kind,
      trust: existing?.trust === 'proven' ? 'proven' : attempt.trust,
      ...(name === undefined ? {} : { name }),
      status: 'connected',
      ...(account ? { account } : {}),
      ...sealCredential(sealer, id, credential, refreshPath(provider)),
      ...(own ? { client: sealOwnClient(sealer, 'connections', id, own) } : {}),
      ...(credential.expiresAt ? { expiresAt: credential.expiresAt } : {}),
      obtainedAt: now,
      credentialRevision: (existing?.credentialRevision ?? 0) + 1,
      scopes: credential.scopes ?? attempt.scopes,
      config,
      metadata: existing?.metadata ?? {},
      facts,
      tags: { ...existing?.tags, ...session?.choice?.tags },
      ...(webhookUrlOverride === undefined ? {} : { webhookUrlOverride }),
      createdAt: existing?.createdAt ?? now,
      updatedAt: now,
    }
  }
  const named = attempt.connectionId !== undefined || attempt.repairs !== undefined
  const accountKey = named || attempt.duplicate ? undefined : accountKeyOf(account)
  const events = await connectionEvents(context, attempt, now)
  const written = await storage.authorize({
    environmentId: attempt.environmentId,
    integrationKey: integration.key,
    find:
      attempt.repairs !== undefined
        ? { id: attempt.repairs }
        : attempt.connectionId !== undefined
          ? { connectionId: attempt.connectionId }
          : accountKey !== undefined
            ? { accountKey, endUserId: attempt.endUserId }
            : undefined,
    decide: existing => {
      if (attempt.repairs !== undefined && !existing) throw repairedIsGone()
      if (existing) mayRepair(attempt.trust, existing.connection, account)
      if (existing && attempt.sessionId !== undefined && existing.connection.endUserId !== attempt.endUserId)
        throw new MortiseError(
          'conflict',
          'The connection of that name is that of another user. Start again from the app.',
        )
      const kept = existing?.accountKey !== undefined && existing.accountKey === accountKeyOf(account)
      const connection = compose(existing?.connection)
      return {
        connection,
        accountKey: kept ? existing.accountKey : accountKey,
        refreshAt: refreshAt(connection, provider),
      }
    },
    attempt: {
      stateHash: attempt.stateHash,
      ...(attempt.sessionId === undefined ? {} : { sessionId: attempt.sessionId }),
      outcome: succeeded,
    },
    events,
  })
  context.wake()
  if (provider.auth === 'oauth2' && isSilent(provider, told)) await learnExpiry(context, { ...client, config }, written)
  const outcome = succeeded(written)
  const { repaired } = outcome
  context.log.info('connected', { provider: provider.id, integration: integration.key, id: written.id, repaired })
  return outcome
}

const succeeded = (row: Connection): Extract<Outcome, { ok: true }> => ({
  ok: true,
  connectionId: row.connectionId,
  integrationKey: row.integrationKey,
  // A new connection starts at 1.
  repaired: row.credentialRevision > 1,
  ...(row.account ? { account: accountLabel(row.account) } : {}),
})

/** What the definition keeps of an answer; a URL on a host that it doesn't name fails the attempt. */
const keptConfig = (client: Client, told: Json | undefined): Record<string, string> => {
  const kept: Record<string, string> = {}
  for (const [name, rule] of Object.entries(client.provider.config)) {
    const value = pickText(told, rule.path)
    if (value === undefined) continue
    const origin = rule.host ? keptOrigin(value, rule.host) : value
    if (origin === undefined)
      throw new MortiseError(
        'provider_invalid_response',
        `${client.provider.name} named a ${name} that is not on a host of its own.`,
      )
    kept[name] = origin
  }
  return kept
}

/** A refusal (a scope that is missing) leaves the account unknown; an outage is tried twice, then fails the attempt, so that no duplicate is made of it. */
const askIdentity = async (context: Context, client: Client, credential: Credential): Promise<Json | undefined> => {
  const request = identityRequest(context, client, credential)
  if (!request) return undefined
  for (let tries = 1; ; tries++) {
    try {
      return readIdentityAnswer(client, await context.call.send(request))
    } catch (thrown) {
      const error = toMortiseError(thrown)
      if (error.code === 'provider_invalid_response') {
        context.log.warn('the provider did not tell whose account it is', {
          provider: client.provider.id,
          status: error.details.providerStatus,
        })
        return undefined
      }
      if (tries === 2 || error.code !== 'provider_unavailable') throw error
    }
  }
}
