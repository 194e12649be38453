/** One refresh under a lease: look again → may it be sent? → mark → exchange → swap → end. See docs/refresh.md. */
import { channel } from 'node:diagnostics_channel'
import type { Breaker } from './breaker.ts'
import { type Connection, type Flag, mustWork } from './connection.ts'
import type { Context } from './context.ts'
import { nextTry, refreshAt } from './due.ts'
import { MortiseError } from './errors.ts'
import { exchange, type Issuer, type Renewed } from './exchange.ts'
import { flagEvents } from './happened.ts'
import type { Held } from './held.ts'
import { sha256 } from './ids.ts'
import type { Hold, Steadiness } from './keep-lease.ts'
import { learnExpiry } from './learn-expiry.ts'
import type { Pace } from './pace.ts'
import { ambiguous, interrupted, leftAlone, notRenewable, restoredCopy, tooEarly } from './refresh-trouble.ts'
import { isInGrace, mayResend } from './resend.ts'
import { openRenewal } from './sealed.ts'
import type { RefreshLease, RefreshState } from './storage-refresh.ts'

/** For whom a refresh is made: for later; for a caller who demands it; because the token is dead, and nothing is left to serve. */
export type Need = 'later' | 'demanded' | 'dead'

export interface Job {
  readonly seen: Connection
  readonly issuer: Issuer
  /** Somebody who needs it more may have joined. */
  readonly need: () => Need
  readonly lease: RefreshLease
  readonly state: RefreshState
  readonly hold: Hold
  /** Reads the row. Throws where it is gone. */
  readonly again: () => Promise<Connection>
}

/** What the refreshes of a process share. */
export interface Shared {
  readonly context: Context
  readonly breaker: Breaker
  readonly held: Held
  readonly steadiness: Steadiness
  /** Between the steps of a refresh that nobody waits for. */
  readonly pace: Pace
  /** As long as its token lives, a connection is served without asking before `until`. */
  rest(row: Connection, until: Date | undefined): void
}

/** The steps of a refresh, for tests that stop a process at one: `{ step, id, probe }`. `sought`: before the lease is asked for. */
const steps = channel('mortise:refresh')
export const tell = (step: string, id: string, probe = false): void => {
  if (steps.hasSubscribers) steps.publish({ step, id, probe })
}

/** The longest that a provider's Retry-After is waited for, in milliseconds. */
const longestWait = 24 * 60 * 60_000

/** The connection as it works now, or undefined where the lease was lost before anything was sent. Throws what failed. */
export const refreshUnderLease = async (shared: Shared, job: Job): Promise<Connection | undefined> => {
  try {
    return await refresh(shared, job)
  } finally {
    await job.hold.release()
    tell('ended', job.seen.id)
  }
}

const refresh = async (shared: Shared, job: Job): Promise<Connection | undefined> => {
  const { context, breaker } = shared
  const { storage, clock, log, timing } = context
  const { seen, lease, hold, issuer } = job
  const { provider } = issuer
  tell('leased', seen.id)
  const row = await job.again()
  tell('looked', seen.id)
  // Whoever was first has renewed it, or the end user came back: theirs is the newer fact.
  if (row.credentialRevision !== seen.credentialRevision || row.status !== 'connected') {
    await hold.end({ settled: false, dueAt: row.status === 'connected' ? (refreshAt(row, provider) ?? null) : null })
    return mustWork(row)
  }
  if (job.need() === 'later') await shared.pace()
  const refreshToken = openRenewal(await context.sealerOf(row.environmentId), row)
  if (!refreshToken) throw notRenewable()
  const notNow = async (ms: number, error: MortiseError) => {
    const until = new Date(clock.now().getTime() + ms)
    shared.rest(row, until)
    await hold.end({ settled: false, dueAt: until })
    throw error
  }
  const wait =
    (nextTry(job.state, job.need() === 'later' ? undefined : timing.urgent)?.getTime() ?? 0) - clock.now().getTime()
  if (wait > 0) return notNow(wait, tooEarly(provider.name, wait))
  // With the row's id, so that equal tokens in two rows are not seen to be equal.
  const digest = sha256(`${row.id}:${refreshToken.reveal()}`)
  const mark = job.state.mark?.digest === digest ? job.state.mark : undefined
  const may = mark ? maySend(shared, job, row, mark) : 'yes'
  if (typeof may === 'number') return notNow(may, interrupted(provider.name, may))
  if (may === 'probe') {
    const waited = await waitForLanding(job, row, timing.landing)
    if (waited === 'held up') return notNow(timing.landing, interrupted(provider.name, timing.landing))
    if (waited !== 'nothing came') return mustWork(waited)
    log.warn('a refresh token is sent again that may have been spent', { provider: provider.id, id: row.id })
  }

  const began = performance.now()
  for (let tries = 1; ; tries++) {
    const shut = breaker.ask(issuer.host)
    if (shut !== undefined) return notNow(shut, leftAlone(provider.name, shut))
    const marked = await storage.markRefresh(lease, digest, may === 'probe').catch(error => {
      breaker.left(issuer.host)
      throw error
    })
    if (!marked) {
      breaker.left(issuer.host)
      return undefined
    }
    tell('marked', row.id, may === 'probe')
    const result = await exchange(context, breaker, issuer, row, refreshToken, hold.sendBefore())
    tell('answered', row.id)
    if (result === 'late') {
      await hold.end({ settled: mark === undefined && tries === 1 })
      return undefined
    }
    if ('renewed' in result) return land(shared, job, row, result.renewed, result.silent)
    const { error, verdict } = result
    const { providerStatus: status, providerCode: reply } = error.details
    const fields = { provider: provider.id, id: row.id, code: error.code, status, reply, verdict }
    log.warn('a refresh failed', fields)
    // Its first answer was lost, or it was the hub that was interrupted: what the provider refuses now was spent then.
    const resent = mark !== undefined || tries > 1
    if (verdict === 'dead') return flag(shared, job, row, error, resent)
    const age = performance.now() - began
    if (verdict === 'ambiguous' && !resent && provider.refresh && isInGrace(age, provider.refresh, timing)) continue
    const now = clock.now()
    const retryAfter = Math.min((error.details.retryAfter ?? 0) * 1000, longestWait)
    const failed = {
      failures: job.state.failures + 1,
      failedAt: now,
      ...(retryAfter > 0 ? { waitUntil: new Date(now.getTime() + retryAfter) } : {}),
    }
    const next = nextTry({ held: true, ...failed }) ?? now
    shared.rest(row, next)
    // A token that may have been spent before this call may have been whatever became of the call.
    await hold.end({ settled: verdict === 'unspent' && !resent, tries: failed, dueAt: next })
    throw error
  }
}

