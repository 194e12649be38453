import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { inspect } from 'node:util'
import { loadCatalogue } from '../../catalogue/catalogue.ts'
import type { Json } from '../credential.ts'
import { MortiseError } from '../errors.ts'
import type { CallResponse } from '../ports.ts'
import { readTokenAnswer } from './token-answer.ts'

const catalogue = loadCatalogue()
const now = new Date(1_800_000_000_000)
const inSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1000)

const answer = (body: Json | string, status = 200, headers: Record<string, string> = {}): CallResponse => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const read = (id: string, response: CallResponse) => {
  const provider = catalogue.get(id)
  assert.ok(provider?.auth === 'oauth2', id)
  return readTokenAnswer(provider, response, now)
}
/** What it throws; that it throws. */
const failure = (id: string, response: CallResponse): MortiseError => {
  try {
    read(id, response)
  } catch (error) {
    assert.ok(error instanceof MortiseError, String(error))
    return error
  }
  return assert.fail('an answer was taken that should not be')
}

suite('a token answer', () => {
  test('of RFC 6749 §5.1 becomes a credential', () => {
    const body = {
      access_token: 'at-1',
      token_type: 'bearer',
      expires_in: 3600,
      refresh_token: 'rt-1',
      scope: 'read write',
    }
    const credential = read('xero', answer(body))
    assert.equal(credential.accessToken.reveal(), 'at-1')
    assert.equal(credential.refreshToken?.reveal(), 'rt-1')
    assert.deepEqual(credential.expiresAt, inSeconds(3600))
    assert.deepEqual(credential.scopes, ['read', 'write'])
    assert.deepEqual(credential.raw.reveal(), body)
  })

  test('has none of the optional parts where the provider sends none', () => {
    const credential = read('xero', answer({ access_token: 'at-1' }))
    assert.deepEqual(Object.keys(credential).sort(), ['accessToken', 'kind', 'raw'])
    assert.equal(credential.kind, 'oauth2')
  })

  test('of Slack is found where a user token is nested', () => {
    const authed_user = { access_token: 'xoxp-1', refresh_token: 'xoxe-1', expires_in: 43200, scope: 'a,b' }
    for (const body of [
      { ok: true, authed_user },
      { ok: true, access_token: '', scope: null, authed_user },
    ]) {
      const credential = read('slack', answer(body))
      assert.equal(credential.accessToken.reveal(), 'xoxp-1')
      assert.equal(credential.refreshToken?.reveal(), 'xoxe-1')
      assert.deepEqual(credential.expiresAt, inSeconds(43200))
      assert.deepEqual(credential.scopes, ['a', 'b'])
    }
    const both = read('slack', answer({ ok: true, access_token: 'xoxb-1', expires_in: 60, authed_user }))
    assert.equal(both.accessToken.reveal(), 'xoxb-1')
    assert.deepEqual(both.expiresAt, inSeconds(60))
  })

  test('may be a form, as GitHub’s is unless asked otherwise', () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
    const credential = read('github', answer('access_token=gho_1&scope=repo%2Cuser&expires_in=28800', 200, headers))
    assert.equal(credential.accessToken.reveal(), 'gho_1')
    assert.deepEqual(credential.scopes, ['repo', 'user'])
    assert.deepEqual(credential.expiresAt, inSeconds(28800))
    assert.equal(
      failure('github', answer('access_token=gho_1', 200, { 'content-type': 'text/plain' })).code,
      'provider_invalid_response',
    )
    const refused = failure('github', answer('error=bad_verification_code', 200, headers))
    assert.equal(refused.details.providerCode, 'bad_verification_code')
  })

  test('may list the scopes', () => {
    assert.deepEqual(read('hubspot', answer({ access_token: 'a', scopes: ['x', 7, 'y z'] })).scopes, ['x', 'y z'])
    assert.deepEqual(read('xero', answer({ access_token: 'a', scope: '' })).scopes, [])
  })
})

