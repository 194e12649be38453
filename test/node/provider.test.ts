/** Calls of a provider through the server SDK: the proxy, actions and walks, against the sandbox's Notion. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Mortise } from '../../packages/node/src/index.ts'
import { cut, say, startFront, tell } from './front.ts'
import { startSdkHub, thrownBy } from './hub.ts'

const hub = await startSdkHub()
const front = await startFront(hub.origin)
const { faults, seen } = front
const id = await hub.connected('anna')
const connection = new Mortise({ url: front.url, key: hub.key }).connection(id)
const { proxy, actions } = connection
const version = { 'notion-version': '2022-06-28' }

interface Named {
  readonly id: string
  readonly name: string
}
const idOf = async (response: Response) => ((await response.json()) as Named).id

test('the proxy answers as fetch does: a body, a status, headers; the credential is attached by the hub', async () => {
  const response = await proxy.get('/v1/users/me', { headers: version })
  assert.ok(response instanceof Response)
  assert.equal(response.status, 200)
  assert.match(response.headers.get('content-type') ?? '', /json/)
  assert.equal(((await response.json()) as { type: string }).type, 'bot')
  const missing = await proxy('/v1/pages/00000000-0000-4000-8000-000000000000', { headers: version })
  assert.equal(missing.status, 404)
  assert.equal(((await missing.json()) as { object: string }).object, 'error')
  const listed = await proxy.get('/v1/users?page_size=1', { headers: version, query: { start_cursor: undefined } })
  assert.equal(((await listed.json()) as { results: unknown[] }).results.length, 1)
  const queried = await proxy.get('/v1/users', { headers: version, query: { page_size: 2 } })
  assert.equal(((await queried.json()) as { results: unknown[] }).results.length, 2)
})

test('what is sent: JSON, text, a stream; by each method', async () => {
  const found = await proxy.post('/v1/search', { headers: version, json: { query: 'home', page_size: 1 } })
  const { results } = (await found.json()) as { results: Named[] }
  const parent = { page_id: results[0]?.id }
  const title = (content: string) => ({ title: { title: [{ text: { content } }] } })
  const made = await proxy.post('/v1/pages', { headers: version, json: { parent, properties: title('One') } })
  assert.equal(made.status, 200)
  const path = `/v1/pages/${await idOf(made)}`
  const text = JSON.stringify({ properties: title('Two') })
  const headers = { ...version, 'content-type': 'application/json' }
  assert.equal((await proxy.patch(path, { headers, body: text })).status, 200)
  const streamed = await proxy('/v1/pages', {
    method: 'post',
    headers,
    body: new Blob([JSON.stringify({ parent, properties: title('Three') })]).stream(),
  })
  assert.equal(streamed.status, 200)
  const read = await proxy.get(path, { headers: version })
  assert.match(await read.text(), /"Two"/)
  assert.deepEqual(
    seen.map(each => each.split(' ')[0]),
    ['POST', 'POST', 'PATCH', 'POST', 'GET'],
  )
})

test('what the hub says no to is thrown, and is told from the provider', async () => {
  const nobody = hub.mortise.connection('nobody').proxy
  const error = await thrownBy(() => nobody.get('/v1/users/me'))
  assert.deepEqual([error.code, error.status], ['not_found', 404])
  const strange = await thrownBy(() => proxy.get('/v1/users/me', { baseUrl: 'https://evil.example.com' }))
  assert.equal(strange.code, 'invalid_request')
  for (const [bad, parameter] of [
    [{ retries: 99 }, 'mortise-retries'],
    [{ retryOn: [9] }, 'mortise-retry-on'],
  ] as const) {
    const refused = await thrownBy(() => proxy.get('/v1/users/me', bad))
    assert.equal(refused.code, 'invalid_request')
    assert.match(refused.parameter ?? '', new RegExp(parameter, 'i'))
  }
  assert.equal((await proxy.get('/v1/users/me', { retries: 1, retryOn: [429, 503] })).ok, true)
})

test('the path is sent as it is, or refused: it cannot climb to a route of the hub', async () => {
  for (const path of [
    '/../../../keys',
    '/v1/../../../../keys',
    '/v1/%2e%2e/%2E./keys',
    '/./v1',
    '/..',
    '/v1/..?a=b',
    '/v1\\..\\..\\keys',
    '/v1/users#me',
    '/v1/us\ners',
    '/v1/us\ters',
    'v1/users',
    'https://api.notion.com/v1/users',
    '',
    undefined as never,
  ]) {
    const error = await thrownBy(() => proxy.get(path))
    assert.deepEqual([error.code, error.parameter, error.status], ['invalid_request', 'path', undefined], String(path))
  }
  const wrong = [
    [{ method: 'TRACE' }, 'method'],
    [{ method: 'G ET' }, 'method'],
    [{ body: 'x' }, 'body'],
    [{ method: 'POST', body: 'x', json: {} }, 'json'],
    [{ headers: { Authorization: 'Bearer x' } }, 'headers'],
    [{ headers: { 'x-a': 'secret\nline' } }, 'headers'],
  ] as const
  for (const [init, parameter] of wrong) {
    const error = await thrownBy(() => proxy('/v1/users/me', init))
    assert.equal(error.parameter, parameter)
    assert.doesNotMatch(error.message, /secret/)
  }
  assert.deepEqual(seen, [])
  await proxy.get('/v1/a%2Fb/...?x=../..&y=%2e%2e', { headers: version })
  assert.deepEqual(seen, [`GET /api/v1/connections/${id}/proxy/v1/a%2Fb/...?x=../..&y=%2e%2e`])
})

test('the way to the hub is tried again, what the hub tried at the provider is not', async () => {
  const fromHub = { 'mortise-answer-from': 'hub' }
  faults.push(cut, say(502))
  assert.equal((await proxy.get('/v1/users/me', { headers: version })).status, 200)
  assert.equal(seen.length, 3)
  for (const code of ['provider_unavailable', 'provider_invalid_response']) {
    seen.length = 0
    faults.push(tell(503, code, fromHub))
    assert.equal((await thrownBy(() => proxy.get('/v1/users/me'))).code, code)
    assert.equal(seen.length, 1)
  }
  // The provider's own answer is the answer, whatever it says.
  faults.push(say(503, { 'mortise-answer-from': 'provider', 'retry-after': '1' }, 'down'))
  const down = await proxy.get('/v1/users/me')
  assert.deepEqual([down.status, await down.text()], [503, 'down'])
  const redirect = say(302, { 'mortise-answer-from': 'provider', location: 'https://files.example.com/a' }, '')
  faults.push(redirect)
  const moved = await proxy.get('/v1/files/1')
  assert.deepEqual([moved.status, moved.headers.get('location')], [302, 'https://files.example.com/a'])
  seen.length = 0
  faults.push(cut)
  assert.equal((await thrownBy(() => proxy.post('/v1/search', { json: {} }))).code, 'hub_unreachable')
  faults.push(tell(429, 'rate_limited', fromHub))
  const body = new Blob(['{}']).stream()
  assert.equal((await thrownBy(() => proxy.post('/v1/search', { body }))).code, 'rate_limited')
  assert.equal(seen.length, 2)
})

test('the time is up when no answer begins; a body takes its time, until the signal ends it', async () => {
  faults.push(() => {})
  const error = await thrownBy(() => proxy.post('/v1/search', { json: {}, timeoutMs: 100 }))
  assert.equal(error.code, 'timeout')
  const headers = { 'mortise-answer-from': 'provider' }
  let end = () => {}
  faults.push((_incoming, answer) => {
    answer.writeHead(200, headers).write('a')
    end = () => void answer.end('z')
  })
  const slow = await proxy.get('/v1/slow', { timeoutMs: 1000, totalTimeoutMs: 1000 })
  setTimeout(() => end(), 1100)
  assert.equal(await slow.text(), 'az')
  const leaving = new AbortController()
  const gone = new Promise(done => {
    faults.push((_incoming, answer) => {
      answer.on('close', done)
      answer.writeHead(200, headers).write('a')
    })
  })
  const endless = await proxy.get('/v1/endless', { signal: leaving.signal })
  leaving.abort()
  await assert.rejects(endless.text(), { name: 'AbortError' })
  await gone
})

test('an action by its name: its answer, and what is wrong before anything is sent', async () => {
  const { status, body } = await actions.run<{ results: Named[] }>('list-users', { query: { page_size: 2 } })
  assert.deepEqual([status, body.results.length], [200, 2])
  assert.equal((await actions.run<{ type: string }>('get-self')).body.type, 'bot')
  const missing = await actions.run('get-page', { path: { page_id: '00000000-0000-4000-8000-000000000000' } })
  assert.equal(missing.status, 404)
  const wrong = await thrownBy(() => actions.run('get-page', { path: {} }))
  assert.deepEqual([wrong.code, wrong.parameter], ['invalid_request', 'path.page_id'])
  const unknown = await thrownBy(() => actions.run('get-pge'))
  assert.equal(unknown.code, 'not_found')
  assert.match(unknown.message, /did you mean/)
  assert.equal((await thrownBy(() => actions.run('..'))).parameter, 'action')
  // Nobody here knows whether it makes something.
  seen.length = 0
  faults.push(cut)
  await thrownBy(() => actions.run('get-self'))
  assert.equal(seen.length, 1)
  const all = await hub.mortise.providers.actions('notion', { search: 'user' }).all()
  assert.ok(all.some(each => each.aliases.includes('list-users') && each.paginated))
  assert.equal((await hub.mortise.providers.action('notion', 'list-users')).method, 'GET')
})

test('a list is walked to its end, ended early, gone on with; by an action or by its path', async () => {
  const names = async (walk: AsyncIterable<Named>) => {
    const found: string[] = []
    for await (const each of walk) found.push(each.name)
    return found
  }
  const walk = actions.walk<Named>('list-users', { query: { page_size: 1 } })
  assert.deepEqual([walk.end, seen.length], [undefined, 0])
  const all = await names(walk)
  assert.equal(all.length, 3)
  assert.deepEqual(walk.end, { items: 3, pages: 3, next: null, complete: true })
  const some = actions.walk<Named>('list-users', { query: { page_size: 1 }, max: 1 })
  assert.deepEqual(await names(some), all.slice(0, 1))
  assert.equal(some.end?.complete, false)
  const rest = actions.walk<Named>('list-users', { query: { page_size: 1 }, from: some.end?.next ?? '' })
  assert.deepEqual(await names(rest), all.slice(1))
  const path = connection.walk<Named>({ path: '/v1/users', headers: version })
  assert.deepEqual(await names(path), all)
  for await (const first of walk) {
    assert.equal(first.name, all[0])
    break
  }
  assert.equal(walk.end, undefined)
  assert.equal((await thrownBy(() => names(actions.walk('get-self')))).code, 'invalid_request')
  assert.equal((await thrownBy(() => names(actions.walk('..')))).parameter, 'action')
})

test('a walk that goes wrong on its way: what came, then why; and one whose end never comes', async () => {
  const type = { 'content-type': 'application/x-ndjson' }
  const item = (name: string) => `${JSON.stringify({ item: { name } })}\n`
  const refused = {
    code: 'provider_unavailable',
    message: 'Notion answered page 2 of the walk with 503.',
    reason: null,
    actor: 'provider',
    status: 503,
    headers: { 'retry-after': '5' },
    body: { object: 'error' },
    items: 2,
    pages: 2,
    next: 'abc',
  }
  const read = async (body: string) => {
    faults.push(say(200, { ...type, 'x-request-id': 'r-2' }, body))
    const walk = actions.walk<Named>('list-users')
    const found: string[] = []
    const error = await thrownBy(async () => {
      for await (const each of walk) found.push(each.name)
    })
    return { found, error, end: walk.end }
  }
  const told = await read(`${item('Zoë')}${item('b')}${JSON.stringify({ error: refused })}\n`)
  assert.deepEqual(told.found, ['Zoë', 'b'])
  assert.deepEqual(told.end, { items: 2, pages: 2, next: 'abc', complete: false })
  const { code, status, retryable, whoMustAct, answer, requestId } = told.error
  assert.deepEqual([code, status, retryable, whoMustAct], ['provider_unavailable', 503, true, 'provider'])
  assert.deepEqual(answer, { status: 503, headers: { 'retry-after': '5' }, body: { object: 'error' } })
  assert.equal(requestId, 'r-2')
  for (const body of [item('a'), `${item('a')}{"item":{"na`, `${item('a')}<html>`]) {
    const { found, error, end } = await read(body)
    assert.deepEqual([found, error.code, error.retryable, end], [['a'], 'hub_unreachable', true, undefined])
  }
  faults.push((_incoming, response) => {
    response.writeHead(200, type)
    // Cut within a character, and before the end.
    const bytes = Buffer.from(item('Zoë') + item('b'))
    response.write(bytes.subarray(0, 20))
    setTimeout(() => {
      response.write(bytes.subarray(20))
      setTimeout(() => response.destroy(), 20)
    }, 20)
  })
  const found: string[] = []
  const broken = await thrownBy(async () => {
    for await (const each of actions.walk<Named>('list-users')) found.push(each.name)
  })
  assert.deepEqual([found, broken.code], [['Zoë', 'b'], 'hub_unreachable'])
})

test('who leaves a walk, or aborts it, ends it at the hub too', async () => {
  const type = { 'content-type': 'application/x-ndjson' }
  /** Whether the hub learns of it. */
  const open = () =>
    new Promise<boolean>(done => {
      faults.push((_incoming, answer) => {
        const late = setTimeout(() => done(false), 5000)
        answer.on('close', () => {
          clearTimeout(late)
          done(true)
        })
        answer.writeHead(200, type).write('{"item":1}\n')
      })
    })
  const left = open()
  for await (const _ of actions.walk('list-users')) break
  assert.equal(await left, true)
  const aborted = open()
  const leaving = new AbortController()
  const reason = new Error('left')
  await assert.rejects(
    async () => {
      for await (const _ of actions.walk('list-users', {}, { signal: leaving.signal })) leaving.abort(reason)
    },
    each => each === reason,
  )
  assert.equal(await aborted, true)
})
