/** Reads `<provider>.actions.yaml` files, which stand beside the definitions: at first use, or all of them for a check. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type Action, type ActionsFile, actionsSchema, pathNames } from '../core/action.ts'
import { isHubHeader } from '../core/action-request.ts'
import type { Catalogue } from '../core/context.ts'
import { MortiseError } from '../core/errors.ts'
import { compile, type JsonSchema, schemaMistakes, type WholeSchema, whole } from '../core/json-schema.ts'
import { paramsOf } from '../core/pages.ts'
import type { Paginate } from '../core/paginate.ts'
import { type Provider, providerId } from '../core/provider.ts'
import { openYaml, type Problem, problemText, readAs } from './yaml-file.ts'

export const actionsEnding = '.actions.yaml'

type Path = readonly (string | number)[]
type Mistake = readonly [path: Path, message: string]

/**
 * One file's text → the provider's actions, or what is wrong with it. `compiling`: whether each schema is compiled too,
 * which takes time, and which is else done at its first use.
 */
export const readActions = (
  file: string,
  text: string,
  compiling = true,
): { actions: Action[] } | { problems: Problem[] } => {
  const yaml = openYaml(file, text)
  if ('problems' in yaml) return yaml
  const provider = basename(file, actionsEnding)
  if (!providerId.test(provider))
    return { problems: [yaml.problem([], `the file name must be a provider's id and ${actionsEnding}`)] }
  const read = readAs(yaml, actionsSchema)
  if ('problems' in read) return read
  const told = (mistakes: readonly Mistake[]) => ({
    problems: mistakes.map(([path, message]) => yaml.problem(path, message)),
  })
  const wrong = [...checkSchemas(read.data), ...checkMeaning(read.data)]
  if (wrong.length > 0) return told(wrong)
  const actions = toActions(provider, read.data)
  const unread = compiling ? actions.flatMap(unreadable) : []
  return unread.length > 0 ? told(unread) : { actions }
}

const schemasOf = (file: ActionsFile): [path: Path, schema: JsonSchema][] => [
  ...Object.entries(file.$defs).map(([name, schema]): [Path, JsonSchema] => [['$defs', name], schema]),
  ...Object.entries(file.actions).flatMap(([id, action]): [Path, JsonSchema][] => [
    ...(action.body ? [[['actions', id, 'body'], action.body] as [Path, JsonSchema]] : []),
    ...action.parameters.map(({ schema }, at): [Path, JsonSchema] => [
      ['actions', id, 'parameters', at, 'schema'],
      schema,
    ]),
  ]),
]

const checkSchemas = (file: ActionsFile): Mistake[] => {
  const wrong = schemasOf(file).flatMap(([path, schema]) =>
    schemaMistakes(schema, file.$defs).map(([inner, message]): Mistake => [[...path, ...inner], message]),
  )
  const used = new Set(
    schemasOf(file)
      .filter(([path]) => path[0] === 'actions')
      .flatMap(([, schema]) => Object.keys({ ...whole(schema, file.$defs).$defs })),
  )
  for (const name of Object.keys(file.$defs)) if (!used.has(name)) wrong.push([['$defs', name], 'is used by no action'])
  return wrong
}

export const plainTypes = ['string', 'number', 'integer', 'boolean']

