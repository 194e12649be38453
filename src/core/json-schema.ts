/**
 * The part of JSON Schema (2020-12) that an actions file may use, and how a value is held against it.
 *
 * zod reads the schemas (`z.fromJSONSchema`). It enforces every keyword listed here, but it passes over some of them in
 * silence where they stand alone: `required` for a name that `properties` does not have, `properties` without
 * `type: object`, `additionalProperties: false` beside `anyOf`. `schemaMistakes` refuses those, so that what a file says
 * is what is enforced. `not`, `if` and `allOf` are not offered: zod has no way to say the first two, and the third is
 * better written out.
 */
import * as z from 'zod'
import { didYouMean } from './alike.ts'
import type { Json } from './credential.ts'

const types = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'] as const
const count = z.int().min(0)
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])

export const jsonSchema = z
  .strictObject({
    $ref: z
      .string()
      .regex(/^#\/\$defs\/[A-Za-z0-9_]+$/, 'must be #/$defs/ and a name of $defs')
      .optional()
      .meta({ description: "A schema of the file's $defs: #/$defs/name. Only a description may stand beside it" }),
    title: z.string().optional().meta({ description: 'What one of several forms is called in a message' }),
    description: z.string().optional().meta({ description: 'What the value is, in our own words' }),
    type: z
      .union([z.enum(types), z.array(z.enum(types)).min(1)])
      .optional()
      .meta({ description: 'One type, or several' }),
    enum: z.array(scalar).min(1).optional().meta({ description: 'The values it may have' }),
    const: scalar.optional().meta({ description: 'The one value it may have' }),
    format: z.enum(['uri', 'email', 'date', 'date-time', 'uuid']).optional(),
    pattern: z.string().optional().meta({ description: 'A regular expression that the text must match somewhere' }),
    minLength: count.optional(),
    maxLength: count.optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
    get items() {
      return jsonSchema.optional().meta({ description: 'What each element of a list must be' })
    },
    minItems: count.optional(),
    maxItems: count.optional(),
    get properties() {
      return z
        .record(z.string(), jsonSchema)
        .optional()
        .meta({ description: 'What the object has, by name. Other names are allowed too, unless additionalProperties' })
    },
    required: z.array(z.string()).min(1).optional().meta({ description: 'Names of properties that must be there' }),
    get additionalProperties() {
      return z
        .union([z.boolean(), jsonSchema])
        .optional()
        .meta({ description: 'false: no other names. A schema: what the values of other names must be' })
    },
    minProperties: count.optional(),
    get anyOf() {
      return z.array(jsonSchema).min(2).optional().meta({ description: 'It must be at least one of these' })
    },
    get oneOf() {
      return z.array(jsonSchema).min(2).optional().meta({ description: 'It must be exactly one of these' })
    },
  })
  .meta({ id: 'schema', description: 'The part of JSON Schema that the hub enforces' })

export type JsonSchema = z.output<typeof jsonSchema>
/** Complete in itself: the schemas that it refers to are in its own `$defs`. */
export type WholeSchema = JsonSchema & { readonly $defs?: Readonly<Record<string, JsonSchema>> }
type Defs = Readonly<Record<string, JsonSchema>>

const refName = (ref: string): string => ref.slice('#/$defs/'.length)

/** The schemas directly inside, with the keys that lead there. */
const inside = (schema: JsonSchema): [path: (string | number)[], inner: JsonSchema][] => [
  ...(schema.items ? [[['items'], schema.items] as [string[], JsonSchema]] : []),
  ...Object.entries(schema.properties ?? {}).map(([name, inner]): [string[], JsonSchema] => [
    ['properties', name],
    inner,
  ]),
  ...(typeof schema.additionalProperties === 'object'
    ? [[['additionalProperties'], schema.additionalProperties] as [string[], JsonSchema]]
    : []),
  ...(['anyOf', 'oneOf'] as const).flatMap(key =>
    (schema[key] ?? []).map((inner, at): [(string | number)[], JsonSchema] => [[key, at], inner]),
  ),
]

/** Keywords that say something of one type only, and of nothing where that type is not named. */
export const belongsTo: Readonly<Record<string, readonly (typeof types)[number][]>> = {
  format: ['string'],
  pattern: ['string'],
  minLength: ['string'],
  maxLength: ['string'],
  minimum: ['number', 'integer'],
  maximum: ['number', 'integer'],
  items: ['array'],
  minItems: ['array'],
  maxItems: ['array'],
  properties: ['object'],
  required: ['object'],
  additionalProperties: ['object'],
  minProperties: ['object'],
}

/** What of a schema would not be enforced, or leads nowhere: at which key, and what to do. */
export const schemaMistakes = (schema: JsonSchema, defs: Defs): [path: (string | number)[], message: string][] => {
  const wrong: [(string | number)[], string][] = []
  const own = [schema.type ?? []].flat()
  for (const [key, needed] of Object.entries(belongsTo))
    if (schema[key as keyof JsonSchema] !== undefined && !needed.some(type => own.includes(type)))
      wrong.push([[key], `is only looked at with type: ${needed.join(' or ')}`])
  for (const name of schema.required ?? [])
    if (!Object.hasOwn(schema.properties ?? {}, name))
      wrong.push([['required'], `names ${name}, which is not in properties, and so would not be required`])
  if (schema.additionalProperties === false && (schema.anyOf || schema.oneOf))
    wrong.push([['additionalProperties'], 'is not enforced beside anyOf and oneOf: put it into each of the forms'])
  if (schema.pattern !== undefined && !isRegExp(schema.pattern)) wrong.push([['pattern'], 'is no regular expression'])
  if (schema.$ref !== undefined) {
    const name = refName(schema.$ref)
    if (!Object.hasOwn(defs, name))
      wrong.push([['$ref'], `there is no ${name} in $defs${didYouMean(name, Object.keys(defs))}`])
    const beside = Object.keys(schema).filter(key => key !== '$ref' && key !== 'description' && key !== 'title')
    if (beside.length > 0) wrong.push([['$ref'], `hides what stands beside it: ${beside.join(', ')}`])
  }
  for (const [path, inner] of inside(schema))
    for (const [deeper, message] of schemaMistakes(inner, defs)) wrong.push([[...path, ...deeper], message])
  return wrong
}

/** Whether a pattern can be read. */
export const isRegExp = (text: string): boolean => {
  try {
    new RegExp(text, 'u')
    return true
  } catch {
    return false
  }
}

/** With those of the definitions that it leads to, so that it is complete in itself. */
export const whole = (schema: JsonSchema, defs: Defs): WholeSchema => {
  const reached = new Map<string, JsonSchema>()
  const visit = (at: JsonSchema): void => {
    const name = at.$ref === undefined ? undefined : refName(at.$ref)
    const def = name === undefined ? undefined : defs[name]
    if (name !== undefined && def && !reached.has(name)) {
      reached.set(name, def)
      visit(def)
    }
    for (const [, inner] of inside(at)) visit(inner)
  }
  visit(schema)
  return reached.size === 0 ? schema : { ...schema, $defs: Object.fromEntries(reached) }
}

const compiled = new WeakMap<WholeSchema, z.ZodType>()

/** Compiled at first use and kept as long as the schema itself. Throws what zod throws for a schema that it cannot read. */
export const compile = (schema: WholeSchema): z.ZodType => {
  const known = compiled.get(schema)
  if (known) return known
  const made = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
  compiled.set(schema, made)
  return made
}

type Issue = z.core.$ZodIssue
type Path = readonly PropertyKey[]

export interface Fault {
  /** Keys that lead to the value at fault. */
  readonly path: Path
  /** What follows the value's name in a sentence: "must be …". */
  readonly what: string
}

/** The first thing that is wrong with a value, in words; undefined if nothing is. The value itself is never quoted. */
export const faultOf = (schema: WholeSchema, value: Json): Fault | undefined => {
  let result: ReturnType<z.ZodType['safeParse']>
  try {
    result = compile(schema).safeParse(value)
  } catch (error) {
    if (error instanceof RangeError) return { path: [], what: 'is nested too deeply' }
    throw error
  }
  const [issue] = result.success ? [] : result.error.issues
  return issue && told(schema, value, issue, [])
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (from, key) =>
      typeof from === 'object' && from !== null && Object.hasOwn(from, key)
        ? (from as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  )

/** The schema that a path leads to, the first of several; for descriptions and names, so missing it does no harm. */
const schemaAt = (root: WholeSchema, path: Path): JsonSchema | undefined => {
  const open = (schema: JsonSchema | undefined): JsonSchema | undefined =>
    schema?.$ref === undefined ? schema : { ...root.$defs?.[refName(schema.$ref)], ...described(schema) }
  const into = (schema: JsonSchema | undefined, key: PropertyKey): JsonSchema | undefined => {
    const [name, other] = [String(key), schema?.additionalProperties]
    if (typeof key === 'number' && schema?.items) return open(schema.items)
    if (Object.hasOwn(schema?.properties ?? {}, name)) return open(schema?.properties?.[name])
    if (typeof other === 'object') return open(other)
    for (const form of schema?.anyOf ?? schema?.oneOf ?? []) {
      const inner = into(open(form), key)
      if (inner) return inner
    }
    return undefined
  }
  return path.reduce<JsonSchema | undefined>(into, open(root))
}

const described = (schema: JsonSchema) => (schema.description === undefined ? {} : { description: schema.description })

const article = (type: string): string => (/^[aeio]/.test(type) ? `an ${type}` : `a ${type}`)
const named: Readonly<Record<string, string>> = {
  int: 'an integer',
  string: 'a text',
  array: 'a list',
  null: 'null',
  boolean: 'true or false',
}
const spelled = (type: string): string => named[type] ?? article(type)
const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

const told = (root: WholeSchema, value: unknown, issue: Issue, above: Path): Fault => {
  const path = [...above, ...issue.path]
  const given = at(value, path)
  const schema = schemaAt(root, path)
  const missing = given === undefined && path.length > 0
  const meaning = schema?.description === undefined ? '' : `: ${schema.description}`
  if (issue.code === 'unrecognized_keys') {
    const [name = ''] = issue.keys
    const names = Object.keys(schema?.properties ?? {})
    return { path: [...path, name], what: `is not a known field${didYouMean(name, names)}` }
  }
  if (missing) return { path, what: `is missing${meaning}` }
  switch (issue.code) {
    case 'invalid_union':
      return ofUnion(root, value, issue, path)
    case 'invalid_type':
      return {
        path,
        what: `must be ${spelled(typeof schema?.type === 'string' ? schema.type : issue.expected)}, not ${spelled(kindOf(given))}`,
      }
    case 'invalid_value':
      return {
        path,
        what: `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(each => JSON.stringify(each)).join(', ')}`,
      }
    case 'too_small':
    case 'too_big': {
      const bound = issue.code === 'too_small' ? issue.minimum : issue.maximum
      const side = issue.code === 'too_small' ? 'at least' : 'at most'
      const units: Record<string, string> = { string: ' characters', array: ' elements', object: ' fields' }
      const unit = units[issue.origin]
      if (unit !== undefined && side === 'at least' && bound === 1) return { path, what: 'may not be empty' }
      return { path, what: unit === undefined ? `must be ${side} ${bound}` : `must have ${side} ${bound}${unit}` }
    }
    case 'invalid_format':
      return {
        path,
        what: `does not have the right form${issue.format === 'regex' ? meaning : ` (${schema?.format ?? issue.format})`}`,
      }
    default:
      return { path, what: `is not valid${meaning}` }
  }
}

/** Of several forms, the fault of the one that was probably meant; where none stands out, all are named. */
const ofUnion = (
  root: WholeSchema,
  value: unknown,
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: Path,
): Fault => {
  const given = at(value, path)
  const cost = (each: Issue): number => {
    if (each.code === 'unrecognized_keys') return 2 * each.keys.length
    if (each.path.length === 0) return 4
    // What is missing within something that is there tells more than what is missing as a whole.
    return at(given, each.path) !== undefined ? 1 : each.path.length === 1 ? 3 : 2
  }
  const ranked = issue.errors
    .map(errors => ({ errors, cost: errors.reduce((sum, each) => sum + cost(each), 0) }))
    .sort((a, b) => a.cost - b.cost)
  const [first, second] = ranked
  const [nearest] = first?.errors ?? []
  if (first && nearest && (first.cost < (second?.cost ?? Number.POSITIVE_INFINITY) || first.cost === 1))
    return told(root, value, nearest, path)
  const schema = schemaAt(root, path)
  const forms = (schema?.anyOf ?? schema?.oneOf ?? []).map(form => form.title ?? form.required?.join(' and ') ?? '')
  const types = schema?.type === undefined ? [] : [schema.type].flat().map(spelled)
  const all = (forms.length > 0 ? forms : types).filter(Boolean)
  const which = issue.errors.length === 0 ? 'fits more than one of the forms' : 'fits none of the forms'
  return {
    path,
    what: `${which} it may have${all.length === 0 ? '' : `: ${all.join('; ')}`}`,
  }
}
