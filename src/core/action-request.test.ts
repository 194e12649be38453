import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import type { Action } from './action.ts'
import { type ActionInput, actionRequest, type Caller } from './action-request.ts'
import type { Json } from './credential.ts'
import { MortiseError } from './errors.ts'

const catalogue = loadCatalogue()
const notion = catalogue.get('notion')
assert.ok(notion)
const caller: Caller = {
  provider: notion,
  integration: { clientId: 'client', settings: {}, sandbox: false },
  config: {},
}
const names = { path: 'pathParams', query: 'queryParameters', body: 'requestBody', headers: 'additionalHeaders' }

const known = (name: string): Action => {
  const action = catalogue.action('notion', name)
  assert.ok(action, name)
  return action
}

/** An action whose one path parameter may be any text. */
const free = (encoded = false): Action => ({
  id: 'get-thing',
  provider: 'notion',
  aliases: [],
  title: 'Get a thing',
  description: 'Shows a thing.',
  resource: 'things',
  docs: 'https://docs.example/things',
  method: 'GET',
  path: '/v1/things/{thing}/parts',
  parameters: [
    { name: 'thing', in: 'path', required: true, encoded, description: 'The thing', schema: { type: 'string' } },
    { name: 'size', in: 'query', required: false, encoded: false, description: 'A size', schema: { type: 'integer' } },
    { name: 'all', in: 'query', required: false, encoded: false, description: 'All', schema: { type: 'boolean' } },
    {
      name: 'tags',
      in: 'query',
      required: false,
      encoded: false,
      description: 'Tags',
      schema: { type: 'array', items: { type: 'string' } },
    },
  ],
  headers: { 'X-Fixed': 'yes' },
  records: [],
})

/** What it says, and of which field. */
const refusal = (action: Action, input: ActionInput): [field: string | undefined, message: string] => {
  try {
    actionRequest(caller, action, { ...input, names })
  } catch (error) {
    assert.ok(error instanceof MortiseError, String(error))
    assert.deepEqual([error.code, error.details.reason], ['invalid_request', 'parameter'])
    return [error.details.parameter, error.message]
  }
  return assert.fail('it was accepted')
}

const thing = (value: Json) => ({ path: { thing: value } })

suite('a request made of an action', () => {
  test('the link to a further page takes the place of its URL, without a user or a password', () => {
    const linked = (link: string) => actionRequest(caller, known('list-users'), { link })
    assert.equal(linked('/v1/users?a=%2F').url, 'https://api.notion.com/v1/users?a=%2F')
    // Whose host that is, the credential is not attached to before it was looked at: `assertNamed`.
    assert.equal(linked('https://other.example/x').url, 'https://other.example/x')
    for (const link of ['https://me:you@api.notion.com/v1/users', 'https://me@api.notion.com/', 'http://['])
      assert.throws(() => linked(link), { code: 'provider_invalid_response', message: /gave no URL/ })
  })

  test('has the method, URL, headers and body that the file says, and no credential', () => {
    const body = { query: 'Ada & Co. ✓' }
    assert.deepEqual(actionRequest(caller, known('search'), { body }), {
      method: 'POST',
      url: 'https://api.notion.com/v1/search',
      headers: { accept: 'application/json', 'content-type': 'application/json', 'notion-version': '2022-06-28' },
      body: JSON.stringify(body),
      sandbox: false,
    })
    const input = { ...thing('a b/ü?#'), query: { size: 3, all: true, tags: ['x', 'y&z'] } }
    const get = actionRequest(caller, free(), input)
    assert.equal(
      get.url,
      'https://api.notion.com/v1/things/a%20b%2F%C3%BC%3F%23/parts?size=3&all=true&tags=x&tags=y%26z',
    )
    assert.equal(get.headers['x-fixed'], 'yes')
    assert.equal('body' in get, false)
  })

  test('takes in a URL a text that spells what is wanted, and one value for a list of one', () => {
    const query = { size: '10', all: 'false', tags: 'x', unset: null }
    const { unset: _, ...wanted } = query
    assert.match(
      actionRequest(caller, free(), { ...thing(7), query: wanted }).url,
      /things\/7\/parts\?size=10&all=false&tags=x$/,
    )
    assert.equal(refusal(free(), { ...thing('a'), query: { size: 'ten' } })[0], 'queryParameters.size')
  })

  test('begins where the definition says, under a path of its own too', () => {
    const provider = { ...notion, api: { ...notion.api, base: 'https://${config.site}.acme.example/api/' } }
    const at = { ...caller, provider, config: { site: 'globex' } }
    assert.equal(actionRequest(at, free(), thing('a')).url, 'https://globex.acme.example/api/v1/things/a/parts')
  })

  test('sends an id that the API shows encoded with that one encoding', () => {
    assert.match(actionRequest(caller, free(true), thing('%3AUPp')).url, /things\/%3AUPp\/parts$/)
    assert.match(actionRequest(caller, free(true), thing('100%')).url, /things\/100%25\/parts$/)
    assert.match(actionRequest(caller, free(), thing('%3AUPp')).url, /things\/%253AUPp\/parts$/)
  })
})

