import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { actionRequest } from './action-request.ts'
import { pathBelow } from './api-path.ts'
import { joined } from './pass-url.ts'
import { listAction } from './walk.ts'

const notion = loadCatalogue().get('notion')
assert.ok(notion)
const base = new URL('https://api.example/v2')
const provider = { ...notion, api: { ...notion.api, base: base.href } }
const caller = { provider, integration: { clientId: 'c', settings: {}, sandbox: false }, config: {} }

/** As the proxy sends it, and as a walk does: by one rule. */
const ways: [string, (path: string) => string][] = [
  ['the proxy', path => joined(base, path, '')],
  ['a walk', path => actionRequest(caller, listAction(provider, path), {}).url],
]

for (const [who, url] of ways) {
  test(`a path of ${who} stands below the base, letter for letter`, () => {
    for (const [path, expected] of [
      ['users', '/v2/users'],
      ['/users/', '/v2/users/'],
      ['//users', '/v2/users'],
      ['@127.0.0.1/x', '/v2/@127.0.0.1/x'],
      ['a%2Fb/%20/.x/', '/v2/a%2Fb/%20/.x/'],
      ['a//b', '/v2/a//b'],
    ] as const)
      assert.equal(url(path), base.origin + expected)
  })

  test(`a path of ${who} cannot climb, however that is written`, () => {
    for (const path of [
      ...['..', 'a/../x', 'a/%2e%2e/x', 'a/.%2E/x', 'a/..%2f..%2fx', 'a/..%5c..%5cx', 'a/%252e%252e/x', 'a/..;/x'],
      ...['a\\..\\x', 'x?y=1', 'x#y', 'thïngs', 'a b', 'a\nb'],
    ])
      assert.throws(
        () => url(path),
        { code: 'invalid_request', details: { reason: 'parameter', parameter: 'path' } },
        path,
      )
  })
}

test('a base without a path, or with a slash at its end, gains one slash', () => {
  assert.equal(pathBelow(new URL('https://api.example'), 'x'), '/x')
  assert.equal(pathBelow(new URL('https://api.example/v2/'), '/x'), '/v2/x')
})
