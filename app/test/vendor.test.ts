/** The application against a server that behaves as the vendor does: it survives, with the words of S2. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { AlloyClient } from '../src/alloy-client.ts'
import { AlloyOAuthFlow } from '../src/oauth-flow.ts'
import { closedPort, run, start, startServer, Tab, tempFolder } from './process.ts'
import { startVendor, type Vendor } from './vendor.ts'

const settingsFor = (vendor: Vendor) => ({
  ALLOY_BASE_URL: vendor.origin,
  ALLOY_API_KEY: vendor.apiKey,
  ALLOY_USER_ID: vendor.userId,
})

const configFor = (vendor: Vendor, connectionId?: string) => ({
  alloyApiKey: vendor.apiKey,
  alloyBaseUrl: vendor.origin,
  alloyUserId: vendor.userId,
  connectionId,
})

/** So many sign-ins, as a person who tries again makes them. */
const signIn = async (vendor: Vendor, times: number): Promise<void> => {
  const flow = new AlloyOAuthFlow(configFor(vendor))
  for (let n = 0; n < times; n++) {
    const { oauthUrl } = await flow.initiateOAuthFlow('notion', 'http://localhost:1/oauth/callback')
    await fetch(oauthUrl, { redirect: 'manual' })
  }
}

const json = async (url: string, init?: RequestInit): Promise<Record<string, unknown>> =>
  (await fetch(url, init)).json() as Promise<Record<string, unknown>>

test('the stand-in refuses what the vendor refuses', async t => {
  const vendor = await startVendor(t)
  const headers = {
    authorization: `Bearer ${vendor.apiKey}`,
    'x-api-version': '2025-09',
    'content-type': 'application/json',
  }
  const post = async (path: string, body: unknown) => {
    const response = await fetch(vendor.origin + path, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, body: await response.json() }
  }
  const redirectUri = 'http://localhost:3000/oauth/callback'
  // S1's curl as printed.
  assert.deepEqual(
    await post('/connectors/notion/credentials', { connectorId: 'notion', credentialType: 'oauth2', redirectUri }),
    {
      status: 400,
      body: {
        error: {
          message: 'Validation failed',
          details: [{ properties: 'credentialType', message: 'property credentialType should not exist' }],
        },
      },
    },
  )
  const nobody = await post('/connectors/notion/credentials', { authenticationType: 'oauth2', redirectUri })
  assert.match(JSON.stringify(nobody), /"status":400.*userId must be a valid ID/)
  assert.equal((await post('/connectors/notion/credentials/callback', { code: 'x' })).status, 404)
  assert.equal((await post(`/users/${vendor.userId}/token`, {})).status, 404)
  for (const path of [`/users/${vendor.userId}/connections`, `/2025-09/users/${vendor.userId}/token`])
    assert.equal((await fetch(vendor.origin + path, { headers })).status, 404)
  assert.equal((await fetch(`${vendor.origin}/connectors`)).status, 401)
})

test('Connect Notion: the callback carries nothing, and the page shows the latest connection', async t => {
  const vendor = await startVendor(t)
  const { origin, command } = await startServer(t, settingsFor(vendor))
  const tab = new Tab()
  const first = await tab.follow(`${origin}/connect/notion`)
  assert.equal(first.url, `${origin}/oauth/callback`)
  assert.equal(first.status, 200)
  assert.match(first.text, /✅ Connection Found!/)
  assert.match(first.text, /The callback was received but no authorization code was found/)
  const [one] = vendor.credentials
  assert.ok(first.text.includes(`CONNECTION_ID=${one?.credentialId}`))
  assert.ok(first.text.includes('Eddie Fu&#39;s Notion'))
  // Both spellings first; then without the one that is refused, and nothing was made twice.
  const bodies = vendor.requests.filter(each => each.path.endsWith('/notion/credentials')).map(each => each.body)
  const redirectUri = `${origin}/oauth/callback`
  const state = (bodies[0] as { state: string }).state
  const both = { connectorId: 'notion', authenticationType: 'oauth2', redirectUri, userId: vendor.userId, state }
  assert.deepEqual(bodies, [{ ...both, credentialType: 'oauth2' }, both])
  assert.match(state, /^[\w-]{43}$/)
  assert.equal(vendor.credentials.length, 1)

  const second = await tab.follow(`${origin}/connect/notion`)
  assert.ok(second.text.includes(`CONNECTION_ID=${vendor.credentials[1]?.credentialId}`))
  assert.ok(!(command.output.stdout + command.output.stderr).includes(vendor.apiKey))
})

