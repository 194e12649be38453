/**
 * A credential that is given as it is: an API key, a token, a user name with its password, or what another hub held (an
 * import). No browser and no flow; the provider is asked whose account it opens, and a key that it refuses is not kept.
 */
import { checkGiven } from './asked.ts'
import type { Trust } from './attempt.ts'
import { accountKeyOf, type Connection, mayRepair, mintedId, repairedIsGone } from './connection.ts'
import type { Context } from './context.ts'
import { type Credential, type CredentialKind, isKey, type JsonObject, Secret } from './credential.ts'
import { refreshAt } from './due.ts'
import { badParameter, MortiseError, toMortiseError } from './errors.ts'
import { mustNotBeFrozen } from './frozen.ts'
import type { Client } from './grants/authorization-code.ts'
import { connectionEvents } from './happened.ts'
import { identityRequest, readAccount, readFacts, readIdentityAnswer } from './identity.ts'
import { newId, newNumber } from './ids.ts'
import type { Integration } from './integration.ts'
import { type Provider, refreshPath } from './provider.ts'
import { sealCredential } from './sealed.ts'
import type { Tags } from './tags.ts'
import { fillInputs } from './template.ts'

/** What is given: one text for a key or a token, two for Basic, and for an import the tokens as they are. */
export type Given =
  | { readonly kind: 'apiKey' | 'bearer'; readonly key: Secret }
  | { readonly kind: 'basic'; readonly username: string; readonly password: Secret }
  | {
      readonly kind: 'oauth2'
      readonly accessToken: Secret
      readonly refreshToken?: Secret
      readonly expiresAt?: Date
      readonly scopes?: readonly string[]
      /** The token answer that they came in, where it is known. */
      readonly raw?: Secret<JsonObject>
    }
  | {
      readonly kind: 'oauth1'
      readonly token: Secret
      readonly tokenSecret: Secret
      /** The token answer as it is remembered elsewhere. */
      readonly raw?: Secret<JsonObject>
    }

export interface Gift {
  readonly environmentId: number
  readonly integration: Integration
  /** Undefined: whose the connection of that name is already, or nobody's. */
  readonly endUserId: string | undefined
  readonly given: Given
  readonly params: Readonly<Record<string, string>>
  /** How the caller calls a param, where not `params[x]`. */
  readonly paramName?: (name: string) => string
  readonly duplicate: boolean
  /** What the caller calls it. */
  readonly name?: string
  /** 24 hex digits that it is known by elsewhere, and keeps. */
  readonly id?: string
  readonly createdAt?: Date
  /** The caller's own name for it: a connection of that name gets this credential. */
  readonly connectionId?: string
  /** The row of the one connection that gets it. */
  readonly repairs?: string
  /** How far the giver is trusted; by default `proven`, as one with a key. */
  readonly trust?: Trust
  /** In place of what there is. */
  readonly metadata?: JsonObject
  readonly tags?: Tags
  /** Besides what there is. */
  readonly moreTags?: Tags
  readonly webhookUrlOverride?: string
}

/** The kinds of credential that a connector takes. */
export const kindsOf = (provider: Provider): readonly CredentialKind[] => [
  provider.auth,
  ...(Object.keys(provider.keys?.kinds ?? {}) as CredentialKind[]),
]

export const checkKind = (provider: Provider, kind: CredentialKind): void => {
  const kinds = kindsOf(provider)
  if (!kinds.includes(kind))
    throw new MortiseError(
      'not_found',
      `${provider.name} takes no credential of the type ${kind} here; it takes ${kinds.join(', ')}.`,
      { reason: 'kind_unknown', parameter: 'authenticationType', received: kind, allowed: kinds },
    )
}

const toCredential = (given: Given): Credential => {
  if (given.kind === 'oauth2') {
    const raw: JsonObject = {
      ...given.raw?.reveal(),
      access_token: given.accessToken.reveal(),
      ...(given.refreshToken ? { refresh_token: given.refreshToken.reveal() } : {}),
    }
    return {
      ...given,
      raw: new Secret(raw),
    }
  }
  if (given.kind === 'oauth1') {
    const { kind, token, tokenSecret } = given
    const raw = { ...given.raw?.reveal(), oauth_token: token.reveal(), oauth_token_secret: tokenSecret.reveal() }
    return { kind, accessToken: token, tokenSecret, raw: new Secret(raw) }
  }
  if (given.kind === 'basic') {
    const password = given.password.reveal()
    return {
      kind: 'basic',
      accessToken: new Secret(`${given.username}:${password}`),
      raw: new Secret({ username: given.username, password }),
    }
  }
  return { kind: given.kind, accessToken: given.key, raw: new Secret({ [given.kind]: given.key.reveal() }) }
}

