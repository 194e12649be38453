/** Lists, a page at a time behind one `for await`. */
import type { Answer, Given, Hub, Query, Route } from './call.ts'
import { MortiseError } from './errors.ts'
import type { CallOptions } from './send.ts'

export interface Page<Item> {
  readonly data: readonly Item[]
  /** The cursor of the next page; null after the last. */
  readonly next: string | null
}

/** Nothing is asked before it is read, and a page is asked for when the one before was read. */
export interface List<Item> extends AsyncIterable<Item> {
  /** The first page, or the one that the query's `cursor` names. */
  page(): Promise<Page<Item>>
  pages(): AsyncGenerator<Page<Item>, void, undefined>
  /** All items, for lists that are known to be short. */
  all(): Promise<Item[]>
}

/** Routes that answer with a page. */
export type ListRoute = { [R in Route]: Answer<R> extends Page<unknown> ? R : never }[Route]
export type ItemOf<R extends ListRoute> = Answer<R> extends Page<infer Item> ? Item : never

export const list = <R extends ListRoute>(
  hub: Hub,
  route: R,
  given: Given<R>,
  options: CallOptions = {},
): List<ItemOf<R>> => {
  const { query = {}, ...rest } = given as unknown as { readonly query?: Query<R> }
  const ask = async (cursor: string | undefined): Promise<Page<ItemOf<R>>> => {
    const asked = { ...rest, query: { ...query, ...(cursor === undefined ? {} : { cursor }) } }
    return (await hub.call(route, asked as unknown as Given<R>, options)) as unknown as Page<ItemOf<R>>
  }
  async function* pages(): AsyncGenerator<Page<ItemOf<R>>, void, undefined> {
    for (let cursor: string | undefined; ; ) {
      const page = await ask(cursor)
      yield page
      if (page.next === null) return
      if (page.next === cursor)
        throw new MortiseError('hub_invalid_answer', 'The hub gave the same cursor twice: the list would never end.', {
          whoMustAct: 'us',
          retryable: false,
        })
      cursor = page.next
    }
  }
  async function* items(): AsyncGenerator<ItemOf<R>, void, undefined> {
    for await (const page of pages()) yield* page.data
  }
  return {
    page: () => ask(undefined),
    pages,
    async all() {
      const found: ItemOf<R>[] = []
      for await (const page of pages()) found.push(...page.data)
      return found
    },
    [Symbol.asyncIterator]: items,
  }
}
