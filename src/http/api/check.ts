/** What comes in, held against its shape: what does not fit is named, with what would. */
import * as z from 'zod'
import { didYouMean } from '../../core/alike.ts'
import { badParameter, MortiseError } from '../../core/errors.ts'

type Where = 'path' | 'query' | 'body'

/** Without what may be left out, or be null. */
const bare = (schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault
    ? bare(schema.unwrap())
    : schema

/** The shape of what stands at a path inside a shape, as far as that is spelt out. */
const at = (schema: z.core.$ZodType | undefined, path: readonly PropertyKey[]): z.core.$ZodType | undefined => {
  const [key, ...rest] = path
  if (key === undefined) return schema
  const found = bare(schema)
  if (found instanceof z.ZodObject) return at(found.shape[String(key)], rest)
  if (found instanceof z.ZodArray) return at(found.element, rest)
  if (found instanceof z.ZodRecord) return at(found.valueType, rest)
  if (found instanceof z.ZodUnion) return found.options.map(each => at(each, path)).find(each => each !== undefined)
  return undefined
}

const keysOf = (schema: z.core.$ZodType | undefined): string[] =>
  schema instanceof z.ZodObject
    ? Object.keys(schema.shape)
    : schema instanceof z.ZodUnion
      ? schema.options.flatMap(option => keysOf(bare(option)))
      : []

const named = (path: readonly PropertyKey[]): string =>
  path.map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`)).join('')

/** Of what could be one of several: what is wrong with the one that it comes nearest to. */
const narrowest = (issue: z.core.$ZodIssue | undefined): z.core.$ZodIssue | undefined => {
  if (issue?.code !== 'invalid_union') return issue
  const inside = issue.errors
    .map(each => each[0])
    .find(each => each && (each.path.length > 0 || each.code !== 'invalid_type'))
  return inside ? narrowest({ ...inside, path: [...issue.path, ...inside.path] }) : issue
}

/** What is wrong first, as a sentence; never with the value, which may be a secret. */
const problem = (schema: z.ZodType, { issues }: z.ZodError, where: Where): MortiseError => {
  const issue = narrowest(issues[0])
  const name = named(issue?.path ?? [])
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys
    const known = keysOf(bare(at(schema, issue.path)))
    const shown = named([...issue.path, key.slice(0, 80)])
    const there = known.length === 0 ? 'it takes none' : `there are ${[...new Set(known)].join(', ')}`
    const what = where === 'query' ? 'parameter' : 'field'
    return badParameter(shown, `${shown} is no ${what} here${didYouMean(key.slice(0, 80), known)}; ${there}.`)
  }
  if (issue === undefined || name === '')
    return new MortiseError('invalid_request', `The ${where} must be a JSON object with the fields of the reference.`)
  const about = z.globalRegistry.get(at(schema, issue.path) ?? z.never())?.description
  const meaning = about === undefined ? '' : ` ${name}: ${about}.`
  // zod's own words for what is absent speak of types.
  if (issue.code === 'invalid_type' && issue.message.endsWith('received undefined'))
    return badParameter(name, `${name} is missing in the ${where}.${meaning}`)
  return badParameter(name, `${name} is not right: ${lowerFirst(issue.message)}.${meaning}`)
}

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1)

/** Throws `invalid_request` (parameter). A route without a shape takes nothing. */
export const checked = <S extends z.ZodType>(schema: S | undefined, given: unknown, where: Where): z.output<S> => {
  if (schema === undefined) {
    const [key] = typeof given === 'object' && given !== null ? Object.keys(given) : []
    if (key !== undefined)
      throw badParameter(
        key.slice(0, 80),
        `${key.slice(0, 80)} does not belong in the ${where}: this route takes nothing there.`,
      )
    return undefined as z.output<S>
  }
  const result = schema.safeParse(given ?? {})
  if (result.success) return result.data
  throw problem(schema, result.error, where)
}

/** A query as an object: what the shape knows as a number or a yes is made one, and what it knows as a list is one. */
export const fromQuery = (schema: z.ZodObject | undefined, query: URLSearchParams): Record<string, unknown> => {
  const found: [name: string, value: unknown][] = []
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name)
    const known = bare(schema?.shape[name])
    if (known instanceof z.ZodArray) found.push([name, values])
    else if (values.length > 1) throw badParameter(name.slice(0, 80), `${name.slice(0, 80)} is given more than once.`)
    else found.push([name, typed(known, values[0] ?? '')])
  }
  return Object.fromEntries(found)
}

/** As the shape knows it, where the text can be that. */
const typed = (schema: z.core.$ZodType | undefined, text: string): unknown => {
  if (schema instanceof z.ZodNumber && /^-?\d{1,15}(\.\d{1,15})?$/.test(text)) return Number(text)
  if (schema instanceof z.ZodBoolean && (text === 'true' || text === 'false')) return text === 'true'
  return text
}
