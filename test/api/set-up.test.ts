/** Our own API: environments, keys, providers, integrations; what every route has in common. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Scope } from '../../src/core/environment.ts'
import { scopes } from '../../src/core/environment.ts'
import { addEnvironment, addKey } from '../../src/core/setup.ts'
import { routes } from '../../src/http/api/routes.ts'
import { startServing, startTestHub } from '../harness.ts'
import { api, bearer, refused } from './hub.ts'

type Serving = Awaited<ReturnType<typeof startServing>>

const keyOf = async (hub: Serving, granted: readonly Scope[]): Promise<Record<string, string>> =>
  bearer((await addKey(hub.rooms.hub.context, hub.rooms.firstEnvironment, 'test', granted)).secret.reveal())

test('each route wants its scope, and no other; without a key, or with a wrong one, it is 401', async t => {
  const hub = await startServing(t)
  for (const route of routes) {
    const path = route.path.replaceAll(/\{\w+\}/g, 'x')
    const body = route.body ? {} : undefined
    const none = await refused(hub, route.method, path, body)
    assert.deepEqual([none.status, none['code'], none['actor']], [401, 'unauthenticated', 'caller'], route.id)
    const wrong = await refused(hub, route.method, path, body, bearer('mortise_sk_nonsense'))
    assert.equal(wrong.status, 401)
    const others = await keyOf(
      hub,
      scopes.filter(scope => scope !== route.scope),
    )
    const lacks = await refused(hub, route.method, path, body, others)
    assert.deepEqual([lacks.status, lacks['reason']], [403, 'key_scope'], route.id)
    assert.match(String(lacks['message']), new RegExp(`lacks the scope ${route.scope}`))
    const fits = await api<{ error?: { reason?: string } }>(
      hub,
      route.method,
      path,
      body,
      await keyOf(hub, [route.scope]),
    )
    if (route.id !== 'getCredential') assert.notEqual(fits.body?.error?.reason, 'key_scope', route.id)
  }
})

test('what is misspelt, out of range, given twice or not JSON is named, with what would be right', async t => {
  const hub = await startTestHub(t)
  const cases: [method: string, path: string, body: unknown, parameter: string | undefined, says: RegExp][] = [
    ['GET', '/integrations?limt=2', undefined, 'limt', /did you mean limit\?\); there are limit, cursor/],
    ['GET', '/integrations?limit=0', undefined, 'limit', /limit is not right.*from 1 to 100/],
    ['GET', '/integrations?limit=2.5', undefined, 'limit', /limit is not right/],
    ['GET', '/integrations?limit=many', undefined, 'limit', /limit is not right/],
    ['GET', '/integrations?limit=1&limit=2', undefined, 'limit', /more than once/],
    ['GET', '/integrations?cursor=%21', undefined, 'cursor', /not one that this list gave/],
    ['GET', '/connections?cursor=YQ', undefined, 'cursor', /not one that this list gave/],
    ['GET', '/connections?tag=plan', undefined, 'tag', /tag is name:value/],
    ['GET', '/environment?x=1', undefined, 'x', /takes nothing there/],
    ['POST', '/integrations', { key: 'a', cleintId: 'x' }, 'cleintId', /did you mean clientId\?/],
    ['POST', '/integrations', {}, 'key', /key is missing in the body/],
    ['POST', '/integrations', { key: 1 }, 'key', /key is not right: .*expected string/],
    ['POST', '/integrations', { key: 'a', settings: { b: 1 } }, 'settings.b', /settings\.b is not right/],
    ['POST', '/integrations', { key: 'a', scopes: ['x', 2] }, 'scopes[1]', /scopes\[1\] is not right/],
    ['POST', '/integrations', '{', undefined, /not JSON/],
    ['POST', '/integrations', '[]', undefined, /must be a JSON object/],
    ['POST', '/integrations', 'null', 'key', /key is missing/],
    ['POST', '/keys', { name: 'a', scopes: ['proxi'] }, 'scopes[0]', /"proxy"/],
    ['POST', '/keys', { name: 'a', scopes: [] }, 'scopes', /scopes is not right/],
    ['DELETE', '/integrations/slack', { yes: true }, 'yes', /takes nothing there/],
    ['GET', '/providers?category=cmr', undefined, 'category', /"crm"/],
  ]
  for (const [method, path, body, parameter, says] of cases) {
    const answer = await refused(hub, method, path, body)
    const what = `${method} ${path} ${JSON.stringify(body)}: ${answer['message']}`
    assert.deepEqual([answer.status, answer['code'], answer['parameter']], [400, 'invalid_request', parameter], what)
    assert.match(String(answer['message']), says)
  }
  const form = await fetch(`${hub.origin}/api/v1/integrations`, {
    method: 'POST',
    body: new URLSearchParams({ key: 'a' }),
  })
  assert.equal(form.status, 400)
  const strange = await refused(hub, 'GET', '/integrtaions')
  assert.match(String(strange['message']), /did you mean \/api\/v1\/integrations\?/)
  assert.equal(strange.status, 404)
  assert.match(String((await refused(hub, 'PUT', '/integrations'))['message']), /takes GET, POST, not PUT/)
})

test('a caller chooses no request id, and a keyless hub answers no page of another site', async t => {
  const hub = await startTestHub(t)
  const given = await api(hub, 'GET', '/environment', undefined, { 'x-request-id': 'mine' })
  assert.notEqual(given.headers.get('x-request-id'), 'mine')
  const foreign = await refused(hub, 'GET', '/environment', undefined, { origin: 'https://evil.example' })
  assert.deepEqual([foreign.status, foreign['reason']], [403, 'keyless_refused'])
})

test('an environment shows its lists and takes new ones, all or none', async t => {
  const hub = await startTestHub(t)
  const { body: first } = await api(hub, 'GET', '/environment')
  assert.deepEqual(
    [first['name'], first['publicKey'], first['redirectUri'], first['allowedRedirects']],
    ['dev', hub.publicKey, `${hub.origin}/oauth/callback`, []],
  )
  const lists = {
    allowedRedirects: ['https://app.example/a', 'https://app.example/b'],
    allowedOrigins: ['https://app.example'],
  }
  const { body: changed } = await api(hub, 'PATCH', '/environment', lists)
  assert.deepEqual(
    [changed['allowedRedirects'], changed['allowedOrigins']],
    [lists.allowedRedirects, lists.allowedOrigins],
  )
  const bad = { allowedRedirects: ['https://app.example/c'], allowedOrigins: ['https://app.example/x'] }
  assert.equal((await refused(hub, 'PATCH', '/environment', bad)).status, 400)
  const { body: kept } = await api(hub, 'GET', '/environment')
  assert.deepEqual(kept['allowedRedirects'], lists.allowedRedirects)
  const { body: fewer } = await api(hub, 'PATCH', '/environment', { allowedRedirects: ['https://app.example/b'] })
  assert.deepEqual(
    [fewer['allowedRedirects'], fewer['allowedOrigins']],
    [['https://app.example/b'], lists.allowedOrigins],
  )
})

test('admin makes environments with a first key, which reaches its own only; a key without it does not', async t => {
  const hub = await startServing(t)
  const admin = bearer(hub.secretKey)
  type Made = { name: string; key: { secret: string; scopes: Scope[] } }
  const { body: made } = await api<Made>(hub, 'POST', '/environments', { name: 'staging' }, admin)
  assert.ok(!made.key.scopes.includes('admin'))
  const inside = bearer(made.key.secret)
  assert.equal((await api(hub, 'GET', '/environment', undefined, inside)).body['name'], 'staging')
  await api(hub, 'POST', '/integrations', { key: 'github', clientId: 'a', clientSecret: 'b' }, inside)
  assert.equal((await refused(hub, 'GET', '/integrations/github', undefined, admin)).status, 404)
  assert.equal((await refused(hub, 'POST', '/environments', { name: 'other' }, inside)).status, 403)
  assert.equal((await refused(hub, 'POST', '/environments', { name: 'staging' }, admin)).status, 409)
  assert.equal((await refused(hub, 'POST', '/environments', { name: 'Not A Name' }, admin)).status, 400)
  const names: string[] = []
  for (let cursor = ''; ; ) {
    type Page = { data: { name: string }[]; next: string | null }
    const { body: page } = await api<Page>(hub, 'GET', `/environments?limit=1${cursor}`, undefined, admin)
    names.push(...page.data.map(each => each.name))
    if (page.next === null) break
    cursor = `&cursor=${page.next}`
  }
  assert.deepEqual(names, ['dev', 'staging'])
  // What is not named is not had: a usual key has no admin.
  const { body: usual } = await api<{ scopes: Scope[] }>(hub, 'POST', '/keys', { name: 'usual' }, admin)
  assert.deepEqual(
    usual.scopes,
    scopes.filter(scope => scope !== 'admin'),
  )
})

test('a key makes and ends keys that may do no more than itself; each is shown once', async t => {
  const hub = await startServing(t)
  const all = bearer(hub.secretKey)
  type Key = { id: string; secret?: string; scopes: Scope[]; revokedAt: string | null }
  const some: Scope[] = ['integrations:read', 'integrations:write', 'connections:read']
  const { body: maker } = await api<Key>(hub, 'POST', '/keys', { name: 'maker', scopes: some }, all)
  const mine = bearer(maker.secret ?? '')
  const beyond = await refused(hub, 'POST', '/keys', { name: 'more', scopes: ['proxy'] }, mine)
  assert.deepEqual([beyond.status, beyond['reason']], [403, 'key_scope'])
  assert.equal((await refused(hub, 'POST', '/keys', { name: ' ' }, mine)).status, 400)
  const { body: child } = await api<Key>(hub, 'POST', '/keys', { name: 'child' }, mine)
  assert.deepEqual(new Set(child.scopes), new Set(some))
  const { body: strong } = await api<Key>(hub, 'POST', '/keys', { name: 'strong', scopes: ['proxy'] }, all)
  assert.equal((await refused(hub, 'DELETE', `/keys/${strong.id}`, undefined, mine)).status, 403)
  assert.notEqual((await api<Key>(hub, 'DELETE', `/keys/${child.id}`, undefined, mine)).body.revokedAt, null)
  assert.equal((await refused(hub, 'DELETE', `/keys/${child.id}`, undefined, mine)).status, 404)
  assert.equal((await refused(hub, 'GET', '/keys', undefined, bearer(child.secret ?? ''))).status, 401)
  // Another environment's key is not there at all.
  const { context } = hub.rooms.hub
  const other = await addKey(context, await addEnvironment(context, 'other'), 'theirs', ['proxy'])
  assert.equal((await refused(hub, 'DELETE', `/keys/${other.key.id}`, undefined, all)).status, 404)
  const { body: list } = await api<{ data: Key[] }>(hub, 'GET', '/keys', undefined, all)
  assert.equal(list.data.length, 3)
  assert.ok(!JSON.stringify(list).includes(maker.secret ?? '-'))
})

test('providers are listed, narrowed and shown', async t => {
  const hub = await startTestHub(t)
  type Page = { data: { id: string; settings: object }[]; next: string | null }
  const { body: all } = await api<Page>(hub, 'GET', '/providers')
  assert.ok(all.data.length >= 12)
  const { body: crm } = await api<Page>(hub, 'GET', '/providers?category=crm&search=hub')
  assert.deepEqual(
    crm.data.map(each => each.id),
    ['hubspot'],
  )
  const { body: gitlab } = await api(hub, 'GET', '/providers/gitlab')
  assert.deepEqual(Object.keys(gitlab['settings'] as object), ['host'])
  const none = await refused(hub, 'GET', '/providers/githib')
  assert.equal(none.status, 404)
  assert.match(String(none['message']), /did you mean github\?/)
})

test('an integration is added, shown without its secret, and removed unless connections stand on it', async t => {
  const hub = await startTestHub(t)
  const mine = {
    key: 'mine',
    provider: 'gitlab',
    clientId: 'c',
    clientSecret: 'CANARY-secret',
    settings: { host: 'gitlab.example' },
  }
  const added = await api(hub, 'POST', '/integrations', mine)
  assert.deepEqual(
    [added.body['redirectUri'], added.body['forwardTo'], added.body['settings']],
    [`${hub.origin}/oauth/callback`, null, { host: 'gitlab.example' }],
  )
  assert.ok(!JSON.stringify(added.body).includes('CANARY'))
  const again = await refused(hub, 'POST', '/integrations', mine)
  assert.deepEqual([again.status, again['code']], [409, 'conflict'])
  const own = { ...mine, key: 'own', redirectUri: 'https://app.example/callback' }
  const { body: hosted } = await api(hub, 'POST', '/integrations', own)
  assert.deepEqual([hosted['redirectUri'], hosted['forwardTo']], [own.redirectUri, `${hub.origin}/oauth/callback`])
  for (const [bad, says] of [
    [{ ...mine, key: 'a/b' }, /can't name an integration/],
    [{ ...mine, key: 'x', provider: 'gitlba' }, /did you mean gitlab\?/],
    [{ ...mine, key: 'x', settings: { hots: 'a' } }, /no setting "hots"/],
    [{ ...mine, key: 'x', clientId: undefined }, /clientId is missing/],
    [{ ...mine, key: 'x', clientSecret: undefined }, /clientSecret is missing/],
  ] as const) {
    const answer = await refused(hub, 'POST', '/integrations', bad)
    assert.equal(answer.status, 400)
    assert.match(String(answer['message']), says)
    assert.ok(!JSON.stringify(answer).includes('CANARY'))
  }
  assert.equal((await api(hub, 'POST', '/integrations', { key: 'zendesk', sandbox: true })).status, 201)
  assert.equal((await api(hub, 'GET', '/integrations/mine')).body['provider'], 'gitlab')
  assert.equal((await api(hub, 'DELETE', '/integrations/mine')).status, 204)
  const gone = await refused(hub, 'DELETE', '/integrations/mine')
  assert.deepEqual([gone.status, gone['reason']], [404, 'integration_unknown'])
})
