/** Secrets never reach a log, a page or the disk: planted values are looked for everywhere, in every dress. */
import assert from 'node:assert/strict'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Secret } from '../src/core/credential.ts'
import { sha256 } from '../src/core/ids.ts'
import { addIntegration } from '../src/core/setup.ts'
import { Browser, connectUrl, movableClock, startTestHub, tempFolder, untilCallback } from './harness.ts'

/** Special characters, so that each encoding differs from the plain text. */
const canary = (name: string) => `canary-${name}-"\\/+é=&%<${Math.random().toString(36).slice(2)}`

/** Every way that a value is commonly written. base64 is looked for at its three alignments. */
const dresses = (value: string): Map<string, string> => {
  const found = new Map([
    ['plain', value],
    ['percent', encodeURIComponent(value)],
    ['form', new URLSearchParams([['', value]]).toString().slice(1)],
    ['json', JSON.stringify(value).slice(1, -1)],
    ['json in json', JSON.stringify(JSON.stringify(value)).slice(3, -3)],
    ['html', value.replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`)],
    ['html names', value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')],
    ['hex', Buffer.from(value).toString('hex')],
  ])
  for (const shift of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)])
    // The characters that depend on the neighbours are cut off.
    for (const encoding of ['base64', 'base64url'] as const)
      found.set(`${encoding}+${shift}`, bytes.toString(encoding).slice(Math.ceil((shift * 8) / 6), -4))
  }
  return found
}

const lookFor = (canaries: Record<string, string>, places: Record<string, Buffer>): string[] =>
  Object.entries(canaries).flatMap(([name, value]) =>
    [...dresses(value)].flatMap(([dress, text]) =>
      Object.entries(places)
        .filter(([, bytes]) => bytes.includes(text))
        .map(([place]) => `${name} (${dress}) in ${place}`),
    ),
  )

test('the search finds a canary in every dress', () => {
  const value = canary('self')
  for (const [dress, text] of dresses(value))
    assert.deepEqual(
      lookFor({ self: value }, { here: Buffer.from(`…${text}…`) }).some(each => each.includes(dress)),
      true,
    )
  assert.deepEqual(lookFor({ self: value }, { here: Buffer.from('nothing') }), [])
})

test('no token, refresh token, code, verifier, state or secret is in a log, a page, the database or its WAL', async t => {
  const folder = tempFolder(t)
  const logFile = join(folder, 'hub.log')
  const logTo = openSync(logFile, 'w')
  t.after(() => closeSync(logTo))
  const clock = movableClock()
  const hub = await startTestHub(t, { clock, logTo, env: { MORTISE_LOG_LEVEL: 'info' } })
  const { context } = hub.rooms.hub
  const canaries: Record<string, string> = {
    'client secret': canary('secret'),
    'access token': canary('access'),
    'refresh token': canary('refresh'),
    'second access token': canary('access2'),
    'second refresh token': canary('refresh2'),
    code: canary('code'),
    'spent code': canary('spent'),
    'secret key': `canary-key-${'k'.repeat(40)}`,
  }
  const secret = new Secret(canaries['client secret'] ?? '')
  await addIntegration(context, hub.rooms.firstEnvironment, {
    key: 'crm',
    provider: 'xero',
    clientId: 'sandbox-xero',
    clientSecret: secret,
    scopes: ['openid', 'profile', 'email', 'offline_access', 'accounting.settings'],
    sandbox: true,
  })
  hub.sandbox.register({
    provider: 'xero',
    clientId: 'sandbox-xero',
    clientSecret: secret.reveal(),
    redirectUris: [`${hub.origin}/oauth/callback`],
  })
  const plant = (access: string, refresh: string, code: string) =>
    hub.sandbox.set('xero', {
      autoApprove: true,
      accessToken: () => canaries[access] ?? '',
      refreshToken: () => canaries[refresh] ?? '',
      code: () => canaries[code] ?? '',
    })
  const pages: string[] = []
  const browser = new Browser()
  const visit = async (url: string) => {
    const { response } = await browser.follow(url)
    pages.push(await response.text(), JSON.stringify([...response.headers]))
    return response.status
  }
  plant('access token', 'refresh token', 'code')
  const callback = await untilCallback(hub, browser, connectUrl(hub, 'crm', { connection_id: 'c' }))
  // The state and the verifier are the hub's own secrets: taken from the flow itself.
  canaries['state'] = new URL(callback).searchParams.get('state') ?? ''
  const attempt = await hub.rooms.storage.attempt(hub.rooms.firstEnvironment.id, sha256(canaries['state']))
  const sealer = await context.sealerOf(hub.rooms.firstEnvironment.id)
  assert.ok(attempt?.verifier)
  canaries['verifier'] = sealer.open(['attempts', attempt.stateHash, 'verifier'], attempt.verifier)
  assert.equal(canaries['verifier'].length, 43)
  assert.equal(await visit(callback), 200)
  const read = async () => {
    const response = await fetch(`${hub.origin}/connection/c?provider_config_key=crm`, {
      headers: { authorization: `Bearer ${canaries['secret key']}` },
    })
    return {
      status: response.status,
      body: (await response.json()) as { credentials: { access_token: string; refresh_token: string } },
    }
  }
  assert.equal((await read()).body.credentials.access_token, canaries['access token'])
  // A refresh, a refusal, an outage and a lost reply: the paths that log.
  plant('second access token', 'second refresh token', 'spent code')
  clock.forward(1800)
  assert.equal((await read()).body.credentials.refresh_token, canaries['second refresh token'])
  hub.sandbox.set('xero', { loseReply: { times: 1 } })
  assert.equal(await visit(connectUrl(hub, 'crm', { connection_id: 'd' })), 400)
  hub.sandbox.set('xero', {
    fail: { status: 400, body: { error: 'invalid_grant', error_description: canaries['access token'] }, times: 2 },
  })
  assert.equal(await visit(connectUrl(hub, 'crm', { connection_id: 'e' })), 400)
  // Twice: within its grace it is asked again at once.
  hub.sandbox.set('xero', { fail: { status: 503, body: canaries['refresh token'], times: 2 } })
  clock.forward(1800)
  assert.equal((await read()).status, 424)
  assert.equal(
    await visit(`${hub.origin}/oauth/callback?code=${encodeURIComponent(canaries['code'] ?? '')}&state=x`),
    400,
  )
  assert.equal(await visit(`${hub.origin}/`), 200)
  const list = await (await fetch(`${hub.origin}/connection`)).text()

  const db = () =>
    Object.fromEntries(
      readdirSync(hub.dataDir)
        .filter(name => name.startsWith('mortise.db'))
        .map(name => [name, readFileSync(join(hub.dataDir, name))]),
    )
  const places: Record<string, Buffer> = {
    ...db(),
    log: readFileSync(logFile),
    pages: Buffer.from(pages.join('\n')),
    list: Buffer.from(list),
  }
  assert.ok(places['mortise.db-wal']?.length)
  assert.ok((places['log']?.length ?? 0) > 500, 'the log was written to')
  assert.deepEqual(lookFor(canaries, places), [])
  // After a checkpoint the pages are in the database file itself.
  const checkpoint = new DatabaseSync(join(hub.dataDir, 'mortise.db'))
  checkpoint.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  checkpoint.close()
  assert.deepEqual(lookFor(canaries, db()), [])
  await hub.stop()
  assert.deepEqual(lookFor(canaries, { ...db(), log: readFileSync(logFile) }), [])
})

test('a client that an end user brings, and the token of a session, are in no log, no page and no database', async t => {
  const folder = tempFolder(t)
  const logFile = join(folder, 'hub.log')
  const logTo = openSync(logFile, 'w')
  t.after(() => closeSync(logTo))
  const clock = movableClock()
  const hub = await startTestHub(t, { clock, logTo, env: { MORTISE_LOG_LEVEL: 'info' } })
  const own = { clientId: 'own-client', clientSecret: canary('own secret') }
  hub.sandbox.register({ provider: 'github', ...own, redirectUris: [`${hub.origin}/oauth/callback`] })
  hub.sandbox.set('github', { autoApprove: true })
  const made = await fetch(`${hub.origin}/connect/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ end_user: { id: 'u' } }),
  })
  const { token } = ((await made.json()) as { data: { token: string } }).data
  const pages: string[] = []
  const browser = new Browser()
  const visit = async (integration: string, more: Record<string, string> = {}) => {
    const query = new URLSearchParams({
      connect_session_token: token,
      'credentials[oauth_client_id_override]': own.clientId,
      'credentials[oauth_client_secret_override]': own.clientSecret,
      ...more,
    })
    const { response } = await browser.follow(`${hub.origin}/oauth/connect/${integration}?${query}`)
    pages.push(await response.text(), JSON.stringify([...response.headers]))
    return response.status
  }
  assert.equal(await visit('github'), 200)
  // What goes wrong is said, and logged, without it: before the provider is asked, and after.
  assert.equal(await visit('nope'), 400)
  assert.equal(await visit('github', { 'credentials[other]': own.clientSecret }), 400)
  hub.sandbox.set('github', { fail: { status: 401, body: { error: 'invalid_client' } } })
  assert.equal(await visit('github'), 400)
  clock.forward(28_800)
  const [row] = await hub.rooms.storage.connections(hub.rooms.firstEnvironment.id, {})
  assert.ok(row?.client)
  const read = await fetch(`${hub.origin}/connections/${row.connectionId}?provider_config_key=github`)
  pages.push(await read.text())
  await hub.stop()
  const files = readdirSync(hub.dataDir).filter(name => name.startsWith('mortise.db'))
  const places = {
    log: readFileSync(logFile),
    pages: Buffer.from(pages.join('\n')),
    ...Object.fromEntries(files.map(name => [name, readFileSync(join(hub.dataDir, name))])),
  }
  assert.match(places.log.toString(), /a refresh failed/)
  assert.deepEqual(lookFor({ secret: own.clientSecret, token, bare: token.slice(-64) }, places), [])
})
