/** Which headers pass the hub, and which end there. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { endsHere, returning, told, travelling } from './pass-headers.ts'

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

test('what proxies and networks before the hub say of the caller does not travel', () => {
  const ends = [
    'cdn-loop',
    'cf-connecting-ip',
    'cf-ipcountry',
    'cloudfront-viewer-address',
    'fastly-client-ip',
    'fly-client-ip',
    'true-client-ip',
    'x-appengine-user-ip',
    'x-azure-clientip',
    'x-client-ip',
    'x-cluster-client-ip',
    'x-envoy-external-address',
    'x-nf-client-connection-ip',
    'x-original-forwarded-for',
    'x-original-host',
    'x-vercel-forwarded-for',
    'x-vercel-ip-country',
  ]
  const given = Object.fromEntries(
    [...ends, 'x-client-version', 'fastly-key', 'x-vercel-digest'].map(name => [name, '1.2.3.4']),
  )
  assert.deepEqual(Object.keys(travelling(given)), ['x-client-version', 'fastly-key', 'x-vercel-digest'])
})

test('an answer does not steer what stands before the hub, nor a session that a browser binds', () => {
  const ends = [
    'attribution-reporting-register-source',
    'sec-session-registration',
    'secure-session-challenge',
    'x-accel-buffering',
    'x-accel-redirect',
    'x-lighttpd-send-file',
    'x-lighttpd-send-tempfile',
    'x-reproxy-expected-size',
    'x-reproxy-url',
    'x-sendfile',
    'x-sendfile2',
    'x-litespeed-location',
    'x-litespeed-cache-control',
  ]
  const given = Object.fromEntries([...ends, 'x-accelerator', 'location'].map(name => [name, 'https://a.example/x']))
  assert.deepEqual(Object.keys(returning(given, 'https://a.example/')), ['x-accelerator', 'location'])
})

test('each place is told as a whole URL, and what makes none as it is', () => {
  const whole = (location: string | string[]) => returning({ location }, 'https://a.example/x/y')['location']
  assert.deepEqual(whole(['z', '/z']), ['https://a.example/x/z', 'https://a.example/z'])
  assert.equal(whole('//b.example'), 'https://b.example/')
  assert.equal(whole('https://['), 'https://[')
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
