/**
 * One route of our own API, as data: what it takes, what it answers, who may call it. The table of routes is served, the
 * OpenAPI document is made of it, and the page for people is made of that; so none of them can say something else.
 */
import type { FastifyRequest } from 'fastify'
import type * as z from 'zod'
import type { Environment, Scope } from '../../core/environment.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { Hub } from '../../core/hub.ts'
import type { Caller } from '../../core/keys.ts'
import type { Access } from '../auth.ts'
import { queryOf } from '../query.ts'
import { checked, fromQuery } from './check.ts'

/** The nouns, in the order in which people read of them. */
export const tags = {
  Integrations: 'Your client at a provider: client id and secret, scopes.',
  'Connect sessions': 'A short-lived permission for one browser to connect one account; how it went.',
  Connections: 'The links of your end users to their accounts, and their credentials.',
  Providers: 'What can be integrated: the definitions that this hub knows.',
  Actions: "Calls of a provider's API by name, made with the credential of a connection; lists walked to their end.",
  Environment: "The tenant that a key belongs to, and the hub's other ones.",
  Keys: 'Secret keys of this environment. A key is shown once, and makes keys that may do no more than itself.',
} as const

interface Told {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below `/api/v1`, with `{name}` for what varies. */
  readonly path: `/${string}`
  /** The operation's name, for generated clients. */
  readonly id: string
  readonly tag: keyof typeof tags
  /** A few words. */
  readonly summary: string
  /** Sentences: what it does, what to do with the answer. */
  readonly about?: string
  readonly scope: Scope
  readonly status: 200 | 201 | 204
  /** Codes that it answers with, besides those that every route does. */
  readonly fails?: readonly ErrorCode[]
  /** What comes in and goes out is the provider's, whatever it is: `headers` are the hub's own of the request. */
  readonly passes?: { readonly headers: z.ZodObject }
}

/** What a route's work is given: checked, and with the types of its shapes. */
export interface Call<Params, Query, Body> {
  readonly hub: Hub
  readonly access: Access
  readonly caller: Caller
  readonly environment: Environment
  readonly params: Params
  readonly query: Query
  readonly body: Body
  /** Aborted when the hub stops: what takes long then ends. */
  readonly stopping: AbortSignal
}

/** An answer in lines of JSON (application/x-ndjson), written as they are taken. */
export class Lines {
  readonly each: AsyncIterable<unknown>
  constructor(each: AsyncIterable<unknown>) {
    this.each = each
  }
}

interface Typed<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, A extends z.ZodType> extends Told {
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  readonly answer?: A
  /** What a line is, where it answers in lines, or may. */
  readonly line?: z.ZodType
  readonly work: (call: Call<z.output<P>, z.output<Q>, z.output<B>>) => Promise<z.input<A> | Lines>
}

export interface Route extends Told {
  readonly params: z.ZodObject | undefined
  readonly query: z.ZodObject | undefined
  readonly body: z.ZodType | undefined
  readonly answer: z.ZodType | undefined
  readonly line: z.ZodType | undefined
  /** Checks what came in, then works. */
  readonly serve: (hub: Hub, access: Access, request: FastifyRequest, stopping: AbortSignal) => Promise<unknown>
}

type Nothing = z.ZodObject<Record<string, never>>

export const route = <
  P extends z.ZodObject = Nothing,
  Q extends z.ZodObject = Nothing,
  B extends z.ZodType = z.ZodUndefined,
  A extends z.ZodType = z.ZodUndefined,
>(
  typed: Typed<P, Q, B, A>,
): Route => {
  const { work, params, query, body, answer, line, ...told } = typed
  return {
    ...told,
    params,
    query,
    body,
    answer,
    line,
    serve: async (hub, access, request, stopping) =>
      work({
        hub,
        access,
        caller: request.caller,
        environment: await hub.context.environmentOf(request.caller.environmentId),
        params: checked(params, request.params, 'path'),
        query: checked(query, fromQuery(query, queryOf(request)), 'query'),
        body: checked(body, request.body, 'body'),
        stopping,
      }),
  }
}
