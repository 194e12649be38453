/** Against a real server on this machine, through the real guarded call. */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite, type TestContext, test } from 'node:test'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { createCall } from '../net/call.ts'
import type { Action } from './action.ts'
import type { ActionInput, Caller } from './action-request.ts'
import type { Context } from './context.ts'
import { type Credential, Secret } from './credential.ts'
import { credentialHeader } from './credential-header.ts'
import { MortiseError } from './errors.ts'
import { assertNamed } from './pass-url.ts'
import type { Provider } from './provider.ts'
import { execute } from './run-action.ts'

const notion = loadCatalogue().get('notion')
assert.ok(notion)
const token = 'ntn_secret-token'
const credential: Credential = { kind: 'oauth2', accessToken: new Secret(token), raw: new Secret({}) }

interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: string[]
  readonly body: string
}

/** A server that notes what arrives. */
const serve = async (t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void) => {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      seen.push({ method: request.method, url: request.url, headers: request.rawHeaders, body })
      answer(request, response)
    })
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { seen, origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

/** The definition of Notion with another base. */
const at = (base: string): Provider => ({ ...notion, api: { ...notion.api, base } })

const action: Action = {
  id: 'write-thing',
  provider: 'notion',
  aliases: [],
  title: 'Write a thing',
  description: 'Writes a thing.',
  resource: 'things',
  docs: 'https://docs.example/things',
  method: 'POST',
  path: '/v1/things/{thing}',
  parameters: [
    { name: 'thing', in: 'path', required: true, encoded: false, description: 'The thing', schema: { type: 'string' } },
  ],
  body: { type: 'object' },
  headers: {},
  records: [],
}

const logged: unknown[] = []

/** What `execute` needs of the world: a provider, an integration there, and the call as it really is. */
const run = (provider: Provider, input: ActionInput, what: Action = action) => {
  const context = {
    call: createCall({ allowedHosts: ['127.0.0.1'] }),
    log: { info: (phrase: string, fields: unknown) => logged.push(phrase, fields) },
  } as unknown as Context
  const integration = { clientId: 'c', settings: {}, sandbox: false }
  return execute(
    context,
    { id: 'a'.repeat(24), client: { provider, integration, config: {} }, credential },
    what,
    input,
  )
}

const json = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

suite('an action', () => {
  test('arrives as it was made, with the credential once, and leaves neither in the log', async t => {
    const { seen, origin } = await serve(t, (_, response) => json(response, 200, { ok: true }))
    logged.length = 0
    const body = { text: 'Grüße' }
    const answer = await run(at(origin), { path: { thing: 'a b' }, body, headers: { 'X-Trace': '7' } })
    assert.deepEqual([answer.status, answer.body], [200, { ok: true }])
    const [only, ...more] = seen
    assert.ok(only && more.length === 0)
    assert.deepEqual([only.method, only.url, only.body], ['POST', '/v1/things/a%20b', JSON.stringify(body)])
    const pairs = only.headers.flatMap((name, index) =>
      index % 2 === 0 ? [[name.toLowerCase(), only.headers[index + 1]]] : [],
    )
    assert.deepEqual(
      pairs.filter(([name]) => name === 'authorization'),
      [['authorization', `Bearer ${token}`]],
    )
    const headers = Object.fromEntries(pairs)
    assert.equal(headers['content-type'], 'application/json')
    assert.equal(headers['content-length'], String(Buffer.byteLength(JSON.stringify(body))))
    assert.equal(headers['notion-version'], '2022-06-28')
    assert.equal(headers['x-trace'], '7')
    assert.deepEqual(logged, [
      'an action was run',
      { provider: 'notion', action: 'write-thing', id: 'a'.repeat(24), status: 200 },
    ])
  })

  test('of another provider is refused', async t => {
    const { seen, origin } = await serve(t, (_, response) => json(response, 200, {}))
    await assert.rejects(run(at(origin), { path: { thing: 'a' } }, { ...action, provider: 'github' }), {
      code: 'invalid_request',
      details: { reason: 'action_unknown' },
    })
    assert.deepEqual(seen, [])
  })
})

suite('an answer', () => {
  const answered = async (t: TestContext, answer: (response: ServerResponse) => void) => {
    const { origin } = await serve(t, (_, response) => answer(response))
    return run(at(origin), { path: { thing: 'a' } })
  }

  test('comes back with the provider’s status, headers and body, an error too', async t => {
    const body = { object: 'error', status: 409, code: 'conflict_error' }
    const answer = await answered(t, response => {
      response.setHeader('x-request-id', 'r1')
      response.setHeader('retry-after', '3')
      response.setHeader('set-cookie', ['a=b'])
      json(response, 409, body)
    })
    assert.deepEqual([answer.status, answer.body], [409, body])
    assert.equal(answer.headers['x-request-id'], 'r1')
    assert.equal(answer.headers['retry-after'], '3')
    for (const name of ['set-cookie', 'connection', 'transfer-encoding', 'keep-alive'])
      assert.equal(answer.headers[name], undefined, name)
    const down = await answered(t, response => json(response, 503, { code: 'service_unavailable' }))
    assert.deepEqual([down.status, down.body], [503, { code: 'service_unavailable' }])
  })

  test('is a text where it is not JSON, or only says so', async t => {
    for (const [type, text, expected] of [
      ['text/html', '<p>{}</p>', '<p>{}</p>'],
      ['text/plain', '{"a":1}', '{"a":1}'],
      ['application/json', '{"a":', '{"a":'],
      ['application/problem+json; charset=utf-8', '{"a":1}', { a: 1 }],
      ['application/json', 'null', null],
      ['application/json', '', ''],
    ] as const)
      assert.deepEqual(
        (await answered(t, response => response.writeHead(200, { 'content-type': type }).end(text))).body,
        expected,
        text,
      )
    const none = await answered(t, response => response.writeHead(204).end())
    assert.deepEqual([none.status, none.body], [204, ''])
  })

  test('that leads elsewhere is not followed', async t => {
    const elsewhere = await serve(t, (_, response) => json(response, 200, {}))
    for (const status of [301, 302, 303, 307, 308]) {
      const answer = await answered(t, response =>
        response.writeHead(status, { location: `${elsewhere.origin}/stolen` }).end(),
      )
      assert.equal(answer.status, status)
    }
    assert.deepEqual(elsewhere.seen, [])
  })

  test('may have ten million bytes, and no more', async t => {
    const sized = (size: number) => answered(t, response => response.writeHead(200).end('x'.repeat(size)))
    assert.equal(String((await sized(10_000_000)).body).length, 10_000_000)
    await assert.rejects(sized(10_000_001), { code: 'provider_invalid_response' })
  })

  test('that never comes is an outage of the provider', async () => {
    await assert.rejects(run(at('http://127.0.0.1:1'), { path: { thing: 'a' } }), {
      code: 'provider_unavailable',
      details: { sent: false },
    })
  })
})

suite('the credential goes to no other host', () => {
  test('whatever stands in the path', async t => {
    const evil = await serve(t, (_, response) => json(response, 200, {}))
    const good = await serve(t, (_, response) => json(response, 200, {}))
    const host = new URL(evil.origin).host
    const values = ['../', '//', '%2f..', '@', '/../../', '..%2f', '\\\\', ':x@', '?', '#', 'http://'].flatMap(each => [
      each + host,
      host + each,
      each + host + each,
      each,
    ])
    for (const thing of values)
      await run(at(good.origin), { path: { thing } }).catch((error: unknown) => {
        assert.ok(error instanceof MortiseError)
        assert.deepEqual([error.code, error.details.parameter], ['invalid_request', 'path.thing'])
      })
    assert.deepEqual(evil.seen, [])
    // What did go out stayed one segment below /v1/things/.
    assert.ok(good.seen.length > 0)
    for (const { url } of good.seen) assert.match(url ?? '', /^\/v1\/things\/[^/?#]+$/)
  })

  test('not even where the base of the URL changes between making and sending it', async t => {
    const evil = await serve(t, (_, response) => json(response, 200, {}))
    let reads = 0
    const api = {
      ...notion.api,
      get base() {
        reads += 1
        return reads === 1 ? evil.origin : 'https://api.notion.com'
      },
    }
    await assert.rejects(run({ ...notion, api }, { path: { thing: 'a' } }), {
      code: 'integration_misconfigured',
      details: { sent: false },
    })
    assert.ok(reads > 1)
    assert.deepEqual(evil.seen, [])
  })

  const caller = (base: string, hosts: string[] = [], config = {}, kept = {}): Caller => ({
    provider: { ...notion, api: { ...notion.api, base, hosts }, config: kept },
    integration: { clientId: 'c', settings: {}, sandbox: false },
    config,
  })
  const named = caller('https://api.notion.com', ['files.notion.com', '*.notion-static.com'])

  for (const url of [
    'https://api.notion.com/v1',
    'https://api.notion.com:443/v1',
    'https://files.notion.com/x',
    'https://eu.notion-static.com/x',
  ])
    test(`may go to ${url}`, () => assertNamed(named, url))

  for (const url of [
    'http://api.notion.com/v1',
    'https://api.notion.com:8443/v1',
    'https://files.notion.com:8443/',
    'http://files.notion.com/',
    'https://api.notion.com.evil.example/',
    'https://evil.example/api.notion.com',
    'https://api.notion.com@evil.example/',
    'https://user@api.notion.com/',
    'https://notion-static.com/',
    'https://evilnotion-static.com/',
    'https://notion.com/',
    'http://127.0.0.1/',
    'ftp://api.notion.com/',
  ])
    test(`may not go to ${url}`, () =>
      assert.throws(() => assertNamed(named, url), { code: 'integration_misconfigured', details: { sent: false } }))

  test('may go to this machine without https only where the definition begins there, at that port', () => {
    const here = caller('http://localhost:8080/api')
    assertNamed(here, 'http://localhost:8080/api/x')
    // Named as a further host it needs https, like any other.
    assert.throws(() => assertNamed(caller('https://api.notion.com', ['127.0.0.1']), 'http://127.0.0.1/'), MortiseError)
    for (const url of [
      'http://localhost:8081/',
      'http://localhost/',
      'http://127.0.0.1:8080/',
      'https://localhost:8080/',
    ])
      assert.throws(() => assertNamed(here, url), MortiseError, url)
  })

  test('goes to the origin that a connection keeps, and to no other connection’s', () => {
    const kept = { instance: { path: 'instance_url', host: ['.acme.example'] } }
    const own = caller('${config.instance}/api', [], { instance: 'https://eu1.acme.example' }, kept)
    assertNamed(own, 'https://eu1.acme.example/api/x')
    assert.throws(() => assertNamed(own, 'https://eu2.acme.example/api/x'), MortiseError)
    const foreign = caller('${config.instance}/api', [], { instance: 'https://evil.example' }, kept)
    assert.throws(() => assertNamed(foreign, 'https://evil.example/api/x'), MortiseError)
  })
})

suite('a credential’s header', () => {
  const kinds = {
    apiKey: { title: 'Key', header: 'X-Acme-Key', prefix: '' },
    bearer: { title: 'Token' },
    basic: { title: 'Password' },
  }
  const provider: Provider = { ...notion, keys: { kinds } }
  const of = (kind: Credential['kind'], secret: string) =>
    credentialHeader(provider, { kind, accessToken: new Secret(secret), raw: new Secret({}) })

  test('is where the definition says', () => {
    assert.deepEqual(of('oauth2', 'abc'), { authorization: 'Bearer abc' })
    assert.deepEqual(of('bearer', 'abc'), { authorization: 'Bearer abc' })
    assert.deepEqual(of('apiKey', 'abc'), { 'x-acme-key': 'abc' })
    assert.deepEqual(of('basic', 'Aladdin:open sesame'), { authorization: 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==' })
  })
})
