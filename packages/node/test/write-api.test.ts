/** The types that are made of the document: each kind of schema as TypeScript has it, and a stop at what is not known. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { typesOf } from '../bin/write-api.ts'
import { version } from '../src/version.ts'

const typed = (schema: object): string =>
  typesOf({ paths: {}, components: { schemas: { Shape: schema } } }).match(/export type Shape = ([\s\S]*?)\n\n/)?.[1] ??
  ''

test('schemas become types', () => {
  const cases: [schema: object, type: string][] = [
    [{ type: 'string', format: 'date-time', minLength: 1 }, 'string'],
    [{ type: 'integer', minimum: 1 }, 'number'],
    [{ type: ['string', 'null'] }, 'string | null'],
    [{ enum: ["it's", 'b', 3] }, "'it\\'s' | 'b' | 3"],
    [{ const: true }, 'true'],
    [{ $ref: '#/components/schemas/Other' }, 'Other'],
    [{ $ref: '#/components/schemas/Error' }, 'ErrorAnswer'],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }, { type: 'string' }] }, 'string | null'],
    [{ type: 'array', items: { type: ['string', 'number'] } }, 'readonly (string | number)[]'],
    [{ type: 'object', additionalProperties: { type: 'string' } }, 'Readonly<Record<string, string>>'],
    [{ type: 'object', additionalProperties: {} }, 'Readonly<Record<string, unknown>>'],
    [{}, 'unknown'],
    [
      {
        type: 'object',
        properties: { a: { type: 'string' }, 'b-c': {} },
        required: ['a'],
        additionalProperties: false,
      },
      "{\n  readonly a: string\n  readonly 'b-c'?: unknown\n}",
    ],
  ]
  for (const [schema, type] of cases) assert.equal(typed(schema), type)
})

test('a keyword or a type that is not known stops it: no type may silently say less', () => {
  assert.throws(() => typed({ allOf: [] }), /says "allOf" of a schema: teach write-api\.ts/)
  assert.throws(() => typed({ type: 'date' }), /names a type "date"/)
})

test('a route has what it takes and what it answers; what is passed on is left out', () => {
  const json = (schema: object) => ({ content: { 'application/json': { schema } } })
  const text = typesOf({
    components: { schemas: {} },
    paths: {
      '/things/{id}': {
        patch: {
          summary: 'Change */ a thing',
          parameters: [
            { name: 'id', in: 'path', required: true, schema: { type: 'string' } },
            { name: 'deep', in: 'query', required: false, schema: { type: 'boolean' } },
          ],
          requestBody: { required: false, ...json({ type: 'string' }) },
          responses: { 400: json({ type: 'null' }), 200: json({ type: 'number' }) },
        },
        get: { summary: 'Passed on', responses: { '2XX': { content: { '*/*': { schema: {} } } } } },
      },
    },
  })
  const [, routes] = text.split('export interface Routes ')
  assert.equal(
    routes,
    `{
  /** Change * / a thing */
  readonly 'PATCH /things/{id}': {
    readonly params: {
      readonly id: string
    }
    readonly query?: {
      readonly deep?: boolean | undefined
    } | undefined
    readonly body?: string | undefined
    readonly answer: number
  }
}
`,
  )
})

test('the SDK says the version that its package has', () => {
  const { version: said } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  assert.equal(version, said)
})
