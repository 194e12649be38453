/** What the SDK refuses by itself: nothing of it may reach any network. */
import assert from 'node:assert/strict'
import { before, type TestContext, test } from 'node:test'
import type { Alloy, ConnectError } from '@mortise/web'

const requests: unknown[] = []
before(() => {
  globalThis.fetch = (...args) => {
    requests.push(args)
    throw new Error('a request was made')
  }
})

let loaded = 0

/** The SDK as a page that was just loaded has it, and what it writes to the console. */
const fresh = async (t: TestContext): Promise<{ alloy: Alloy; written: string[] }> => {
  const written: string[] = []
  t.mock.method(console, 'error', (line: string) => written.push(line))
  t.after(() => assert.deepEqual(requests, []))
  loaded += 1
  const { alloy } = (await import(`${import.meta.resolve('@mortise/web')}?${loaded}`)) as { alloy: Alloy }
  return { alloy, written }
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const header = part({ alg: 'HS256' })
const jwt = (claims: unknown) => `${header}.${part(claims)}.c2ln`
const now = () => Math.floor(Date.now() / 1000)

const refused = async (alloy: Alloy, value: unknown): Promise<ConnectError> => {
  const error: unknown = await alloy.authenticate(value as string).then(
    () => assert.fail(`${String(value)} was taken`),
    each => each,
  )
  assert.ok(error instanceof Error)
  return error as ConnectError
}

test('API keys are refused, of whatever vendor, and never repeated', async t => {
  const { alloy, written } = await fresh(t)
  const keys = [
    `mortise_sk_${'a1B2'.repeat(12)}`,
    `mortise_hk_${'a1B2'.repeat(12)}`,
    'sk_live.with.dots',
    'sk_short',
    'a1B2c3D4e5F6g7H8',
    'EXAMPLE-key_of-21-chr',
    '3f2b8c1e-6d5a-4b7f-9e0c-1a2b3c4d5e6f',
    `  mortise_sk_${'a1B2'.repeat(12)}\n`,
  ]
  for (const key of keys) {
    const error = await refused(alloy, key)
    assert.equal(error.code, 'api_key_in_page', key)
    assert.match(error.message, /API key.*must never be in a page.*GET \/users\/\{id\}\/token.*pass that JWT/)
    assert.ok(!error.message.includes(key.trim()))
  }
  assert.equal(written.length, keys.length)
})

test('what is no JWT is refused', async t => {
  const { alloy } = await fresh(t)
  for (const value of [undefined, null, '', '   ']) assert.equal((await refused(alloy, value)).code, 'no_token')
  const strange = [
    'short',
    'a.b.c',
    `${header}.${part({})}`,
    `${header}.${part({})}.c2ln.x.y`,
    `${header}.${part('text')}.c2ln`,
    `${part({ typ: 'JWT' })}.${part({})}.c2ln`,
    `Bearer ${jwt({})}`,
    { token: jwt({}) },
    42,
  ]
  for (const value of strange) assert.equal((await refused(alloy, value)).code, 'not_a_jwt', String(value))
  assert.match((await refused(alloy, { token: jwt({}) })).message, /no JWT, but object/)
})

test('an expired JWT is refused, five minutes late; others are taken', async t => {
  const { alloy, written } = await fresh(t)
  const error = await refused(alloy, jwt({ exp: 1762656925 }))
  assert.equal(error.code, 'token_expired')
  assert.match(error.message, /expired at 2025-11-09T02:55:25\.000Z.*GET \/users\/\{id\}\/token/)
  assert.equal((await refused(alloy, jwt({ exp: now() - 310 }))).code, 'token_expired')
  written.length = 0
  await alloy.authenticate(jwt({ exp: now() - 290 }))
  await alloy.authenticate(jwt({ exp: now() + 3600, user: { _id: '69110206d6d6670fb17451f8', name: 'Ünï' } }))
  await alloy.authenticate(` ${jwt({})}\n`)
  alloy.setToken(jwt({}))
  assert.deepEqual(written, [])
})

/** What a flow told, in order, when it was over. */
const toldBy = async (start: (callbacks: object) => Promise<unknown>) => {
  const told: (string | ConnectError)[] = []
  const flow = start({
    onSuccess: () => told.push('success'),
    onError: (error: ConnectError) => told.push(error),
    onClose: () => told.push('close'),
  })
  assert.equal(told.length, 0, 'nothing is told before connect has returned')
  await flow.catch(() => {})
  return told
}

test('a refusal that nobody awaited comes back from connect, the same one; a good token ends it', async t => {
  const { alloy, written } = await fresh(t)
  const unhandled: unknown[] = []
  const listen = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', listen)
  t.after(() => process.off('unhandledRejection', listen))
  alloy.authenticate('sk_live_a1B2c3D4')
  const [first, ...rest] = await toldBy(callbacks => alloy.connect('notion', callbacks))
  assert.equal((first as ConnectError).code, 'api_key_in_page')
  assert.deepEqual(rest, ['close'])
  assert.deepEqual(written, [(first as ConnectError).message])
  assert.equal((await refused(alloy, 'sk_live_a1B2c3D4')).message, (first as ConnectError).message)
  alloy.setToken(jwt({}))
  const [second] = await toldBy(callbacks => alloy.connect('notion', callbacks))
  assert.equal((second as ConnectError).code, 'no_hub')
  await new Promise(setImmediate)
  assert.deepEqual(unhandled, [])
})

test('connect says what is missing', async t => {
  const { alloy } = await fresh(t)
  const code = async (start: (callbacks: object) => Promise<unknown>) => {
    const [error, ...rest] = await toldBy(start)
    assert.deepEqual(rest, ['close'])
    return (error as ConnectError).code
  }
  assert.equal(await code(callbacks => alloy.connect('notion', callbacks)), 'no_token')
  assert.equal(await code(callbacks => alloy.connect({ session: '', ...callbacks })), 'invalid_request')
  assert.equal(await code(callbacks => alloy.connect({ session: 'mortise_sk_a', ...callbacks })), 'api_key_in_page')
  assert.equal(await code(callbacks => alloy.connect({ session: '1.abc', ...callbacks })), 'no_hub')
  const hub = 'javascript:alert(1)'
  assert.equal(await code(callbacks => alloy.connect({ session: '1.abc', hub, ...callbacks })), 'no_hub')
  alloy.setToken(jwt({}))
  assert.equal(await code(callbacks => alloy.connect('', callbacks)), 'invalid_request')
  assert.equal(await code(callbacks => alloy.connect(undefined as never, callbacks)), 'invalid_request')
  assert.throws(() => alloy.setHub('hub.example.com'), /no address of a hub/)
  assert.equal(await alloy.resume({ onClose: () => assert.fail('there is nothing to resume') }), undefined)
})
