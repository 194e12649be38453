/**
 * fresh? → join the run under way → look again → exchange → swap. Correct for one process; the leases that make it
 * correct for several come on top (see ARCHITECTURE.md, "Life of a token").
 */
import { type Connection, connectionUnknown, type ReadRow } from './connection.ts'
import type { Context } from './context.ts'
import { MortiseError, toMortiseError } from './errors.ts'
import { readRefreshAnswer, refreshRequest } from './grants/refresh-token.ts'
import { unknownIntegration } from './integration.ts'
import { openRenewal, sealCredential } from './sealed.ts'

const isExpired = (row: Pick<Connection, 'expiresAt'>, now: Date): boolean =>
  row.expiresAt !== undefined && row.expiresAt.getTime() <= now.getTime()

/**
 * Whether the token is served as it is; times in milliseconds. One that can be renewed is, when at most five minutes, or a
 * fifth of its life, are left.
 */
export const isFreshAt = (
  { status, expiresAt, obtainedAt, renewable }: Pick<ReadRow, 'status' | 'expiresAt' | 'obtainedAt' | 'renewable'>,
  now: number,
): boolean =>
  status === 'connected' &&
  (expiresAt === null || expiresAt - now > (renewable ? Math.min(300_000, (expiresAt - obtainedAt) / 5) : 0))

export const isFresh = ({ status, expiresAt, obtainedAt, renewal }: Connection, now: Date): boolean =>
  isFreshAt(
    {
      status,
      expiresAt: expiresAt?.getTime() ?? null,
      obtainedAt: obtainedAt.getTime(),
      renewable: renewal === undefined ? 0 : 1,
    },
    now.getTime(),
  )

/** How long a living token is served without asking a provider that is down again, unless it says; milliseconds. */
const rest = 30_000

/** Waits between the tries to write a credential that the provider has given, in milliseconds. */
const writeAgainAfter = [50, 250, 1000]

export interface Refresher {
  /**
   * A row with a credential that works: the same one, a newer one, or a living one where the provider is down.
   * Throws `reauthorization_required` (only the end user can repair it) or, for an expired token, what the provider's
   * outage was.
   */
  freshen(row: Connection): Promise<Connection>
  /** Renews although the token should live: the provider refused it. Joins a run under way. Throws as `freshen` does. */
  renew(row: Connection): Promise<Connection>
  /** Waits for what is under way, and tries once more to write what could not be written. */
  settle(): Promise<void>
}

type Renewed = Parameters<Context['storage']['swapCredential']>[3]

