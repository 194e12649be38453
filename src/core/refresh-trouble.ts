/** What is said where a refresh does not give a new token: what is wrong, and who must do what. */
import type { Flag } from './connection.ts'
import { MortiseError } from './errors.ts'

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000))

export const notRenewable = (): MortiseError =>
  new MortiseError(
    'reauthorization_required',
    'The access token has expired and the provider gave no refresh token, so the hub cannot renew it; the end user must connect the account again.',
    { reason: 'expired_without_refresh' },
  )

/** Another process has been at it for too long. */
export const busy = (name: string): MortiseError =>
  new MortiseError(
    'provider_unavailable',
    `Another process of the hub is still waiting for ${name} to renew this token. Try again in a moment.`,
    { reason: 'refresh_waits', retryAfter: 1 },
  )

/** The last try failed, and it is too early for the next. */
export const tooEarly = (name: string, ms: number): MortiseError =>
  new MortiseError(
    'provider_unavailable',
    `The last refresh at ${name} failed, and the next one is not due yet. Try again later.`,
    { reason: 'refresh_waits', retryAfter: seconds(ms) },
  )

/** Several refreshes of any connections failed in a row. */
export const leftAlone = (name: string, ms: number): MortiseError =>
  new MortiseError(
    'provider_unavailable',
    `${name} has not answered several refreshes in a row, so it is left alone for a moment. Try again later.`,
    { reason: 'refresh_waits', retryAfter: seconds(ms) },
  )

/** Its refresh token was sent and not heard of, and it is too early to try it again. */
export const interrupted = (name: string, ms: number): MortiseError =>
  new MortiseError(
    'provider_unavailable',
    `A refresh at ${name} was interrupted before its answer was known, and sending the same refresh token again now could end the connection. Try again later.`,
    { reason: 'refresh_waits', retryAfter: seconds(ms) },
  )

export const ambiguous = (name: string): Flag => ({
  cause: 'refresh_ambiguous',
  message: `An earlier refresh at ${name} was interrupted after the refresh token was sent and before its answer was stored. ${name} now refuses that refresh token, so it was spent then and the new one was lost; the end user must connect the account again.`,
})

/** Its refresh token came from a backup, and was not used here before. */
export const restoredCopy = (name: string): Flag => ({
  cause: 'restored_copy',
  message: `This connection was restored from a backup, and ${name} refuses its refresh token: the hub that the backup was made of has probably refreshed it since. The end user must connect the account again.`,
})
