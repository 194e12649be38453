/** Calls of our own API, each answer held against the shape that its route says it has. */
import assert from 'node:assert/strict'
import { routes } from '../../src/http/api/routes.ts'
import { errorShape } from '../../src/http/api/shapes.ts'

export interface Answer<T> {
  readonly status: number
  readonly body: T
  readonly headers: Headers
}

interface Hub {
  readonly origin: string
}

export type Problem = { readonly error: Record<string, string> }

/** The calls that were answered well, by the name of their operation. */
export const seen = new Set<string>()

export const api = async <T = Record<string, unknown>>(
  hub: Hub,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer<T>> => {
  const response = await fetch(`${hub.origin}/api/v1${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const json: unknown = text === '' ? undefined : JSON.parse(text)
  const requestId = response.headers.get('x-request-id') ?? ''
  assert.match(requestId, /^[0-9a-f-]{36}$/, `${method} ${path} has no request id`)
  if (response.status >= 400) {
    errorShape.parse(json)
    assert.equal((json as Problem).error['requestId'], requestId)
  } else {
    const pattern = (each: string) => new RegExp(`^${each.replaceAll(/\{\w+\}/g, '[^/]+')}$`)
    const route = routes.find(each => each.method === method && pattern(each.path).test(path.split('?')[0] ?? ''))
    assert.ok(route, `${method} ${path} is no route of the table`)
    assert.equal(response.status, route.status)
    if (route.answer) route.answer.parse(json)
    else assert.equal(json, undefined)
    seen.add(route.id)
  }
  return { status: response.status, body: json as T, headers: response.headers }
}

/** The same for a call that is refused. */
export const refused = async (
  hub: Hub,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number } & Record<string, string | number>> => {
  const { status, body: answer } = await api<Problem>(hub, method, path, body, headers)
  assert.ok(status >= 400, `${method} ${path} was answered with ${status}`)
  return { status, ...answer.error }
}

export const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` })
