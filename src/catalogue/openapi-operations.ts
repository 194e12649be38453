/** What an OpenAPI document says of its operations, in one shape for its versions 2.0, 3.0 and 3.1. */
import { isRaw, pointed, type Raw } from './openapi-schema.ts'

export interface OpenapiParameter {
  readonly name: string
  readonly in: string
  readonly required: boolean
  readonly description: unknown
  readonly schema: unknown
  /** A list as the name again and again; an object as name[key]; or else, which the hub cannot write. */
  readonly style: 'again' | 'deep' | 'joined' | 'other'
}

export interface OpenapiOperation {
  readonly method: string
  readonly path: string
  readonly id: string | undefined
  readonly told: Raw
  readonly parameters: readonly OpenapiParameter[]
  /** By media type. */
  readonly bodies: ReadonlyMap<string, { readonly schema: unknown; readonly deep: boolean }>
  readonly bodyRequired: boolean
  /** Whether it is served elsewhere than the others. */
  readonly elsewhere: boolean
}

const methods = ['get', 'post', 'put', 'patch', 'delete', 'head', 'options', 'trace']
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

const opened = (document: Raw, value: unknown): Raw => {
  let at = value
  for (let steps = 0; isRaw(at) && typeof at['$ref'] === 'string' && steps < 20; steps++)
    at = pointed(document, at['$ref'])
  return isRaw(at) ? at : {}
}

/** `openapi: 3.x`, or `swagger: 2.0`; undefined for what is neither. */
export const versionOf = (document: Raw): '2' | '3' | undefined =>
  text(document['openapi']).startsWith('3.') ? '3' : String(document['swagger']) === '2.0' ? '2' : undefined

/** Where it is served, as far as it says. */
export const serversOf = (document: Raw): string[] => {
  if (versionOf(document) === '3')
    return list(document['servers']).flatMap(each => {
      if (!isRaw(each) || typeof each['url'] !== 'string') return []
      const variables = isRaw(each['variables']) ? each['variables'] : {}
      return each['url'].replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
        const variable = variables[name]
        return isRaw(variable) && typeof variable['default'] === 'string' ? variable['default'] : whole
      })
    })
  const host = text(document['host'])
  const schemes = list(document['schemes']).map(String)
  const scheme = schemes.length === 0 || schemes.includes('https') ? 'https' : schemes[0]
  return host === '' ? [] : [`${scheme}://${host}${text(document['basePath'])}`]
}

export const operationsOf = (document: Raw): OpenapiOperation[] => {
  const paths = isRaw(document['paths']) ? document['paths'] : {}
  return Object.entries(paths).flatMap(([path, value]) => {
    const item = opened(document, value)
    return methods
      .filter(method => isRaw(item[method]))
      .map(method => toOperation(document, path, method, item, opened(document, item[method])))
  })
}

const toOperation = (document: Raw, path: string, method: string, item: Raw, told: Raw): OpenapiOperation => {
  const own = list(told['parameters']).map(each => opened(document, each))
  const same = (one: Raw, other: Raw) => one['name'] === other['name'] && one['in'] === other['in']
  const given = [
    ...list(item['parameters'])
      .map(each => opened(document, each))
      .filter(each => !own.some(other => same(each, other))),
    ...own,
  ]
  const isBody = (each: Raw) => each['in'] === 'body' || each['in'] === 'formData'
  const version = versionOf(document)
  const id = text(told['operationId'])
  return {
    method: method.toUpperCase(),
    path,
    id: id === '' ? undefined : id,
    told,
    parameters: given.filter(each => !isBody(each)).map(version === '2' ? toParameter2 : toParameter3),
    ...(version === '2' ? bodies2(document, told, given.filter(isBody)) : bodies3(document, told)),
    elsewhere: list(told['servers']).length > 0 || list(item['servers']).length > 0,
  }
}

const toParameter3 = (raw: Raw): OpenapiParameter => {
  const where = text(raw['in'])
  const style = text(raw['style']) || (where === 'query' ? 'form' : 'simple')
  const explode = typeof raw['explode'] === 'boolean' ? raw['explode'] : style === 'form'
  const content = isRaw(raw['content'])
  return {
    name: text(raw['name']),
    in: where,
    required: raw['required'] === true || where === 'path',
    description: raw['description'],
    schema: content ? {} : raw['schema'],
    style: content
      ? 'other'
      : style === 'deepObject'
        ? 'deep'
        : style === 'form' && explode
          ? 'again'
          : style === 'form' || style === 'simple'
            ? 'joined'
            : 'other',
  }
}

/** Its schema stands beside its name. */
const toParameter2 = (raw: Raw): OpenapiParameter => {
  const { name, in: where, required, description, collectionFormat, ...schema } = raw
  const format = text(collectionFormat) || 'csv'
  return {
    name: text(name),
    in: text(where),
    required: required === true || where === 'path',
    description,
    schema,
    style: format === 'multi' ? 'again' : format === 'csv' ? 'joined' : 'other',
  }
}

type Bodies = Pick<OpenapiOperation, 'bodies' | 'bodyRequired'>

const bodies3 = (document: Raw, told: Raw): Bodies => {
  const body = opened(document, told['requestBody'])
  const content = isRaw(body['content']) ? body['content'] : {}
  const deep = (media: Raw) =>
    isRaw(media['encoding']) &&
    Object.values(media['encoding']).some(each => isRaw(each) && each['style'] === 'deepObject')
  return {
    bodies: new Map(
      Object.entries(content).map(([type, media]) => [
        type,
        { schema: isRaw(media) ? media['schema'] : undefined, deep: isRaw(media) && deep(media) },
      ]),
    ),
    bodyRequired: body['required'] === true,
  }
}

const bodies2 = (document: Raw, told: Raw, given: readonly Raw[]): Bodies => {
  const consumes = list(told['consumes'] ?? document['consumes']).map(String)
  const [body] = given.filter(each => each['in'] === 'body')
  if (body)
    return {
      bodies: new Map(
        (consumes.length > 0 ? consumes : ['application/json']).map(type => [
          type,
          { schema: body['schema'], deep: false },
        ]),
      ),
      bodyRequired: body['required'] === true,
    }
  if (given.length === 0) return { bodies: new Map(), bodyRequired: false }
  const file = given.some(each => each['type'] === 'file')
  const type = file ? 'multipart/form-data' : (consumes[0] ?? 'application/x-www-form-urlencoded')
  const schema = {
    type: 'object',
    properties: Object.fromEntries(
      given.map(({ name, in: _, required: __, collectionFormat: ___, ...each }) => [text(name), each]),
    ),
    required: given.filter(each => each['required'] === true).map(each => text(each['name'])),
  }
  return { bodies: new Map([[type, { schema, deep: false }]]), bodyRequired: schema.required.length > 0 }
}
