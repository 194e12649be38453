/** What a request names in its query, its path and its headers, read strictly. */
import type { FastifyRequest } from 'fastify'
import { didYouMean } from '../../core/alike.ts'
import { type MortiseError, badParameter as wrong } from '../../core/errors.ts'
import { Refusal } from './errors.ts'

/** A parameter that may be given once. */
export const single = (query: URLSearchParams, name: string): string | undefined => {
  const [value, ...more] = query.getAll(name)
  if (more.length > 0) throw wrong(name, `${name} is given more than once.`)
  return value
}

export const flag = (query: URLSearchParams, name: string): boolean => {
  const value = single(query, name)
  if (value === undefined || value === 'false') return false
  if (value === 'true') return true
  throw wrong(name, `${name} must be true or false.`)
}

/** A list that commas or blanks separate. */
export const list = (query: URLSearchParams, name: string): string[] | undefined =>
  single(query, name)?.split(/[ ,]+/).filter(Boolean)

export const unknownParameter = (name: string, known: ReadonlySet<string>, more = ''): MortiseError =>
  wrong(
    name,
    `${name.slice(0, 80)} is not a parameter here${didYouMean(name.slice(0, 80), [...known])}; there are ${[...known].join(', ')}${more}.`,
  )

/** The values of `group[x]`, by x. `longest`: of a value, in characters. */
export const grouped = (query: URLSearchParams, group: string, longest: number): Record<string, string> => {
  const values: Record<string, string> = {}
  for (const name of query.keys()) {
    const key = name.startsWith(`${group}[`) && name.endsWith(']') ? name.slice(group.length + 1, -1) : undefined
    if (key === undefined) continue
    const value = single(query, name) ?? ''
    if (value.length > longest || /\p{Cc}/u.test(value))
      throw wrong(name, `${name.slice(0, 80)} must be at most ${longest} characters, without control characters.`)
    // Defined, not assigned: a name such as __proto__ is a name like any other.
    Object.defineProperty(values, key, { value, enumerable: true })
  }
  return values
}

/** Names every parameter that is neither known nor one of a group, `group[x]`. */
export const checkNames = (query: URLSearchParams, known: ReadonlySet<string>, groups: readonly string[]): void => {
  for (const name of query.keys())
    if (!known.has(name) && !groups.some(group => new RegExp(`^${group}\\[[A-Za-z_][\\w.:-]{0,63}\\]$`).test(name)))
      throw unknownParameter(name, known, groups.map(group => `, ${group}[…]`).join(''))
}

/** `params[x]`: what the provider needs to know of the end user's account. */
export const paramsIn = (query: URLSearchParams): Record<string, string> => {
  const params = grouped(query, 'params', 255)
  if (Object.keys(params).length > 20) throw wrong('params', 'There are more than 20 params[…].')
  return params
}

/** A name as it came in a path or a query: none that is kept has a control character, and a database may refuse one. */
export const plain = (name: string, value: string): string => {
  if (/\p{Cc}/u.test(value)) throw wrong(name, `${name} must have no control character.`)
  return value
}

/** The integration that a connection is of. */
export const keyIn = (query: URLSearchParams): string => {
  const key = single(query, 'provider_config_key')
  if (key) return plain('provider_config_key', key)
  throw withoutKey('provider_config_key is missing: add ?provider_config_key=<the integration>, for example github.')
}

export const withoutKey = (message: string): Refusal =>
  new Refusal(400, 'invalid_query_params', message, [
    { code: 'invalid_type', message: 'provider_config_key is missing.', path: ['provider_config_key'] },
  ])

const notIn = (where: 'uri_params' | 'headers', name: string, message: string): Refusal =>
  new Refusal(400, `invalid_${where}`, message, [{ code: 'custom', message, path: [name] }])

/** What stands in the path. */
export const inPath = (name: string, value: string): string => {
  if (value === '') throw notIn('uri_params', name, `The ${name} is missing from the path.`)
  if (/\p{Cc}/u.test(value)) throw notIn('uri_params', name, `${name} must have no control character.`)
  return value
}

/** A header that names something, or '' where there is none. */
export const inHeader = (request: FastifyRequest, name: string): string => {
  const value = request.headers[name.toLowerCase()] ?? ''
  if (typeof value !== 'string' || /[^\x20-\x7e]|,/.test(value))
    throw notIn(
      'headers',
      name,
      `The header ${name} must be one name, of plain ASCII: send provider_config_key in the query.`,
    )
  return value
}
