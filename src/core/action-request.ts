/** An action and what a caller gives → the request, without a credential. Pure; every refusal names the field at fault. */
import { type Action, type ActionParameter, pathNames } from './action.ts'
import { didYouMean } from './alike.ts'
import { pathBelow } from './api-path.ts'
import type { Json } from './credential.ts'
import { badParameter, MortiseError } from './errors.ts'
import { type Client, valuesOf } from './grants/authorization-code.ts'
import { type Fault, faultOf } from './json-schema.ts'
import { endsHere } from './pass-headers.ts'
import type { CallRequest } from './ports.ts'
import { expandUrl } from './template.ts'
import { decoded } from './url-param.ts'

/** What the caller calls the four groups of its input, so that a refusal names a field as the caller wrote it. */
export interface InputNames {
  readonly path: string
  readonly query: string
  readonly body: string
  readonly headers: string
}

export interface ActionInput {
  readonly path?: Readonly<Record<string, Json>>
  readonly query?: Readonly<Record<string, Json>>
  readonly body?: Json
  readonly headers?: Readonly<Record<string, Json>>
  /** The URL of a further page, as the page before gave it: it takes the place of the one that is made. */
  readonly link?: string
  readonly names?: InputNames
  /** Header names, or beginnings of them that end in `-`, that belong to the caller's own API and never travel on. */
  readonly ownHeaders?: readonly string[]
}

const plainNames: InputNames = { path: 'path', query: 'query', body: 'body', headers: 'headers' }

/** Whose request it is, as far as URLs and headers need it. */
export type Caller = Pick<Client, 'provider' | 'integration' | 'config'>

/** Throws `invalid_request` (reason `parameter`) with the field as the caller wrote it: `pathParams.page_id`. */
export const actionRequest = (caller: Caller, action: Action, input: ActionInput): CallRequest => {
  const names = input.names ?? plainNames
  const { provider, integration } = caller
  const fixed = lowerCased({ ...provider.api.headers, ...action.headers })
  const headers = callerHeaders(caller, action, input, names)
  // Whoever asks for another version of the API than the file describes knows its names better than the file does.
  const described =
    !action.free && Object.keys(fixed).every(name => headers[name] === undefined || headers[name] === fixed[name])
  const url = urlOf(caller, action, input, names, described)
  const body = bodyOf(action, input, names, described)
  return {
    method: action.method,
    url: (input.link === undefined ? url : linkedUrl(url, input.link, provider.name)).href,
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': contentType(action) }),
      ...fixed,
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
    sandbox: integration.sandbox,
  }
}

const lowerCased = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const sentence = (at: string, fault: Fault): MortiseError => {
  const field = [at, ...fault.path.map(String)].join('.')
  return badParameter(field, `${field} ${fault.what}.`)
}

const urlOf = (caller: Caller, action: Action, input: ActionInput, names: InputNames, described: boolean): URL => {
  const base = expandUrl(caller.provider, caller.provider.api.base, valuesOf(caller))
  const inPath = valuesIn('path', action, input, names, true)
  const inQuery = valuesIn('query', action, input, names, described)
  const path = (action.free ? [] : pathNames(action.path)).reduce((text, name) => {
    const field = `${names.path}.${name}`
    const [parameter, [value = '']] = inPath.get(name) ?? [undefined, []]
    return text.replace(`{${name}}`, () => segment(field, value, parameter?.encoded === true))
  }, action.path)
  const expected = action.free ? pathBelow(base, action.path) : base.pathname.replace(/\/+$/, '') + path
  const url = URL.parse(base.origin + expected)
  // Whatever the values were, the URL is the one that is meant, letter for letter.
  if (url?.origin !== base.origin || url.pathname !== expected)
    throw badParameter(names.path, `${names.path} does not make a URL of ${caller.provider.name}.`)
  for (const [name, [parameter, values]] of inQuery)
    for (const value of values) url.searchParams.append(name, parameter?.encoded ? decoded(value) : value)
  return url
}

/** Where it leads is looked at like that of every URL, before a credential is attached. */
const linkedUrl = (from: URL, link: string, provider: string): URL => {
  const url = URL.parse(link, from)
  if (url?.username === '' && url.password === '') return url
  throw new MortiseError('provider_invalid_response', `${provider} gave no URL as the link to the next page.`)
}

/** One value inside a path: percent-encoded, and never one that a server could take for another path. */
const segment = (field: string, given: string, encoded: boolean): string => {
  const value = encoded ? decoded(given) : given
  for (const form of [value, decoded(value)])
    if (/\p{Cc}/u.test(form) || form.split(/[/\\]/).some(part => /^\.*$/.test(part)))
      throw badParameter(
        field,
        `${field} must name one thing: it may not be empty, be made of dots, hold control characters, or begin or end with a slash.`,
      )
  try {
    return encodeURIComponent(value)
  } catch {
    throw badParameter(field, `${field} is not valid Unicode text.`)
  }
}

type Given = Map<string, [parameter: ActionParameter | undefined, values: string[]]>

