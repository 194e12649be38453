/** Real OpenAPI documents, as npm packages carry them, become actions; and each rule of that, on a document of its own. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { parse } from 'yaml'
import type { Action } from '../core/action.ts'
import { type ActionInput, actionRequest } from '../core/action-request.ts'
import { MortiseError, SetupError } from '../core/errors.ts'
import type { Provider } from '../core/provider.ts'
import { readActions } from './actions.ts'
import { type Imported, importOpenapi, openDocument } from './import-openapi.ts'

const real = (file: string) =>
  openDocument(file, readFileSync(new URL(`../../node_modules/${file}`, import.meta.url), 'utf8'))

/** The actions of the file that was made: it was held against the whole check already, compiled schemas too. */
const actionsOf = (imported: Imported): Map<string, Action> => {
  const read = readActions(`${imported.provider}.actions.yaml`, imported.text, false)
  assert.ok('actions' in read, JSON.stringify(read))
  assert.equal(read.actions.length, imported.actions)
  return new Map(read.actions.map(each => [each.id, each]))
}

const requestOf = (base: string, action: Action | undefined, input: ActionInput) => {
  assert.ok(action)
  const provider = { name: 'It', api: { base, hosts: [], header: 'Authorization' }, config: {} } as unknown as Provider
  const { method, url, headers, body } = actionRequest(
    { provider, integration: { clientId: '', settings: {}, sandbox: false }, config: {} },
    action,
    input,
  )
  return { method, url, type: headers['content-type'], body }
}

const refusal = (base: string, action: Action | undefined, input: ActionInput): string => {
  try {
    requestOf(base, action, input)
  } catch (error) {
    assert.ok(error instanceof MortiseError && error.code === 'invalid_request', String(error))
    return error.message
  }
  return assert.fail('it was accepted')
}

/** Operations of a document, counted without the code under test. */
const operations = (document: { readonly paths?: unknown }): number =>
  Object.values(document.paths as Record<string, Record<string, unknown>>).reduce(
    (sum, item) => sum + ['get', 'put', 'post', 'delete', 'patch', 'head', 'options'].filter(each => item[each]).length,
    0,
  )

suite('a real document', () => {
  test('of Swagger 2.0: Netlify', () => {
    const document = real('@netlify/open-api/dist/swagger.json')
    const imported = importOpenapi(document, { provider: 'netlify', baseOf: () => 'https://api.netlify.com' })
    assert.equal(imported.actions + imported.left.length, operations(document))
    // Bytes and parts of a form are no JSON.
    assert.deepEqual(
      imported.left.map(each => each.why),
      ['its body is multipart/form-data', ...Array.from({ length: 4 }, () => 'its body is application/octet-stream')],
    )
    for (const each of imported.left) assert.ok(imported.text.includes(`# - ${each.operation}: ${each.why}\n`))
    const actions = actionsOf(imported)
    const site = actions.get('updateSite')
    assert.deepEqual(site?.aliases, ['update-site'])
    assert.deepEqual(requestOf('https://api.netlify.com', site, { path: { site_id: 'a' }, body: { name: 'b' } }), {
      method: 'PATCH',
      url: 'https://api.netlify.com/api/v1/sites/a',
      type: 'application/json',
      body: '{"name":"b"}',
    })
    const list = actions.get('listSites')
    const input = { query: { filter: 'all', per_page: '5' } }
    assert.equal(
      requestOf('https://api.netlify.com', list, input).url,
      'https://api.netlify.com/api/v1/sites?filter=all&per_page=5',
    )
    assert.match(refusal('https://api.netlify.com', list, { query: { filter: 'x' } }), /query\.filter must be one of/)
  })

  test('of OpenAPI 3.1: Figma', () => {
    const document = real('@figma/rest-api-spec/openapi/openapi.yaml')
    const imported = importOpenapi(document, { provider: 'figma', baseOf: () => 'https://api.figma.com' })
    assert.deepEqual([imported.actions, imported.left], [operations(document), []])
    const comment = actionsOf(imported).get('postComment')
    assert.equal(comment?.docs, 'https://developers.figma.com/docs/rest-api/')
    const body = { message: 'hi', client_meta: { x: 1, y: 2 } }
    const sent = requestOf('https://api.figma.com', comment, { path: { file_key: 'k' }, body })
    assert.deepEqual([sent.url, sent.body], ['https://api.figma.com/v1/files/k/comments', JSON.stringify(body)])
    const at = { path: { file_key: 'k' } }
    assert.match(refusal('https://api.figma.com', comment, { ...at, body: {} }), /body\.message is missing/)
    const wrong = { message: 'hi', client_meta: { x: 'left' } }
    assert.match(refusal('https://api.figma.com', comment, { ...at, body: wrong }), /body\.client_meta/)
  })

  test('of OpenAPI 3.0, with allOf throughout: ShipEngine', () => {
    const document = real('shipengine-openapi/openapi.yaml')
    const imported = importOpenapi(document, { provider: 'shipengine', baseOf: () => 'https://api.shipengine.com' })
    assert.deepEqual([imported.actions, imported.left], [operations(document), []])
    const actions = actionsOf(imported)
    const warehouse = actions.get('create_warehouse')
    const address = {
      name: 'Ada',
      phone: '1',
      address_line1: 'Way 1',
      city_locality: 'Austin',
      state_province: 'TX',
      postal_code: '1',
      country_code: 'US',
      address_residential_indicator: 'no',
    }
    const body = { name: 'North', origin_address: address }
    const sent = requestOf('https://api.shipengine.com', warehouse, { body })
    assert.deepEqual([sent.url, sent.body], ['https://api.shipengine.com/v1/warehouses', JSON.stringify(body)])
    // What stands in another part of an allOf is asked for too; what only the answer has is not.
    const wrong = { name: 'North', origin_address: { ...address, country_code: 'USA' } }
    assert.match(
      refusal('https://api.shipengine.com', warehouse, { body: wrong }),
      /body\.origin_address\.country_code/,
    )
    assert.match(
      refusal('https://api.shipengine.com', warehouse, { body: {} }),
      /body\.(name|origin_address) is missing/,
    )
  })
})

