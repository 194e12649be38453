import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { suite, type TestContext, test } from 'node:test'
import { MortiseError } from '../core/errors.ts'
import type { CallRequest } from '../core/ports.ts'
import { type CallOptions, createCall } from './call.ts'

/** A server on 127.0.0.1 and its `host:port`, gone with the test. */
const serve = async (t: TestContext, answer: RequestListener): Promise<string> => {
  const server = createServer(answer)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    server.closeAllConnections()
    return new Promise(done => server.close(done))
  })
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const get = (url: string, over: Partial<CallRequest> = {}): CallRequest => ({
  method: 'GET',
  url,
  headers: {},
  sandbox: false,
  ...over,
})
const allowing = (host: string, over: Partial<CallOptions> = {}) => createCall({ allowedHosts: [host], ...over })

/** What the call throws; that it throws a MortiseError. */
const failure = async (promise: Promise<unknown>): Promise<MortiseError> => {
  try {
    await promise
  } catch (error) {
    assert.ok(error instanceof MortiseError, String(error))
    return error
  }
  return assert.fail('the call succeeded')
}

suite('a call to an address that is not public', () => {
  test('is refused before a byte leaves', async t => {
    let asked = 0
    const host = await serve(t, (_, response) => {
      asked++
      response.end()
    })
    const port = host.split(':')[1]
    for (const name of [
      '127.0.0.1',
      'localhost',
      '2130706433',
      '0x7f.1',
      '127.1',
      '0',
      '[::ffff:127.0.0.1]',
      '[::1]',
      '[::]',
    ])
      for (const scheme of ['http', 'https']) {
        const error = await failure(createCall({ allowedHosts: [] }).send(get(`${scheme}://${name}:${port}/`)))
        assert.equal(error.code, 'integration_misconfigured', name)
        assert.equal(error.details.sent, false)
        assert.match(error.message, /MORTISE_ALLOWED_HOSTS/)
      }
    assert.equal(asked, 0)
  })

  test('is refused for a metadata service and a private network', async () => {
    for (const host of [
      '169.254.169.254',
      '[fd00:ec2::254]',
      '10.0.0.1',
      '192.168.1.1',
      '[fe80::1]',
      '[64:ff9b::7f00:1]',
    ])
      assert.equal(
        (await failure(createCall({ allowedHosts: [] }).send(get(`https://${host}/latest`)))).code,
        'integration_misconfigured',
        host,
      )
  })

  test('is made where the operator names the host, with or without the port', async t => {
    const host = await serve(t, (_, response) => response.end('hello'))
    const [name = '', port] = host.split(':')
    for (const allowed of [host, name])
      assert.equal((await allowing(allowed).send(get(`http://${host}/`))).body, 'hello')
    for (const allowed of [`${name}:1`, 'localhost', `localhost:${port}`, `x${name}`, '127.0.0', ''])
      assert.equal((await failure(allowing(allowed).send(get(`http://${host}/`)))).code, 'integration_misconfigured')
  })

  test('does not follow from another name for the same address being allowed', async t => {
    const host = await serve(t, (_, response) => response.end())
    const port = host.split(':')[1]
    assert.equal((await allowing('localhost').send(get(`http://localhost:${port}/`))).status, 200)
    assert.equal((await failure(allowing('localhost').send(get(`http://${host}/`)))).code, 'integration_misconfigured')
  })
})

