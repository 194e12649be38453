import { type Incoming, json, type Reply } from './http.ts'
import { escapeHtml, PAGE_CSP, page, personOf } from './page.ts'
import type { Play, Registry } from './registry.ts'
import type { Switches } from './types.ts'

/** `_sandbox`: the switches for a person at a terminal. */

const CHECKS: Readonly<Record<string, (value: unknown) => boolean>> = {
  delayMs: value => count(value),
  lifetime: value => count(value),
  graceSeconds: value => count(value),
  rotates: value => typeof value === 'boolean',
  record: value => typeof value === 'boolean',
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

const described = (registry: Registry, origin: string, play: Play): string => {
  const { provider, name, expectation, clients } = play
  const list = (items: readonly string[]): string =>
    items.length === 0 ? 'none' : items.map(item => `<code>${escapeHtml(item)}</code>`).join('<br>')
  const here = (url: string): string => url.replace(/^https:\/\//, `${origin}/`)
  const accounts = expectation.accounts.map(
    account => `${escapeHtml(`${account.name} (${personOf(account)})`)}: <code>${escapeHtml(account.id)}</code>`,
  )
  return `<h3>${escapeHtml(name)}</h3>
<dl>
<dt>Provider</dt><dd><code>${escapeHtml(provider)}</code></dd>
<dt>Accounts, with their ids</dt><dd>${accounts.join('<br>')}</dd>
<dt>Client ids</dt><dd>${list([...clients.keys()])}</dd>
<dt>Authorize and token URL</dt><dd>${list([expectation.authorize.url, expectation.code.url])}</dd>
<dt>API calls, for a token from here</dt><dd>${list(expectation.api.map(api => `${api.method} ${here(api.url)}`))}</dd>
<dt>Switches now</dt><dd><code>${escapeHtml(printable(registry.switches(provider)))}</code></dd>
</dl>`
}

const overview = (registry: Registry, origin: string): Reply => {
  const ready = registry.plays.filter(({ clients }) => clients.size > 0)
  const others = registry.plays.filter(({ clients }) => clients.size === 0)
  const provider =
    (ready.find(play => play.provider === 'notion') ?? ready[0] ?? registry.plays[0])?.provider ?? 'notion'
  const example = (what: string, path: string, body: unknown): string =>
    `<p>${what}</p>
<pre>${escapeHtml(`curl -X POST ${origin}/_sandbox/${path} -H 'content-type: application/json' -d '${JSON.stringify(body)}'`)}</pre>`
  const fail = { status: 503, body: { error: 'temporarily_unavailable' }, times: 2 }
  const examples = [
    example('The next two token calls answer 503. Without <code>times</code>, all do.', 'switches', { provider, fail }),
    example('Clear one switch.', 'switches', { provider, fail: null }),
    example('Clear all switches of this provider; with <code>{}</code>, of every provider.', 'reset', { provider }),
    example('Token calls answer three seconds late.', 'switches', { provider, delayMs: 3000 }),
    example('The next token call does its work, and its answer is lost.', 'switches', {
      provider,
      loseReply: { times: 1 },
    }),
    example(
      'Access tokens live a minute, a refresh spends the refresh token, and a spent one is good for 30 seconds more.',
      'switches',
      { provider, lifetime: 60, rotates: true, graceSeconds: 30 },
    ),
    example('Every authorize page denies at once.', 'switches', { provider, deny: true }),
    example(
      'No authorize page: the first account approves at once. An account’s id in place of <code>true</code>: that one.',
      'switches',
      { provider, autoApprove: true },
    ),
    example(
      'API calls that are not played are answered too, with 200 and <code>{}</code>: of GitHub, Google Drive, HubSpot, Salesforce and Slack.',
      'switches',
      { provider: 'github', record: true },
    ),
    example('An access token is dead from now on.', 'expire', { token: 'ACCESS_TOKEN' }),
    example('The whole grant behind a token is dead: the end user has withdrawn the access.', 'revoke', {
      token: 'ACCESS_OR_REFRESH_TOKEN',
    }),
  ]
  const all = (plays: readonly Play[]): string => plays.map(play => described(registry, origin, play)).join('\n')
  const main = `<p>Providers, played on this machine. What a provider has at <code>https://HOST/PATH</code> is here at
<code>${escapeHtml(origin)}/HOST/PATH</code>. A token from here works here only.
<a href="#misbehave">Make a provider misbehave.</a></p>
<h2>Ready to connect</h2>
${ready.length === 0 ? '<p>No client is registered.</p>' : all(ready)}
<details>
<summary>${others.length} more that it can play, once a client is registered</summary>
${all(others)}
</details>
<h2 id="misbehave">Make a provider misbehave</h2>
${examples.join('\n')}`
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
    const known = Object.hasOwn(CHECKS, key) && (value === null || CHECKS[key]?.(value))
    if (key !== 'provider' && !known) return bad(`${key}: no such switch, or not a value for it`)
  }
  const cleared = Object.keys(rest).filter(key => rest[key] === null)
  const thrown = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null))
  try {
    registry.set(provider, thrown as Switches)
    if (cleared.length > 0) {
      const kept = Object.entries(registry.switches(provider)).filter(([key]) => !cleared.includes(key))
      registry.reset(provider)
      registry.set(provider, Object.fromEntries(kept) as Switches)
    }
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
