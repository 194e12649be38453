/**
 * An OpenAPI document (3.0, 3.1, or Swagger 2.0) → the text of an actions file that passes the check. What an actions
 * file cannot say is told, operation by operation, at its beginning: nothing is left out in silence.
 */
import { parseDocument, stringify } from 'yaml'
import { actionId } from '../core/action.ts'
import { didYouMean } from '../core/alike.ts'
import { SetupError } from '../core/errors.ts'
import { type JsonSchema, whole } from '../core/json-schema.ts'
import { actionsEnding, plainTypes, readActions } from './actions.ts'
import {
  type OpenapiOperation,
  type OpenapiParameter,
  operationsOf,
  serversOf,
  versionOf,
} from './openapi-operations.ts'
import { type Converter, createConverter, isRaw, type Raw, sentenceOf } from './openapi-schema.ts'
import { problemText } from './yaml-file.ts'

export interface ImportOptions {
  /** The id of the provider; that of the document's title where it is left out. */
  readonly provider?: string | undefined
  /** `api.base` of a provider's definition, where there is one. */
  readonly baseOf?: ((provider: string) => string | undefined) | undefined
  /** Operation ids, as the document has them. */
  readonly only?: readonly string[] | undefined
  /** Where the API is served, where the document does not say, or names several. */
  readonly server?: string | undefined
  /** The page to name for operations that name none. */
  readonly docs?: string | undefined
}

export interface Imported {
  readonly provider: string
  readonly text: string
  readonly actions: number
  /** Operations that are not in the file, and why. */
  readonly left: readonly { readonly operation: string; readonly why: string }[]
  /** What the file asks for less strictly than the document, and where. */
  readonly looser: ReadonlyMap<string, readonly string[]>
  /** Where the API is served: what `api.base` is, or would have to be. */
  readonly server: string
}

const parsed = (file: string, text: string): unknown => {
  try {
    // Much faster than YAML, of which it is a part.
    return JSON.parse(text)
  } catch {}
  const yaml = parseDocument(text, { prettyErrors: false, uniqueKeys: false })
  const [error] = yaml.errors
  if (error) throw new SetupError(`${file} is neither JSON nor YAML: ${error.message}`)
  return yaml.toJS({ maxAliasCount: 100_000 })
}

/** The text of a document, JSON or YAML. */
export const openDocument = (file: string, text: string): Raw => {
  const document = parsed(file, text.replace(/^\uFEFF/, ''))
  if (isRaw(document) && versionOf(document) !== undefined) return document
  throw new SetupError(`${file} is no OpenAPI document: it must say openapi: 3.x, or swagger: "2.0".`)
}

type Action = Record<string, unknown> & { parameters?: { schema: JsonSchema }[]; body?: JsonSchema }

/** Thrown for an operation that an actions file cannot say. */
class Inexpressible extends Error {}

export const importOpenapi = (document: Raw, options: ImportOptions = {}): Imported => {
  const info = isRaw(document['info']) ? document['info'] : {}
  const provider = options.provider ?? words(String(info['title'] ?? ''))
  if (provider === '') throw new SetupError('The document has no title to name the provider by. Give --provider ID.')
  const { server, prefix } = served(document, options.server, options.baseOf?.(provider))
  const looser = new Map<string, Set<string>>()
  const note = (at: string, what: string) => {
    const place = at
      .split('.')
      .slice(0, at.startsWith('$defs.') ? 2 : 1)
      .join('.')
    looser.set(what, (looser.get(what) ?? new Set()).add(place))
  }
  const converter = createConverter(document, note)
  const left: { operation: string; why: string }[] = []
  const actions: Record<string, Action> = {}
  for (const operation of chosen(operationsOf(document), options.only)) {
    const id = idOf(operation, name => Object.hasOwn(actions, name))
    try {
      actions[id] = toAction(document, converter, operation, id, prefix, options.docs ?? server, note)
    } catch (error) {
      if (!(error instanceof Inexpressible)) throw error
      left.push({ operation: shown(operation), why: error.message })
    }
  }
  aliases(actions)
  const made = mended(provider, actions, converter.defs, left, note)
  const kept = new Set([...Object.keys(made.actions), ...Object.keys(made.defs).map(name => `$defs.${name}`)])
  const told = new Map(
    [...looser].flatMap(([what, places]): [string, string[]][] => {
      const there = [...places].filter(each => kept.has(each)).sort()
      return there.length === 0 ? [] : [[what, there]]
    }),
  )
  const from = `${String(info['title'] ?? 'an untitled document')} ${String(info['version'] ?? '')}`.trim()
  return {
    provider,
    text: `${head(from, server, left, told)}${made.text}`,
    actions: Object.keys(made.actions).length,
    left,
    looser: told,
    server,
  }
}