suite('the life of an access token', () => {
  test('without expires_in is what the definition knows, or without end', () => {
    assert.deepEqual(read('salesforce', answer({ access_token: 'a' })).expiresAt, inSeconds(900))
    assert.deepEqual(read('salesforce', answer({ access_token: 'a', expires_in: null })).expiresAt, inSeconds(900))
    assert.deepEqual(read('salesforce', answer({ access_token: 'a', expires_in: 60 })).expiresAt, inSeconds(60))
    assert.equal(read('zendesk', answer({ access_token: 'a' })).expiresAt, undefined)
  })

  test('may be told as text', () => {
    assert.deepEqual(read('microsoft', answer({ access_token: 'a', expires_in: '3599' })).expiresAt, inSeconds(3599))
  })

  test('of 0 seconds is one without end', () => {
    for (const expires_in of [0, '0'])
      assert.equal(read('slack', answer({ ok: true, access_token: 'a', expires_in })).expiresAt, undefined)
  })

  test('never makes a date that cannot be stored', () => {
    const { expiresAt } = read('xero', answer({ access_token: 'a', expires_in: 1e300 }))
    assert.ok(expiresAt && Number.isSafeInteger(expiresAt.getTime()) && expiresAt > inSeconds(1e9))
  })

  test('that makes no sense is an error, not “never”', () => {
    for (const expires_in of ['soon', '', ' ', '0x10', -1, '-1', true, false, [], [60], {}, '1e3', 'NaN', 'Infinity']) {
      const error = failure('xero', answer({ access_token: 'at-planted', expires_in }))
      assert.equal(error.code, 'provider_invalid_response', JSON.stringify(expires_in))
      assert.match(error.message, /expires_in/)
    }
  })
})

suite('a refusal', () => {
  test('counts whatever the status is: GitHub’s comes with 200', () => {
    const error = failure('github', answer({ error: 'bad_verification_code', error_description: 'expired' }))
    assert.equal(error.code, 'provider_rejected')
    assert.deepEqual(error.details, { providerStatus: 200, providerCode: 'bad_verification_code' })
    assert.equal(failure('github', answer({ error: 'incorrect_client_credentials' })).code, 'integration_misconfigured')
  })

  test('counts where Slack says ok: false, even with a token beside it', () => {
    const error = failure('slack', answer({ ok: false, error: 'invalid_code' }))
    assert.equal(error.code, 'provider_rejected')
    assert.equal(error.details.providerCode, 'invalid_code')
    assert.equal(failure('slack', answer({ ok: false, access_token: 'xoxb-1' })).code, 'provider_rejected')
    assert.equal(failure('slack', answer({ ok: false, error: 'bad_client_secret' })).code, 'integration_misconfigured')
  })

  test('counts by its status, even with a token beside it', () => {
    assert.equal(failure('xero', answer({ access_token: 'at' }, 400)).code, 'provider_rejected')
    assert.equal(failure('xero', answer({ access_token: 'at' }, 500)).code, 'provider_unavailable')
  })

  test('of the client is the operator’s', () => {
    for (const code of ['invalid_client', 'unauthorized_client', 'redirect_uri_mismatch'])
      for (const status of [400, 401]) {
        const error = failure('xero', answer({ error: code }, status))
        assert.equal(error.code, 'integration_misconfigured', code)
        assert.equal(error.details.providerCode, code)
      }
  })

  test('of the grant is the provider’s word', () => {
    const error = failure('xero', answer({ error: 'invalid_grant', error_description: 'code used' }, 400))
    assert.equal(error.code, 'provider_rejected')
    assert.deepEqual(error.details, { providerStatus: 400, providerCode: 'invalid_grant' })
    assert.equal(error.message, 'Xero refused the token request with "invalid_grant".')
  })

  test('may have its code nested, or under another name', () => {
    for (const body of [
      { error: { code: 'invalid_grant', message: 'no' } },
      { error: { type: 'invalid_grant' } },
      { code: 'invalid_grant' },
      { errorCode: 'invalid_grant' },
    ])
      assert.equal(failure('hubspot', answer(body, 400)).details.providerCode, 'invalid_grant')
  })

  test('has its code where the definition says, as a sentence only if that is what the definition names', () => {
    const fault = { message: 'Bad Request', errors: [{ resource: 'RefreshToken', code: 'invalid' }] }
    assert.equal(failure('strava', answer(fault, 400)).details.providerCode, 'RefreshToken')
    const named = { error: 'Bad Request', status: 400, message: 'Invalid refresh token' }
    assert.equal(failure('twitch', answer(named, 400)).details.providerCode, 'Invalid refresh token')
    const other = failure('twitch', answer({ ...named, message: 'refresh token at-1 is bad' }, 400))
    assert.deepEqual(other.details, { providerStatus: 400 })
  })
})

