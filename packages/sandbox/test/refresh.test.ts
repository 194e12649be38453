/** What providers document of their refresh tokens beyond rotation: how long they live, what a refresh ends, RFC 7662. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Expectation } from '../src/index.ts'
import { bodyOf, orchard, refused, type Stage, stage } from './play.ts'

type Refresh = NonNullable<Expectation['refresh']>

/** The orchard with other rules for its refresh tokens: no grace and no revocation unless a test says so. */
const ruled = (rules: Partial<Refresh>): Expectation => {
  assert.ok(orchard.refresh)
  return { ...orchard, refresh: { ...orchard.refresh, reuseRevokes: false, graceSeconds: 0, ...rules } }
}

const day = 86_400_000

/** The refresh token of the answer; a refusal has none. */
const renewed = async (s: Stage, refreshToken: string): Promise<string | undefined> => {
  const { ok, refresh } = await bodyOf(await s.renewOrchard(refreshToken))
  return ok === true ? String(refresh) : undefined
}

describe('grace that ends when the replacement is used', () => {
  const rules = { graceSeconds: 3600, graceUntilUsed: true }

  test('a spent one works until then, and not beyond its time', async () => {
    const s = await stage({ expectations: [ruled(rules)] })
    const { refresh } = await s.orchardTokens()
    assert.ok(await renewed(s, refresh))
    for (let i = 0; i < 2; i++) {
      s.clock += 1_800_000
      assert.ok(await renewed(s, refresh))
    }
    s.clock += 1
    assert.equal(await renewed(s, refresh), undefined)
  })

  test('the first use of the replacement retires it', async () => {
    const s = await stage({ expectations: [ruled(rules)] })
    const { refresh } = await s.orchardTokens()
    await renewed(s, refresh)
    const second = await renewed(s, refresh)
    assert.ok(second)
    const third = await renewed(s, second)
    assert.ok(third)
    assert.equal(await renewed(s, refresh), undefined)
    // The one that was just used has its own grace still.
    assert.ok(await renewed(s, second))
    assert.ok(await renewed(s, third))
  })

  test('without the rule it is left alone', async () => {
    const s = await stage({ expectations: [ruled({ graceSeconds: 3600 })] })
    const { refresh } = await s.orchardTokens()
    const second = await renewed(s, refresh)
    assert.ok(second && (await renewed(s, second)))
    assert.ok(await renewed(s, refresh))
  })
})

