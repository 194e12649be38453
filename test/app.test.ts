/** The reference application, as processes, against a real hub with its sandbox: from an empty .env to an updated page. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { AlloyClient } from '../app/src/alloy-client.ts'
import { AlloyRestClient } from '../app/src/rest-api-example.ts'
import { closedPort, run, start, startServer } from '../app/test/process.ts'
import { follow, rowsAt, set } from '../app/test/real-hub.ts'
import { Browser, getJson, startTestHub, tempFolder } from './harness.ts'

test('npm run server: click Connect Notion, get a connection id, read, write and update a page with it', async t => {
  const { hub, file, settings } = await set(t)
  const { origin, command } = await startServer(t, settings)
  const browser = new Browser()
  const home = await follow(origin, browser)
  const link = /<a class="button" href="([^"]+)">Connect Notion/.exec(home.text)?.[1] ?? ''
  const page = await follow(origin + link, browser)
  assert.equal(page.status, 200, page.text)
  assert.match(page.text, /Connection Successful!/)
  const id = /CONNECTION_ID=(conn_[0-9a-f]{24})</.exec(page.text)?.[1] ?? ''
  assert.match(page.url, /\?code=[^&]+&state=[\w-]{43}&connectorId=notion$/)
  assert.deepEqual(
    (await rowsAt(hub)).map(each => each.connectionId),
    [id],
  )
  assert.match(command.output.stdout, new RegExp(`Connection established: ${id}`))
  // Reloaded, it shows the same; opened by somebody else, the address does nothing.
  const again = await follow(page.url, browser)
  assert.equal(again.status, 200)
  assert.match(again.text, new RegExp(`Connection Successful!</h1>[\\s\\S]*CONNECTION_ID=${id}<`))
  assert.equal((await follow(page.url)).status, 403)
  assert.equal((await rowsAt(hub)).length, 1)

  writeFileSync(file, `CONNECTION_ID=${id}\n`)
  const example = await run(t, 'notion-example', settings)
  assert.equal(example.code, 0, example.stderr)
  assert.match(example.stdout, /📖 Read \d+ pages:\n[\s\S]*Acme home/)
  assert.match(example.stdout, /Wrote a page: Written by[\s\S]*Updated it: .*, then updated/)
  assert.doesNotMatch(example.stdout, /https?:/, 'a page of the sandbox is not at notion.so')
  const diagnosis = (await getJson(`${origin}/api/diagnose`)).body
  assert.equal(diagnosis['success'], true, JSON.stringify(diagnosis))
  const listed = (await getJson<Record<string, unknown>>(`${origin}/api/connections`)).body
  assert.equal(listed['count'], 1)
  const one = (await getJson<{ connection: { id: string } }>(`${origin}/api/connections/${id}`)).body
  assert.equal(one.connection.id, id)
  const connectors = (await getJson<{ connectors: { id: string }[] }>(`${origin}/api/connectors`)).body
  assert.ok(connectors.connectors.some(each => each.id === 'notion'))
})

test('eleven tries leave one connection', async t => {
  const { hub, settings } = await set(t)
  const { origin } = await startServer(t, settings)
  const ids = new Set<string | undefined>()
  for (let n = 0; n < 11; n++) {
    const page = await follow(`${origin}/connect/notion`)
    ids.add(/CONNECTION_ID=(conn_[0-9a-f]{24})</.exec(page.text)?.[1])
  }
  assert.equal(ids.size, 1)
  assert.ok(!ids.has(undefined))
  assert.equal((await rowsAt(hub)).length, 1)
  const printed = await run(t, 'list-connections', settings)
  assert.equal(printed.code, 0)
  assert.match(
    printed.stdout,
    /Connection 1: ⭐ Latest\n {2}ID: conn_[0-9a-f]{24}\n {2}Integration: notion\n {2}Name: .+\n {2}Status: connected\n/,
  )
  assert.ok(printed.stdout.trimEnd().endsWith(`CONNECTION_ID=${[...ids][0]}`))
})

test('npm run test-oauth: the address that the browser ended at becomes the connection id', async t => {
  const { hub, settings } = await set(t)
  const command = start(t, 'test-oauth', {
    ...settings,
    REDIRECT_URI: `http://localhost:${await closedPort()}/oauth/callback`,
  })
  const [, url = ''] = await command.seen(/1\. Copy this OAuth URL:\n\n(\S+)/)
  // Nothing listens where the browser is sent: its address bar has what is needed.
  const { url: ended } = await new Browser().follow(
    url,
    next => next.includes('/oauth/callback?code=') && !next.startsWith(hub.origin),
  )
  command.child.stdin?.end(`${ended}\n`)
  assert.equal(await command.ended, 0, command.output.stderr)
  const [row] = await rowsAt(hub)
  assert.ok(row && command.output.stdout.endsWith(`CONNECTION_ID=${row.connectionId}\n`))
})

test('npm run connect-notion: the id is in .env, and works', async t => {
  const { hub, file, settings } = await set(t)
  writeFileSync(file, '# kept\nSAMPLE_PAGE_ID=\n')
  const command = start(t, 'connect-notion', settings)
  const [, url = ''] = await command.seen(/Open this URL:\n\n(\S+)/)
  const page = await follow(url)
  assert.match(page.text, /Connection Successful!/, page.text)
  assert.equal(await command.ended, 0, command.output.stderr)
  const [row] = await rowsAt(hub)
  assert.equal(readFileSync(file, 'utf8'), `# kept\nSAMPLE_PAGE_ID=\nCONNECTION_ID=${row?.connectionId}\n`)
  const example = await run(t, 'notion-example', settings)
  assert.equal(example.code, 0, example.stderr)
})

test('a refusal at the provider comes back as an error, and nothing is connected', async t => {
  const { hub, settings } = await set(t)
  hub.sandbox.reset('notion')
  hub.sandbox.set('notion', { deny: true })
  const { origin } = await startServer(t, settings)
  const page = await follow(`${origin}/connect/notion`)
  assert.equal(page.status, 400)
  assert.match(page.text, /OAuth error: access_denied/)
  assert.equal((await rowsAt(hub)).length, 0)
})

test('an application that hosts the provider’s callback sends the browser on to the hub', async t => {
  const { hub, settings } = await set(t)
  const { origin } = await startServer(t, settings)
  const browser = new Browser()
  const { url } = await browser.follow(`${origin}/connect/notion`, next =>
    next.startsWith(`${hub.origin}/oauth/callback`),
  )
  // As if the provider had the application's address.
  const page = await follow(origin + url.slice(hub.origin.length), browser)
  assert.match(page.text, /Connection Successful!/)
  assert.equal((await rowsAt(hub)).length, 1)
})

test('get-jwt-token prints a token of the hub', async t => {
  const { hub, settings } = await set(t)
  const ended = await run(t, 'get-jwt-token', settings)
  assert.equal(ended.code, 0, ended.stderr)
  assert.ok(ended.stdout.includes(`GET ${hub.origin}/users/me/token (x-api-version: 2025-09)`))
  assert.match(ended.stdout, /\n[\w-]+\.[\w-]+\.[\w-]+\n/)
})

test('connectToIntegration asks the hub, and tells whose the connection is not', async t => {
  const { hub, settings, config } = await set(t)
  const client = new AlloyClient(config)
  const unknown = `conn_${'0'.repeat(24)}`
  await assert.rejects(client.connectToIntegration(unknown), /No connections available/)
  const { origin } = await startServer(t, settings)
  await follow(`${origin}/connect/notion`)
  const [row] = await rowsAt(hub)
  assert.ok(row)
  await assert.rejects(
    client.connectToIntegration(unknown),
    /^Error: Connection ID not found: There is no connection "conn_0+" in this environment: .* npm run list-connections$/,
  )
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"username":"grace"}' }
  assert.equal((await fetch(`${hub.origin}/users`, post)).status, 200)
  const grace = new AlloyClient(config)
  await grace.authenticateUser('grace')
  await assert.rejects(
    grace.connectToIntegration(row.connectionId),
    /Invalid connection ID: .* belongs to another user/,
  )
  for (const id of [
    row.connectionId,
    row.connectionId.replace('conn_', ''),
    row.connectionId.replace('conn_', 'cred_'),
  ])
    assert.equal((await client.connectToIntegration(id)).name, "Ada Lovelace's Notion")
  assert.ok((await client.listDatabases()).length > 0)
  // What the hub knows of an id that was disconnected is said, once.
  const gone = await fetch(`${hub.origin}/credentials/${row.connectionId}`, { method: 'DELETE' })
  assert.equal(gone.status, 200)
  hub.sandbox.set('notion', { autoApprove: true })
  await follow(`${origin}/connect/notion`)
  await assert.rejects(client.connectToIntegration(row.connectionId), /was disconnected \(deleted\) at /)
})

test('AlloyRestClient: the calls of the documents', async t => {
  const { hub, settings, config } = await set(t)
  const client = new AlloyRestClient(config.alloyApiKey, config.alloyBaseUrl, config.alloyUserId)
  const { origin } = await startServer(t, settings)
  await follow(`${origin}/connect/notion`)
  const [row] = await rowsAt(hub)
  const answer = await client.client.get<{ connectionId: string }[]>('/users/me/connections')
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['x-api-version'], '2025-09')
  assert.deepEqual(
    answer.data.map(each => each.connectionId),
    [row?.connectionId],
  )
  const status = (await client.getConnectionStatus('me', 'notion')) as Record<string, unknown>
  assert.equal(status['connectionId'], row?.connectionId)
  assert.equal(status['status'], 'connected')
  assert.ok(Array.isArray(await client.listIntegrations()))
  assert.equal(((await client.getUser('me')) as Record<string, unknown>)['username'], 'me')
})

test('AlloyRestClient: data of Notion is read, made and changed', async t => {
  const { settings, config } = await set(t)
  const client = new AlloyRestClient(config.alloyApiKey, config.alloyBaseUrl, config.alloyUserId)
  const { origin } = await startServer(t, settings)
  await follow(`${origin}/connect/notion`)
  const pages = (await client.readData('me', 'notion', 'pages')) as { id: string }[]
  const [first] = pages
  assert.ok(first)
  const title = (content: string) => ({ properties: { title: { title: [{ text: { content } }] } } })
  const made = (await client.createData('me', 'notion', 'pages', { parent: { page_id: first.id }, ...title('a') })) as {
    id: string
  }
  const changed = (await client.updateData('me', 'notion', 'pages', made.id, title('b'))) as { id: string }
  assert.equal(changed.id, made.id)
  assert.ok(JSON.stringify(changed).includes('"plain_text":"b"'))
})

test('the eleven connections of the document, imported: the latest is marked, and shown where no code came', async t => {
  const { hub, settings } = await set(t)
  const latest = '69110206d6d6670fb17451f8'
  // In no order.
  const ids =
    `691008a937951a87de6d633e 6910029dd6d6670fb1742f05 ${latest} 691003ad37951a87de6d6287 691003dd4d2bcbfd4ce7029a
    6910046b84475f4afc75d28c 691006353654055fe96eeebd 69100648348d92ef2c51fc97 6910076f4d2bcbfd4ce7032a
    69100865345135a943ba12a7 691100acd6d6670fb1745176`.split(/\s+/)
  for (const credentialId of ids) {
    const createdAt = new Date(Number.parseInt(credentialId.slice(0, 8), 16) * 1000).toISOString()
    const data = { access_token: `ntn_${credentialId}` }
    const body = JSON.stringify({ authenticationType: 'oauth2', credentialId, createdAt, data })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${hub.origin}/connectors/notion/credentials`, { method: 'POST', headers, body })
    assert.equal(answer.status, 200, await answer.text())
  }
  const printed = await run(t, 'list-connections', settings)
  for (const id of ids) assert.ok(printed.stdout.includes(`  ID: ${id}\n`), id)
  assert.match(printed.stdout, new RegExp(`⭐ Latest\\n {2}ID: ${latest}\\n`))
  assert.ok(printed.stdout.trimEnd().endsWith(`CONNECTION_ID=${latest}`))
  const { origin } = await startServer(t, settings)
  const page = await follow(`${origin}/oauth/callback`)
  assert.match(page.text, /The callback was received but no authorization code was found/)
  assert.ok(page.text.includes(`CONNECTION_ID=${latest}`))
})

test('a hub with a key is told it, and says so where it is missing or wrong; nothing prints it', async t => {
  const key = `${'k'.repeat(31)}ey_of_a_test`
  const hub = await startTestHub(t, { env: { MORTISE_SECRET_KEY: key } })
  hub.sandbox.set('notion', { autoApprove: true })
  const settings = { ALLOY_BASE_URL: hub.origin, ALLOY_ENV_FILE: join(tempFolder(t), '.env') }
  const missing = await run(t, 'list-connections', settings)
  assert.equal(missing.code, 1)
  assert.match(
    missing.stderr,
    /^❌ This hub needs a key\. Make one: npx mortise key create\. .*ALLOY_API_KEY=<the key>\n$/,
  )
  const wrong = await run(t, 'get-jwt-token', { ...settings, ALLOY_API_KEY: `${key}x` })
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /The key is that of ALLOY_API_KEY in the environment/)
  const { origin, command } = await startServer(t, { ...settings, ALLOY_API_KEY: key })
  const page = await follow(`${origin}/connect/notion`)
  assert.match(page.text, /Connection Successful!/, page.text)
  const printed = [missing, wrong, command.output].map(each => each.stdout + each.stderr).join('')
  const shown = await Promise.all(
    ['/', '/api/config/check', '/api/diagnose', '/api/connections'].map(async path =>
      (await fetch(origin + path)).text(),
    ),
  )
  assert.ok(!(printed + shown.join('')).includes(key))
})
