import { type Incoming, json, type Reply } from './http.ts'
import { escapeHtml, PAGE_CSP, page } from './page.ts'
import type { Play, Registry } from './registry.ts'
import type { Switches } from './types.ts'

/** `_sandbox`: the switches for a person at a terminal. */

const CHECKS: Readonly<Record<string, (value: unknown) => boolean>> = {
  delayMs: value => count(value),
  lifetime: value => count(value),
  graceSeconds: value => count(value),
  rotates: value => typeof value === 'boolean',
  deny: value => typeof value === 'boolean',
  autoApprove: value => value === true || typeof value === 'string',
  loseReply: value => record(value) && times(value) && only(value, ['times']),
  fail: value =>
    record(value) &&
    times(value) &&
    only(value, ['status', 'body', 'headers', 'times']) &&
    count(value['status']) &&
    Number(value['status']) >= 200 &&
    Number(value['status']) <= 599 &&
    (value['headers'] === undefined ||
      (record(value['headers']) && Object.values(value['headers']).every(v => typeof v === 'string'))),
}

const record = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const count = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0
const times = (value: Record<string, unknown>): boolean => value['times'] === undefined || count(value['times'])
const only = (value: Record<string, unknown>, keys: readonly string[]): boolean =>
  Object.keys(value).every(key => keys.includes(key))

const bad = (why: string, status = 400): Reply => ({
  answer: json(status, { error: 'invalid_request', error_description: why }),
})

/** What a switch looks like in print; functions are a test's own business. */
const printable = (switches: Switches): string =>
  JSON.stringify(switches, (_, value: unknown) => (typeof value === 'function' ? '(function)' : value))

const describe = (registry: Registry, { provider, name, expectation, clients }: Play): string => {
  const urls = [expectation.authorize.url, expectation.code.url]
  const list = (items: readonly string[]): string =>
    items.length === 0 ? 'none' : items.map(item => `<code>${escapeHtml(item)}</code>`).join(', ')
  return `<h2>${escapeHtml(name)}</h2>
<dl>
<dt>Provider</dt><dd><code>${escapeHtml(provider)}</code></dd>
<dt>Authorize and token URL</dt><dd>${list(urls)}</dd>
<dt>Registered clients</dt><dd>${list([...clients.keys()])}</dd>
<dt>Accounts</dt><dd>${list(expectation.accounts.map(a => a.id))}</dd>
<dt>Switches</dt><dd><code>${escapeHtml(printable(registry.switches(provider)))}</code></dd>
</dl>`
}

const overview = (registry: Registry, origin: string): Reply => {
  const provider = registry.plays[0]?.provider ?? 'notion'
  const curl = (path: string, body: unknown): string =>
    `curl -X POST ${origin}/_sandbox/${path} -H 'content-type: application/json' -d '${JSON.stringify(body)}'`
  const examples = [
    curl('switches', { provider, fail: { status: 503, body: { error: 'temporarily_unavailable' }, times: 2 } }),
    curl('switches', { provider, delayMs: 3000 }),
    curl('switches', { provider, loseReply: { times: 1 } }),
    curl('switches', { provider, lifetime: 60, rotates: true, graceSeconds: 30 }),
    curl('switches', { provider, deny: true }),
    curl('reset', { provider }),
    curl('expire', { token: 'ACCESS_TOKEN' }),
    curl('revoke', { token: 'ACCESS_OR_REFRESH_TOKEN' }),
  ]
  const main = `<p>A provider's URL <code>https://HOST/PATH</code> is served at <code>${escapeHtml(origin)}/HOST/PATH</code>.</p>
<pre>${escapeHtml(examples.join('\n'))}</pre>
${registry.plays.map(play => describe(registry, play)).join('\n')}`
  return { answer: page(200, 'Sandbox', main), csp: PAGE_CSP }
}

const act = (registry: Registry, action: string, body: Record<string, unknown>): Reply => {
  const { provider, token, ...rest } = body
  if (action === 'expire' || action === 'revoke') {
    if (typeof token !== 'string' || Object.keys(body).length !== 1) return bad('send {"token": "…"}')
    const done = action === 'expire' ? registry.store.expire(token) : registry.store.revoke(token)
    return { answer: json(done ? 200 : 404, { done }) }
  }
  if (provider !== undefined && (typeof provider !== 'string' || !registry.play(provider))) {
    return bad('the sandbox does not play this provider', 404)
  }
  if (action === 'reset') {
    if (!only(body, ['provider'])) return bad('send {} or {"provider": "…"}')
    registry.reset(provider)
    return { answer: json(200, { done: true }) }
  }
  if (provider === undefined) return bad('provider is missing')
  for (const [key, value] of Object.entries(body)) {
    if (key !== 'provider' && !CHECKS[key]?.(value)) return bad(`${key}: no such switch, or not a value for it`)
  }
  try {
    registry.set(provider, rest as Switches)
  } catch (error) {
    return bad(error instanceof Error ? error.message : 'refused')
  }
  return { answer: json(200, { provider, switches: registry.switches(provider) }) }
}

const ACTIONS = ['switches', 'reset', 'expire', 'revoke']

/** Only from here, or from no page at all: a page elsewhere must not throw switches in somebody's browser. */
const foreign = (request: Incoming, origins: readonly string[]): boolean => {
  const origin = request.headers['origin']
  const site = request.headers['sec-fetch-site']
  if (origin !== undefined && !origins.includes(origin)) return true
  return site !== undefined && site !== 'same-origin' && site !== 'none'
}

export const control = (registry: Registry, request: Incoming, origins: readonly string[]): Reply => {
  const action = request.path.slice(1)
  if (action === '') {
    if (request.method === 'GET') return overview(registry, origins[0] ?? '')
    return { answer: json(405, { error: 'method_not_allowed' }, { allow: 'GET' }) }
  }
  if (!ACTIONS.includes(action)) return bad(`there is ${ACTIONS.join(', ')}`, 404)
  if (request.method !== 'POST') return { answer: json(405, { error: 'method_not_allowed' }, { allow: 'POST' }) }
  if (foreign(request, origins)) {
    return { answer: json(403, { error: 'forbidden', error_description: 'not from another page' }) }
  }
  if (request.body.kind !== 'json') return bad('expected content-type application/json', 415)
  if (request.body.problem !== undefined || !record(request.body.json)) return bad('expected a JSON object')
  return act(registry, action, request.body.json)
}
