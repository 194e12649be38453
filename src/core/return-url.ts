/** Where a finished flow may send the browser: never an open redirector (RFC 9700 §4.11). */
import type { Context } from './context.ts'
import type { Environment } from './environment.ts'
import { MortiseError } from './errors.ts'
import { isLoopbackHost, parseUrl } from './loopback.ts'

/**
 * Whether a finished flow may send the browser there. Scheme, host, port and path must equal a listed URL's exactly
 * (RFC 9700 §4.1.1); its query is its own. In `dev`, any loopback URL may, and any URL at all that comes with a key.
 * Answers it as a browser would send it, which
 * is what may stand in a header.
 */
export const checkReturn = async (
  context: Context,
  environment: Environment,
  returnTo: string,
  byKey = false,
): Promise<string> => {
  const url = parseUrl(returnTo)
  const wrong =
    url === undefined || !/^https?:\/\//i.test(returnTo)
      ? 'must be an absolute http(s) URL'
      : url.username !== '' || url.password !== ''
        ? 'must carry no user or password'
        : returnTo.includes('#')
          ? 'must have no fragment'
          : undefined
  if (!url || wrong !== undefined)
    throw new MortiseError('invalid_request', `The URL to return to ${wrong}.`, {
      reason: 'redirect_not_allowed',
      ...(byKey ? { parameter: 'redirectUri', received: returnTo } : {}),
    })
  if (context.dev && (byKey || isLoopbackHost(url.hostname))) return url.href
  const bare = url.origin + url.pathname
  const allowed = await context.storage.allowed(environment.id, 'redirect')
  if (allowed.includes(bare)) return url.href
  throw new MortiseError(
    'invalid_request',
    `The URL to return to, ${bare}, is not on the list of the environment "${environment.name}" (${allowed.length === 0 ? 'which is empty' : byKey ? allowed.slice(0, 5).join(', ') : `${allowed.length} listed`}). Its operator can add it: npx mortise env allow-redirect ${bare}`,
    { reason: 'redirect_not_allowed', ...(byKey ? { parameter: 'redirectUri', received: bare, allowed } : {}) },
  )
}