suite('a value in a path', () => {
  for (const value of [
    '',
    '.',
    '..',
    '...',
    '../pages',
    'a/..',
    'a/../b',
    '//evil.example',
    '/a',
    'a/',
    '..\\a',
    '%2e%2e',
    '%2f..',
    '..%2fa',
    '%2F%2Fevil.example',
    'a\nb',
    'a%0d%0ab',
    '%00',
    '\ud800',
  ])
    test(`is refused: ${JSON.stringify(value)}`, () => {
      for (const encoded of [false, true])
        assert.equal(refusal(free(encoded), thing(value))[0], 'pathParams.thing', `encoded: ${encoded}`)
    })

  for (const value of [
    '@evil.example',
    ':80@evil.example',
    'user:pass@evil.example',
    '?a=b',
    '#a',
    ';a',
    'https:evil',
    'a..b',
    '~',
    'a%',
  ])
    test(`stays one segment of this path: ${value}`, () => {
      for (const encoded of [false, true]) {
        const url = new URL(actionRequest(caller, free(encoded), thing(value)).url)
        assert.equal(url.origin, 'https://api.notion.com')
        assert.deepEqual([url.username, url.password, url.search, url.hash], ['', '', '', ''])
        const [, v1, things, segment = '', parts, ...more] = url.pathname.split('/')
        assert.deepEqual([v1, things, parts, more], ['v1', 'things', 'parts', []])
        assert.equal(decodeURIComponent(segment), value)
      }
    })
})

suite('what is wrong is named as the caller wrote it', () => {
  const id = '6f1f2a54-51b6-4f0b-9d1c-8a9b2f1d7e11'
  for (const [what, action, input, field, message] of [
    [
      'a path parameter is missing',
      'get-page',
      {},
      'pathParams.page_id',
      "pathParams.page_id is missing: The page's id.",
    ],
    [
      'null is missing, too',
      'get-page',
      { path: { page_id: null } },
      'pathParams.page_id',
      "pathParams.page_id is missing: The page's id.",
    ],
    [
      'a path parameter of the wrong form',
      'get-page',
      { path: { page_id: 'home' } },
      'pathParams.page_id',
      'pathParams.page_id does not have the right form: A UUID, with or without its hyphens.',
    ],
    [
      'an unknown path parameter',
      'get-page',
      { path: { pageId: id } },
      'pathParams.pageId',
      'pathParams.pageId is not a parameter of retrieve-a-page (did you mean page_id?). It takes page_id.',
    ],
    [
      'a parameter in the wrong group',
      'get-page',
      { path: { page_id: id, filter_properties: 'a' } },
      'pathParams.filter_properties',
      'pathParams.filter_properties is not a parameter of retrieve-a-page; it belongs in queryParameters. It takes page_id.',
    ],
    [
      'a field of the body among the parameters',
      'search',
      { query: { query: 'x' } },
      'queryParameters.query',
      'queryParameters.query is not a parameter of post-search; it belongs in requestBody. It takes no queryParameters.',
    ],
    [
      'a name that every object has',
      'get-page',
      { path: { page_id: id }, query: { constructor: 'x' } },
      'queryParameters.constructor',
      'queryParameters.constructor is not a parameter of retrieve-a-page. It takes filter_properties.',
    ],
    [
      'a query parameter that is required',
      'list-comments',
      {},
      'queryParameters.block_id',
      'queryParameters.block_id is missing: The id of the block or page.',
    ],
    [
      'an object in a query',
      'list-users',
      { query: { start_cursor: { a: 1 } } },
      'queryParameters.start_cursor',
      'queryParameters.start_cursor must be a text, not an object.',
    ],
    [
      'a query parameter out of bounds',
      'list-users',
      { query: { page_size: '101' } },
      'queryParameters.page_size',
      'queryParameters.page_size must be at most 100.',
    ],
    [
      'a field of the body is missing',
      'create-page',
      { body: { parent: { page_id: id } } },
      'requestBody.properties',
      "requestBody.properties is missing: The page's properties, by name or id; below a page title is the only one.",
    ],
    [
      'no body at all',
      'create-page',
      {},
      'requestBody.parent',
      'requestBody.parent is missing: Where the page goes, as { page_id } or { database_id }.',
    ],
    [
      'an unknown field of the body',
      'search',
      { body: { qery: 'x' } },
      'requestBody.qery',
      'requestBody.qery is not a known field (did you mean query?).',
    ],
    [
      'deep in the body',
      'append-block-children',
      { path: { block_id: id }, body: { children: [{ paragraph: { rich_text: [{ text: { content: 1 } }] } }] } },
      'requestBody.children.0.paragraph.rich_text.0.text.content',
      'requestBody.children.0.paragraph.rich_text.0.text.content must be a text, not a number.',
    ],
    ['a body where there is none', 'get-self', { body: { a: 1 } }, 'requestBody', 'get-self takes no requestBody.'],
    [
      'a body that is no object',
      'search',
      { body: ['x'] },
      'requestBody',
      'requestBody must be an object, not a list.',
    ],
  ] as [string, string, ActionInput, string, string][])
    test(what, () => assert.deepEqual(refusal(known(action), input), [field, message]))

  test('an empty body where there is none is no body', () => {
    for (const body of [null, {}, [], undefined])
      assert.equal('body' in actionRequest(caller, known('get-self'), body === undefined ? {} : { body }), false)
  })

  test('without names of the caller’s own, the groups have plain ones', () => {
    assert.throws(() => actionRequest(caller, known('get-page'), {}), {
      details: { reason: 'parameter', parameter: 'path.page_id' },
    })
  })
})

