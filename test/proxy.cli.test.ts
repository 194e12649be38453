/** `mortise proxy`, as a person uses it: the answer on standard output, the rest beside it. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { mortise } from './process.ts'
import { noting, proxyWorld } from './proxy-world.ts'

test('mortise proxy: methods, headers, bodies from everywhere, and how it ends', async t => {
  const world = await proxyWorld(t)
  await world.connect()
  const settings = { MORTISE_API_KEY: world.key, MORTISE_URL: world.hub.origin, MORTISE_DATA_DIR: '/nowhere' }
  world.play(
    noting(world, ({ url }, response) =>
      url.startsWith('/api/bad') ? response.writeHead(404).end('{"no":1}') : response.end('grüße'),
    ),
  )
  const file = join(world.hub.dataDir, 'body.json')
  writeFileSync(file, '{"from":"file"}')
  const runs = await Promise.all([
    mortise(['proxy', 'c1', '/v1/x?a=%20', '-H', 'X-Mine: 1'], settings),
    mortise(['proxy', 'c1', '/file', '--data', `@${file}`, '--integration', 'local'], settings),
    mortise(['proxy', 'c1', 'patch', 'in', '-d', '-', '-H', 'content-type: text/plain'], settings, 'from input'),
    mortise(['proxy', 'c1', '/bad'], settings),
    mortise(['proxy', 'nobody', '/x'], settings),
    mortise(['proxy', 'c1', '../../x'], settings),
    mortise(['proxy', 'c1', '/x', '-H', 'authorization: mine'], settings),
    mortise(['proxy', 'c1'], settings),
  ])
  assert.deepEqual(
    runs.map(({ code, stdout }) => [code, stdout]),
    [
      [0, 'grüße'],
      [0, 'grüße'],
      [0, 'grüße'],
      [1, '{"no":1}'],
      [3, ''],
      [2, ''],
      [2, ''],
      [2, ''],
    ],
  )
  assert.equal(runs[0]?.stderr, '200 OK\n')
  assert.equal(runs[3]?.stderr, '404 Not Found\n')
  assert.match(runs[4]?.stderr ?? '', /"nobody" is no connection/)
  assert.match(runs[6]?.stderr ?? '', /the hub puts it there/)
  const seen = world.seen.map(({ method, url, body, headers }) => [method, url, body, headers['content-type'] ?? ''])
  assert.deepEqual(seen.sort(), [
    ['GET', '/api/bad', '', ''],
    ['GET', '/api/v1/x?a=%20', '', ''],
    ['PATCH', '/api/in', 'from input', 'text/plain'],
    ['POST', '/api/file', '{"from":"file"}', 'application/json'],
  ])
  assert.equal(world.seen.find(each => each.url.startsWith('/api/v1'))?.headers['x-mine'], '1')
})
