/** A call that is to be proxied, and its answer. */
import type { PassBody } from './pass-body.ts'
import type { GivenHeaders } from './pass-headers.ts'
import type { Gone, StreamAnswer } from './ports.ts'

export interface PassRequest {
  /** Any method but CONNECT and TRACE: an answer to that would show the credential. */
  readonly method: string
  /** After the base, as it is to be sent: percent-encoded. */
  readonly path: string
  /** With its question mark, as it is to be sent; '' for none. */
  readonly query: string
  /** The caller's, with lower-case names. Those of its own API are left out already; see `travelling` for what else is. */
  readonly headers: GivenHeaders
  readonly body?: PassBody
  /** In place of the definition's base, within the hosts that it names; '' counts as none. */
  readonly base?: string
  /** How often more it is tried, whatever its method; without it as the definition says, and only what may be repeated. */
  readonly retries?: number
  /** The statuses that are tried again, in place of the definition's. */
  readonly retryOn?: readonly number[]
  /** The caller's headers go along with a redirect to another host that the definition names. */
  readonly forwardHeaders?: boolean
  /** Ends the call where the caller is gone. */
  readonly signal?: Gone
}

export interface PassAnswer extends StreamAnswer {
  /** The credential has been renewed since, and the body was too large to send it again: the caller can. */
  readonly retryable?: true
}
