/** The recorder: what an API was asked, letter for letter, and an answer for calls that are not played. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf, orchard, type Stage, stage } from './play.ts'

const unplayed = 'https://{farm}.orchard.example/v2'
const recording = (): Promise<Stage> => stage({ expectations: [{ ...orchard, unplayed }] })
const shed = 'https://hill.orchard.example/v2/sheds/a%20b'

const ask = (s: Stage, url: string, token: string, method = 'GET', body?: string): Promise<Response> =>
  fetch(s.sandbox.url(url), {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body }),
  })

test('nothing is kept, and nothing unplayed is answered, until it is switched on, and after it is switched off', async () => {
  const s = await recording()
  const { access } = await s.orchardTokens()
  const closed = async () => {
    assert.equal((await ask(s, shed, access)).status, 404)
    assert.equal((await s.tree(access)).status, 200)
    assert.deepEqual(s.sandbox.requests, [])
  }
  await closed()
  s.sandbox.set('orchard', { record: true })
  s.sandbox.reset('orchard')
  await closed()
})

test('a call is kept as it was sent, with the token masked wherever it stood', async () => {
  const s = await recording()
  s.sandbox.set('orchard', { record: true, accessToken: () => 'orc_0!1' })
  const { access } = await s.orchardTokens()
  const body = `{ "b": 1,  "a": "${access}" }`
  const answer = await ask(s, `${shed}?z=1&y=%C3%BC+x&key=orc_0%211`, access, 'PATCH', body)
  assert.deepEqual([answer.status, await bodyOf(answer)], [200, {}])
  const [kept, ...more] = s.sandbox.requests
  assert.ok(kept)
  assert.deepEqual(more, [])
  assert.deepEqual(
    [kept.provider, kept.method, kept.url, kept.body],
    ['orchard', 'PATCH', `${shed}?z=1&y=%C3%BC+x&key={token}`, '{ "b": 1,  "a": "{token}" }'],
  )
  assert.equal(kept.headers['authorization'], 'Bearer {token}')
  assert.equal(kept.headers['content-type'], 'application/json')
  assert.doesNotMatch(JSON.stringify(s.sandbox.requests), /orc_0/)
  // A call without a body has none.
  await ask(s, shed, access, 'DELETE')
  assert.ok(!('body' in (s.sandbox.requests[1] ?? {})))
})

test('what is played is kept, too, and answered as it is played', async () => {
  const s = await recording()
  const { access } = await s.orchardTokens()
  s.sandbox.set('orchard', { record: true })
  assert.equal((await bodyOf(await s.tree(access)))['tree'], 'old oak')
  assert.deepEqual(
    s.sandbox.requests.map(({ method, url }) => `${method} ${url}`),
    ['GET https://hill.orchard.example/trees/old%20oak'],
  )
})

test('without a live token, at another host or outside the API, nothing is kept or answered', async () => {
  const s = await recording()
  const { access } = await s.orchardTokens()
  s.sandbox.set('orchard', { record: true })
  assert.equal((await ask(s, shed, 'orc_other')).status, 403)
  assert.equal((await ask(s, 'https://dale.orchard.example/v2/sheds', access)).status, 403)
  assert.equal((await ask(s, 'https://hill.orchard.example/v20', access)).status, 404)
  assert.equal((await ask(s, 'https://hill.orchard.example/v2', access)).status, 404)
  assert.equal((await ask(s, 'https://elsewhere.example/v2/sheds', access)).status, 404)
  assert.deepEqual(s.sandbox.requests, [])
})
