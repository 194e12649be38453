/** What the definition says of a proxied call: what is tried again, what is an expiry, where it may go. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { loadCatalogue } from '../catalogue/catalogue.ts'
import { createBody } from '../net/body.ts'
import type { Caller } from './action-request.ts'
import type { Context } from './context.ts'
import { MortiseError } from './errors.ts'
import { createMend, peeked } from './mend.ts'
import { retryRules, waitFor } from './pass-retry.ts'
import { baseOf, joined, mayGo } from './pass-url.ts'
import type { StreamAnswer } from './ports.ts'
import type { Provider } from './provider.ts'
import { expired, retry } from './provider-api.ts'
import type { Refresher } from './refresh.ts'
import type { Sender } from './sender.ts'

const notion = loadCatalogue().get('notion')
assert.ok(notion)
const where = (api: object): Provider => ({ ...notion, api: { ...notion.api, ...api } })
const caller = (api: object = {}): Caller =>
  ({ provider: where(api), integration: { settings: {} }, config: {} }) as unknown as Caller

suite('what is tried again', () => {
  test('is what HTTP says may be repeated, or the definition, or the caller', () => {
    const rules = (method: string, api = {}, asked = {}) => {
      const { times, on, repeatable, asked: told } = retryRules(where(api), { method, ...asked })
      return [times, on.join(), repeatable, told]
    }
    assert.deepEqual(rules('GET'), [2, '429,502,503,504', true, false])
    assert.deepEqual(rules('POST'), [2, '429,502,503,504', false, false])
    const own = { retry: retry.parse({ times: 4, on: [500], also: ['POST'] }) }
    assert.deepEqual(rules('POST', own), [4, '500', true, false])
    assert.deepEqual(rules('PATCH', own, { retries: 1, retryOn: [409] }), [1, '409', false, true])
  })

  test('waits as it is asked to, or more each time, and not past the end', () => {
    const clock = { clock: { now: () => new Date(0) } }
    const after = (seconds: string) => ({ status: 429, headers: { 'retry-after': seconds } }) as unknown as StreamAnswer
    const now = performance.now()
    assert.equal(waitFor(0, after('3'), now, clock), 3000)
    assert.equal(waitFor(0, after(new Date(5000).toUTCString()), now, clock), 5000)
    assert.equal(waitFor(0, after('21'), now, clock), undefined)
    assert.equal(waitFor(0, after('3'), now - 18_000, clock), undefined)
    const [first = 0, third = 0] = [0, 2].map(tries => waitFor(tries, undefined, now, clock))
    assert.ok(first >= 187 && first <= 313 && third >= 750 && third <= 1250, `${first} ${third}`)
  })
})

suite('an expiry', () => {
  const mend = createMend({} as Context, {} as Refresher)
  const answer = (status: number, body: string | Buffer = '', headers = {}): StreamAnswer => {
    const filled = createBody({ pause() {}, resume() {}, abort() {} })
    filled.push(Buffer.from(body))
    filled.end()
    return { status, headers, body: filled }
  }
  const is = (rules: unknown, of: StreamAnswer, renewable = true) =>
    mend.isExpiry(
      { renewable, client: caller(rules === undefined ? {} : { expired: expired.parse(rules) }) } as unknown as Sender,
      of.status,
      () => peeked(of),
    )

  test('is any 401 of what can be renewed, or what the definition says', async () => {
    assert.equal(is(undefined, answer(401)), true)
    assert.equal(is(undefined, answer(403)), false)
    assert.equal(is(undefined, answer(401), false), false)
    assert.equal(await is([{ status: 403 }], answer(403)), true)
    assert.equal(await is([{ status: 403 }], answer(401)), false)
  })

  test('may be told by a code of the body, which stays, compressed or not', async () => {
    const rules = [{ status: 200, path: ['error', 'e.code'], codes: ['token_expired', '190'] }].map(each => ({
      ...each,
      status: 400,
    }))
    const expiredBody = '{"error":"token_expired"}'
    const whole = answer(400, expiredBody)
    assert.equal(await is(rules, whole), true)
    const pieces: Uint8Array[] = []
    for await (const piece of whole.body) pieces.push(piece)
    assert.equal(Buffer.concat(pieces).toString(), expiredBody)
    assert.equal(await is(rules, answer(400, '{"e":{"code":190}}')), true)
    assert.equal(await is(rules, answer(400, gzipSync(expiredBody), { 'content-encoding': 'gzip' })), true)
    assert.equal(await is(rules, answer(400, '{"error":"other"}')), false)
    assert.equal(await is(rules, answer(400, 'token_expired')), false)
    assert.throws(() => expired.parse([{ status: 400, codes: ['x'] }]), /stand together/)
  })
})

suite('where a call may go', () => {
  const named = caller({ hosts: ['*.files.example', 'up.example'] })
  const never = () => false
  const refused = (base: string, allows: (url: URL) => boolean = never): string => {
    try {
      baseOf(named, base, allows)
    } catch (error) {
      assert.ok(error instanceof MortiseError)
      return error.details.parameter ?? ''
    }
    return 'taken'
  }

  test('is the base, or another named host; the operator may name more', () => {
    for (const base of ['https://up.example', 'https://a.files.example/v2', 'https://api.notion.com/'])
      assert.equal(baseOf(named, base, never).href.startsWith(base.replace(/\/$/, '')), true)
    assert.equal(baseOf(named, '', never).origin, 'https://api.notion.com')
    for (const base of [
      'https://evil.example',
      'https://files.example',
      'https://up.example.evil.example',
      'https://up.example:8443',
      'http://up.example',
      'https://user@up.example',
      'https://up.example@evil.example',
      'https://evil.example/@up.example',
      'https://up.example\\.evil.example',
      'https://up.example?x',
      'https://up.example#x',
      'https://up.example/../..%2f',
      '//up.example',
      'up.example',
      'file:///etc/passwd',
      'javascript:alert(1)',
      ' https://evil.example',
    ])
      assert.equal(refused(base), base.includes('..%2f') ? 'path' : 'baseUrl', base)
    assert.equal(
      refused('https://inside.example:8443/x', url => url.host === 'inside.example:8443'),
      'taken',
    )
  })

  test('of a redirect is the same, and the base that was given', () => {
    const may = (url: string, given?: string) =>
      mayGo(named, new URL(url), given === undefined ? undefined : new URL(given))
    assert.deepEqual(
      ['https://up.example/x', 'https://api.notion.com/x', 'https://a.files.example/x'].map(each => may(each)),
      [true, true, true],
    )
    for (const url of [
      'https://evil.example',
      'http://api.notion.com/x',
      'https://api.notion.com:8443/',
      'https://u:p@api.notion.com/',
    ])
      assert.equal(may(url), false, url)
    assert.equal(may('https://inside.example/x', 'https://inside.example'), true)
  })

  test('is one URL, whatever the path', () => {
    const base = new URL('https://api.notion.com/v1/')
    assert.equal(joined(base, '//a%2Fb', '?q=%00'), 'https://api.notion.com/v1/a%2Fb?q=%00')
    for (const [path, query] of [
      ['a b', ''],
      ['a\nb', ''],
      ['ä', ''],
      ['a?b', ''],
      ['a', '?x#y'],
      ['a', 'x'],
      ['a', '?x y'],
    ] as const)
      assert.throws(() => joined(base, path, query), /must be plain ASCII/, path + query)
  })
})
