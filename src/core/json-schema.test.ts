import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Json } from './credential.ts'
import {
  compile,
  faultOf,
  type JsonSchema,
  jsonSchema,
  schemaMistakes,
  type WholeSchema,
  whole,
} from './json-schema.ts'

const told = (schema: WholeSchema, value: Json): string | undefined => {
  const fault = faultOf(schema, value)
  return fault && `${fault.path.map(String).join('.')} ${fault.what}`.trim()
}

const page: WholeSchema = {
  type: 'object',
  required: ['parent'],
  additionalProperties: false,
  properties: {
    parent: {
      description: 'Where it goes',
      anyOf: [
        { title: 'page_id', type: 'object', required: ['page_id'], properties: { page_id: { $ref: '#/$defs/id' } } },
        {
          title: 'workspace',
          type: 'object',
          required: ['workspace'],
          properties: { workspace: { const: true } },
        },
      ],
    },
    size: { type: 'integer', minimum: 1, maximum: 100 },
    colour: { enum: ['red', 'blue'] },
    words: { type: 'array', minItems: 1, maxItems: 2, items: { type: 'string', minLength: 1, maxLength: 3 } },
    when: { type: ['string', 'null'], format: 'date' },
    extra: { type: 'object', minProperties: 1, additionalProperties: { type: 'number' } },
    children: { type: 'array', items: { $ref: '#/$defs/block' } },
  },
  $defs: {
    id: { description: 'An id', type: 'string', pattern: '^[a-f]+$' },
    block: {
      type: 'object',
      required: ['text'],
      properties: {
        text: { type: 'string' },
        children: { description: 'Blocks within', type: 'array', items: { $ref: '#/$defs/block' } },
      },
    },
  },
}
const parent = { page_id: 'abc' }

suite('a value held against a schema', () => {
  for (const [what, value, fault] of [
    [
      'all is well',
      { parent, size: 100, colour: 'red', words: ['a', 'abc'], when: '2026-02-28', extra: { a: 1 } },
      undefined,
    ],
    ['null where it may be', { parent, when: null }, undefined],
    ['deep', { parent, children: [{ text: 'a', children: [{ text: 'b' }] }] }, undefined],
    ['of another type', 'x', 'must be an object, not a text'],
    ['a list for an object', [], 'must be an object, not a list'],
    ['a field is missing', {}, 'parent is missing: Where it goes'],
    ['a field that nobody knows', { parent, colur: 'red' }, 'colur is not a known field (did you mean colour?)'],
    ['none of the forms', { parent: {} }, 'parent fits none of the forms it may have: page_id; workspace'],
    ['of a form, a wrong value', { parent: { page_id: 'xyz' } }, 'parent.page_id does not have the right form: An id'],
    ['of a form, a wrong type', { parent: { page_id: 1 } }, 'parent.page_id must be a text, not a number'],
    ['of a form, a wrong constant', { parent: { workspace: false } }, 'parent.workspace must be true'],
    ['too small', { parent, size: 0 }, 'size must be at least 1'],
    ['too big', { parent, size: 101 }, 'size must be at most 100'],
    ['no integer', { parent, size: 1.5 }, 'size must be an integer, not a number'],
    ['a number as text', { parent, size: '5' }, 'size must be an integer, not a text'],
    ['none of the values', { parent, colour: 'green' }, 'colour must be one of "red", "blue"'],
    ['an empty list', { parent, words: [] }, 'words may not be empty'],
    ['a long list', { parent, words: ['a', 'b', 'c'] }, 'words must have at most 2 elements'],
    ['a long text', { parent, words: ['a', 'abcd'] }, 'words.1 must have at most 3 characters'],
    ['an empty text', { parent, words: [''] }, 'words.0 may not be empty'],
    ['a date that is none', { parent, when: '2026-02-30' }, 'when does not have the right form (date)'],
    ['an empty object', { parent, extra: {} }, 'extra may not be empty'],
    ['a wrong value under any name', { parent, extra: { a: 'x' } }, 'extra.a must be a number, not a text'],
    [
      'deep within itself',
      { parent, children: [{ text: 'a', children: [{ text: 'b' }, {}] }] },
      'children.0.children.1.text is missing',
    ],
    [
      'deep within itself, with its meaning',
      { parent, children: [{ text: 'a', children: 'b' }] },
      'children.0.children must be a list, not a text',
    ],
  ] as [string, Json, string | undefined][])
    test(what, () => assert.equal(told(page, value), fault))

  test('a form is recognised by what it has, not by what it lacks', () => {
    const rich: WholeSchema = {
      type: 'array',
      items: {
        anyOf: ['text', 'mention', 'equation'].map(title => ({
          title,
          type: 'object' as const,
          required: [title],
          properties: {
            [title]: {
              type: 'object' as const,
              required: ['content'],
              properties: { content: { type: 'string' as const } },
            },
          },
        })),
      },
    }
    assert.equal(told(rich, [{ text: {} }]), '0.text.content is missing')
    assert.equal(told(rich, [{ mention: { content: 1 } }]), '0.mention.content must be a text, not a number')
    assert.equal(told(rich, [{}]), '0 fits none of the forms it may have: text; mention; equation')
  })

  test('exactly one form, where it says so', () => {
    const either: WholeSchema = {
      oneOf: [
        { title: 'a', type: 'object', required: ['a'], properties: { a: { type: 'string' } } },
        { title: 'b', type: 'object', required: ['b'], properties: { b: { type: 'string' } } },
      ],
    }
    assert.equal(told(either, { a: '' }), undefined)
    assert.equal(told(either, { a: '', b: '' }), 'fits more than one of the forms it may have: a; b')
  })

  test('formats', () => {
    for (const [format, good, bad] of [
      ['uri', 'https://a.example/b', 'nowhere'],
      ['email', 'ada@acme.example', 'ada'],
      ['date', '2026-11-21', '21.11.2026'],
      ['date-time', '2026-11-21T10:00:00Z', '2026-11-21'],
      ['uuid', '6f1f2a54-51b6-4f0b-9d1c-8a9b2f1d7e11', '6f1f2a54'],
    ] as const) {
      const schema: WholeSchema = { type: 'string', format }
      assert.equal(told(schema, good), undefined, format)
      assert.equal(told(schema, bad), `does not have the right form (${format})`)
    }
  })

  test('one that is nested without end is refused, not fatal', () => {
    let deep: Json = { text: 'x' }
    for (let level = 0; level < 50_000; level++) deep = { text: 'x', children: [deep] }
    assert.equal(told(page, { parent, children: [deep] }), 'is nested too deeply')
  })

  test('a schema is compiled once', () => {
    assert.equal(compile(page), compile(page))
  })
})