suite('a call', () => {
  test('sends its method, path, headers and body as they are', async t => {
    let heard: Record<string, unknown> = {}
    const host = await serve(t, async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const { method, url, headers } = request
      heard = { method, url, headers, body: Buffer.concat(chunks).toString() }
      response.writeHead(201, { 'X-Answer': 'yes', 'Set-Cookie': ['a=1', 'b=2'] }).end('grüße')
    })
    const headers = { authorization: 'Basic eA==', 'content-type': 'application/json' }
    const answer = await allowing(host).send(
      get(`http://${host}/a%2Fb?x=1&y=%20`, { method: 'POST', headers, body: '{"ä":1}' }),
    )
    assert.equal(answer.status, 201)
    assert.equal(answer.headers['x-answer'], 'yes')
    assert.equal(answer.body, 'grüße')
    assert.deepEqual([heard['method'], heard['url'], heard['body']], ['POST', '/a%2Fb?x=1&y=%20', '{"ä":1}'])
    const sent = heard['headers'] as Record<string, string>
    assert.equal(sent['authorization'], 'Basic eA==')
    assert.equal(sent['content-type'], 'application/json')
    assert.equal(sent['content-length'], '8')
    assert.equal(sent['user-agent'], 'Mortise')
    assert.equal(sent['host'], host)
  })

  test('lets the definition name its own User-Agent', async t => {
    const host = await serve(t, (request, response) => response.end(request.headers['user-agent']))
    const answer = await allowing(host).send(get(`http://${host}/`, { headers: { 'User-Agent': 'Other' } }))
    assert.equal(answer.body, 'Other')
  })

  test('does not follow a redirect', async t => {
    const asked: string[] = []
    const host = await serve(t, (request, response) => {
      asked.push(request.url ?? '')
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    const answer = await allowing(host).send(get(`http://${host}/start`))
    assert.deepEqual([answer.status, answer.headers['location'], asked], [302, '/elsewhere', ['/start']])
  })

  test('gives an error status as an answer', async t => {
    const host = await serve(t, (_, response) => response.writeHead(503, { 'retry-after': '7' }).end('down'))
    const answer = await allowing(host).send(get(`http://${host}/`))
    assert.deepEqual([answer.status, answer.headers['retry-after'], answer.body], [503, '7', 'down'])
  })

  test('takes an answer up to the limit, and none beyond it', async t => {
    const host = await serve(t, (request, response) => {
      const size = Number(request.url?.slice(1))
      for (let at = 0; at < size; at += 100) response.write('x'.repeat(Math.min(100, size - at)))
      response.end()
    })
    const call = allowing(host, { limit: 1000 })
    assert.equal((await call.send(get(`http://${host}/1000`))).body.length, 1000)
    const error = await failure(call.send(get(`http://${host}/1001`)))
    assert.equal(error.code, 'provider_invalid_response')
    assert.equal(error.details.sent, true)
    assert.match(error.message, /more than 1000 bytes/)
  })

  test('stops at the limit of an answer without end', async t => {
    let gone: () => void = () => {}
    const closed = new Promise<void>(done => {
      gone = done
    })
    const host = await serve(t, (_, response) => {
      response.on('close', gone)
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(1000)));
        response.once('drain', more)
      }
      more()
    })
    const error = await failure(allowing(host, { limit: 10_000 }).send(get(`http://${host}/`)))
    assert.equal(error.code, 'provider_invalid_response')
    await closed
  })
})

