import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite, type TestContext, test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { Secret } from '../core/credential.ts'
import { MortiseError } from '../core/errors.ts'
import type { CallRequest } from '../core/ports.ts'
import { createCall } from './call.ts'
import { signWebhook } from './webhook.ts'

suite('a signature', () => {
  const secrets = [1, 2].map(byte => new Secret(`whsec_${Buffer.alloc(32, byte).toString('base64')}`))
  const at = new Date()
  const headers = (signature: string) => ({
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': signature,
  })

  test('is there for each secret, and each one verifies alone', () => {
    const signature = signWebhook(secrets, 'msg_1', at, '{"ä":1}')
    assert.match(signature, /^v1,[A-Za-z0-9+/]{43}= v1,[A-Za-z0-9+/]{43}=$/)
    for (const secret of secrets)
      assert.deepEqual(new Webhook(secret.reveal()).verify('{"ä":1}', headers(signature)), { ä: 1 })
    const [first = new Secret('')] = secrets
    assert.throws(() =>
      new Webhook(secrets[1]?.reveal() ?? '').verify('{}', headers(signWebhook([first], 'msg_1', at, '{}'))),
    )
  })

  // The example of the specification's own libraries: the same in every language.
  test('is the one that the specification gives', () => {
    const secret = new Secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
    const signed = signWebhook(
      [secret],
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      new Date(1614265330_000),
      '{"test": 2432232314}',
    )
    assert.equal(signed, 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })
})

suite("a call to the operator's own app", () => {
  const serve = async (t: TestContext, address: string): Promise<{ port: number; asked: () => number }> => {
    let asked = 0
    const server = createServer((_, response) => {
      asked++
      response.end()
    })
    await new Promise<void>(done => server.listen(0, address, done))
    t.after(() => new Promise(done => server.close(done)))
    return { port: (server.address() as AddressInfo).port, asked: () => asked }
  }
  const post = (url: string, over: Partial<CallRequest> = {}): CallRequest => ({
    method: 'POST',
    url,
    headers: {},
    body: '{}',
    sandbox: false,
    operator: true,
    ...over,
  })
  const refused = (error: unknown) => error instanceof MortiseError && error.code === 'integration_misconfigured'

  for (const address of ['127.0.0.1', '::1'])
    test(`in dev may go to this machine by name, also where the app listens on ${address} only`, async t => {
      const { port } = await serve(t, address)
      const call = createCall({ allowedHosts: [], ownAppHere: true })
      assert.equal((await call.send(post(`http://localhost:${port}/`))).status, 200)
    })

  test('may not elsewhere, and no other call may in dev', async t => {
    const { port, asked } = await serve(t, '127.0.0.1')
    const url = `http://127.0.0.1:${port}/`
    const dev = createCall({ allowedHosts: [], ownAppHere: true })
    await assert.rejects(createCall({ allowedHosts: [] }).send(post(url)), refused)
    const { operator: _, ...provider } = post(url)
    await assert.rejects(dev.send(provider), refused)
    for (const other of [
      'http://10.0.0.1/',
      'https://169.254.169.254/',
      'http://[::ffff:127.0.0.1]/',
      'http://0.0.0.0/',
    ])
      await assert.rejects(dev.send(post(other)), refused, other)
    assert.equal(asked(), 0)
    assert.equal((await dev.send(post(url))).status, 200)
  })

  test('takes its own time limit', { timeout: 5000 }, async t => {
    const server = createServer(() => {})
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    t.after(() => {
      server.closeAllConnections()
      server.close()
    })
    const { port } = server.address() as AddressInfo
    const call = createCall({ allowedHosts: [], ownAppHere: true })
    const late = call.send(post(`http://127.0.0.1:${port}/`, { timeout: 50 }))
    await assert.rejects(late, { code: 'provider_unavailable', message: /did not answer in time/ })
  })
})
