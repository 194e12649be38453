/**
 * An action: one call of a provider's API, by name. Data, like the provider itself: `providers/<id>.actions.yaml`.
 *
 * A file describes the API in the version that the provider's definition asks for. What a caller gives is checked against
 * it before anything is sent, so that a mistake is named where it was made; what only the provider can know is left to it.
 */
import * as z from 'zod'
import { jsonSchema, type WholeSchema } from './json-schema.ts'
import { type ActionPaginate, actionPaginateSchema } from './paginate.ts'

export const actionId = /^[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*$/
const id = z
  .string()
  .regex(actionId, 'letters and digits, joined by hyphens or underscores')
  .meta({ description: "The operation id of the provider's own reference, or another name for it" })

/** Literal characters of a path (RFC 3986 §3.3, without the percent sign) and `{name}`. */
const path = z
  .string()
  .regex(
    /^(\/([A-Za-z0-9._~!$&'()*+,;=:@-]|\{[A-Za-z_][A-Za-z0-9_]*\})+)+\/?$/,
    'a path that begins with /, of plain characters and {name}',
  )
  .meta({ description: 'After api.base; {name} stands for a path parameter, e.g. /v1/pages/{page_id}' })

const parameter = z.strictObject({
  name: z.string().regex(/^[A-Za-z_$@][A-Za-z0-9_.$@:[\]-]*$/, 'a name'),
  in: z.enum(['path', 'query']),
  required: z.boolean().optional().meta({ description: 'Default false; a path parameter always is' }),
  encoded: z.literal(true).optional().meta({
    description:
      'The API shows this value percent-encoded already, and takes it with that one encoding (Notion: property ids)',
  }),
  description: z.string().min(1),
  schema: jsonSchema.meta({
    description: 'A text, a number or true/false; in a query also a list of these, sent as the name again and again',
  }),
})

const record = z.strictObject({
  entity: z
    .string()
    .regex(/^[a-z][a-z0-9_-]*$/, 'a name in lower case')
    .meta({ description: 'What such records are called: pages' }),
  as: z.enum(['list', 'create', 'update']),
  body: z.record(z.string(), z.json()).optional().meta({ description: 'Fixed parts of the body' }),
  items: z.string().min(1).optional().meta({ description: 'list: the key of the answer that holds the records' }),
  id: z.string().min(1).optional().meta({ description: 'update: the path parameter that names the record' }),
})

const action = z.strictObject({
  aliases: z.array(id).default([]).meta({ description: 'Further names that it answers to' }),
  title: z.string().min(1).meta({ description: 'What people call it, e.g. "Retrieve a page"' }),
  description: z.string().min(1).meta({ description: 'What it does, in one sentence of our own' }),
  resource: z.string().min(1).meta({ description: 'What it is about, to group by: pages, users' }),
  docs: z
    .string()
    .regex(/^https:\/\/[^\s]+$/, 'an https URL')
    .meta({ description: "The page of the provider's reference that this was written from" }),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  path,
  parameters: z.array(parameter).default([]),
  body: jsonSchema
    .optional()
    .meta({ description: 'What the body must be. Left out where there is none; with it, no body counts as {}' }),
  encoding: z.enum(['json', 'form', 'brackets']).optional().meta({
    description:
      'How the body is written. json unless told; form: application/x-www-form-urlencoded, a list as the name again and again; brackets: the same with name[0] for a list. Objects are name[key] in both',
  }),
  headers: z
    .record(z.string().min(1), z.string())
    .optional()
    .meta({ description: 'Fixed headers of this call alone, besides api.headers' }),
  paginate: actionPaginateSchema.optional(),
  records: z
    .array(record)
    .default([])
    .meta({ description: 'Which records it lists, creates or updates, for callers who know records and no actions' }),
})

export const actionsSchema = z
  .strictObject({
    $defs: z
      .record(z.string().regex(/^[A-Za-z0-9_]+$/, 'letters, digits and _'), jsonSchema)
      .default({})
      .meta({ description: 'Schemas used more than once, referred to as $ref: "#/$defs/name"' }),
    actions: z.record(id, action).meta({ description: 'By id, in the order in which they are listed' }),
  })
  .meta({
    title: 'Mortise actions',
    description: "Calls of one provider's API. The file name is the provider's id and .actions.yaml.",
  })

export type ActionsFile = z.output<typeof actionsSchema>

export interface ActionParameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly encoded: boolean
  readonly description: string
  readonly schema: WholeSchema
}

/** An action as callers see it. Its schemas are complete in themselves. */
export interface Action {
  readonly id: string
  /** The provider's id: its credential, and no other, is used. */
  readonly provider: string
  readonly aliases: readonly string[]
  readonly title: string
  readonly description: string
  readonly resource: string
  readonly docs: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly parameters: readonly ActionParameter[]
  readonly body?: WholeSchema
  /** How the body is written; JSON where it does not say. */
  readonly encoding?: 'json' | 'form' | 'brackets' | undefined
  readonly paginate?: ActionPaginate | undefined
  /** Of no file, but a path that the caller gave: no parameter of it is known, so none is unknown. */
  readonly free?: true
  readonly headers: Readonly<Record<string, string>>
  readonly records: readonly z.output<typeof record>[]
}

/** The names in a path's braces. */
export const pathNames = (template: string): string[] =>
  [...template.matchAll(/\{(\w+)\}/g)].map(match => match[1] ?? '')
