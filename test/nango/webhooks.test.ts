/** Webhooks as the published clients expect them: each is sent to a real receiver, and checked by the unmodified client. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { Nango } from 'nango-node-latest'
import { sendTest, setEndpoint } from '../../src/core/notify.ts'
import { connect, startTestHub, type TestHub } from '../harness.ts'
import { newKey } from '../page.ts'
import { mortise } from '../process.ts'
import { type Received, startReceiver } from '../receiver.ts'

const subscribed = async (hub: TestHub, url: string): Promise<string> => {
  const { hub: core, firstEnvironment } = hub.rooms
  const { secret } = await setEndpoint(core.context, firstEnvironment, { url, style: 'connections' })
  return secret?.reveal() ?? ''
}

/** As the client of an app checks it; and no client takes what was changed on the way. */
const verified = (webhookSigningKey: string, { body, headers }: Received) => {
  const client = new Nango({ apiKey: '11111111-2222-4333-8444-555555555555', webhookSigningKey })
  assert.equal(client.verifyIncomingWebhookRequest(body, headers), true)
  const old = createHash('sha256')
    .update(webhookSigningKey + JSON.stringify(JSON.parse(body)))
    .digest('hex')
  assert.equal(headers['x-nango-signature'], old)
  for (const [changed, under] of [
    [`${body} `, headers],
    [body.replace('{', '{"success":true,'), headers],
    [body, { ...headers, 'x-nango-hmac-sha256': headers['x-nango-signature'] ?? '' }],
    [body, { ...headers, 'x-nango-hmac-sha256': '' }],
  ] as const)
    assert.equal(client.verifyIncomingWebhookRequest(changed, under), false)
  const other = new Nango({
    apiKey: '11111111-2222-4333-8444-555555555555',
    webhookSigningKey: `${webhookSigningKey}x`,
  })
  assert.equal(other.verifyIncomingWebhookRequest(body, headers), false)
  return JSON.parse(body)
}

test('creation, override and a refresh that failed, each with who it is of, verified by the client', async t => {
  const hub = await startTestHub(t)
  const receiver = await startReceiver(t)
  const secret = await subscribed(hub, receiver.url)
  const { key } = await newKey(hub)
  const token = 'as it was given'
  const imported = (access: string) =>
    fetch(`${hub.origin}/connections`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        provider_config_key: 'github',
        connection_id: 'a b/c',
        credentials: { type: 'OAUTH2', access_token: access },
        end_user: { id: 'u1', email: 'ada@acme.example', organization: { id: 'acme' }, tags: { plan: 'pro' } },
        tags: { z: '1', a: '2' },
      }),
    })
  assert.equal((await imported(token)).status, 201)
  const created = await receiver.next()
  const tags = { a: '2', end_user_email: 'ada@acme.example', end_user_id: 'u1', organization_id: 'acme', z: '1' }
  const whole = {
    authMode: 'OAUTH2',
    connectionId: 'a b/c',
    endUser: { endUserEmail: 'ada@acme.example', endUserId: 'u1', organizationId: 'acme', tags: { plan: 'pro' } },
    environment: 'dev',
    from: 'nango',
    operation: 'creation',
    provider: 'github',
    providerConfigKey: 'github',
    success: true,
    tags,
    type: 'auth',
  }
  const told = verified(secret, created)
  assert.deepEqual({ ...told, tags }, whole)
  assert.equal(told.tags.end_user_id, 'u1')
  // Keys in order, at every depth.
  assert.equal(created.body, JSON.stringify({ ...whole, tags: Object.fromEntries(Object.entries(told.tags).sort()) }))
  assert.equal(created.headers['content-type'], 'application/json')
  assert.ok(!created.body.includes(token))

  assert.equal((await imported('another')).status, 201)
  assert.deepEqual({ ...verified(secret, await receiver.next()), tags }, { ...whole, operation: 'override' })

  await connect(hub, 'hubspot', { connection_id: '1' })
  assert.equal(verified(secret, await receiver.next()).operation, 'creation')
  const read = async () =>
    (
      await fetch(`${hub.origin}/connections/1?provider_config_key=hubspot&force_refresh=true`, {
        headers: { authorization: `Bearer ${key}` },
      })
    ).json() as Promise<{ credentials: { access_token: string }; error: { code: string; message: string } }>
  assert.ok(hub.sandbox.revoke((await read()).credentials.access_token))
  const { error } = await read()
  const lost = verified(secret, await receiver.next())
  assert.deepEqual(
    [lost.operation, lost.success, lost.error.type, lost.connectionId, lost.providerConfigKey, lost.endUser],
    ['refresh', false, 'refresh_refused', '1', 'hubspot', undefined],
  )
  assert.ok(error.message.startsWith(lost.error.description))
  // Once, however often it is read.
  await read()
  await hub.rooms.hub.settle()
  assert.equal(receiver.received.length, 4)
})

