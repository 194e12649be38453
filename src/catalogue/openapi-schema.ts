/**
 * A schema of an OpenAPI document → the part of JSON Schema that the hub enforces. What that part cannot say is left out
 * and noted, so that an imported action refuses nothing that the document allows.
 */
import { belongsTo, isRegExp, type JsonSchema } from '../core/json-schema.ts'

export type Raw = Readonly<Record<string, unknown>>

export const isRaw = (value: unknown): value is Raw =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value])
const isScalar = (value: unknown): value is string | number | boolean | null =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value)

/** What stands at `#/a/b` of the document (RFC 6901); undefined elsewhere. */
export const pointed = (document: Raw, ref: string): unknown => {
  if (!ref.startsWith('#/')) return undefined
  let at: unknown = document
  for (const part of ref.slice(2).split('/')) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Raw)[key]
  }
  return at
}

/** The first sentence of a text, without its markup. */
export const sentenceOf = (text: unknown): string | undefined => {
  if (typeof text !== 'string') return undefined
  const plain = text
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replaceAll(/[`*#]/g, '')
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim()
  const [first = ''] = plain.split(/(?<=[.!?])\s/)
  const cut = first.length > 240 ? `${first.slice(0, 239)}…` : first
  return cut === '' ? undefined : cut
}

const types = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'null']
const formats = ['uri', 'email', 'date', 'date-time', 'uuid']
/** How a number is kept, or a text shown: nothing that a value is held against. */
const annotations = ['int32', 'int64', 'float', 'double', 'password']
/** Keywords that the hub has no way to enforce. */
const beyond = [
  ...['not', 'if', 'contains', 'prefixItems', 'patternProperties', 'propertyNames', 'dependentRequired'],
  ...['dependentSchemas', 'unevaluatedProperties', 'unevaluatedItems', 'multipleOf', 'maxProperties'],
]

export interface Converter {
  /** `at`: where it stands, for notes. `form`: its title tells it from others. */
  convert(raw: unknown, at: string, form?: boolean): JsonSchema
  /** A schema with its references and allOf opened at the outermost level. */
  flat(raw: unknown, at: string): Raw
  /** Those that were referred to so far. */
  readonly defs: Record<string, JsonSchema>
}

export const createConverter = (document: Raw, note: (at: string, what: string) => void): Converter => {
  const defs: Record<string, JsonSchema> = {}
  const names = new Map<string, string>()

  /** The name of a definition, which is converted when it is first met. */
  const named = (ref: string, name: string): string => {
    const known = names.get(ref)
    if (known !== undefined) return known
    const plain = name.replaceAll(/[^A-Za-z0-9_]/g, '_')
    let safe = plain
    for (let count = 2; Object.hasOwn(defs, safe); count++) safe = `${plain}_${count}`
    names.set(ref, safe)
    defs[safe] = {}
    defs[safe] = convert(pointed(document, ref), `$defs.${safe}`)
    return safe
  }

  const flat = (raw: unknown, at: string, seen: readonly string[] = []): Raw => {
    if (!isRaw(raw)) return {}
    const { $ref, allOf, ...own } = raw
    const parts: Raw[] = []
    if (typeof $ref === 'string') {
      const target = pointed(document, $ref)
      if (target === undefined) note(at, `the reference ${$ref} leads out of the document`)
      else if (seen.includes($ref)) note(at, `the reference ${$ref} leads back to itself`)
      else parts.push(flat(target, at, [...seen, $ref]))
    }
    for (const each of Array.isArray(allOf) ? allOf : []) parts.push(flat(each, at, seen))
    return [...parts, own].reduce((made, each) => merged(made, each, at))
  }

  /** Both at once. `b` stands outside, and its words win. */
  const merged = (a: Raw, b: Raw, at: string): Raw => {
    const made: Record<string, unknown> = { ...a, ...b }
    for (const key of Object.keys(a)) {
      const [one, other] = [a[key], b[key]]
      const [ones, others] = [asList(one), asList(other)]
      if (other === undefined || one === other) continue
      if (key === 'properties' && isRaw(one) && isRaw(other)) {
        const both = Object.keys(one).filter(name => Object.hasOwn(other, name))
        made[key] = {
          ...one,
          ...other,
          ...Object.fromEntries(both.map(name => [name, together(one[name], other[name])])),
        }
      } else if (key === 'required' && Array.isArray(one) && Array.isArray(other))
        made[key] = [...new Set([...one, ...other])]
      else if (key === 'items') made[key] = together(one, other)
      else if ((key === 'enum' || key === 'type') && ones.some(each => others.includes(each))) {
        const common = ones.filter(each => others.includes(each))
        made[key] = key === 'type' && common.length === 1 ? common[0] : common
      } else if (key === 'nullable' || key === 'x-nullable') made[key] = one === true || other === true
      else if (/^(minimum|min[A-Z])/.test(key)) made[key] = Math.max(Number(one), Number(other))
      else if (/^(maximum|max[A-Z])/.test(key)) made[key] = Math.min(Number(one), Number(other))
      else if (['type', 'enum', 'const', 'pattern', 'format', 'anyOf', 'oneOf', 'not'].includes(key))
        note(at, `of two ${key} in an allOf, one is looked at`)
    }
    // Each part of an allOf knows its own properties only; together they would leave nothing over.
    if ((a['additionalProperties'] === false) !== (b['additionalProperties'] === false)) {
      const closed = a['additionalProperties'] === false ? b : a
      if (closed['properties'] !== undefined) {
        delete made['additionalProperties']
        note(at, 'additionalProperties: false in one part of an allOf')
      } else made['additionalProperties'] = false
    }
    return made
  }
  const together = (one: unknown, other: unknown): unknown => ({ allOf: [one, other] })

  const convert = (raw: unknown, at: string, form = false): JsonSchema => {
    if (raw === undefined || raw === true) return {}
    if (!isRaw(raw)) {
      note(at, 'a schema that is no object')
      return {}
    }
    if (typeof raw['$ref'] === 'string') return referred(raw, raw['$ref'], at)
    if (Array.isArray(raw['allOf'])) {
      const { allOf, ...rest } = raw
      const [only, ...more] = raw['allOf']
      // Mostly a reference with words beside it.
      if (more.length === 0 && isRaw(only) && typeof only['$ref'] === 'string' && !constrains(rest))
        return referred({ ...rest, ...only }, only['$ref'], at)
      return opened(raw, at, form)
    }
    const forms = ['anyOf', 'oneOf'].filter(key => Array.isArray(raw[key]) && (raw[key] as unknown[]).length > 0)
    const [kind, second] = forms
    if (second !== undefined) note(at, `${second} beside ${kind}`)
    const list = kind === undefined ? [] : (raw[kind] as unknown[])
    const { anyOf, oneOf, ...rest } = raw
    if (list.length === 1) return convert({ ...rest, allOf: list }, at, form)
    if (list.length === 0) return plain(rest, at, form)
    if (kind === 'oneOf') note(at, 'oneOf is read as anyOf')
    const nullable = rest['nullable'] === true || rest['x-nullable'] === true
    const made = [
      ...list.map((each, index) => convert(each, `${at}.${kind}.${index}`, true)),
      ...(nullable ? [{ type: 'null' as const }] : []),
    ]
    const own = plain({ ...rest, nullable: nullable && rest['type'] !== undefined }, at, form)
    if (own.additionalProperties === false) {
      delete (own as Record<string, unknown>)['additionalProperties']
      note(at, `additionalProperties: false beside ${kind}`)
    }
    // A form that takes anything leaves nothing to be looked at.
    return made.some(each => Object.keys(each).every(key => key === 'description' || key === 'title'))
      ? own
      : { ...own, anyOf: made }
  }

  /** References that are being opened: one inside itself would never end. */
  const open: string[] = []
  const opened = (raw: Raw, at: string, form: boolean): JsonSchema => {
    const parts = [raw, ...(Array.isArray(raw['allOf']) ? raw['allOf'] : [])]
    const refs = parts.flatMap(each => (isRaw(each) && typeof each['$ref'] === 'string' ? [each['$ref']] : []))
    if (refs.some(ref => open.includes(ref))) {
      note(at, `the reference ${refs.join(', ')} leads back to itself`)
      return {}
    }
    open.push(...refs)
    const made = convert(flat(raw, at), at, form)
    open.splice(open.length - refs.length)
    return made
  }

  const referred = (raw: Raw, ref: string, at: string): JsonSchema => {
    const { $ref, nullable, description, title, summary, ...beside } = raw
    const [, name] = /^#\/(?:components\/schemas|definitions|\$defs)\/([^/]+)$/.exec(ref) ?? []
    const target = pointed(document, ref)
    if (target === undefined) {
      note(at, `the reference ${ref} leads out of the document`)
      return {}
    }
    if (name === undefined || constrains(beside)) return opened(raw, at, false)
    const words = sentenceOf(description)
    const made = { $ref: `#/$defs/${named(ref, decodeURIComponent(name))}`, ...(words ? { description: words } : {}) }
    return nullable === true ? { anyOf: [made, { type: 'null' }] } : made
  }

  /** Without references and forms. */
  const plain = (raw: Raw, at: string, form: boolean): JsonSchema => {
    const made: Record<string, unknown> = {}
    const words = sentenceOf(raw['description'])
    if (form && typeof raw['title'] === 'string' && raw['title'] !== '') made['title'] = raw['title'].slice(0, 100)
    if (words !== undefined) made['description'] = words
    const own = typesOf(raw, at)
    if (own.length > 0) made['type'] = own.length === 1 ? own[0] : own
    if (Array.isArray(raw['enum'])) {
      if (raw['enum'].length > 0 && raw['enum'].every(isScalar))
        made['enum'] = own.includes('null') ? [...new Set([...raw['enum'], null])] : raw['enum']
      else note(at, 'enum with values that are objects or lists')
    }
    if (raw['const'] !== undefined) {
      if (isScalar(raw['const'])) made['const'] = raw['const']
      else note(at, 'const that is an object or a list')
    }
    for (const key of beyond) if (raw[key] !== undefined) note(at, key)
    if (raw['uniqueItems'] === true) note(at, 'uniqueItems')
    for (const side of ['minimum', 'maximum'] as const) {
      const exclusive = raw[`exclusive${side === 'minimum' ? 'Minimum' : 'Maximum'}`]
      if (typeof exclusive === 'number' || exclusive === true) note(at, `exclusive ${side} is read as ${side}`)
      const bound = typeof exclusive === 'number' ? exclusive : raw[side]
      if (typeof bound === 'number') made[side] = bound
    }
    for (const key of ['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties'])
      if (Number.isSafeInteger(raw[key]) && Number(raw[key]) >= 0) made[key] = raw[key]
    if (typeof raw['format'] === 'string') {
      if (formats.includes(raw['format'])) made['format'] = raw['format']
      else if (!annotations.includes(raw['format'])) note(at, `format ${raw['format']}`)
    }
    if (typeof raw['pattern'] === 'string') {
      if (isRegExp(raw['pattern'])) made['pattern'] = raw['pattern']
      else note(at, 'pattern that is no regular expression of ECMAScript')
    }
    if (Array.isArray(raw['items'])) note(at, 'items as a list')
    else if (raw['items'] !== undefined) made['items'] = convert(raw['items'], `${at}.items`)
    if (own.includes('object')) Object.assign(made, fieldsOf(raw, at))
    for (const [key, needed] of Object.entries(belongsTo))
      if (made[key] !== undefined && !needed.some(type => own.includes(type))) {
        delete made[key]
        note(at, `${key} without type: ${needed.join(' or ')}`)
      }
    return made as JsonSchema
  }

  const typesOf = (raw: Raw, at: string): string[] => {
    const told = [raw['type'] ?? []].flat()
    const known = told.filter((each): each is string => types.includes(String(each)))
    if (known.length < told.length) {
      note(at, `type ${told.filter(each => !types.includes(String(each))).join(', ')}`)
      return []
    }
    const meant =
      known.length > 0
        ? known
        : raw['properties'] !== undefined || isRaw(raw['additionalProperties'])
          ? ['object']
          : raw['items'] !== undefined
            ? ['array']
            : []
    const nullable = raw['nullable'] === true || raw['x-nullable'] === true
    return nullable && meant.length > 0 ? [...new Set([...meant, 'null'])] : meant
  }

  const fieldsOf = (raw: Raw, at: string): Record<string, unknown> => {
    const given = isRaw(raw['properties']) ? raw['properties'] : {}
    const properties: Record<string, JsonSchema> = Object.fromEntries(
      Object.entries(given).map(([name, each]) => [name, convert(each, `${at}.${name}`)]),
    )
    // What is only read is not asked of who writes.
    const written = (name: string) => !(isRaw(given[name]) && flat(given[name], at)['readOnly'] === true)
    const required = (Array.isArray(raw['required']) ? raw['required'] : []).map(String).filter(written)
    for (const name of required) properties[name] ??= {}
    const others = raw['additionalProperties']
    const other = isRaw(others) ? convert(others, `${at}.additionalProperties`) : undefined
    return {
      ...(Object.keys(properties).length > 0 ? { properties } : {}),
      ...(required.length > 0 ? { required: [...new Set(required)] } : {}),
      ...(others === false ? { additionalProperties: false } : {}),
      ...(other && Object.keys(other).length > 0 ? { additionalProperties: other } : {}),
    }
  }

  return { convert, flat: (raw, at) => flat(raw, at), defs }
}

/** Whether more than words stands beside a reference. */
const constrains = (beside: Raw): boolean =>
  Object.keys(beside).some(
    key => Object.hasOwn(belongsTo, key) || ['enum', 'const', 'anyOf', 'oneOf', 'allOf'].includes(key),
  )
