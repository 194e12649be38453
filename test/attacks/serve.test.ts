/** What is stricter in production: cookies under TLS, and no sandbox. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Secret } from '../../src/core/credential.ts'
import { sha256 } from '../../src/core/ids.ts'
import { addIntegration } from '../../src/core/setup.ts'
import { Browser, connectUrl, raw, startServing, startTestHub } from '../harness.ts'

const app = { key: 'github', provider: 'github', clientId: 'my-app', clientSecret: new Secret('the-secret') }

test("a start's cookie: on loopback without TLS, in production for this very host under TLS only", async t => {
  const dev = await startTestHub(t)
  const [inDev, ...more] = (await new Browser().get(connectUrl(dev, 'github'))).headers.getSetCookie()
  assert.match(inDev ?? '', /^mortise_[0-9a-f]{16}=[\w-]{43}; Path=\/; Max-Age=1200; HttpOnly; SameSite=Lax$/)
  assert.deepEqual(more, [])

  const hub = await startServing(t, { MORTISE_PUBLIC_URL: 'https://hub.example.com' })
  const { context } = hub.rooms.hub
  await addIntegration(context, hub.rooms.firstEnvironment, app)
  const link = `${hub.origin}/oauth/connect/github?public_key=${hub.rooms.firstEnvironment.publicKey}`
  const started = await raw(link, { host: 'hub.example.com' })
  assert.equal(started.status, 302)
  const authorize = new URL(String(started.headers['location']))
  assert.equal(authorize.origin, 'https://github.com')
  assert.equal(authorize.searchParams.get('redirect_uri'), 'https://hub.example.com/oauth/callback')
  const [cookie = '', ...others] = started.headers['set-cookie'] as string[]
  assert.match(cookie, /^__Host-mortise_[0-9a-f]{16}=[\w-]{43}; Path=\/; Max-Age=1200; HttpOnly; SameSite=Lax; Secure$/)
  assert.deepEqual(others, [])
  const state = authorize.searchParams.get('state') ?? ''
  assert.ok(cookie.startsWith(`__Host-mortise_${sha256(state).slice(0, 16)}=`))
  // The callback takes that cookie, and none that a page without TLS could have planted.
  const callback = `${hub.origin}/oauth/callback?state=${state}&error=access_denied`
  const [pair = ''] = cookie.split(';')
  const planted = await raw(callback, { host: 'hub.example.com', cookie: pair.replace('__Host-', '') })
  assert.match(planted.body, /begun in another browser/)
  assert.match((await raw(callback, { host: 'hub.example.com', cookie: pair })).body, /declined/)
})

test('in production no integration is marked for the sandbox, whoever asks', async t => {
  const hub = await startServing(t)
  const { context } = hub.rooms.hub
  assert.equal(context.maySandbox, false)
  await assert.rejects(addIntegration(context, hub.rooms.firstEnvironment, { ...app, sandbox: true }), {
    code: 'forbidden',
  })
  assert.deepEqual(await hub.rooms.storage.integrations(hub.rooms.firstEnvironment.id), [])
  const own = await addIntegration(context, hub.rooms.firstEnvironment, app)
  assert.equal(own.sandbox, false)
})