test('eleven tries leave eleven connections, and everything marks the latest, wherever it stands', async t => {
  const vendor = await startVendor(t)
  const settings = settingsFor(vendor)
  const { origin } = await startServer(t, settings)
  const tab = new Tab()
  for (let n = 0; n < 11; n++) assert.equal((await tab.follow(`${origin}/connect/notion`)).status, 200)
  assert.equal(vendor.credentials.length, 11)
  const latest = vendor.credentials[10]
  assert.equal(latest?.name, "Eddie Fu's Notion (11)")
  // In whatever order they are listed.
  for (const order of [vendor.credentials.slice(), vendor.credentials.toReversed()]) {
    vendor.credentials.splice(0, 11, ...order)
    const list = await json(`${origin}/api/connections`)
    assert.equal(list['success'], true)
    assert.equal(list['count'], 11)
    const rows = list['connections'] as Record<string, unknown>[]
    assert.deepEqual(
      rows.filter(each => each['isLatest']).map(each => each['name']),
      [latest.name],
    )
    for (const row of rows)
      assert.ok(row['id'] && row['id'] === row['connectionId'] && row['id'] === row['credentialId'])
    assert.equal((list['latest'] as Record<string, unknown>)['connectionId'], latest.credentialId)

    const printed = await run(t, 'list-connections', settings)
    assert.equal(printed.code, 0, printed.stderr)
    assert.match(printed.stdout, /🔍 Fetching connections from Alloy…[\s\S]*✅ Connections found:/)
    assert.equal(printed.stdout.match(/^Connection \d+:/gm)?.length, 11)
    assert.match(
      printed.stdout,
      new RegExp(
        `⭐ Latest\\n {2}ID: ${latest.credentialId}\\n {2}Integration: notion\\n {2}Name: Eddie Fu's Notion \\(11\\)`,
      ),
    )
    assert.equal(printed.stdout.match(/⭐/g)?.length, 1)
    assert.ok(printed.stdout.trimEnd().endsWith(`CONNECTION_ID=${latest.credentialId}`))
    assert.doesNotMatch(printed.stdout, /undefined/)
  }
  const page = await tab.open(`${origin}/oauth/callback`)
  assert.ok((await page.text()).includes(`CONNECTION_ID=${latest.credentialId}`))
  const check = await json(`${origin}/api/connections/notion/check`)
  assert.deepEqual(check, {
    success: true,
    connected: true,
    connectionId: latest.credentialId,
    name: latest.name,
    status: null,
    count: 11,
  })
  // The vendor has no route for one of them: it is found in the list.
  const one = await json(`${origin}/api/connections/${latest.credentialId}`)
  assert.equal((one['connection'] as Record<string, unknown>)['name'], latest.name)
  const none = await fetch(`${origin}/api/connections/000000000000000000000000`)
  assert.equal(none.status, 404)
})

