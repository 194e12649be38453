import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createSeal } from '../seal/seal.ts'
import { type Connection, toReadRow } from './connection.ts'
import { type Credential, type JsonObject, Secret } from './credential.ts'
import { openCredential, openRenewal, openTexts, sealCredential } from './sealed.ts'

const seal = createSeal(new Secret(Buffer.alloc(32, 7)))
const sealer = seal.environment(1, seal.newKey(1))
const id = '0123456789abcdef01234567'
const slackPaths = ['refresh_token', 'authed_user.refresh_token']

const credentialOf = (raw: JsonObject, refreshToken?: string): Credential => ({
  kind: 'oauth2',
  accessToken: new Secret('at-1'),
  ...(refreshToken === undefined ? {} : { refreshToken: new Secret(refreshToken) }),
  expiresAt: new Date(1_800_000_000_000),
  scopes: ['read', 'write'],
  raw: new Secret(raw),
})

/** A row as storage would give it back. */
const rowOf = (credential: Credential, paths: string | readonly string[] = 'refresh_token'): Connection => ({
  environmentId: 1,
  number: 1,
  id,
  integrationKey: 'github',
  provider: 'github',
  connectionId: 'user-1',
  endUserId: '',
  kind: 'oauth2',
  trust: 'proven',
  status: 'connected',
  ...sealCredential(sealer, id, credential, paths),
  ...(credential.expiresAt ? { expiresAt: credential.expiresAt } : {}),
  obtainedAt: new Date(0),
  credentialRevision: 1,
  ...(credential.scopes ? { scopes: credential.scopes } : {}),
  config: {},
  metadata: {},
  facts: {},
  tags: {},
  createdAt: new Date(0),
  updatedAt: new Date(0),
})

const opened = (row: Connection) => {
  const { accessToken, refreshToken, raw, ...rest } = openCredential(sealer, row)
  return { ...rest, accessToken: accessToken.reveal(), refreshToken: refreshToken?.reveal(), raw: raw.reveal() }
}
const accessPart = (row: Connection) => sealer.open(['connections', id, 'access'], row.access)

