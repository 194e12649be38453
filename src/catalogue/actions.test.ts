import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { MortiseError } from '../core/errors.ts'
import { readActions } from './actions.ts'
import { checkActions, loadCatalogue, ownFolder, readFolders } from './catalogue.ts'
import { problemText } from './yaml-file.ts'

const good = `$defs:
  id: { type: string, minLength: 1 }
  part:
    type: object
    properties:
      parts: { type: array, items: { $ref: '#/$defs/part' } }
actions:
  get-thing:
    aliases: [read-thing]
    title: Get a thing
    description: Shows a thing.
    resource: things
    docs: https://docs.acme.example/things
    method: GET
    path: /v1/things/{thing}
    parameters:
      - { name: thing, in: path, description: Its id, schema: { $ref: '#/$defs/id', description: An id } }
      - { name: tags, in: query, description: Tags, schema: { type: array, items: { $ref: '#/$defs/id' } } }
  add-thing:
    title: Add a thing
    description: Adds a thing.
    resource: things
    docs: https://docs.acme.example/things#add
    method: POST
    path: /v1/things
    body: { type: object, properties: { part: { $ref: '#/$defs/part' } } }
    headers: { X-Acme: '1' }
`

/** The file with one piece of its text changed; every piece must be there. */
const changed = (...pieces: readonly [from: string, to: string][]): string =>
  pieces.reduce((text, [from, to]) => {
    assert.ok(text.includes(from), from)
    return text.replace(from, to)
  }, good)

const problemsOf = (text: string, file = 'dir/acme.actions.yaml'): string[] => {
  const read = readActions(file, text)
  return 'problems' in read ? read.problems.map(problemText) : []
}

