/**
 * What the last page of a flow tells whoever opened its window, as this vendor's own does: by postMessage, and on the
 * BroadcastChannel `nango-oauth-callback`. Nothing in it is secret; still it goes to the origins only that may start flows.
 */
import type { Attempt, Outcome } from '../../core/attempt.ts'
import type { Environment } from '../../core/environment.ts'
import type { Hub } from '../../core/hub.ts'
import { tellOrigins } from '../connect-page.ts'
import { type Html, html } from '../html.ts'
import { errorType } from './errors.ts'

const script = async (
  { context }: Hub,
  environmentId: number,
  said: { readonly type: 'success' | 'error'; readonly message: string; readonly errorType?: string },
): Promise<Html> => {
  const origins = await tellOrigins(context, environmentId)
  return html`<script src="/assets/tell.js" data-type="nango_oauth_callback_${said.type}" data-message="${said.message}" data-error-type="${said.errorType ?? ''}" data-origins="${origins.join(' ')}" defer></script>`
}

export const tellFailure = (hub: Hub, { id }: Pick<Environment, 'id'>, message: string, type: string): Promise<Html> =>
  script(hub, id, { type: 'error', message, errorType: type })

export const tellOutcome = (hub: Hub, { environmentId }: Attempt, outcome: Outcome): Promise<Html> =>
  outcome.ok
    ? script(hub, environmentId, { type: 'success', message: 'The account is connected.' })
    : script(hub, environmentId, {
        type: 'error',
        message: outcome.message,
        errorType: errorType(outcome.code, outcome.reason),
      })
