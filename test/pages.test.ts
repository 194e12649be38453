/** Connections, as a person sees them. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { shownId } from '../src/core/connection.ts'
import { Secret } from '../src/core/credential.ts'
import { openCredential } from '../src/core/sealed.ts'
import { addEnvironment, addIntegration } from '../src/core/setup.ts'
import { call, connected } from './alloy/hub.ts'
import { connect, getJson, movableClock, startServing, startTestHub, type TestHub } from './harness.ts'
import { copyable, newKey, open, send, words } from './page.ts'

const places = ['/connections', '/settings/webhooks', '/settings/api-keys', '/settings/embedded']

/** The rows of the first table, as text. */
const rows = (page: { text: string }): string[] => {
  const body = /<tbody>([\s\S]*?)<\/tbody>/.exec(page.text)?.[1] ?? ''
  return [...body.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map(match => words({ text: match[1] ?? '' }))
}

const slack = { key: 'slack', provider: 'slack', clientId: 'x', clientSecret: new Secret('x') }

/** Runs a line of a page as it is printed. */
const shell = async (line: string | undefined, env: Record<string, string> = {}) =>
  JSON.parse((await promisify(execFile)('/bin/sh', ['-c', String(line)], { env: { ...process.env, ...env } })).stdout)

/** The token that a connection has now, as the Connections API answers it. */
const tokenOf = async (hub: TestHub, connectionId: string, integration = 'notion'): Promise<string> => {
  const url = `${hub.origin}/connection/${encodeURIComponent(connectionId)}?provider_config_key=${integration}`
  const { body } = await getJson<{ credentials: { access_token: string } }>(url)
  return body.credentials.access_token
}

test('every page leads to every other one, and says which it is; the start page leads to them', async t => {
  const hub = await startTestHub(t)
  for (const place of places) {
    const page = await open(hub, place)
    assert.equal(page.status, 200)
    for (const other of [...places, '/docs'])
      assert.ok(page.text.includes(`<a href="${other}"${other === place ? ' aria-current="page"' : ''}>`), other)
    assert.match(page.text, /<title>[^<]+ · Mortise<\/title>/)
    assert.match(words(page), /Environment: dev \. This hub has no key yet/)
    assert.equal(page.headers.get('cache-control'), 'no-store')
    assert.equal(page.headers.get('x-frame-options'), 'DENY')
    assert.match(page.headers.get('content-security-policy') ?? '', /frame-ancestors 'none'; form-action 'self'$/)
  }
  assert.equal((await open(hub, '/settings')).location, '/settings/webhooks')
  const home = await open(hub, '/')
  assert.ok(home.text.includes('<a href="/connections">Connections</a>'))
  assert.ok(home.text.includes('<a href="/settings">Settings</a>'))
})

test('with nothing connected, the page says how; the line that it prints begins a flow', async t => {
  const hub = await startTestHub(t)
  const page = await open(hub, '/connections')
  assert.match(words(page), /Nobody has connected an account in this environment yet/)
  assert.ok(page.text.includes('<a href="/">start page</a>'))
  assert.equal(copyable(page, 'In the folder of the hub'), 'npm run connect-notion')
  const answer = await shell(copyable(page, 'Answers oauthUrl'))
  assert.match(answer.oauthUrl, /\/api\/strategy\/connector\/notion\/authorize\?/)
  // Another environment has no integration yet, and the start page is not its own.
  const environment = await addEnvironment(hub.rooms.hub.context, 'other')
  const { key } = await newKey(hub, { environment })
  const other = await open(hub, '/connections', key)
  assert.match(words(other), /there is none yet/)
  assert.match(String(copyable(other, 'In a terminal')), /^npx mortise integrations add github /)
  await addIntegration(hub.rooms.hub.context, environment, slack)
  const ready = await open(hub, '/connections', key)
  assert.match(String(copyable(ready, 'Answers oauthUrl')), /"\S+\/connectors\/slack\/credentials"$/)
  assert.doesNotMatch(ready.text, /start page|connect-notion/)
})

test('the list: name, integration, account, status, end user, time; the newest of each integration is marked', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  await call(hub, 'POST', '/users', { username: 'ada', fullName: 'Ada' })
  const first = await connected(hub, { userId: 'ada' })
  clock.forward(60)
  const again = await connected(hub, { allowDuplicate: true })
  clock.forward(60)
  const second = await connected(hub, { allowDuplicate: true })
  clock.forward(60)
  await connect(hub, 'github', { connection_id: 'customer 7' })
  const page = await open(hub, '/connections')
  const [github = '', newer = '', older = '', oldest = '', ...more] = rows(page)
  assert.deepEqual(more, [])
  assert.match(
    github,
    /^ Ada Lovelace's GitHub ⭐ Latest conn_[0-9a-f]{24} connected github ada, Ada Lovelace me 2026-11-21 10:03:00 UTC $/,
  )
  assert.match(
    newer,
    new RegExp(`⭐ Latest ${second.id} connected notion Acme, Ada Lovelace me 2026-11-21 10:02:00 UTC `),
  )
  assert.match(older, new RegExp(`Notion ${again.id} connected notion Acme, Ada Lovelace me 2026-11-21 10:01:00 UTC `))
  assert.match(
    oldest,
    new RegExp(`⭐ Latest ${first.id} connected notion Acme, Ada Lovelace ada 2026-11-21 10:00:00 UTC `),
  )
  assert.match(words(page), /4 connections, newest first\. ⭐ Latest marks each end user's newest of an integration/)
  for (const [id, marked] of [
    [first.id, true],
    [again.id, false],
    [second.id, true],
  ] as const)
    assert.equal((await open(hub, `/connections/${id}`)).text.includes('⭐ Latest'), marked)
  assert.ok(page.text.includes(`<a href="/connections/${second.id}">`))

  const filtered = await open(hub, '/connections?integration=github')
  assert.equal(rows(filtered).length, 1)
  assert.match(rows(filtered)[0] ?? '', /GitHub ⭐ Latest/)
  assert.match(filtered.text, /<option selected>github<\/option>/)
  const none = await open(hub, '/connections?integration=nothing')
  assert.match(words(none), /There is no connection through "nothing"\. Show all/)
})

test('a token that has expired and an end user who must come back are told apart, with the cause', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  const { storage } = hub.rooms
  const environmentId = hub.rooms.firstEnvironment.id
  const live = await connected(hub)
  const accessToken = await tokenOf(hub, live.id)
  const expiresAt = new Date(clock.now().getTime() + 3600_000).toISOString()
  const given = await call<{ id: string }>(hub, 'POST', '/connectors/notion/credentials', {
    authenticationType: 'oauth2',
    allowDuplicate: true,
    data: { accessToken, expiresAt },
  })
  assert.equal(given.status, 200)
  const row = await storage.connectionById(environmentId, live.id.slice(5))
  assert.ok(row)
  const why = { cause: 'refresh_refused', message: 'Access was taken back.' } as const
  await storage.flagConnection(environmentId, row.id, row.credentialRevision, why, clock.now())
  clock.forward(7200)
  const list = rows(await open(hub, '/connections')).join('\n')
  assert.match(list, /token expired notion – me /)
  assert.match(list, /must be connected again : Access was taken back\. notion Acme, Ada Lovelace me /)
  const expired = words(await open(hub, `/connections/${given.body.id}`))
  assert.match(expired, /Status token expired The hub has nothing to renew it with: the end user connects/)
  const flagged = words(await open(hub, `/connections/${live.id}`))
  assert.match(flagged, /must be connected again : Access was taken back\. Only the end user can mend it/)
})