const words = (text: string): string =>
  text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[-0-9]+|-+$/g, '')

const shown = ({ method, path, id }: OpenapiOperation): string =>
  `${method} ${path}${id === undefined ? '' : ` (${id})`}`

const served = (
  document: Raw,
  given: string | undefined,
  base: string | undefined,
): { server: string; prefix: string } => {
  const all = serversOf(document)
  const server = (given ?? all[0] ?? '').replace(/\/+$/, '')
  if (!/^https?:\/\/[^/?#{}]+(\/[^?#{}]*)?$/.test(server))
    throw new SetupError(
      `The document does not say by an absolute URL where its API is served${all.length === 0 ? '' : ` (${all.join(', ')})`}. Give --server URL.`,
    )
  if (base === undefined) return { server, prefix: '' }
  // Of a base whose host is a template, the path alone can be compared.
  const [, host = '', path = ''] = /^(\$\{[^}]+\}|https?:\/\/[^/]+)(\/.*)?$/.exec(base.replace(/\/+$/, '')) ?? []
  const url = new URL(server)
  const below = url.pathname.replace(/\/+$/, '')
  if ((host.includes('${') || host === url.origin) && (below === path || below.startsWith(`${path}/`)))
    return { server, prefix: below.slice(path.length) }
  throw new SetupError(
    `The API is served at ${server}, which is not below api.base of the definition, ${base}. Choose another with --server URL${all.length > 1 ? `; the document names ${all.join(', ')}` : ''}.`,
  )
}

const chosen = (all: readonly OpenapiOperation[], only: readonly string[] | undefined): readonly OpenapiOperation[] => {
  if (all.length === 0) throw new SetupError('The document has no operation.')
  if (!only) return all
  const ids = all.flatMap(each => each.id ?? [])
  for (const name of only)
    if (!ids.includes(name)) throw new SetupError(`The document has no operation "${name}"${didYouMean(name, ids)}.`)
  return all.filter(each => each.id !== undefined && only.includes(each.id))
}

const idOf = ({ id, method, path }: OpenapiOperation, isTaken: (name: string) => boolean): string => {
  const plain = (id ?? `${method.toLowerCase()} ${path}`)
    .replaceAll(/[^A-Za-z0-9_-]+/g, '-')
    .replaceAll(/[-_]{2,}/g, '-')
    .replaceAll(/^[-_0-9]+|[-_]+$/g, '')
  const first = actionId.test(plain) ? plain : `operation-${words(plain)}`.replace(/-$/, '')
  let name = first
  for (let count = 2; isTaken(name); count++) name = `${first}-${count}`
  return name
}

/** `listPets` is `list-pets` too, where nobody else is. */
const aliases = (actions: Record<string, Action>): void => {
  const taken = new Set(Object.keys(actions))
  for (const [id, action] of Object.entries(actions)) {
    const alias = words(id.replaceAll('_', '-'))
    if (taken.has(alias) || !actionId.test(alias)) continue
    taken.add(alias)
    actions[id] = { aliases: [alias], ...action }
  }
}

const toAction = (
  document: Raw,
  converter: Converter,
  operation: OpenapiOperation,
  id: string,
  prefix: string,
  page: string,
  note: (at: string, what: string) => void,
): Action => {
  const { method, told, elsewhere } = operation
  if (!['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].includes(method)) throw new Inexpressible(`its method is ${method}`)
  if (elsewhere) throw new Inexpressible('it is served elsewhere than the others')
  const { path, renamed } = pathOf(operation, prefix)
  const parameters = operation.parameters.flatMap(each => toParameters(converter, each, renamed, id, note))
  for (const [written, name] of renamed)
    if (!parameters.some(each => each.in === 'path' && each.name === name))
      throw new Inexpressible(`{${written}} of its path is not among its parameters`)
  const summary = sentenceOf(told['summary'])
  const title = summary ?? words(id).replaceAll('-', ' ')
  return {
    title: title.replace(/\.$/, ''),
    description: sentenceOf(told['description']) ?? summary ?? `${title}.`,
    resource: resourceOf(operation),
    docs: docsOf(document, told, page),
    method,
    path,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...bodyOf(converter, operation, id, note),
  }
}

/** Names of path parameters never travel, so those that an actions file does not take are changed. */
const pathOf = ({ path }: OpenapiOperation, prefix: string): { path: string; renamed: Map<string, string> } => {
  const renamed = new Map<string, string>()
  const made = path.replaceAll(/\{([^}]*)\}/g, (_, name: string) => {
    const plain = name.replaceAll(/\W/g, '_').replace(/^(\d)/, '_$1')
    renamed.set(name, plain)
    return `{${plain}}`
  })
  if (/[?#]/.test(made)) throw new Inexpressible('its path has a query or a fragment')
  return { path: prefix + made, renamed }
}

const resourceOf = ({ told, path }: OpenapiOperation): string => {
  const [tag] = Array.isArray(told['tags']) ? told['tags'] : []
  const named = words(String(tag ?? ''))
  return named || words(path.split('/').find(part => /^[a-z]/i.test(part) && !/^v\d+$/.test(part)) ?? '') || 'all'
}

const docsOf = (document: Raw, told: Raw, page: string): string => {
  for (const each of [told['externalDocs'], document['externalDocs']])
    if (isRaw(each) && typeof each['url'] === 'string' && /^https:\/\/\S+$/.test(each['url'])) return each['url']
  return page.replace(/^http:/, 'https:')
}

const toParameters = (
  converter: Converter,
  parameter: OpenapiParameter,
  renamed: ReadonlyMap<string, string>,
  id: string,
  note: (at: string, what: string) => void,
): { name: string; in: string; required?: true; description: string; schema: JsonSchema }[] => {
  const { name, required, style } = parameter
  const description = sentenceOf(parameter.description) ?? name
  const unsaid = (what: string): [] => {
    if (required && parameter.in !== 'header') throw new Inexpressible(`${what}, and it is required`)
    note(id, what)
    return []
  }
  if (parameter.in === 'header')
    // These three are said elsewhere in a document (OpenAPI 3.1, §4.8.12.1).
    return /^(accept|content-type|authorization)$/i.test(name)
      ? []
      : unsaid(`the header ${name} may be given in headers`)
  if (parameter.in !== 'path' && parameter.in !== 'query') return unsaid(`its parameter ${name} is a ${parameter.in}`)
  const raw = converter.flat(parameter.schema ?? {}, id)
  if (parameter.in === 'path') {
    const renamedTo = renamed.get(name)
    if (renamedTo === undefined) return unsaid(`its path does not have {${name}}`)
    return [{ name: renamedTo, in: 'path', description, schema: plainOf(converter, raw, id, name, false, note) }]
  }
  if (style === 'other') return unsaid(`its query parameter ${name} is written in a way of its own`)
  if (isRaw(raw['properties']) || raw['type'] === 'object') {
    if (style !== 'deep' || !isRaw(raw['properties'])) return unsaid(`its query parameter ${name} is an object`)
    return Object.entries(raw['properties']).map(([key, each]) => {
      const inner = converter.flat(each, id)
      const meant = sentenceOf(inner['description']) ?? description
      const schema = plainOf(converter, inner, id, `${name}[${key}]`, false, note)
      return { name: `${name}[${key}]`, in: 'query', description: meant, schema }
    })
  }
  if (!/^[A-Za-z_$@][A-Za-z0-9_.$@:[\]-]*$/.test(name)) return unsaid(`the name of its query parameter ${name}`)
  const schema = plainOf(converter, raw, id, name, style === 'again', note)
  return [{ name, in: 'query', ...(required ? { required } : {}), description, schema }]
}

/** In a URL all is text: a plain type, or a list of one; what is more is a text that the provider reads. */
const plainOf = (
  converter: Converter,
  raw: Raw,
  id: string,
  name: string,
  lists: boolean,
  note: (at: string, what: string) => void,
): JsonSchema => {
  const forms = [raw['anyOf'] ?? raw['oneOf'] ?? []].flat().map(each => converter.flat(each, id))
  const [only, ...more] = forms.filter(each => each['type'] !== 'null')
  if (only && more.length === 0) return plainOf(converter, only, id, name, lists, note)
  const { nullable, 'x-nullable': _, ...rest } = raw
  const type = [rest['type'] ?? []].flat().filter(each => each !== 'null')
  const values = Array.isArray(rest['enum']) ? rest['enum'].filter(each => each !== null) : undefined
  if (type.length === 1 && type[0] === 'array' && lists) {
    const items = plainOf(converter, converter.flat(rest['items'] ?? {}, id), id, name, false, note)
    const made = converter.convert({ ...rest, type: 'array', items: {} }, id)
    return { ...made, type: 'array', items }
  }
  const one = type.length === 0 && values?.every(each => typeof each === 'string') ? 'string' : type[0]
  if (!only && type.length <= 1 && plainTypes.includes(String(one)))
    return converter.convert({ ...rest, type: one, ...(values ? { enum: values } : {}) }, id)
  note(id, `the parameter ${name} is any text`)
  return { type: 'string' }
}

const bodyOf = (
  converter: Converter,
  { method, bodies, bodyRequired }: OpenapiOperation,
  id: string,
  note: (at: string, what: string) => void,
): Pick<Action, 'body'> => {
  if (bodies.size === 0) return {}
  const typed = [...bodies].map(([type, body]) => ({ type: type.split(';')[0]?.trim().toLowerCase() ?? '', ...body }))
  const json =
    typed.find(each => each.type === 'application/json' || each.type === '*/*') ??
    typed.find(each => /^application\/[a-z0-9.+-]+\+json$/.test(each.type))
  const found = json ?? typed.find(each => each.type === 'application/x-www-form-urlencoded')
  if (!found || method === 'GET') {
    const why = method === 'GET' ? 'its GET has a body' : `its body is ${typed.map(each => each.type).join(' or ')}`
    if (bodyRequired || method !== 'GET') throw new Inexpressible(why)
    note(id, why)
    return {}
  }
  const body = converter.convert(found.schema, id)
  if (!bodyRequired && requires(body, converter)) note(id, 'its body may be left out as a whole, which the hub refuses')
  return {
    body,
    ...(json ? {} : { encoding: found.deep ? 'brackets' : 'form' }),
    ...(json?.type.endsWith('+json') ? { headers: { 'Content-Type': json.type } } : {}),
  }
}

const requires = (body: JsonSchema, { defs }: Converter): boolean =>
  (body.$ref === undefined ? body : defs[body.$ref.slice('#/$defs/'.length)])?.required !== undefined

/** The file's text, without what the check would refuse: that is told instead. */
const mended = (
  provider: string,
  actions: Record<string, Action>,
  all: Readonly<Record<string, JsonSchema>>,
  left: { operation: string; why: string }[],
  note: (at: string, what: string) => void,
): { text: string; actions: Record<string, Action>; defs: Record<string, JsonSchema> } => {
  const defs = { ...all }
  for (;;) {
    const reached = new Set(
      Object.values(actions).flatMap(({ parameters = [], body }) =>
        [...parameters.map(each => each.schema), ...(body ? [body] : [])].flatMap(each =>
          Object.keys({ ...whole(each, defs).$defs }),
        ),
      ),
    )
    const used = Object.fromEntries(Object.entries(defs).filter(([name]) => reached.has(name)))
    const file = { ...(reached.size > 0 ? { $defs: used } : {}), actions }
    const text = stringify(file, { lineWidth: 120, aliasDuplicateObjects: false, singleQuote: true })
    const read = readActions(`${provider}${actionsEnding}`, text)
    if ('actions' in read) return { text, actions, defs: used }
    for (const problem of read.problems) {
      const [, place, name = ''] = /^(actions|\$defs)\.([^.]+)/.exec(problem.key) ?? []
      const action = place === 'actions' ? actions[name] : undefined
      if (action) {
        left.push({
          operation: `${action['method']} ${action['path']} (${name})`,
          why: `${problem.key}: ${problem.message}`,
        })
        delete actions[name]
      } else if (place === '$defs' && defs[name] && Object.keys(defs[name]).length > 0) {
        note(`$defs.${name}`, problem.message)
        defs[name] = {}
      } else if (place === undefined || Object.hasOwn(defs, name)) throw new Error(problemText(problem))
    }
  }
}

const head = (from: string, server: string, left: Imported['left'], looser: Imported['looser']): string => {
  const lines = [
    `Written by \`mortise provider import-openapi\` from ${from.replaceAll(/\s+/g, ' ')}, served at ${server}.`,
    ...(left.length === 0 ? [] : ['', 'Not here, and why:', ...left.map(each => `- ${each.operation}: ${each.why}`)]),
    ...(looser.size === 0
      ? []
      : [
          '',
          'Where this file refuses less, or says it otherwise, than the document:',
          ...[...looser].map(([what, places]) => `- ${what}: ${places.join(', ')}`),
        ]),
  ]
  const comment = lines.map(line => `# ${line.replaceAll(/\p{Cc}/gu, ' ')}`.trimEnd()).join('\n')
  return `# yaml-language-server: $schema=./actions.schema.json\n#\n${comment}\n`
}
