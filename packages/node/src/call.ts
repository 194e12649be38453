/** A route of the hub's own API, called: its types from the document, its path and query made, its answer read. */
import type { Routes } from './api.ts'
import { badRequest, errorOf, isMortiseError, MortiseError } from './errors.ts'
import type { CallOptions, Outgoing, Read, Send } from './send.ts'

export type Route = keyof Routes
export type Answer<R extends Route> = Routes[R]['answer']
export type Given<R extends Route> = Omit<Routes[R], 'answer' | 'line'>
/** What a list may be narrowed by. */
export type Query<R extends Route> = Routes[R] extends { readonly query?: infer Q } ? NonNullable<Q> : never
export type Body<R extends Route> = Routes[R] extends { readonly body?: infer B } ? NonNullable<B> : never

type Scalar = string | number | boolean
export type QueryValue = Scalar | readonly Scalar[] | undefined

/** How a call says what it takes, whatever the route. */
interface Loose {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, QueryValue>> | undefined
  readonly body?: unknown
}

export interface Hub {
  /** A route that is answered in JSON. */
  call<R extends Route>(route: R, given: Given<R>, options?: CallOptions): Promise<Answer<R>>
  /** A request below `/api/v1`, with the key; `read` makes what the caller gets of the answer. */
  send<T>(
    outgoing: Omit<Outgoing, 'url'> & { readonly path: string; readonly query?: string },
    read: Read<T>,
    options: CallOptions,
  ): Promise<T>
}

/**
 * A part of a path. Dots alone would climb to another route, percent-encoded or not, and nothing would make a list of one:
 * both would send the key somewhere else than was meant.
 */
export const segment = (name: string, value: unknown): string => {
  if (typeof value !== 'string' || value === '')
    throw badRequest(name, `${name} is missing: a text, such as the hub gave it.`)
  if (/^\.\.?$/.test(value)) throw badRequest(name, `${name} is "${value}", which is no name of anything.`)
  try {
    return encodeURIComponent(value)
  } catch (cause) {
    throw new MortiseError('invalid_request', `${name} has half a character in it.`, {
      whoMustAct: 'caller',
      retryable: false,
      parameter: name,
      cause,
    })
  }
}

type Params<R extends Route> = Routes[R] extends { readonly params: infer P } ? P : Readonly<Record<string, never>>

/** The path of a route below `/api/v1`. */
export const pathOf = <R extends Route>(route: R, params: Params<R>): string =>
  (route.split(' ')[1] ?? '').replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    segment(name, (params as Readonly<Record<string, unknown>>)[name]),
  )

export const queryText = (query: Loose['query'] = {}): string => {
  const made = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    for (const each of Array.isArray(value) ? value : [value]) if (each !== undefined) made.append(name, String(each))
  return made.toString()
}

const unsendable = (cause: unknown): MortiseError =>
  new MortiseError('invalid_request', 'The body cannot be written as JSON.', {
    whoMustAct: 'caller',
    retryable: false,
    cause,
  })

export const toJson = (body: unknown): string => {
  try {
    return JSON.stringify(body)
  } catch (cause) {
    throw unsendable(cause)
  }
}

/** An answer in JSON; empty is undefined. Throws what the hub says no with, and `hub_invalid_answer` for what is no JSON. */
export const readJson = async (response: Response): Promise<unknown> => {
  const text = await response.text()
  if (!response.ok) throw errorOf(response, text)
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw errorOf(response, '')
  }
}

export interface Place {
  /** Without a slash at its end. */
  readonly url: string
  readonly key: string | undefined
  readonly userAgent: string
}

export const createHub = ({ url: base, key, userAgent }: Place, send: Send): Hub => {
  const sendTo: Hub['send'] = ({ path, query = '', headers, ...rest }, read, options) => {
    const url = new URL(`${base}/api/v1${path}`)
    if (query !== '') url.search = query
    if (key !== undefined) headers.set('authorization', `Bearer ${key}`)
    if (!headers.has('user-agent')) headers.set('user-agent', userAgent)
    return send({ ...rest, headers, url }, read, options)
  }
  return {
    send: sendTo,
    async call<R extends Route>(route: R, given: Given<R>, options: CallOptions = {}) {
      const { params = {}, query, body } = given as Loose
      const [method = ''] = route.split(' ')
      const path = pathOf(route, params as Params<R>)
      const headers = new Headers({ accept: 'application/json' })
      if (body !== undefined) headers.set('content-type', 'application/json')
      const read: Read<Answer<R>> = async (response, repeated) => {
        try {
          return (await readJson(response)) as Answer<R>
        } catch (thrown) {
          // It is gone, as was asked: by the try before, whose answer was lost.
          if (repeated && method === 'DELETE' && isMortiseError(thrown, 'not_found')) return undefined as Answer<R>
          throw thrown
        }
      }
      return sendTo(
        {
          method,
          path,
          query: queryText(query),
          headers,
          ...(body === undefined ? {} : { body: toJson(body) }),
          // PUT, PATCH and DELETE of this API say how it is to be, so saying it twice is the same. A key is revoked once.
          repeatable: method === 'POST' ? repeatablePosts.has(route) : route !== 'DELETE /keys/{id}',
        },
        read,
        options,
      )
    },
  }
}

/** They make nothing. */
const repeatablePosts: ReadonlySet<Route> = new Set<Route>(['POST /connections/{id}/test'])
