/** Actions from a terminal: listed, run, walked; and a file of them made of an OpenAPI document. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { ConnectionShape } from '../src/http/nango/shapes.ts'
import { connect, getJson, startTestHub, type TestHub, tempFolder } from './harness.ts'
import { type Ended, mortise } from './process.ts'

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.reverse()) await end()
})
const t = { after: (end: () => unknown) => void ends.push(end) }
let hub: TestHub
let id = ''

before(async () => {
  hub = await startTestHub(t)
  const { returned } = await connect(hub, 'notion')
  id = returned.searchParams.get('connection_id') ?? ''
})

const run = async (args: readonly string[], code = 0, input = ''): Promise<Ended> => {
  const settings = { MORTISE_PORT: new URL(hub.origin).port, MORTISE_DATA_DIR: '/nowhere' }
  const ended = await mortise(args, settings, input)
  assert.equal(ended.code, code, `${args.join(' ')}: ${ended.stdout}${ended.stderr}`)
  return ended
}

test('a provider’s actions are listed and shown', async () => {
  const listed = (await run(['actions', 'notion'])).stdout
  assert.match(listed, /^ACTION +ABOUT +PAGES +DOES +OTHER NAMES\n/)
  assert.match(listed, /^post-search +search +yes +Search by title +search, search-by-title$/m)
  const shown = (await run(['actions', 'notion', 'get-page'])).stdout
  assert.match(shown, /^Action +retrieve-a-page\n[\s\S]*Calls +GET \/v1\/pages\/\{page_id\}\n/)
  assert.match(shown, /^page_id +path +required +string +/m)
  const search = (await run(['actions', 'notion', 'search'])).stdout
  assert.match(search, /^query +body +string +Words of the title$/m)
  assert.match((await run(['actions'], 2)).stderr, /Give the id of a provider/)
})

test('an action is run: each parameter goes where the action has it', async () => {
  const found = JSON.parse((await run(['run', id, 'search', '--param', 'query=home', '--param', 'page_size=1'])).stdout)
  assert.equal(found.results.length, 1)
  const page = found.results[0].id
  const shown = await run(['run', id, 'get-page', '--param', `page_id=${page}`, '--param', 'filter_properties=title'])
  assert.deepEqual(Object.keys(JSON.parse(shown.stdout).properties), ['title'])
  // A body of standard input, with a field beside it.
  const body = JSON.stringify({ parent: { page_id: page } })
  const properties = JSON.stringify({ title: { title: [{ text: { content: 'By hand' } }] } })
  const made = await run(
    ['run', id, 'post-page', '--body', '-', '--param', `properties=${properties}`, '--json'],
    0,
    body,
  )
  const { status, headers, body: answer } = JSON.parse(made.stdout)
  assert.deepEqual([status, answer.object], [200, 'page'])
  assert.match(headers['content-type'], /json/)
})

test('what is wrong is named, and each kind of failure has its exit code', async () => {
  const wrong: [args: string[], code: number, says: RegExp][] = [
    [['get-page'], 1, /path\.page_id is missing/],
    [['get-page', '--param', 'page_di=x'], 2, /--param page_di: .* \(did you mean page_id\?\)\. It takes page_id/],
    [['search', '--max', '5'], 2, /--max is of a walk/],
    [['nonsense'], 3, /has no action "nonsense"/],
  ]
  const said = wrong.map(async ([args, code, says]) =>
    assert.match((await run(['run', id, ...args], code)).stderr, says),
  )
  await Promise.all(said)
  // The provider's own refusal is printed as it came.
  const refused = await run(['run', id, 'get-page', '--param', 'page_id=00000000-0000-4000-8000-000000000000'], 6)
  assert.equal(JSON.parse(refused.stdout).code, 'object_not_found')
  assert.match(refused.stderr, /notion answered with 404\./)
})

test('a failure that a provider tells of with a 200 is one, with the exit code of a refusal', async () => {
  const { returned } = await connect(hub, 'slack')
  const connection = returned.searchParams.get('connection_id') ?? ''
  const told = await run(['run', connection, 'get-self'])
  assert.equal(JSON.parse(told.stdout).ok, true)
  const given = await getJson<ConnectionShape>(`${hub.origin}/connection/${connection}?provider_config_key=slack`)
  assert.ok('access_token' in given.body.credentials)
  assert.ok(hub.sandbox.revoke(given.body.credentials.access_token ?? ''))
  const refused = await run(['run', connection, 'get-self'], 6)
  assert.deepEqual(JSON.parse(refused.stdout), { ok: false, error: 'invalid_auth' })
  assert.match(refused.stderr, /slack answered with invalid_auth\./)
})

test('a list is walked: items on standard output, how it ended on standard error', async () => {
  const names = (text: string) => text.split('\n').flatMap(line => (line === '' ? [] : JSON.parse(line).name))
  const some = await run(['run', id, 'list-users', '--walk', '--max', '2'])
  assert.deepEqual(names(some.stdout), ['Ada Lovelace', 'Charles Babbage'])
  const [, next = ''] = /^2 items in 1 page\. There is more\. Go on with: --from (\S+)\n$/.exec(some.stderr) ?? []
  const rest = await run(['run', id, 'list-users', '--walk', '--from', next])
  assert.deepEqual(names(rest.stdout), ['Mortise'])
  assert.match(rest.stderr, /^1 item in 1 page\.\n$/)
  const missing = [
    'run',
    id,
    'get-block-children',
    '--walk',
    '--param',
    'block_id=00000000-0000-4000-8000-000000000000',
  ]
  const refused = await run(missing, 6)
  assert.match(refused.stderr, /"object_not_found"[\s\S]*answered page 1 of the walk with 404/)
})

test('an OpenAPI document becomes a file of actions that the check takes, beside a definition', async () => {
  const folder = join(tempFolder(t), 'providers')
  mkdirSync(folder)
  const document = join(folder, '..', 'openapi.json')
  const operation = (operationId: string) => ({ operationId, summary: operationId, responses: {} })
  const paths = { '/v1/me': { get: operation('getMe') }, '/v1/x': { get: operation('getX'), head: operation('lookX') } }
  const servers = [{ url: 'https://api.figma.com' }]
  writeFileSync(document, JSON.stringify({ openapi: '3.1.0', info: { title: 'Figma API' }, servers, paths }))
  const importing = ['provider', 'import-openapi', document, '--provider', 'figma']
  const wrong = await run([...importing, '--out', join(folder, 'x'), '--only', 'getMee'], 1)
  assert.match(wrong.stderr, /no operation "getMee" \(did you mean getMe\?\)/)
  assert.ok(!existsSync(join(folder, 'x')))
  const made = await run([...importing, '--out', folder])
  assert.match(
    made.stdout,
    /Wrote .*figma\.actions\.yaml: 2 actions of figma\.\nNot in it: HEAD \/v1\/x \(lookX\): its method is HEAD\n/,
  )
  assert.match(made.stdout, /Next: npx mortise provider check/)
  assert.match((await run([...importing, '--out', folder], 1)).stderr, /is there already, and was left as it is/)
  assert.match((await run(['provider', 'check', folder])).stdout, /1 actions file, no mistake/)
  // Of a provider that is not defined yet, it says what to write.
  const fresh = await run(['provider', 'import-openapi', document, '--out', folder, '--only', 'getMe'])
  assert.match(fresh.stdout, /Next: npx mortise provider new figma-api .*with api\.base: https:\/\/api\.figma\.com/)
})