const base = 'https://api.acme.example'
const acme = (paths: object, more: object = {}): Imported =>
  importOpenapi({ openapi: '3.0.3', info: { title: 'Acme CRM' }, servers: [{ url: base }], paths, ...more })

/** What a schema of a body becomes; with notes of what is looser. */
const bodyOf = (schema: unknown, schemas: object = {}, openapi = '3.0.3') => {
  const content = { 'application/json': { schema } }
  const post = { operationId: 'x', requestBody: { required: true, content }, responses: {} }
  const imported = acme({ '/x': { post } }, { openapi, components: { schemas } })
  actionsOf(imported)
  const file = parse(imported.text) as { $defs?: unknown; actions: { x?: { body: unknown } } }
  return { body: file.actions.x?.body, defs: file.$defs, looser: [...imported.looser.keys()] }
}

suite('a schema', () => {
  test('keeps what is enforced, and says what is not', () => {
    const string = { type: 'string' }
    for (const [schema, body, looser = []] of [
      [
        { type: 'string', nullable: true, enum: ['a'] },
        { type: ['string', 'null'], enum: ['a', null] },
      ],
      [
        { type: 'string', format: 'date', minLength: 2, example: 'x', default: 'y' },
        { type: 'string', minLength: 2, format: 'date' },
      ],
      [
        { type: 'integer', format: 'int64', minimum: 0, exclusiveMinimum: true },
        { type: 'integer', minimum: 0 },
        ['exclusive minimum is read as minimum'],
      ],
      [{ type: 'string', pattern: '(?<!' }, string, ['pattern that is no regular expression of ECMAScript']],
      [{ type: 'string', format: 'binary' }, string, ['format binary']],
      [{ type: 'number', multipleOf: 2 }, { type: 'number' }, ['multipleOf']],
      [{ minLength: 3 }, {}, ['minLength without type: string']],
      [{ properties: { a: string } }, { type: 'object', properties: { a: string } }],
      // Whose names it demands without a word of them, it demands still.
      [
        { type: 'object', required: ['a'] },
        { type: 'object', properties: { a: {} }, required: ['a'] },
      ],
      // What is only read is not asked of who writes.
      [
        { type: 'object', required: ['id', 'a'], properties: { id: { ...string, readOnly: true }, a: string } },
        { type: 'object', properties: { id: string, a: string }, required: ['a'] },
      ],
      [{ type: 'object', additionalProperties: {} }, { type: 'object' }],
      [{ oneOf: [string, { type: 'number' }] }, { anyOf: [string, { type: 'number' }] }, ['oneOf is read as anyOf']],
      [{ anyOf: [string] }, string],
      [{ anyOf: [string, {}] }, {}],
      [{ not: string }, {}, ['not']],
      [
        {
          allOf: [
            { type: 'object', properties: { a: string }, required: ['a'] },
            { properties: { b: string }, required: ['b'] },
          ],
        },
        { type: 'object', properties: { a: string, b: string }, required: ['a', 'b'] },
      ],
      [
        {
          allOf: [
            { type: 'object', additionalProperties: false, properties: { a: string } },
            { properties: { b: string } },
          ],
        },
        { type: 'object', properties: { a: string, b: string } },
        ['additionalProperties: false in one part of an allOf'],
      ],
      [
        { description: 'It is *it*. And more.', type: 'string' },
        { description: 'It is it.', type: 'string' },
      ],
      [{ $ref: 'other.yaml#/x' }, {}, ['the reference other.yaml#/x leads out of the document']],
    ] as [unknown, unknown, string[]?][]) {
      const made = bodyOf(schema)
      assert.deepEqual([made.body, made.looser], [body, looser], JSON.stringify(schema))
    }
    const tuple = bodyOf({ type: ['string', 'null'], exclusiveMaximum: 5, const: 'x' }, {}, '3.1.0')
    assert.deepEqual(tuple.body, { type: ['string', 'null'], const: 'x' })
  })

  test('refers to definitions, to itself too, and to none that nobody needs', () => {
    const tree = {
      type: 'object',
      properties: { parts: { type: 'array', items: { $ref: '#/components/schemas/A.Tree' } } },
    }
    const loop = {
      allOf: [
        { $ref: '#/components/schemas/Loop' },
        { type: 'object', properties: { a: { $ref: '#/components/schemas/Loop' } } },
      ],
    }
    const made = bodyOf(
      {
        type: 'object',
        properties: {
          t: { $ref: '#/components/schemas/A.Tree', nullable: true },
          l: { $ref: '#/components/schemas/Loop' },
        },
      },
      { 'A.Tree': tree, Loop: loop, Unused: { type: 'string' } },
    )
    assert.deepEqual(made.body, {
      type: 'object',
      properties: {
        t: { anyOf: [{ $ref: '#/$defs/A_Tree' }, { type: 'null' }] },
        l: { $ref: '#/$defs/Loop' },
      },
    })
    assert.deepEqual(Object.keys(made.defs as object), ['A_Tree', 'Loop'])
    assert.ok(
      made.looser.some(each => each.includes('leads back to itself')),
      made.looser.join(),
    )
    // What holds itself with more beside it is opened once.
    const more = { type: 'object', properties: { x: { type: 'string' } } }
    const child = { allOf: [{ $ref: '#/components/schemas/Node' }, more] }
    const { body, defs, looser } = bodyOf(child, { Node: { type: 'object', properties: { child } } })
    assert.deepEqual(body, { type: 'object', properties: { child: {}, x: { type: 'string' } } })
    assert.deepEqual([defs, looser.length], [undefined, 1])
  })
})