suite('a caller’s headers', () => {
  const self = known('get-self')

  test('travel on, and may ask for another version', () => {
    const headers = {
      'Notion-Version': '2025-09-03',
      'X-Trace': 'a',
      'If-None-Match': '"x"',
      'X-Count': 3,
      'X-Off': null,
    }
    assert.deepEqual(actionRequest(caller, self, { headers }).headers, {
      accept: 'application/json',
      'notion-version': '2025-09-03',
      'x-trace': 'a',
      'if-none-match': '"x"',
      'x-count': '3',
    })
    assert.equal(actionRequest(caller, self, { headers: { accept: 'text/plain' } }).headers['accept'], 'text/plain')
  })

  for (const name of 'Authorization authorization AUTHORIZATION Cookie Set-Cookie Host Content-Length Content-Encoding Accept-Encoding Transfer-Encoding Connection Keep-Alive TE Trailer Upgrade Expect Forwarded Via Proxy-Authorization Proxy-Connection X-Forwarded-For API-Key X-Api-Key Cookie2 X-Real-IP HTTP2-Settings Mortise-Retries X-Forwarded-Whatever'.split(
    ' ',
  ))
    test(`may not set ${name}`, () => {
      const [field] = refusal(self, { headers: { [name]: 'x' } })
      assert.equal(field, `additionalHeaders.${name}`)
    })

  test('may not set what carries the credential here, nor what is the caller’s own API’s', () => {
    const keys = { kinds: { apiKey: { title: 'Key', header: 'X-Other-Key' } } }
    const provider = { ...notion, api: { ...notion.api, header: 'X-Acme-Token' }, keys }
    for (const name of ['x-acme-token', 'X-ACME-TOKEN', 'x-other-key', 'x-hub-user', 'hub-key'])
      assert.throws(
        () =>
          actionRequest({ ...caller, provider }, self, {
            headers: { [name]: 'x' },
            ownHeaders: ['X-Hub-', 'hub-key'],
            names,
          }),
        { details: { reason: 'parameter', parameter: `additionalHeaders.${name}` } },
        name,
      )
  })

  test('are header names and printable values', () => {
    for (const [name, value] of [
      ['x y', 'a'],
      ['x:y', 'a'],
      ['', 'a'],
      ['x-a', 'a\r\nauthorization: b'],
      ['x-a', 'a\nb'],
      ['x-a', '\u0000'],
      ['x-a', '€'],
      ['x-a', { a: 1 }],
      ['x-a', ['b']],
    ] as [string, Json][])
      assert.equal(refusal(self, { headers: { [name]: value } })[0], `additionalHeaders.${name}`)
  })

  test('may call the body what it is, and nothing else', () => {
    const body = {}
    for (const type of ['application/json', 'application/json; charset=utf-8', 'application/ld+json'])
      assert.equal(
        actionRequest(caller, known('search'), { body, headers: { 'Content-Type': type } }).headers['content-type'],
        type,
      )
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', 'multipart/form-data'])
      assert.equal(refusal(known('search'), { headers: { 'Content-Type': type } })[0], 'additionalHeaders.Content-Type')
  })

  test('another version is not checked by this file, but for its path', () => {
    const headers = { 'notion-version': '2025-09-03' }
    const body = { anything: 'goes' }
    const sent = actionRequest(caller, known('search'), { headers, body, query: { also: 'this' } })
    assert.deepEqual([sent.url, sent.body], ['https://api.notion.com/v1/search?also=this', JSON.stringify(body)])
    assert.equal(refusal(known('get-page'), { headers, path: { page_id: '../x' } })[0], 'pathParams.page_id')
    assert.equal(refusal(known('get-page'), { headers })[0], 'pathParams.page_id')
    assert.equal(
      refusal(known('search'), { headers: { 'notion-version': '2022-06-28' }, body })[0],
      'requestBody.anything',
    )
  })
})
