import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { format, inspect } from 'node:util'
import { type Json, pick, pickText, Secret } from './credential.ts'

suite('a secret', () => {
  test('prints [secret] however it is printed', () => {
    const hidden = 'xoxb-planted'
    for (const secret of [new Secret(hidden), new Secret({ token: hidden }), new Secret(Buffer.from(hidden))]) {
      const holder = { deep: { secret }, list: [secret] }
      for (const printed of [
        String(secret),
        `${secret}`,
        `a ${secret} b`,
        secret.toString(),
        JSON.stringify(secret),
        JSON.stringify(holder),
        inspect(secret),
        inspect(holder, { depth: 9, showHidden: true }),
        format('%s %o %O %j', secret, secret, holder, holder),
        new Error(`failed with ${secret}`).stack ?? '',
      ]) {
        assert.ok(printed.includes('[secret]'), printed)
        assert.ok(!printed.includes(hidden) && !printed.includes(Buffer.from(hidden).toString('hex')), printed)
      }
    }
  })

  test('has no property that holds it', () => {
    const secret = new Secret('planted')
    assert.deepEqual(Reflect.ownKeys(secret), [])
    assert.deepEqual({ ...secret }, {})
    assert.equal(JSON.stringify(structuredClone(secret)), '{}')
  })

  test('is opened by reveal alone', () => {
    const value = { token: 'planted' }
    assert.equal(new Secret('planted').reveal(), 'planted')
    assert.equal(new Secret(value).reveal(), value)
  })
})

suite('paths into an answer', () => {
  const answer: Json = {
    token: 'top',
    zero: 0,
    no: false,
    nothing: null,
    empty: '',
    authed_user: { access_token: 'nested', nothing: null },
    list: [{ tenantId: 't1' }],
    'dotted.key': 'unreachable',
  }

  test('lead through objects and lists', () => {
    assert.equal(pick(answer, 'authed_user.access_token'), 'nested')
    assert.equal(pick(answer, 'list.0.tenantId'), 't1')
    assert.equal(pick([{ tenantId: 't1' }], '0.tenantId'), 't1')
    assert.deepEqual(pick(answer, 'list'), [{ tenantId: 't1' }])
  })

  test('the first that is there wins; what is null is not there, what is false or 0 is', () => {
    assert.equal(pick(answer, ['missing', 'nothing', 'authed_user.nothing', 'token', 'zero']), 'top')
    assert.equal(pick(answer, ['zero', 'token']), 0)
    assert.equal(pick(answer, ['no', 'token']), false)
  })

  test('never lead out of the answer', () => {
    for (const path of [
      'missing',
      'token.length',
      'list.length.x',
      'constructor',
      '__proto__',
      'toString.name',
      'list.1',
    ])
      assert.equal(pick(answer, path), undefined, path)
    for (const from of [undefined, null, 'text', 7, true] as const) assert.equal(pick(from, 'length'), undefined)
    assert.equal(pick(answer, undefined), undefined)
    assert.equal(pick(answer, []), undefined)
  })

  test('as text, numbers count and everything else that is no text is missing', () => {
    assert.equal(pickText({ id: 9007199254740991 }, 'id'), '9007199254740991')
    assert.equal(pickText({ id: 0 }, 'id'), '0')
    for (const id of ['', true, {}, [], null]) assert.equal(pickText({ id }, 'id'), undefined)
  })

  test('as text, what counts as missing gives way to the next path', () => {
    assert.equal(pickText(answer, ['empty', 'token']), 'top')
    assert.equal(pickText(answer, ['authed_user', 'authed_user.access_token']), 'nested')
    assert.equal(pickText({ error: { code: 'invalid_grant' } }, ['error', 'error.code']), 'invalid_grant')
  })
})
