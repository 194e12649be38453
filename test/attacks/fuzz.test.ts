/** Whatever is sent to whichever route: no answer of 500 or above, and none that does not come. */
import assert from 'node:assert/strict'
import { connect as open } from 'node:net'
import { test } from 'node:test'
import { createApp } from '../../src/http/app.ts'
import { chance } from '../campaign/options.ts'
import { connect, startTestHub } from '../harness.ts'

const cases = 21_000
const seed = Number(process.env['FUZZ_SEED'] ?? 1 + Math.floor(Math.random() * 999_999_998))
/** Milliseconds. The machine may be busy; a hang lasts for ever. */
const patience = 30_000

interface Route {
  readonly path: string
  readonly methods: readonly string[]
}

/** The routes of Fastify's own tree: each line adds what it says to the line that it hangs on. */
const routesOf = (tree: string): Route[] => {
  const above: string[] = []
  return tree.split('\n').flatMap(line => {
    const [, before = '', branch, part = '', methods] =
      /^((?:[│ ] {3})*)([├└]── )?(\S+) \(([A-Z, ]+)\)/.exec(line) ?? []
    if (methods === undefined) return []
    // A line without a branch is another handler of the one above it.
    const depth = before.length / 4 - (branch === undefined ? 1 : 0)
    above.length = depth
    above[depth] = part
    return [{ path: above.join(''), methods: methods.split(', ') }]
  })
}

const method = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'HEAD',
  'PROPFIND',
  'TRACE',
  'get',
  'FROB',
  'CONNECT',
]
const long = 'x'.repeat(3000)
const texts = [
  ...[
    '',
    'a',
    'notion',
    'github',
    'me',
    '0',
    '-1',
    '1e9',
    'true',
    'null',
    '__proto__',
    'constructor',
    'a b',
    'é',
    '😀',
  ],
  ...[
    '..',
    '../..',
    '%',
    '%zz',
    '%00',
    '%2f',
    '%2e%2e%2f',
    '\u0001',
    '"',
    "'",
    '<b>',
    '{}',
    '[]',
    '${x}',
    'a,b',
    '*',
    ';',
  ],
  ...[
    'conn_69110206d6d6670fb17451f8',
    'cred_69110206d6d6670fb17451f8',
    '69110206d6d6670fb17451f8',
    '9'.repeat(400),
    long,
  ],
  ...['https://a.example/x', 'http://localhost:1/', 'javascript:alert(1)', '//a', '2026-11-26T00:00:00Z', '1.AAAA'],
]
const names = [
  ...[
    'provider_config_key',
    'connectionId',
    'connection_id',
    'limit',
    'page',
    'cursor',
    'search',
    'tags[a]',
    'tags[',
    'scopes',
  ],
  ...[
    'force_refresh',
    'refresh_token',
    'public_key',
    'connect_session_token',
    'params[subdomain]',
    'params[]',
    'api_redirect_url',
  ],
  ...[
    'hmac',
    'state',
    'code',
    'error',
    'iss',
    'oauth_token',
    'oauth_verifier',
    'authorization_params[x]',
    'credentials[x]',
    'ws_client_id',
  ],
  ...[
    'endUserId',
    'integrationId',
    'include',
    'userId',
    'user_id',
    'connectorId',
    'session_token',
    'apiURL',
    'x',
    '',
    '__proto__',
  ],
]
const keys = [
  ...[
    'provider_config_key',
    'connection_id',
    'credentials',
    'type',
    'access_token',
    'metadata',
    'tags',
    'end_user',
    'id',
    'email',
  ],
  ...[
    'provider',
    'unique_key',
    'client_id',
    'client_secret',
    'integration',
    'integrationKey',
    'connectionId',
    'name',
    'scopes',
    'url',
  ],
  ...[
    'allowed_integrations',
    'integrations_config_defaults',
    'organization',
    'connectorId',
    'credentialType',
    'redirectUri',
    'code',
  ],
  ...[
    'state',
    'userId',
    'username',
    'fullName',
    'apiKey',
    'password',
    'events',
    'allow_duplicate',
    'ids',
    '__proto__',
    '',
  ],
]
const types = [
  'application/json',
  'application/json; charset=latin9',
  'application/x-www-form-urlencoded',
  'text/plain',
  'x',
  '',
  'multipart/form-data; boundary=x',
]

