/** Actions: what a provider's API can do by name, and doing it through a connection. */
import { readFileSync } from 'node:fs'
import {
  type Command,
  fields,
  jsonOption,
  type Options,
  one,
  RefusedError,
  show,
  table,
  text,
  texts,
  UsageError,
} from './command.ts'
import { type Api, hubOptions, takesHub, withHub } from './command-hub.ts'
import { didYouMean } from './core/alike.ts'
import { type ErrorCode, MortiseError } from './core/errors.ts'
import type { ActionAnswerShape, ActionShape, WalkLine } from './http/api/action-shapes.ts'
import type { ConnectionShape } from './http/api/shapes.ts'

type Action = ActionShape
type Values = Record<string, unknown>

const at = (...parts: readonly string[]): string => parts.map(each => `/${encodeURIComponent(each)}`).join('')

const list = async (api: Api, provider: string, options: Options): Promise<void> => {
  const all = await api.all<Action>(at('providers', provider, 'actions'))
  show(options, all, () => {
    if (all.length === 0)
      return console.log(
        `There are no actions of ${provider} here. Write some, or make them of its OpenAPI document: npx mortise provider import-openapi FILE --provider ${provider}`,
      )
    table([
      ['ACTION', 'ABOUT', 'PAGES', 'DOES', 'OTHER NAMES'],
      ...all.map(each => [each.id, each.resource, each.paginated ? 'yes' : '', each.title, each.aliases.join(', ')]),
    ])
  })
}

/** A schema in a few words. */
const typeOf = (schema: Values): string => {
  const values = schema['enum']
  if (Array.isArray(values)) return values.join(' | ')
  return [schema['type'] ?? 'any'].flat().join(' or ')
}

const showOne = async (api: Api, provider: string, action: string, options: Options): Promise<void> => {
  const found = await api.call<Action>('GET', at('providers', provider, 'actions', action))
  const body = bodyOf(found)
  show(options, found, () => {
    fields([
      ['Action', found.id],
      ['Other names', found.aliases.join(', ') || 'none'],
      ['Does', found.description],
      ['Calls', `${found.method} ${found.path}`],
      ['Body', found.body === null ? 'none' : 'JSON, by --body, or field by field by --param'],
      ['In pages', found.paginated ? 'yes: --walk reads them all' : 'no'],
      ['Reference', found.docs],
    ])
    const rows = [
      ...found.parameters.map(
        each => [each.name, each.in, each.required, typeOf(each.schema), each.description] as const,
      ),
      ...Object.entries(body.properties).map(
        ([name, each]) =>
          [name, 'body', body.required.includes(name), typeOf(each), String(each['description'] ?? '')] as const,
      ),
    ]
    if (rows.length === 0) return
    console.log('')
    table([
      ['PARAMETER', 'IN', '', 'TYPE', 'MEANS'],
      ...rows.map(([name, place, required, type, means]) => [name, place, required ? 'required' : '', type, means]),
    ])
  })
}

const bodyIn = (given: string | undefined): unknown => {
  if (given === undefined) return undefined
  const file = given === '-' ? 0 : given.startsWith('@') ? given.slice(1) : undefined
  let json = given
  try {
    if (file !== undefined) json = readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`--body cannot be read: ${(error as Error).message}`)
  }
  try {
    return JSON.parse(json)
  } catch {
    throw new UsageError('--body is JSON: --body \'{"a": 1}\', --body @FILE, or --body - for standard input.')
  }
}

/** A value for a body: JSON where its schema wants more than a text. */
const fieldOf = (schema: Values, given: string): unknown => {
  if ([schema['type']].flat().includes('string')) return given
  try {
    return JSON.parse(given)
  } catch {
    return given
  }
}

/** The fields of an action's body, as far as its schema tells them. */
const bodyOf = ({ body }: Action): { properties: Record<string, Values>; required: readonly string[] } => {
  type Schema = {
    $ref?: string
    $defs?: Record<string, Schema>
    properties?: Record<string, Values>
    required?: string[]
  }
  let schema: Schema = body ?? {}
  const defs = schema.$defs ?? {}
  for (let steps = 0; schema.$ref !== undefined && steps < 20; steps++)
    schema = defs[schema.$ref.slice('#/$defs/'.length)] ?? {}
  return { properties: schema.properties ?? {}, required: schema.required ?? [] }
}