suite('a call that fails', () => {
  test('says that nothing was sent when the connection is refused', async () => {
    // A port that was just free.
    const server = createTcpServer()
    await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    await new Promise(done => server.close(done))
    const error = await failure(allowing(host).send(get(`http://${host}/`)))
    assert.equal(error.code, 'provider_unavailable')
    assert.equal(error.details.sent, false)
    assert.ok(error.message.startsWith(`${host} could not be reached`))
  })

  test('says that nothing was sent when the name does not exist', async () => {
    // A label this long is refused without asking anyone.
    const name = `${'x'.repeat(64)}.invalid`
    const error = await failure(allowing(name).send(get(`https://${name}/`)))
    assert.equal(error.code, 'provider_unavailable')
    assert.match(error.message, /cannot be resolved/)
    assert.equal(error.details.sent, false)
  })

  test('says that nothing was sent when there is no TLS at the other end', async t => {
    const host = await serve(t, (_, response) => response.end())
    const error = await failure(allowing(host).send(get(`https://${host}/`)))
    assert.equal(error.code, 'provider_unavailable')
    assert.equal(error.details.sent, false)
  })

  test('says that it was sent when the connection breaks after the request', async t => {
    const host = await serve(t, request => request.socket.destroy())
    const error = await failure(allowing(host).send(get(`http://${host}/`, { method: 'POST', body: 'x' })))
    assert.equal(error.code, 'provider_unavailable')
    assert.equal(error.details.sent, true)
  })

  test('says that it was sent when the answer breaks off', async t => {
    const host = await serve(t, (request, response) => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{"access_token":', () => request.socket.destroy())
    })
    const error = await failure(allowing(host).send(get(`http://${host}/`)))
    assert.equal(error.code, 'provider_unavailable')
    assert.equal(error.details.sent, true)
  })

  test('waits no longer than its time limit, for the answer or for its end', { timeout: 5000 }, async t => {
    const host = await serve(t, (request, response) => {
      if (request.url === '/slow-body') response.writeHead(200).write('x')
    })
    for (const path of ['/silent', '/slow-body']) {
      const error = await failure(allowing(host, { timeout: 100 }).send(get(`http://${host}${path}`)))
      assert.equal(error.code, 'provider_unavailable', path)
      assert.equal(error.details.sent, true, path)
    }
  })

  test('has no query, header or body in its message', async t => {
    const host = await serve(t, request => request.socket.destroy())
    const error = await failure(
      allowing(host).send(
        get(`http://${host}/p?q=planted`, { method: 'POST', headers: { authorization: 'planted' }, body: 'planted' }),
      ),
    )
    assert.ok(!error.message.includes('planted') && !String(error.cause).includes('planted'))
  })
})

suite('the sandbox', () => {
  test('plays https://HOST/PATH?QUERY at its own origin only', async t => {
    const asked: string[] = []
    const host = await serve(t, (request, response) => {
      asked.push(`${request.method} ${request.url}`)
      response.end('played')
    })
    const call = createCall({ allowedHosts: [], sandboxOrigin: `http://${host}` })
    for (const [url, path] of [
      ['https://api.notion.com/v1/oauth/token', '/api.notion.com/v1/oauth/token'],
      ['https://acme.zendesk.com/a%2Fb?x=1&y=2', '/acme.zendesk.com/a%2Fb?x=1&y=2'],
      ['https://git.example.com:8443/', '/git.example.com:8443/'],
      ['https://u:p@example.com/x#y', '/example.com/x'],
      ['https://example.com//evil.example/../x', '/example.com//x'],
      ['http://169.254.169.254/latest', '/169.254.169.254/latest'],
    ] as const) {
      assert.equal((await call.send(get(url, { sandbox: true, method: 'POST' }))).body, 'played')
      assert.equal(asked.pop(), `POST ${path}`)
      assert.equal(call.page(url, true), `http://${host}${path}`)
    }
  })

  test('opens no hole for a call that is not sandboxed', async t => {
    const host = await serve(t, (_, response) => response.end('played'))
    const call = createCall({ allowedHosts: [], sandboxOrigin: `http://${host}` })
    assert.equal((await failure(call.send(get(`http://${host}/`)))).code, 'integration_misconfigured')
  })

  test('is not there outside dev', async () => {
    const call = createCall({ allowedHosts: [] })
    const error = await failure(call.send(get('https://api.notion.com/v1', { sandbox: true })))
    assert.equal(error.code, 'integration_misconfigured')
    assert.throws(() => call.page('https://api.notion.com/v1', true), { code: 'integration_misconfigured' })
  })

  test('leaves the page of a real integration as it is', () => {
    const call = createCall({ allowedHosts: [], sandboxOrigin: 'http://localhost:3004' })
    assert.equal(call.page('https://github.com/login?x=1', false), 'https://github.com/login?x=1')
  })
})

test('without https, a host that is not named is refused even on a public address', async () => {
  const error = await failure(createCall({ allowedHosts: [] }).send(get('http://1.1.1.1/')))
  assert.equal(error.code, 'integration_misconfigured')
  assert.match(error.message, /is not https/)
})