test('a connection: its id under both names, the lines to paste work, and no token is on the page', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'notion', { connection_id: 'customer 7' })
  const environmentId = hub.rooms.firstEnvironment.id
  const [row] = await hub.rooms.storage.connections(environmentId, {})
  assert.ok(row)
  const id = shownId(row)
  const page = await open(hub, `/connections/${id}`)
  assert.equal(page.status, 200)
  assert.match(page.text, /<h1>Ada Lovelace&#39;s Notion <span class="latest">⭐ Latest<\/span><\/h1>/)
  assert.equal(copyable(page, 'Connection ID'), id)
  assert.equal(copyable(page, 'Credential ID'), id)
  assert.equal(copyable(page, 'For your .env file'), `CONNECTION_ID=${id}`)
  assert.equal(copyable(page, "Your app's own id"), 'customer 7')
  const said = words(page)
  for (const fact of [
    /Status connected Nothing to do/,
    /Integration Notion /,
    /Account Acme, Ada Lovelace /,
    /End user me /,
    /Credential OAuth 2\.0 /,
    /Created 20\d\d-/,
    /"workspace_name": "Acme"/,
  ])
    assert.match(said, fact)

  const credential = openCredential(await hub.rooms.hub.context.sealerOf(environmentId), row)
  const tokens = [credential.accessToken.reveal(), credential.refreshToken?.reveal() ?? '']
  for (const token of tokens) {
    assert.ok(token.length > 10)
    assert.ok(!page.text.includes(token), 'a token is on the page')
  }
  const read = await shell(copyable(page, 'Read a working token'))
  assert.equal(read.credentials.access_token, tokens[0])
  const act = await shell(copyable(page, 'Act with it'))
  assert.equal(act.status, 'completed')
  assert.ok(act.data.results.length > 0)

  // Under every form of its id; a key is named where the hub wants one.
  for (const name of [id.replace('conn_', ''), id.replace('conn_', 'cred_'), 'customer%207'])
    assert.equal(copyable(await open(hub, `/connections/${name}`), 'Connection ID'), id)
  const { key } = await newKey(hub)
  const keyed = await open(hub, `/connections/${id}`, key)
  assert.equal(copyable(keyed, 'Connection ID'), id)
  const keyedRead = await shell(copyable(keyed, 'Read a working token'), { HUB_SECRET_KEY: key })
  assert.equal(keyedRead.credentials.access_token, tokens[0])
})

