/**
 * Runs an action with a connection's credential. The provider's answer comes back as it is, its errors too: they are the
 * provider's word to the caller, not the hub's. The credential goes to the hosts that the definition names, and nowhere
 * else: that is checked on the finished URL, right before it is attached.
 */
import type { Action } from './action.ts'
import { type ActionInput, actionRequest } from './action-request.ts'
import type { Connection } from './connection.ts'
import type { Context } from './context.ts'
import { type Json, pick, pickText } from './credential.ts'
import { withCredential } from './credential-header.ts'
import { MortiseError } from './errors.ts'
import { checkLength, ofCall } from './limits.ts'
import type { Mend } from './mend.ts'
import { told } from './pass-headers.ts'
import { assertNamed } from './pass-url.ts'
import { paramOf } from './place.ts'
import type { CallResponse, Signer } from './ports.ts'
import type { Provider } from './provider.ts'
import type { Sender, Senders } from './sender.ts'

export interface ActionAnswer {
  readonly status: number
  /** Lower-case names; without those that speak of the connection between us and the provider. */
  readonly headers: Readonly<Record<string, string>>
  /** Parsed where the provider says that it is JSON; the text otherwise, '' for none. */
  readonly body: Json | string
  /** What went wrong, in the provider's own word, where it tells so with a status that says otherwise (`api.failed`). */
  readonly failure?: string
}

/**
 * With a credential that works now. One that the provider refuses is renewed by the rule of the proxy, and the action run
 * once more: what becomes of that is told. Throws what a read throws, and what `execute` does.
 */
export const runAction = async (
  context: Context,
  senders: Senders,
  mend: Mend,
  row: Connection,
  action: Action,
  input: ActionInput,
): Promise<ActionAnswer> => {
  const sender = await senders.of(row)
  const answer = await execute(context, sender, action, input)
  if (!(await mend.isExpiry(sender, answer.status, () => answer.body))) return answer
  const alive = await mend.mend(sender)
  return alive ? execute(context, alive, action, input) : answer
}

/**
 * Throws `invalid_request` (reason `parameter`, before anything is sent), `provider_unavailable`,
 * `provider_invalid_response` (larger than it may be) or `integration_misconfigured`. A provider's 4xx or 5xx is an answer.
 */
export const execute = async (
  context: Pick<Context, 'call' | 'log' | keyof Signer>,
  { id, client, credential }: Pick<Sender, 'id' | 'client' | 'credential'>,
  action: Action,
  input: ActionInput,
): Promise<ActionAnswer> => {
  const { provider } = client
  if (action.provider !== provider.id)
    throw new MortiseError(
      'invalid_request',
      `${action.id} is an action of ${action.provider}, but the connection is one with ${provider.name}.`,
      { reason: 'action_unknown' },
    )
  const request = actionRequest(client, action, input)
  assertNamed(client, request.url)
  const sent = withCredential(context, client, credential, request)
  checkLength(client.integration, sent.body === undefined ? undefined : Buffer.byteLength(sent.body))
  const response = await context.call.send({ ...sent, ...ofCall(client.integration) })
  context.log.info('an action was run', { provider: provider.id, action: action.id, id, status: response.status })
  const headers = told(response.headers, paramOf(provider, credential))
  const answer = { status: response.status, headers, body: bodyOf(response) }
  const failure = failureIn(provider, answer)
  return failure === undefined ? answer : { ...answer, failure }
}

const failureIn = ({ api: { failed } }: Provider, { status, body }: ActionAnswer): string | undefined =>
  failed !== undefined && status < 400 && pick(body, failed.path) === failed.equals
    ? (pickText(body, failed.code) ?? 'a failure')
    : undefined

const bodyOf = (response: CallResponse): Json | string => {
  if (!/^application\/([^;]+\+)?json\b/i.test(response.headers['content-type'] ?? '')) return response.body
  try {
    return JSON.parse(response.body) as Json
  } catch {
    return response.body
  }
}