test('without a connection the callback says what to do', async t => {
  const vendor = await startVendor(t)
  const { origin } = await startServer(t, settingsFor(vendor))
  const page = await new Tab().open(`${origin}/oauth/callback`)
  assert.equal(page.status, 400)
  const text = await page.text()
  assert.match(text, /OAuth Error: No Authorization Code Received/)
  assert.match(text, /The callback was received but no authorization code was found/)
  assert.match(text, /href="\/connect\/notion"/)
  const answer = await fetch(`${origin}/oauth/callback`, { headers: { accept: 'application/json' } })
  assert.equal(answer.status, 400)
  assert.match(JSON.stringify(await answer.json()), /"success":false,"error":"The callback was received but no auth/)
})

test('test-oauth: the address without a code leads to the latest connection', async t => {
  const vendor = await startVendor(t)
  const settings = settingsFor(vendor)
  const command = start(t, 'test-oauth', settings)
  const [, url = ''] = await command.seen(/1\. Copy this OAuth URL:\n\n(\S+)/)
  assert.match(command.output.stdout, /🧪 Testing OAuth Flow for Notion\n\nSTEP 1/)
  assert.match(command.output.stdout, /✅ OAuth flow initiated successfully!/)
  const returned = (await fetch(url, { redirect: 'manual' })).headers.get('location')
  assert.equal(returned, 'http://localhost:3000/oauth/callback')
  command.child.stdin?.end(`${returned}\n`)
  assert.equal(await command.ended, 0, command.output.stderr)
  assert.match(command.output.stdout, /The callback was received but no authorization code was found/)
  assert.ok(command.output.stdout.trimEnd().endsWith(`CONNECTION_ID=${vendor.credentials[0]?.credentialId}`))

  const ended = await run(t, 'test-oauth', settings)
  assert.equal(ended.code, 0)
  assert.match(ended.stdout, /api\/strategy\/connector\/notion\/authorize\?/)
  assert.equal(vendor.credentials.length, 1, 'printing the URL makes nothing')
})

test('connect-notion: the new connection is the one that was not there before, and .env holds it', async t => {
  const vendor = await startVendor(t)
  await signIn(vendor, 2)
  const file = join(tempFolder(t), '.env')
  writeFileSync(file, `# mine\nALLOY_API_KEY=${vendor.apiKey}\nCONNECTION_ID=old\n`)
  const command = start(t, 'connect-notion', {
    ALLOY_BASE_URL: vendor.origin,
    ALLOY_USER_ID: vendor.userId,
    ALLOY_ENV_FILE: file,
    PORT: String(await closedPort()),
  })
  const [, url = ''] = await command.seen(/Open this URL:\n\n(\S+)/)
  const [, callback = ''] = await command.seen(/STEP 3: Waiting at (\S+)/)
  // A stranger's navigation to the callback ends nothing.
  const early = await new Tab().open(callback)
  assert.match(await early.text(), /no authorization code was found/)
  await command.seen(/and no new connection/)
  const page = await new Tab().follow(url)
  assert.match(page.text, /✅ Connection Found!/)
  assert.equal(await command.ended, 0, command.output.stderr)
  const id = vendor.credentials[2]?.credentialId
  assert.equal(readFileSync(file, 'utf8'), `# mine\nALLOY_API_KEY=${vendor.apiKey}\nCONNECTION_ID=${id}\n`)
  assert.ok(command.output.stdout.includes(`CONNECTION_ID=${id}`))
  assert.ok(!(command.output.stdout + command.output.stderr).includes(vendor.apiKey))
})

test('get-jwt-token takes the endpoint that works, and gives up with a reason', async t => {
  const vendor = await startVendor(t)
  const settings = settingsFor(vendor)
  const good = await run(t, 'get-jwt-token', settings)
  assert.equal(good.code, 0, good.stderr)
  assert.match(
    good.stdout,
    /🔑 Getting JWT Token from Alloy\n\n✅ JWT Token retrieved successfully!\n\n[\w-]+\.[\w-]+\.[\w-]+\n/,
  )
  assert.ok(good.stdout.includes(`GET ${vendor.origin}/users/${vendor.userId}/token (x-api-version: 2025-09)`))
  assert.match(good.stdout, /Expires: {2}\d{4}-.*, in 60 minutes/)
  assert.equal(vendor.requests.length, 1)

  const bad = await run(t, 'get-jwt-token', { ...settings, ALLOY_USER_ID: 'user_abc123' })
  assert.equal(bad.code, 1)
  assert.match(
    bad.stderr,
    /No endpoint gave a JWT for the user user_abc123[\s\S]*GET .*400 .*userId must be a valid ID/,
  )
  assert.match(bad.stderr, /POST .*\/2023-12\/users\/user_abc123\/token/)
  const before = vendor.requests.length
  const refused = await run(t, 'get-jwt-token', { ...settings, ALLOY_API_KEY: 'wrong_key_wrong_key' })
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /❌ Invalid Authorization/)
  assert.equal(vendor.requests.length, before + 1, 'a wrong key is not tried in nine spellings')
  assert.doesNotMatch(bad.stdout + bad.stderr + refused.stdout + refused.stderr, /wrong_key/)
})