test("a provider without actions: the page says what to do instead; an id of the hub's own is not shown twice", async t => {
  const hub = await startTestHub(t)
  const gitlab = { provider: 'gitlab', clientId: 'x' }
  const { hub: verbs, firstEnvironment } = hub.rooms
  await addIntegration(verbs.context, firstEnvironment, {
    ...gitlab,
    key: 'gitlab',
    clientSecret: new Secret('x'),
    sandbox: true,
  })
  hub.sandbox.register({ ...gitlab, clientSecret: 'x', redirectUris: [`${hub.origin}/oauth/callback`] })
  await connect(hub, 'gitlab')
  const [row] = await hub.rooms.storage.connections(firstEnvironment.id, {})
  assert.ok(row)
  const page = await open(hub, `/connections/${shownId(row)}`)
  assert.match(words(page), /The hub knows no actions of this provider yet/)
  assert.equal(copyable(page, 'Connection ID'), row.connectionId)
  assert.equal(copyable(page, "Your app's own id"), undefined)
  assert.match(words(page), /Scopes \S+/)
})

test('an id that names nothing: the page says which of the causes it was', async t => {
  const hub = await startTestHub(t)
  const { id } = await connected(hub)
  await connect(hub, 'github', { connection_id: 'twice' })
  await connect(hub, 'slack', { connection_id: 'twice' })
  const cause = async (name: string) => {
    const page = await open(hub, `/connections/${name}`)
    assert.match(page.text, /<a href="\/connections">To the connections<\/a>/)
    return [page.status, words(page)] as const
  }
  const [malformed, text] = await cause('nonsense')
  assert.equal(malformed, 404)
  assert.match(text, /"nonsense" is no connection of this environment, and not in the form of an id/)
  const [unknown, why] = await cause('conn_6b00f577dd080455a75a2e64')
  assert.equal(unknown, 404)
  assert.match(why, /its end user has not connected yet, or the key is that of another environment/)
  const [ambiguous, which] = await cause('twice')
  assert.equal(ambiguous, 400)
  assert.match(which, /names a connection through each of/)
  await send(hub, `/connections/${id}/delete`)
  const [gone, when] = await cause(id)
  assert.equal(gone, 404)
  assert.match(when, /was disconnected \(deleted\) at 20\d\d-/)
})

test('a connection is deleted by its form alone, behind a confirmation', async t => {
  const hub = await startTestHub(t)
  const { id } = await connected(hub)
  const page = await open(hub, `/connections/${id}`)
  const form =
    /<details class="confirm"><summary>Delete this connection…<\/summary>[\s\S]*?<form method="post" action="([^"]+)">/
  const path = form.exec(page.text)?.[1] ?? ''
  assert.equal(path, `/connections/${id}/delete`)
  assert.equal((await open(hub, path)).status, 404)
  assert.equal((await open(hub, `/connections/${id}`)).status, 200)
  const deleted = await send(hub, path)
  assert.deepEqual([deleted.status, deleted.location], [303, '/connections'])
  assert.match(words(await open(hub, '/connections')), /Nobody has connected/)
  assert.equal((await send(hub, path)).status, 404)
})

