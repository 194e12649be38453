/** Lists a page at a time: `{data, next}`, and `next` is the cursor of the following page, or null after the last. */
import * as z from 'zod'
import { badParameter, type MortiseError } from '../../core/errors.ts'

export const most = 100

/** The parameters of every list. */
export const paging = {
  limit: z
    .int()
    .min(1)
    .max(most)
    .optional()
    .meta({ description: `How many, from 1 to ${most}; 50 unless told` }),
  cursor: z.string().min(1).max(500).optional().meta({ description: '`next` of the page before' }),
}

export const limitOf = (query: { readonly limit?: number | undefined }): number => query.limit ?? 50

/** A cursor holds where the page before ended, and nothing that is not in its answer. */
export const toCursor = (last: string): string => Buffer.from(last).toString('base64url')

export const strangeCursor = (): MortiseError =>
  badParameter('cursor', 'cursor is not one that this list gave. Send `next` of the page before, or leave it out.')

export const fromCursor = (cursor: string): string => {
  const last = Buffer.from(cursor, 'base64url').toString()
  if (toCursor(last) === cursor) return last
  throw strangeCursor()
}

/** A page of what is few and at hand, in the order of its keys. */
export const pageOf = <T>(
  all: readonly T[],
  keyOf: (each: T) => string,
  query: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
): { data: T[]; next: string | null } => {
  const after = query.cursor === undefined ? undefined : fromCursor(query.cursor)
  const sorted = all.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const rest = after === undefined ? sorted : sorted.filter(each => keyOf(each) > after)
  const data = rest.slice(0, limitOf(query))
  const last = data.at(-1)
  return { data, next: last !== undefined && rest.length > data.length ? toCursor(keyOf(last)) : null }
}
