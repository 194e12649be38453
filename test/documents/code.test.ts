/** The documents' TypeScript: run against a real hub with the application's modules, and compiled with them. */
import assert from 'node:assert/strict'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parseEnv } from 'node:util'
import { deliveriesOf, setEndpoint } from '../../src/core/notify.ts'
import type { ConnectionShape } from '../../src/http/alloy/shapes.ts'
import { Browser, freePorts, getJson, tempFolder } from '../harness.ts'
import { until } from '../receiver.ts'
import { fence, kept, rows } from './fences.ts'
import { preludes, redirects } from './preludes.ts'
import {
  approve,
  authorized,
  compile,
  connectNotion,
  type KeyedHub,
  mapped,
  root,
  startKeyedHub,
  startTypescript,
  typescript,
} from './run.ts'

/** A fragment within what the table lists for it. */
const whole = (id: string, text: string): string => {
  const { before = '', after = '' } = preludes[id] ?? {}
  return before + text + after
}

const printed = /conn_[0-9a-f]{24}/

test('an .env fence is a file that the application reads, and its connection is found at the hub', async t => {
  const hub = await startKeyedHub(t)
  const { connectionId } = await connectNotion(hub)
  for (const id of ['000-01', '000-09', '001-07', '002-02', '002-05']) {
    const text = fence(t, id)
    const { CONNECTION_ID: named = '', ...others } = parseEnv(text)
    assert.deepEqual(others, {}, id)
    const imported = /^[0-9a-f]{24}$/.test(named)
    if (imported) {
      const body = {
        authenticationType: 'oauth2',
        credentialId: named,
        name: "Eddie Fu's Notion (11)",
        createdAt: '2025-11-09T21:05:10Z',
        data: { access_token: 'secret_of_another_hub' },
      }
      const answer = await fetch(`${hub.origin}/connectors/notion/credentials`, {
        method: 'POST',
        headers: { ...authorized(hub), 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      assert.equal(answer.status, 200)
    }
    const real = imported ? named : connectionId
    const file = join(tempFolder(t), '.env')
    writeFileSync(file, imported ? text : mapped(text, { [named]: connectionId }))
    const ask = "import { getConfig } from './src/config'\nprocess.stdout.write(getConfig().connectionId ?? '')"
    const ended = await typescript(t, ask, { ...hub.settings, ALLOY_ENV_FILE: file })
    assert.equal(ended.stdout, real, ended.stderr)
    const found = await getJson<ConnectionShape>(`${hub.origin}/credentials/${real}`, authorized(hub))
    assert.equal(found.body.connectionId, real)
  }
})

test('the REST client lists the connections of a user', async t => {
  const hub = await startKeyedHub(t)
  const { connectionId } = await connectNotion(hub)
  const ended = await typescript(t, fence(t, '000-03'), hub.settings)
  assert.equal(ended.code, 0, ended.stderr)
  assert.match(ended.stdout, /^Connections: \[\n/)
  assert.ok(ended.stdout.includes(`connectionId: '${connectionId}'`))
})

test('the webhook receiver is told of a connection and answers that it has received it', async t => {
  const hub = await startKeyedHub(t)
  const port = String(await freePorts())
  const receiver = startTypescript(t, whole('000-07', fence(t, '000-07')), { PORT: port })
  await receiver.seen(/listening/)
  const { context } = hub.rooms.hub
  const { firstEnvironment } = hub.rooms
  await setEndpoint(context, firstEnvironment, { url: `http://localhost:${port}/webhook/alloy` })
  const { connectionId, userId } = await connectNotion(hub)
  const [line] = await receiver.seen(/^saved .*$/m)
  assert.equal(line, `saved ${userId} notion ${connectionId}`)
  await until(async () => (await deliveriesOf(context, firstEnvironment))[0]?.lastStatus === 200)
  const answer = await fetch(`http://localhost:${port}/webhook/alloy`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  assert.deepEqual(await answer.json(), { received: true })
})

test('the connection status is printed, its id included', async t => {
  const hub = await startKeyedHub(t)
  const text = whole('000-08', fence(t, '000-08'))
  const none = await typescript(t, text, hub.settings)
  assert.match(none.stdout, /^Connection Status: \{[\s\S]*connected: false/)
  const { connectionId } = await connectNotion(hub)
  const ended = await typescript(t, text, hub.settings)
  assert.equal(ended.code, 0, ended.stderr)
  assert.match(ended.stdout, /^Connection Status: \{/)
  assert.ok(ended.stdout.includes(`connectionId: '${connectionId}'`))
})

test('connectToIntegration takes a connection that works, and no other', async t => {
  const hub = await startKeyedHub(t)
  const text = whole('000-10', fence(t, '000-10'))
  const { connectionId } = await connectNotion(hub)
  const ended = await typescript(t, text, { ...hub.settings, CONNECTION_ID: connectionId })
  assert.equal(ended.code, 0, ended.stderr)
  const other = await typescript(t, text, { ...hub.settings, CONNECTION_ID: `conn_${'0'.repeat(24)}` })
  assert.equal(other.code, 1)
  assert.match(other.stderr, /Connection ID not found/)
})

test('initiateOAuthFlow gives an OAuth URL that leads to a code', async t => {
  const hub = await startKeyedHub(t)
  const ended = await typescript(t, fence(t, '001-08'), hub.settings)
  assert.equal(ended.code, 0, ended.stderr)
  const [, oauthUrl = ''] = /^Redirect user to: (\S+)\n$/.exec(ended.stdout) ?? []
  const back = await approve(hub, oauthUrl, next => next.startsWith('http://localhost:3000/oauth/callback?'))
  assert.ok(back.searchParams.get('code'))
})

test('the callback endpoint answers the connection id, and a failure with its reason', async t => {
  const hub = await startKeyedHub(t)
  const port = String(await freePorts())
  const server = startTypescript(t, whole('001-09', fence(t, '001-09')), { ...hub.settings, PORT: port })
  await server.seen(/listening/)
  const origin = `http://localhost:${port}`
  const begun = await fetch(`${hub.origin}/connectors/notion/credentials`, {
    method: 'POST',
    headers: { ...authorized(hub), 'content-type': 'application/json' },
    body: JSON.stringify({ authenticationType: 'oauth2', redirectUri: `${origin}/oauth/callback` }),
  })
  const { oauthUrl } = (await begun.json()) as { oauthUrl: string }
  const back = await approve(hub, oauthUrl, next => next.startsWith(origin))
  const { status, body } = await getJson(back.href)
  assert.equal(status, 200)
  assert.deepEqual(Object.keys(body), ['success', 'connectionId'])
  assert.match(String(body['connectionId']), printed)
  assert.equal(server.output.stdout, `listening\nConnection ID: ${String(body['connectionId'])}\n`)
  const wrong = await getJson(`${origin}/oauth/callback?code=none&state=none`)
  assert.equal(wrong.status, 500)
  assert.equal(wrong.body['success'], false)
  assert.match(String(wrong.body['error']), /^Invalid authorization code: /)
})

const completeServer = async (t: TestContext, hub: KeyedHub, text: string) => {
  const port = String(await freePorts())
  const own = mapped(text, { 'localhost:3000': `localhost:${port}`, 'listen(3000': `listen(${port}` })
  const server = startTypescript(t, own, hub.settings)
  const [, origin = ''] = await server.seen(/OAuth server running on (\S+)\nVisit \S+\/connect\/notion to start/)
  return { origin, server }
}

test('the complete web server, started on a free port, connects Notion', async t => {
  const hub = await startKeyedHub(t)
  const { origin, server } = await completeServer(t, hub, fence(t, '001-10'))
  hub.sandbox.set('notion', { autoApprove: true })
  const browser = new Browser()
  const { response, url } = await browser.follow(`${origin}/connect/notion`)
  assert.ok(url.startsWith(`${origin}/oauth/callback?`))
  assert.ok(browser.hops.some(hop => hop.url.startsWith(hub.sandbox.origin)))
  assert.equal(response.status, 200)
  const page = await response.text()
  const [id = ''] = printed.exec(page) ?? []
  assert.match(page, /<h1>Connection Successful!<\/h1>/)
  for (const words of [`Connection ID: ${id}`, `Add this to your .env file: CONNECTION_ID=${id}`])
    assert.ok(page.includes(words))
  assert.ok(server.output.stdout.endsWith(`Connection established: ${id}\n`))
  const refused = await browser.get(`${origin}/oauth/callback?code=none`)
  assert.equal(refused.status, 500)
  assert.match(await refused.text(), /^Failed to complete OAuth: Invalid authorization code: /)

  // A person who declines.
  hub.sandbox.set('notion', { deny: true })
  const denied = await new Browser().follow(`${origin}/connect/notion`)
  assert.equal(denied.response.status, 400)
  assert.match(await denied.response.text(), /^OAuth error: access_denied$/)
  await hub.stop()
  const down = await browser.get(`${origin}/connect/notion`)
  assert.equal(down.status, 500)
  assert.equal(await down.text(), 'Failed to initiate OAuth flow')
})

test('the configuration has the connection id', async t => {
  const ended = await typescript(t, whole('002-04', fence(t, '002-04')), { CONNECTION_ID: '69110206d6d6670fb17451f8' })
  assert.equal(ended.stdout, '69110206d6d6670fb17451f8\n', ended.stderr)
})

/** What the documents' own code needs, beside what the project is checked with. */
const loosened = {
  // They import './src/config' without its ending.
  module: 'preserve',
  moduleResolution: 'bundler',
  // They read error.message of whatever was caught.
  useUnknownInCatchVariables: false,
  // Some handlers return an answer in one branch only, and some take a request that they do not look at.
  noImplicitReturns: false,
  noUnusedParameters: false,
}

test('the TypeScript compiles with the application, and only the options listed are loosened for it', async t => {
  const folder = tempFolder(t)
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  symlinkSync(join(root, 'app/src'), join(folder, 'src'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const texts = kept()
  const programs = rows.filter(row => row.language === 'typescript' && row.how.startsWith('run'))
  assert.equal(programs.length, 9)
  for (const { id } of programs) {
    const { before, after } = redirects.server
    const text = texts.get(id) ?? ''
    writeFileSync(join(folder, `${id}.ts`), id === '001-03' ? before + text + after : whole(id, text))
  }
  assert.equal(await compile(folder, loosened), '')
  // Each of the options is needed.
  for (const [option, code] of [
    ['moduleResolution', 'TS2835'],
    ['useUnknownInCatchVariables', 'TS18046'],
    ['noImplicitReturns', 'TS7030'],
    ['noUnusedParameters', 'TS6133'],
  ] as const) {
    const strict = { ...loosened, [option]: option === 'moduleResolution' ? 'nodenext' : true }
    const said = await compile(folder, option === 'moduleResolution' ? { ...strict, module: 'nodenext' } : strict)
    assert.ok(said.includes(code), `${option}: ${said.slice(0, 500)}`)
  }
})
