/** Where a credential stands, by data: each way against what its receiver would check. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { suite, test } from 'node:test'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { signAws } from '../net/aws.ts'
import { sign1 } from '../net/oauth1.ts'
import { type Credential, Secret } from './credential.ts'
import { withPlacedCredential } from './credential-header.ts'
import type { Client } from './grants/authorization-code.ts'
import type { StreamRequest } from './ports.ts'
import type { Provider } from './provider.ts'
import { type Placement, placement as placementSchema } from './provider-api.ts'

const notion = loadCatalogue().get('notion')
assert.ok(notion)
const at = new Date('2015-08-30T12:36:00.000Z')
const signer = { sign1, signAws, clock: { now: () => at } }
const token: Credential = { kind: 'apiKey', accessToken: new Secret('k&y/1'), raw: new Secret({}) }
const pair: Credential = { kind: 'basic', accessToken: new Secret('the id:the:secret'), raw: new Secret({}) }

const given: StreamRequest = {
  method: 'POST',
  url: 'https://api.notion.com/v1/a%2Fb?x=%20&key=mine&y',
  headers: {},
  sandbox: false,
  firstByte: 1,
  idle: 1,
}

/** The request as it goes out. `keys`: what the definition says of keys. */
const placed = (placement: unknown, credential: Credential, over: Partial<StreamRequest> = {}, more: object = {}) => {
  const { keys: _, ...rest } = notion
  const api = {
    ...notion.api,
    headers: { 'X-Site': '${config.site}' },
    placement: placementSchema.parse(placement) as Placement,
  }
  const provider = { ...rest, api, ...more } as Provider
  const integration = { clientId: 'c', settings: { zone: 'eu-west-1' } } as unknown as Client['integration']
  const client = { provider, integration, config: { site: 'acme' } }
  return withPlacedCredential(signer, { client, credential }, { ...given, ...over })
}

