/** Running an action through a connection, and how its answer is wrapped. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Action } from '../../core/action.ts'
import type { ActionInput } from '../../core/action-request.ts'
import { type Connection, shownId } from '../../core/connection.ts'
import type { Json } from '../../core/credential.ts'
import { badParameter } from '../../core/errors.ts'
import { findConnection } from '../../core/find.ts'
import type { Hub } from '../../core/hub.ts'
import { newId } from '../../core/ids.ts'
import type { ActionAnswer } from '../../core/run-action.ts'
import { rowUserId } from '../../core/users.ts'
import { type Body, bodyOf, objectIn, text, warningsOf } from './input.ts'
import { actionOf, type ByAction, connectorOf } from './look-up.ts'
import type { Served } from './served.ts'

export const executeRoutes = (app: FastifyInstance, served: Served): void => {
  const { hub } = served
  const execute = async (request: FastifyRequest<ByAction>, reply: FastifyReply) => {
    const body = bodyOf(request.body)
    const [integration, provider] = await connectorOf(served, request)
    const action = actionOf(hub, provider, request.params.action)
    const id = text(body, 'credentialId', 'connectionId', 'id')
    if (id === undefined)
      throw badParameter(
        'credentialId',
        'credentialId is missing: the connection to act through, as the lists show it.',
      )
    const header = request.headers['x-alloy-userid']
    const user = text(body, 'userId') ?? (typeof header === 'string' && header !== '' ? header : undefined)
    const row = await findConnection(hub.context, request.caller.environmentId, id, {
      ...(user === undefined ? {} : { endUserId: rowUserId(await served.user(request, user, {})) }),
      integrationKey: integration.key,
    })
    const warned = served.warn(reply, warningsOf(body, known))
    return executed(hub, await hub.execute(row, action, inputOf(action, body)), row, reply, warned)
  }
  const calling = { preHandler: served.may('proxy') }
  app.post<ByAction>('/connectors/:connector/actions/:action/execute', calling, execute)
  app.post<ByAction>('/connectors/:connector/actions/:action', calling, execute)
}

/** The wrapper that clients read; a provider's error keeps its status and body. */
export const executed = (
  hub: Hub,
  done: Pick<ActionAnswer, 'status' | 'body' | 'failure'>,
  row: Connection,
  reply: FastifyReply,
  more: object = {},
) => {
  const wrapper = {
    executionId: newId(hub.context.clock.now()),
    statusCode: done.status,
    responseData: done.body,
    data: done.body,
    ...more,
  }
  if (done.status < 400 && done.failure === undefined) return { ...wrapper, status: 'completed' }
  const said = done.body as unknown as { message?: unknown; error?: { message?: unknown } } | null
  const words = [done.failure, said?.message, said?.error?.message].find(each => typeof each === 'string')
  const message = `${row.provider} answered ${done.status}${words === undefined ? '.' : `: ${String(words)}`}`
  const error = { code: 'PROVIDER_ERROR', message, details: [], provider: done.body }
  // A client of the vendor's takes 422 for a success; and a failure that was told with a 200 is none.
  return reply
    .code(done.status === 422 || done.status < 400 ? 400 : done.status)
    .send({ ...wrapper, status: 'failed', message, code: 'PROVIDER_ERROR', connectionId: shownId(row), error })
}

/** The fields of a call. */
const known = [
  'credentialId',
  'connectionId',
  'id',
  'userId',
  'connectorId',
  'actionId',
  'parameters',
  'input',
  'requestBody',
  'body',
  'pathParams',
  'pathParameters',
  'queryParameters',
  'queryParams',
  'query',
  'additionalHeaders',
  'headers',
]

/** Headers of this API that a client may copy into an action's: they are not the provider's. */
const ownHeaders = ['x-alloy-', 'x-api-version', 'x-credential-id', 'api-key']

/** The groups of an action's input under the names that the caller uses; or all in one, told apart by the action. */
const inputOf = (action: Action, body: Body): ActionInput => {
  const all = objectIn(body, 'parameters', 'input')
  if (all) {
    const placed = (name: string) => action.parameters.find(each => each.name === name)?.in ?? 'body'
    const group = (place: string) => Object.fromEntries(Object.entries(all).filter(([name]) => placed(name) === place))
    const names = { path: 'parameters', query: 'parameters', body: 'parameters', headers: 'additionalHeaders' }
    const rest = group('body')
    const split = action.body
      ? { query: group('query'), body: rest }
      : { query: Object.fromEntries([...Object.entries(group('query')), ...Object.entries(rest)]) }
    return { ownHeaders, path: group('path'), ...split, names }
  }
  const named = (...names: string[]) => names.find(name => body[name] !== undefined && body[name] !== null)
  const headers = objectIn(body, 'additionalHeaders', 'headers')
  const content = body[named('requestBody', 'body') ?? ''] as Json | undefined
  return {
    ownHeaders,
    path: objectIn(body, 'pathParams', 'pathParameters') ?? {},
    query: objectIn(body, 'queryParameters', 'queryParams', 'query') ?? {},
    ...(content === undefined || content === null ? {} : { body: content }),
    ...(headers ? { headers } : {}),
    names: {
      path: named('pathParams', 'pathParameters') ?? 'pathParams',
      query: named('queryParameters', 'queryParams', 'query') ?? 'queryParameters',
      body: named('requestBody', 'body') ?? 'requestBody',
      headers: named('additionalHeaders', 'headers') ?? 'additionalHeaders',
    },
  }
}
