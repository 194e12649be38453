/** Connection objects are spliced of texts. Here they are made once more, of the objects, and both must say the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Connection, mergedMetadata, toReadRow } from '../../src/core/connection.ts'
import { type Credential, type CredentialKind, type JsonObject, Secret } from '../../src/core/credential.ts'
import type { EndUser } from '../../src/core/end-user.ts'
import { openCredential, openTexts, sealCredential } from '../../src/core/sealed.ts'
import { toConnection, toCurrentConnection } from '../../src/http/nango/map.ts'
import { createSeal } from '../../src/seal/seal.ts'
import { at, connection } from '../storage.fixtures.ts'

const seal = createSeal(new Secret(Buffer.alloc(32, 7)))
const sealer = seal.environment(1, seal.newKey(1))

const plainCredentials = (credential: Credential, year: 2023 | 2026) => {
  const { kind, accessToken, tokenSecret, refreshToken, expiresAt, raw } = credential
  const secret = accessToken.reveal()
  if (kind === 'oauth1')
    return {
      type: 'OAUTH1',
      ...(year === 2023 ? { access_token: secret } : {}),
      oauth_token: secret,
      oauth_token_secret: tokenSecret?.reveal(),
      raw: raw.reveal(),
    }
  if (kind === 'basic') {
    const colon = secret.indexOf(':')
    return { type: 'BASIC', username: secret.slice(0, colon), password: secret.slice(colon + 1) }
  }
  if (kind !== 'oauth2') return { type: 'API_KEY', apiKey: secret }
  const dated = expiresAt !== undefined && (year === 2026 || refreshToken !== undefined)
  return {
    type: 'OAUTH2',
    access_token: secret,
    ...(refreshToken ? { refresh_token: refreshToken.reveal() } : {}),
    ...(dated ? { expires_at: expiresAt.toISOString() } : {}),
    raw: raw.reveal(),
  }
}

const plain2023 = (row: Connection, credential: Credential) => ({
  id: row.number,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
  provider_config_key: row.integrationKey,
  connection_id: row.connectionId,
  credentials: plainCredentials(credential, 2023),
  connection_config: { ...row.config },
  account_id: 0,
  metadata: mergedMetadata(row),
})

const rowTime = (date: Date) => date.toISOString().replace('Z', '+00:00')
const plain2026 = (row: Connection, credential: Credential, user?: EndUser) => ({
  id: row.number,
  connection_id: row.connectionId,
  provider_config_key: row.integrationKey,
  provider: row.provider,
  errors: [],
  end_user: user
    ? {
        id: user.username,
        display_name: user.fullName ?? null,
        email: user.email ?? null,
        tags: user.tags ?? null,
        organization: user.organization
          ? { id: user.organization.id, display_name: user.organization.name ?? null }
          : null,
      }
    : null,
  tags: row.tags,
  metadata: mergedMetadata(row),
  connection_config: { ...row.config },
  webhook_url_override: row.webhookUrlOverride ?? null,
  created_at: rowTime(row.createdAt),
  updated_at: rowTime(row.updatedAt),
  last_fetched_at: null,
  credentials: plainCredentials(credential, 2026),
})

/** What is awkward in JSON. */
const texts = [
  'plain',
  '"',
  '\\',
  '\\"',
  '\\\\"",{"',
  '"]',
  '\u0000\n\u2028\u2029\u007f',
  'ü€😀',
  '\ud800 alone',
  '</script>',
  '',
  ':',
  'a:b:c',
]
const objects: JsonObject[] = [
  {},
  { a: 1 },
  JSON.parse('{"__proto__":{"x":1},"constructor":2,"toString":"\\"}"}'),
  { '': '', '"': ['"', { '\\': null }], 'ü€😀': '\ud800', 2: 'number first', 1: true },
  { deep: { deep: { deep: [[[{}]]] } }, long: 'x'.repeat(5000), number: 1.2345678901234567e19, small: 1e-7 },
]

const rowOf = (over: Partial<Connection>, credential: Credential, paths: readonly string[]): Connection => ({
  ...connection(1, 'a', { createdAt: at(1), updatedAt: at(100_000.123), ...over }),
  kind: credential.kind,
  ...sealCredential(sealer, 'a', credential, paths),
  ...(credential.expiresAt ? { expiresAt: credential.expiresAt } : {}),
})