/**
 * Somebody may hold the answer, and write it as soon as they go on and the storage is back. So a wait tells nothing in which
 * this process was held up, or the storage took no write: it begins again, a few times.
 */
const waitForLanding = async (
  { hold, again }: Job,
  row: Connection,
  landing: number,
): Promise<Connection | 'nothing came' | 'held up'> => {
  for (let tries = 0; tries < 5; tries++) {
    const began = performance.now()
    await new Promise(done => setTimeout(done, landing))
    await hold.extend()
    const now = await again()
    if (now.credentialRevision !== row.credentialRevision) return now
    if (performance.now() - began < landing * 1.25) return 'nothing came'
  }
  return 'held up'
}

const maySend = (
  { context, steadiness }: Shared,
  { need, issuer }: Job,
  row: Connection,
  mark: NonNullable<RefreshState['mark']>,
): ReturnType<typeof mayResend> => {
  const rules = issuer.provider.refresh
  if (!rules) return 'yes'
  const left = row.expiresAt ? row.expiresAt.getTime() - context.clock.now().getTime() : longestWait
  const may = mayResend(mark, rules, need() === 'dead' ? 0 : left, context.timing)
  return may === 'probe' ? steadiness.unsteady() || 'probe' : may
}

/**
 * Writes what the provider answered, durably and before anyone is told; answers whether it was of the credential that
 * stands. The lease is kept until it is written, however long that takes.
 */
const write = async (
  { held }: Shared,
  { hold }: Job,
  row: Connection,
  change: () => Promise<boolean>,
  dueAt: Date | null,
): Promise<boolean> => {
  let changed = false
  hold.pin()
  await held.land(
    row,
    async () => {
      changed = await change()
    },
    () => hold.end(changed ? { settled: true, tries: { failures: 0 }, dueAt } : { settled: true }),
  )
  return changed
}

const land = async (
  shared: Shared,
  job: Job,
  row: Connection,
  renewed: Renewed,
  silent: boolean,
): Promise<Connection> => {
  const { context } = shared
  const { storage, log } = context
  const swap = async () => {
    const swapped = await storage.swapCredential(row.environmentId, row.id, row.credentialRevision, renewed)
    tell('written', row.id)
    const phrase = swapped ? 'refreshed' : 'a newer credential was there first'
    log.info(phrase, { provider: row.provider, id: row.id })
    return swapped
  }
  const dueAt = refreshAt({ ...row, ...renewed }, job.issuer.provider) ?? null
  const swapped = await write(shared, job, row, swap, dueAt)
  shared.rest(row, undefined)
  const written = await job.again()
  return mustWork(swapped && silent ? await learnExpiry(context, job.issuer, written) : written)
}

/** Only the end user can repair it: noted before anyone is told, unless they have come back meanwhile. */
const flag = async (
  shared: Shared,
  job: Job,
  row: Connection,
  error: MortiseError,
  resent: boolean,
): Promise<Connection> => {
  const { storage, clock } = shared.context
  const { name } = job.issuer.provider
  const why: Flag =
    job.state.restoredRevision === row.credentialRevision
      ? restoredCopy(name)
      : resent
        ? ambiguous(name)
        : { cause: 'refresh_refused', message: error.message }
  const note = async () => {
    const now = clock.now()
    const events = await flagEvents(shared.context, row, why, now)
    const noted = await storage.flagConnection(row.environmentId, row.id, row.credentialRevision, why, now, events)
    tell('flagged', row.id)
    if (noted) shared.context.wake()
    return noted
  }
  const flagged = await write(shared, job, row, note, null)
  if (!flagged) return mustWork(await job.again())
  throw new MortiseError('reauthorization_required', why.message, { ...error.details, reason: why.cause })
}
