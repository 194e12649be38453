/**
 * fresh? → join the run under way → look again → exchange → swap. Correct for one process; the leases that make it
 * correct for several come on top (see ARCHITECTURE.md, "Life of a token").
 */
import type { Connection } from './connection.ts'
import type { Context } from './context.ts'
import { MortiseError, toMortiseError } from './errors.ts'
import { readRefreshAnswer, refreshRequest } from './grants/refresh-token.ts'
import { openRenewal, sealCredential } from './sealed.ts'

/** Refreshes when at most five minutes, or a fifth of the token's life, are left. */
const margin = (row: Connection): number =>
  row.expiresAt ? Math.min(300_000, (row.expiresAt.getTime() - row.obtainedAt.getTime()) / 5) : 0

export const isExpired = (row: Pick<Connection, 'expiresAt'>, now: Date): boolean =>
  row.expiresAt !== undefined && row.expiresAt.getTime() <= now.getTime()

export const isFresh = (row: Connection, now: Date): boolean =>
  row.status === 'connected' &&
  (row.expiresAt === undefined ||
    row.expiresAt.getTime() - now.getTime() > (row.renewal === undefined ? 0 : margin(row)))

export interface Refresher {
  /**
   * A row with a credential that works: the same one, a newer one, or a living one where the provider is down.
   * Throws `reauthorization_required` (only the end user can repair it) or, for an expired token, what the provider's
   * outage was.
   */
  freshen(row: Connection): Promise<Connection>
  /** Waits for what is under way. */
  settle(): Promise<void>
}

export const createRefresher = (context: Context): Refresher => {
  const running = new Map<string, Promise<Connection>>()
  const { storage, clock, log } = context

  /** The one run for this connection: everyone in the process shares its outcome. */
  const run = (row: Connection): Promise<Connection> => {
    const key = `${row.environmentId}:${row.id}`
    const joined = running.get(key)
    if (joined) return joined
    const started = exchange(row).finally(() => running.delete(key))
    running.set(key, started)
    return started
  }

  const exchange = async (seen: Connection): Promise<Connection> => {
    const again = () => storage.connection(seen.environmentId, seen.integrationKey, seen.connectionId)
    const row = await again()
    if (!row)
      throw new MortiseError('not_found', 'The connection was deleted meanwhile.', { reason: 'connection_unknown' })
    // Whoever was first has renewed it, or the end user came back: theirs is the newer fact.
    if (row.credentialRevision !== seen.credentialRevision || row.status !== 'connected') return mustWork(row)
    const integration = await storage.integration(row.environmentId, row.integrationKey)
    if (!integration)
      throw new MortiseError('not_found', 'The integration was removed.', { reason: 'integration_unknown' })
    const provider = context.providerOf(integration)
    const sealer = await context.sealerOf(row.environmentId)
    const refreshToken = openRenewal(sealer, row)
    if (!refreshToken) return row
    const secret = await context.clientSecretOf(integration)
    try {
      const response = await context.call.send(
        refreshRequest({ provider, integration, secret, config: row.config }, refreshToken),
      )
      const now = clock.now()
      const credential = readRefreshAnswer(provider, response, now, {
        refreshToken,
        ...(row.scopes ? { scopes: row.scopes } : {}),
      })
      const next = {
        ...sealCredential(sealer, row.id, credential, provider.token.answer.refreshToken),
        ...(credential.expiresAt ? { expiresAt: credential.expiresAt } : {}),
        ...(credential.scopes ? { scopes: credential.scopes } : {}),
        obtainedAt: now,
      }
      const swapped = await storage.swapCredential(row.environmentId, row.id, row.credentialRevision, next)
      log.info(swapped ? 'refreshed' : 'a newer credential was there first', { provider: provider.id, id: row.id })
    } catch (thrown) {
      const error = toMortiseError(thrown)
      if (error.code === 'reauthorization_required')
        await storage.flagConnection(
          row.environmentId,
          row.id,
          row.credentialRevision,
          'reauthorization_required',
          error.message,
          clock.now(),
        )
      log.warn('a refresh failed', {
        provider: provider.id,
        id: row.id,
        code: error.code,
        status: error.details.providerStatus,
      })
      throw error
    }
    const after = await again()
    if (!after)
      throw new MortiseError('not_found', 'The connection was deleted meanwhile.', { reason: 'connection_unknown' })
    return mustWork(after)
  }

  const mustWork = (row: Connection): Connection => {
    if (row.status === 'connected') return row
    throw new MortiseError('reauthorization_required', row.statusReason, { reason: 'refresh_refused' })
  }

  return {
    async freshen(row) {
      mustWork(row)
      if (isFresh(row, clock.now())) return row
      if (row.renewal === undefined)
        throw new MortiseError(
          'reauthorization_required',
          'The access token has expired and the provider gave no refresh token, so the hub cannot renew it; the end user must connect the account again.',
          { reason: 'expired_without_refresh' },
        )
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
    },
  }
}
