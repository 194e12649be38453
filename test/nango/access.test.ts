/** Where the Connections API is and how one authenticates there (requirements 86–89, 101). */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { test } from 'node:test'
import { readConfig } from '../../src/config.ts'
import { parseScopes } from '../../src/core/keys.ts'
import { addKey } from '../../src/core/setup.ts'
import type { ConnectionShape } from '../../src/http/nango/shapes.ts'
import { connect, getJson, startTestHub, type TestHub } from '../harness.ts'

const makeKey = async (hub: TestHub) =>
  (await addKey(hub.rooms.hub.context, hub.rooms.firstEnvironment, 'test', parseScopes([]))).secret.reveal()

test('tokens and Connection objects come over plain HTTP: no SDK, not even an HTTP library', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: '1' })
  const { host, port } = new URL(hub.origin)
  const answer = await new Promise<string>((done, fail) => {
    const socket = createConnection(Number(port), '127.0.0.1', () =>
      socket.end(`GET /connection/1?provider_config_key=github HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    )
    let text = ''
    socket.on('data', chunk => {
      text += chunk
    })
    socket.on('end', () => done(text))
    socket.on('error', fail)
  })
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n/)
  assert.match(head, /content-type: application\/json/i)
  const connection = JSON.parse(body) as ConnectionShape
  assert.ok('access_token' in connection.credentials)
})

test('with a secret key: Authorization: Bearer <SECRET-KEY>, made and shown by the hub itself', async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: '1' })
  const url = `${hub.origin}/connection/1?provider_config_key=github`
  const key = await makeKey(hub)
  assert.equal((await getJson(url)).status, 401)
  assert.equal((await getJson(url, { authorization: `Bearer ${key}` })).status, 200)
})

test('on localhost: http://localhost:3003, and no Authorization header', async t => {
  assert.equal(readConfig({}, 'dev').publicUrl.origin, 'http://localhost:3003')
  assert.equal(readConfig({}, 'dev').port, 3003)
  const hub = await startTestHub(t)
  await connect(hub, 'github', { connection_id: '1' })
  assert.equal((await getJson(`${hub.origin}/connection/1?provider_config_key=github`)).status, 200)
})

test('self-hosted: only if it was secured, and then Basic: user and password, or `key:` as old clients send', async t => {
  const secured = await startTestHub(t, { env: { MORTISE_BASIC_AUTH: 'ada:a-long-password' } })
  const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` })
  const list = `${secured.origin}/connection`
  assert.equal((await getJson(list)).status, 401)
  assert.equal((await getJson(list, basic('ada:a-long-password'))).status, 200)
  for (const wrong of ['ada:another-password', 'eve:a-long-password', 'ada:', ':a-long-password', 'ada'])
    assert.equal((await getJson(list, basic(wrong))).status, 401, wrong)
  const key = await makeKey(secured)
  assert.equal((await getJson(list, basic(`${key}:`))).status, 200)
  assert.equal((await getJson(list, basic(`${key}:x`))).status, 401)
  const open = await startTestHub(t)
  assert.equal((await getJson(`${open.origin}/connection`)).status, 200)
})

test("the vendor's own client of the document's year reads, with a key and without", async t => {
  const hub = await startTestHub(t)
  await connect(hub, 'notion', { connection_id: 'a' })
  const { Nango } = await import('@nangohq/node')
  const keyless = new Nango({ host: hub.origin })
  const plain = (await keyless.getConnection('notion', 'a')) as ConnectionShape
  assert.ok('access_token' in plain.credentials)
  assert.equal(await keyless.getToken('notion', 'a'), plain.credentials.access_token)
  const key = await makeKey(hub)
  const keyed = new Nango({ host: hub.origin, secretKey: key })
  assert.equal(await keyed.getToken('notion', 'a'), plain.credentials.access_token)
  assert.deepEqual(
    (await keyed.listConnections()).connections.map((each: { connection_id: string }) => each.connection_id),
    ['a'],
  )
  await assert.rejects(new Nango({ host: hub.origin, secretKey: 'wrong' }).getToken('notion', 'a'), /401/)
})

test('the pages that the document links to exist, each with curl, TypeScript and Python', async t => {
  const hub = await startTestHub(t)
  for (const page of ['core-concepts', 'sdk-reference', 'securing-your-instance']) {
    const file = new URL(`../../docs/${page}.md`, import.meta.url)
    assert.ok(existsSync(file), page)
    const text = readFileSync(file, 'utf8')
    assert.match(text, /```sh\n[\s\S]*?curl /, `${page} has no curl`)
    assert.match(text, /```ts\n/, `${page} has no TypeScript`)
    assert.match(text, /```python\n/, `${page} has no Python`)
    const served = await fetch(`${hub.origin}/docs/${page}`)
    assert.equal(served.status, 200)
    assert.match(await served.text(), /<h1>/)
  }
  const concepts = readFileSync(new URL('../../docs/core-concepts.md', import.meta.url), 'utf8')
  for (const anchor of ['metadata', 'provider-config-key', 'connection-id'])
    assert.ok(concepts.includes(`<a id="${anchor}"></a>`), anchor)
  // Cloud, localhost and self-hosted stand there as the three modes.
  const securing = readFileSync(new URL('../../docs/securing-your-instance.md', import.meta.url), 'utf8')
  for (const mode of ['Localhost without a key', 'Bearer', 'Basic']) assert.match(securing, new RegExp(`### .*${mode}`))
})

test('every link between the pages leads somewhere', () => {
  const root = new URL('../../', import.meta.url)
  const pages = [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'CHANGELOG.md',
    ...[
      'core-concepts',
      'sdk-reference',
      'securing-your-instance',
      'configuration',
      'errors',
      'providers',
      'adding-a-provider',
      'conformance',
    ].map(name => `docs/${name}.md`),
  ]
  let links = 0
  for (const page of pages) {
    const here = new URL(page, root)
    for (const [, to = ''] of readFileSync(here, 'utf8').matchAll(/\]\(((?!https?:|mailto:)[^)\s]+)\)/g)) {
      const [path = '', anchor] = to.split('#')
      // The hub makes that page of its routes.
      if (path === '/docs/api') continue
      const target = path === '' ? here : new URL(path, here)
      assert.ok(existsSync(target), `${page}: ${to}`)
      links++
      if (anchor === undefined || !target.pathname.endsWith('.md')) continue
      const text = readFileSync(target, 'utf8')
      const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(match =>
        (match[1] ?? '')
          .toLowerCase()
          .replace(/[^\w\s-]/g, '')
          .replaceAll(' ', '-'),
      )
      assert.ok(text.includes(`<a id="${anchor}"></a>`) || headings.includes(anchor), `${page}: ${to}`)
    }
  }
  assert.ok(links > 30)
})