test('a connection with a URL of its own is told of there, signed as the others', async t => {
  const hub = await startTestHub(t)
  const [receiver, own] = [await startReceiver(t), await startReceiver(t)]
  const secret = await subscribed(hub, receiver.url)
  const { key } = await newKey(hub)
  const client = new Nango({ apiKey: key, host: hub.origin } as ConstructorParameters<typeof Nango>[0])
  const credentials = { type: 'OAUTH2', access_token: 'x' }
  const imported = await fetch(`${hub.origin}/connections`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      provider_config_key: 'github',
      connection_id: '1',
      credentials,
      webhook_url_override: `${own.url}?of=1`,
    }),
  })
  assert.equal(imported.status, 201)
  const told = await own.next()
  assert.equal(told.url, '/webhooks?of=1')
  assert.deepEqual(verified(secret, told).connectionId, '1')
  await connect(hub, 'github', { connection_id: '2' })
  assert.equal(verified(secret, await receiver.next()).connectionId, '2')
  assert.equal(own.received.length, 1)
  assert.equal((await client.listConnections()).connections.length, 2)
})

test('the test button tells in that style too; another style is refused, and named', async t => {
  const hub = await startTestHub(t)
  const receiver = await startReceiver(t)
  const secret = await subscribed(hub, receiver.url)
  const { hub: core, firstEnvironment } = hub.rooms
  await assert.rejects(setEndpoint(core.context, firstEnvironment, { url: receiver.url, style: 'nango' }), {
    message: 'There is no style "nango"; the styles are: standard, connections.',
  })

  await sendTest(core.context, firstEnvironment)
  assert.deepEqual(verified(secret, await receiver.next()), { environment: 'dev', from: 'nango', type: 'test' })
  const { endpoint } = await setEndpoint(core.context, firstEnvironment, { url: receiver.url, style: 'standard' })
  assert.deepEqual(endpoint.events, ['connection.created'])
  await sendTest(core.context, firstEnvironment)
  const standard = await receiver.next()
  assert.deepEqual(
    [standard.body, standard.headers['x-nango-hmac-sha256']],
    ['{"type":"webhook.test","data":{}}', undefined],
  )
})

test('webhook set --style connections: from the command to what the client accepts; another style is named', async t => {
  const hub = await startTestHub(t)
  const receiver = await startReceiver(t)
  const run = (...args: string[]) => mortise(['webhook', ...args], { MORTISE_DATA_DIR: hub.dataDir })
  const wrong = await run('set', receiver.url, '--style', 'nango')
  assert.deepEqual([wrong.code, wrong.stdout], [1, ''])
  assert.match(wrong.stderr, /There is no style "nango"; the styles are: standard, connections\./)
  const set = await run('set', receiver.url, '--style', 'connections')
  assert.equal(set.code, 0, set.stderr)
  await connect(hub, 'notion')
  verified(set.stdout.trim(), await receiver.next())
  // A new URL alone leaves the style, and with it the events.
  assert.equal((await run('set', `${receiver.url}/other`)).code, 0)
  const { endpoint } = JSON.parse((await run('show', '--json')).stdout)
  const every = ['connection.created', 'connection.repaired', 'connection.reauthorization_required']
  assert.deepEqual([endpoint.style, endpoint.events], ['connections', every])
})
