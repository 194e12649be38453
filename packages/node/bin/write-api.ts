/**
 * Writes src/api.ts, the types of the hub's own API, from openapi/mortise.json; with --check, only tells whether it is up
 * to date. The schemas there are made by one writer of ours, so this knows what that writes, and stops at anything else.
 */
import { readFileSync, writeFileSync } from 'node:fs'

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly description?: string
}

interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>
}

interface Operation {
  readonly summary: string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required: boolean
    readonly description?: string
    readonly schema: Schema
  }[]
  readonly requestBody?: Content & { readonly required: boolean }
  readonly responses: Readonly<Record<string, Content>>
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** What says more about a value than its type can; the hub checks it. */
const checks = ['pattern', 'format', 'minLength', 'maxLength', 'minimum', 'maximum', 'minItems', 'maxItems', 'default']
const known = new Set([
  ...['$ref', 'type', 'enum', 'const', 'anyOf', 'oneOf', 'items', 'description'],
  ...['properties', 'required', 'additionalProperties', 'propertyNames', 'exclusiveMinimum'],
  ...checks,
])

/** A name that means something else in every program. */
const renamed: Readonly<Record<string, string>> = { Error: 'ErrorAnswer' }
const typeName = (name: string): string => renamed[name] ?? name

const comment = (text: string | undefined, indent: string): string =>
  text === undefined ? '' : `${indent}/** ${text.replaceAll('*/', '* /')} */\n`

const key = (name: string): string => (/^\w+$/.test(name) ? name : `'${name}'`)

const literal = (value: unknown): string =>
  typeof value === 'string' ? `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'` : JSON.stringify(value)

const union = (each: readonly string[]): string => [...new Set(each)].join(' | ')

const scalars: Readonly<Record<string, string>> = {
  string: 'string',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
  null: 'null',
}

const objectOf = (schema: Schema, indent: string): string => {
  const { properties = {}, required = [], additionalProperties } = schema
  const names = Object.keys(properties)
  if (names.length === 0)
    return typeof additionalProperties === 'object'
      ? `Readonly<Record<string, ${typeOf(additionalProperties, indent)}>>`
      : 'Readonly<Record<string, unknown>>'
  const fields = names.map(name => field(name, properties[name] ?? {}, required.includes(name), `${indent}  `))
  return `{\n${fields.join('')}${indent}}`
}

const optional = (type: string): string => (type === 'unknown' ? type : `${type} | undefined`)

const field = (name: string, schema: Schema, required: boolean, indent: string, about = schema.description): string => {
  const type = typeOf(schema, indent)
  return `${comment(about, indent)}${indent}readonly ${key(name)}${required ? '' : '?'}: ${required ? type : optional(type)}\n`
}

const typeOf = (schema: Schema, indent: string): string => {
  const strange = Object.keys(schema).find(each => !known.has(each))
  if (strange !== undefined)
    throw new Error(`The document says "${strange}" of a schema: teach write-api.ts what it is.`)
  if (schema.$ref !== undefined) return typeName(schema.$ref.replace('#/components/schemas/', ''))
  const several = schema.anyOf ?? schema.oneOf
  if (several) return union(several.map(each => typeOf(each, indent)))
  if (schema.const !== undefined) return literal(schema.const)
  if (schema.enum) return union(schema.enum.map(literal))
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? [])
  if (types.length === 0) return 'unknown'
  return union(
    types.map(type => {
      if (type === 'array') return `readonly ${listed(typeOf(schema.items ?? {}, indent))}[]`
      return type === 'object' ? objectOf(schema, indent) : (scalars[type] ?? unknownType(type))
    }),
  )
}

const listed = (type: string): string => (type.includes(' | ') && !type.startsWith('{') ? `(${type})` : type)

const unknownType = (type: string): never => {
  throw new Error(`The document names a type "${type}": teach write-api.ts what it is.`)
}

const ofContent = (content: Content['content'], type = 'application/json'): string => {
  const schema = content?.[type]?.schema
  return schema === undefined ? 'undefined' : typeOf(schema, '    ')
}

/** The proxy, which answers with whatever a provider does: code of its own calls it. */
const isPassedOn = (responses: Operation['responses']): boolean =>
  Object.entries(responses).some(([status, { content }]) => status.startsWith('2') && content?.['*/*'] !== undefined)

const routeOf = (method: string, path: string, operation: Operation): string => {
  const lines: string[] = []
  for (const [where, name] of [
    ['path', 'params'],
    ['query', 'query'],
  ] as const) {
    const found = (operation.parameters ?? []).filter(each => each.in === where)
    if (found.length === 0) continue
    const fields = found.map(each => field(each.name, each.schema, each.required, '      ', each.description))
    const needed = found.some(each => each.required)
    lines.push(`    readonly ${name}${needed ? '' : '?'}: {\n${fields.join('')}    }${needed ? '' : ' | undefined'}\n`)
  }
  const { requestBody, responses } = operation
  if (requestBody) {
    const body = ofContent(requestBody.content)
    lines.push(
      `    readonly body${requestBody.required ? '' : '?'}: ${body}${requestBody.required ? '' : ' | undefined'}\n`,
    )
  }
  const good = Object.entries(responses).find(([status]) => status.startsWith('2'))
  lines.push(`    readonly answer: ${ofContent(good?.[1].content)}\n`)
  const line = ofContent(good?.[1].content, 'application/x-ndjson')
  if (line !== 'undefined') lines.push(`    readonly line: ${line}\n`)
  return `${comment(operation.summary, '  ')}  readonly '${method.toUpperCase()} ${path}': {\n${lines.join('')}  }\n`
}

export const typesOf = ({ paths, components }: Document): string => {
  const shapes = Object.entries(components.schemas)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, schema]) => `${comment(schema.description, '')}export type ${typeName(name)} = ${typeOf(schema, '')}\n`,
    )
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { responses }]) => !isPassedOn(responses))
      .map(([method, operation]) => routeOf(method, path, operation)),
  )
  return [
    "/** The hub's own API as types. Generated from openapi/mortise.json by `npm run openapi`. */\n",
    ...shapes,
    `/** Every route, by its method and path below /api/v1. */\nexport interface Routes {\n${routes.join('')}}\n`,
  ].join('\n')
}

if (import.meta.main) {
  const document = new URL('../../../openapi/mortise.json', import.meta.url)
  const file = new URL('../src/api.ts', import.meta.url)
  const text = typesOf(JSON.parse(readFileSync(document, 'utf8')) as Document)
  if (!process.argv.includes('--check')) writeFileSync(file, text)
  else if (readFileSync(file, 'utf8') !== text) {
    console.error('packages/node/src/api.ts is out of date: run `npm run openapi`')
    process.exitCode = 1
  }
}