const folderOf = (t: TestContext, files: Record<string, string>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'mortise-actions-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const acme = `name: Acme
docs: [https://docs.acme.example/oauth]
auth: oauth2
api: { base: https://api.acme.example }
authorize: { url: https://acme.example/authorize }
token: { url: https://acme.example/token, client: body }
`

suite('an actions file', () => {
  test('becomes actions that are complete in themselves, in its order', () => {
    const read = readActions('dir/acme.actions.yaml', good)
    assert.ok('actions' in read)
    const [get, add, ...more] = read.actions
    assert.deepEqual(more, [])
    assert.deepEqual(get, {
      id: 'get-thing',
      provider: 'acme',
      aliases: ['read-thing'],
      title: 'Get a thing',
      description: 'Shows a thing.',
      resource: 'things',
      docs: 'https://docs.acme.example/things',
      method: 'GET',
      path: '/v1/things/{thing}',
      records: [],
      headers: {},
      parameters: [
        {
          name: 'thing',
          in: 'path',
          required: true,
          encoded: false,
          description: 'Its id',
          schema: { type: 'string', minLength: 1, description: 'An id' },
        },
        {
          name: 'tags',
          in: 'query',
          required: false,
          encoded: false,
          description: 'Tags',
          schema: { type: 'array', items: { $ref: '#/$defs/id' }, $defs: { id: { type: 'string', minLength: 1 } } },
        },
      ],
    })
    assert.deepEqual(Object.keys(add?.body?.$defs ?? {}), ['part'])
    assert.deepEqual(add?.headers, { 'X-Acme': '1' })
  })

  for (const [what, text, problems] of [
    [
      'an unknown key',
      changed(['    method: GET', '    metod: GET\n    method: GET']),
      [':14: actions.get-thing.metod: is not a key of the schema'],
    ],
    [
      'a key that is missing',
      changed(['    docs: https://docs.acme.example/things\n', '']),
      [':8: actions.get-thing.docs: Invalid input: expected string, received undefined'],
    ],
    [
      'documentation that is not on https',
      changed(['https://docs.acme.example/things\n', 'http://docs.acme.example/things\n']),
      [':13: actions.get-thing.docs: an https URL'],
    ],
    [
      'an id of other characters',
      changed(['  get-thing:', '  get thing:']),
      [':8: actions.get thing: Invalid key in record'],
    ],
    ['an id twice', changed(['  add-thing:', '  get-thing:']), [':19: Map keys must be unique']],
    [
      'an alias that is an id',
      changed(['[read-thing]', '[read-thing, add-thing]']),
      [':9: actions.get-thing.aliases.1: add-thing is a name of add-thing already'],
    ],
    [
      'records that do not fit their action',
      changed([
        "    headers: { X-Acme: '1' }\n",
        "    headers: { X-Acme: '1' }\n    records:\n      - { entity: things, as: list }\n      - { entity: things, as: update, id: thing }\n      - { entity: things, as: list, items: all }\n",
      ]),
      [
        ':29: actions.add-thing.records.0: items belongs to list, and to nothing else',
        ':30: actions.add-thing.records.1.id: thing is not in the path',
        ':31: actions.add-thing.records.2: list things is what add-thing does already',
      ],
    ],
    [
      'an alias twice',
      changed(['    title: Add', '    aliases: [read-thing]\n    title: Add']),
      [':20: actions.add-thing.aliases.0: read-thing is a name of get-thing already'],
    ],
    [
      'a path parameter that is not declared',
      changed(['path: /v1/things/{thing}', 'path: /v1/things/{thing}/{part}']),
      [':15: actions.get-thing.path: has {part}, which is not among the parameters in: path'],
    ],
    [
      'a path parameter that is not used',
      changed(['path: /v1/things/{thing}', 'path: /v1/things']),
      [':17: actions.get-thing.parameters.0: thing is not in the path'],
    ],
    [
      'a path parameter used twice',
      changed(['path: /v1/things/{thing}', 'path: /v1/{thing}/{thing}']),
      [':15: actions.get-thing.path: has {thing} twice'],
    ],
    [
      'a path parameter that is not required',
      changed(['in: path,', 'in: path, required: false,']),
      [':17: actions.get-thing.parameters.0.required: a path parameter is always required'],
    ],
    [
      'a parameter twice',
      changed(['name: tags, in: query', 'name: thing, in: path']),
      [
        ':18: actions.get-thing.parameters.1: thing stands there twice',
        ':18: actions.get-thing.parameters.1.schema: must have a type: string, number, integer, boolean',
      ],
    ],
    [
      'a path with dots',
      changed(['path: /v1/things\n', 'path: /v1/../things\n']),
      [':25: actions.add-thing.path: has a part that is made of dots'],
    ],
    [
      'a path that does not begin with a slash',
      changed(['path: /v1/things\n', 'path: v1/things\n']),
      [':25: actions.add-thing.path: a path that begins with /, of plain characters and {name}'],
    ],
    [
      'a path with a query',
      changed(['path: /v1/things\n', 'path: /v1/things?a=b\n']),
      [':25: actions.add-thing.path: a path that begins with /, of plain characters and {name}'],
    ],
    [
      'a method that is none',
      changed(['method: GET', 'method: TRACE']),
      [':14: actions.get-thing.method: Invalid option: expected one of "GET"|"POST"|"PUT"|"PATCH"|"DELETE"'],
    ],
    [
      'a body in a GET',
      changed(['method: POST', 'method: GET']),
      [':26: actions.add-thing.body: stands in a GET, which has no body'],
    ],
    [
      'a header that the hub sets',
      changed(["X-Acme: '1'", 'Authorization: x']),
      [':27: actions.add-thing.headers.Authorization: is a header that the hub sets itself'],
    ],
    [
      'an object in a query',
      changed(["schema: { type: array, items: { $ref: '#/$defs/id' } }", 'schema: { type: object }']),
      [
        ':18: actions.get-thing.parameters.1.schema: must have a type: string, number, integer, boolean, or array with items of these',
      ],
    ],
    [
      'a list in a path',
      changed([
        "schema: { $ref: '#/$defs/id', description: An id }",
        'schema: { type: array, items: { type: string } }',
      ]),
      [':17: actions.get-thing.parameters.0.schema: must have a type: string, number, integer, boolean'],
    ],
    [
      'a schema that refers to nothing',
      changed(["part: { $ref: '#/$defs/part' } }", "part: { $ref: '#/$defs/pat' } }"]),
      [
        ':26: actions.add-thing.body.properties.part.$ref: there is no pat in $defs (did you mean part?)',
        ':3: $defs.part: is used by no action',
      ],
    ],
    [
      'a schema that would not be enforced',
      changed(['body: { type: object, ', 'body: { type: object, required: [nmae], ']),
      [':26: actions.add-thing.body.required: names nmae, which is not in properties, and so would not be required'],
    ],
    [
      'a schema with a keyword that is not read',
      changed(['body: { type: object, ', 'body: { type: object, if: {}, ']),
      [':26: actions.add-thing.body.if: is not a key of the schema'],
    ],
    [
      'pages whose parameter is not declared',
      changed(['path: /v1/things/{thing}\n', 'path: /v1/things/{thing}\n    paginate: { kind: page, param: page }\n']),
      [':16: actions.get-thing.paginate: sets page, which is not declared in the query'],
    ],
    [
      'pages whose parameters are not in the body',
      changed([
        "    headers: { X-Acme: '1' }",
        '    paginate: { kind: cursor, param: after, in: body, size: { param: size, most: 9 }, next: next, last: id }',
      ]),
      [
        ':27: actions.add-thing.paginate: needs next or last, and not both: where the cursor comes from',
        ':27: actions.add-thing.paginate: sets after, which is not declared in the body',
        ':27: actions.add-thing.paginate: sets size, which is not declared in the body',
      ],
    ],
    [
      'the form of a body that is not there',
      changed(['path: /v1/things/{thing}\n', 'path: /v1/things/{thing}\n    encoding: form\n']),
      [':16: actions.get-thing.encoding: says how a body is written, and there is none'],
    ],
    [
      'an alias without its anchor',
      changed(["headers: { X-Acme: '1' }", 'headers: *nobody']),
      [':27: there is no anchor &nobody'],
    ],
  ] as [string, string, string[]][])
    test(`is refused for ${what}`, () => {
      const found = problemsOf(text).map(each => each.replace('dir/acme.actions.yaml', ''))
      assert.deepEqual(found.sort(), [...problems].sort())
    })

  test('is refused for bad YAML, at its line', () => {
    const [problem] = problemsOf(changed(['method: GET', 'method: a: b']))
    assert.match(problem ?? '', /^dir\/acme\.actions\.yaml:14: /)
  })

  test('may use one anchor very often, but not without end', () => {
    const list = (name: string, of: string, count: number) =>
      `  ${name}: { enum: &${name} [${Array(count).fill(of).join(', ')}] }\n`
    const often = changed(
      ['    headers:', `    x: [${Array(500).fill('*p').join(', ')}]\n    headers:`],
      ['- { name: thing', '- &p { name: thing'],
    )
    assert.deepEqual(problemsOf(often), ['dir/acme.actions.yaml:27: actions.add-thing.x: is not a key of the schema'])
    const bomb = `$defs:\n${list('a', '1', 10)}${['b', 'c', 'd', 'e', 'f'].map((name, at) => list(name, `*${'abcde'[at]}`, 10)).join('')}actions: {}\n`
    assert.match(problemsOf(bomb)[0] ?? '', /Excessive alias count/)
  })

  test('is refused for its name', () => {
    for (const file of ['Acme.actions.yaml', 'a_b.actions.yaml', '.actions.yaml'])
      assert.deepEqual(problemsOf(good, `dir/${file}`), [
        `dir/${file}:1: the file name must be a provider's id and .actions.yaml`,
      ])
  })
})