const fuzzer = (random: () => number) => {
  const some = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
  const often = (share: number) => random() < share
  /** Mostly as a client writes it; now and then as it comes, with what breaks a line taken away. */
  const inUrl = (text: string) => (often(0.8) ? encodeURIComponent(text) : text.replaceAll(/[\s\p{Cc}]/gu, '+'))
  const value = (depth: number): unknown => {
    if (depth > 0 && often(0.3)) return Array.from({ length: Math.floor(random() * 4) }, () => value(depth - 1))
    if (depth > 0 && often(0.5))
      return Object.fromEntries(Array.from({ length: Math.floor(random() * 6) }, () => [some(keys), value(depth - 1)]))
    return some<unknown>([...texts, null, true, false, 0, -1, 1e308, 0.1])
  }
  const body = (): string | Buffer => {
    if (often(0.1)) return Buffer.from(Array.from({ length: 40 }, () => Math.floor(random() * 256)))
    if (often(0.1)) return '['.repeat(20_000)
    if (often(0.1)) return new URLSearchParams([[some(keys), some(texts)]]).toString()
    const object = Object.fromEntries(
      Array.from({ length: 1 + Math.floor(random() * 8) }, () => [some(keys), value(3)]),
    )
    const text = JSON.stringify(often(0.9) ? object : value(4))
    return often(0.1) ? text.slice(0, Math.floor(random() * text.length)) : text
  }
  const header = (secret: string): string =>
    some([
      `authorization: Bearer ${some(texts.map(text => text.replaceAll(/[^\x20-\x7e]/g, '?')))}`,
      `authorization: Basic ${Buffer.from(some(texts)).toString('base64')}`,
      `authorization: ${secret}`,
      'authorization: Basic !!!',
      `cookie: ${some(['a=b', ';;;', '=', 'mortise_session=x', long])}`,
      `origin: ${some(['null', 'https://evil.example', 'x'])}`,
      `accept: ${some(['text/html', 'x', 'application/json', ''])}`,
      `x-api-version: ${some(['2025-09', '2023-12', '1', 'x'])}`,
      `provider-config-key: ${some(['notion', '', 'x'])}`,
      `sec-fetch-site: ${some(['cross-site', 'same-origin', 'x'])}`,
      `x-forwarded-for: ${some(['::1', 'x'])}`,
      `if-none-match: "x"`,
      `x: ${long}`,
    ])
  return (route: Route, host: string): Buffer => {
    const path = route.path.replaceAll(/:\w+|\*/g, () => inUrl(some(texts)))
    const query = Array.from(
      { length: often(0.5) ? 0 : 1 + Math.floor(random() * 4) },
      () => `${inUrl(some(names))}=${inUrl(some(texts))}`,
    )
    const head = [
      `${often(0.85) ? some(route.methods) : some(method)} ${often(0.02) ? some(texts).replaceAll(/[\s\p{Cc}]/gu, '') : path}${query.length > 0 ? '?' : ''}${query.join('&')} HTTP/1.1`,
      ...(often(0.97)
        ? [`host: ${host}`]
        : [some(['host: evil.example', 'host:', 'x: y', `host: ${host}\r\nhost: ${host}`])]),
      'connection: close',
      ...Array.from({ length: Math.floor(random() * 3) }, () =>
        header('Bearer nango_connect_session_'.padEnd(90, 'a')),
      ),
    ]
    if (often(0.4)) return Buffer.from(`${head.join('\r\n')}\r\n\r\n`)
    const sent = Buffer.from(body())
    head.push(
      `content-type: ${often(0.8) ? 'application/json' : some(types)}`,
      `content-length: ${often(0.99) ? sent.length : some(['-1', 'x', '1', '0'])}`,
    )
    return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), sent])
  }
}

/** The status of the answer; 0 where the hub closed the connection without one. */
const statusOf = (port: number, request: Buffer): Promise<number> =>
  new Promise((done, fail) => {
    const socket = open(port, '127.0.0.1')
    let answer = ''
    const timer = setTimeout(() => {
      socket.destroy()
      fail(new Error('no answer'))
    }, patience)
    socket.on('data', chunk => {
      if (answer.length < 20) answer += chunk.toString('latin1')
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      clearTimeout(timer)
      done(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0))
    })
    // Whoever promised more than they send is not waited for.
    socket.end(request)
  })

test(`${cases} malformed requests, over all routes: none is answered with 5xx, and each is answered`, {
  timeout: 170_000,
}, async t => {
  t.diagnostic(`FUZZ_SEED=${seed}`)
  const hub = await startTestHub(t)
  await connect(hub, 'notion', { connection_id: 'a' })
  const scripts = { 'mortise.js': '', 'alloy.js': '' }
  const app = await createApp(hub.rooms.hub, hub.access, scripts)
  await app.ready()
  const routes = routesOf(app.printRoutes({ commonPrefix: false }))
  assert.ok(routes.length > 100, `${routes.length} routes`)
  const url = new URL(hub.origin)
  const request = fuzzer(chance(seed))
  const tally = new Map<number, number>()
  const wrong: string[] = []
  let next = 0
  const one = async () => {
    while (next < cases && wrong.length < 20) {
      const route = routes[next++ % routes.length] as Route
      const sent = request(route, url.host)
      try {
        const status = await statusOf(Number(url.port), sent)
        tally.set(status, (tally.get(status) ?? 0) + 1)
        if (status >= 500) wrong.push(`${status}: ${sent.subarray(0, 400).toString('latin1')}`)
      } catch (error) {
        wrong.push(`${(error as Error).message}: ${sent.subarray(0, 400).toString('latin1')}`)
      }
    }
  }
  await Promise.all(Array.from({ length: 8 }, one))
  t.diagnostic(
    [...tally]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `${status}: ${count}`)
      .join(', '),
  )
  assert.deepEqual(wrong, [])
  // Most get past the parser, to a route.
  assert.ok((tally.get(200) ?? 0) > cases / 50 && (tally.get(0) ?? 0) < cases / 10)
  assert.equal((await fetch(`${hub.origin}/ready`)).status, 200)
})
