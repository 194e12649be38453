/**
 * How a provider hands out a long list in pages: data, in a definition (`api.paginate`, for all of its lists) or with an
 * action. `pages.ts` reads it.
 */
import * as z from 'zod'

const name = z.string().min(1)
const dotted = z.string().min(1)

const common = {
  items: dotted.optional().meta({
    description: 'Where the list stands in the answer: dotted keys. Left out: the answer itself is the list',
  }),
  size: z
    .strictObject({
      param: name,
      most: z.int().positive().meta({ description: 'The largest page that the provider gives' }),
    })
    .optional()
    .meta({
      description: 'The parameter for the size of a page; the largest is asked for where the caller asks for none',
    }),
}
const place = z.enum(['query', 'body']).default('query').meta({ description: 'Where the parameters go' })
const more = dotted
  .optional()
  .meta({ description: 'Where the answer says whether there is more: false is the end, true is not' })

const cursor = z.strictObject({
  kind: z.literal('cursor').meta({ description: 'The answer holds what the next request must send' }),
  param: name.meta({ description: 'The parameter that takes the cursor' }),
  in: place,
  first: z.string().min(1).optional().meta({ description: 'What it is for the first page, where that must be said' }),
  next: dotted.optional().meta({ description: 'Where the next cursor stands in the answer; none there is the end' }),
  last: dotted.optional().meta({
    description:
      'In place of next: the field of the last item that is the cursor. Needs more, or an empty page at the end',
  }),
  more,
  ...common,
})
const link = z.strictObject({
  kind: z.literal('link').meta({ description: 'The answer holds the URL of the next page' }),
  next: dotted.optional().meta({
    description: 'Where that URL stands in the answer; left out: in the header Link, as rel=next (RFC 8288)',
  }),
  ...common,
})
const offset = z.strictObject({
  kind: z.literal('offset').meta({ description: 'The next request says how many items came before' }),
  param: name,
  in: place,
  first: z.int().min(0).default(0),
  total: dotted.optional().meta({ description: 'Where the answer says how many there are in all' }),
  more,
  ...common,
})
const page = z.strictObject({
  kind: z.literal('page').meta({ description: 'The next request gives the number of its page' }),
  param: name,
  in: place,
  first: z.int().min(0).default(1),
  more,
  ...common,
})

export const paginateSchema = z
  .discriminatedUnion('kind', [cursor, link, offset, page])
  .meta({ description: 'How its lists come in pages, so that the hub can walk them to their end' })

/** The same with an action: how it differs from the definition's, or no pages at all. */
export const actionPaginateSchema = z
  .union([
    z.discriminatedUnion('kind', [
      cursor,
      link,
      offset,
      page,
      z.strictObject({
        kind: z.literal('default').meta({ description: "As api.paginate of the provider's definition says" }),
        items: common.items,
      }),
    ]),
    z.literal(false),
  ])
  .meta({
    description:
      'How this list comes in pages. Left out: as api.paginate says, for a GET that declares its parameter. false: in one piece',
  })

export type Paginate = z.output<typeof paginateSchema>
export type ActionPaginate = z.output<typeof actionPaginateSchema>
