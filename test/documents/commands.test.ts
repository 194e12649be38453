/** The documents' npm commands, typed into a shell as they stand, with a hub running. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Browser, freePorts } from '../harness.ts'
import { fence } from './fences.ts'
import { address } from './preludes.ts'
import { answersOf, approve, connectNotion, type KeyedHub, mapped, shell, start, startKeyedHub } from './run.ts'

const skipped = /^#.*$/gm

test('npm run list-connections lists the connections with their ids', async t => {
  const hub = await startKeyedHub(t)
  const text = fence(t, '000-02')
  const none = await shell(t, text, hub.settings)
  assert.equal(none.code, 0, none.stderr)
  assert.match(none.stdout, /No connections found\./)
  const { connectionId } = await connectNotion(hub)
  const ended = await shell(t, text, hub.settings)
  assert.equal(ended.code, 0, ended.stderr)
  assert.match(ended.stdout, new RegExp(`ID: ${connectionId}[\\s\\S]*\\nCONNECTION_ID=${connectionId}\n$`))
  await hub.stop()
  const down = await shell(t, text, hub.settings)
  assert.equal(down.code, 1)
  assert.match(down.stderr, /No hub answers at .* npm start/)
})

const server = async (t: TestContext, text: string, settings: KeyedHub['settings']): Promise<string> => {
  const port = String(await freePorts())
  const command = start(t, ['bash', '-c', text], { ...settings, PORT: port })
  const [, origin = ''] = await command.seen(/OAuth server running on (\S+)\nVisit \S+\/connect\/notion to start/)
  return origin
}

test('npm run server starts the web server', async t => {
  const hub = await startKeyedHub(t)
  for (const id of ['002-03', '002-06']) {
    const text = fence(t, id)
    assert.equal(text.replace(skipped, '').trim(), 'npm run server')
    const origin = await server(t, text, hub.settings)
    hub.sandbox.set('notion', { autoApprove: true })
    const { response } = await new Browser().follow(`${origin}/connect/notion`)
    assert.equal(response.status, 200)
  }
})

test('the running server lists the connections under /api/connections', async t => {
  const hub = await startKeyedHub(t)
  const { connectionId } = await connectNotion(hub)
  const origin = await server(t, 'npm run server', hub.settings)
  const here = mapped(fence(t, '002-01'), { 'http://localhost:3000': origin })
  const [opened = ''] = address.exec(here) ?? []
  const [answer, ...none] = answersOf(await shell(t, here.replace(address, ''), {}))
  assert.deepEqual(none, [])
  assert.equal(answer.status, 200)
  const { success, count, connections } = JSON.parse(answer.body)
  assert.deepEqual([success, count, connections[0].connectionId], [true, 1, connectionId])
  const page = await new Browser().get(opened, { accept: 'text/html' })
  assert.equal(page.status, 200)
  assert.ok((await page.text()).includes(connectionId))
})

test('npm run get-jwt-token prints a JWT', async t => {
  const hub = await startKeyedHub(t)
  for (const id of ['003-02', '003-07']) {
    const ended = await shell(t, fence(t, id), hub.settings)
    assert.equal(ended.code, 0, ended.stderr)
    const [jwt = ''] = /^[\w-]+\.[\w-]+\.[\w-]+$/m.exec(ended.stdout) ?? []
    const asked = await fetch(`${hub.origin}/sdk/start`, {
      method: 'POST',
      headers: { 'x-alloy-user-token': jwt, 'content-type': 'application/json' },
      body: '{"connectorId":"notion"}',
    })
    assert.equal(asked.status, 200)
  }
})

test('npm run initiate-oauth, test-oauth and list-connections, one after the other', async t => {
  const hub = await startKeyedHub(t)
  const { connectionId } = await connectNotion(hub)
  const back = 'http://localhost:3000/oauth/callback'
  for (const id of ['003-03', '003-06']) {
    const text = fence(t, id)
    const count = text.replace(skipped, '').match(/^ *npm run/gm)?.length
    // A shell goes on after a command that failed; this one must not.
    const ended = await shell(t, `set -e\n${text}`, hub.settings, `notion\n${back}\n`)
    assert.equal(ended.code, 0, ended.stderr)
    const urls = [...ended.stdout.matchAll(/^(http:\S+\/api\/strategy\/connector\/notion\/authorize\?\S+)$/gm)]
    assert.equal(urls.length, id === '003-03' ? 2 : 1)
    assert.equal(count, urls.length + 1)
    for (const [url] of urls)
      assert.ok((await approve(hub, url, next => next.startsWith(`${back}?`))).searchParams.get('code'))
    assert.ok(ended.stdout.includes(`CONNECTION_ID=${connectionId}`))
  }
})
