/** The browser SDK as a React hook. */
import type { ConnectError, Connection, ConnectOptions, SessionOptions } from './index.d.ts'

export type ConnectState =
  /** Nothing was begun, or it was cancelled. */
  | { readonly status: 'idle' }
  /** The popup is open, and the hub is asked. */
  | { readonly status: 'opening' }
  /** The person is at the provider. */
  | { readonly status: 'waiting' }
  | { readonly status: 'connected'; readonly connection: Connection }
  | { readonly status: 'failed'; readonly error: ConnectError }

export interface ConnectActions {
  /**
   * Begins a flow, as `alloy.connect` does and with what that takes. Call it in a click handler: it opens a popup. One
   * that is under way is cancelled: the person may have closed its popup, which the browser does not tell.
   */
  connect(connectorId: string, options?: ConnectOptions): void
  /** The same with a session that your back end made. */
  connect(options: SessionOptions): void
  /** Ends the flow under way, if there is one, and is idle again. The person may still finish at the provider. */
  cancel(): void
}

export interface UseConnectOptions {
  /** On a page that mode `page` comes back to: finishes the flow when the component is there. */
  readonly resume?: boolean | undefined
}

/** `status` says which of the other fields there is. The functions stay the same ones; leaving the page cancels. */
export declare const useConnect: (options?: UseConnectOptions) => ConnectState & ConnectActions
