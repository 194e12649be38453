/**
 * Walks a list to its end, a page after the other: one call of the provider at a time, and the next one only when what
 * the page before held was taken. Who stops taking ends the walk.
 */
import type { Action } from './action.ts'
import type { ActionInput } from './action-request.ts'
import type { Json } from './credential.ts'
import { badParameter, MortiseError, toMortiseError } from './errors.ts'
import { groupIn, itemsOf, nextOf, paginationOf } from './pages.ts'
import type { Paginate } from './paginate.ts'
import { isOutage } from './ports.ts'
import type { Provider } from './provider.ts'
import type { ActionAnswer } from './run-action.ts'
import { withoutParam } from './url-param.ts'

export interface WalkOptions {
  /** Items at most. */
  readonly max: number
  /** `next` of a walk before, which ended early. */
  readonly from?: string | undefined
  /** Where the list stands in the answer, where the definition does not say so, or not of this list. */
  readonly items?: string | undefined
  /** Ends it where it is: the hub stops. */
  readonly stopping?: AbortSignal | undefined
  /** The parameter that carries the credential in a query: a link to the next page may repeat it, and no place does. */
  readonly hidden?: string | undefined
}

interface Told {
  readonly items: number
  /** Pages that were asked for. */
  readonly pages: number
  /** What `from` takes to go on after what was handed out; undefined where nothing is left, or nobody can tell. */
  readonly next: string | undefined
}
export type Walked =
  | { readonly item: Json }
  /** `complete`: the provider says that this was all. */
  | { readonly end: Told & { readonly complete: boolean } }
  /** The provider's refusal has its answer, as it came. */
  | { readonly failed: Told & { readonly error: MortiseError; readonly answer?: ActionAnswer } }

/** Items that one walk hands out, and pages that it asks for. */
export const mostItems = 100_000
const mostPages = 10_000
/** Pages without an item, one after the other: filters may empty some, but a list of them leads nowhere. */
const mostEmpty = 100

/** Where a walk stands: at a page, of which the first items were handed out already. */
interface Place {
  readonly at: string | undefined
  readonly skip: number
}

/** Characters of `from`. */
export const longestFrom = 32_000

/** Undefined where it would be longer than what is taken again. */
const toNext = ({ at, skip }: Place): string | undefined => {
  const text = Buffer.from(JSON.stringify([at ?? null, skip])).toString('base64url')
  return text.length > longestFrom ? undefined : text
}

const toPlace = (next: string): Place => {
  try {
    const [at, skip]: unknown[] = JSON.parse(Buffer.from(next, 'base64url').toString())
    if ((typeof at === 'string' || at === null) && Number.isSafeInteger(skip) && Number(skip) >= 0)
      return { at: at ?? undefined, skip: Number(skip) }
  } catch {}
  throw strangeFrom()
}

const strangeFrom = (): MortiseError =>
  badParameter('from', 'from is not one that a walk gave. Send `next` of the walk that ended early, or leave it out.')

/** Whether its place is a number. */
const isCounted = (paginate: Paginate): paginate is Extract<Paginate, { kind: 'offset' | 'page' }> =>
  paginate.kind === 'offset' || paginate.kind === 'page'

/** A list by its path alone, as a GET. */
export const listAction = (provider: Provider, path: string): Action => ({
  id: 'walk',
  provider: provider.id,
  aliases: [],
  title: path,
  description: path,
  resource: '',
  docs: '',
  method: 'GET',
  path,
  parameters: [],
  headers: {},
  records: [],
  free: true,
})

/**
 * `run` makes one call of the provider. What goes wrong before anything was handed out, with the first page, is thrown.
 * After that, every end is told by the last thing that is handed out.
 */
