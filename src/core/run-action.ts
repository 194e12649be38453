/**
 * Runs an action with a connection's credential. The provider's answer comes back as it is, its errors too: they are the
 * provider's word to the caller, not the hub's. The credential goes to the hosts that the definition names, and nowhere
 * else: that is checked on the finished URL, right before it is attached.
 */
import type { Action } from './action.ts'
import { type ActionInput, actionRequest } from './action-request.ts'
import type { Context } from './context.ts'
import type { Json } from './credential.ts'
import { withCredential } from './credential-header.ts'
import { MortiseError } from './errors.ts'
import { unknownIntegration } from './integration.ts'
import { clientOfRow } from './own-client.ts'
import { assertNamed } from './pass-url.ts'
import type { CallResponse } from './ports.ts'
import type { Read } from './read.ts'

/** Bytes of an answer that are taken. */
const limit = 10_000_000

export interface ActionAnswer {
  readonly status: number
  /** Lower-case names; without those that speak of the connection between us and the provider. */
  readonly headers: Readonly<Record<string, string>>
  /** Parsed where the provider says that it is JSON; the text otherwise, '' for none. */
  readonly body: Json | string
}

/**
 * `read` is what `read()` gave: a connection with a credential that works now.
 * Throws `invalid_request` (reason `parameter`, before anything is sent), `provider_unavailable`,
 * `provider_invalid_response` (more than 10 MB) or `integration_misconfigured`. A provider's 4xx or 5xx is an answer.
 */
export const execute = async (
  context: Context,
  read: Read,
  action: Action,
  input: ActionInput,
): Promise<ActionAnswer> => {
  const { connection, credential } = read
  const integration = await context.storage.integration(connection.environmentId, connection.integrationKey)
  if (!integration)
    throw unknownIntegration(connection.integrationKey, await context.environmentOf(connection.environmentId))
  const client = await clientOfRow(context, integration, connection)
  const { provider } = client
  if (action.provider !== provider.id)
    throw new MortiseError(
      'invalid_request',
      `${action.id} is an action of ${action.provider}, but the connection is one with ${provider.name}.`,
      { reason: 'action_unknown' },
    )
  const request = actionRequest(client, action, input)
  assertNamed(client, request.url)
  const response = await context.call.send({ ...withCredential(context, client, credential, request), limit })
  context.log.info('an action was run', {
    provider: provider.id,
    action: action.id,
    id: connection.id,
    status: response.status,
  })
  return { status: response.status, headers: endToEnd(response.headers), body: bodyOf(response) }
}

/** Of one hop, or for a browser (RFC 9110 §7.6.1). */
const hopByHop = new Set(['connection', 'keep-alive', 'transfer-encoding', 'te', 'trailer', 'upgrade', 'set-cookie'])

const endToEnd = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !hopByHop.has(name) && !name.startsWith('proxy-')))

const bodyOf = (response: CallResponse): Json | string => {
  if (!/^application\/([^;]+\+)?json\b/i.test(response.headers['content-type'] ?? '')) return response.body
  try {
    return JSON.parse(response.body) as Json
  } catch {
    return response.body
  }
}