export const createRefresher = (context: Context): Refresher => {
  const { storage, clock, log } = context
  const running = new Map<string, Promise<Connection>>()
  /** Until when a provider that is down is left alone, while the token lives. */
  const resting = new Map<string, number>()
  /** Credentials that the provider gave and the storage did not take: they exist nowhere else. */
  const held = new Map<string, { row: Connection; renewed: Renewed }>()
  const keyOf = (row: Connection) => `${row.environmentId}:${row.id}`

  /** The one run for this connection: everyone in the process shares its outcome. */
  const run = (row: Connection): Promise<Connection> => {
    const key = keyOf(row)
    const joined = running.get(key)
    if (joined) return joined
    const started = renew(row).finally(() => running.delete(key))
    running.set(key, started)
    return started
  }

  const again = async (row: Connection): Promise<Connection> => {
    const now = await storage.connection(row.environmentId, row.integrationKey, row.connectionId)
    if (now) return now
    throw connectionUnknown(row.connectionId, row.integrationKey)
  }

  const renew = async (seen: Connection): Promise<Connection> => {
    const row = await again(seen)
    // Whoever was first has renewed it, or the end user came back: theirs is the newer fact.
    if (row.credentialRevision !== seen.credentialRevision || row.status !== 'connected') return mustWork(row)
    const kept = held.get(keyOf(row))
    try {
      const renewed = kept?.row.credentialRevision === row.credentialRevision ? kept.renewed : await exchange(row)
      resting.delete(keyOf(row))
      await write(row, renewed)
    } catch (thrown) {
      const error = toMortiseError(thrown)
      const { retryAfter, providerStatus: status } = error.details
      log.warn('a refresh failed', { provider: row.provider, id: row.id, code: error.code, status })
      if (error.code !== 'reauthorization_required') {
        // What is ours to mend is tried again by the next reader.
        if (error.code !== 'internal')
          resting.set(keyOf(row), clock.now().getTime() + (retryAfter === undefined ? rest : retryAfter * 1000))
        throw error
      }
      const flagged = await storage.flagConnection(
        row.environmentId,
        row.id,
        row.credentialRevision,
        error.message,
        clock.now(),
      )
      // Not flagged: the end user came back meanwhile.
      if (flagged) throw error
    }
    return mustWork(await again(row))
  }

  /** Spends the refresh token. What comes back must be written. */
  const exchange = async (row: Connection): Promise<Renewed> => {
    const integration = await storage.integration(row.environmentId, row.integrationKey)
    if (!integration) throw unknownIntegration(row.integrationKey, await context.environmentOf(row.environmentId))
    const provider = context.providerOf(integration)
    const sealer = await context.sealerOf(row.environmentId)
    const refreshToken = openRenewal(sealer, row)
    if (!refreshToken) throw notRenewable()
    const secret = await context.clientSecretOf(integration)
    const request = refreshRequest({ provider, integration, secret, config: row.config }, refreshToken)
    const response = await context.call.send(request)
    const now = clock.now()
    const lifetime = row.expiresAt && row.expiresAt.getTime() - row.obtainedAt.getTime()
    const credential = readRefreshAnswer(provider, response, now, {
      refreshToken,
      ...(row.scopes ? { scopes: row.scopes } : {}),
      ...(lifetime === undefined ? {} : { lifetime }),
    })
    return {
      ...sealCredential(sealer, row.id, credential, provider.token.answer.refreshToken),
      ...(credential.expiresAt ? { expiresAt: credential.expiresAt } : {}),
      ...(credential.scopes ? { scopes: credential.scopes } : {}),
      obtainedAt: now,
    }
  }

  /** Durably, before anyone is answered; a credential that cannot be written is held until it can. */
  const write = async (row: Connection, renewed: Renewed): Promise<void> => {
    held.set(keyOf(row), { row, renewed })
    for (let tries = 0; ; tries++) {
      try {
        const swapped = await storage.swapCredential(row.environmentId, row.id, row.credentialRevision, renewed)
        held.delete(keyOf(row))
        log.info(swapped ? 'refreshed' : 'a newer credential was there first', { provider: row.provider, id: row.id })
        return
      } catch (error) {
        const wait = writeAgainAfter[tries]
        log.error('a renewed credential could not be written', { err: error, id: row.id })
        if (wait === undefined) throw error
        await new Promise(done => setTimeout(done, wait))
      }
    }
  }

  const mustWork = (row: Connection): Connection => {
    if (row.status === 'connected') return row
    throw new MortiseError('reauthorization_required', row.statusReason, { reason: 'refresh_refused' })
  }

  return {
    async renew(row) {
      mustWork(row)
      if (row.renewal === undefined) throw notRenewable()
      return run(row)
    },
    async freshen(row) {
      mustWork(row)
      const now = clock.now()
      if (isFresh(row, now)) return row
      if (row.renewal === undefined) throw notRenewable()
      const alive = !isExpired(row, now)
      if (alive && (resting.get(keyOf(row)) ?? 0) > now.getTime()) return row
      try {
        return await run(row)
      } catch (thrown) {
        // An outage is not a revocation: a token that still lives is served.
        const error = toMortiseError(thrown)
        const outage = error.code !== 'reauthorization_required' && error.code !== 'not_found'
        if (outage && !isExpired(row, clock.now())) return row
        throw error
      }
    },
    async settle() {
      await Promise.allSettled(running.values())
      await Promise.allSettled([...held.values()].map(({ row, renewed }) => write(row, renewed)))
    },
  }
}

const notRenewable = (): MortiseError =>
  new MortiseError(
    'reauthorization_required',
    'The access token has expired and the provider gave no refresh token, so the hub cannot renew it; the end user must connect the account again.',
    { reason: 'expired_without_refresh' },
  )
