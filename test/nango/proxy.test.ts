/** The published clients, unmodified, through the proxy to the sandbox's Notion. The one of 2023 sends its headers as they are. */
import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { connect, startTestHub, type TestHub } from '../harness.ts'
import { newKey } from '../page.ts'
import { wholeFile } from '../whole-file.ts'

const file = wholeFile()
let hub: TestHub
let key: string
const named = { providerConfigKey: 'notion', connectionId: 'ada b/ü' }

before(async () => {
  hub = await startTestHub(file)
  key = (await newKey(hub)).key
  await connect(hub, 'notion', { connection_id: named.connectionId })
})

type Json = Record<string, unknown>

/** What the provider itself answers to the connection's token: what the client must be given, but for what is new each time. */
const directly = async (path: string, method = 'GET', body?: unknown): Promise<Json> => {
  const read = await hub.rooms.hub.read(hub.rooms.firstEnvironment.id, 'notion', named.connectionId)
  const response = await fetch(hub.rooms.hub.context.call.page(`https://api.notion.com${path}`, true), {
    method,
    headers: {
      authorization: `Bearer ${read.credential.accessToken.reveal()}`,
      'notion-version': '2022-06-28',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return (await response.json()) as Json
}

const same = (given: unknown, expected: Json): void => {
  const { request_id: _, ...rest } = given as Json
  const { request_id: __, ...other } = expected
  assert.deepEqual(rest, other)
}

interface Client {
  get(config: object): Promise<{ status: number; data: Json; headers: Json }>
  post: Client['get']
  patch: Client['get']
  delete: Client['get']
  proxy: Client['get']
}

const clients = {
  async 'of today'(): Promise<Client> {
    const { Nango } = await import('nango-node-latest')
    return new Nango({ host: hub.origin, secretKey: key }) as unknown as Client
  },
  async 'of 2023'(): Promise<Client> {
    const { Nango } = await import('nango-node-2023')
    return new Nango({ host: hub.origin, secretKey: key }) as unknown as Client
  },
}

/** What an error of the client carries. */
const failure = async (failing: Promise<unknown>): Promise<{ status: number; data: Json; headers: Json }> => {
  try {
    await failing
  } catch (error) {
    return (error as { response: { status: number; data: Json; headers: Json } }).response
  }
  return assert.fail('it did not fail')
}

for (const [name, make] of Object.entries(clients))
  suite(`the client ${name}`, () => {
    let nango: Client
    let page: string
    before(async () => {
      nango = await make()
    })

    test('searches, creates, reads, updates and queries', async () => {
      const search = { filter: { property: 'object', value: 'database' } }
      const found = await nango.post({ ...named, endpoint: '/v1/search', data: search })
      assert.equal(found.status, 200)
      same(found.data, await directly('/v1/search', 'POST', search))
      const [database] = found.data['results'] as Json[]
      assert.ok(database)
      const title = Object.entries(database['properties'] as Record<string, Json>).find(
        ([, each]) => each['type'] === 'title',
      )?.[0]
      assert.ok(title)
      const properties = { [title]: { title: [{ text: { content: `Grüße ${name}` } }] } }
      const made = await nango.post({
        ...named,
        endpoint: 'v1/pages',
        data: { parent: { database_id: database['id'] }, properties },
      })
      page = String(made.data['id'])
      assert.deepEqual([made.status, made.data['object']], [200, 'page'])
      const read = await nango.get({ ...named, endpoint: `/v1/pages/${page}` })
      same(read.data, await directly(`/v1/pages/${page}`))
      const changed = await nango.patch({
        ...named,
        endpoint: `/v1/pages/${page}`,
        data: { icon: { type: 'emoji', emoji: '🎉' } },
      })
      assert.deepEqual(changed.data['icon'], { type: 'emoji', emoji: '🎉' })
      same(changed.data, await directly(`/v1/pages/${page}`))
      const asked = { page_size: 1 }
      const query = await nango.proxy({
        ...named,
        method: 'POST',
        endpoint: `/v1/databases/${database['id']}/query`,
        data: asked,
      })
      same(query.data, await directly(`/v1/databases/${database['id']}/query`, 'POST', asked))
    })

    test('sends parameters, headers of its own, and deletes', async () => {
      const users = await nango.get({ ...named, endpoint: '/v1/users', params: { page_size: '1' } })
      same(users.data, await directly('/v1/users?page_size=1'))
      // The definition's version is not what the caller asks for, which the sandbox knows nothing of.
      const headers = { 'Notion-Version': '1999-01-01' }
      const { status, data } = await failure(nango.get({ ...named, endpoint: '/v1/users', headers }))
      assert.equal(status, 400)
      assert.match(JSON.stringify(data), /version/i)
      const appended = await nango.patch({
        ...named,
        endpoint: `/v1/blocks/${page}/children`,
        data: {
          children: [
            {
              object: 'block',
              type: 'paragraph',
              paragraph: { rich_text: [{ type: 'text', text: { content: 'x' } }] },
            },
          ],
        },
      })
      const [block] = appended.data['results'] as Json[]
      const gone = await nango.delete({ ...named, endpoint: `/v1/blocks/${block?.['id']}` })
      assert.deepEqual([gone.status, gone.data['archived']], [200, true])
    })

    test('is given the provider’s error as it is, and ours as ours', async () => {
      const theirs = await failure(nango.proxy({ ...named, method: 'PUT', endpoint: '/v1/users', data: { a: 1 } }))
      assert.deepEqual([theirs.status, theirs.headers['mortise-answer-from']], [405, 'provider'])
      const missing = await failure(
        nango.get({ ...named, endpoint: `/v1/pages/${page.replace(/^./, each => (each === '0' ? '1' : '0'))}` }),
      )
      assert.deepEqual(
        [missing.status, missing.data['code'], missing.headers['mortise-answer-from']],
        [404, 'object_not_found', 'provider'],
      )
      const ours = await failure(nango.get({ ...named, connectionId: 'nobody', endpoint: '/v1/users' }))
      assert.deepEqual([ours.status, ours.headers['mortise-answer-from']], [400, 'hub'])
      assert.deepEqual((ours.data['error'] as Json)['code'], 'server_error')
      assert.match(String((ours.data['error'] as Json)['message']), /^Failed to get connection/)
      const unknown = await failure(nango.get({ ...named, providerConfigKey: 'nothing', endpoint: '/v1/users' }))
      assert.deepEqual([unknown.status, (unknown.data['error'] as Json)['code']], [400, 'unknown_provider_config'])
    })
  })

test('today’s client names the statuses, another base within the definition, and streams', async () => {
  const { Nango } = await import('nango-node-latest')
  const nango = new Nango({ host: hub.origin, secretKey: key })
  const answer = await nango.get({
    ...named,
    endpoint: '/v1/users/me',
    baseUrlOverride: 'https://api.notion.com',
    retryOn: [418],
    decompress: true,
    forwardHeadersOnRedirect: true,
    responseType: 'stream',
  } as Parameters<typeof nango.get>[0])
  const pieces: Buffer[] = []
  for await (const piece of answer.data as AsyncIterable<Buffer>) pieces.push(piece)
  same(JSON.parse(Buffer.concat(pieces).toString()), await directly('/v1/users/me'))
  const away = await failure(nango.get({ ...named, endpoint: '/v1/users/me', baseUrlOverride: 'https://evil.example' }))
  assert.equal(away.status, 400)
  assert.match(JSON.stringify(away.data), /evil\.example is not a host that the definition of Notion names/)
})

test('a key without the scope proxies nothing', async () => {
  const { Nango } = await import('nango-node-latest')
  const { key: other } = await newKey(hub, { scopes: ['connections:read'] })
  const nango = new Nango({ host: hub.origin, secretKey: other })
  const { status, data, headers } = await failure(nango.get({ ...named, endpoint: '/v1/users/me' }))
  assert.deepEqual([status, (data['error'] as Json)['code'], headers['mortise-answer-from']], [403, 'forbidden', 'hub'])
})
