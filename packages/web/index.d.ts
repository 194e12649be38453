/** The browser SDK of a Mortise hub: connects one end user's account, in a popup or on the whole page. */

/** What was connected. Without a key of your back end the ids open nothing. */
export interface Connection {
  readonly connectionId: string
  /** The same connection, under the name that older clients read. */
  readonly credentialId: string
  readonly integrationId: string
  /** As it was given to `connect`; the integration, where a session chose it. */
  readonly connectorId: string
}

/**
 * Why there is no connection. `message` is a sentence that says who must do what next; `code` is for programs:
 *
 * - of the page: `api_key_in_page`, `not_a_jwt`, `token_expired`, `no_token`, `no_hub`, `invalid_request`,
 *   `storage_unavailable`;
 * - of the browser: `popup_blocked`;
 * - of the way to the hub: `hub_unreachable`, `hub_invalid_answer`;
 * - whatever code the hub gave, such as `authorization_denied` or `session_expired`;
 * - `cancelled`: only as the promise's rejection. `onError` is not called then, `onClose` is.
 */
export interface ConnectError extends Error {
  readonly code: string
  readonly details?: unknown
}

/** One of the first two is called, or none when the flow was cancelled; `onClose` always, once, and last. */
export interface Callbacks {
  readonly onSuccess?: ((connectionId: string) => unknown) | undefined
  readonly onError?: ((error: ConnectError) => unknown) | undefined
  readonly onClose?: (() => unknown) | undefined
  /** The popup has left for the provider, or a page came back from it: the rest is the person's, and the hub's. */
  readonly onWaiting?: (() => unknown) | undefined
}

export interface FlowOptions extends Callbacks {
  /** `popup` (the default) needs a click. `page` leaves the page, which calls `alloy.resume` when it is back. */
  readonly mode?: 'popup' | 'page' | undefined
  /** Where `page` comes back to; this page, if it is not given. The hub must list it. */
  readonly returnTo?: string | undefined
  /** The hub, if it is not the one that served this script. */
  readonly hub?: string | undefined
}

export interface ConnectOptions extends FlowOptions {
  /** What the provider needs to know beforehand, such as a subdomain. */
  readonly params?: Readonly<Record<string, string>> | undefined
  /** Makes a second connection to an account that is connected already, instead of renewing the first. */
  readonly allowDuplicate?: boolean | undefined
}

export interface SessionOptions extends FlowOptions {
  /** The token of a connect session, which your back end made. */
  readonly session: string
}

/**
 * A flow under way. It rejects with a `ConnectError`; with an `onError`, nobody needs to catch that. In mode `page` it
 * settles only if the page stays.
 */
export interface Flow<Result = Connection> extends Promise<Result> {
  /** Ends the flow here, and closes the popup where the browser lets it. The person may still finish at the provider. */
  cancel(): void
}

export interface Connect {
  /** Connects the user whom `alloy.authenticate` named. Call it in a click handler: it opens a popup. */
  (connectorId: string, options?: ConnectOptions): Flow
  /** Connects with a session that your back end made; no JWT is needed. */
  (options: SessionOptions): Flow
}

export interface Alloy {
  /**
   * Takes the JWT that your back end got from `GET /users/{id}/token`. It counts at once, awaited or not. Anything that
   * is no JWT, an API key above all, is refused before any request.
   */
  authenticate(jwt: string): Promise<void>
  /** The same without a promise: what is wrong with the JWT is told to the console, and to `onError` of `connect`. */
  setToken(jwt: string): void
  readonly connect: Connect
  /** After mode `page`, on the page returned to: finishes the flow. Resolves to undefined where there is none. */
  resume(callbacks?: Callbacks): Flow<Connection | undefined>
  /** Names the hub, where this script was not loaded from it. */
  setHub(origin: string): void
}

export declare const alloy: Alloy
export declare const connect: Connect
