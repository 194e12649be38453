/** Actions and walks at a provider that takes its token in the query, and has words of its own for one that has expired. */
import assert from 'node:assert/strict'
import { before, beforeEach, test } from 'node:test'
import type { Action } from '../src/core/action.ts'
import type { ActionAnswer } from '../src/core/run-action.ts'
import { noting, type ProxyWorld, proxyWorld } from './proxy-world.ts'
import { wholeFile } from './whole-file.ts'

const file = wholeFile()
let world: ProxyWorld
let name = ''

const more = `
  placement: { in: query, param: api_key }
  paginate: { kind: link, next: next, items: rows }
  expired: [{ status: 403, path: error, codes: [token_expired] }]
  failed: { path: ok, equals: false, code: error }`

before(async () => {
  world = await proxyWorld(file, more)
})
beforeEach(async () => {
  name = await world.connect()
  world.clock.forward(120)
  world.seen.length = 0
})

const action: Action = {
  id: 'write-thing',
  provider: 'local',
  aliases: [],
  title: 'Write a thing',
  description: 'Writes a thing.',
  resource: 'things',
  docs: 'https://local.example/docs',
  method: 'POST',
  path: '/things',
  parameters: [],
  body: { type: 'object' },
  headers: {},
  records: [],
}

const row = async () => {
  const { storage } = world.hub.rooms.hub.context
  const found = await storage.connection(world.hub.rooms.firstEnvironment.id, 'local', name)
  assert.ok(found)
  return found
}
const run = async (): Promise<ActionAnswer> =>
  world.hub.rooms.hub.execute(await row(), action, { body: { text: 'mine' } })

const tokenIn = (url: string): string | null => new URL(url, world.origin).searchParams.get('api_key')

/** Takes one token; the others are refused. */
const taking = (token: string, status: number, error: string) =>
  noting(world, ({ url, body }, response) => {
    response.setHeader('content-type', 'application/json')
    if (tokenIn(url) === token) return response.end(JSON.stringify({ took: body }))
    return response.writeHead(status).end(JSON.stringify({ error }))
  })

test('a token that has expired by the word of the definition is renewed once, and the action run again', async () => {
  world.play(taking('at 2', 403, 'token_expired'))
  const { status, body } = await run()
  assert.deepEqual([status, body], [200, { took: '{"text":"mine"}' }])
  assert.deepEqual([world.refreshes(), world.seen.length], [1, 2])
})

test('for a crowd it is renewed once, too', async () => {
  world.play(taking('at 2', 403, 'token_expired'))
  const all = await Promise.all(Array.from({ length: 20 }, run))
  assert.deepEqual(new Set(all.map(each => each.status)), new Set([200]))
  assert.equal(world.refreshes(), 1)
})

test('what the definition does not name as expiry is an answer, and spends nothing', async () => {
  for (const [status, error] of [
    [401, 'token_expired'],
    [403, 'not_yours'],
  ] as const) {
    world.play(taking('nobody’s', status, error))
    const answer = await run()
    assert.deepEqual([answer.status, answer.body], [status, { error }])
  }
  assert.deepEqual([world.refreshes(), world.seen.length], [0, 2])
})

test('what becomes of the second call is told, and not the refusal of the first: it may have been done', async () => {
  world.play(
    noting(world, ({ url }, response) => {
      if (tokenIn(url) === 'at 2') return response.destroy()
      return response.writeHead(403, { 'content-type': 'application/json' }).end('{"error":"token_expired"}')
    }),
  )
  await assert.rejects(run(), { code: 'provider_unavailable', details: { sent: true } })
})

test('a failure that is told with a 200 is told as one, and ends a walk', async () => {
  const saying = (body: unknown, status = 200) =>
    world.play(
      noting(world, (_, response) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      }),
    )
  for (const [body, status, failure] of [
    [{ ok: false, error: 'not_in_channel' }, 200, 'not_in_channel'],
    [{ ok: false }, 200, 'a failure'],
    [{ ok: 'false', error: 'x' }, 200, undefined],
    [{ ok: true, error: 'x' }, 200, undefined],
    [{ ok: false, error: 'x' }, 400, undefined],
    ['ok', 200, undefined],
  ] as const) {
    saying(body, status)
    const answer = await run()
    assert.deepEqual([answer.status, answer.body, answer.failure], [status, body, failure])
  }
  saying({ ok: false, error: 'not_in_channel', rows: [1] })
  const [line, ...more] = await walk()
  assert.deepEqual(more, [])
  const { code, message, status, body, items, next } = line.error
  assert.deepEqual([code, status, items, body.error], ['provider_rejected', 200, 0, 'not_in_channel'])
  assert.match(message, /^Local answered page 1 of the walk with not_in_channel\.$/)
  assert.ok(next)
})

const walk = async (from?: string) => {
  const response = await fetch(`${world.hub.origin}/api/v1/connections/${(await row()).id}/walk`, {
    method: 'POST',
    headers: { authorization: `Bearer ${world.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ path: '/things', max: from === undefined ? 1 : 100, from }),
  })
  return (await response.text())
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
}

test('a token in the query comes back in no header, and in no place where a walk goes on', async () => {
  world.play(
    noting(world, ({ url }, response) => {
      const at = new URL(url, world.origin)
      const page = Number(at.searchParams.get('page') ?? 1)
      at.searchParams.set('page', String(page + 1))
      response.setHeader('content-type', 'application/json')
      response.setHeader('link', `<${at}>; rel="next"`)
      response.setHeader('location', at.href)
      response.setHeader('content-location', at.href)
      response.end(JSON.stringify({ rows: [page], next: page < 3 ? at : null }))
    }),
  )
  const { headers } = await run()
  for (const place of ['link', 'location', 'content-location']) {
    assert.match(headers[place] ?? '', /\/api\/things\?page=2/)
    assert.doesNotMatch(headers[place] ?? '', /api_key|at(%20|\+| )1/)
  }
  world.seen.length = 0
  const [first, { end }] = await walk()
  assert.deepEqual(first, { item: 1 })
  assert.deepEqual(JSON.parse(Buffer.from(end.next, 'base64url').toString()), [`${world.origin}/api/things?page=2`, 0])
  const rest = await walk(end.next)
  assert.deepEqual(rest.slice(0, 2), [{ item: 2 }, { item: 3 }])
  // Each call has it once all the same.
  assert.deepEqual(
    world.seen.map(({ url }) => new URL(url, world.origin).searchParams.getAll('api_key')),
    [['at 1'], ['at 1'], ['at 1']],
  )
})
