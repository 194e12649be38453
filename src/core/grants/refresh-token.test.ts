import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { inspect } from 'node:util'
import { loadCatalogue } from '../../catalogue/catalogue.ts'
import { type Json, Secret } from '../credential.ts'
import { MortiseError } from '../errors.ts'
import type { CallResponse } from '../ports.ts'
import { readRefreshAnswer, verdictOf } from './refresh-token.ts'

const catalogue = loadCatalogue()
const now = new Date(1_800_000_000_000)
const before = { refreshToken: new Secret('rt-old'), scopes: ['read'] }

const answer = (body: Json | string, status = 200): CallResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const read = (id: string, response: CallResponse, old: Parameters<typeof readRefreshAnswer>[3] = before) => {
  const provider = catalogue.get(id)
  assert.ok(provider?.auth === 'oauth2', id)
  return readRefreshAnswer(provider, response, now, old)
}
const failure = (id: string, response: CallResponse): MortiseError => {
  try {
    read(id, response)
  } catch (error) {
    assert.ok(error instanceof MortiseError, String(error))
    return error
  }
  return assert.fail('an answer was taken that should not be')
}

suite('a refresh answer', () => {
  test('with a new refresh token replaces the old one', () => {
    const credential = read('xero', answer({ access_token: 'at-new', refresh_token: 'rt-new', expires_in: 1800 }))
    assert.equal(credential.accessToken.reveal(), 'at-new')
    assert.equal(credential.refreshToken?.reveal(), 'rt-new')
    assert.equal(credential.expiresAt?.getTime(), now.getTime() + 1_800_000)
  })

  test('without a new refresh token keeps the old one (RFC 6749 §6)', () => {
    for (const body of [{}, { refresh_token: null }, { refresh_token: '' }]) {
      const credential = read('google', answer({ access_token: 'at-new', ...body }))
      assert.equal(credential.accessToken.reveal(), 'at-new')
      assert.equal(credential.refreshToken?.reveal(), 'rt-old')
    }
  })

  test('without scopes keeps the old ones, and with them replaces them', () => {
    assert.deepEqual(read('google', answer({ access_token: 'a' })).scopes, ['read'])
    assert.deepEqual(read('google', answer({ access_token: 'a', scope: 'read write' })).scopes, ['read', 'write'])
    const bare = read('google', answer({ access_token: 'a' }), { refreshToken: new Secret('rt-old') })
    assert.equal('scopes' in bare, false)
  })

  test('without an expiry means the life of before, counted from now; one that it names counts', () => {
    const old = { ...before, lifetime: 1_800_000 }
    const endOf = (id: string, body: Record<string, Json>) =>
      read(id, answer({ access_token: 'a', ...body }), old).expiresAt
    assert.equal(endOf('google', {})?.getTime(), now.getTime() + 1_800_000)
    assert.equal(endOf('google', { expires_in: null })?.getTime(), now.getTime() + 1_800_000)
    assert.equal(endOf('google', { expires_in: 60 })?.getTime(), now.getTime() + 60_000)
    // Said, and said to be none.
    assert.equal(endOf('google', { expires_in: 0 }), undefined)
    assert.equal('expiresAt' in read('google', answer({ access_token: 'a' })), false)
  })
})