suite('the actions of the catalogue', () => {
  test('have no mistake in their own folder', () => {
    const { count, problems } = checkActions([ownFolder])
    assert.deepEqual(problems.map(problemText), [])
    assert.ok(count >= 1)
  })

  test('belong to a provider that is defined: beside them, or by Mortise', t => {
    const folder = folderOf(t, { 'nobody.actions.yaml': good, 'notion.actions.yaml': good })
    assert.deepEqual(checkActions([folder]).problems.map(problemText), [
      `${join(folder, 'nobody.actions.yaml')}:1: there is no definition nobody.yaml that it could belong to`,
    ])
    const both = folderOf(t, { 'acme.yaml': acme, 'acme.actions.yaml': good })
    assert.deepEqual(checkActions([both]), { count: 1, problems: [] })
    // A file alone, too.
    assert.deepEqual(checkActions([join(folder, 'notion.actions.yaml')]), { count: 1, problems: [] })
  })

  test('come in pages as the definition says, where it says so', t => {
    const usual = changed(['path: /v1/things/{thing}\n', 'path: /v1/things/{thing}\n    paginate: { kind: default }\n'])
    const told = (paginate: string) => acme.replace('api: {', `api: { paginate: ${paginate},`)
    for (const [definition, problems] of [
      [acme, ['actions.get-thing.paginate: is that of api.paginate, which the definition of Acme does not have']],
      [
        told('{ kind: page, param: page }'),
        ['actions.get-thing.paginate: sets page, which is not declared in the query'],
      ],
      [told('{ kind: page, param: tags }'), []],
    ] as const) {
      const folder = folderOf(t, { 'acme.yaml': definition, 'acme.actions.yaml': usual })
      const found = checkActions([folder]).problems.map(({ key, message }) => `${key}: ${message}`)
      assert.deepEqual(found, problems)
    }
    const { problems } = readFolders([folderOf(t, { 'acme.yaml': told('{ kind: cursor, param: a, in: body }') })])
    assert.deepEqual(
      problems.map(({ key, message }) => `${key}: ${message}`),
      [
        'api.paginate: needs next or last, and not both: where the cursor comes from',
        'api.paginate.in: must be query: it is for the lists that a GET answers',
      ],
    )
  })

  test('are found by id and by alias', t => {
    const catalogue = loadCatalogue(folderOf(t, { 'acme.yaml': acme, 'acme.actions.yaml': good }))
    assert.deepEqual(
      catalogue.actions('acme').map(each => each.id),
      ['get-thing', 'add-thing'],
    )
    assert.equal(catalogue.action('acme', 'read-thing')?.id, 'get-thing')
    assert.equal(catalogue.action('acme', 'add-thing')?.id, 'add-thing')
    assert.equal(catalogue.action('acme', 'constructor'), undefined)
    assert.deepEqual(catalogue.actions('../acme'), [])
    assert.equal(catalogue.actions('acme'), catalogue.actions('acme'))
  })

  test('are the operator’s where the operator has a file of the same name', t => {
    const catalogue = loadCatalogue(folderOf(t, { 'notion.actions.yaml': good }))
    assert.equal(catalogue.action('notion', 'get-thing')?.provider, 'notion')
    assert.equal(catalogue.action('notion', 'post-search'), undefined)
    assert.ok(loadCatalogue().action('notion', 'post-search'))
  })

  test('are read when they are first asked for: a mistake stops nobody else', t => {
    const folder = folderOf(t, { 'acme.yaml': acme, 'acme.actions.yaml': changed(['method: GET', 'method: TRACE']) })
    const catalogue = loadCatalogue(folder)
    assert.deepEqual(readFolders([folder]).problems, [])
    assert.ok(catalogue.actions('notion').length > 0)
    assert.throws(
      () => catalogue.actions('acme'),
      (error: unknown) => {
        assert.ok(error instanceof MortiseError)
        assert.equal(error.code, 'integration_misconfigured')
        assert.match(
          error.message,
          /^The actions of acme cannot be used: acme\.actions\.yaml:14: .*mortise provider check/,
        )
        assert.equal(error.message.includes(folder), false)
        return true
      },
    )
  })
})