/** Both say the same, in the same order, with the refresh token and without. */
const compare = (
  over: Partial<Connection>,
  credential: Credential,
  paths: readonly string[] = ['refresh_token'],
  user?: EndUser,
) => {
  const row = rowOf(over, credential, paths)
  const { renewal: _, ...bare } = row
  for (const [each, withRenewal] of [
    [row, true],
    [bare, false],
  ] as const) {
    const read = toReadRow(row, withRenewal, user)
    const { integrationKey, connectionId } = row
    const reading = { integrationKey, connectionId, row: read, credential: openTexts(sealer, read) }
    const whole = openCredential(sealer, each)
    for (const [spliced, plain] of [
      [toConnection(reading, true), plain2023(row, whole)],
      [toCurrentConnection(reading, true), plain2026(row, whole, user)],
      [toConnection(reading, false), { ...plain2023(row, whole), credentials: {} }],
      [toCurrentConnection(reading, false), { ...plain2026(row, whole, user), credentials: {} }],
    ] as const) {
      assert.deepEqual(JSON.parse(spliced), JSON.parse(JSON.stringify(plain)))
      assert.equal(spliced, JSON.stringify(plain))
    }
  }
}

const credentialOf = (kind: CredentialKind, token: string, raw: JsonObject, refreshToken?: string): Credential => ({
  kind,
  accessToken: new Secret(token),
  ...(refreshToken === undefined ? {} : { refreshToken: new Secret(refreshToken) }),
  raw: new Secret(raw),
})

test('whatever stands in a token, an answer, a name', () => {
  for (const text of texts)
    for (const kind of ['oauth2', 'apiKey', 'bearer', 'basic'] as const)
      for (const raw of objects)
        compare(
          { connectionId: text, integrationKey: `key ${text}`, provider: text, endUserId: text },
          { ...credentialOf(kind, text, raw), expiresAt: at(60) },
        )
})

test('whatever stands in a token of OAuth 1 and in its secret', () => {
  for (const token of texts)
    for (const secret of texts)
      for (const raw of objects) compare({}, { ...credentialOf('oauth1', token, raw), tokenSecret: new Secret(secret) })
})

test('whatever was obtained and set, apart and together', () => {
  const credential = credentialOf('oauth2', 'at', { access_token: 'at' })
  for (const facts of objects)
    for (const metadata of objects) compare({ facts, metadata, config: { subdomain: '"ü\\' } }, credential)
})

test('wherever the refresh token stands, or none', () => {
  const paths = ['refresh_token', 'authed_user.refresh_token', '__proto__', 'tokens.0', '"']
  for (const token of texts.filter(text => text !== '')) {
    const answers: JsonObject[] = [
      { refresh_token: token },
      { access_token: 'at', refresh_token: token, last: '"}' },
      { refresh_token: 'another', '"': token },
      { authed_user: { refresh_token: token, x: 1 }, refresh_token: 'another' },
      { access_token: 'at' },
      JSON.parse(`{"__proto__":${JSON.stringify(token)},"a":1}`),
      ...objects,
    ]
    for (const raw of answers) {
      compare({}, credentialOf('oauth2', 'at', raw, token), paths)
      compare({}, { ...credentialOf('oauth2', 'at', raw, token), expiresAt: at(60) }, paths)
    }
  }
  compare({}, { ...credentialOf('oauth2', 'at', {}), expiresAt: at(60) })
})

test('whoever it is of, and whatever it is tagged with', () => {
  const credential = credentialOf('oauth2', 'at', { access_token: 'at' })
  const user = { environmentId: 1, id: 'u', createdAt: at(1), updatedAt: at(1) }
  for (const text of texts) {
    const over = { endUserId: 'u', tags: { [text]: text, plan: 'pro' }, webhookUrlOverride: text }
    compare(over, credential, undefined, { ...user, username: text })
    compare(over, credential, undefined, { ...user, username: text, organization: { id: text } })
    const whole = { fullName: text, email: text, tags: { a: text }, organization: { id: text, name: text } }
    compare(over, credential, undefined, { ...user, username: text, ...whole })
  }
})
