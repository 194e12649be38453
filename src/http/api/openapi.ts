/** The OpenAPI 3.1 document of our own API, made of the table of its routes. https://spec.openapis.org/oas/v3.1.1 */
import * as z from 'zod'
import { type ErrorCode, errorTable } from '../../core/errors.ts'
import { statusOf } from '../status.ts'
import { type Route, tags } from './route.ts'
import * as shapes from './shapes.ts'

type Json = { readonly [key: string]: unknown }

export interface Document extends Json {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: Json & { readonly schemas: Readonly<Record<string, Json>> }
}

interface Parameter extends Json {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: Json
}

interface Operation extends Json {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description: string
  readonly parameters?: readonly Parameter[]
  readonly responses: Readonly<Record<string, Json>>
}

/** What every route may answer with. */
export const always: readonly ErrorCode[] = ['invalid_request', 'unauthenticated', 'forbidden', 'internal']

/** `errorShape` → `Error`. */
const nameOf = (key: string): string => {
  const bare = key.replace(/Shape$/, '')
  return bare.slice(0, 1).toUpperCase() + bare.slice(1)
}

/** How shapes become schemas: a time needs no pattern beside its format. */
const options: Parameters<typeof z.toJSONSchema>[1] = {
  io: 'input',
  override({ jsonSchema }) {
    if (jsonSchema.format === 'date-time') delete jsonSchema.pattern
  },
}

/** The schema of a shape, without what says that it is one. */
const schemaOf = (schema: z.ZodType): Json => {
  const { $schema, $id, ...rest } = z.toJSONSchema(schema, options)
  return rest
}

const components = (): { names: Map<z.ZodType, string>; schemas: Record<string, Json> } => {
  const registry = z.registry<{ id: string }>()
  const names = new Map<z.ZodType, string>()
  for (const [key, shape] of Object.entries(shapes)) {
    if (!(shape instanceof z.ZodType)) continue
    names.set(shape, nameOf(key))
    registry.add(shape, { id: nameOf(key) })
  }
  const made = z.toJSONSchema(registry, { ...options, uri: id => `#/components/schemas/${id}` }).schemas
  const schemas = Object.fromEntries(
    Object.entries(made).map(([name, { $schema, $id, ...rest }]) => [name, rest as Json]),
  )
  return { names, schemas }
}

let made: Document | undefined

export const openapi = (routes: readonly Route[]): Document => {
  made ??= make(routes)
  return made
}

const make = (routes: readonly Route[]): Document => {
  const { names, schemas } = components()
  const ref = (shape: z.ZodType): Json => {
    const name = names.get(shape)
    if (name === undefined) throw new Error('A route takes or answers a shape that shapes.ts does not export.')
    return { $ref: `#/components/schemas/${name}` }
  }
  const json = (shape: z.ZodType): Json => ({ content: { 'application/json': { schema: ref(shape) } } })
  const requestId = {
    'x-request-id': { description: 'Names this request in the log of the hub', schema: { type: 'string' } },
  }

  const answerFrom = {
    'mortise-answer-from': {
      description: "`provider`: status and body are the provider's, an error too. `hub`: the error is ours",
      schema: { type: 'string', enum: ['provider', 'hub'] },
    },
  }
  const anything = { content: { '*/*': { schema: {} } } }

  const operation = (route: Route): Operation => {
    const codes = [...always, ...(route.fails ?? [])]
    const byStatus = Map.groupBy(codes, code => statusOf[code])
    const parameters = [
      ...parametersOf(route.params, 'path'),
      ...parametersOf(route.query, 'query'),
      ...parametersOf(route.passes?.headers, 'header'),
    ]
    return {
      operationId: route.id,
      tags: [route.tag],
      summary: route.summary,
      description: `${route.about === undefined ? '' : `${route.about} `}Needs a key with the scope \`${route.scope}\`.`,
      'x-scope': route.scope,
      'x-errors': [...(route.fails ?? [])],
      ...(parameters.length > 0 ? { parameters } : {}),
      ...(route.body ? { requestBody: { required: route.method !== 'PATCH', ...json(route.body) } } : {}),
      ...(route.passes && route.method !== 'GET' ? { requestBody: { required: false, ...anything } } : {}),
      responses: {
        ...(route.passes
          ? {
              '2XX': {
                description: "The provider's own answer",
                headers: { ...requestId, ...answerFrom },
                ...anything,
              },
            }
          : {
              [route.status]: {
                description: route.answer ? 'Done' : 'Done; the answer is empty',
                headers: requestId,
                ...(route.answer ? json(route.answer) : {}),
              },
            }),
        ...Object.fromEntries(
          [...byStatus]
            .toSorted(([a], [b]) => a - b)
            .map(([status, each]) => [
              status,
              {
                description: each.map(code => `\`${code}\`: ${errorTable[code].sentence}`).join(' '),
                headers: requestId,
                ...json(shapes.errorShape),
              },
            ]),
        ),
      },
    }
  }

  const paths: Record<string, Record<string, Operation>> = {}
  for (const route of routes) {
    paths[route.path] ??= {}
    Object.assign(paths[route.path] ?? {}, { [route.method.toLowerCase()]: operation(route) })
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Mortise',
      version: '1',
      description:
        'The own API of a Mortise hub. Bodies are JSON; every field of an answer is always there, null where there is nothing. Lists are answered a page at a time: send `next` of one page as `cursor` of the following. An unknown parameter or field is an error. Every answer carries `x-request-id`.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ key: [] }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description:
            'A secret key, as `npx mortise key create` prints it. A hub on localhost that has no key yet needs none.',
        },
      },
      schemas,
    },
  }
}

const parametersOf = (shape: z.ZodObject | undefined, where: Parameter['in']): Parameter[] =>
  Object.entries(shape?.shape ?? {}).map(([name, schema]) => {
    const { description, ...rest } = schemaOf(schema)
    return {
      name,
      in: where,
      required: !schema.isOptional(),
      ...(typeof description === 'string' ? { description } : {}),
      schema: rest,
    }
  })