/** What the shape alone cannot say. */
const checkMeaning = (file: ActionsFile): Mistake[] => {
  const wrong: Mistake[] = []
  const taken = new Map(Object.keys(file.actions).map(id => [id, id]))
  const recorded = new Map<string, string>()
  for (const [id, action] of Object.entries(file.actions)) {
    const at = ['actions', id]
    for (const [index, alias] of action.aliases.entries()) {
      const other = taken.get(alias)
      if (other !== undefined) wrong.push([[...at, 'aliases', index], `${alias} is a name of ${other} already`])
      else taken.set(alias, id)
    }
    for (const [index, { entity, as, items, id: names }] of action.records.entries()) {
      const here = [...at, 'records', index]
      const key = `${as} ${entity}`
      const other = recorded.get(key)
      if (other !== undefined) wrong.push([here, `${key} is what ${other} does already`])
      recorded.set(key, id)
      if ((as === 'list') !== (items !== undefined)) wrong.push([here, 'items belongs to list, and to nothing else'])
      if ((as === 'update') !== (names !== undefined)) wrong.push([here, 'id belongs to update, and to nothing else'])
      if (names !== undefined && !pathNames(action.path).includes(names))
        wrong.push([[...here, 'id'], `${names} is not in the path`])
    }
    const inPath = pathNames(action.path)
    for (const name of new Set(inPath)) {
      if (inPath.indexOf(name) !== inPath.lastIndexOf(name)) wrong.push([[...at, 'path'], `has {${name}} twice`])
      if (!action.parameters.some(each => each.in === 'path' && each.name === name))
        wrong.push([[...at, 'path'], `has {${name}}, which is not among the parameters in: path`])
    }
    if (action.path.split('/').some(part => /^\.+$/.test(part)))
      wrong.push([[...at, 'path'], 'has a part that is made of dots'])
    if (action.method === 'GET' && action.body) wrong.push([[...at, 'body'], 'stands in a GET, which has no body'])
    if (action.encoding !== undefined && !action.body)
      wrong.push([[...at, 'encoding'], 'says how a body is written, and there is none'])
    wrong.push(...checkPaginate(file, id))
    for (const name of Object.keys(action.headers ?? {}))
      if (isHubHeader(name)) wrong.push([[...at, 'headers', name], 'is a header that the hub sets itself'])
    for (const [index, parameter] of action.parameters.entries()) {
      const here = [...at, 'parameters', index]
      const first = action.parameters.findIndex(each => each.in === parameter.in && each.name === parameter.name)
      if (first !== index) wrong.push([here, `${parameter.name} stands there twice`])
      if (parameter.in === 'path' && !inPath.includes(parameter.name))
        wrong.push([here, `${parameter.name} is not in the path`])
      if (parameter.in === 'path' && parameter.required === false)
        wrong.push([[...here, 'required'], 'a path parameter is always required'])
      const schema = opened(parameter.schema, file.$defs)
      const list = parameter.in === 'query' && schema.type === 'array'
      const type = list ? opened(schema.items ?? {}, file.$defs).type : schema.type
      if (typeof type !== 'string' || !plainTypes.includes(type))
        wrong.push([
          [...here, 'schema'],
          `must have a type: ${plainTypes.join(', ')}${parameter.in === 'query' ? ', or array with items of these' : ''}`,
        ])
    }
  }
  return wrong
}

/** What sets parameters must set such as are declared; `usual` stands where an action says no more than `default`. */
const checkPaginate = (file: ActionsFile, id: string, usual?: Paginate): Mistake[] => {
  const action = file.actions[id]
  const own = action?.paginate
  if (!action || !own) return []
  const paginate = own.kind === 'default' ? usual : own
  if (!paginate) return []
  const at = ['actions', id, 'paginate']
  const inBody = Object.keys(opened(action.body ?? {}, file.$defs).properties ?? {})
  const inQuery = action.parameters.filter(each => each.in === 'query').map(each => each.name)
  const missing = paramsOf(paginate)
    .filter(([group, name]) => !(group === 'body' ? inBody : inQuery).includes(name))
    .map(([group, name]): Mistake => [at, `sets ${name}, which is not declared in the ${group}`])
  return [...missing, ...paginateMistakes(paginate).map((what): Mistake => [at, what])]
}

/** What is wrong with it, wherever it stands. */
export const paginateMistakes = (paginate: Paginate): string[] =>
  paginate.kind === 'cursor' && (paginate.next === undefined) === (paginate.last === undefined)
    ? ['needs next or last, and not both: where the cursor comes from']
    : []

/** A reference replaced by what it refers to; what is described beside it wins. */
const opened = (schema: JsonSchema, defs: ActionsFile['$defs']): JsonSchema => {
  if (schema.$ref === undefined) return schema
  const { $ref, ...own } = schema
  return { ...opened(defs[$ref.slice('#/$defs/'.length)] ?? {}, defs), ...own }
}