suite('a credential stands', () => {
  test('in the query, once, and the rest of that stays letter for letter', async () => {
    const { url, headers } = await placed({ in: 'query', param: 'key' }, token)
    assert.equal(url, 'https://api.notion.com/v1/a%2Fb?x=%20&y&key=k%26y%2F1')
    assert.deepEqual(headers, { 'user-agent': 'Mortise', 'x-site': 'acme' })
    const other = await placed({ in: 'query', param: 'a b' }, token, {
      url: 'https://api.notion.com/v1?a+b=1&%61%20b=2',
    })
    assert.equal(other.url, 'https://api.notion.com/v1?a%20b=k%26y%2F1')
  })

  test('in either half of Basic', async () => {
    for (const [placement, expected] of [
      [{ in: 'basic', token: 'user' }, 'k&y/1:'],
      [{ in: 'basic', token: 'password', other: 'api-${config.site}' }, 'api-acme:k&y/1'],
    ] as const) {
      const { authorization = '' } = (await placed(placement, token)).headers
      assert.equal(Buffer.from(String(authorization).slice('Basic '.length), 'base64').toString(), expected)
    }
  })

  test('in a body of JSON, of a form, or in none', async () => {
    const body = async (text: string | undefined, type?: string) => {
      const over = {
        ...(text === undefined ? {} : { body: Buffer.from(text) }),
        headers: type ? { 'content-type': type } : {},
      }
      const out = await placed({ in: 'body', field: 'token' }, token, over)
      return [String(out.body), out.headers['content-type']]
    }
    assert.deepEqual(await body('{"a":1,"token":"mine"}', 'application/json'), [
      '{"a":1,"token":"k&y/1"}',
      'application/json',
    ])
    const form = 'application/x-www-form-urlencoded'
    assert.deepEqual(
      await body('a=1&token=mine', form),
      ['a=1&token=k%26y%2F1', undefined].map((each, at) => (at === 1 ? form : each)),
    )
    assert.deepEqual(await body(undefined), ['{"token":"k&y/1"}', 'application/json'])
    await assert.rejects(body('[1]', 'application/json'), /must be a JSON object or a form/)
    const pieces = (async function* () {})()
    assert.throws(() => placed({ in: 'body', field: 'token' }, token, { body: pieces }), /must come whole/)
  })

  test('nowhere, but an HMAC of the request is made with it', async () => {
    const message = '${timestamp}.${method}.${path}.${body}.${config.site}'
    const { headers } = await placed(
      {
        in: 'hmac',
        header: 'X-Sig',
        prefix: 'v1=',
        message,
        encoding: 'base64',
        timestamp: { header: 'X-Time', unit: 'milliseconds' },
        id: 'X-Key',
      },
      pair,
      { body: Buffer.from('{"ä":1}') },
    )
    const time = String(at.getTime())
    const right = createHmac('sha256', 'the:secret').update(`${time}.POST./v1/a%2Fb?x=%20&key=mine&y.{"ä":1}.acme`)
    assert.deepEqual(
      [headers['x-sig'], headers['x-time'], headers['x-key']],
      [`v1=${right.digest('base64')}`, time, 'the id'],
    )
    assert.doesNotMatch(JSON.stringify(headers), /the:secret/)
  })

  test('and the HMAC is of what is sent: the path as it is written, and no body that is not text', async () => {
    const hmac = { in: 'hmac', header: 'X-Sig', prefix: '', encoding: 'hex' } as const
    const url = "https://acme.example/x{1}?q='a'"
    const { headers } = await placed({ ...hmac, message: '${path}' }, pair, { url })
    assert.equal(headers['x-sig'], createHmac('sha256', 'the:secret').update("/x{1}?q='a'").digest('hex'))
    assert.throws(
      () => placed({ ...hmac, message: '${body}' }, pair, { body: Buffer.from([0x7b, 0xff, 0x7d]) }),
      /must be UTF-8/,
    )
  })

  // The case get-vanilla of AWS's own test suite of Signature Version 4.
  test('nowhere, but the request is signed by SigV4', async () => {
    const accessToken = new Secret('AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY')
    const { headers } = await placed(
      { in: 'sigv4', service: 'service', region: 'us-east-1' },
      { ...pair, accessToken },
      { method: 'GET', url: 'https://example.amazonaws.com/' },
    )
    assert.equal(
      headers['authorization'],
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    )
    assert.equal(headers['x-amz-date'], '20150830T123600Z')
    const streamed = await placed(
      { in: 'sigv4', service: 's3', region: '${settings.zone}' },
      { ...pair, accessToken },
      { method: 'PUT', url: 'https://b.s3.amazonaws.com/k', body: (async function* () {})() },
    )
    assert.equal(streamed.headers['x-amz-content-sha256'], 'UNSIGNED-PAYLOAD')
    assert.match(String(streamed.headers['authorization']), /\/eu-west-1\/s3\//)
    await assert.rejects(async () => placed({ in: 'sigv4', service: 's', region: 'r' }, token), /no pair of these/)
  })

  test('where a kind of key has it, whatever the others have', async () => {
    const keys = { kinds: { apiKey: { title: 'Key', header: 'X-Key', prefix: '' } } }
    const { url, headers } = await placed({ in: 'query', param: 'key' }, token, {}, { keys })
    assert.deepEqual([url, headers['x-key']], [given.url, 'k&y/1'])
    const own = { kinds: { apiKey: { title: 'Key', placement: { in: 'query', param: 'k' } } } }
    assert.match((await placed({ in: 'basic', token: 'user' }, token, {}, { keys: own })).url, /&y&k=k%26y%2F1$/)
  })

  test('a value that would end a line stands in no header', () => {
    const placement = { in: 'query', param: 'key' }
    const bad = { config: { site: 'a\r\nb' } }
    const client = {
      provider: { ...notion, api: { ...notion.api, headers: { 'X-Site': '${config.site}' }, placement } },
      integration: { settings: {} },
      ...bad,
    }
    assert.throws(
      () =>
        withPlacedCredential(
          signer,
          { client, credential: token } as unknown as Parameters<typeof withPlacedCredential>[1],
          given,
        ),
      /must be plain ASCII/,
    )
  })
})