suite('an operation', () => {
  const parameter = (name: string, where: string, schema: object, more: object = {}) => ({
    name,
    in: where,
    schema,
    ...more,
  })
  const string = { type: 'string' }

  test('has its parameters where they stand, or is left with the reason', () => {
    const imported = acme({
      '/a/{the-id}/': {
        parameters: [parameter('the-id', 'path', string, { required: true })],
        get: {
          operationId: 'things/list_all',
          tags: ['Some Things'],
          summary: 'List all.',
          externalDocs: { url: 'https://docs.acme.example/list' },
          parameters: [
            parameter('$top', 'query', { type: 'integer', nullable: true }),
            parameter('tags', 'query', { type: 'array', items: string }),
            parameter('joined', 'query', { type: 'array', items: string }, { explode: false }),
            parameter('filter', 'query', { type: 'object', properties: { state: string } }, { style: 'deepObject' }),
            parameter('odd', 'query', { anyOf: [string, { type: 'number' }] }),
            parameter('X-Trace', 'header', string),
          ],
        },
      },
      '/b': {
        get: { operationId: 'b', parameters: [parameter('q', 'query', { type: 'object' }, { required: true })] },
        put: { operationId: 'c', servers: [{ url: 'https://other.example' }] },
        post: { requestBody: { content: { 'text/csv': {} } } },
        patch: {
          operationId: 'd',
          requestBody: { content: { 'application/merge-patch+json': { schema: { type: 'object' } } } },
        },
      },
      '/c?x=1': { get: { operationId: 'e' } },
      '/{who}': { get: { operationId: 'f' } },
    })
    assert.deepEqual(
      imported.left.map(each => `${each.operation}: ${each.why}`),
      [
        'GET /b (b): its query parameter q is an object, and it is required',
        'POST /b: its body is text/csv',
        'PUT /b (c): it is served elsewhere than the others',
        'GET /c?x=1 (e): its path has a query or a fragment',
        'GET /{who} (f): {who} of its path is not among its parameters',
      ],
    )
    const actions = actionsOf(imported)
    assert.deepEqual([...actions.keys()], ['things-list_all', 'd'])
    const list = actions.get('things-list_all')
    assert.deepEqual(
      [list?.aliases, list?.title, list?.resource, list?.docs, list?.path],
      [['things-list-all'], 'List all', 'some-things', 'https://docs.acme.example/list', '/a/{the_id}/'],
    )
    const input = {
      path: { the_id: 'x/y' },
      query: { $top: 3, tags: ['p', 'q'], joined: 'p,q', 'filter[state]': 'on', odd: 7 },
    }
    assert.equal(
      requestOf(base, list, input).url,
      `${base}/a/x%2Fy/?%24top=3&tags=p&tags=q&joined=p%2Cq&filter%5Bstate%5D=on&odd=7`,
    )
    assert.equal(requestOf(base, actions.get('d'), { body: {} }).type, 'application/merge-patch+json')
    assert.deepEqual([...imported.looser.keys()].sort(), [
      'the header X-Trace may be given in headers',
      'the parameter joined is any text',
      'the parameter odd is any text',
    ])
  })

  test('with a form is sent as one', () => {
    const schema = { type: 'object', properties: { a: { type: 'array', items: string }, b: { type: 'object' }, c: {} } }
    const of = (encoding: object) => ({
      requestBody: { required: true, content: { 'application/x-www-form-urlencoded': { schema, encoding } } },
    })
    const actions = actionsOf(
      acme({
        '/x': {
          post: { operationId: 'x', ...of({}) },
          put: { operationId: 'y', ...of({ b: { style: 'deepObject' } }) },
        },
      }),
    )
    const body = { a: ['1', '2'], b: { c: 'd e' }, c: null }
    assert.deepEqual(requestOf(base, actions.get('x'), { body }), {
      method: 'POST',
      url: `${base}/x`,
      type: 'application/x-www-form-urlencoded',
      body: 'a=1&a=2&b%5Bc%5D=d+e&c=',
    })
    assert.equal(requestOf(base, actions.get('y'), { body }).body, 'a%5B0%5D=1&a%5B1%5D=2&b%5Bc%5D=d+e&c=')
    const json = { headers: { 'content-type': 'application/json' } }
    assert.match(refusal(base, actions.get('x'), { body, ...json }), /must be application\/x-www-form-urlencoded/)
  })
})