suite('a schema that would not be enforced', () => {
  const mistakes = (schema: JsonSchema, defs: Record<string, JsonSchema> = {}): string[] =>
    schemaMistakes(schema, defs).map(([path, message]) => `${path.join('.')}: ${message}`)

  for (const [what, schema, expected] of [
    [
      'required without the property',
      { type: 'object', properties: {}, required: ['a'] },
      'required: names a, which is not in properties, and so would not be required',
    ],
    [
      'properties without a type',
      { properties: { a: { type: 'string' } } },
      'properties: is only looked at with type: object',
    ],
    ['a pattern without a type', { pattern: '^a' }, 'pattern: is only looked at with type: string'],
    [
      'bounds of another type',
      { type: 'string', minimum: 1 },
      'minimum: is only looked at with type: number or integer',
    ],
    [
      'a closed object beside forms',
      { type: 'object', additionalProperties: false, anyOf: [{}, {}] },
      'additionalProperties: is not enforced beside anyOf and oneOf: put it into each of the forms',
    ],
    ['a broken pattern', { type: 'string', pattern: '(' }, 'pattern: is no regular expression'],
    ['a reference to nothing', { $ref: '#/$defs/pag' }, '$ref: there is no pag in $defs (did you mean page?)'],
    [
      'something beside a reference',
      { $ref: '#/$defs/page', type: 'string' },
      '$ref: hides what stands beside it: type',
    ],
    [
      'deep inside',
      { type: 'array', items: { anyOf: [{ type: 'object', properties: { a: { minLength: 1 } } }, {}] } },
      'items.anyOf.0.properties.a.minLength: is only looked at with type: string',
    ],
  ] as [string, JsonSchema, string][])
    test(what, () => assert.deepEqual(mistakes(schema, { page: {} }), [expected]))

  // Why each of them is refused: zod passes over it in silence, where JSON Schema would not.
  test('is one that zod would let through', () => {
    const passed = (schema: object, value: Json) => compile(schema as WholeSchema).safeParse(value).success
    assert.ok(passed({ type: 'object', properties: {}, required: ['a'] }, {}))
    assert.ok(passed({ properties: { a: { type: 'string' } } }, { a: 1 }))
    assert.ok(passed({ pattern: '^a' }, 'b'))
    const form = { type: 'object', properties: { a: {} } }
    assert.ok(passed({ type: 'object', properties: {}, additionalProperties: false, anyOf: [form, form] }, { b: 1 }))
  })

  test('keywords outside of the part that is read are no keys', () => {
    for (const key of ['not', 'if', 'allOf', 'default', 'propertyNames', 'requird'])
      assert.equal(jsonSchema.safeParse({ [key]: {} }).success, false, key)
  })
})

test('a schema is made complete with what it refers to, and no more', () => {
  const defs: Record<string, JsonSchema> = {
    a: { type: 'array', items: { $ref: '#/$defs/b' } },
    b: { type: 'object', properties: { a: { $ref: '#/$defs/a' } } },
    c: {},
  }
  assert.deepEqual(Object.keys(whole({ $ref: '#/$defs/a' }, defs).$defs ?? {}), ['a', 'b'])
  const plain: JsonSchema = { type: 'string' }
  assert.equal(whole(plain, defs), plain)
})
