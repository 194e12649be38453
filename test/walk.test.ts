/** Lists walked to their end over our own API, at a provider of this test that hands them out in every way there is. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { WalkLine } from '../src/http/api/action-shapes.ts'
import { walkLine } from '../src/http/api/action-shapes.ts'
import { errorShape } from '../src/http/api/shapes.ts'
import { api } from './api/hub.ts'
import { later, startTestHub, type TestHub, tempFolder } from './harness.ts'
import { actionFile, all, pageAt, read } from './lists.ts'

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.reverse()) await end()
})
const t = { after: (end: () => unknown) => void ends.push(end) }

let hub: TestHub
let connection = ''
let asked: URL[] = []
let strangers = 0
/** Done before a page is answered. */
let meanwhile: (at: URL) => unknown = () => {}
const bodies: unknown[] = []

const listen = async (server: Server): Promise<string> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

before(async () => {
  const stranger = await listen(
    createServer((_request, response) => {
      strangers++
      response.end('[]')
    }),
  )
  const host = await listen(
    createServer(async (message, response) => {
      const url = new URL(message.url ?? '', `http://${message.headers.host}`)
      const body = await read(message)
      if (url.pathname !== '/me') {
        asked.push(url)
        bodies.push(body)
        const refusal = await meanwhile(url)
        if (typeof refusal === 'number')
          response.writeHead(refusal, { 'content-type': 'application/json', 'retry-after': '9' }).end('{"slow":1}')
        if (response.headersSent) return
      }
      const [page, headers = {}] = pageAt(url, body, stranger)
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(page))
    }),
  )
  const folder = join(tempFolder(t), 'providers')
  mkdirSync(folder)
  const base = `http://${host}`
  const definition = {
    name: 'Lists',
    docs: ['https://docs.lists.example/oauth'],
    auth: 'oauth2',
    api: { base, paginate: { kind: 'link' } },
    authorize: { url: `${base}/authorize` },
    token: { url: `${base}/token`, client: 'basic' },
    keys: {
      kinds: { bearer: { title: 'Key' } },
      identity: { request: { url: `${base}/me` }, account: 'id', shared: true },
    },
  }
  writeFileSync(join(folder, 'lists.yaml'), JSON.stringify(definition))
  writeFileSync(join(folder, 'lists.actions.yaml'), JSON.stringify(actionFile()))
  hub = await startTestHub(t, { env: { MORTISE_PROVIDERS_DIR: folder, MORTISE_ALLOWED_HOSTS: host } })
  await api(hub, 'POST', '/integrations', { key: 'lists', provider: 'lists', clientId: 'x', clientSecret: 'y' })
  connection = await connect()
})

const connect = async (): Promise<string> => {
  const credential = { kind: 'bearer', key: 'k' }
  const made = await api(hub, 'POST', '/connections', { integration: 'lists', credential, allowDuplicate: true })
  return String(made.body['id'])
}

interface Walk {
  readonly items: unknown[]
  readonly last: WalkLine
}

const walkOf = async (response: Response): Promise<Walk> => {
  assert.equal(response.status, 200, await (response.ok ? '' : response.text()))
  assert.match(response.headers.get('content-type') ?? '', /^application\/x-ndjson/)
  const text = await response.text()
  assert.ok(text.endsWith('\n'))
  const lines = text
    .trimEnd()
    .split('\n')
    .map(line => walkLine.parse(JSON.parse(line)))
  const last = lines.pop()
  assert.ok(last && !('item' in last))
  return { items: lines.map(line => ('item' in line ? line.item : assert.fail('an end before the end'))), last }
}

