/** A provider's operations by name, through a connection: once, or a list of them walked to its end. */
import { type Hub, queryText, readJson, segment, toJson } from './call.ts'
import { errorIn, errorOf, isMortiseError, MortiseError } from './errors.ts'
import { linesOf } from './lines.ts'
import type { CallOptions, Outgoing } from './send.ts'

type Json = Readonly<Record<string, unknown>>

/** Each as the action declares it; what it does not know is an error that names it, before anything is sent. */
export interface ActionInput {
  /** What stands in its path. */
  readonly path?: Json | undefined
  readonly query?: Json | undefined
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** The provider's own answer, whatever its status. */
export interface ActionAnswer<Body = unknown> {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Body
}

export interface WalkInput extends ActionInput {
  /** How many items at most; 1,000 unless told. */
  readonly max?: number | undefined
}

/** How a walk ended. */
export interface WalkEnd {
  readonly items: number
  readonly pages: number
  /** Whether the provider has no more. */
  readonly complete: boolean
}

/** Items as they come; a page is asked for when the one before was read. Leaving the loop ends the walk. */
export interface Walk<Item> extends AsyncIterable<Item> {
  /** How it ended; undefined until it did. */
  readonly end: WalkEnd | undefined
}

export interface Actions {
  run<Body = unknown>(action: string, input?: ActionInput, options?: CallOptions): Promise<ActionAnswer<Body>>
  walk<Item = unknown>(action: string, input?: WalkInput, options?: CallOptions): Walk<Item>
}

const cut = (cause: unknown): MortiseError =>
  new MortiseError(
    'hub_unreachable',
    'The answer ended before the walk did. What came is right; ask again for the rest.',
    {
      whoMustAct: 'operator',
      retryable: true,
      cause,
    },
  )

type Line<Item> = { readonly item: Item } | { readonly end: WalkEnd } | { readonly error: unknown }

export const actionsOf = (hub: Hub, id: string): Actions => {
  const request = (action: string, input: ActionInput) => {
    const { path, query, body, headers } = input
    return {
      method: 'POST',
      path: `/connections/${segment('id', id)}/actions/${segment('action', action)}`,
      headers: new Headers({ accept: 'application/json', 'content-type': 'application/json' }),
      body: toJson({ path, query, body, headers }),
      // Nobody here knows whether the operation makes something.
      repeatable: false,
    } satisfies Omit<Outgoing, 'url'> & { path: string }
  }
  return {
    run: async <Body>(action: string, input: ActionInput = {}, options: CallOptions = {}) =>
      hub.send(request(action, input), async response => (await readJson(response)) as ActionAnswer<Body>, options),
    walk<Item>(action: string, { max, ...input }: WalkInput = {}, options: CallOptions = {}): Walk<Item> {
      let end: WalkEnd | undefined
      async function* items(): AsyncGenerator<Item, void, undefined> {
        end = undefined
        const asked = request(action, input)
        const response = await hub.send(
          { ...asked, query: queryText({ walk: true, max }) },
          async answer => {
            if (answer.ok && answer.body) return answer
            throw errorOf(answer, await answer.text())
          },
          options,
        )
        try {
          for await (const text of linesOf(response)) {
            const line = JSON.parse(text) as Line<Item>
            if ('error' in line) throw errorIn(line, response)
            if ('end' in line) {
              end = line.end
              return
            }
            yield line.item
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
    },
  }
}
