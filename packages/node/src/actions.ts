/** A provider's operations by name, through a connection: once, or a list of them walked to its end. */
import type { ActionAnswer, ActionInput, WalkInput, WalkLine } from './api.ts'
import { type Hub, pathOf, queryText, toJson } from './call.ts'
import { errorOf, isMortiseError, MortiseError, passes } from './errors.ts'
import { linesOf } from './lines.ts'
import type { CallOptions } from './send.ts'

/** How far a walk goes. */
export type WalkLimits = Pick<WalkInput, 'max' | 'from' | 'items'>

/** How a walk ended. `next` is what `from` takes to go on; null where there is nothing to go on to. */
export type WalkEnd = Extract<WalkLine, { readonly end: unknown }>['end']

/**
 * Items as they come; a page is asked for when the one before was taken, and leaving the loop ends the walk. What goes
 * wrong on its way is thrown, after the items that came before it.
 */
export interface Walk<Item> extends AsyncIterable<Item> {
  /** How the last run of it ended, by an error too; undefined until it did. */
  readonly end: WalkEnd | undefined
}

/** The provider's own answer, its errors too: look at `status`, and at `failure`. */
export type Answered<Body> = Omit<ActionAnswer, 'body'> & { readonly body: Body }

/** What is given is held against the action before anything is sent: a mistake is `invalid_request` with the field. */
export interface Actions {
  run<Body = unknown>(action: string, input?: ActionInput, options?: CallOptions): Promise<Answered<Body>>
  /** Reads a list in pages to its end, or up to `max`. */
  walk<Item = unknown>(action: string, input?: ActionInput & WalkLimits, options?: CallOptions): Walk<Item>
}

/** The same for a list by its path, as the provider's definition says of its lists. */
export type WalkPath = <Item = unknown>(input: WalkInput, options?: CallOptions) => Walk<Item>

const cut = (cause: unknown): MortiseError =>
  new MortiseError(
    'hub_unreachable',
    'The answer broke off before the walk ended. What came is right; walk again for the rest.',
    { whoMustAct: 'operator', retryable: true, cause },
  )

/** The last line of a walk that went wrong on its way. */
const refusal = (told: Extract<WalkLine, { readonly error: unknown }>['error'], requestId: string | null) => {
  const { code, message, reason, actor, status, headers, body } = told
  return new MortiseError(code, message, {
    whoMustAct: actor,
    retryable: passes(code),
    reason: reason ?? undefined,
    requestId: requestId ?? undefined,
    ...(status === null ? {} : { status, answer: { status, headers: headers ?? {}, body } }),
  })
}

interface Asked {
  readonly path: string
  readonly query?: string
  readonly body: unknown
}

/** `request` is made when it is walked: what is wrong with it is thrown there, as everything else is. */
const walked = <Item>(hub: Hub, request: () => Asked, options: CallOptions): Walk<Item> => {
  let end: WalkEnd | undefined
  async function* items(): AsyncGenerator<Item, void, undefined> {
    end = undefined
    const { body, ...asked } = request()
    const headers = new Headers({
      accept: 'application/x-ndjson, application/json',
      'content-type': 'application/json',
    })
    const response = await hub.send(
      { method: 'POST', ...asked, headers, body: toJson(body), repeatable: false },
      async answer => {
        if (answer.ok && answer.headers.get('content-type')?.startsWith('application/x-ndjson')) return answer
        throw errorOf(answer, await answer.text())
      },
      options,
    )
    try {
      for await (const text of linesOf(response)) {
        const line = JSON.parse(text) as WalkLine
        if ('item' in line) yield line.item as Item
        else if ('end' in line) {
          end = line.end
          return
        } else {
          const { items: found, pages, next } = line.error
          end = { items: found, pages, next, complete: false }
          throw refusal(line.error, response.headers.get('x-request-id'))
        }
      }
    } catch (thrown) {
      options.signal?.throwIfAborted()
      throw isMortiseError(thrown) ? thrown : cut(thrown)
    }
    throw cut(undefined)
  }
  return {
    get end() {
      return end
    },
    [Symbol.asyncIterator]: items,
  }
}

const route = 'POST /connections/{id}/actions/{action}'

export const actionsOf = (hub: Hub, id: string): Actions => ({
  run: async <Body>(action: string, body: ActionInput = {}, options: CallOptions = {}) =>
    (await hub.call(route, { params: { id, action }, body }, options)) as Answered<Body>,
  walk: (action, { max, from, items, ...body } = {}, options = {}) =>
    walked(
      hub,
      () => ({
        path: pathOf(route, { id, action }),
        query: queryText({ walk: true, max, from, items }),
        body,
      }),
      options,
    ),
})

export const walkPathOf =
  (hub: Hub, id: string): WalkPath =>
  (body, options = {}) =>
    walked(hub, () => ({ path: pathOf('POST /connections/{id}/walk', { id }), body }), options)
