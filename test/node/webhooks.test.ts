/** Deliveries that a hub really signed, as the server SDK checks them; and what nobody signed. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { type Incoming, isMortiseError, verifyWebhook } from '../../packages/node/src/index.ts'
import { rotateSecret, setEndpoint } from '../../src/core/notify.ts'
import { startReceiver } from '../receiver.ts'
import { startSdkHub } from './hub.ts'

/** Why it is refused, and nothing of the secret in the refusal. */
const reasonOf = (incoming: Incoming): string => {
  try {
    verifyWebhook(incoming)
  } catch (thrown) {
    assert.ok(isMortiseError(thrown, 'webhook_invalid', 'not_configured'))
    for (const secret of [incoming.secret].flat())
      if (String(secret).length > 10) assert.ok(!thrown.message.includes(secret.slice(6)))
    return thrown.reason ?? thrown.parameter ?? ''
  }
  return 'fine'
}

const old = `whsec_${Buffer.alloc(24, 1).toString('base64')}`
const young = `whsec_${Buffer.alloc(32, 2).toString('base64')}`
const body = '{"type":"connection.created","data":{"connectionId":"conn_é","userId":"u","integrationId":"notion"}}'
const at = new Date('2026-11-21T10:00:00.000Z')

const signed = (secret: string, { id = 'id-1', text = body, sent = at } = {}): Incoming => ({
  body: text,
  secret,
  now: at,
  headers: {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(sent.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, sent, text),
  },
})

test('a delivery of the hub, before and while its secret is rotated', async t => {
  const hub = await startSdkHub()
  const receiver = await startReceiver(t)
  const { context } = hub.rooms.hub
  const environment = hub.rooms.firstEnvironment
  const first = (await setEndpoint(context, environment, { url: receiver.url })).secret?.reveal() ?? ''
  const connectionId = await hub.connected('anna')
  const got = await receiver.next()
  const delivery = verifyWebhook({ ...got, secret: first })
  assert.equal(delivery.type, 'connection.created')
  assert.ok(delivery.type === 'connection.created')
  assert.deepEqual([delivery.data.connectionId, delivery.data.integrationId], [connectionId, 'notion'])
  assert.equal(delivery.id, got.id)
  assert.ok(Math.abs(delivery.sentAt.getTime() - Date.now()) < 60_000)
  assert.equal(reasonOf({ ...got, body: got.body.replace('notion', 'github'), secret: first }), 'signature')

  const second = (await rotateSecret(context, environment)).secret.reveal()
  await hub.connected('berta')
  const both = await receiver.next()
  for (const secret of [first, second, [first, second], [second, first]])
    assert.equal(verifyWebhook({ ...both, secret }).id, both.id)
  assert.equal(reasonOf({ ...both, secret: young }), 'signature')
})

test('with the body as bytes, the headers as fetch has them, in any case', () => {
  const incoming = signed(young)
  const headers = incoming.headers as Record<string, string>
  assert.equal(reasonOf({ ...incoming, body: Buffer.from(body) }), 'fine')
  assert.equal(reasonOf({ ...incoming, body: new TextEncoder().encode(body) }), 'fine')
  assert.equal(reasonOf({ ...incoming, headers: new Headers(headers) }), 'fine')
  const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))
  assert.equal(reasonOf({ ...incoming, headers: upper }), 'fine')
})

test('either secret while they change, whichever signed', () => {
  for (const signer of [old, young]) {
    assert.equal(reasonOf({ ...signed(signer), secret: [old, young] }), 'fine')
    assert.equal(reasonOf({ ...signed(signer), secret: [young, old] }), 'fine')
  }
  assert.equal(reasonOf({ ...signed(old), secret: young }), 'signature')
})

test('what was changed on its way is refused', () => {
  const incoming = signed(young)
  const headers = incoming.headers as Record<string, string>
  const [, signature = ''] = headers['webhook-signature']?.split(',') ?? []
  const bytes = Buffer.from(signature, 'base64')
  const with_ = (change: Record<string, string>) => reasonOf({ ...incoming, headers: { ...headers, ...change } })
  assert.equal(reasonOf({ ...incoming, body: `${body} ` }), 'signature')
  assert.equal(reasonOf({ ...incoming, body: body.replace('conn_é', 'conn_e') }), 'signature')
  assert.equal(reasonOf({ ...incoming, body: '' }), 'signature')
  assert.equal(with_({ 'webhook-id': 'id-2' }), 'signature')
  assert.equal(with_({ 'webhook-timestamp': String(at.getTime() / 1000 + 1) }), 'signature')
  for (const strange of [
    `v1,${bytes.subarray(0, 16).toString('base64')}`,
    `v1,${Buffer.concat([bytes, Buffer.from([0])]).toString('base64')}`,
    `v1,${Buffer.alloc(32).toString('base64')}`,
    `v1a,${signature}`,
    `v2,${signature}`,
    signature,
    'v1,',
    'v1',
    ' ',
  ])
    assert.equal(with_({ 'webhook-signature': strange }), 'signature', strange)
  // One that is right among others is enough.
  assert.equal(with_({ 'webhook-signature': `v1a,xyz v1,AAAA v1,${signature}` }), 'fine')
  for (const name of Object.keys(headers)) {
    assert.equal(with_({ [name]: '' }), 'header_missing', name)
    const { [name]: _, ...others } = headers
    assert.equal(reasonOf({ ...incoming, headers: others }), 'header_missing', name)
  }
})

test('one that somebody kept is refused, and one of the future', () => {
  const of = (seconds: number, more: Partial<Incoming> = {}) =>
    reasonOf({ ...signed(young, { sent: new Date(at.getTime() + seconds * 1000) }), ...more })
  assert.deepEqual([of(-300), of(300), of(-301), of(301)], ['fine', 'fine', 'timestamp', 'timestamp'])
  assert.equal(of(-301, { toleranceSeconds: 600 }), 'fine')
  assert.equal(of(-1, { toleranceSeconds: 0 }), 'timestamp')
  assert.equal(of(0, { toleranceSeconds: 0 }), 'fine')
  // A time that is none, though it is signed.
  for (const timestamp of ['soon', '1e9', '-1', '0x10', '99999999999999']) {
    const key = Buffer.from(young.slice(6), 'base64')
    const mac = createHmac('sha256', key).update(`id-1.${timestamp}.${body}`).digest('base64')
    const headers = { 'webhook-id': 'id-1', 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${mac}` }
    assert.equal(reasonOf({ body, secret: young, now: at, headers }), 'timestamp', timestamp)
  }
})

test('a mistake in how it is called is no verdict on the delivery', () => {
  const incoming = signed(young)
  for (const secret of ['', 'whsec_', 'secret', young.slice(6), [], [young, ''], undefined as never])
    assert.equal(reasonOf({ ...incoming, secret }), 'secret', String(secret))
  assert.equal(reasonOf({ ...incoming, body: JSON.parse(body) }), 'body')
  for (const toleranceSeconds of [Number.NaN, -1, Number.POSITIVE_INFINITY])
    assert.equal(reasonOf({ ...incoming, toleranceSeconds }), 'toleranceSeconds')
})
