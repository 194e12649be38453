/** Which headers pass the hub, and which end there. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { endsHere, returning, told } from './pass-headers.ts'

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

test('a credential that was sent in the query comes back in no header', () => {
  const own = 'https://api.example/v1/x?api_key=s&page=2'
  const headers = { link: `<${own}>; rel="next"`, 'content-location': own, 'x-next': own }
  const left = 'https://api.example/v1/x?page=2'
  const hidden = { link: `<${left}>; rel="next"`, 'content-location': left, 'x-next': left }
  assert.deepEqual(told(headers, 'api_key'), hidden)
  assert.deepEqual(returning({ ...headers, link: [headers.link], location: 'y?api_key=s' }, own, 'api_key'), {
    ...hidden,
    link: [hidden.link],
    location: 'https://api.example/v1/y',
  })
  assert.equal(told(headers)['x-next'], own)
})
