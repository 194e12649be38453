/** Lists that come in pages: which action's do, what is in a page, and where the next one begins. Pure. */
import type { Action } from './action.ts'
import { type Json, type JsonObject, pick, pickText } from './credential.ts'
import { MortiseError } from './errors.ts'
import type { Paginate } from './paginate.ts'
import type { Provider } from './provider.ts'

/** Where its parameters go. */
export const groupIn = (paginate: Paginate): 'query' | 'body' => (paginate.kind === 'link' ? 'query' : paginate.in)

/** The parameters that it sets, by the group where they stand. */
export const paramsOf = (paginate: Paginate): readonly (readonly [group: 'query' | 'body', name: string])[] => {
  const group = groupIn(paginate)
  return [
    ...(paginate.kind === 'link' ? [] : [[group, paginate.param] as const]),
    ...(paginate.size ? [[group, paginate.size.param] as const] : []),
  ]
}

/** How an action's list comes in pages; undefined: it does not, as far as is known. */
export const paginationOf = (provider: Provider, action: Action): Paginate | undefined => {
  const usual = provider.api.paginate
  const own = action.paginate
  if (own === false) return undefined
  if (own?.kind === 'default') {
    if (usual) return own.items === undefined ? usual : { ...usual, items: own.items }
    throw new MortiseError(
      'integration_misconfigured',
      `The pages of ${action.id} are those of api.paginate, which the definition of ${provider.name} does not have. The operator must mend one of the files.`,
    )
  }
  if (own) return own
  if (!usual || action.method !== 'GET') return undefined
  if (action.free) return usual
  const declared = new Set(action.parameters.filter(each => each.in === 'query').map(each => each.name))
  const [first] = paramsOf(usual)
  return first?.[0] === 'query' && declared.has(first[1]) ? usual : undefined
}

/** What of a page is looked at. */
export interface Page {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Json | string
}

/** The items of a page; or, in words, why there are none to be had. */
export const itemsOf = (paginate: Pick<Paginate, 'items'>, { body }: Page): readonly Json[] | string => {
  const found = paginate.items === undefined ? body : pick(body, paginate.items)
  if (Array.isArray(found)) return found
  const lists = isObject(body) ? Object.keys(body).filter(key => Array.isArray(body[key])) : []
  const there = lists.length === 0 ? 'no list stands there' : `what is a list there: ${lists.join(', ')}`
  return paginate.items === undefined
    ? `the answer itself is no list, so items must name where it stands; ${there}`
    : `there is no list at ${paginate.items} in the answer; ${there}`
}

const isObject = (value: Json | string): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Where the next page begins: a cursor, a number, or a URL; as text. Undefined after the last page. */
export const nextOf = (
  paginate: Paginate,
  page: Page,
  items: readonly Json[],
  at: string | undefined,
): string | undefined => {
  if (paginate.kind === 'link')
    return paginate.next === undefined ? linked(page.headers) : pickText(page.body, paginate.next)
  const more = paginate.more === undefined ? undefined : pick(page.body, paginate.more)
  if (more === false) return undefined
  if (paginate.kind === 'cursor')
    return paginate.next === undefined ? pickText(items.at(-1), paginate.last) : pickText(page.body, paginate.next)
  const before = at === undefined ? paginate.first : Number(at)
  // A page may have fewer items than were asked for, and be followed by more; an empty one is the end.
  if (items.length === 0 && more !== true) return undefined
  if (paginate.kind === 'page') return String(before + 1)
  const after = before + items.length
  const total = paginate.total === undefined ? undefined : pick(page.body, paginate.total)
  return typeof total === 'number' && after - paginate.first >= total ? undefined : String(after)
}

/**
 * The target of rel=next in a Link header (RFC 8288 §3). It is the provider's text, so nothing here may look twice at the
 * same piece: a target ends at another `<`, and a quote is one to its end, whatever stands in it.
 */
const links = /<([^<>]*)>((?:\s*;[^,;"\\<]*(?:"(?:[^"\\]|\\.)*")?)*)/g
const params = /;\s*([^\s;=",]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;",]*)))?/g

const linked = (headers: Readonly<Record<string, string>>): string | undefined => {
  for (const [, target, written = ''] of (headers['link'] ?? '').matchAll(links)) {
    // Only the first rel of a link counts.
    const rel = [...written.matchAll(params)].find(([, name = '']) => name.toLowerCase() === 'rel')
    if ((rel?.[2] ?? rel?.[3] ?? '').toLowerCase().split(/\s+/).includes('next')) return target
  }
  return undefined
}
