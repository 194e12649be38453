/** What must hold of every expectation, whoever wrote it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectations } from '../defaults.ts'
import type { Expectation, Issue } from '../expectation.ts'
import { compile } from '../match.ts'

const issue = (played: Expectation, kind: Issue['kind']): Issue => {
  const [account] = played.accounts
  assert.ok(account)
  return {
    accessToken: 'access-1',
    ...(played.refresh ? { refreshToken: 'refresh-1' } : {}),
    scopes: [],
    scopesIn: played.authorize.scopes?.params ?? [],
    expiresIn: played.lifetime,
    account,
    host: 'acme.example.com',
    clientId: 'client-1',
    now: new Date('2026-03-04T05:06:07Z'),
    kind,
  }
}

test('each provider is played once, under the name of its file', () => {
  const ids = expectations.map(each => each.provider)
  assert.ok(ids.length > 40)
  assert.deepEqual(ids, [...new Set(ids)])
})

for (const played of expectations)
  test(`${played.provider}: pages, people of two workspaces, URLs, and answers that carry what was issued`, () => {
    assert.ok(played.documents.length > 0)
    for (const page of played.documents) assert.equal(new URL(page).protocol, 'https:')
    assert.ok(new Set(played.accounts.map(account => account.id)).size >= 2)
    assert.ok(new Set(played.accounts.map(account => account.person.id)).size >= 2)
    // What OAuth 1 answers is the RFC's, not the provider's.
    if (played.oauth1) return
    const { authorize, code, refresh, revoke, introspect, api } = played
    for (const call of [authorize, code, refresh, revoke, introspect, ...api]) if (call) compile(call.url)
    if (played.unplayed !== undefined) compile(played.unplayed)
    assert.notEqual(api.length, 0)
    const text = (body: unknown) => JSON.stringify(body)
    const first = text(code.answer(issue(played, 'code')).body)
    assert.ok(first.includes('"access-1"'))
    if (!refresh) return assert.equal(played.offline, 'never')
    assert.ok(first.includes('"refresh-1"'), 'the first answer carries the refresh token')
    const later = text(refresh.answer(issue(played, 'refresh')).body)
    assert.ok(later.includes('"access-1"'))
    if (refresh.rotates) assert.ok(later.includes('"refresh-1"'), 'a refresh that spends carries the next one')
    if (played.lifetime !== undefined && played.provider !== 'salesforce') assert.ok(first.includes('expires_in'))
  })