/** Writes the connection. Throws `not_found` (kind_unknown), or `provider_rejected` (key_refused) for a key that is none. */
export const give = async (context: Context, gift: Gift): Promise<Connection> => {
  const { integration, given } = gift
  await mustNotBeFrozen(context, gift.environmentId)
  const provider = context.providerOf(integration)
  checkKind(provider, given.kind)
  if (gift.createdAt !== undefined && gift.createdAt > context.clock.now())
    throw badParameter('createdAt', 'createdAt lies in the future.')
  if (gift.id !== undefined && !/^[0-9a-f]{24}$/.test(gift.id))
    throw badParameter('credentialId', 'credentialId, where one is given to keep, must be 24 hex digits.')
  const { trust = 'proven' } = gift
  checkGiven(provider, { ...gift, trust })
  const config = fillInputs(provider.params, gift.params, gift.paramName ?? (name => `params[${name}]`))
  const other = gift.id === undefined ? undefined : await context.storage.connectionById(gift.environmentId, gift.id)
  if (other && (other.integrationKey !== integration.key || other.endUserId !== (gift.endUserId ?? '')))
    throw ofAnother(other)
  const pending = gift.id === undefined ? undefined : await context.storage.session(gift.environmentId, { id: gift.id })
  if (pending && !other)
    throw new MortiseError('conflict', `${gift.id} is the name of a flow that is under way. Import under another id.`)
  const secret = await context.clientSecretOf(integration)
  const credential = toCredential(given)
  const client: Client = { provider, integration, secret, config }
  const answer = isKey(given.kind) ? await ask(context, client, credential) : undefined
  const told = credential.raw.reveal()
  const account = readAccount(client, told, answer, given.kind)
  const facts = readFacts(client, told, answer)
  const sealer = await context.sealerOf(gift.environmentId)
  const now = context.clock.now()
  const named = [gift.id, gift.connectionId, gift.repairs].some(each => each !== undefined)
  const accountKey = answer === undefined || named || gift.duplicate ? undefined : accountKeyOf(account)
  // An id of that form begins with its seconds: without a date, an import is as old as its id says.
  const madeAt = gift.id === undefined ? now : new Date(Number.parseInt(gift.id.slice(0, 8), 16) * 1000)
  const createdAt = gift.createdAt ?? (madeAt < now ? madeAt : now)
  const whose = { environmentId: gift.environmentId, endUserId: gift.endUserId ?? '' }
  const events = await connectionEvents(context, whose, now)
  const connection = await context.storage.authorize({
    environmentId: gift.environmentId,
    integrationKey: integration.key,
    find:
      gift.id !== undefined || gift.repairs !== undefined
        ? { id: gift.id ?? gift.repairs ?? '' }
        : gift.connectionId !== undefined
          ? { connectionId: gift.connectionId }
          : accountKey !== undefined
            ? { accountKey, endUserId: gift.endUserId ?? '' }
            : undefined,
    decide: found => {
      const existing = found?.connection
      if (gift.repairs !== undefined && !existing) throw repairedIsGone()
      if (existing) mayRepair(trust, existing, account)
      if (existing && gift.endUserId !== undefined && existing.endUserId !== gift.endUserId) throw ofAnother(existing)
      const webhookUrlOverride = gift.webhookUrlOverride ?? existing?.webhookUrlOverride
      const id = existing?.id ?? gift.id ?? newId(now)
      const name = gift.name ?? existing?.name
      const row: Connection = {
        environmentId: gift.environmentId,
        number: existing?.number ?? newNumber(),
        id,
        integrationKey: integration.key,
        provider: provider.id,
        connectionId: existing?.connectionId ?? gift.connectionId ?? gift.id ?? mintedId(id),
        endUserId: existing?.endUserId ?? gift.endUserId ?? '',
        kind: given.kind,
        trust: existing?.trust === 'proven' ? 'proven' : trust,
        ...(name === undefined ? {} : { name }),
        status: 'connected',
        ...(account ? { account } : {}),
        ...sealCredential(sealer, id, credential, pathsOf(provider)),
        ...(credential.expiresAt ? { expiresAt: credential.expiresAt } : {}),
        obtainedAt: now,
        credentialRevision: (existing?.credentialRevision ?? 0) + 1,
        ...(credential.scopes ? { scopes: credential.scopes } : {}),
        config,
        metadata: gift.metadata ?? existing?.metadata ?? {},
        facts,
        tags: { ...(gift.tags ?? existing?.tags), ...gift.moreTags },
        ...(webhookUrlOverride === undefined ? {} : { webhookUrlOverride }),
        createdAt: existing?.createdAt ?? createdAt,
        updatedAt: now,
      }
      return { connection: row, accountKey: found?.accountKey ?? accountKey, refreshAt: refreshAt(row, provider) }
    },
    events,
  })
  context.wake()
  return connection
}

/** An import carries its refresh token at the top, and perhaps where the provider's answer has it. */
const pathsOf = (provider: Provider): string[] => ['refresh_token', ...[refreshPath(provider)].flat()]

const ofAnother = (other: Connection): MortiseError =>
  new MortiseError(
    'conflict',
    `There is a connection ${other.id} already, through ${other.integrationKey} or of another user.`,
  )

/** Asks whose account the key opens. What the provider refuses is refused. */
const ask = async (context: Context, client: Client, credential: Credential) => {
  const request = identityRequest(context, client, credential)
  if (!request)
    throw new MortiseError(
      'integration_misconfigured',
      `The definition of ${client.provider.name} takes keys but does not say how to try them. Its author must add keys.identity.request.`,
    )
  const response = await context.call.send(request)
  try {
    return readIdentityAnswer(client, response)
  } catch (thrown) {
    const error = toMortiseError(thrown)
    if (error.code === 'provider_unavailable') throw error
    throw new MortiseError(
      'provider_rejected',
      `${client.provider.name} refused this credential with status ${response.status}, so it was not kept. Check that it is whole, not revoked, and may read its own account.`,
      { reason: 'key_refused', providerStatus: response.status },
    )
  }
}