suite('an outage', () => {
  test('is what 429 and 5xx are, whatever their body says', () => {
    for (const status of [429, 500, 502, 503, 504])
      for (const body of [{ error: 'invalid_grant' }, { error: 'invalid_client' }, '<html>down</html>', '']) {
        const error = failure('xero', answer(body, status))
        assert.equal(error.code, 'provider_unavailable')
        assert.equal(error.details.providerStatus, status)
        assert.equal(error.details.sent, true)
        assert.equal(error.details.retryAfter, undefined)
      }
  })

  test('carries the seconds of Retry-After', () => {
    assert.equal(failure('xero', answer('', 429, { 'retry-after': '17' })).details.retryAfter, 17)
    for (const wait of ['0', '-5', 'soon', ''])
      assert.equal(failure('xero', answer('', 503, { 'retry-after': wait })).details.retryAfter, undefined)
  })

  test('carries the seconds until the date of Retry-After, if that is to come', () => {
    const after = (date: Date) =>
      failure('xero', answer('', 503, { 'retry-after': date.toUTCString() })).details.retryAfter
    assert.equal(after(inSeconds(90)), 90)
    // A date has whole seconds: what is left of one is waited for.
    assert.equal(after(new Date(inSeconds(90).getTime() + 999)), 90)
    for (const seconds of [0, -1, -86_400]) assert.equal(after(inSeconds(seconds)), undefined)
  })
})

suite('something unusable', () => {
  test('is a page, an empty answer, or JSON without a token', () => {
    for (const body of [
      '<html><body>Sign in</body></html>',
      '',
      'null',
      '[]',
      '"at"',
      '7',
      '{}',
      '{"access_token":""}',
      '{"access_token":{}}',
    ]) {
      const error = failure('xero', answer(body))
      assert.equal(error.code, 'provider_invalid_response', body)
      assert.equal(error.details.providerStatus, 200)
    }
  })

  test('with a status of its own is a refusal by that status', () => {
    const error = failure('xero', answer('<html>no</html>', 403, { 'content-type': 'text/html' }))
    assert.equal(error.code, 'provider_rejected')
    assert.equal(error.message, 'Xero refused the token request with status 403.')
    assert.equal(
      failure('xero', answer('', 302, { location: 'https://login.example' })).code,
      'provider_invalid_response',
    )
  })
})

test('no error repeats anything of an answer but its error code', () => {
  const planted = 'PLANTED-9f8e7d'
  const refusals: (Json | string)[] = [
    { error: 'invalid_grant', error_description: planted, error_uri: planted, refresh_token: planted },
    { error: { code: 'invalid_grant', message: planted } },
    { error: `the token ${planted} is not valid` },
    { error: `"${planted}"` },
    { error: `${planted}\n` },
    { error: planted.repeat(20) },
    { token: planted },
    { ok: false, access_token: planted, authed_user: { access_token: planted } },
    { access_token: planted, refresh_token: planted, expires_in: planted },
    `<html>${planted}</html>`,
    planted,
  ]
  for (const body of refusals)
    for (const status of [200, 400, 401, 403, 429, 500]) {
      const error = failure('slack', answer(body, status, { 'retry-after': planted, location: planted }))
      const told = [error.message, inspect(error), JSON.stringify(error), JSON.stringify(error.details)].join('\n')
      assert.ok(!told.includes(planted), told)
    }
})
