/**
 * Passthrough: a call of the provider's API, described in a body. What comes back is the provider's own answer, status and
 * body as they are. https://docs.runalloy.com/embedded/passthrough-api
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Json } from '../../core/credential.ts'
import { badParameter } from '../../core/errors.ts'
import { findConnection } from '../../core/find.ts'
import type { PassBody } from '../../core/pass-body.ts'
import { rowUserId } from '../../core/users.ts'
import { answer, untilGone } from '../pass.ts'
import { queryOf } from '../query.ts'
import { type Body, bodyOf, text } from './input.ts'
import type { Served } from './served.ts'

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

export const passthroughRoutes = (app: FastifyInstance, served: Served): void => {
  const { hub } = served
  for (const url of ['/passthrough', '/one/forward'])
    app.route({
      method: 'POST',
      url,
      config: { proxies: true },
      preHandler: served.may('proxy'),
      handler: async (request, reply) => {
        const signal = untilGone(reply)
        const body = bodyOf(request.body)
        const row = await connectionOf(served, request, body)
        const call = callIn(body)
        await answer(request, reply, await hub.proxy(row, { ...call, signal }), { method: call.method })
        return reply
      },
    })
}

/** Named in the query, as the documents have it, or else in a header or the body. */
const connectionOf = async (served: Served, request: FastifyRequest, body: Body) => {
  const query = queryOf(request)
  const header = request.headers['x-credential-id']
  const id =
    query.get('credentialId') ||
    query.get('connectionId') ||
    (typeof header === 'string' && header) ||
    text(body, 'credentialId', 'connectionId')
  if (!id) throw badParameter('credentialId', 'credentialId is missing in the query: the connection to call through.')
  const user = await served.named(request, undefined, body)
  return findConnection(served.hub.context, request.caller.environmentId, id, {
    ...(user ? { endUserId: rowUserId(user) } : {}),
  })
}

/** The call that a body describes. */
export const callIn = (given: Body) => {
  const named = text(given, 'method')?.toUpperCase()
  // The vendor's documents call it so, too.
  const method = named === 'UPDATE' ? 'PUT' : named
  if (method === undefined || !methods.includes(method))
    throw badParameter('method', `method must be one of ${methods.join(', ')}: that of the call to the provider.`)
  const path = text(given, 'path', 'endpoint')
  if (path === undefined || !/^\/?(?![a-z][a-z0-9+.-]*:\/\/)[^/]/i.test(path))
    throw badParameter('path', 'path must be that of the call below the API of the provider, like /v1/users.')
  const [before = '', ...after] = path.split('?')
  const query = [after.join('?'), queryIn(given)].filter(Boolean).join('&')
  const headers = headersIn(given)
  const body = contentIn(given, headers)
  return {
    method,
    path: before,
    query: query === '' ? '' : `?${query}`,
    headers,
    // Clients send an empty object along with everything.
    ...(body === undefined || ((method === 'GET' || method === 'HEAD') && isEmpty(given['body'])) ? {} : { body }),
  }
}

const isEmpty = (value: Json | undefined): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0

/** A field that is an object, or the text of one in JSON. */
const objectOrText = (given: Body, name: string): Body => {
  const value = given[name]
  if (value === undefined || value === null || value === '') return {}
  const parsed = typeof value === 'string' ? parse(value) : value
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed
  throw badParameter(name, `${name} must be an object, or the JSON of one.`)
}

const parse = (value: string): Json | undefined => {
  try {
    return JSON.parse(value) as Json
  } catch {
    return undefined
  }
}

const queryIn = (given: Body): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(objectOrText(given, 'query')))
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each === null) continue
      if (typeof each === 'object')
        throw badParameter(`query.${name}`, 'Each of query must be a text or a number, or a list of them.')
      query.append(name, String(each))
    }
  return query.toString()
}

const headersIn = (given: Body): Record<string, string> => {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(objectOrText(given, 'extraHeaders'))) {
    if (value === null) continue
    if (
      !/^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(name) ||
      typeof value === 'object' ||
      !/^[\t\x20-\x7e]*$/.test(String(value))
    )
      throw badParameter(
        `extraHeaders.${name.slice(0, 80)}`,
        'Each of extraHeaders must be a name of a header and its plain text.',
      )
    headers[name.toLowerCase()] = String(value)
  }
  return headers
}

/** An object is sent as JSON; a text as it is, and it must be JSON unless the headers say what else it is. */
const contentIn = (given: Body, headers: Record<string, string>): PassBody | undefined => {
  const value = given['body']
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') return { json: value }
  if (headers['content-type'] === undefined) {
    if (parse(value) === undefined)
      throw badParameter(
        'body',
        'body must be an object, or a text that is JSON; or name its content-type in extraHeaders.',
      )
    headers['content-type'] = 'application/json'
  }
  return Buffer.from(value)
}