const toActions = (provider: string, file: ActionsFile): Action[] =>
  Object.entries(file.actions).map(([id, action]) => {
    const { aliases, title, description, resource, docs, method, path, headers, body, records } = action
    const { encoding, paginate } = action
    return {
      id,
      provider,
      aliases,
      title,
      description,
      resource,
      docs,
      method,
      path,
      records,
      headers: headers ?? {},
      parameters: action.parameters.map(parameter => ({
        name: parameter.name,
        in: parameter.in,
        required: parameter.in === 'path' || parameter.required === true,
        encoded: parameter.encoded === true,
        description: parameter.description,
        schema: whole(opened(parameter.schema, file.$defs), file.$defs),
      })),
      ...(body ? { body: whole(body, file.$defs) } : {}),
      ...(encoding === undefined ? {} : { encoding }),
      ...(paginate === undefined ? {} : { paginate }),
    }
  })

/** zod has the last word on what it can read. */
const unreadable = (action: Action): Mistake[] => {
  const refused = (schema: WholeSchema): string | undefined => {
    try {
      compile(schema)
    } catch (error) {
      return `cannot be enforced: ${error instanceof Error ? error.message : error}`
    }
    return undefined
  }
  const tried: [Path, WholeSchema][] = [
    ...action.parameters.map(({ schema }, at): [Path, WholeSchema] => [['parameters', at, 'schema'], schema]),
    ...(action.body ? [[['body'], action.body] as [Path, WholeSchema]] : []),
  ]
  return tried.flatMap(([path, schema]) => {
    const message = refused(schema)
    return message === undefined ? [] : [[['actions', action.id, ...path], message] as const]
  })
}

/** What of a file only the definition beside it can tell. */
const checkBeside = (file: string, text: string, { api, name }: Provider): Problem[] => {
  const yaml = openYaml(file, text)
  const read = 'problems' in yaml ? yaml : readAs(yaml, actionsSchema)
  if ('problems' in yaml || 'problems' in read) return []
  return Object.entries(read.data.actions)
    .flatMap(([id, { paginate }]): Mistake[] => {
      if (paginate === undefined || paginate === false || paginate.kind !== 'default') return []
      if (api.paginate) return checkPaginate(read.data, id, api.paginate)
      return [[['actions', id, 'paginate'], `is that of api.paginate, which the definition of ${name} does not have`]]
    })
    .map(([path, message]) => yaml.problem(path, message))
}

/**
 * Each of the files, for a check: how many there are, and what is wrong with them. `isDefined`: whether there is a
 * definition of that provider; `definition`: that, where it has no mistake.
 */
export const checkActionFiles = (
  files: readonly string[],
  isDefined: (provider: string) => boolean,
  definition: (provider: string) => Provider | undefined,
): { count: number; problems: Problem[] } => {
  const problems = files.flatMap(file => {
    const text = readFileSync(file, 'utf8')
    const read = readActions(file, text)
    const provider = basename(file, actionsEnding)
    const beside = definition(provider)
    const found = 'problems' in read ? read.problems : beside ? checkBeside(file, text, beside) : []
    return isDefined(provider)
      ? found
      : [
          ...found,
          { file, line: 1, key: '', message: `there is no definition ${provider}.yaml that it could belong to` },
        ]
  })
  return { count: files.length, problems }
}

/** Each provider's file read when it is first asked for; the last folder that has one wins. */
export const lazyActions = (
  folders: readonly string[],
  isDefined: (provider: string) => boolean,
): Pick<Catalogue, 'actions' | 'action'> => {
  const known = new Map<string, readonly Action[]>()
  const actions = (provider: string): readonly Action[] => {
    if (!isDefined(provider)) return []
    const loaded = known.get(provider) ?? load(folders, provider)
    known.set(provider, loaded)
    return loaded
  }
  return {
    actions,
    action: (provider, name) => actions(provider).find(each => each.id === name || each.aliases.includes(name)),
  }
}

const load = (folders: readonly string[], provider: string): readonly Action[] => {
  const name = `${provider}${actionsEnding}`
  const file = folders.map(folder => join(folder, name)).findLast(existsSync)
  if (file === undefined) return []
  const read = readActions(name, readFileSync(file, 'utf8'), false)
  if ('actions' in read) return read.actions
  const [first] = read.problems
  throw new MortiseError(
    'integration_misconfigured',
    `The actions of ${provider} cannot be used: ${first ? problemText(first) : name}. The operator must mend the file; npx mortise provider check names every mistake.`,
  )
}
