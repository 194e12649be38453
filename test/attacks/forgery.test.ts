/**
 * Request forgery by way of the proxy: nothing that a caller, a provider's redirect or a resolver says brings a credential, or
 * a connection at all, to a host that the definition does not name. Every dial of the hub is seen (`internet.ts`).
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { freePorts, startServing, tempFolder } from '../harness.ts'
import { at, type Forgery, forgeries, hostValues, keptValues } from './forgeries.ts'
import { startInternet } from './internet.ts'

const canary = 'canary-5d0c1f7e9b'

const definition = (name: string, api: string, more = '') => `name: ${name}
docs: [https://acme.test/docs]
auth: oauth2
api:
  ${api}
authorize: { url: https://login.acme.test/authorize }
token: { url: https://login.acme.test/token, client: basic }
${more}`
const definitions = {
  acme: definition('Acme', "base: https://api.acme.test/v2\n  hosts: [files.acme.test, '*.cdn.acme.test']"),
  tenants: definition(
    'Tenants',
    "base: https://${config.subdomain}.tenants.test/v2\n  header: X-Api-Key\n  prefix: ''",
    'params: { subdomain: { title: Subdomain, kind: label } }\n',
  ),
  kept: definition(
    'Kept',
    'base: ${config.instance}/v2',
    "config: { instance: { path: instance_url, host: ['.kept.test'] } }\n",
  ),
  keyed: definition('Keyed', 'base: https://api.acme.test/v2\n  placement: { in: query, param: api_key }'),
}

test('a request of the proxy goes to the hosts that the definition names, whatever is tried', async t => {
  const port = await freePorts()
  const internet = await startInternet(t, port)
  const providers = tempFolder(t)
  for (const [id, text] of Object.entries(definitions)) writeFileSync(join(providers, `${id}.yaml`), text)
  const dataDir = tempFolder(t)
  const env = { MORTISE_PORT: String(port), MORTISE_PROVIDERS_DIR: providers, MORTISE_DATA_DIR: dataDir }
  const hub = await startServing(t, env, { resolve: internet.resolve })
  const key = `Authorization: Bearer ${hub.secretKey}`
  internet.names.set('api.acme.test', [[at.acme]])
  internet.names.set('files.acme.test', [[at.files]])
  internet.names.set('a.cdn.acme.test', [[at.cdn]])
  internet.names.set('one.tenants.test', [[at.tenant]])
  internet.names.set('one.kept.test', [[at.kept]])
  internet.names.set('loopback.test', [['127.0.0.1']])
  internet.names.set('evil.test', [[at.evil]])

  const api = (method: string, path: string, body: unknown) =>
    say(port, `${method} ${path}`, [key, 'Content-Type: application/json'], JSON.stringify(body))
  for (const id of Object.keys(definitions)) {
    const made = await api('POST', '/api/v1/integrations', { key: id, provider: id, clientId: 'c', clientSecret: 's' })
    assert.equal(made.status, 201, made.body)
  }
  const connect = (integration: string, id: string, config: Record<string, string>) =>
    api('POST', '/connections', {
      provider_config_key: integration,
      connection_id: id,
      connection_config: config,
      credentials: { type: 'OAUTH2', access_token: canary },
    })
  assert.match((await connect('acme', 'acme', {})).body, /"connection_id"/)
  assert.match((await connect('tenants', 'tenants', { subdomain: 'one' })).body, /"connection_id"/)
  assert.match((await connect('kept', 'kept', {})).body, /"connection_id"/)
  assert.match((await connect('keyed', 'keyed', {})).body, /"connection_id"/)
  // What the provider told is given by nobody; here it stands in the database, as if the provider had lied.
  const database = new DatabaseSync(join(dataDir, 'mortise.db'))
  t.after(() => database.close())
  const told = (instance: string) =>
    database
      .prepare("update connections set config_json = ? where connection_id = 'kept'")
      .run(JSON.stringify({ instance }))
  assert.equal(told('https://one.kept.test').changes, 1)

  const ask = (integration: string, id: string, forgery: Forgery) => {
    const { method = 'GET', path = 'x', headers = [], base, body = '', door = 'nango' } = forgery
    const doors = {
      nango: {
        start: '/proxy/',
        named: [`Connection-Id: ${id}`, `Provider-Config-Key: ${integration}`],
        base: 'Base-Url-Override',
      },
      own: { start: `/api/v1/connections/${id}/proxy/`, named: [], base: 'Mortise-Base-Url' },
    }
    const { start, named, base: header } = doors[door]
    const more = base === undefined ? [] : [`${header}: ${base}`]
    return say(port, `${method} ${start}${path}`, [key, ...named, ...more, ...headers], body)
  }
  const before = () => {
    internet.heard.length = 0
    internet.answer = () => undefined
  }

  await t.test('the three hubs of the test are reached where nothing is tried, each with its credential', async () => {
    for (const [id, address] of [
      ['acme', at.acme],
      ['tenants', at.tenant],
      ['kept', at.kept],
    ] as const) {
      before()
      assert.equal((await ask(id, id, { name: '', reaches: 'nobody' })).status, 200)
      assert.deepEqual(
        internet.heard.map(each => [each.to, each.bytes.includes(canary), each.bytes.includes(hub.secretKey)]),
        [[`${address}:443`, true, false]],
      )
    }
  })

  await t.test(`${forgeries.length} forgeries`, async () => {
    const wrong: string[] = []
    for (const forgery of forgeries) {
      before()
      for (const [name, lists] of Object.entries(forgery.names ?? {})) internet.names.set(name, [...lists])
      internet.answer = (_, to) => (to === `${at.acme}:443` ? forgery.answer : undefined)
      const { reaches, never, heard } = forgery
      const times = forgery.names && reaches !== 'nobody' ? 2 : 1
      let status = 0
      for (let time = 0; time < times; time++) status = (await ask('acme', 'acme', forgery)).status
      const addresses = internet.heard.map(each => each.to)
      const all = internet.heard.map(each => each.bytes)
      const mistakes = [
        ...(reaches === 'nobody'
          ? addresses.length > 0 || (status > 0 && status < 400)
            ? [`answered ${status}, dialled ${addresses}`]
            : []
          : addresses.join() === reaches.map(each => `${at[each]}:443`).join()
            ? []
            : [`answered ${status}, dialled ${addresses}`]),
        ...all.filter(each => each.includes(hub.secretKey)).map(() => 'the key of the hub was sent'),
        ...all
          .slice(1)
          .filter(each => each.includes('for-the-first-alone'))
          .map(() => 'a header went along'),
        ...(never ? all.filter(each => never.test(each)) : []),
        ...(heard && !heard.test(all[0] ?? '') ? [`heard ${all[0]?.split('\r\n')[0]}`] : []),
        // Whoever is dialled gets a credential: that makes the rest of this mean something.
        ...(reaches === 'nobody' || all.every(each => each.includes(canary)) ? [] : ['a credential is missing']),
      ]
      for (const mistake of mistakes) wrong.push(`${forgery.name} (${forgery.door}): ${mistake}`)
    }
    assert.deepEqual(wrong, [])
    assert.ok(forgeries.length >= 60)
  })

  await t.test(
    'a credential that stands in the query does not come back with what the provider says of its URLs',
    async () => {
      for (const door of ['nango', 'own'] as const) {
        before()
        const own = `/v2/x?api_key=${canary}`
        internet.answer = () =>
          `HTTP/1.1 201 Created\r\nlocation: ${own}&a=1\r\ncontent-location: ${own}\r\nlink: <https://api.acme.test${own}&page=2>; rel="next"\r\nx-login: /login?to=${encodeURIComponent(own)}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`
        const { status, head } = await ask('keyed', 'keyed', { name: '', door, method: 'POST', reaches: ['acme'] })
        assert.equal(status, 201)
        assert.match(internet.heard[0]?.bytes ?? '', new RegExp(`^POST /v2/x\\?api_key=${canary} `))
        assert.match(head, /link: <https:\/\/api\.acme\.test\/v2\/x\?page=2>; rel="next"/)
        assert.doesNotMatch(head, new RegExp(canary))
      }
    },
  )

  await t.test('no value of a connection moves the host', async () => {
    const wrong: string[] = []
    const look = async (id: string, integration: string, what: string) => {
      before()
      const { status } = await ask(integration, id, { name: '', door: 'nango', reaches: 'nobody' })
      if (internet.heard.length > 0 || status < 400)
        wrong.push(`${what}: answered ${status}, dialled ${internet.heard[0]?.to}`)
    }
    for (const [index, subdomain] of hostValues.entries()) {
      await connect('tenants', `moved-${index}`, { subdomain })
      await look(`moved-${index}`, 'tenants', JSON.stringify(subdomain))
    }
    for (const instance of keptValues) {
      told(instance)
      await look('kept', 'kept', JSON.stringify(instance))
    }
    assert.deepEqual(wrong, [])
  })
})

/** A request byte for byte, and its answer: its head, too. 0: it was cut off. */
const say = (
  port: number,
  line: string,
  headers: readonly string[],
  body = '',
): Promise<{ status: number; head: string; body: string }> =>
  new Promise((done, fail) => {
    const framed = headers.some(each => /^(content-length|transfer-encoding)\s*:/i.test(each))
    const named = headers.find(each => /^connection:/i.test(each))
    const socket = net.connect({ port, host: '127.0.0.1' })
    let text = ''
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no answer to ${line}`)))
    socket.on('data', chunk => {
      text += chunk.toString()
    })
    socket.on('error', error => ('code' in error && error.code === 'ECONNRESET' ? undefined : fail(error)))
    socket.on('close', () => {
      const [head = '', ...rest] = text.split('\r\n\r\n')
      done({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1] ?? 0), head, body: rest.join('\r\n\r\n') })
    })
    const lines = [
      `${line} HTTP/1.1`,
      `Host: localhost:${port}`,
      ...headers.filter(each => each !== named),
      named === undefined ? 'Connection: close' : `${named}, close`,
      ...(framed || body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    ]
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`)
  })