test('more than a hundred: by pages, each row once', async t => {
  const hub = await startTestHub(t)
  const { id } = await connected(hub)
  const data = { accessToken: await tokenOf(hub, id) }
  const body = { authenticationType: 'oauth2', allowDuplicate: true, data }
  for (let made = 1; made < 101; made++)
    assert.equal((await call(hub, 'POST', '/connectors/notion/credentials', body)).status, 200)
  const first = await open(hub, '/connections?integration=notion')
  assert.equal(rows(first).length, 100)
  const next = /href="([^"]+)">Older</.exec(first.text)?.[1]?.replaceAll('&amp;', '&')
  assert.equal(next, '/connections?integration=notion&page=2')
  const second = await open(hub, String(next))
  assert.equal(rows(second).length, 1)
  assert.match(second.text, />Newer</)
  assert.doesNotMatch(second.text, />Older</)
  assert.match(rows(second)[0] ?? '', new RegExp(id))
  assert.doesNotMatch(first.text, new RegExp(id))
  assert.equal([...first.text.matchAll(/class="latest"/g)].length, 1)
  // Whose newest it is, is known from page to page.
  assert.doesNotMatch(second.text, /class="latest"/)
  assert.match(words(first), /Connections 1 to 100, newest first/)
  assert.match(words(second), /Connections 101 to 101, newest first/)
  assert.match(words(await open(hub, '/connections?page=9')), /There are no more/)
  assert.equal(rows(await open(hub, '/connections?page=-1')).length, 100)
})

test('what is searched for is kept from page to page, and marks nothing as the newest that is not', async t => {
  const clock = movableClock()
  const hub = await startTestHub(t, { clock })
  const { storage } = hub.rooms
  const environmentId = hub.rooms.firstEnvironment.id
  const { id } = await connected(hub)
  const [row] = await storage.connections(environmentId, {})
  assert.ok(row)
  const createdAt = clock.now()
  const ada = {
    environmentId,
    id: 'a'.repeat(24),
    username: 'ada',
    fullName: 'Ada & Bob',
    createdAt,
    updatedAt: createdAt,
  }
  assert.ok(await storage.addEndUser(ada))
  const { account: _, ...bare } = row
  const add = (n: number, endUserId: string) =>
    storage.authorize({
      environmentId,
      integrationKey: row.integrationKey,
      find: undefined,
      decide: () => ({
        connection: {
          ...bare,
          id: n.toString(16).padStart(24, '0'),
          number: n,
          connectionId: `many-${n}`,
          endUserId,
          createdAt: new Date(createdAt.getTime() + n),
        },
        accountKey: undefined,
      }),
    })
  for (let n = 1; n <= 101; n++) await add(n, n % 2 === 0 ? '' : ada.id)
  const found = await open(hub, '/connections?integration=notion&search=MANY-')
  assert.equal(rows(found).length, 100)
  assert.match(found.text, /<input type="search" name="search" [^>]*value="MANY-"/)
  const older = /href="([^"]+)">Older</.exec(found.text)?.[1]?.replaceAll('&amp;', '&')
  assert.equal(older, '/connections?integration=notion&search=MANY-&page=2')
  assert.equal(rows(await open(hub, String(older))).length, 1)
  assert.equal([...found.text.matchAll(/class="latest"/g)].length, 2)
  // Of a search for one that is older, that one is not the newest.
  const one = await open(hub, '/connections?search=many-99')
  assert.deepEqual([rows(one).length, one.text.includes('class="latest"')], [1, false])
  assert.match(words(one), /One connection, newest first/)
  const theirs = await open(hub, `/connections?${new URLSearchParams({ search: ' ada & B' }).toString()}`)
  assert.equal(rows(theirs).length, 51)
  assert.match(words(theirs), /51 connections, newest first/)
  const none = await open(hub, '/connections?integration=github&search="<nobody>')
  assert.match(words(none), /There is no connection through "github" whose id, or whose end user's name or e-mail, has/)
  assert.doesNotMatch(none.text, /<nobody>/)
  for (const search of ['x'.repeat(256), 'a%00b'])
    assert.equal((await open(hub, `/connections?search=${search}`)).status, 400)
  assert.equal((await open(hub, `/connections/${id}`)).text.includes('⭐ Latest'), false)
})

test('in production the pages are there, with a key, and the start page leads to none of them', async t => {
  const hub = await startServing(t)
  await addIntegration(hub.rooms.hub.context, hub.rooms.firstEnvironment, slack)
  assert.doesNotMatch((await open(hub, '/')).text, /\/connections|\/settings/)
  for (const place of places) {
    assert.equal((await open(hub, place)).status, 401)
    const page = await open(hub, place, hub.secretKey)
    assert.equal(page.status, 200)
    assert.doesNotMatch(page.text, /start page|mortise dev/)
  }
})