const post = (path: string, body: unknown = {}): Promise<Response> =>
  fetch(`${hub.origin}/api/v1/connections/${connection}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

const walk = async (action: string, query = '', body: unknown = {}): Promise<Walk> => {
  asked = []
  bodies.length = 0
  return walkOf(await post(`/actions/${action}?walk=true${query}`, body))
}

const endOf = ({ last }: Walk) => ('end' in last ? last.end : assert.fail(JSON.stringify(last)))
const errorOf = ({ last }: Walk) => ('error' in last ? last.error : assert.fail(JSON.stringify(last)))

for (const [action, pages] of [
  ['cursor', 4],
  ['search', 3],
  ['last', 3],
  ['offset', 3],
  ['page', 4],
  ['things', 3],
  ['relative', 3],
] as const)
  test(`a list by ${action} is read to its end, each page once`, async () => {
    const walked = await walk(action)
    assert.deepEqual(walked.items, all)
    assert.deepEqual(endOf(walked), { items: 25, pages, next: null, complete: true })
    assert.equal(asked.length, pages)
    assert.equal(new Set(asked.map((url, at) => url.href + JSON.stringify(bodies[at]))).size, pages)
  })

test('the largest page is asked for, unless the caller asks for another; what else it gave goes with every page', async () => {
  await walk('cursor')
  assert.deepEqual(
    asked.map(url => url.search),
    ['?size=7', '?size=7&after=7', '?size=7&after=14', '?size=7&after=21'],
  )
  await walk('cursor', '', { query: { size: 20 } })
  assert.deepEqual(
    asked.map(url => url.search),
    ['?size=20', '?size=20&after=20'],
  )
  await walk('search', '', { body: { words: 'x' } })
  assert.deepEqual(bodies, [{ words: 'x' }, { words: 'x', after: '10' }, { words: 'x', after: '20' }])
})

test('a cap ends it in the middle of a page, and from goes on behind the last item', async () => {
  for (const action of ['cursor', 'search', 'last', 'offset', 'page', 'things', 'relative']) {
    const first = await walk(action, '&max=12')
    assert.deepEqual(first.items, all.slice(0, 12), action)
    const { next, complete, items } = endOf(first)
    assert.deepEqual([complete, items], [false, 12])
    const rest = await walk(action, `&from=${next}`)
    assert.deepEqual(rest.items, all.slice(12), action)
    assert.equal(endOf(rest).complete, true)
  }
  // At the end of a page too, and there no page is asked for that nobody wants.
  const first = await walk('things', '&max=10')
  assert.equal(asked.length, 1)
  assert.deepEqual((await walk('things', `&from=${endOf(first).next}`)).items, all.slice(10))
  // What was all is complete, however small the cap.
  assert.equal(endOf(await walk('things', '&max=25')).complete, true)
})

test('a place is told however long it is, up to what from takes; else it is told that there is none', async () => {
  const long = { query: { of: 23_000 } }
  const { next, complete } = endOf(await walk('long', '&max=2', long))
  assert.ok(next && next.length > 30_000)
  assert.equal(complete, false)
  assert.deepEqual(endOf(await walk('long', `&from=${next}`, long)), { items: 2, pages: 1, next: null, complete: true })
  // It is walked all the same.
  const longer = { query: { of: 25_000 } }
  assert.deepEqual(endOf(await walk('long', '&max=2', longer)), { items: 2, pages: 1, next: null, complete: false })
  assert.deepEqual(endOf(await walk('long', '', longer)), { items: 4, pages: 2, next: null, complete: true })
})

test('a link that leads elsewhere is not followed', async () => {
  const walked = await walk('elsewhere')
  assert.deepEqual(walked.items, [1])
  const { code, items, pages, message } = errorOf(walked)
  assert.deepEqual([code, items, pages], ['integration_misconfigured', 1, 2])
  assert.match(message, /is not a host that the definition of Lists names/)
  // Nor is one that a caller makes up.
  const from = Buffer.from(JSON.stringify(['http://169.254.169.254/things', 0])).toString('base64url')
  assert.equal((await post(`/actions/things?walk=true&from=${from}`)).status, 502)
  assert.deepEqual([strangers, asked.length], [0, 1])
})

test('pages that lead in a circle, or nowhere, end it', async () => {
  const circle = errorOf(await walk('circle'))
  assert.deepEqual([circle.code, circle.pages], ['provider_invalid_response', 2])
  assert.match(circle.message, /lead in a circle/)
  // One that leads back to where from began, too.
  const ring = await walk('ring', `&from=${Buffer.from('["b",0]').toString('base64url')}`)
  assert.deepEqual([ring.items, errorOf(ring).pages], [['b', 'a'], 2])
  const empty = errorOf(await walk('empty'))
  assert.deepEqual([empty.pages, asked.length], [101, 101])
  assert.match(empty.message, /had no item/)
})

test('what the provider refuses is told with its answer, and can be gone on from', async () => {
  let calls = 0
  meanwhile = () => (++calls === 2 ? 429 : undefined)
  const walked = await walk('things')
  meanwhile = () => {}
  assert.deepEqual(walked.items, all.slice(0, 10))
  const { code, status, headers, body, next, pages } = errorOf(walked)
  assert.deepEqual(
    [code, status, headers?.['retry-after'], body, pages],
    ['provider_unavailable', 429, '9', { slow: 1 }, 2],
  )
  assert.deepEqual((await walk('things', `&from=${next}`)).items, all.slice(10))
  meanwhile = () => 403
  const none = await walk('things')
  meanwhile = () => {}
  assert.deepEqual([none.items, errorOf(none).status, errorOf(none).code], [[], 403, 'provider_rejected'])
})

test('who is disconnected meanwhile is read no further', async () => {
  const before = connection
  connection = await connect()
  meanwhile = async url => {
    if (url.searchParams.has('start')) await api(hub, 'DELETE', `/connections/${connection}`)
  }
  const walked = await walk('things')
  meanwhile = () => {}
  connection = before
  assert.deepEqual([walked.items.length, asked.length], [20, 2])
  assert.deepEqual([errorOf(walked).code, errorOf(walked).reason], ['not_found', 'connection_deleted'])
})

test('a reader who stops stalls the provider, and one who leaves ends the walk', async () => {
  asked = []
  const url = `${hub.origin}/api/v1/connections/${connection}/actions/big?walk=true`
  const out = request(url, { method: 'POST', headers: { 'content-type': 'application/json' } })
  out.end('{}')
  const [answer] = (await once(out, 'response')) as [IncomingMessage]
  await once(answer, 'readable')
  // A megabyte a page: sockets hold some, then nothing more is asked for.
  const still = async () => {
    for (let before = -1; before !== asked.length; await later(150)) before = asked.length
    return asked.length
  }
  const stalled = await still()
  assert.ok(stalled > 0 && stalled < 30, `${stalled} pages were asked for`)
  answer.destroy()
  const ended = await still()
  assert.ok(ended <= stalled + 1, `${ended} pages after ${stalled}`)
})

test('a list by its path alone is walked as the definition says', async () => {
  asked = []
  const walked = await walkOf(await post('/walk', { path: '/things', query: { q: ['a', 'b'] } }))
  assert.deepEqual(walked.items, all)
  assert.equal(asked[0]?.search, '?q=a&q=b')
  // With a slash before it or without.
  assert.deepEqual((await walkOf(await post('/walk', { path: 'things' }))).items, all)
  const some = await walkOf(await post('/walk', { path: '/offset', items: 'rows', max: 3 }))
  assert.deepEqual(some.items, all.slice(0, 3))
  // What is no list says what would be one.
  for (const [body, says] of [
    [{ path: '/two' }, /items must name where it stands; what is a list there: rows, others/],
    [{ path: '/nothing' }, /no list stands there/],
    [{ path: '/two', items: 'row' }, /no list at row in the answer; what is a list there: rows, others/],
  ] as const) {
    const error = errorOf(await walkOf(await post('/walk', body)))
    assert.match(error.message, says)
    // Some say with 200 why there is none.
    assert.deepEqual([error.status, typeof error.body], [200, 'object'])
  }
})

test('what is wrong is named before anything is sent', async () => {
  asked = []
  const from = (place: unknown) => Buffer.from(JSON.stringify(place)).toString('base64url')
  for (const [path, body, parameter, says] of [
    [`/actions/one?walk=true`, {}, 'walk', /not known to be a list/],
    [`/actions/things?max=5`, {}, 'max', /add walk=true/],
    [`/actions/things?walk=true&max=100001`, {}, 'max', /max is not right/],
    [`/actions/things?walk=true&from=xyz`, {}, 'from', /not one that a walk gave/],
    [`/actions/page?walk=true&from=${from(['-1', 0])}`, {}, 'from', /not one that a walk gave/],
    [`/actions/cursor?walk=true&from=${from(['7', 0])}`, { query: { after: '7' } }, 'from', /so does after/],
    [`/actions/cursor?walk=true`, { query: { sizes: '7' } }, 'query.sizes', /did you mean size\?/],
    ['/walk', {}, 'path', /path is missing/],
    ['/walk', { path: '/things', itmes: 'x' }, 'itmes', /did you mean items\?/],
    ...['a/../x', 'a/%2e%2e/x', 'a/..%2f..%2fx', 'a/..%5c..%5cx', 'a/%252e%252e/x', 'a/..;/x', '..'].map(
      path => ['/walk', { path: `/${path}` }, 'path', /a part that is \. or \.\./] as const,
    ),
    ...['things?start=1', 'things#x', 'a\\x', 'thïngs', 'a b'].map(
      path => ['/walk', { path }, 'path', /must be plain ASCII, percent-encoded/] as const,
    ),
    ['/walk', { path: '/things', headers: { Authorization: 'x' } }, 'headers.Authorization', /may not be given/],
  ] as const) {
    const response = await post(path, body)
    assert.equal(response.status, 400, path)
    const { error } = errorShape.parse(await response.json())
    assert.deepEqual([error.code, error.parameter], ['invalid_request', parameter], path)
    assert.match(error.message, says)
  }
  assert.equal(asked.length, 0)
})

test('a hub that stops ends a walk where it is, and says where to go on', async () => {
  let stopped: Promise<void> | undefined
  meanwhile = url => {
    if (url.searchParams.has('start')) stopped ??= hub.stop()
  }
  const walked = await walk('things')
  const { complete, next, items } = endOf(walked)
  assert.deepEqual([complete, items, walked.items.length], [false, 10, 10])
  assert.ok(next)
  await stopped
})