/** Each parameter where the action has it. */
const placed = (action: Action, options: Options): { path: Values; query: Values; body?: unknown } => {
  const path: Values = {}
  const query: Values = {}
  const fieldsOfBody: Values = {}
  const { properties } = bodyOf(action)
  for (const pair of texts(options['param'])) {
    const [, name = '', value] = /^([^=]+)=(.*)$/s.exec(pair) ?? []
    if (value === undefined) throw new UsageError(`--param is NAME=VALUE, not "${pair}".`)
    const parameter = action.parameters.find(each => each.name === name)
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (parameter) {
      const group = parameter.in === 'path' ? path : query
      group[name] = Object.hasOwn(group, name) ? [group[name], value].flat() : value
    } else if (property) fieldsOfBody[name] = fieldOf(property, value)
    else {
      const names = [...action.parameters.map(each => each.name), ...Object.keys(properties)]
      throw new UsageError(
        `--param ${name}: ${action.id} takes no ${name}${didYouMean(name, names)}. It takes ${names.join(', ') || 'none'}.`,
      )
    }
  }
  const body = bodyIn(text(options['body']))
  if (Object.keys(fieldsOfBody).length === 0) return { path, query, ...(body === undefined ? {} : { body }) }
  if (body !== undefined && (typeof body !== 'object' || body === null || Array.isArray(body)))
    throw new UsageError('--param adds a field to the body, so --body must be a JSON object.')
  return { path, query, body: { ...body, ...fieldsOfBody } }
}

const run = async (api: Api, connection: string, name: string, options: Options): Promise<void> => {
  const { provider } = await api.call<ConnectionShape>('GET', at('connections', connection))
  const action = await api.call<Action>('GET', at('providers', provider, 'actions', name))
  const input = placed(action, options)
  const where = at('connections', connection, 'actions', action.id)
  if (options['walk'] === true) return walk(api, where, input, options)
  for (const option of ['max', 'from', 'items'])
    if (options[option] !== undefined) throw new UsageError(`--${option} is of a walk. Add --walk.`)
  const answer = await api.call<ActionAnswerShape>('POST', where, input)
  const { status, body, failure } = answer
  show(options, answer, () => {
    if (body !== '') console.log(typeof body === 'string' ? body : JSON.stringify(body, undefined, 2))
  })
  if (status >= 400 || failure !== null) throw new RefusedError(`${provider} answered with ${failure ?? status}.`)
}

/** Items on standard output, a line each; how it ended on standard error. */
const walk = async (api: Api, where: string, input: unknown, options: Options): Promise<void> => {
  const query = new URLSearchParams({ walk: 'true' })
  for (const option of ['max', 'from', 'items']) {
    const value = text(options[option])
    if (value !== undefined) query.set(option, value)
  }
  let ended = false
  for await (const line of api.lines<WalkLine>('POST', `${where}?${query}`, input)) {
    if (options['json'] === true) console.log(JSON.stringify(line))
    else if ('item' in line) console.log(JSON.stringify(line.item))
    if ('item' in line) continue
    ended = true
    const { items, pages, next } = 'end' in line ? line.end : line.error
    const more = next === null ? '' : ` Go on with: --from ${next}`
    if ('end' in line) {
      const whole = line.end.complete ? '' : ' There is more.'
      console.error(`${items} item${items === 1 ? '' : 's'} in ${pages} page${pages === 1 ? '' : 's'}.${whole}${more}`)
      continue
    }
    const { code, message, status, body } = line.error
    if (status === null) throw new MortiseError(code as ErrorCode, `${message}${more}`)
    console.error(typeof body === 'string' ? body : JSON.stringify(body, undefined, 2))
    throw new RefusedError(`${message}${more}`)
  }
  if (!ended) throw new RefusedError('The hub broke off the walk.')
}

export const actionCommands: readonly Command[] = [
  {
    name: 'actions',
    words: true,
    takes: `PROVIDER [ACTION] [--json] ${takesHub}`,
    help: "List a provider's actions, or show what one takes.",
    options: { ...hubOptions, ...jsonOption },
    run(args, options) {
      const [provider, action, ...more] = args
      if (provider === undefined || more.length > 0)
        throw new UsageError('Give the id of a provider, like notion, and perhaps an action.')
      return withHub(options, api =>
        action === undefined ? list(api, provider, options) : showOne(api, provider, action, options),
      )
    },
  },
  {
    name: 'run',
    words: true,
    takes: `CONNECTION ACTION [--param NAME=VALUE]… [--body JSON|@FILE|-] [--walk [--max N] [--from NEXT] [--items PATH]] [--json] ${takesHub}`,
    help: 'Run an action through a connection, and print what the provider answers.',
    options: {
      ...hubOptions,
      json: { type: 'boolean', about: 'The status and headers too; of a walk, the lines as the hub sends them' },
      param: { type: 'string', multiple: true, about: 'A parameter of the path or the query, or a field of the body' },
      body: { type: 'string', about: 'The body: JSON, @ and a file, or - for standard input' },
      walk: { type: 'boolean', about: 'Read a list to its end, an item a line' },
      max: { type: 'string', about: 'Items of a walk at most; 1,000 unless told' },
      from: { type: 'string', about: 'Go on with a walk that ended early' },
      items: { type: 'string', about: 'Where the list stands in the answer, if the action does not say' },
    },
    run(args, options) {
      const [connection, ...rest] = args
      const action = one(rest, 'the id of a connection and the action to run, like: conn_… get-page')
      return withHub(options, api => run(api, connection ?? '', action, options))
    },
  },
]