test('a strict vendor that knows no state is survived too', async t => {
  const vendor = await startVendor(t, { strict: true })
  const started = await new AlloyOAuthFlow(configFor(vendor)).initiateOAuthFlow('notion', 'http://localhost:1/x', {
    state: 'abc',
  })
  assert.match(started.oauthUrl, /authorize\?/)
  const sent = vendor.requests.at(-1)?.body
  assert.deepEqual(sent, { authenticationType: 'oauth2', redirectUri: 'http://localhost:1/x', userId: vendor.userId })
})

test('pages are read, written and updated, and what is no connection is refused by its cause', async t => {
  const vendor = await startVendor(t)
  const settings = settingsFor(vendor)
  const empty = await run(t, 'notion-example', { ...settings, CONNECTION_ID: '69110206d6d6670fb17451f8' })
  assert.equal(empty.code, 1)
  assert.match(empty.stderr, /❌ No connections available: .*npm run connect-notion/)
  await signIn(vendor, 1)
  const id = vendor.credentials[0]?.credentialId ?? ''
  const done = await run(t, 'notion-example', settings, { args: [id] })
  assert.equal(done.code, 0, done.stderr)
  assert.match(
    done.stdout,
    /📖 Read 1 page:\n {2}Home [\s\S]*✍️ {2}Wrote a page: Written by[\s\S]*🔁 Updated it: .*, then updated/,
  )
  const unset = await run(t, 'notion-example', settings)
  assert.equal(unset.code, 1)
  assert.match(unset.stderr, /Connection ID not found: CONNECTION_ID is not set/)

  const client = new AlloyClient(configFor(vendor))
  await assert.rejects(client.connectToIntegration('not an id!'), /Invalid connection ID: this is not the format/)
  await assert.rejects(
    client.connectToIntegration('69110206d6d6670fb17451f8'),
    /^Error: Connection ID not found: 69110206d6d6670fb17451f8 is not among the 1 connection of the user \w+\. See them with: npm run list-connections$/,
  )
  await assert.rejects(client.readPages(), /connectToIntegration\(connectionId\) first/)
  assert.equal((await client.connectToIntegration(id)).name, "Eddie Fu's Notion")
  assert.equal((await client.readPages()).length, 2)
  assert.equal(await client.authenticateUser(vendor.userId), vendor.userId)
  client.clearSession()
  await assert.rejects(client.readPages(), /connectToIntegration/)
})

test('the diagnostics name what is missing, and no key', async t => {
  const vendor = await startVendor(t)
  const { origin } = await startServer(t, settingsFor(vendor))
  const text = async () => (await fetch(`${origin}/api/diagnose`)).text()
  assert.match(await text(), /"name":"connection","ok":false,"message":"There is no Notion connection yet/)
  await signIn(vendor, 1)
  assert.match(await text(), new RegExp(`CONNECTION_ID=${vendor.credentials[0]?.credentialId}`))
  const config = await (await fetch(`${origin}/api/config/check`)).text()
  assert.match(config, /"ALLOY_API_KEY":"set"/)
  assert.ok(!(config + (await text())).includes(vendor.apiKey))
  const connectors = await json(`${origin}/api/connectors`)
  assert.equal(connectors['count'], 1)
  const token = await fetch(`${origin}/api/alloy/token`, { method: 'POST' })
  assert.match(String(((await token.json()) as { token: string }).token), /^[\w-]+\.[\w-]+\.[\w-]+$/)
})
