/** A flow that could not begin, written down for the page that waits on a socket to be told. */
import { failed } from './attempt.ts'
import { connectionId as connectionIdRule } from './connection.ts'
import type { Context } from './context.ts'
import type { MortiseError } from './errors.ts'
import { newNonce, sha256 } from './ids.ts'

export interface FailedStart {
  readonly environmentId: number
  readonly integrationKey: string
  readonly connectionId: string | undefined
  readonly listener: string
  readonly dialect: string
}

/** As an attempt that is over: no browser, and no provider, can finish it. */
export const noteFailedStart = async (context: Context, ask: FailedStart, error: MortiseError): Promise<void> => {
  const { storage, clock } = context
  const now = clock.now()
  const named = ask.connectionId !== undefined && connectionIdRule.test(ask.connectionId)
  await storage.addAttempt({
    environmentId: ask.environmentId,
    stateHash: sha256(newNonce()),
    browserHash: sha256(newNonce()),
    integrationKey: ask.integrationKey.slice(0, 100),
    integrationId: '',
    provider: '',
    ...(named ? { connectionId: ask.connectionId } : {}),
    endUserId: '',
    trust: 'public',
    duplicate: false,
    scopes: [],
    config: {},
    redirectUri: '',
    issuerAlways: false,
    listener: sha256(ask.listener),
    dialect: ask.dialect,
    createdAt: now,
    expiresAt: now,
    takenAt: now,
    outcome: failed(error),
  })
}