suite('a refused refresh', () => {
  test('with invalid_grant is final: the end user must come back', () => {
    for (const id of ['google', 'xero', 'salesforce', 'notion']) {
      const error = failure(id, answer({ error: 'invalid_grant' }, 400))
      assert.equal(error.code, 'reauthorization_required', id)
      assert.equal(error.details.reason, 'refresh_refused')
      assert.equal(error.details.providerCode, 'invalid_grant')
    }
  })

  test('with a code that the definition names is final, at that provider only', () => {
    for (const [id, code, status] of [
      ['github', 'bad_refresh_token', 200],
      ['slack', 'token_revoked', 200],
      ['slack', 'invalid_refresh_token', 200],
      ['microsoft', 'interaction_required', 400],
      ['salesforce', 'inactive_user', 400],
    ] as const) {
      const body = id === 'slack' ? { ok: false, error: code } : { error: code }
      assert.equal(failure(id, answer(body, status)).code, 'reauthorization_required', `${id} ${code}`)
      assert.equal(failure('xero', answer({ error: code }, status)).code, 'provider_rejected', `xero ${code}`)
    }
  })

  test('for the client’s sake is the operator’s, never the end user’s', () => {
    for (const code of ['invalid_client', 'unauthorized_client'])
      assert.equal(failure('google', answer({ error: code }, 401)).code, 'integration_misconfigured')
  })

  test('in an outage is an outage, even if it says invalid_grant', () => {
    for (const status of [429, 500, 503])
      assert.equal(failure('google', answer({ error: 'invalid_grant' }, status)).code, 'provider_unavailable')
  })

  test('for any other reason stays a refusal', () => {
    for (const response of [
      answer({ error: 'invalid_request' }, 400),
      answer({ error: 'invalid_scope' }, 400),
      answer('no', 400),
      answer({ error_description: 'invalid_grant' }, 400),
      answer({ ok: false, error: 'internal_error' }),
    ])
      assert.equal(failure('slack', response).code, 'provider_rejected')
    assert.equal(failure('slack', answer({ ok: false, error: 'ratelimited' })).code, 'provider_unavailable')
    assert.equal(failure('google', answer('<html>')).code, 'provider_invalid_response')
  })

  test('says whether the refresh token was spent', () => {
    const verdict = (id: string, body: unknown, status = 200) => verdictOf(failure(id, answer(body as never, status)))
    for (const [expected, id, body, status] of [
      ['dead', 'google', { error: 'invalid_grant' }, 400],
      ['dead', 'github', { error: 'bad_refresh_token' }, 200],
      ['dead', 'slack', { ok: false, error: 'token_revoked' }, 200],
      // A complete answer that did nothing.
      ['unspent', 'google', { error: 'rate_limit' }, 429],
      ['unspent', 'google', { error: 'invalid_client' }, 401],
      ['unspent', 'github', { error: 'incorrect_client_credentials' }, 200],
      ['unspent', 'google', { error: 'invalid_request' }, 400],
      ['unspent', 'google', '<html>blocked</html>', 403],
      ['unspent', 'slack', { ok: false, error: 'ratelimited' }, 200],
      ['unspent', 'google', { error: 'temporarily_unavailable' }, 503],
      // It may have been done.
      ['ambiguous', 'google', { error: 'server_error' }, 500],
      ['ambiguous', 'google', { error: 'server_error' }, 400],
      ['ambiguous', 'google', '<html>', 502],
      ['ambiguous', 'google', '', 503],
      ['ambiguous', 'google', { error: 'request_timeout' }, 408],
      ['ambiguous', 'slack', { ok: false, error: 'internal_error' }, 200],
      ['ambiguous', 'google', '<html>', 200],
      ['ambiguous', 'google', {}, 200],
      ['ambiguous', 'google', { access_token: 'x', expires_in: 'soon' }, 200],
    ] as const)
      assert.equal(verdict(id, body, status), expected, `${id} ${status} ${JSON.stringify(body)}`)
    const unreached = new MortiseError('provider_unavailable', 'x', { sent: false })
    assert.equal(verdictOf(unreached), 'unspent')
    assert.equal(verdictOf(new MortiseError('provider_unavailable', 'x', { sent: true })), 'ambiguous')
    assert.equal(verdictOf(new MortiseError('internal')), 'ambiguous')
  })

  test('with a status that the definition calls unspent has spent nothing', () => {
    const google = catalogue.get('google')
    assert.ok(google?.refresh)
    const provider = { ...google, refresh: { ...google.refresh, unspent: [503] } }
    const of = (status: number) => {
      try {
        readRefreshAnswer(provider, answer('', status), now, {})
      } catch (error) {
        return verdictOf(error as MortiseError)
      }
      return undefined
    }
    assert.deepEqual([of(503), of(502)], ['unspent', 'ambiguous'])
  })

  test('repeats no token, neither ours nor one in the answer', () => {
    const planted = 'PLANTED-9f8e7d'
    for (const status of [200, 400, 401, 429, 503])
      for (const body of [
        { error: 'invalid_grant', error_description: planted, refresh_token: planted },
        { error: { code: 'invalid_grant', message: planted } },
        { error: `refresh token ${planted} unknown` },
      ]) {
        const error = failure('google', answer(body, status))
        const told = [error.message, inspect(error), JSON.stringify(error), JSON.stringify(error.details)].join('\n')
        assert.ok(!told.includes(planted) && !told.includes('rt-old'), told)
      }
  })
})