export async function* walk(
  provider: Provider,
  action: Action,
  input: ActionInput,
  options: WalkOptions,
  run: (input: ActionInput) => Promise<ActionAnswer>,
): AsyncGenerator<Walked, void> {
  const usual = paginationOf(provider, action)
  if (!usual)
    throw badParameter(
      'walk',
      action.free
        ? `The definition of ${provider.name} does not say how its lists come in pages (api.paginate). Its operator can add that.`
        : `${action.id} is not known to be a list in pages, so there is nothing to walk. Run it without walk.`,
    )
  const paginate: Paginate = options.items === undefined ? usual : { ...usual, items: options.items }
  const start = options.from === undefined ? { at: undefined, skip: 0 } : toPlace(options.from)
  if (start.at !== undefined && paginate.kind !== 'link' && has(paginate, input, paginate.param))
    throw badParameter('from', `from says where to begin, and so does ${paginate.param}. Give one of them.`)
  if (start.at !== undefined && isCounted(paginate) && !/^\d{1,15}$/.test(start.at)) throw strangeFrom()
  const seen = new Set(start.at === undefined ? [] : [start.at])
  let [items, pages, empty] = [0, 0, 0]
  let { at, skip } = start
  const told = (there: boolean): Told => ({ items, pages, next: there ? toNext({ at, skip }) : undefined })
  const wrong = (what: string, answer?: ActionAnswer): Walked => ({
    failed: {
      ...told(false),
      ...(answer ? { answer } : {}),
      error: new MortiseError('provider_invalid_response', `The walk of ${provider.name} ended: ${what}.`),
    },
  })

  try {
    for (;;) {
      pages++
      const answer = await run(pageInput(paginate, action, input, at))
      if (answer.status >= 400 || answer.failure !== undefined) {
        const words = `${provider.name} answered page ${pages} of the walk with ${answer.failure ?? answer.status}.`
        const code = isOutage(answer.status) ? 'provider_unavailable' : 'provider_rejected'
        const error = new MortiseError(code, words, { providerStatus: answer.status })
        return yield { failed: { ...told(true), error, answer } }
      }
      const found = itemsOf(paginate, answer)
      if (typeof found === 'string') return yield wrong(found, answer)
      for (const item of found.slice(skip)) {
        if (items === options.max || options.stopping?.aborted) return yield { end: { ...told(true), complete: false } }
        items++
        skip++
        yield { item }
      }
      const after = nextOf(paginate, answer, found, at ?? begun(paginate, input))
      const isLink = paginate.kind === 'link' && options.hidden !== undefined
      const next = isLink && after !== undefined ? withoutParam(after, options.hidden ?? '') : after
      if (next === undefined) return yield { end: { ...told(false), complete: true } }
      if (seen.has(next) || next === at) return yield wrong('its pages lead in a circle')
      seen.add(next)
      empty = found.length === 0 ? empty + 1 : 0
      if (empty > mostEmpty) return yield wrong(`${empty} pages one after the other had no item`)
      at = next
      skip = 0
      if (items === options.max || pages === mostPages) return yield { end: { ...told(true), complete: false } }
    }
  } catch (thrown) {
    const error = toMortiseError(thrown)
    if (pages === 1 && items === 0) throw error
    yield { failed: { ...told(true), error } }
  }
}

const given = (paginate: Paginate, input: ActionInput): Readonly<Record<string, Json>> => {
  const group = input[groupIn(paginate)]
  return typeof group === 'object' && group !== null && !Array.isArray(group) ? group : {}
}
const has = (paginate: Paginate, input: ActionInput, name: string): boolean =>
  (given(paginate, input)[name] ?? null) !== null

/** Where the caller itself lets an offset or a page begin. */
const begun = (paginate: Paginate, input: ActionInput): string | undefined => {
  if (!isCounted(paginate)) return undefined
  const value = Number(given(paginate, input)[paginate.param] ?? Number.NaN)
  return Number.isSafeInteger(value) ? String(value) : undefined
}

/** The input of one page: the caller's, with the place and the size where they belong. */
const pageInput = (paginate: Paginate, action: Action, input: ActionInput, at: string | undefined): ActionInput => {
  const { size } = paginate
  const group = groupIn(paginate)
  const takes =
    action.free ||
    (group === 'body'
      ? Object.hasOwn(action.body?.properties ?? {}, size?.param ?? '')
      : action.parameters.some(each => each.in === 'query' && each.name === size?.param))
  const first = paginate.kind === 'cursor' && !has(paginate, input, paginate.param) ? paginate.first : undefined
  const added: Record<string, Json> = {
    ...(first === undefined || paginate.kind !== 'cursor' ? {} : { [paginate.param]: first }),
    ...(size && takes && !has(paginate, input, size.param) ? { [size.param]: size.most } : {}),
    ...(at === undefined || paginate.kind === 'link'
      ? {}
      : { [paginate.param]: isNumber(paginate, action) ? Number(at) : at }),
  }
  const link = at !== undefined && paginate.kind === 'link' ? { link: at } : {}
  if (Object.keys(added).length === 0) return { ...input, ...link }
  const body = input.body ?? {}
  // What is no object is refused as it is.
  if (group === 'body' && (typeof body !== 'object' || Array.isArray(body))) return input
  return { ...input, ...link, [group]: { ...(group === 'body' ? (body as object) : input.query), ...added } }
}

/** A body has types, which a query has not. */
const isNumber = (paginate: Exclude<Paginate, { kind: 'link' }>, action: Action): boolean =>
  isCounted(paginate) ||
  (paginate.in === 'body' && ['integer', 'number'].includes(String(action.body?.properties?.[paginate.param]?.type)))
