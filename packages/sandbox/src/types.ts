import type { Expectation, Refusal } from './expectation.ts'

/** An application registered with a provider the sandbox plays. */
export interface Client {
  readonly provider: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUris: readonly string[]
  /**
   * Only for a provider without an expectation: it is played as a strict RFC 6749 server at these (real) URLs. Where
   * there is an expectation its URLs count and these are not looked at.
   */
  readonly endpoints?: {
    readonly authorizeUrl: string
    readonly tokenUrl: string
    /** Of OAuth 1, which is then played by RFC 5849. */
    readonly temporaryUrl?: string
  }
}

export interface SandboxOptions {
  /** 0: any free port. */
  readonly port: number
  /** Where grants and tokens outlive the process. Token values are kept as digests only. */
  readonly stateFile?: string
  /** Milliseconds since the epoch. */
  readonly now?: () => number
  /** Default: all that come with the package. */
  readonly expectations?: readonly Expectation[]
  /** Told of every call when it has been worked on, before it is answered; and of the refresh token that it came with. */
  readonly watch?: (call: Call, refreshToken: string | undefined) => void
}

/** How a provider misbehaves until `reset`. */
export interface Switches {
  /** Token calls do their work at once and are answered this much later. */
  readonly delayMs?: number
  /** Answers the next `times` token calls so (default: all of them), without doing any work. */
  readonly fail?: {
    readonly status: number
    readonly body?: unknown
    readonly headers?: Readonly<Record<string, string>>
    readonly times?: number
  }
  /** The next `times` token calls (default: all) do their work, and then the socket is dropped without an answer. */
  readonly loseReply?: { readonly times?: number }
  /** Seconds an access token lives, in place of the documentation's figure. */
  readonly lifetime?: number
  readonly rotates?: boolean
  readonly graceSeconds?: number
  /** The authorize page denies at once. */
  readonly deny?: boolean
  /**
   * API calls with a live token are kept whole in `requests`, and those that the sandbox does not play are answered too:
   * see `Expectation.unplayed`.
   */
  readonly record?: boolean
  /** No page: the account with this id (`true`: the first) approves at once. */
  readonly autoApprove?: string | true
  /** Values to hand out, so that a test can plant one and look where it ends up. */
  readonly accessToken?: () => string
  readonly refreshToken?: () => string
  /** Of OAuth 1, what goes with an access token. */
  readonly tokenSecret?: () => string
  /** The code, or of OAuth 1 the verifier. */
  readonly code?: () => string
}

/** A call that was received. Holds no secret, token or code. */
export interface Call {
  readonly provider: string
  /** `temporary`: of OAuth 1, the temporary credentials; its token is a `code` call. */
  readonly kind: 'temporary' | 'code' | 'refresh' | 'revoke' | 'introspect' | 'api'
  readonly at: number
  /** `failed`: answered by the `fail` switch. */
  readonly outcome: 'ok' | Refusal | 'unauthorized' | 'failed'
  readonly status: number
  readonly method: string
  /** The documented URL, placeholders as they are: some providers take a token in the path. */
  readonly url: string
  /** Only when it is a registered one. */
  readonly clientId?: string
  readonly host: string
  /** The names of what came in the query and the body, sorted. */
  readonly parameters: readonly string[]
  /** The scheme of the Authorization header, in lower case. */
  readonly scheme?: string
  /** The sandbox's own name for the grant: the same for every token that descends from one approval. */
  readonly grant?: string
  readonly account?: string
  /** The work was done and the answer dropped. */
  readonly lost?: true
}

/** An API call, kept whole but for the token, which stands there as `{token}`. */
export interface Recorded {
  readonly provider: string
  readonly method: string
  /** The real URL, letter for letter as it was sent. */
  readonly url: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** As it was sent; absent where there was none. */
  readonly body?: string
}

export interface Sandbox {
  /** `http://localhost:PORT` */
  readonly origin: string
  /** Again with the same client id replaces. */
  register(client: Client): void
  /** Where the sandbox serves a real https URL. */
  url(real: string): string
  /** Merged with what is set already. */
  set(provider: string, switches: Switches): void
  reset(provider?: string): void
  /** The access token is dead from now on. false: it was not alive. */
  expire(token: string): boolean
  /** The whole grant behind an access or refresh token is dead. false: there was none. */
  revoke(token: string): boolean
  /** The last 1000 token, revoke and API calls, newest last. */
  readonly calls: readonly Call[]
  /** The last 1000 API calls that came while `record` was on, newest last. */
  readonly requests: readonly Recorded[]
  close(): Promise<void>
}
