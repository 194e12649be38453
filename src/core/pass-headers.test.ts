/** Which headers pass the hub, and which end there. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { endsHere, told } from './pass-headers.ts'

suite('headers that end at the hub', () => {
  test('are one list, whichever way a call goes', () => {
    for (const name of [
      'authorization',
      'cookie2',
      'http2-settings',
      'x-real-ip',
      'x-forwarded-for',
      'mortise-retries',
    ])
      assert.equal(endsHere(name), true, name)
    for (const name of ['accept', 'content-type', 'x-request-id', 'authorization-info'])
      assert.equal(endsHere(name), false, name)
  })

  test('of an answer that is told in a body are those of the connection, and those that it names', () => {
    assert.deepEqual(
      told({
        connection: 'x-hop, close',
        'x-hop': '1',
        'keep-alive': 'timeout=5',
        'set-cookie': 'a=1',
        'proxy-authenticate': 'Basic',
        etag: '"e"',
        'cache-control': 'private',
      }),
      { etag: '"e"', 'cache-control': 'private' },
    )
  })
})
