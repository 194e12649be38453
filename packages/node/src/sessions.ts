/** Connect sessions: how an app begins to connect an account, and learns what became of it. */
import type { Attempt, MadeSession, NewSession, Session } from './api.ts'
import type { Hub, Query } from './call.ts'
import { type ErrorCode, MortiseError } from './errors.ts'
import { type List, list } from './list.ts'
import { type CallOptions, pause } from './send.ts'

export interface WaitOptions extends CallOptions {
  /** How long to wait at most, in milliseconds; until the session ends unless told. */
  readonly waitMs?: number | undefined
}

export interface ConnectSessions {
  /** Hand its `token` to the page that opens it with the browser SDK; or, with `opens: 'link'`, send the browser to `link`. */
  add(session: NewSession, options?: CallOptions): Promise<MadeSession>
  get(id: string, options?: CallOptions): Promise<Session>
  /** Each time that the link was followed, or the page began, is one; later ones first. */
  attempts(id: string, query?: Query<'GET /connect-sessions/{id}/attempts'>, options?: CallOptions): List<Attempt>
  /**
   * Asks until there is a connection, and gives its id. A session that failed is thrown with the code that the hub tells,
   * such as `authorization_denied`; one that nobody finished in time is `session_expired`.
   */
  wait(id: string, options?: WaitOptions): Promise<string>
}

const failed = (code: ErrorCode, message: string, reason?: string): MortiseError =>
  new MortiseError(code, message, {
    whoMustAct:
      code === 'integration_misconfigured' ? 'operator' : code.startsWith('provider_') ? 'provider' : 'end user',
    retryable: false,
    reason,
  })

/** Sooner at first: who has connected an account before is done in seconds. */
const pauses = [500, 500, 1000, 1000, 2000]

export const sessionsOf = (hub: Hub): ConnectSessions => {
  const get: ConnectSessions['get'] = (id, options) =>
    hub.call('GET /connect-sessions/{id}', { params: { id } }, options)
  return {
    add: (body, options) => hub.call('POST /connect-sessions', { body }, options),
    get,
    attempts: (id, query, options) =>
      list(hub, 'GET /connect-sessions/{id}/attempts', { params: { id }, query }, options),
    async wait(id, { waitMs = Number.POSITIVE_INFINITY, ...options } = {}) {
      const until = performance.now() + waitMs
      for (let asked = 0; ; asked++) {
        const { status, connection, error } = await get(id, options)
        if (status === 'connected') {
          if (connection !== null) return connection
          throw failed('not_found', 'The account was connected, and the connection was deleted since.')
        }
        if (error) throw failed(error.code, error.message, error.reason ?? undefined)
        if (status !== 'pending')
          throw failed('session_expired', 'Nobody finished the session in time. Make another one, and start again.')
        const ms = pauses[Math.min(asked, pauses.length - 1)] ?? 0
        if (performance.now() + ms > until)
          throw failed(
            'timeout',
            `The end user has not finished within ${waitMs / 1000} s. The session is alive still.`,
          )
        await pause(ms, options.signal)
      }
    },
  }
}