describe('idle refresh tokens', () => {
  test('one that rotates dies that long after its issue, and a refresh brings a new one', async () => {
    const s = await stage({ expectations: [ruled({ idleSeconds: 10 * 86_400 })] })
    let { refresh } = await s.orchardTokens()
    for (let i = 0; i < 3; i++) {
      s.clock += 10 * day
      const next = await renewed(s, refresh)
      assert.ok(next)
      refresh = next
    }
    s.clock += 10 * day + 1
    assert.equal(await renewed(s, refresh), undefined)
    assert.equal(s.sandbox.calls.at(-1)?.outcome, 'invalid_refresh_token')
  })

  test('one that stays dies that long after its last use', async () => {
    const s = await stage({ expectations: [ruled({ rotates: false, idleSeconds: 10 * 86_400 })] })
    const { refresh } = await s.orchardTokens()
    for (let i = 0; i < 3; i++) {
      s.clock += 10 * day
      assert.equal(await renewed(s, refresh), refresh)
    }
    s.clock += 10 * day + 1
    assert.equal(await renewed(s, refresh), undefined)
  })

  test('grace does not make a spent one live longer', async () => {
    const s = await stage({ expectations: [ruled({ graceSeconds: 30 * 86_400, idleSeconds: 10 * 86_400 })] })
    const { refresh } = await s.orchardTokens()
    s.clock += 9 * day
    assert.ok(await renewed(s, refresh))
    s.clock += day + 1
    assert.equal(await renewed(s, refresh), undefined)
  })

  test('a state file of before, which does not say since when, is read', async t => {
    const folder = mkdtempSync(join(tmpdir(), 'mortise-sandbox-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const stateFile = join(folder, 'state.json')
    const options = { expectations: [ruled({ rotates: false, idleSeconds: 60 })], stateFile }
    const first = await stage(options)
    const { refresh } = await first.orchardTokens()
    await first.sandbox.close()
    const written = readFileSync(stateFile, 'utf8')
    const before = written.replaceAll(/,"idleSince":\d+/g, '')
    assert.notEqual(before, written)
    writeFileSync(stateFile, before)
    const second = await stage(options)
    second.clock += 61_000
    assert.equal(await renewed(second, refresh), refresh)
  })
})

describe('access tokens after a refresh', () => {
  /** Which of the access tokens, oldest first, are alive. */
  const alive = async (s: Stage, tokens: readonly string[]): Promise<boolean[]> =>
    Promise.all(tokens.map(async token => (await s.tree(token)).status === 200))

  const three = async (accessTokens: number | undefined): Promise<{ s: Stage; tokens: string[] }> => {
    const s = await stage({ expectations: [ruled(accessTokens === undefined ? {} : { accessTokens })] })
    let { access, refresh } = await s.orchardTokens()
    const tokens = [access]
    for (let i = 0; i < 2; i++) {
      ;({ access, refresh } = (await bodyOf(await s.renewOrchard(refresh))) as { access: string; refresh: string })
      tokens.push(access)
    }
    return { s, tokens }
  }

  test('as many stay as the rule says, the newest ones', async () => {
    for (const [rule, expected] of [
      [1, [false, false, true]],
      [2, [false, true, true]],
      [undefined, [true, true, true]],
    ] as const) {
      const { s, tokens } = await three(rule)
      assert.deepEqual(await alive(s, tokens), expected, String(rule))
    }
  })

  test('those of another grant are none of its business', async () => {
    const s = await stage({ expectations: [ruled({ accessTokens: 1 })] })
    const one = await s.orchardTokens()
    const two = await s.orchardTokens()
    assert.ok(await renewed(s, two.refresh))
    assert.deepEqual(await alive(s, [one.access, two.access]), [true, false])
  })

  test('one that has expired does not count', async () => {
    const s = await stage({ expectations: [ruled({ accessTokens: 2 })] })
    const { access, refresh } = await s.orchardTokens()
    const second = await bodyOf(await s.renewOrchard(refresh))
    s.sandbox.expire(String(second['access']))
    const third = await bodyOf(await s.renewOrchard(String(second['refresh'])))
    assert.deepEqual(await alive(s, [access, String(third['access'])]), [true, true])
  })
})

describe('introspection (RFC 7662)', () => {
  const URL = 'https://{farm}.orchard.example/introspect'
  const looking: Expectation = {
    ...ruled({}),
    introspect: {
      url: URL,
      client: 'basic',
      answer: ({ kind, clientId, account, scopes, issuedAt, expiresAt }) => ({
        status: 200,
        body: { active: true, kind, clientId, who: account.id, scopes, from: issuedAt, until: expiresAt },
      }),
    },
  }
  const basic = `Basic ${Buffer.from(`${encodeURIComponent('or:chard')}:s+e%2Bc%25ret`).toString('base64')}`
  const look = (s: Stage, form: Record<string, string>, authorization = basic): Promise<Response> =>
    fetch(s.sandbox.url(URL.replace('{farm}', 'hill')), {
      method: 'POST',
      headers: { authorization },
      body: new URLSearchParams(form),
    })

  test('tells of an access token when it was issued and when it ends', async () => {
    const s = await stage({ expectations: [looking] })
    const { access, refresh } = await s.orchardTokens()
    assert.deepEqual(await bodyOf(await look(s, { token: access, token_type_hint: 'access_token' })), {
      active: true,
      kind: 'access',
      clientId: 'or:chard',
      who: 'farm-1',
      scopes: ['pick', 'offline'],
      from: new Date(s.clock).toISOString(),
      until: new Date(s.clock + 600_000).toISOString(),
    })
    const call = s.sandbox.calls.at(-1)
    assert.deepEqual([call?.kind, call?.outcome, call?.account, call?.url], ['introspect', 'ok', 'farm-1', URL])
    const { kind, from, until } = await bodyOf(await look(s, { token: refresh }))
    assert.deepEqual([kind, from, until], ['refresh', undefined, undefined])
    s.sandbox.set('orchard', { lifetime: 60 })
    const next = await bodyOf(await s.renewOrchard(refresh))
    const told = await bodyOf(await look(s, { token: String(next['access']) }))
    assert.equal(told['until'], new Date(s.clock + 60_000).toISOString())
    assert.equal(told['from'], new Date(s.clock).toISOString())
  })

  test('a token that is expired, spent, unknown or another client’s is not active, and no more is told', async () => {
    const s = await stage({ expectations: [looking] })
    const { access, refresh } = await s.orchardTokens()
    const inactive = async (token: string, authorization?: string) => {
      const answer = await look(s, { token }, authorization)
      assert.equal(answer.status, 200)
      assert.deepEqual(await bodyOf(answer), { active: false })
    }
    const redirectUris = ['http://localhost:3003/callback']
    s.sandbox.register({ provider: 'orchard', clientId: 'other', clientSecret: 'o', redirectUris })
    await inactive(access, `Basic ${Buffer.from('other:o').toString('base64')}`)
    await inactive('nothing')
    await s.renewOrchard(refresh)
    await inactive(refresh)
    assert.equal((await bodyOf(await look(s, { token: access })))['active'], true)
    s.clock += 600_000
    await inactive(access)
  })

  test('the client authenticates as documented, by POST and in a form, and names a token', async () => {
    const s = await stage({ expectations: [looking] })
    const { access } = await s.orchardTokens()
    const wrong = await look(s, { token: access }, `Basic ${Buffer.from('or%3Achard:no').toString('base64')}`)
    assert.equal(wrong.status, 401)
    const inBody = await fetch(s.sandbox.url('https://hill.orchard.example/introspect'), {
      method: 'POST',
      body: new URLSearchParams({ token: access, client_id: 'or:chard', client_secret: 's e+c%ret' }),
    })
    assert.equal(inBody.status, 401)
    await refused(await look(s, {}), 400, 'invalid_request')
    await refused(await s.orchard('/introspect', { token: access }), 400, 'invalid_request')
    assert.equal((await fetch(s.sandbox.url('https://hill.orchard.example/introspect'))).status, 405)
    assert.deepEqual(
      s.sandbox.calls.filter(call => call.kind === 'introspect').map(call => call.outcome),
      ['invalid_client', 'invalid_client', 'invalid_request', 'invalid_request'],
    )
  })
})