suite('a sealed credential', () => {
  test('of OAuth 1 opens with its secret, whole and as texts', () => {
    const raw = { oauth_token: 'at-1', oauth_token_secret: 's"\\', user_id: '7' }
    const { refreshToken: _, expiresAt: __, scopes: ___, ...bare } = credentialOf(raw)
    const row = { ...rowOf({ ...bare, kind: 'oauth1', tokenSecret: new Secret('s"\\') }, []), kind: 'oauth1' } as const
    assert.equal(row.renewal, undefined)
    const credential = openCredential(sealer, row)
    assert.deepEqual([credential.kind, credential.accessToken.reveal()], ['oauth1', 'at-1'])
    assert.equal(credential.tokenSecret?.reveal(), 's"\\')
    assert.deepEqual(credential.raw.reveal(), raw)
    assert.deepEqual(openTexts(sealer, toReadRow(row, true)).reveal(), {
      accessToken: '"at-1"',
      tokenSecret: JSON.stringify('s"\\'),
      raw: JSON.stringify(raw),
    })
  })

  test('opens as it was, its answer whole', () => {
    const raw = { access_token: 'at-1', refresh_token: 'rt-1', workspace: { id: 'w', list: [1, 'zwei', null] } }
    assert.deepEqual(opened(rowOf(credentialOf(raw, 'rt-1'))), {
      kind: 'oauth2',
      accessToken: 'at-1',
      refreshToken: 'rt-1',
      expiresAt: new Date(1_800_000_000_000),
      scopes: ['read', 'write'],
      raw,
    })
  })

  test('shows nothing of its tokens in either part', () => {
    const row = rowOf(credentialOf({ access_token: 'at-1', refresh_token: 'rt-1' }, 'rt-1'))
    for (const part of [row.access, row.renewal ?? assert.fail()]) {
      const bytes = Buffer.from(part).toString('latin1')
      assert.ok(!bytes.includes('at-1') && !bytes.includes('rt-1'))
    }
  })

  test('has an access part without the refresh token in it', () => {
    const plain = rowOf(credentialOf({ access_token: 'at-1', refresh_token: 'rt-1', scope: 'x' }, 'rt-1'))
    assert.deepEqual(JSON.parse(accessPart(plain)), ['at-1', { access_token: 'at-1', scope: 'x' }])
    const nested = { ok: true, authed_user: { id: 'U1', access_token: 'at-1', refresh_token: 'rt-1' } }
    const slack = rowOf(credentialOf(nested, 'rt-1'), slackPaths)
    assert.ok(!accessPart(slack).includes('rt-1'))
    assert.deepEqual(JSON.parse(accessPart(slack))[1], { ok: true, authed_user: { id: 'U1', access_token: 'at-1' } })
  })

  test('puts a nested refresh token back where it stood', () => {
    const raw = { ok: true, authed_user: { id: 'U1', access_token: 'at-1', refresh_token: 'rt-1' } }
    const row = rowOf(credentialOf(raw, 'rt-1'), slackPaths)
    assert.deepEqual(opened(row).raw, raw)
    assert.equal(opened(row).refreshToken, 'rt-1')
  })

  test('takes the token out of the one place it was read from', () => {
    const raw = { refresh_token: 'bot', authed_user: { refresh_token: 'user' } }
    assert.deepEqual(opened(rowOf(credentialOf(raw, 'bot'), slackPaths)).raw, raw)
    assert.ok(!accessPart(rowOf(credentialOf(raw, 'bot'), slackPaths)).includes('bot'))
    assert.ok(!accessPart(rowOf(credentialOf(raw, 'user'), slackPaths)).includes('"user"'))
  })

  test('adds nothing to an answer that had no refresh token: the old one was kept', () => {
    const raw = { access_token: 'at-1' }
    const row = rowOf(credentialOf(raw, 'rt-old'))
    assert.deepEqual(opened(row).raw, raw)
    assert.equal(opened(row).refreshToken, 'rt-old')
    assert.ok(!accessPart(row).includes('rt-old'))
  })

  test('has no renewal part where there is no refresh token', () => {
    const row = rowOf(credentialOf({ access_token: 'at-1' }))
    assert.equal('renewal' in row, false)
    assert.equal(openRenewal(sealer, row), undefined)
    assert.equal('refreshToken' in openCredential(sealer, row), false)
  })

  test('leaves the answer it was given as it is', () => {
    const raw = { access_token: 'at-1', authed_user: { refresh_token: 'rt-1' } }
    rowOf(credentialOf(raw, 'rt-1'), slackPaths)
    assert.deepEqual(raw, { access_token: 'at-1', authed_user: { refresh_token: 'rt-1' } })
  })

  test('opens for renewal by its renewal part alone', () => {
    const { renewal } = rowOf(credentialOf({ refresh_token: 'rt-1' }, 'rt-1'))
    assert.ok(renewal)
    assert.equal(openRenewal(sealer, { id, renewal })?.reveal(), 'rt-1')
  })

  test('opens as the texts it was sealed as, without its refresh token unless the row was read with it', () => {
    const row = rowOf(credentialOf({ access_token: 'at-1', refresh_token: 'r"1', last: ['"', '\\'] }, 'r"1'))
    const bare = { accessToken: '"at-1"', raw: '{"access_token":"at-1","last":["\\"","\\\\"]}' }
    assert.deepEqual(openTexts(sealer, toReadRow(row, false)).reveal(), bare)
    assert.deepEqual(openTexts(sealer, toReadRow(row, true)).reveal(), {
      ...bare,
      raw: `${bare.raw.slice(0, -1)},"refresh_token":"r\\"1"}`,
      refreshToken: '"r\\"1"',
    })
    const broken = { ...toReadRow(row, true), renewal: row.access }
    assert.throws(() => openTexts(sealer, broken), { code: 'internal' })
    assert.throws(() => openTexts(sealer, { ...toReadRow(row, false), id: 'f'.repeat(24) }), { code: 'internal' })
    assert.equal(String(openTexts(sealer, toReadRow(row, true))), '[secret]')
  })

  test('does not open in another row, nor with its parts exchanged', () => {
    const row = rowOf(credentialOf({ refresh_token: 'rt-1' }, 'rt-1'))
    const renewal = row.renewal ?? assert.fail()
    assert.throws(() => openCredential(sealer, { ...row, id: 'f'.repeat(24) }), { code: 'internal' })
    assert.throws(() => openRenewal(sealer, { id: 'f'.repeat(24), renewal }), { code: 'internal' })
    assert.throws(() => openCredential(sealer, { ...row, access: renewal }), { code: 'internal' })
    assert.throws(() => openRenewal(sealer, { id, renewal: row.access }), { code: 'internal' })
  })
})