/** The values of one group as text, checked. Null counts as not given. */
const valuesIn = (
  group: 'path' | 'query',
  action: Action,
  input: ActionInput,
  names: InputNames,
  closed: boolean,
): Given => {
  const found: Given = new Map()
  const given = input[group] ?? {}
  const parameters = action.parameters.filter(each => each.in === group)
  const byName = new Map(parameters.map(each => [each.name, each]))
  for (const [name, value] of Object.entries(given)) {
    const field = `${names[group]}.${name}`
    const parameter = byName.get(name)
    if (!parameter && closed) throw unknownParameter(group, name, action, names)
    if (value === null || value === undefined) continue
    const wanted = parameter ? [parameter.schema.type ?? []].flat() : []
    const read = wanted.includes('array')
      ? [value].flat().map(each => asRead(each, itemTypes(parameter)))
      : asRead(value, wanted)
    const fault = parameter && closed ? faultOf(parameter.schema, read) : undefined
    if (fault) throw sentence(field, fault)
    const values = [read].flat()
    if (values.some(each => typeof each === 'object'))
      throw badParameter(field, `${field} must be a text, a number or true or false.`)
    found.set(name, [parameter, values.map(String)])
  }
  for (const parameter of parameters)
    if (closed && parameter.required && !found.has(parameter.name)) {
      const field = `${names[group]}.${parameter.name}`
      throw badParameter(field, `${field} is missing: ${parameter.description}.`)
    }
  return found
}

const itemTypes = (parameter: ActionParameter | undefined): string[] => [parameter?.schema.items?.type ?? []].flat()

/** In a URL all is text, so a text that spells what is wanted is as good. */
const asRead = (value: Json, wanted: readonly string[]): Json => {
  if (typeof value === 'string' && !wanted.includes('string')) {
    if (wanted.some(type => type === 'number' || type === 'integer') && /^-?\d+(\.\d+)?$/.test(value))
      return Number(value)
    if (wanted.includes('boolean') && (value === 'true' || value === 'false')) return value === 'true'
  }
  if (typeof value === 'number' && wanted.includes('string') && !wanted.includes('number')) return String(value)
  return value
}

const unknownParameter = (group: 'path' | 'query', name: string, action: Action, names: InputNames): MortiseError => {
  const field = `${names[group]}.${name}`
  const mine = action.parameters.filter(each => each.in === group).map(each => each.name)
  const elsewhere = action.parameters.find(each => each.name === name && each.in !== group)
  const inBody = Object.hasOwn(action.body?.properties ?? {}, name)
  const place = elsewhere ? names[elsewhere.in] : inBody ? names.body : undefined
  const advice = place === undefined ? didYouMean(name, mine) : `; it belongs in ${place}`
  const all = mine.length === 0 ? `no ${names[group]}` : mine.join(', ')
  return badParameter(field, `${field} is not a parameter of ${action.id}${advice}. It takes ${all}.`)
}

const bodyOf = (action: Action, input: ActionInput, names: InputNames, described: boolean): string | undefined => {
  const empty = input.body === undefined || input.body === null
  if (action.body === undefined) {
    if (empty || (typeof input.body === 'object' && Object.keys(input.body ?? {}).length === 0)) return undefined
    if (described) throw badParameter(names.body, `${action.id} takes no ${names.body}.`)
  }
  const body: Json = input.body ?? {}
  const fault = action.body && described ? faultOf(action.body, body) : undefined
  if (fault) throw sentence(names.body, fault)
  try {
    return isForm(action) ? formOf(body, action.encoding === 'brackets') : JSON.stringify(body)
  } catch {
    throw badParameter(names.body, `${names.body} is nested too deeply.`)
  }
}

const isForm = ({ encoding }: Action): boolean => encoding === 'form' || encoding === 'brackets'

const contentType = (action: Action): string =>
  isForm(action) ? 'application/x-www-form-urlencoded' : 'application/json'

/** As a form. What is nested is named `outer[inner]`, and null is empty. */
const formOf = (body: Json, brackets: boolean): string => {
  const form = new URLSearchParams()
  const put = (name: string, value: Json): void => {
    if (Array.isArray(value)) for (const [at, each] of value.entries()) put(brackets ? `${name}[${at}]` : name, each)
    else if (typeof value === 'object' && value !== null)
      for (const [key, each] of Object.entries(value)) put(name === '' ? key : `${name}[${key}]`, each)
    else form.append(name, value === null ? '' : String(value))
  }
  put('', body)
  return form.toString()
}

/** Besides the headers that end at the hub whichever way a call goes: those of its body, which an action makes, and of keys. */
const ofAction = ['accept-encoding', 'api-key', 'content-encoding', 'set-cookie', 'x-api-key']

const isOneOf = (name: string, names: readonly string[]): boolean =>
  names.some(each => (each.endsWith('-') ? name.startsWith(each) : name === each))

export const isHubHeader = (written: string): boolean => {
  const name = written.toLowerCase()
  return endsHere(name) || ofAction.includes(name)
}

const callerHeaders = (
  { provider }: Caller,
  action: Action,
  input: ActionInput,
  names: InputNames,
): Record<string, string> => {
  const keys = Object.values(provider.keys?.kinds ?? {}).flatMap(kind => kind?.header ?? [])
  const kept = [provider.api.header, ...keys, ...(input.ownHeaders ?? [])].map(name => name.toLowerCase())
  const headers: Record<string, string> = {}
  for (const [written, value] of Object.entries(input.headers ?? {})) {
    if (value === null || value === undefined) continue
    const field = `${names.headers}.${written}`
    const name = written.toLowerCase()
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) throw badParameter(field, `${field} is not the name of a header.`)
    if (isHubHeader(name) || isOneOf(name, kept))
      throw badParameter(field, `${field} may not be given: the hub sets that header itself, or never sends it on.`)
    if (typeof value === 'object' || /[^\t\x20-\x7e\xa0-\xff]/.test(String(value)))
      throw badParameter(field, `${field} must be a text of printable characters.`)
    // The body is what the action says, whatever its header says.
    const right = isForm(action)
      ? /^application\/x-www-form-urlencoded\s*(;|$)/i
      : /^application\/([a-z.-]+\+)?json\s*(;|$)/i
    if (name === 'content-type' && !right.test(String(value)))
      throw badParameter(field, `${field} must be ${contentType(action)}: ${action.id} has no other body.`)
    headers[name] = String(value)
  }
  return headers
}
