/** What the routes of actions take and answer. */
import * as z from 'zod'
import { longestFrom, mostItems } from '../../core/walk.ts'
import { codes, listOf, text, texts } from './shape.ts'

/** A JSON Schema, complete in itself. */
const schema = z.record(z.string(), z.unknown())
export const actionShape = z.strictObject({
  id: text("The operation id of the provider's own reference"),
  aliases: texts('Further names that it answers to'),
  title: text('What people call it'),
  description: text('What it does, in a sentence'),
  resource: text('What it is about: pages, users'),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  path: text("After the provider's apiBase; {name} stands for a parameter"),
  docs: text("The page of the provider's reference"),
  parameters: z.array(
    z.strictObject({
      name: z.string(),
      in: z.enum(['path', 'query']),
      required: z.boolean(),
      description: z.string(),
      schema: schema.meta({ description: 'JSON Schema' }),
    }),
  ),
  body: schema.nullable().meta({ description: 'JSON Schema of the body; null where it takes none' }),
  paginated: z.boolean().meta({ description: 'Whether it is a list in pages, which can be walked' }),
})
export const actionList = listOf(actionShape)

const values = z.record(z.string(), z.unknown())
export const actionInput = z.strictObject({
  path: values.optional().meta({ description: 'Values of the parameters in the path, by name' }),
  query: values.optional().meta({ description: 'Those in the query; a list is sent as the name again and again' }),
  body: z.unknown().optional().meta({ description: 'The body, as the action says' }),
  headers: values.optional().meta({ description: 'Further headers; none that the hub sets itself' }),
})
export const actionAnswer = z.strictObject({
  status: z.int().meta({ description: "The provider's own" }),
  headers: z.record(z.string(), z.string()).meta({ description: 'Names in lower case' }),
  body: z.unknown().meta({ description: 'As JSON where it is JSON; the text otherwise' }),
  failure: z.string().nullable().meta({
    description:
      "The provider's own word for what went wrong, where it tells so with a status that says that all went well; else null",
  }),
})

export const walkInput = z.strictObject({
  path: text("Of the list, after the provider's apiBase: /v1/users"),
  query: values.optional(),
  headers: values.optional().meta({ description: 'Further headers; none that the hub sets itself' }),
  items: z.string().min(1).max(200).optional().meta({
    description: 'Where the list stands in the answer: dotted keys. Left out: as the definition of the provider says',
  }),
  max: z
    .int()
    .min(1)
    .max(mostItems)
    .optional()
    .meta({ description: `Items at most; 1,000 unless told, never more than ${mostItems}` }),
  from: z.string().min(1).max(longestFrom).optional().meta({ description: '`next` of a walk that ended early' }),
})
const counts = {
  items: z.int().meta({ description: 'Items that were handed out' }),
  pages: z.int().meta({ description: 'Calls of the provider' }),
  next: z
    .string()
    .nullable()
    .meta({ description: 'What `from` takes to go on after the last item; null where there is nothing to go on to' }),
}
export const walkLine = z.union([
  z.strictObject({ item: z.unknown() }),
  z.strictObject({
    end: z.strictObject({
      ...counts,
      complete: z.boolean().meta({ description: 'Whether the provider says that this was all' }),
    }),
  }),
  z.strictObject({
    error: z.strictObject({
      code: z.enum(codes),
      message: z.string(),
      reason: z.string().nullable(),
      actor: z.enum(['caller', 'end user', 'operator', 'provider', 'us']),
      status: z.int().nullable().meta({ description: "The provider's status, where its answer ended the walk" }),
      headers: z.record(z.string(), z.string()).nullable(),
      body: z.unknown().meta({ description: "The provider's body, where its answer ended the walk" }),
      ...counts,
    }),
  }),
])

export type ActionShape = z.infer<typeof actionShape>
export type ActionAnswerShape = z.infer<typeof actionAnswer>
export type WalkLine = z.infer<typeof walkLine>