test('where the API is served decides where paths begin, and never another host than the definition’s', () => {
  const document = { openapi: '3.1.0', info: { title: 'A' }, paths: { '/x': { get: { operationId: 'x' } } } }
  const pathOf = (server: string | undefined, apiBase: string | undefined) =>
    [...actionsOf(importOpenapi(document, { server, baseOf: () => apiBase })).values()][0]?.path
  assert.equal(pathOf('https://api.a.example/v2/', 'https://api.a.example'), '/v2/x')
  assert.equal(pathOf('https://api.a.example/v2', 'https://api.a.example/v2/'), '/x')
  assert.equal(pathOf('https://eu.a.example/v2', '${config.instance_url}'), '/v2/x')
  assert.equal(pathOf('https://api.a.example/v2', undefined), '/x')
  const wrong: [() => unknown, RegExp][] = [
    [
      () => pathOf('https://evil.example/v2', 'https://api.a.example'),
      /not below api\.base of the definition, https:\/\/api\.a/,
    ],
    [() => pathOf('https://api.a.example/v22', 'https://api.a.example/v2'), /not below api\.base/],
    [() => pathOf(undefined, undefined), /does not say by an absolute URL where its API is served\. Give --server URL/],
    [() => importOpenapi({ ...document, servers: [{ url: '/v1' }] }), /\(\/v1\)\. Give --server URL/],
    [() => importOpenapi({ ...document, paths: {} }, { server: base }), /has no operation/],
    [() => importOpenapi(document, { server: base, only: ['y'] }), /has no operation "y"/],
    [() => openDocument('x', 'a: ['), /x is neither JSON nor YAML/],
    [() => openDocument('x', '{"openapi":"4.0"}'), /x is no OpenAPI document/],
  ]
  for (const [make, says] of wrong)
    assert.throws(make, (error: unknown) => error instanceof SetupError && says.test(error.message), String(says))
  assert.equal(openDocument('x', '\uFEFF{"swagger":"2.0"}')['swagger'], '2.0')
})
