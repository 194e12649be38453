/** OAuth 1.0a (RFC 5849), from the link to a signed call, against the sandbox, which checks each signature by code of its own. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Nango as OldNango } from '@nangohq/node'
import { Nango } from 'nango-node-latest'
import type { Action } from '../src/core/action.ts'
import { Secret } from '../src/core/credential.ts'
import { Browser, connect, connectUrl, getJson, movableClock, type TestHub, untilCallback } from './harness.ts'

import { both, failureOf, outcomes, rowsOf, withTrello } from './oauth1.ts'

suite('a flow of OAuth 1.0a', () => {
  test('connects, tells whose account it is, and reads back as OAUTH1 in both years', async t => {
    const hub = await withTrello(t)
    hub.sandbox.set('trello', { accessToken: () => 'token+1', tokenSecret: () => 'secret"1\\' })
    const { returned, browser } = await connect(hub, 'trello', { connection_id: 'customer-7' })
    assert.deepEqual(Object.fromEntries(returned.searchParams), {
      connection_id: 'customer-7',
      provider_config_key: 'trello',
    })
    const authorize = new URL(browser.hops[0]?.location ?? '')
    assert.equal(authorize.pathname, '/trello.com/1/OAuthAuthorizeToken')
    const { oauth_token, ...asked } = Object.fromEntries(authorize.searchParams)
    assert.ok(oauth_token)
    assert.deepEqual(asked, { name: 'Mortise', expiration: 'never', scope: 'read,write' })
    const { old, current } = await both(hub, 'trello', 'customer-7')
    const raw = { oauth_token: 'token+1', oauth_token_secret: 'secret"1\\' }
    assert.deepEqual(current.credentials, { type: 'OAUTH1', ...raw, raw })
    assert.deepEqual(old.credentials, { type: 'OAUTH1', access_token: 'token+1', ...raw, raw })
    const [row] = await rowsOf(hub)
    assert.equal(row?.kind, 'oauth1')
    assert.deepEqual(row?.account, {
      id: '5f1c0a9d2b3e4f5061728394',
      name: 'Ada Lovelace',
      personId: '5f1c0a9d2b3e4f5061728394',
      personName: 'adalovelace',
    })
    assert.deepEqual(outcomes(hub), ['temporary ok', 'code ok', 'api ok'])
  })

  test("both of the vendor's clients get token and secret", async t => {
    const hub = await withTrello(t)
    hub.sandbox.set('trello', { accessToken: () => 'token-1', tokenSecret: () => 'secret-1' })
    await connect(hub, 'trello', { connection_id: 'a' })
    const pair = { oAuthToken: 'token-1', oAuthTokenSecret: 'secret-1' }
    const secretKey = '00000000-0000-4000-8000-000000000000'
    assert.deepEqual(await new OldNango({ host: hub.origin }).getToken('trello', 'a'), pair)
    assert.deepEqual(await new Nango({ host: hub.origin, secretKey }).getToken('trello', 'a'), pair)
  })

  test('a click on the page finishes it; the same account again repairs its connection, another does not', async t => {
    const hub = await withTrello(t)
    const browser = new Browser()
    const page = await browser.get((await browser.follow(connectUrl(hub, 'trello'), () => true)).url)
    const html = await page.text()
    assert.match(html, /Grace Hopper/)
    const [, action = '', transaction = ''] =
      /action="([^"]+)">\s*<input type="hidden" name="transaction" value="([^"]+)"/.exec(html) ?? []
    const body = new URLSearchParams({ transaction, decision: 'approve', account: '60a7b8c9d0e1f20314253647' })
    const post = () => fetch(`${hub.sandbox.origin}${action}`, { method: 'POST', body, redirect: 'manual' })
    const callback = (await post()).headers.get('location') ?? ''
    assert.equal((await browser.get(callback)).status, 200)
    assert.match(await (await post()).text(), /answered already/)
    const [row] = await rowsOf(hub)
    assert.equal(row?.account?.name, 'Grace Hopper')
    const again = await connect(hub, 'trello', {}, { account: '60a7b8c9d0e1f20314253647' })
    assert.equal(again.returned.searchParams.get('connection_id'), row.connectionId)
    await connect(hub, 'trello', {})
    assert.equal((await rowsOf(hub)).length, 2)
  })

  test('no time that passes makes the token stale: there is nothing to renew', async t => {
    const clock = movableClock()
    const hub = await withTrello(t, { clock })
    await connect(hub, 'trello', { connection_id: 'a' })
    const before = await both(hub, 'trello', 'a')
    clock.forward(400 * 86_400)
    const forced = await getJson(`${hub.origin}/connection/a?provider_config_key=trello&force_refresh=true`)
    assert.deepEqual(forced.body, before.old)
    assert.equal(hub.sandbox.calls.length, 3)
  })

  test('whether it works is found out by a signed call, and a token that was revoked is flagged', async t => {
    const hub = await withTrello(t)
    await connect(hub, 'trello', { connection_id: 'a' })
    const [row] = await rowsOf(hub)
    assert.ok(row)
    const tested = await hub.rooms.hub.test(row)
    assert.ok(tested.checkedAt)
    const { current } = await both(hub, 'trello', 'a')
    assert.ok('oauth_token' in current.credentials)
    assert.ok(hub.sandbox.revoke(current.credentials.oauth_token))
    await assert.rejects(hub.rooms.hub.test(tested), { code: 'reauthorization_required' })
    assert.equal((await rowsOf(hub))[0]?.status, 'reauthorization_required')
  })
})

const listBoards: Action = {
  id: 'list-boards',
  provider: 'trello',
  aliases: [],
  title: 'List boards',
  description: 'Lists boards.',
  resource: 'boards',
  docs: 'https://developer.atlassian.com/cloud/trello/rest/api-group-members/#api-members-id-boards-get',
  method: 'GET',
  path: '/members/me/boards',
  parameters: ['filter', 'fields'].map(name => ({
    name,
    in: 'query',
    required: false,
    encoded: false,
    description: 'What is listed',
    schema: { type: 'string' },
  })),
  headers: {},
  records: [],
}

test("a client of the end user's own signs the flow and every call after it", async t => {
  const hub = await withTrello(t)
  const redirectUris = [`${hub.origin}/oauth/callback`]
  hub.sandbox.register({ provider: 'trello', clientId: 'own-key', clientSecret: 'own-secret', redirectUris })
  hub.sandbox.set('trello', { autoApprove: true })
  const { stateHash, nonce, url } = await hub.rooms.hub.start({
    environment: hub.rooms.firstEnvironment,
    integrationKey: 'trello',
    connectionId: 'a',
    trust: 'proven',
    duplicate: false,
    params: {},
    ownClient: { id: 'own-key', secret: new Secret('own-secret') },
    authorizationParams: { expiration: '30days' },
    dialect: 'nango',
  })
  assert.equal(new URL(url).searchParams.get('expiration'), '30days')
  const back = (await fetch(url, { redirect: 'manual' })).headers.get('location') ?? ''
  const of = (name: string) => new URL(back).searchParams.get(name) ?? undefined
  const { outcome } = await hub.rooms.hub.finish({
    state: of('state'),
    code: undefined,
    error: undefined,
    iss: undefined,
    oauthToken: of('oauth_token'),
    oauthVerifier: of('oauth_verifier'),
    nonceOf: name => (name === stateHash ? nonce : undefined),
  })
  assert.ok(outcome.ok)
  const [row] = await rowsOf(hub)
  assert.ok(row?.client)
  await hub.rooms.hub.test(row)
  assert.equal((await hub.rooms.hub.execute(row, listBoards, {})).status, 200)
  assert.deepEqual(
    hub.sandbox.calls.map(({ kind, outcome, clientId }) => [kind, outcome, clientId]),
    [
      ['temporary', 'ok', 'own-key'],
      ['code', 'ok', 'own-key'],
      ['api', 'ok', 'own-key'],
      ['api', 'ok', 'own-key'],
      ['api', 'ok', 'own-key'],
    ],
  )
})

test('an action is a signed call, its query covered', async t => {
  const hub = await withTrello(t)
  await connect(hub, 'trello', { connection_id: 'a' })
  const [row] = await rowsOf(hub)
  assert.ok(row)
  const input = { query: { filter: 'closed', fields: "name & id's, (*)" } }
  const { status, body } = await hub.rooms.hub.execute(row, listBoards, input)
  assert.deepEqual([status, body], [200, [{ id: '65a1b2c3d4e5f60718293a4b', name: 'Roadmap', closed: true }]])
})

suite('what goes wrong', () => {
  test('a refusal is told as one', async t => {
    const hub = await withTrello(t)
    hub.sandbox.set('trello', { deny: true })
    const { returned } = await connect(hub, 'trello')
    assert.deepEqual(failureOf(returned), [
      'callback_err',
      'The authorization was declined at the provider. Start again from the app to change that.',
    ])
    assert.deepEqual(await rowsOf(hub), [])
  })

  test('before the browser leaves: an outage, a key that is refused, an answer that confirms no callback', async t => {
    const hub = await withTrello(t)
    const pair = 'oauth_token=abc&oauth_token_secret=def'
    const cases: [fail: { status: number; body?: string }, type: string, message: RegExp][] = [
      [{ status: 503 }, 'callback_err', /answered 503 when asked for temporary credentials/],
      [{ status: 401, body: 'invalid key' }, 'provider_config_err', /status 401.*operator must check/],
      [{ status: 200, body: pair }, 'callback_err', /did not confirm the callback/],
      [{ status: 200, body: `${pair}&oauth_callback_confirmed=false` }, 'callback_err', /did not confirm/],
      [{ status: 200, body: 'oauth_callback_confirmed=true' }, 'callback_err', /without a token and its secret/],
      [{ status: 302, body: `${pair}&oauth_callback_confirmed=true` }, 'callback_err', /with status 302/],
    ]
    for (const [fail, type, message] of cases) {
      hub.sandbox.set('trello', { fail: { ...fail, times: 1 } })
      const { returned, browser } = await connect(hub, 'trello')
      const [told, why = ''] = failureOf(returned)
      assert.equal(told, type, why ?? '')
      assert.match(why ?? '', message)
      assert.ok(!/abc|def|invalid key/.test(why ?? ''), 'nothing of the answer is repeated')
      // No page of the provider was opened, and nothing is left to finish.
      assert.equal(browser.hops.length, 1)
      assert.deepEqual(browser.cookieNames('localhost'), [])
    }
  })

  test('at the exchange: a refused verifier is no token, an outage is told as one', async t => {
    const hub = await withTrello(t)
    hub.sandbox.set('trello', { autoApprove: true })
    const at = async (change: (callback: URL) => void) => {
      const browser = new Browser()
      const query = { api_redirect_url: 'http://localhost:9/done' }
      const callback = new URL(await untilCallback(hub, browser, connectUrl(hub, 'trello', query)))
      change(callback)
      const answer = await browser.get(callback.href)
      return failureOf(new URL(answer.headers.get('location') ?? ''))
    }
    const [type, why] = await at(callback => callback.searchParams.set('oauth_verifier', 'guessed'))
    assert.equal(type, 'token_err')
    assert.match(why ?? '', /refused the request for token with status 401/)
    assert.equal((await at(callback => callback.searchParams.delete('oauth_verifier')))[0], 'callback_err')
    assert.equal((await at(callback => callback.searchParams.append('oauth_verifier', 'second')))[0], 'callback_err')
    const outage = await at(() => hub.sandbox.set('trello', { fail: { status: 502, times: 1 } }))
    assert.match(outage[1] ?? '', /answered 502 when asked for token/)
    assert.deepEqual(await rowsOf(hub), [])
  })

  test('a callback in another browser, without its state, or with the token of another attempt connects nothing', async t => {
    const hub = await withTrello(t)
    hub.sandbox.set('trello', { autoApprove: true })
    const [mine, thief] = [new Browser(), new Browser()]
    const callback = new URL(await untilCallback(hub, mine, connectUrl(hub, 'trello', { connection_id: 'mine' })))
    const stolen = await thief.get(callback.href)
    assert.equal(stolen.status, 400)
    assert.match(await stolen.text(), /another browser/)
    const stateless = new URL(callback)
    stateless.searchParams.delete('state')
    assert.match(await (await mine.get(stateless.href)).text(), /no state/)
    // The thief's own approval under the victim's state: the token is not the one that this attempt sent off.
    const theirs = new URL(await untilCallback(hub, thief, connectUrl(hub, 'trello', { connection_id: 'theirs' })))
    theirs.searchParams.set('state', callback.searchParams.get('state') ?? '')
    const swapped = await mine.get(theirs.href)
    assert.equal(swapped.status, 400)
    assert.match(await swapped.text(), /not the one that this attempt was begun with/)
    assert.deepEqual(await rowsOf(hub), [])
    assert.equal(hub.sandbox.calls.filter(call => call.kind === 'code').length, 0)
  })

  test('the same callback again shows the same outcome, and exchanges nothing twice', async t => {
    const hub = await withTrello(t)
    hub.sandbox.set('trello', { autoApprove: true })
    const browser = new Browser()
    const callback = await untilCallback(hub, browser, connectUrl(hub, 'trello', { connection_id: 'a' }))
    const first = await (await browser.get(callback)).text()
    assert.match(first, /Trello is connected/)
    assert.equal(await (await browser.get(callback)).text(), first)
    assert.deepEqual(outcomes(hub), ['temporary ok', 'code ok', 'api ok'])
  })

  test('the temporary secret is sealed while the attempt runs, and gone when it has ended', async t => {
    const hub = await withTrello(t)
    hub.sandbox.set('trello', { autoApprove: true })
    const browser = new Browser()
    const callback = await untilCallback(hub, browser, connectUrl(hub, 'trello', { connection_id: 'a' }))
    const { environmentId, stateHash } = await attemptOf(hub, callback)
    const running = await hub.rooms.storage.attempt(environmentId, stateHash)
    assert.ok(running?.verifier)
    const token = new URL(callback).searchParams.get('oauth_token') ?? 'none'
    assert.ok(!Buffer.from(running.verifier).includes(token))
    await browser.get(callback)
    assert.equal((await hub.rooms.storage.attempt(environmentId, stateHash))?.verifier, undefined)
  })
})

const attemptOf = async (hub: TestHub, callback: string) => {
  const { sha256 } = await import('../src/core/ids.ts')
  const state = new URL(callback).searchParams.get('state') ?? ''
  return { environmentId: hub.rooms.firstEnvironment.id, stateHash: sha256(state) }
}
